package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"herald/proxy/settings"
)

// Every row was seen on HAProxy 2.6.12.
func TestCookiesThatCachesMayKeepAreBlocked(t *testing.T) {
	const cookie = "set-cookie: a=b\r\n"
	for _, tc := range []struct {
		method, status, headers string
		blocked                 bool
	}{
		{"GET", "200", cookie, false}, // nothing says how long it may be kept
		{"GET", "200", "etag: x\r\n", false},
		{"GET", "200", cookie + "etag: x\r\n", true},
		{"HEAD", "200", cookie + "etag: x\r\n", true},
		{"GET", "200", "set-cookie2: a=b\r\netag: x\r\n", true},
		{"GET", "200", cookie + "expires: 0\r\n", true},
		{"GET", "200", cookie + "last-modified: 0\r\n", true},
		{"GET", "200", cookie + "cache-control: max-age=10\r\n", true},
		{"GET", "200", cookie + "cache-control: s-maxage=10\r\n", true},
		{"GET", "200", cookie + "cache-control: max-age=0, s-maxage=10\r\n", false},
		{"GET", "200", cookie + "cache-control: max-age=00\r\n", true},
		{"GET", "200", cookie + "etag: x\r\npragma: x, NO-CACHE\r\n", false},
		{"GET", "200", cookie + "etag: x\r\npragma: no-cachex\r\n", true},
		{"GET", "200", cookie + "etag: x\r\ncache-control: PRIVATE\r\n", false},
		{"GET", "200", cookie + "etag: x\r\ncache-control: private=\"y\"\r\n", true},
		{"GET", "200", cookie + "etag: x\r\ncache-control: public, private\r\n", false},
		{"GET", "200", cookie + "etag: x\r\ncache-control: private\r\ncache-control: public\r\n", true},
		{"GET", "200", cookie + "etag: x\r\ncache-control: no-cache=\"set-cookie,x\"\r\n", false},
		{"GET", "200", cookie + "etag: x\r\ncache-control: no-cache=\"x\"\r\n", true},
		{"GET", "302", cookie + "etag: x\r\n", false},
		{"GET", "302", cookie + "etag: x\r\ncache-control: public\r\n", true},
		{"POST", "200", cookie + "etag: x\r\n", false},
		{"POST", "200", cookie + "etag: x\r\ncache-control: public\r\n", true},
		{"GET", "404", cookie + "etag: x\r\n", true},
	} {
		t.Run(tc.method+" "+tc.status+" "+tc.headers, func(t *testing.T) {
			p := section(script(t, says("HTTP/1.1 "+tc.status+" X\r\n"+tc.headers+"content-length: 0\r\n\r\n")))
			p.HTTP.CheckCache = true
			r := serve(t, 1, p)
			want := tc.status
			if tc.blocked {
				want = "502"
			}
			got := r.exchange(tc.method + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
			if !strings.HasPrefix(got, "HTTP/1.1 "+want+" ") {
				t.Errorf("got %q, want %s", got, want)
			}
			if tc.blocked {
				r.log.wait(t, `^Blocking cacheable cookie in response from instance web, server s1\.\s*$`)
				r.log.wait(t, ` 502 [0-9]+ - - PH-- `)
				for _, row := range r.Snapshot().Proxies[0].Rows {
					if row.DeniedResp != 1 {
						t.Errorf("%s has denied %d responses, want 1", row.Name, row.DeniedResp)
					}
				}
			}
		})
	}
}

// tellsName is a server that answers with its name, and to paths with what they
// say besides.
func tellsName(t *testing.T, name string) string {
	return origin(t, func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/ntlm":
			w.Header().Set("WWW-Authenticate", "NTLM")
			w.WriteHeader(401)
		case "/negotiate":
			w.Header().Set("Proxy-Authenticate", "Negotiate abc")
			w.WriteHeader(407)
		case "/basic":
			w.Header().Set("WWW-Authenticate", "Basic realm=x")
			w.WriteHeader(401)
		}
		fmt.Fprint(w, name)
	})
}

// asks sends requests on one connection and answers the bodies.
func (r *rig) asks(paths ...string) (answers string) {
	r.t.Helper()
	c := r.dial()
	defer c.Close()
	in := bufio.NewReader(c)
	for _, path := range paths {
		_, body := fetch(r.t, c, in, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
		answers += body
	}
	return answers
}

// Every row was seen on HAProxy 2.6.12.
func TestAClientGoesOnWhereItHasAConnectionOfItsOwn(t *testing.T) {
	for name, tc := range map[string]struct {
		reuse  settings.Reuse
		prefer bool
		paths  []string
		want   string
	}{
		"balanced":                      {settings.ReuseNever, false, []string{"/", "/", "/"}, "abc"},
		"prefer-last-server":            {settings.ReuseNever, true, []string{"/", "/", "/"}, "aaa"},
		"prefer-last-server and shared": {settings.ReuseSafe, true, []string{"/", "/", "/"}, "abc"},
		"NTLM":                          {settings.ReuseSafe, false, []string{"/", "/ntlm", "/", "/"}, "abbb"},
		"Negotiate of a proxy":          {settings.ReuseAlways, false, []string{"/", "/negotiate", "/", "/"}, "abbb"},
		"Basic":                         {settings.ReuseSafe, false, []string{"/", "/basic", "/", "/"}, "abca"},
	} {
		t.Run(name, func(t *testing.T) {
			p := section(tellsName(t, "a"), tellsName(t, "b"), tellsName(t, "c"))
			p.Reuse, p.PreferLast = tc.reuse, tc.prefer
			if got := serve(t, 1, p).asks(tc.paths...); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestAnAuthenticatedConnectionIsNobodyElses(t *testing.T) {
	conns := make(chan string, 8)
	addr := origin(t, func(w http.ResponseWriter, q *http.Request) {
		conns <- q.RemoteAddr
		w.Header().Set("WWW-Authenticate", "ntlm")
		w.WriteHeader(401)
	})
	p := section(addr)
	p.Reuse = settings.ReuseAlways
	r := serve(t, 1, p)
	one, two := r.dial(), r.dial()
	for _, c := range []net.Conn{one, two, one} {
		fetch(t, c, bufio.NewReader(c), get)
	}
	if a, b, again := <-conns, <-conns, <-conns; a == b || a != again {
		t.Errorf("the server saw %s, %s and %s, want another connection for the second client alone", a, b, again)
	}
}

func TestAClientDoesNotWaitForItsServerBehindMaxKeepAliveQueue(t *testing.T) {
	held, let := make(chan bool), make(chan bool)
	server := func(name string) string {
		return origin(t, func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Path == "/hold" {
				held <- true
				<-let
			}
			fmt.Fprint(w, name)
		})
	}
	p := section(server("a"), server("b"))
	p.Reuse, p.PreferLast, p.KeepAliveQueue = settings.ReuseNever, true, 0+1
	for i := range p.Servers {
		p.Servers[i].MaxConn = 1
	}
	r := serve(t, 1, p)
	c := r.dial()
	in := bufio.NewReader(c)
	if _, body := fetch(t, c, in, get); body != "a" {
		t.Fatalf("the first answer is %s's, want a's", body)
	}
	r.asks("/") // b's turn
	busy := r.dial()
	io.WriteString(busy, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
	<-held
	if _, body := fetch(t, c, in, get); body != "b" {
		t.Errorf("with a taken the answer is %s's, want b's", body)
	}
	close(let)
	fetch(t, busy, bufio.NewReader(busy), "")
}

// trickle sends a byte again and again until the other side ends.
func trickle(c net.Conn) {
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for range every.C {
		if _, err := io.WriteString(c, "x"); err != nil {
			return
		}
	}
}

// Flags and statuses were seen on HAProxy 2.6.12.
func TestIndependentStreamsEndTheSilentSide(t *testing.T) {
	t.Run("server", func(t *testing.T) {
		p := section(script(t, mute))
		p.Mode, p.LogFormat, p.IndependentStreams = settings.TCP, settings.LogTCP, true
		p.Timeouts.Server = 60 * time.Millisecond
		r := serve(t, 1, p)
		c := r.dial()
		done := make(chan bool)
		go func() { defer close(done); trickle(c) }()
		if b, err := io.ReadAll(c); len(b) > 0 || err != nil {
			t.Errorf("the client got %q, %v, want the end", b, err)
		}
		c.Close()
		<-done
		r.log.wait(t, ` 0 sD `)
	})
	t.Run("client", func(t *testing.T) {
		p := section(script(t, trickle))
		p.Mode, p.LogFormat, p.IndependentStreams = settings.TCP, settings.LogTCP, true
		p.Timeouts.Client = 60 * time.Millisecond
		r := serve(t, 1, p)
		c := r.dial()
		if _, err := io.CopyN(io.Discard, c, 40); err != nil {
			t.Errorf("the client got no more: %v", err)
		}
		c.Close()
		r.log.wait(t, ` cD `)
	})
	t.Run("request", func(t *testing.T) {
		p := section(script(t, mute))
		p.IndependentStreams = true
		p.Timeouts.Server = 60 * time.Millisecond
		r := serve(t, 1, p)
		c := r.dial()
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
		done := make(chan bool)
		go func() { defer close(done); trickle(c) }()
		line, err := bufio.NewReader(c).ReadString('\n')
		if !strings.HasPrefix(line, "HTTP/1.1 504 ") {
			t.Errorf("got %q, %v", line, err)
		}
		c.Close()
		<-done
		r.log.wait(t, ` 504 [0-9]+ - - sH-- `)
	})
}

func TestAProxyAsksForThePasswordAsOne(t *testing.T) {
	p := section()
	p.Stats = &settings.Stats{URI: "http://s/", Realm: "R", Users: []settings.StatsUser{{Name: "a", Password: "b"}}}
	p.HTTP.UseProxyHeader = true
	r := serve(t, 1, p)
	ask := func(field string) string {
		return r.exchange("GET http://s/;csv HTTP/1.1\r\nHost: s\r\n" + field + "\r\n")
	}
	if got := ask("authorization: Basic YTpi\r\n"); !strings.HasPrefix(got, "HTTP/1.1 407 ") || !strings.Contains(got, "\r\nproxy-authenticate: Basic realm=\"R\"\r\n") {
		t.Errorf("got %q, want 407", got)
	}
	if got := ask("proxy-authorization: Basic YTpi\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
		t.Errorf("got %q, want the page", got)
	}
}
