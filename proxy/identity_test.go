package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"herald/proxy/expr"
	"herald/proxy/logline"
	"herald/proxy/proxyproto"
	"herald/proxy/rule"
	"herald/proxy/settings"
)

// identified is what unique-id-format makes of text.
func identified(t *testing.T, text string) settings.UniqueID {
	t.Helper()
	id := settings.UniqueID{Format: text, Header: "X-Unique-ID"}
	_, err := logline.CompileWith(text, func(text string) (int, error) {
		n := expr.Bracketed(text)
		f, err := expr.Loader{}.Parse(text[1 : n-1])
		id.Values = append(id.Values, &f)
		return n, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Every row was seen on HAProxy 2.6.12: what the server is told, and the log.
func TestARequestIsToldFromEveryOther(t *testing.T) {
	for name, tc := range map[string]struct{ format, request, server, logged string }{
		"variables and expressions": {"%{+X}o%b_%[req.hdr(x-a)]_%[req.hdr(none)]_%ST_%tsc_%TR_%r_%HM_%lc", "GET /x?y HTTP/1.1\r\nHost: a\r\nX-A: hello\r\n\r\n",
			"web_hello__-1_----_-1_GET /x?y HTTP/1.1_GET_0000", ""},
		"too long":            {"%[req.hdr(x-a)]%[req.hdr(x-a)]", "GET / HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat("0123456789", 9) + "\r\n\r\n", strings.Repeat("0123456789", 12) + "0123456", ""},
		"beside a client's":   {"%f", "GET / HTTP/1.1\r\nHost: a\r\nX-Unique-ID: mine\r\n\r\n", "mine,web", "web"},
		"bad request":         {"%f", "GET bad HTTP/1.1\r\nHost: a\r\n\r\n", "", "-"},
		"asked for by itself": {"%f%[unique-id]", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "web", ""},
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan string, 1)
			p := section(origin(t, func(w http.ResponseWriter, q *http.Request) { told <- strings.Join(q.Header["X-Unique-Id"], ",") }))
			p.UniqueID, p.LogFormat, p.LogFormatText = identified(t, tc.format), settings.LogCustom, "id=%ID."
			r := serve(t, 1, p)
			r.exchange(tc.request)
			if tc.server != "" {
				if got := <-told; got != tc.server {
					t.Errorf("the server was told %q, want %q", got, tc.server)
				}
			}
			want := tc.logged
			if want == "" {
				want = tc.server
			}
			r.log.wait(t, `^id=`+strings.ReplaceAll(want, "?", `\?`)+`\.`)
		})
	}
}

func TestRulesAndThePROXYHeaderKnowTheUniqueID(t *testing.T) {
	told := make(chan string, 1)
	p := section(script(t, func(c net.Conn) {
		b := make([]byte, 4096)
		n, _ := io.ReadAtLeast(c, b, 16)
		for h, size, err := proxyproto.Parse(b[:n]); ; h, size, err = proxyproto.Parse(b[:n]) {
			if err == nil && size > 0 {
				id, _ := proxyproto.Find(h.TLVs, proxyproto.TypeUniqueID)
				told <- string(id)
				break
			}
			more, err := c.Read(b[n:])
			if n += more; err != nil {
				told <- err.Error()
				return
			}
		}
		io.WriteString(c, "bye")
	}))
	p.Mode, p.UniqueID = settings.TCP, identified(t, "%ci-%[src,length]")
	p.Servers[0].SendProxy = settings.ProxyHeader{Version: 2, UniqueID: true}
	r := serve(t, 1, p)
	c := r.dial()
	if b, _ := io.ReadAll(c); string(b) != "bye" {
		t.Errorf("got %q", b)
	}
	if got := <-told; got != "127.0.0.1-9" {
		t.Errorf("the server was told %q, want 127.0.0.1-9", got)
	}

	f := section(banner(t, "default"))
	f.Mode, f.UniqueID = settings.TCP, identified(t, "%f-%[src]")
	f.Rules.Backends = []rule.Choice{{Name: "b", If: when(t, "{ unique-id -m str web-127.0.0.1 }")}}
	r = serve(t, 1, f, backendOf("b", banner(t, "b"), settings.TCP))
	line, _ := bufio.NewReader(r.dial()).ReadString('\n')
	if line != "this is b\n" {
		t.Errorf("a rule that asks for the unique id led to %q, want b", line)
	}
}

func TestBuffersOfSocketsAreAsLargeAsTheFileSays(t *testing.T) {
	p := section(script(t, says(five)))
	r := serveWith(t, func(c *settings.Config) {
		g := &c.Global
		g.ReceiveBufferClient, g.SendBufferClient, g.ReceiveBufferServer, g.SendBufferServer = 10000, 20000, 30000, 40000
	}, p)
	c := r.dial()
	io.WriteString(c, get)
	readHeadOf(c)
	w := r.workers[0]
	got := make(chan string, 1)
	buffers := func(fd int) string {
		in, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		out, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
		return fmt.Sprintf("%d %d ", in/2, out/2)
	}
	waitFor(t, func() bool { return r.backends[0].targets[0].idle.Load() == 1 })
	w.l.Post(func() { got <- buffers(w.open.FD()) + buffers(w.idle[0][0].FD()) })
	if is := <-got; is != "10000 20000 30000 40000 " {
		t.Errorf("got %q, want 10000 20000 of the client and 30000 40000 of the server", is)
	}
}
