package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/proxy/admin"
	"herald/proxy/settings"
)

// As many come at once as the limit says, then one at a time; HAProxy 2.6.12
// served 20 that came together at "rate-limit sessions 5" at these moments.
func TestARateAllowsItsLimitAtOnceAndThenEvenly(t *testing.T) {
	var p pace
	p.limit.Store(5)
	const ms = int64(time.Millisecond)
	p.wait(500 * ms) // asking counts nothing
	at, got := 700*ms, []int64{}
	for range 20 {
		for range 100 {
			if p.wait(at) == 0 {
				break
			}
			at += p.wait(at)
		}
		p.count(at)
		got = append(got, (at/ms-700)/100)
	}
	want := []int64{0, 0, 0, 0, 0, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38}
	if !slices.Equal(got, want) {
		t.Errorf("tenths of seconds: got %v, want %v", got, want)
	}
	at += 5000 * ms
	for i := range 5 {
		if w := p.wait(at); w != 0 {
			t.Errorf("after a rest, number %d waits %d ns", i+1, w)
		}
		p.count(at)
	}
	if p.wait(at) == 0 {
		t.Error("a sixth need not wait")
	}
	p.limit.Store(0)
	if w := p.wait(at); w != 0 {
		t.Errorf("without a limit: waits %d ns", w)
	}
}

func TestConnectionsBeyondARateWaitToBeAccepted(t *testing.T) {
	for name, change := range map[string]func(*settings.Config){
		"maxconnrate":         func(c *settings.Config) { c.Global.MaxConnRate = 1 },
		"maxsessrate":         func(c *settings.Config) { c.Global.MaxSessRate = 1 },
		"maxsslrate":          func(c *settings.Config) { c.Global.MaxTLSRate = 1 },
		"rate-limit sessions": func(c *settings.Config) { c.Proxies[0].MaxSessRate = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			p := encrypted(section(origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, "x") })))
			begun := time.Now()
			r := serveWith(t, change, p)
			for range 2 {
				c := r.secure(trusting())
				fetch(t, c, bufio.NewReader(c), get)
			}
			// A slow machine only makes it later.
			if took := time.Since(begun); took < 990*time.Millisecond {
				t.Errorf("the second was served after %v, want a second or more", took)
			}
		})
	}
}

func TestARateIsLiftedAtOnce(t *testing.T) {
	p := section(script(t, says(five)))
	r := serveWith(t, func(c *settings.Config) { c.Global.MaxConnRate = 1 }, p)
	f := r.frontends[0]
	cli := admin.New(r.Server, admin.Options{})
	defer cli.Close()
	cli.Do("set rate-limit connections global 1", admin.Admin)
	for of, line := range []string{"ConnRateLimit: 1", "SessRateLimit: 70", "SslRateLimit: 80"} {
		if of > 0 {
			cli.Do([]string{"", "set rate-limit sessions global 70", "set rate-limit ssl-sessions global 80"}[of], admin.Admin)
		}
		if got := cli.Do("show info", admin.User); !strings.Contains(got, line) {
			t.Errorf("no %q in show info", line)
		}
	}
	var at []net.Conn
	for range 4 { // which would take three seconds
		at = append(at, r.dial())
	}
	waitFor(t, func() bool { return f.conns.now.Load() > 0 })
	if err := r.SetMaxRate(admin.RateConnections, 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range at {
		io.WriteString(c, get)
		if !readHeadOf(c) {
			t.Error("a connection was not served")
		}
	}
}

func TestARateOfNobodyElseHoldsUpNone(t *testing.T) {
	p := section(script(t, says(five)))
	r := serveWith(t, func(c *settings.Config) { c.Global.MaxTLSRate = 1 }, p)
	for range 3 { // in the clear
		c := r.dial()
		io.WriteString(c, get)
		if !readHeadOf(c) {
			t.Fatal("a connection was not served")
		}
	}
	if w := r.tlsPace.wait(0); w != 0 || r.tlsPace.now != 0 {
		t.Errorf("%d connections in the clear were counted as TLS", r.tlsPace.now)
	}
}

// As in HAProxy 2.6.12, who is one too many waits to be accepted.
func TestTLSConnectionsBeyondTheirLimitWaitForOneToLeave(t *testing.T) {
	p := encrypted(section(origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, "x") })))
	r := serveWith(t, func(c *settings.Config) { c.Global.MaxTLSConn = 2 }, p)
	var held []net.Conn
	for range 2 {
		c := r.secure(trusting())
		fetch(t, c, bufio.NewReader(c), get)
		held = append(held, c)
	}
	late := r.secure(trusting())
	shaken := make(chan error, 1)
	go func() { shaken <- late.Handshake() }()
	waitFor(t, func() bool { return r.tlsRoom.paused.Load() })
	if got := r.Snapshot().Info.MaxTLS; got != 2 {
		t.Errorf("show info tells a limit of %d, want 2", got)
	}
	held[0].Close()
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	fetch(t, late, bufio.NewReader(late), get)
	if most := r.tlsRoom.taken.most.Load(); most != 2 {
		t.Errorf("%d connections at once, want 2", most)
	}
	late.Close()
	held[1].Close()
	waitFor(t, func() bool { return r.tlsRoom.taken.now.Load() == 0 })
}

func TestRatesAnOperatorSetOutliveAReload(t *testing.T) {
	made := func() *settings.Proxy { return section(script(t, says(five))) }
	r := serve(t, 2, made())
	if err := r.SetMaxRate(admin.RateSessions, 700); err != nil {
		t.Fatal(err)
	}
	r = r.succeed(made())
	if got := r.sessPace.limit.Load(); got != 700 {
		t.Errorf("after a reload: got %d, want 700", got)
	}
}

// The answers are HAProxy 2.6.12's, to a client that asks twelve times.
func TestAClientKeepsAsManyConnectionsOfItsOwnAsItMay(t *testing.T) {
	for name, tc := range map[string]struct {
		most, servers int // most + 1, as the settings have it
		want          string
	}{
		"three servers": {0, 3, "a1/1 b1/1 c1/1 a1/2 b1/2 c1/2 a1/3 b1/3 c1/3 a1/4 b1/4 c1/4"},
		"one":           {2, 3, "a1/1 b1/1 c1/1 a1/2 b2/1 c2/1 a1/3 b3/1 c3/1 a1/4 b4/1 c4/1"},
		"none":          {1, 1, "a1/1 a2/1 a3/1 a4/1 a5/1 a6/1 a7/1 a8/1 a9/1 a10/1 a11/1 a12/1"},
		"seven servers": {0, 7, "a1/1 b1/1 c1/1 d1/1 e1/1 f1/1 g1/1 a1/2 b1/2 c1/2 d1/2 e1/2"},
	} {
		t.Run(name, func(t *testing.T) {
			var at []string
			for range tc.servers {
				at = append(at, numbered(t))
			}
			p := section(at...)
			p.Reuse, p.SessionServerConns = settings.ReuseNever, tc.most
			v := serve(t, 1, p).visitor()
			var got []string
			for i := range 12 {
				got = append(got, fmt.Sprintf("%c%s", 'a'+i%tc.servers, v.ask(t)))
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("got %v, want %s", got, tc.want)
			}
			v.Close()
		})
	}
}
