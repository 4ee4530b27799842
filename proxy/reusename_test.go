package proxy

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"herald/proxy/settings"
)

// byName sends requests to a server that is asked for their host in TLS.
func byName(t *testing.T, server string, reuse settings.Reuse, alpn ...string) *rig {
	p := section(server)
	p.Reuse = reuse
	p.Servers[0].TLS = &settings.ServerTLS{TLS: settings.TLS{On: true, Verify: settings.VerifyNone, ALPN: alpn}, SNI: expression(t, "req.hdr(host)")}
	return serve(t, 1, p)
}

// askFor sends one request for a host and answers the body of the response.
func (v visitor) askFor(t *testing.T, host string) string {
	_, got := fetch(t, v, v.in, "GET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
	return got
}

// Each name that a server is asked for keeps one idle connection, in HAProxy
// 2.6.12 the first one alone.
func TestEveryNameKeepsAConnection(t *testing.T) {
	many := make([]string, mostNames+3)
	for i := range many {
		many[i] = fmt.Sprintf("n%d", i)
	}
	for _, tc := range []struct {
		name  string
		reuse settings.Reuse
		hosts []string
		conns int64
	}{
		{"in turns", settings.ReuseSafe, strings.Fields("a b a b a b"), 2},
		{"one after the other", settings.ReuseAlways, strings.Fields("a a b b a a b b"), 2},
		{"three", settings.ReuseAggressive, strings.Fields("a b c a b c"), 3},
		{"of one client", settings.ReuseNever, strings.Fields("a b c a b c"), 3},
		{"more than are kept", settings.ReuseSafe, append(many, many...), mostNames + 3 + 2},
	} {
		var conns atomic.Int64
		r := byName(t, script(t, func(raw net.Conn) {
			conns.Add(1)
			c := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{ownPair()}})
			for readHeadOf(c) {
				name := c.ConnectionState().ServerName
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(name), name)
			}
		}), tc.reuse)
		v := r.visitor()
		for _, host := range tc.hosts {
			if got := v.askFor(t, host); got != host {
				t.Errorf("%s: a request for %s went where %s was asked for", tc.name, host, got)
			}
		}
		if got := conns.Load(); got != tc.conns {
			t.Errorf("%s: %d connections, want %d", tc.name, got, tc.conns)
		}
	}
}

// No request goes over a connection that another name was asked for on, however
// many clients there are and whoever keeps the connections.
func TestNoRequestGoesToAnotherName(t *testing.T) {
	o := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasPrefix(q.URL.Path, "/mine") {
			w.Header().Set("WWW-Authenticate", "NTLM") // the connection is its client's from now on
			w.WriteHeader(401)
		}
		io.WriteString(w, q.TLS.ServerName)
	}))
	o.EnableHTTP2 = true
	o.StartTLS()
	t.Cleanup(o.Close)
	for _, alpn := range [][]string{nil, {"h2"}, {"h2", "http/1.1"}} {
		for _, reuse := range []settings.Reuse{settings.ReuseSafe, settings.ReuseAlways, settings.ReuseAggressive, settings.ReuseNever} {
			r := byName(t, o.Listener.Addr().String(), reuse, alpn...)
			var clients sync.WaitGroup
			for i := range 6 {
				c := r.dial()
				clients.Go(func() {
					in := bufio.NewReader(c)
					for k := range 30 {
						host, path := fmt.Sprintf("n%d", (i*k+k/3)%5), "/"
						if i == 5 && k%7 == 0 {
							path = "/mine"
						}
						fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)
						resp, err := http.ReadResponse(in, nil)
						if err != nil {
							t.Errorf("%q, reuse %d: %v", alpn, reuse, err)
							return
						}
						if b, _ := io.ReadAll(resp.Body); string(b) != host {
							t.Errorf("%q, reuse %d: a request for %s went where %s was asked for", alpn, reuse, host, b)
						}
					}
				})
			}
			clients.Wait()
			b := r.backends[0].targets[0]
			if n := b.tallies[0].reuses.Load(); n == 0 && (alpn == nil || reuse != settings.ReuseNever) {
				t.Errorf("%q, reuse %d: no connection was used again", alpn, reuse)
			}
		}
	}
}
