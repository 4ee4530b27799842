package directive

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// listenTuning are bind options about the system's socket, and those that ask
// for what is done anyway.
var listenTuning = []config.Row[bindOption]{
	onBind("defer-accept", "Accepts a connection when its first bytes have come, or after a second.",
		func(b *settings.Bind) { b.Tune.DeferAccept = true }),
	bindNumber("id", "N", "10", "Number of the listener in the statistics.", 1, maxCount,
		func(b *settings.Bind) *int { return &b.ID }),
	bindNumber("mss", "BYTES", "1400", "Largest segment announced to clients; a negative one is taken off 1460.", -1460, 65535,
		func(b *settings.Bind) *int { return &b.Tune.MSS }),
	bindWord("expose-fd", "listeners", "listeners", "Accepted: listening sockets outlive every reload without being asked.", `listeners`),
	bindNumber("nice", "N", "10", "Accepted: loops take turns by themselves.", -1024, 1024,
		func(*settings.Bind) *int { return new(int) }),
	bindWord("severity-output", "none|number|string", "none", "Accepted: answers of the runtime API carry no severity.", `none|number|string`),
	bindWord("shards", "N|by-thread", "by-thread", "Accepted: every event loop has a socket of its own.", threadNumber+`|by-thread|by-group`),
	{Name: "tcp-ut", Syntax: "TIME", Example: "bind :80 tcp-ut 30s",
		Doc: "How long sent data may stay unacknowledged before the connection ends.",
		Do: bindOption{1, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			return setTime(&b.Tune.UserTimeout, v)
		}}},
	onBind("tfo", "Lets clients send data with their first segment (TCP Fast Open).",
		func(b *settings.Bind) { b.Tune.FastOpen = true }),
	bindWord("thread", "[GROUP/]RANGE", "1-4", "Accepted: every event loop has a socket of its own.",
		`(`+threadNumber+`/)?(all|odd|even|`+threadNumber+`(-(`+threadNumber+`)?)?)`),
}

// threadNumber is a number of a thread, a group of them or a socket.
const threadNumber = `([1-9]|[1-5][0-9]|6[0-4])`

func onBind(name, doc string, set func(b *settings.Bind)) config.Row[bindOption] {
	return config.Row[bindOption]{Name: name, Example: "bind :80 " + name, Doc: doc,
		Do: bindOption{0, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, _ line.Word) error { set(b); return nil }}}
}

func bindNumber(name, syntax, example, doc string, lo, hi int, field func(b *settings.Bind) *int) config.Row[bindOption] {
	return config.Row[bindOption]{Name: name, Syntax: syntax, Example: "bind :80 " + name + " " + example, Doc: doc,
		Do: bindOption{1, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			return setInt(field(b), v, lo, hi)
		}}}
}

// bindWord is an option that changes nothing, whose argument is one of those
// that a regular expression matches as a whole.
func bindWord(name, syntax, example, doc, argument string) config.Row[bindOption] {
	known := regexp.MustCompile(`^(` + argument + `)$`)
	return config.Row[bindOption]{Name: name, Syntax: syntax, Example: "bind :80 " + name + " " + example, Doc: doc,
		Do: bindOption{1, func(_ *call, _ *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			if !known.MatchString(v.Text) {
				return fmt.Errorf("%q is not %s", v.Text, syntax)
			}
			return nil
		}}}
}

// setTime reads a time of more than nothing, in milliseconds by default.
func setTime(to *time.Duration, v line.Word) error {
	d, err := config.Duration(v.Text, time.Millisecond)
	switch {
	case err != nil:
		return err
	case d <= 0 || d > maxTimer:
		return fmt.Errorf("%q is not between 1us and 24.8 days", v.Text)
	}
	*to = d
	return nil
}

// probes are the rows of one side's keep-alive.
func probes(side, who string, in scope, field func(p *settings.Proxy) *settings.KeepAliveProbes) []config.Row[keyword] {
	seconds := func(to func(p *settings.Proxy) *time.Duration) func(c *call) {
		return func(c *call) {
			if d, ok := c.duration(0, time.Second); ok {
				*to(&c.px.p) = d
			}
		}
	}
	return []config.Row[keyword]{
		{Name: side + "-cnt", Syntax: "N", Example: side + "-cnt 3", Doc: "How many unanswered probes end an idle connection " + who + ", with TCP keep-alive.",
			Do: keyword{in: in, min: 1, max: 1, read: func(c *call) {
				if n, ok := c.number(0, 1, 127); ok {
					field(&c.px.p).Count = n
				}
			}}},
		{Name: side + "-idle", Syntax: "TIME", Example: side + "-idle 10s", Doc: "How long a connection " + who + " is idle before the first probe; in seconds by default.",
			Do: keyword{in: in, min: 1, max: 1, read: seconds(func(p *settings.Proxy) *time.Duration { return &field(p).Idle })}},
		{Name: side + "-intvl", Syntax: "TIME", Example: side + "-intvl 5s", Doc: "Time between probes of a connection " + who + "; in seconds by default.",
			Do: keyword{in: in, min: 1, max: 1, read: seconds(func(p *settings.Proxy) *time.Duration { return &field(p).Interval })}},
	}
}

var probeRows = append(
	probes("clitcpka", "from a client", frontSide, func(p *settings.Proxy) *settings.KeepAliveProbes { return &p.ProbesClient }),
	probes("srvtcpka", "to a server", backSide, func(p *settings.Proxy) *settings.KeepAliveProbes { return &p.ProbesServer })...)

// inherited reads the number of "fd@N".
func inherited(text string) error {
	if n, err := strconv.Atoi(text); err != nil || n < 3 {
		return fmt.Errorf("%q is not the number of an inherited descriptor, from 3 up", text)
	}
	return nil
}
