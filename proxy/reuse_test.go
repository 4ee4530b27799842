package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"herald/proxy/settings"
)

// numbered answers every request with the number of its connection and of the
// request on it.
func numbered(t *testing.T) string {
	var conns atomic.Int64
	return script(t, func(c net.Conn) {
		id := conns.Add(1)
		for n := 1; readHeadOf(c); n++ {
			body := fmt.Sprintf("%d/%d", id, n)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}
	})
}

// visitor is one kept-alive client connection.
type visitor struct {
	net.Conn
	in *bufio.Reader
}

func (r *rig) visitor() visitor {
	c := r.dial()
	return visitor{c, bufio.NewReader(c)}
}

// ask sends one request and answers the body of the response.
func (v visitor) ask(t *testing.T) string {
	t.Helper()
	io.WriteString(v, get)
	resp, err := http.ReadResponse(v.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

// The answers are HAProxy 2.6.12's.
func TestWhoMayTakeAnIdleConnection(t *testing.T) {
	for name, tc := range map[string]struct {
		setup func(*settings.Proxy)
		want  string // the answers to a, a, b, b, a, c
	}{
		"safe":           {func(p *settings.Proxy) {}, "1/1 1/2 2/1 1/3 1/4 3/1"},
		"never":          {func(p *settings.Proxy) { p.Reuse = settings.ReuseNever }, "1/1 1/2 2/1 2/2 1/3 3/1"},
		"aggressive":     {func(p *settings.Proxy) { p.Reuse = settings.ReuseAggressive }, "1/1 1/2 1/3 1/4 1/5 1/6"},
		"always":         {func(p *settings.Proxy) { p.Reuse = settings.ReuseAlways }, "1/1 1/2 1/3 1/4 1/5 1/6"},
		"no pool":        {func(p *settings.Proxy) { p.Servers[0].Pool.MaxConn = 1 }, "1/1 2/1 3/1 4/1 5/1 6/1"},
		"reused once":    {func(p *settings.Proxy) { p.Servers[0].Pool.MaxReuse = 2 }, "1/1 1/2 2/1 2/2 3/1 4/1"},
		"server closing": {func(p *settings.Proxy) { p.Connection = settings.ServerClose }, "1/1 2/1 3/1 4/1 5/1 6/1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := section(numbered(t))
			tc.setup(p)
			r := serve(t, 1, p)
			a, b, c := r.visitor(), r.visitor(), r.visitor()
			var got []string
			for _, v := range []visitor{a, a, b, b, a, c} {
				got = append(got, v.ask(t))
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("got %v, want %s", got, tc.want)
			}
		})
	}
}

// A connection nobody has used again is not offered to first requests.
func TestAggressiveReuseNeedsAConnectionThatWasReused(t *testing.T) {
	p := section(numbered(t))
	p.Reuse = settings.ReuseAggressive
	r := serve(t, 1, p)
	a, b, c := r.visitor(), r.visitor(), r.visitor()
	got := []string{a.ask(t), b.ask(t), b.ask(t), c.ask(t)}
	if want := "1/1 2/1 1/2 1/3"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestAClientsOwnConnectionEndsWithIt(t *testing.T) {
	ended := make(chan bool, 1)
	addr := script(t, func(c net.Conn) {
		says(five)(c)
		ended <- true
	})
	p := section(addr)
	p.Reuse = settings.ReuseNever
	r := serve(t, 1, p)
	v := r.visitor()
	v.ask(t)
	v.Close()
	<-ended
}

// Every row was seen on HAProxy 2.6.12: how often the request was sent, and
// the end of the log line.
func TestAFailedRequestIsSentAgainAsRetryOnSays(t *testing.T) {
	const none, junk, own503 = "", "garbage\r\n\r\n", "HTTP/1.1 503 Mine\r\nContent-Length: 2\r\n\r\nno"
	for name, tc := range map[string]struct {
		says   string
		mute   bool
		on     settings.RetryOn
		send   string
		asked  int64
		status int
		log    string
	}{
		"empty response":                {none, false, settings.RetryEmptyResponse, get, 3, 502, `-1/[0-9]+ 502 [0-9]+ - - SH-- 1/1/0/0/2 0/0`},
		"empty response, not asked for": {none, false, 0, get, 1, 502, `SH-- 1/1/0/0/0 0/0`},
		"junk":                          {junk, false, settings.RetryJunkResponse, get, 3, 502, `PH-- 1/1/0/0/2 0/0`},
		"junk is not empty":             {junk, false, settings.RetryEmptyResponse, get, 1, 502, `PH-- 1/1/0/0/0 0/0`},
		"timeout":                       {none, true, settings.RetryResponseTimeout, get, 3, 504, `504 [0-9]+ - - sH-- 1/1/0/0/2 0/0`},
		"a status":                      {own503, false, settings.Retry503, get, 3, 503, ` 503 [0-9]+ - - ---- 1/1/0/0/2 0/0`},
		"another status":                {own503, false, settings.Retry500, get, 1, 503, ` 503 [0-9]+ - - ---- 1/1/0/0/0 0/0`},
		"a body that was read":          {none, false, settings.RetryAll, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 3, 502, `SH-- 1/1/0/0/2 0/0`},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			addr := script(t, func(c net.Conn) {
				if !readHeadOf(c) {
					return
				}
				asked.Add(1)
				if tc.mute {
					mute(c)
					return
				}
				io.WriteString(c, tc.says)
			})
			p := section(addr)
			quick(p)
			p.Retries, p.RetryOn = 2, tc.on
			r := serve(t, 1, p)
			if got, want := r.exchange(tc.send), fmt.Sprintf("HTTP/1.1 %d ", tc.status); !strings.HasPrefix(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			r.log.wait(t, tc.log)
			if asked.Load() != tc.asked {
				t.Errorf("asked %d times, want %d", asked.Load(), tc.asked)
			}
		})
	}
}

func TestARetryGoesToAnotherServerWithRedispatch(t *testing.T) {
	p := section(script(t, saysAndCloses("")), script(t, says(five)))
	p.RetryOn, p.Redispatch, p.RedispatchInterval = settings.RetryEmptyResponse, true, -1
	r := serve(t, 1, p)
	for range 2 {
		if got := r.exchange(get); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Errorf("got %q", got)
		}
	}
	r.log.wait(t, `web/s2 .* 200 [0-9]+ - - ---- 1/1/0/0/\+1 0/0`)
	// HAProxy 2.6.12 counts a request that is sent again in both columns, and
	// the connections to servers in their backend too.
	for _, name := range []string{"s1", "BACKEND"} {
		if row := r.rowOf("web", name); row.Retries != row.Redispatches || row.Retries == 0 {
			t.Errorf("%s: got %d retries, %d redispatches, want as many, and some", name, row.Retries, row.Redispatches)
		}
	}
	one, two, all := r.rowOf("web", "s1"), r.rowOf("web", "s2"), r.rowOf("web", "BACKEND")
	if all.Connects != one.Connects+two.Connects || all.Reuses != one.Reuses+two.Reuses || all.Connects == 0 {
		t.Errorf("the backend: got %d connections, %d reused, want %d and %d", all.Connects, all.Reuses, one.Connects+two.Connects, one.Reuses+two.Reuses)
	}
}

func TestWithoutConnFailureAConnectIsNotRetried(t *testing.T) {
	p := section("127.0.0.1:1")
	p.Retries, p.RetryOn = 3, settings.RetryNone
	r := serve(t, 1, p)
	if got := r.exchange(get); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q", got)
	}
	r.log.wait(t, `SC-- 1/1/0/0/0 0/0`)
}
