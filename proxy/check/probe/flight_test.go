package probe

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"herald/proxy/check"
	"herald/proxy/check/script"
	"herald/proxy/loop"
)

// peers serves every connection in the same way.
func peers(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				serve(c)
				c.Close()
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().String()
}

// aloft is outcome by a Flight; taken is false when it is none for one.
func aloft(t *testing.T, s *script.Script, o Options) (r check.Result, taken bool) {
	t.Helper()
	l, err := loop.New(loop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var f Flight
	l.Post(func() {
		taken = f.Launch(l, script.Start(s, &script.World{}, 16384), o, func(got check.Result) {
			r = got
			l.Stop()
		})
		if !taken {
			l.Stop()
		}
	})
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	if f.Busy() {
		t.Error("busy after its end")
	}
	return r, taken
}

func TestACheckOnALoopEndsAsOneOnAGoroutine(t *testing.T) {
	ask := func(c net.Conn) bool { n, _ := c.Read(make([]byte, 4096)); return n > 0 }
	says := func(pieces ...string) func(net.Conn) {
		return func(c net.Conn) {
			if !ask(c) {
				return
			}
			for _, p := range pieces {
				io.WriteString(c, p)
			}
			ask(c)
		}
	}
	http := &script.Script{Kind: script.HTTP}
	http.Finish()
	plain := &script.Script{}
	plain.Finish()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	for _, tt := range []struct {
		name   string
		script *script.Script
		addr   string
		want   check.Status
	}{
		{"connecting", plain, peers(t, func(c net.Conn) {}), check.L4OK},
		{"connecting to nobody", plain, closed, check.L4CON},
		{"an answer", script.Redis(), peers(t, says("+PONG\r\n")), check.L7OK},
		{"an answer in pieces", script.Redis(), peers(t, says("+PO", "NG", "\r\n")), check.L7OK},
		{"the wrong answer", script.Redis(), peers(t, says("-ERR\r\n")), check.L7STS},
		{"an answer cut off", script.Redis(), peers(t, func(c net.Conn) { ask(c); io.WriteString(c, "+PO") }), check.L7STS},
		{"a reset", script.Redis(), peers(t, func(c net.Conn) { ask(c); c.(*net.TCPConn).SetLinger(0) }), check.SOCKERR},
		{"who speaks first", script.SMTP("", ""), peers(t, func(c net.Conn) {
			io.WriteString(c, "220 here\r\n")
			if ask(c) {
				io.WriteString(c, "250 hello\r\n")
				ask(c)
				io.WriteString(c, "221 bye\r\n")
			}
		}), check.L7OK},
		{"HTTP", http, peers(t, says("HTTP/1.0 200 OK\r\n", "\r\n")), check.L7OK},
		{"silence", script.Redis(), peers(t, func(c net.Conn) { ask(c); ask(c) }), check.L7TOUT},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := to(Place{Address: tt.addr})
			if tt.want == check.L7TOUT {
				o.Inter = 20 * time.Millisecond
			}
			on := outcome(tt.script, o)
			got, taken := aloft(t, tt.script, o)
			if !taken || got.Status != tt.want || on.Status != tt.want {
				t.Errorf("on a loop %v (taken: %v), on a goroutine %v, want %v", got.Status, taken, on.Status, tt.want)
			}
			got.Duration, on.Duration = 0, 0
			if got != on {
				t.Errorf("on a loop %+v, on a goroutine %+v", got, on)
			}
		})
	}
}

func TestAFlightLeavesWhatItCannotDo(t *testing.T) {
	for name, p := range map[string]Place{
		"a PROXY header": {Header: 1},
		"HTTP/2":         {H2: true},
		"SOCKS4":         {Ask: []byte{4}},
	} {
		if _, taken := aloft(t, script.Redis(), to(p)); taken {
			t.Errorf("%s: taken", name)
		}
	}
}
