package proxy

import (
	"io"
	"net"
	"strings"
	"testing"

	"herald/proxy/settings"
)

// Every row was seen on HAProxy 2.6.12.
func TestCapturedHeadersAndCookiesAreLogged(t *testing.T) {
	server := script(t, says("HTTP/1.1 200 OK\r\nServer: abcdefghij\r\nX-Two: 1\r\nX-Two: 2,3\r\nSet-Cookie: SESSID=0123456789; SES=x\r\nContent-Length: 0\r\n\r\n"))
	captures := settings.Captures{Request: []settings.Capture{{Name: "host", Len: 5}, {Name: "x-list", Len: 20}, {Name: "x-none", Len: 20}},
		Response: []settings.Capture{{Name: "server", Len: 6}, {Name: "x-two", Len: 10}}, Cookie: settings.Capture{Name: "SES", Len: 8}}
	whole := captures
	whole.Cookie = settings.Capture{Name: "SES=", Len: 20}
	for name, tc := range map[string]struct {
		captures settings.Captures
		server   string
		send     string
		want     string
	}{
		"last lines, cut":     {captures, server, "x-list: a, b\r\nx-list: c|d{e\r\ncookie: a=b; SESSION=xyzxyz; SES=2\r\n", ` SESSION= SESSID=0 ---- [0-9/]+ 0/0 \{abcde\|c#7Cd#7Be\|\} \{abcdef\|2,3\} "GET `},
		"nothing there":       {captures, server, "", ` - SESSID=0 ---- [0-9/]+ 0/0 \{abcde\|\|\} \{abcdef\|2,3\} "GET `},
		"the whole name":      {whole, server, "cookie: a=b\r\ncookie: SES=abcdefghijklmn\r\n", ` SES=abcdefghijklmn - ---- `},
		"without a response":  {captures, "127.0.0.1:1", "", ` - - SC-- [0-9/]+ 0/0 \{abcde\|\|\} \{\|\} "GET `},
		"nothing is captured": {settings.Captures{}, server, "", ` - - ---- [0-9/]+ 0/0 "GET `},
	} {
		t.Run(name, func(t *testing.T) {
			p := section(tc.server)
			p.Retries, p.Captures = 0, tc.captures
			r := serve(t, 1, p)
			r.exchange("GET / HTTP/1.1\r\nhost: abcdefgh\r\n" + tc.send + "\r\n")
			r.log.wait(t, tc.want)
		})
	}
}

// Every row was seen on HAProxy 2.6.12.
func TestAServerMayBeElsewhereForGET(t *testing.T) {
	p := section(script(t, func(c net.Conn) { readHeadOf(c); io.WriteString(c, five) }))
	p.Servers[0].Redirect = "http://img.example/a"
	r := serve(t, 1, p)
	const to = "HTTP/1.1 302 Found\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: http://img.example/a"
	for request, want := range map[string]string{
		"GET /p?q HTTP/1.1":           to + "/p?q\r\nconnection: close\r\n\r\n",
		"HEAD /p HTTP/1.1":            to + "/p\r\n",
		"GET http://a/abs?x HTTP/1.1": to + "/abs?x\r\n",
		"POST /p HTTP/1.1":            "HTTP/1.1 200 OK\r\n",
		"OPTIONS * HTTP/1.1":          "HTTP/1.1 200 OK\r\n",
	} {
		if got := r.exchange(request + "\r\nHost: a\r\n\r\n"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", request, got, want)
		}
	}
	r.log.wait(t, `web/s1 [0-9]+/0/-1/-1/[0-9]+ 302 [0-9]+ - - LC-- .* "GET /p\?q `)
}
