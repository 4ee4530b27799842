package proxy

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"herald/proxy/settings"
)

// heard answers requests with five and tells what it was sent.
func heard(t *testing.T, got chan<- string) string {
	return script(t, func(c net.Conn) {
		b := make([]byte, 1<<16)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			got <- string(b[:n])
			io.WriteString(c, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-own: 1\r\n\r\nhello")
		}
	})
}

// Every row was seen on HAProxy 2.6.12.
func TestOptionsChangeWhatTheServerIsSent(t *testing.T) {
	names := map[string]string{"host": "HOST", "x-own": "X-Own", "connection": "ConnectioN"}
	for name, tc := range map[string]struct {
		setup func(*settings.Proxy)
		send  string
		want  string
	}{
		"originalto": {func(p *settings.Proxy) { p.OriginalTo = &settings.ForwardFor{Header: "X-Original-To"} }, get, "GET / HTTP/1.1\r\nhost: a\r\nx-original-to: 127.0.0.1\r\n\r\n"},
		"originalto, both": {func(p *settings.Proxy) {
			p.OriginalTo = &settings.ForwardFor{Header: "X-To"}
			p.ForwardFor = &settings.ForwardFor{}
		}, get, "GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 127.0.0.1\r\nx-to: 127.0.0.1\r\n\r\n"},
		"originalto except":       {func(p *settings.Proxy) { p.OriginalTo = &settings.ForwardFor{Except: "127.0.0.1"} }, get, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"},
		"server close":            {func(p *settings.Proxy) { p.Connection = settings.ServerClose }, get, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"},
		"server close, pretended": {func(p *settings.Proxy) { p.Connection, p.HTTP.PretendKeepAlive = settings.ServerClose, true }, get, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"},
		"names deleted":           {func(p *settings.Proxy) { p.HTTP.Names = settings.NamesDelete }, "GET / HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\nX-Y: 2\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\nx-y: 2\r\n\r\n"},
		"the server's name":       {func(p *settings.Proxy) { p.HTTP.SendName = "x-srv" }, "GET / HTTP/1.1\r\nHost: a\r\nX-Srv: forged\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\nx-srv: s1\r\n\r\n"},
		"the server's name, body": {func(p *settings.Proxy) { p.HTTP.SendName = "x-srv" }, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nx-srv: s1\r\n\r\nhi"},
		"another case":            {func(p *settings.Proxy) { p.HTTP.AdjustServer, p.Connection = true, settings.Close }, get, "GET / HTTP/1.1\r\nHOST: a\r\nConnectioN: close\r\n\r\n"},
		"invalid names":           {func(p *settings.Proxy) { p.HTTP.AcceptInvalidRequest = true }, "GET /\xc3\xa9#x HTTP/1.1\r\nHost: a\r\nA B@: c\r\n\r\n", "GET /\xc3\xa9#x HTTP/1.1\r\nhost: a\r\na b@: c\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 4)
			p := section(heard(t, got))
			tc.setup(p)
			r := serveWith(t, func(cfg *settings.Config) { cfg.Global.HeaderCase = names }, p)
			if answer := r.exchange(tc.send); !strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\n") {
				t.Errorf("answer %q", answer)
			}
			if g := <-got; g != tc.want {
				t.Errorf("the server got %q, want %q", g, tc.want)
			}
		})
	}
}

func TestOptionsChangeWhatTheClientIsSent(t *testing.T) {
	p := section(heard(t, make(chan string, 4)))
	p.HTTP.AdjustClient = true
	r := serveWith(t, func(cfg *settings.Config) { cfg.Global.HeaderCase = map[string]string{"x-own": "X-oWn"} }, p)
	if got, want := r.exchange(get), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX-oWn: 1\r\n\r\nhello"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestForbiddenNamesAreRefused(t *testing.T) {
	p := section(script(t, says(five)))
	p.HTTP.Names = settings.NamesReject
	r := serve(t, 1, p)
	bad := "GET / HTTP/1.1\r\nHost: a\r\nX.Y: 1\r\n\r\n"
	if got := r.exchange(bad + get); !strings.HasPrefix(got, "HTTP/1.1 403 Forbidden\r\n") || !strings.HasSuffix(got, "hello") {
		t.Errorf("got %q, want 403 and then the next answer", got)
	}
	r.log.wait(t, `web/<NOSRV> [0-9]+/-1/-1/-1/[0-9]+ 403 [0-9]+ - - PR-- `)
}

// What another reader could frame or split otherwise is refused even when
// invalid requests are accepted.
func TestAcceptInvalidNeverPassesWhatSplitsMessages(t *testing.T) {
	p := section(script(t, says(five)))
	p.HTTP.AcceptInvalidRequest = true
	r := serve(t, 1, p)
	for _, head := range []string{
		"Content-Length : 5", "A\x00B: c", "A: b\x00c", "A: b\rc", ": x", "Content-Length: +5", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", " folded: x",
	} {
		if got := r.exchange("GET / HTTP/1.1\r\n" + head + "\r\nHost: a\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
			t.Errorf("%q: got %q", head, got)
		}
	}
}

// Every row was seen on HAProxy 2.6.12.
func TestABufferedRequestIsWholeBeforeItsServerIsChosen(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: a\r\n"
	for name, tc := range map[string]struct {
		send   []string
		want   string // what the server gets
		answer string
		log    string
	}{
		"in two parts":  {[]string{head + "Content-Length: 5\r\n\r\nhe", "llo"}, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello", "HTTP/1.1 200 ", ` 200 [0-9]+ - - ---- `},
		"chunked":       {[]string{head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "0\r\n\r\n"}, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 200 ", ` 200 `},
		"expected":      {[]string{head + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", "hello"}, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ", ` 200 `},
		"never comes":   {[]string{head + "Content-Length: 5\r\n\r\nhe", ""}, "", "HTTP/1.1 408 ", `web/<NOSRV> -1/-1/-1/-1/[0-9]+ 408 [0-9]+ - - cR-- .* "POST / HTTP/1.1"`},
		"bad chunk":     {[]string{head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "zz\r\n"}, "", "HTTP/1.1 400 ", ` 400 [0-9]+ - - PR-- `},
		"next one kept": {[]string{head + "Content-Length: 5\r\n\r\nhe", "llo" + get}, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello", "HTTP/1.1 200 ", `"GET / HTTP/1.1"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 4)
			p := section(heard(t, got))
			p.HTTP.BufferRequest = true
			p.Timeouts.HTTPRequest = 2 * time.Second
			if tc.send[1] == "" {
				p.Timeouts.HTTPRequest = 100 * time.Millisecond
			}
			r := serve(t, 1, p)
			c := r.dial()
			io.WriteString(c, tc.send[0])
			select {
			case g := <-got:
				t.Errorf("the server got %q before the body was whole", g)
			case <-time.After(50 * time.Millisecond):
			}
			io.WriteString(c, tc.send[1])
			if tc.send[1] != "" {
				c.CloseWrite()
			}
			all, _ := io.ReadAll(c)
			if !strings.HasPrefix(string(all), tc.answer) {
				t.Errorf("answer %q, want %q", all, tc.answer)
			}
			if tc.want != "" {
				if g := <-got; g != tc.want {
					t.Errorf("the server got %q, want %q", g, tc.want)
				}
			}
			r.log.wait(t, tc.log)
		})
	}
}

func TestABufferedRequestLargerThanABufferGoesOn(t *testing.T) {
	done := make(chan int, 1)
	addr := script(t, func(c net.Conn) {
		readHeadOf(c)
		n, _ := io.CopyN(io.Discard, c, 100_000)
		done <- int(n)
		io.WriteString(c, five)
	})
	p := section(addr)
	p.HTTP.BufferRequest = true
	r := serve(t, 1, p)
	if got := r.exchange(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n%s", strings.Repeat("x", 100_000))); !strings.HasSuffix(got, "hello") {
		t.Errorf("got %q", got)
	}
	if n := <-done; n != 100_000 {
		t.Errorf("the server got %d bytes", n)
	}
}

func TestProbesAreIgnored(t *testing.T) {
	p := section(script(t, says(five)))
	quick(p)
	p.HTTP.IgnoreProbes = true
	r := serve(t, 1, p)
	silent, closing := r.dial(), r.dial()
	closing.Close()
	if b, err := io.ReadAll(silent); len(b) > 0 || err != nil {
		t.Errorf("a silent client got %q, %v", b, err)
	}
	if got := r.exchange("GE"); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("one that says something: got %q", got)
	}
	row := r.Snapshot().Proxies[0].Rows[0]
	if row.ErrReq != 1 {
		t.Errorf("request errors: got %d, want the one of the client that said something", row.ErrReq)
	}
}

func TestNoLingerEndsWithAReset(t *testing.T) {
	p := section(script(t, says(five)))
	quick(p)
	p.HTTP.NoLinger = true
	r := serve(t, 1, p)
	v := r.visitor()
	if got := v.ask(t); got != "hello" {
		t.Errorf("got %q", got)
	}
	if _, err := v.in.ReadByte(); err == nil || err == io.EOF {
		t.Errorf("the idle connection ended with %v, want a reset", err)
	}
}
