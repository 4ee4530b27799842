package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"herald/proxy/admin"
	"herald/proxy/settings"
)

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

// readHeadOf reads up to the empty line of a message.
func readHeadOf(c net.Conn) bool {
	var b []byte
	one := make([]byte, 1)
	for !strings.HasSuffix(string(b), "\r\n\r\n") {
		if _, err := c.Read(one); err != nil {
			return false
		}
		b = append(b, one[0])
	}
	return true
}

// says answers every request head with text and leaves the connection open.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		for readHeadOf(c) {
			io.WriteString(c, text)
		}
	}
}

// saysAndCloses answers one request with text and closes.
func saysAndCloses(text string) func(net.Conn) {
	return func(c net.Conn) {
		readHeadOf(c)
		io.WriteString(c, text)
	}
}

func mute(c net.Conn) { io.Copy(io.Discard, c) }

func resets(c net.Conn) {
	readHeadOf(c)
	c.(*net.TCPConn).SetLinger(0)
}

const five = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

// quick shortens every timeout; the numbers keep HAProxy's order of events.
func quick(p *settings.Proxy) {
	p.Retries = 0
	p.Timeouts = settings.Timeouts{Connect: 100 * time.Millisecond, Client: 150 * time.Millisecond, Server: 200 * time.Millisecond,
		HTTPRequest: 120 * time.Millisecond, Queue: 80 * time.Millisecond}
}

// endsInTime are the log lines of requests that a timeout ends. Only they get
// short ones: on a busy machine a short timeout ends others too.
var endsInTime = regexp.MustCompile(`[cs][CHDRQ](--)? `)

// Every row was seen on HAProxy 2.6.12 with the same configuration and peers.
func TestEveryEndOfARequestIsFlaggedAsHAProxyDoes(t *testing.T) {
	endless := func(c net.Conn) {
		readHeadOf(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
		for block := make([]byte, 1<<20); ; {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}
	post := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc"
	untilEnd := func(c *net.TCPConn) string { b, _ := io.ReadAll(c); return string(b) }
	closes := func(c *net.TCPConn) string { c.Close(); return "" }
	breaks := func(c *net.TCPConn) string { c.SetLinger(0); c.Close(); return "" }
	halfCloses := func(c *net.TCPConn) string { c.CloseWrite(); return untilEnd(c) }
	headThenCloses := func(c *net.TCPConn) string { readHeadOf(c); c.Close(); return "" }
	headThenSilence := func(c *net.TCPConn) string { readHeadOf(c); return "" }
	for _, tc := range []struct {
		name   string
		server func(net.Conn) // nil: refuses
		setup  func(*settings.Proxy)
		send   string
		client func(*net.TCPConn) string
		log    string // in the line
		answer string // begins with
	}{
		{"a normal response", says(five), nil, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", untilEnd, ` 200 [0-9]+ - - ---- `, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"},
		{"an HTTP/1.0 request", says(five), nil, "GET / HTTP/1.0\r\n\r\n", untilEnd, ` 200 [0-9]+ - - ---- `, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"},
		{"option httpclose", says(five), func(p *settings.Proxy) { p.Connection = settings.Close }, get, untilEnd, ` 200 [0-9]+ - - ---- `, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"},
		{"a refusing server", nil, nil, get, untilEnd, `web/s1 0/0/-1/-1/`, "HTTP/1.1 503 "},
		{"a refusing server's flags", nil, nil, get, untilEnd, ` 503 [0-9]+ - - SC-- `, "HTTP/1.1 503 "},
		{"a refusing server, twice", nil, func(p *settings.Proxy) { p.Retries = 1 }, get, untilEnd, `/1 0/0 "GET`, "HTTP/1.1 503 "},
		{"no server", nil, func(p *settings.Proxy) { p.Servers = nil }, get, untilEnd, `web/<NOSRV> [0-9]+/-1/-1/-1/[0-9]+ 503 [0-9]+ - - SC-- `, "HTTP/1.1 503 "},
		{"a disabled server", says(five), func(p *settings.Proxy) { p.Servers[0].Disabled = true }, get, untilEnd, `web/<NOSRV> [0-9]+/-1/-1/-1/[0-9]+ 503 [0-9]+ - - SC-- `, "HTTP/1.1 503 "},
		{"a server that closes", saysAndCloses(""), nil, get, untilEnd, ` 502 [0-9]+ - - SH-- `, "HTTP/1.1 502 "},
		{"a server that resets", resets, nil, get, untilEnd, ` 502 [0-9]+ - - SH-- `, "HTTP/1.1 502 "},
		{"a server that speaks no HTTP", saysAndCloses("HELLO\r\n\r\n"), nil, get, untilEnd, ` 502 [0-9]+ - - PH-- `, "HTTP/1.1 502 "},
		{"a server that says nothing", mute, nil, get, untilEnd, ` 504 [0-9]+ - - sH-- `, "HTTP/1.1 504 "},
		{"a server that closes in the body", saysAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"), nil, get, untilEnd, ` 200 [0-9]+ - - SD-- `, "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello"},
		{"a server that stalls in the body", says("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"), nil, get, untilEnd, ` 200 [0-9]+ - - sD-- `, "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello"},
		{"a malformed request", says(five), nil, "GET / HTTP/1.1\r\nHo st: a\r\n\r\n", untilEnd, `web/<NOSRV> -1/-1/-1/-1/[0-9]+ 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"`, "HTTP/1.1 400 "},
		{"TLS on a plain port", says(five), nil, "\x16\x03\x01\r\n\r\n", untilEnd, ` 400 0 - - PR-- `, "HTTP/1.1 400 "},
		{"a head without end", says(five), nil, "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 17000), untilEnd, ` 400 0 - - PR-- `, "HTTP/1.1 400 "},
		{"a malformed chunk", mute, nil, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", untilEnd, ` 400 0 - - PR-- `, "HTTP/1.1 400 "},
		{"a client that closes in its head", says(five), nil, "GET / HT", closes, `web/<NOSRV> -1/-1/-1/-1/`, ""},
		{"a client that resets in its head", says(five), nil, "GET / HT", breaks, ` 400 0 - - CR-- `, ""},
		{"a client that ends its side in its head", says(five), nil, "GET / HT", halfCloses, ` 400 0 - - CR-- `, "HTTP/1.1 400 "},
		{"a client that is slow with its head", says(five), nil, "GET / HT", untilEnd, ` 408 0 - - cR-- `, "HTTP/1.1 408 "},
		{"a client that says nothing", says(five), nil, "", untilEnd, ` 408 0 - - cR-- `, "HTTP/1.1 408 "},
		{"a client that closes at once", says(five), nil, "", closes, ` 400 0 - - CR-- `, ""},
		{"a client that ends its side and waits", says(five), nil, get, halfCloses, ` 200 [0-9]+ - - ---- `, "HTTP/1.1 200 "},
		{"a client that closes in its body", mute, nil, post, closes, ` -1 0 - - CD-- `, ""},
		{"a client that leaves in the response", endless, nil, get, headThenCloses, ` - - CD-- `, ""},
		{"a client that stops reading", endless, nil, get, headThenSilence, ` - - cD-- `, ""},
		{"a client that leaves, abortonclose", mute, func(p *settings.Proxy) { p.AbortOnClose = true }, get, closes, ` (-1 0 - - CC|400 [0-9]+ - - CH)-- `, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			addr := "127.0.0.1:1"
			if tc.server != nil {
				addr = script(t, tc.server)
			}
			p := section(addr)
			p.Retries, p.Timeouts.HTTPKeepAlive = 0, 100*time.Millisecond
			if endsInTime.MatchString(tc.log) {
				quick(p)
			}
			if tc.setup != nil {
				tc.setup(p)
			}
			r := serve(t, 1, p)
			c := r.dial()
			io.WriteString(c, tc.send)
			if got := tc.client(c); !strings.HasPrefix(got, tc.answer) {
				t.Errorf("answer: got %q, want %q", got, tc.answer)
			}
			r.log.wait(t, tc.log)
		})
	}
}

func TestEveryEndOfAPlainStreamIsFlaggedAsHAProxyDoes(t *testing.T) {
	echoes := func(c net.Conn) { io.Copy(c, c) }
	reads := func(c *net.TCPConn) { io.ReadAll(c) }
	for _, tc := range []struct {
		name   string
		server func(net.Conn)
		send   string
		client func(*net.TCPConn)
		log    string
	}{
		{"both end", echoes, "hi", func(c *net.TCPConn) { c.CloseWrite(); io.ReadAll(c) }, ` 2 -- 1/1/0/0/0 0/0`},
		{"the server ends, the client does not", saysAndCloses("bye"), get, reads, ` 3 cD `},
		{"a refusing server", nil, "hi", reads, ` 0 SC `},
		{"an idle stream", echoes, "hi", reads, ` 2 cD `},
		{"a client that resets", mute, "hi", func(c *net.TCPConn) { c.SetLinger(0); c.Close() }, ` 0 CD `},
		{"a server that resets", resets, get, reads, ` 0 SD `},
		{"a server that waits on", mute, "hi", func(c *net.TCPConn) { io.ReadAll(c) }, ` 0 cD `},
		{"nothing said", echoes, "", func(c *net.TCPConn) { c.Close() }, ` 0 -- `},
	} {
		t.Run(tc.name, func(t *testing.T) {
			addr := "127.0.0.1:1"
			if tc.server != nil {
				addr = script(t, tc.server)
			}
			p := section(addr)
			if p.Retries = 0; endsInTime.MatchString(tc.log) {
				quick(p)
			}
			p.Mode, p.LogFormat = settings.TCP, settings.LogTCP
			r := serve(t, 1, p)
			c := r.dial()
			io.WriteString(c, tc.send)
			tc.client(c)
			r.log.wait(t, tc.log)
		})
	}
}

func TestTheQueueServesInTurnAndEndsWithItsTimeout(t *testing.T) {
	release := make(chan struct{})
	o := script(t, func(c net.Conn) {
		for readHeadOf(c) {
			select {
			case <-release:
			case <-t.Context().Done():
			}
			io.WriteString(c, five)
		}
	})
	p := section(o)
	p.Servers[0].MaxConn = 1
	p.Timeouts.Queue = 100 * time.Millisecond
	r := serve(t, 2, p)
	first := r.dial()
	io.WriteString(first, get)
	waitFor(t, func() bool { return r.backends[0].targets[0].sessions.now.Load() == 1 })
	if got := r.exchange(get); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("behind a full server: got %q, want 503", got)
	}
	r.log.wait(t, `web/<NOSRV> 0/`)
	r.log.wait(t, ` 503 [0-9]+ - - sQ-- `)
	third := r.dial()
	io.WriteString(third, get)
	waitFor(t, func() bool { return r.backends[0].line.n.now.Load() == 1 })
	close(release)
	for _, c := range []net.Conn{first, third} {
		if !readHeadOf(c) {
			t.Error("a request in the queue got no response")
		}
	}
}

// waitFor waits for a condition that other goroutines bring about.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(5 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("waited in vain")
		}
	}
}

func TestAReusedConnectionThatDiedIsReplacedUnseen(t *testing.T) {
	served := make(chan struct{}, 8)
	o := script(t, func(c net.Conn) { // one response on each connection, and it does not say so
		readHeadOf(c)
		io.WriteString(c, five)
		served <- struct{}{}
		readHeadOf(c) // the next request kills it
		c.(*net.TCPConn).SetLinger(0)
	})
	r := serve(t, 1, section(o))
	c := r.dial()
	in := bufio.NewReader(c)
	for range 3 {
		io.WriteString(c, get)
		b := make([]byte, len("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"))
		if _, err := io.ReadFull(in, b); err != nil || !strings.HasSuffix(string(b), "hello") {
			t.Fatalf("got %q, %v", b, err)
		}
		<-served
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	o := script(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(line, "GET ") {
				path := strings.Fields(line)[1]
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(path), path)
			}
		}
	})
	r := serve(t, 1, section(o))
	var send, want strings.Builder
	for i := range 200 {
		last := ""
		if i == 199 {
			last = "Connection: close\r\n"
		}
		fmt.Fprintf(&send, "GET /%03d HTTP/1.1\r\nHost: a\r\n%s\r\n", i, last)
		fmt.Fprintf(&want, "/%03d", i)
	}
	got := r.exchange(send.String())
	var bodies strings.Builder
	for _, part := range strings.Split(got, "\r\n\r\n")[1:] {
		bodies.WriteString(part[:4])
	}
	if bodies.String() != want.String() {
		t.Errorf("got %.60q..., want %.60q...", bodies.String(), want.String())
	}
}

func TestBodiesOfEveryFramingPassUnchanged(t *testing.T) {
	long := strings.Repeat("0123456789", 50000)
	for name, response := range map[string]string{
		"length":      fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(long), long),
		"chunked":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
		"until close": "HTTP/1.1 200 OK\r\n\r\n" + long,
		"interim":     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	} {
		for _, split := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, split %v", name, split), func(t *testing.T) {
				o := script(t, func(c net.Conn) {
					readHeadOf(c)
					if !split || len(response) > 1000 {
						io.WriteString(c, response)
						return
					}
					for i := range response {
						io.WriteString(c, response[i:i+1])
						runtime.Gosched()
					}
				})
				r := serve(t, 1, section(o))
				got := r.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
				_, want, _ := strings.Cut(response, "\r\n\r\n")
				if name == "interim" {
					want = "hello"
				}
				if !strings.HasSuffix(got, "\r\n\r\n"+want) {
					t.Errorf("body: got %d bytes ending %.40q, want %d ending %.40q", len(got), got[max(len(got)-40, 0):], len(want), want[max(len(want)-40, 0):])
				}
			})
		}
	}
}

func TestAChunkedBodyReachesAnOldClientWithoutChunks(t *testing.T) {
	o := script(t, says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"))
	r := serve(t, 1, section(o))
	got := r.exchange("GET / HTTP/1.0\r\n\r\n")
	if !strings.HasSuffix(got, "\r\n\r\nhello world") || strings.Contains(got, "chunked") {
		t.Errorf("got %q", got)
	}
}

func TestARequestBodyArrivesWhole(t *testing.T) {
	want := strings.Repeat("abcdefgh", 100_000)
	got := make(chan int, 1)
	o := script(t, func(c net.Conn) {
		readHeadOf(c)
		n, _ := io.CopyN(io.Discard, c, int64(len(want)))
		got <- int(n)
		io.WriteString(c, five)
	})
	r := serve(t, 1, section(o))
	c := r.dial()
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(want))
	go io.WriteString(c, want)
	if n := <-got; n != len(want) {
		t.Errorf("server got %d bytes, want %d", n, len(want))
	}
	if !readHeadOf(c) {
		t.Error("no response")
	}
}

// HAProxy 2.6.12 takes as much in a buffer of 16 KB with 1 KB reserved, whether
// a head comes in one piece or in many.
func TestAHeadIsNoLongerThanABufferHasRoom(t *testing.T) {
	room := "X: " + strings.Repeat("v", 15000) + "\r\n"
	full := "X: " + strings.Repeat("v", 16000) + "\r\n"
	for _, tc := range []struct{ name, request, response, log string }{
		{"room", room, room, ` 200 [0-9]+ - - ---- `},
		{"a long request", full, "", `web/<NOSRV> -1/-1/-1/-1/[0-9]+ 400 [0-9]+ - - PR-- `},
		{"a long response", "", full, ` 502 [0-9]+ - - PH-- `},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := &settings.Config{Proxies: []*settings.Proxy{section(script(t, says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"+tc.response+"\r\n")))}}
			cfg.Global.MaxRewrite = 1024
			r := start(t, nil, 1, cfg)
			r.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + tc.request + "\r\n")
			r.log.wait(t, tc.log)
		})
	}
}

func TestSilenceOfBothSidesIsTheClients(t *testing.T) {
	p := section(script(t, mute))
	p.Mode, p.LogFormat = settings.TCP, settings.LogTCP
	p.Timeouts.Client, p.Timeouts.Server = 50*time.Millisecond, 50*time.Millisecond
	r := serve(t, 1, p)
	for range 5 {
		io.ReadAll(r.dial())
		r.log.wait(t, ` 0 cD `)
	}
	if row := r.rowOf("web", "s1"); row.ClientAborts != 5 || row.ServerAborts != 0 {
		t.Errorf("got %d ended by the client, %d by the server, want 5 and 0", row.ClientAborts, row.ServerAborts)
	}
}

func TestAServerThatBreaksOffIsAnErrorOfItsResponse(t *testing.T) {
	const half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
	for name, tc := range map[string]struct {
		server func(net.Conn)
		errors uint64
	}{
		"ends":   {saysAndCloses(half), 1},
		"stalls": {says(half), 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := section(script(t, tc.server))
			p.Timeouts.Server = 50 * time.Millisecond
			r := serve(t, 1, p)
			r.exchange(get)
			r.log.wait(t, ` 200 [0-9]+ - - [sS]D-- `)
			if row := r.rowOf("web", "s1"); row.ServerAborts != 1 || row.ErrResp != tc.errors {
				t.Errorf("got %d aborts, %d errors, want 1 and %d", row.ServerAborts, row.ErrResp, tc.errors)
			}
		})
	}
}

func TestAHeadInManyPiecesArrivesWhole(t *testing.T) {
	got := make(chan int, 1)
	o := script(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		n := 0
		for {
			line, err := in.ReadString('\n')
			if n += len(line); err != nil || line == "\r\n" {
				got <- n
				io.WriteString(c, five)
				return
			}
		}
	})
	r := serve(t, 1, section(o))
	head := "GET / HTTP/1.1\r\nhost: a\r\n"
	for i := range 60 {
		head += fmt.Sprintf("x-%02d: %s\r\n", i, strings.Repeat("v", 200))
	}
	head += "\r\n"
	c := r.dial()
	for rest := head; rest != ""; {
		n := min(777, len(rest))
		io.WriteString(c, rest[:n])
		rest = rest[n:]
		runtime.Gosched()
	}
	if n := <-got; n != len(head) {
		t.Errorf("the server got a head of %d bytes, want %d", n, len(head))
	}
	if !readHeadOf(c) {
		t.Error("no response")
	}
}

func TestAnUpgradeBecomesATunnel(t *testing.T) {
	o := script(t, func(c net.Conn) {
		readHeadOf(c)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		io.Copy(c, c)
	})
	r := serve(t, 1, section(o))
	c := r.dial()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly")
	if !readHeadOf(c) {
		t.Fatal("no response head")
	}
	io.WriteString(c, " late")
	c.CloseWrite()
	b, err := io.ReadAll(c)
	if err != nil || string(b) != "early late" {
		t.Errorf("got %q, %v; want the bytes back", b, err)
	}
	r.log.wait(t, " 101 ")
}

func TestAHeadRequestGetsNoBody(t *testing.T) {
	o := script(t, says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"))
	r := serve(t, 1, section(o))
	got := r.exchange("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if want := "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheClientIsNamedToTheServer(t *testing.T) {
	for name, tc := range map[string]struct {
		f    settings.ForwardFor
		want string
	}{
		"always":      {settings.ForwardFor{Header: "X-Forwarded-For"}, "x-forwarded-for: 9.9.9.9\r\nx-forwarded-for: 127.0.0.1\r\n"},
		"other name":  {settings.ForwardFor{Header: "X-Client"}, "x-forwarded-for: 9.9.9.9\r\nx-client: 127.0.0.1\r\n"},
		"if none":     {settings.ForwardFor{Header: "X-Forwarded-For", IfNone: true}, "x-forwarded-for: 9.9.9.9\r\n\r\n"},
		"but for own": {settings.ForwardFor{Header: "X-Forwarded-For", Except: "127.0.0.0/8"}, "x-forwarded-for: 9.9.9.9\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 1)
			o := script(t, func(c net.Conn) {
				b := make([]byte, 4096)
				n, _ := c.Read(b)
				got <- string(b[:n])
			})
			p := section(o)
			p.ForwardFor = &tc.f
			r := serve(t, 1, p)
			r.exchange("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n")
			if g := <-got; !strings.Contains(g, tc.want) {
				t.Errorf("got %q, want %q in it", g, tc.want)
			}
		})
	}
}

// As HAProxy 2.6.12 does where the two sides do not say the same.
func TestBothSidesSayWhetherTheClientIsNamed(t *testing.T) {
	own, none := "127.0.0.0/8", ""
	for name, tc := range map[string]struct {
		fe, be *settings.ForwardFor
		want   string
	}{
		"an exception of the frontend":  {&settings.ForwardFor{Except: own}, &settings.ForwardFor{Header: "x-b"}, none},
		"an exception of the backend":   {&settings.ForwardFor{}, &settings.ForwardFor{Header: "x-b", Except: own}, none},
		"always in the frontend":        {&settings.ForwardFor{}, &settings.ForwardFor{IfNone: true}, "x-forwarded-for: 127.0.0.1\r\n"},
		"always in the backend":         {&settings.ForwardFor{IfNone: true}, &settings.ForwardFor{}, "x-forwarded-for: 127.0.0.1\r\n"},
		"if none in both":               {&settings.ForwardFor{IfNone: true}, &settings.ForwardFor{IfNone: true}, none},
		"if none, and another header":   {&settings.ForwardFor{IfNone: true}, &settings.ForwardFor{IfNone: true, Header: "x-b"}, "x-b: 127.0.0.1\r\n"},
		"if none in the frontend alone": {&settings.ForwardFor{IfNone: true}, nil, none},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 1)
			o := script(t, func(c net.Conn) {
				b := make([]byte, 4096)
				n, _ := c.Read(b)
				got <- string(b[:n])
			})
			fe, be := section(), section(o)
			fe.Servers, fe.Backend, fe.DefaultBackend, fe.ForwardFor = nil, false, "app", tc.fe
			be.Name, be.ID, be.Frontend, be.ForwardFor = "app", 3, false, tc.be
			serve(t, 1, fe, be).exchange("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n")
			if g, want := <-got, "GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 9.9.9.9\r\n"+tc.want+"\r\n"; g != want {
				t.Errorf("got %q, want %q", g, want)
			}
		})
	}
}

func TestABackupServesOnlyWhenTheOthersAreDown(t *testing.T) {
	a, b := script(t, says(five)), script(t, says("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nbackup"))
	p := section(a, b)
	p.Servers[1].Backup = true
	r := serve(t, 1, p)
	one := "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	if got := r.exchange(one); !strings.HasSuffix(got, "hello") {
		t.Errorf("got %q", got)
	}
	if err := r.SetServerState("web", "s1", admin.StateMaint); err != nil {
		t.Fatal(err)
	}
	if got := r.exchange(one); !strings.HasSuffix(got, "backup") {
		t.Errorf("with the active server in maintenance: got %q", got)
	}
}

func TestAMarkedDownServerLosesItsSessions(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	asked := make(chan struct{}, 1)
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				if readHeadOf(c) {
					asked <- struct{}{}
					mute(c)
				}
			})
		}
	})
	defer wg.Wait()
	p := section(l.Addr().String())
	p.Servers[0].Check, p.Servers[0].ShutdownSessionsOnDown = true, true
	p.Servers[0].Inter, p.Servers[0].Fall = 20*time.Millisecond, 1
	r := serve(t, 1, p)
	c := r.dial()
	io.WriteString(c, get)
	<-asked
	l.Close()
	b, _ := io.ReadAll(c)
	if !strings.HasPrefix(string(b), "HTTP/1.1 502 ") {
		t.Errorf("got %q, want 502", b)
	}
	r.log.wait(t, " 502 [0-9]+ - - DH-- ")
	r.log.wait(t, "Server web/s1 is DOWN, reason: Layer4 connection problem, info: \"Connection refused\"")
	r.log.wait(t, "proxy web has no server available!")
}

func TestADrainLetsTheResponseEndAndSaysClose(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	o := script(t, func(c net.Conn) {
		for readHeadOf(c) {
			arrived <- struct{}{}
			<-release
			io.WriteString(c, five)
		}
	})
	p := section(o)
	p.Timeouts.HTTPKeepAlive = 50 * time.Millisecond
	r := serve(t, 2, p)
	idle, busy := r.dial(), r.dial()
	io.WriteString(busy, get)
	<-arrived
	drained := make(chan error, 1)
	go func() { drained <- r.Drain(t.Context()) }()
	if b, err := io.ReadAll(idle); err != nil || len(b) != 0 {
		t.Errorf("idle connection: got %q, %v; want its end", b, err)
	}
	if ok, why := r.Serving(); ok || why != "draining" {
		t.Errorf("serving: got %v, %q", ok, why)
	}
	close(release)
	b, err := io.ReadAll(busy)
	if err != nil || !strings.Contains(string(b), "connection: close\r\n") || !strings.HasSuffix(string(b), "hello") {
		t.Errorf("busy connection: got %q, %v", b, err)
	}
	if err := <-drained; err != nil {
		t.Errorf("drain: %v", err)
	}
	if c, err := net.Dial("tcp", r.addr); err == nil {
		c.Close()
		t.Error("a drained engine still accepts")
	}
}

// A client cannot know of a drain: its next request may be on its way.
// A loop that has not heard of the drain yet may still accept a client, whose
// connection would end with the engine's.
func TestADrainWaitsForEveryLoopToStopAccepting(t *testing.T) {
	r := serve(t, 2, section("127.0.0.1:1"))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r.workers[1].l.Post(func() { <-ctx.Done() }) // a loop that is busy
	r.Drain(ctx)
	if ctx.Err() == nil {
		t.Error("the drain was over while a loop had not closed its ports")
	}
}

func TestAnIdleClientOfADrainingEngineHasItsNextRequestServed(t *testing.T) {
	o := script(t, func(c net.Conn) {
		for readHeadOf(c) {
			io.WriteString(c, five)
		}
	})
	r := serve(t, 2, section(o))
	c := r.dial()
	in := bufio.NewReader(c)
	io.WriteString(c, get)
	first, err := http.ReadResponse(in, nil)
	if err != nil || first.Close {
		t.Fatalf("before the drain: %v, close %v", err, first.Close)
	}
	io.Copy(io.Discard, first.Body)
	drained := make(chan error, 1)
	go func() { drained <- r.Drain(t.Context()) }()
	for ok := true; ok; ok, _ = r.Serving() {
		runtime.Gosched()
	}
	io.WriteString(c, get)
	second, err := http.ReadResponse(in, nil)
	if err != nil || second.StatusCode != http.StatusOK || !second.Close {
		t.Fatalf("during the drain: got %+v, %v, want 200 that says close", second, err)
	}
	io.Copy(io.Discard, second.Body)
	c.Close()
	if err := <-drained; err != nil {
		t.Errorf("drain: %v", err)
	}
}

func TestARequestLeavesNoGarbage(t *testing.T) {
	o := script(t, func(c net.Conn) {
		b, answer := make([]byte, 4096), []byte(five)
		for {
			if _, err := c.Read(b); err != nil {
				return
			}
			c.Write(answer)
		}
	})
	p := section(o)
	p.ForwardFor = &settings.ForwardFor{Header: "X-Forwarded-For"}
	p.Logs = nil
	r := serve(t, 1, p)
	c := r.dial()
	b, request := make([]byte, 4096), []byte(get)
	one := func() {
		c.Write(request)
		if _, err := c.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		one()
	}
	// testing.AllocsPerRun would leave the loop and the test one processor for
	// both.
	const rounds = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		one()
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n >= rounds {
		t.Errorf("%d allocations for %d requests, want none", n, rounds)
	}
}

func TestABlockOfClientsFillsOneOfTheAllocator(t *testing.T) {
	if n := unsafe.Sizeof(client{}); n > 256 {
		t.Errorf("a client takes %d bytes, want 256: 64 of them would be rounded up by an eighth", n)
	}
}
