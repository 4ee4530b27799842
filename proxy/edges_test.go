package proxy

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"herald/proxy/settings"
)

// refuses is an address that refuses connections; nothing listens on ports 1.
const refuses = "127.0.0.1:1"

// Every row was seen on HAProxy 2.6.12: the end of the log line, and the
// retries and redispatches of the servers in order.
func TestRetriesGoWhereHAProxySendsThem(t *testing.T) {
	good := script(t, says(five))
	for _, tc := range []struct {
		name     string
		interval int // 0: no option redispatch
		servers  []string
		backup   bool // the last server is one
		log      string
		counts   string
	}{
		{"one server stays", 0, []string{refuses, good}, false, ` 503 [0-9]+ - - SC-- [0-9/]+/3 0/0 `, "3+0 0+0"},
		{"round robin leaves at once", -1, []string{refuses, good}, false, ` 200 [0-9]+ - - ---- [0-9/]+/\+1 0/0 `, "0+1 0+0"},
		{"and again", -1, []string{refuses, "127.0.0.2:1", good}, false, ` 200 [0-9]+ - - ---- [0-9/]+/\+2 0/0 `, "0+1 0+1 0+0"},
		{"whatever the interval", 2, []string{refuses, good}, false, ` 200 [0-9]+ - - ---- [0-9/]+/\+1 0/0 `, "0+1 0+0"},
		{"nowhere to go", -1, []string{refuses}, false, ` 503 [0-9]+ - - SC-- [0-9/]+/3 0/0 `, "3+0"},
		{"every second, nowhere to go", 2, []string{refuses}, false, ` 503 [0-9]+ - - SC-- [0-9/]+/3 0/0 `, "3+0"},
		{"the last but one, nowhere to go", -2, []string{refuses}, false, ` 503 [0-9]+ - - SC-- [0-9/]+/3 0/0 `, "3+0"},
		{"a backup is not used beside a server", -1, []string{refuses, good}, true, ` 503 [0-9]+ - - SC-- [0-9/]+/3 0/0 `, "3+0 0+0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := section(tc.servers...)
			p.Connection = settings.Close
			p.Timeouts.Connect = 30 * time.Millisecond
			p.Redispatch, p.RedispatchInterval = tc.interval != 0, tc.interval
			p.Servers[len(p.Servers)-1].Backup = tc.backup
			r := serve(t, 1, p)
			r.exchange(get)
			r.log.wait(t, tc.log)
			var counts []string
			for _, s := range p.Servers {
				row := r.rowOf("web", s.Name)
				counts = append(counts, fmt.Sprintf("%d+%d", row.Retries, row.Redispatches))
			}
			if got := strings.Join(counts, " "); got != tc.counts {
				t.Errorf("retries+redispatches: got %s, want %s", got, tc.counts)
			}
		})
	}
}

func TestAllBackupsServeOnlyWithTheirOption(t *testing.T) {
	for _, all := range []bool{false, true} {
		p := section(refuses, script(t, says(five)), script(t, says(five)))
		p.Connection, p.AllBackups = settings.Close, all
		p.Servers[0].Disabled, p.Servers[1].Backup, p.Servers[2].Backup = true, true, true
		r := serve(t, 1, p)
		for range 4 {
			r.exchange(get)
		}
		want := map[bool]string{false: "4/0", true: "2/2"}[all]
		if got := fmt.Sprintf("%d/%d", r.rowOf("web", "s2").SessTotal, r.rowOf("web", "s3").SessTotal); got != want {
			t.Errorf("allbackups %t: got %s, want %s", all, got, want)
		}
	}
}

func TestOneOfAnIPv6AddressIsOnlySixWhenItSaysSo(t *testing.T) {
	raw, _ := os.ReadFile("/proc/sys/net/ipv6/bindv6only")
	system := strings.TrimSpace(string(raw)) == "1"
	for _, tc := range []struct {
		bind settings.Bind
		want bool
	}{
		{settings.Bind{Network: "tcp", Host: "::", Port: 80}, system},
		{settings.Bind{Network: "tcp", Host: "::", Port: 80, V6Only: true}, true},
		{settings.Bind{Network: "tcp", Host: "::", Port: 80, V4V6: true}, false},
	} {
		if got := describe(&tc.bind, 1).V6Only; got != tc.want {
			t.Errorf("%+v: got %t, want %t", tc.bind, got, tc.want)
		}
	}
}

func TestAnOldClientGetsNoInterimResponse(t *testing.T) {
	p := section(script(t, saysAndCloses("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"+five)))
	r := serve(t, 1, p)
	if got := r.exchange("GET / HTTP/1.0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
		t.Errorf("HTTP/1.0: got %q, want the final response only", got)
	}
	if got := r.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 103 ") {
		t.Errorf("HTTP/1.1: got %q, want the interim response too", got)
	}
}

func TestALongRequestLineIsCutInTheLogAsHAProxyDoes(t *testing.T) {
	r := serve(t, 1, section(script(t, says(five))))
	r.exchange("GET /" + strings.Repeat("x", 3000) + " HTTP/1.0\r\n\r\n")
	line := r.log.wait(t, `"GET /x`)
	request := line[strings.IndexByte(line, '"')+1:]
	if got := strings.IndexByte(request, '"'); got != 1023 {
		t.Errorf("got %d bytes, want 1023", got)
	}
}

func TestAnErrorPageSaysWhatBecomesOfTheConnection(t *testing.T) {
	const page = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 107\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n"
	body := "\r\n<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n"
	unsized := func(p *settings.Proxy) {
		p.ErrorFiles = map[int]settings.ErrorFile{503: {Bytes: []byte("HTTP/1.1 503 No\r\n\r\nnone")}}
	}
	for name, tc := range map[string]struct {
		setup func(*settings.Proxy)
		send  string
		want  string
	}{
		"HTTP/1.1":                  {nil, get, page + body},
		"HTTP/1.1 closing":          {nil, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", page + "connection: close\r\n" + body},
		"HEAD":                      {nil, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", page + "\r\n"},
		"HTTP/1.0":                  {nil, "GET / HTTP/1.0\r\n\r\n", page + "connection: close\r\n" + body},
		"HTTP/1.0 keep-alive":       {nil, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", page + "connection: keep-alive\r\n" + body},
		"whole body":                {nil, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", page + body},
		"body not whole":            {nil, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nhi", page + "connection: close\r\n" + body},
		"option httpclose":          {func(p *settings.Proxy) { p.Connection = settings.Close }, get, page + "connection: close\r\n" + body},
		"option http-server-close":  {func(p *settings.Proxy) { p.Connection = settings.ServerClose }, get, page + body},
		"errorfile without length":  {unsized, get, "HTTP/1.1 503 No\r\nconnection: close\r\n\r\nnone"},
		"two in one segment":        {nil, get + get, page + body + page + body},
		"the rest is not a request": {nil, get + "x", page + body + "HTTP/1.1 400 Bad request\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := section()
			p.Servers = nil
			if tc.setup != nil {
				tc.setup(p)
			}
			if got := serve(t, 1, p).exchange(tc.send); !strings.HasPrefix(got, tc.want) || strings.Count(got, "HTTP/1.1 503") != strings.Count(tc.want, "HTTP/1.1 503") {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestARequestThatNoBackendIsNamedForIsA503(t *testing.T) {
	fe := section()
	fe.Servers, fe.Backend = nil, false
	r := serve(t, 1, fe)
	if got := r.exchange(get); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q", got)
	}
	r.log.wait(t, ` web web/<NOSRV> .* 503 [0-9]+ - - SC-- `)
}

// As HAProxy does where the bytes come before it closes.
func TestWhoGetsNoServerInModeTCPSeesAnEndAndNoReset(t *testing.T) {
	p := section()
	p.Mode = settings.TCP
	c := serve(t, 1, p).dial()
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("got %v, want the end", err)
	}
	for range 3 { // a reset answers the first, the second tells
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatalf("still sending: %v", err)
		}
	}
}

// HAProxy 2.6.12 closes the side whose section has the option.
func TestOptionHttpcloseOfABackendLeavesTheClientItsConnection(t *testing.T) {
	for name, tc := range map[string]struct {
		fe, be settings.Connection
		want   int
	}{
		"of the frontend": {settings.Close, settings.KeepAlive, 1},
		"of the backend":  {settings.KeepAlive, settings.Close, 2},
	} {
		t.Run(name, func(t *testing.T) {
			fe, be := section(), section(script(t, says(five)))
			fe.Servers, fe.Backend, fe.DefaultBackend, fe.Connection = nil, false, "app", tc.fe
			be.Name, be.ID, be.Frontend, be.Connection = "app", 3, false, tc.be
			r := serve(t, 1, fe, be)
			if got := strings.Count(r.exchange(get+get), "hello"); got != tc.want {
				t.Errorf("got %d answers to two requests, want %d", got, tc.want)
			}
			if row := r.rowOf("app", "s1"); row.Connects != uint64(tc.want) || row.Reuses != 0 {
				t.Errorf("the server: got %d connections, %d reused, want %d and 0", row.Connects, row.Reuses, tc.want)
			}
		})
	}
}

func TestConnectBecomesATunnel(t *testing.T) {
	p := section(script(t, func(c net.Conn) {
		readHeadOf(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		io.Copy(c, c)
	}))
	r := serve(t, 1, p)
	c := r.dial()
	io.WriteString(c, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
	if !readHeadOf(c) {
		t.Fatal("no response")
	}
	io.WriteString(c, "there and back")
	c.CloseWrite()
	if got, err := io.ReadAll(c); string(got) != "there and back" {
		t.Errorf("got %q, %v", got, err)
	}
	r.log.wait(t, `200 .* ---- .*"CONNECT a:80 HTTP/1\.1"`)
}

func TestAServerMayBeAUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			saysAndCloses(five)(c)
			c.Close()
		}
	}()
	p := section(refuses)
	p.Connection = settings.Close
	p.Servers[0].Host, p.Servers[0].Port, p.Servers[0].Path = "", 0, path
	p.Servers[0].Check, p.Servers[0].Inter = true, time.Hour
	r := serve(t, 1, p)
	if got := r.exchange(get); !strings.HasSuffix(got, "hello") {
		t.Errorf("got %q", got)
	}
	waitFor(t, func() bool { return r.rowOf("web", "s1").CheckStatus == "L4OK" })
}

func TestTunnelsEndByTheirOwnTimeouts(t *testing.T) {
	upgrade := "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
	halfClose := func(c net.Conn) { c.(*net.TCPConn).CloseWrite(); mute(c) }
	var hold chan struct{} // keeps a connection open beyond the client's end
	holds := func(c net.Conn) { mute(c); <-hold }
	for _, tc := range []struct {
		name   string
		server func(net.Conn)
		mode   settings.Mode
		set    func(*settings.Timeouts)
		client func(*net.TCPConn)
		log    string
	}{
		{"tunnel", func(c net.Conn) {
			readHeadOf(c)
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			mute(c)
		}, settings.HTTP, func(t *settings.Timeouts) { t.Tunnel = 80 * time.Millisecond },
			func(c *net.TCPConn) { io.WriteString(c, upgrade) }, ` cD-- `},
		{"client-fin", halfClose, settings.TCP, func(t *settings.Timeouts) { t.ClientFin = 80 * time.Millisecond },
			func(*net.TCPConn) {}, ` cD `},
		{"server-fin", holds, settings.TCP, func(t *settings.Timeouts) { t.ServerFin = 80 * time.Millisecond },
			func(c *net.TCPConn) { c.CloseWrite() }, ` sD `},
	} {
		t.Run(tc.name, func(t *testing.T) {
			end := make(chan struct{})
			hold = end
			p := section(script(t, tc.server))
			t.Cleanup(func() { close(end) })
			p.Mode, p.Timeouts.Client, p.Timeouts.Server = tc.mode, time.Hour, time.Hour
			if tc.mode == settings.TCP {
				p.LogFormat = settings.LogTCP
			}
			tc.set(&p.Timeouts)
			r := serve(t, 1, p)
			c := r.dial()
			tc.client(c)
			if _, err := io.ReadAll(c); err != nil {
				t.Errorf("the client's end: %v", err)
			}
			r.log.wait(t, tc.log)
		})
	}
}

// The numbers are HAProxy 2.6.12's.
func TestHeaderLinesAreCounted(t *testing.T) {
	for name, tc := range map[string]struct {
		limit, request, response int // tune.http.maxhdr, and how many lines fit
	}{
		"default": {0, 100, 100},
		"fewer":   {10, 9, 9},
		"more":    {300, 299, 299},
	} {
		t.Run(name, func(t *testing.T) {
			lines := func(n int) string { return strings.Repeat("x: y\r\n", n) }
			addr := script(t, func(c net.Conn) {
				b := make([]byte, 1<<16)
				for {
					n, err := c.Read(b)
					if err != nil {
						return
					}
					var want int
					if _, err := fmt.Sscanf(string(b[:n]), "GET /%d ", &want); err == nil {
						io.WriteString(c, "HTTP/1.1 200 OK\r\n"+lines(want-1)+"content-length: 0\r\n\r\n")
					}
				}
			})
			r := serveWith(t, func(cfg *settings.Config) { cfg.Global.MaxHeaders = tc.limit }, section(addr))
			for _, n := range []int{tc.request, tc.request + 1} {
				got := r.exchange("GET /1 HTTP/1.1\r\nhost: a\r\n" + lines(n-1) + "\r\n")
				if fits := strings.HasPrefix(got, "HTTP/1.1 200 "); fits != (n == tc.request) {
					t.Errorf("a request of %d lines: got %.20q", n, got)
				}
			}
			for _, n := range []int{tc.response, tc.response + 1} {
				got := r.exchange(fmt.Sprintf("GET /%d HTTP/1.1\r\nhost: a\r\n\r\n", n))
				if fits := strings.HasPrefix(got, "HTTP/1.1 200 "); fits != (n == tc.response) {
					t.Errorf("a response of %d lines: got %.20q", n, got)
				}
			}
		})
	}
	g := settings.Global{}
	if a, b := g.HeaderLines(true, true), g.HeaderLines(true, false); a != 198 || b != 200 {
		t.Errorf("HTTP/2: %d and %d lines, want 198 and 200", a, b)
	}
}

func TestTheLineInTheLogIsCut(t *testing.T) {
	r := serveWith(t, func(cfg *settings.Config) { cfg.Global.LogURILen = 10 }, section(script(t, says(five))))
	r.exchange("GET /0123456789 HTTP/1.1\r\nHost: a\r\n\r\n")
	r.log.wait(t, `"GET /01234"`)
}

// Every row was seen on HAProxy 2.6.12.
func TestABodyWhereAServerMayLookForNoneIsRefused(t *testing.T) {
	for _, taken := range []bool{false, true} {
		r := serveWith(t, func(cfg *settings.Config) { cfg.Global.BodyWithAnyMethod = taken }, section(script(t, says(five))))
		for line, refused := range map[string]bool{"GET / HTTP/1.0": true, "HEAD / HTTP/1.0": true, "DELETE / HTTP/1.0": true,
			"POST / HTTP/1.0": false, "OPTIONS / HTTP/1.0": false, "FOO / HTTP/1.0": false, "GET / HTTP/1.1": false, "DELETE / HTTP/1.1": false} {
			want := "HTTP/1.1 200 "
			if refused && !taken {
				want = "HTTP/1.1 413 "
			}
			if got := r.exchange(line + "\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi"); !strings.HasPrefix(got, want) {
				t.Errorf("%s, taken %v: got %q, want %q", line, taken, got, want)
			}
			if got := r.exchange(line + "\r\nhost: a\r\ncontent-length: 0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
				t.Errorf("%s without a body: got %q", line, got)
			}
		}
		if !taken {
			r.log.wait(t, `web/<NOSRV> -1/-1/-1/-1/[0-9]+ 413 0 - - PR-- .* "<BADREQ>"`)
		}
	}
}
