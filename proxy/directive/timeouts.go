package directive

import (
	"math"
	"time"

	"herald/config"
	"herald/proxy/settings"
)

const (
	defaultInter        = 2 * time.Second
	defaultStatsTimeout = 10 * time.Second
	// maxTimer is what HAProxy's timers can hold.
	maxTimer = math.MaxInt32 * time.Millisecond
)

// duration reads argument i as a time, in unit when it has none.
func (c *call) duration(i int, unit time.Duration) (time.Duration, bool) {
	d, err := config.Duration(c.arg(i), unit)
	if err != nil {
		c.reject(i, "%v", err)
		return 0, false
	}
	if d > maxTimer {
		c.reject(i, "time %q is longer than 24.8 days", c.arg(i))
		return 0, false
	}
	return d, true
}

// timeout makes the row of one timeout.
func timeout(name string, in scope, doc, example string, field func(t *settings.Timeouts) *time.Duration) config.Row[keyword] {
	return config.Row[keyword]{
		Name: "timeout " + name, Syntax: "TIME", Doc: doc, Example: "timeout " + name + " " + example,
		Do: keyword{in: in, min: 1, max: 1, read: func(c *call) {
			if d, ok := c.duration(0, time.Millisecond); ok {
				*field(&c.px.p.Timeouts) = d
			}
		}},
	}
}

var timeoutRows = []config.Row[keyword]{
	timeout("check", backSide, "Longest wait for a health check's answer once connected.", "2s",
		func(t *settings.Timeouts) *time.Duration { return &t.Check }),
	timeout("client", frontSide, "Longest silence of the client when it is its turn.", "1m",
		func(t *settings.Timeouts) *time.Duration { return &t.Client }),
	timeout("client-fin", frontSide, "Longest silence of the client on a half-closed connection.", "10s",
		func(t *settings.Timeouts) *time.Duration { return &t.ClientFin }),
	timeout("connect", backSide, "Longest wait for a connection to a server.", "5000",
		func(t *settings.Timeouts) *time.Duration { return &t.Connect }),
	timeout("http-keep-alive", anyProxy, "Longest wait for the next request on a connection; http-request when unset.", "10s",
		func(t *settings.Timeouts) *time.Duration { return &t.HTTPKeepAlive }),
	timeout("http-request", anyProxy, "Longest wait for a complete request head; client when unset.", "10s",
		func(t *settings.Timeouts) *time.Duration { return &t.HTTPRequest }),
	timeout("queue", backSide, "Longest wait in a queue for a free server; connect when unset.", "1m",
		func(t *settings.Timeouts) *time.Duration { return &t.Queue }),
	timeout("server", backSide, "Longest silence of the server when it is its turn.", "1m",
		func(t *settings.Timeouts) *time.Duration { return &t.Server }),
	timeout("server-fin", backSide, "Longest silence of the server on a half-closed connection.", "10s",
		func(t *settings.Timeouts) *time.Duration { return &t.ServerFin }),
	timeout("tarpit", anyProxy, "How long a tarpitted connection is held; connect when unset.", "30s",
		func(t *settings.Timeouts) *time.Duration { return &t.Tarpit }),
	timeout("tunnel", backSide, "Longest silence on a two-way tunnel; replaces client and server then.", "1h",
		func(t *settings.Timeouts) *time.Duration { return &t.Tunnel }),
}
