package proxy

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"herald/proxy/settings"
)

// An ending is one way in which a request or a plain stream ends, by what
// both peers do.
type ending struct {
	name   string
	server func(net.Conn)
	at     string // a server without a script
	tcp    bool
	option string // "abortonclose", "full": the only place on the server is taken
	send   string
	client func(*net.TCPConn)
	want   string // status and the first two termination flags
	theirs string // HAProxy's, where herald differs on purpose (docs/design/engine.md)
}

const switching = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"

const upload = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc"

func endings(hole string) []ending {
	leaves := func(c *net.TCPConn) {}
	breaks := func(c *net.TCPConn) { c.SetLinger(0) }
	waits := func(c *net.TCPConn) { io.Copy(io.Discard, c) }
	halves := func(c *net.TCPConn) { c.CloseWrite(); io.Copy(io.Discard, c) }
	hears := func(then func(*net.TCPConn)) func(*net.TCPConn) {
		return func(c *net.TCPConn) { readHeadOf(c); then(c) }
	}
	says := func(text string, then func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) { readHeadOf(c); io.WriteString(c, text); then(c) }
	}
	ends := func(net.Conn) {}
	stalls := mute
	aborts := func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }
	const early = "HTTP/1.1 100 Continue\r\n\r\n"
	const head, chunked, open = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 200 OK\r\n\r\nhello"
	return []ending{
		{name: "a client that says nothing", server: stalls, client: waits, want: "408 cR"},
		{name: "a client that closes in its head", server: stalls, send: "GET / HT", client: leaves, want: "400 CR"},
		{name: "a client that breaks in its head", server: stalls, send: "GET / HT", client: breaks, want: "400 CR"},
		{name: "a client that stalls in its head", server: stalls, send: "GET / HT", client: waits, want: "408 cR"},
		{name: "a client that speaks nonsense", server: stalls, send: "GET / HT\r\n\r\n", client: waits, want: "400 PR"},

		{name: "a client that waits in the queue", server: stalls, option: "full", send: get, client: waits, want: "503 sQ"},
		{name: "a server that refuses", at: refuses, send: get, client: waits, want: "503 SC"},
		{name: "a server that does not answer", at: hole, send: get, client: waits, want: "503 sC"},
		{name: "a client that closes while it does not answer", at: hole, option: "abortonclose", send: get, client: leaves, want: "-1 CC"},

		{name: "a server that closes", server: says("", ends), send: get, client: waits, want: "502 SH"},
		{name: "a server that breaks", server: says("", aborts), send: get, client: waits, want: "502 SH"},
		{name: "a server that stalls", server: says("", stalls), send: get, client: waits, want: "504 sH"},
		{name: "a server that closes in its head", server: says("HTTP/1.1 200 OK\r\nConte", ends), send: get, client: waits, want: "502 SH"},
		{name: "a server that stalls in its head", server: says("HTTP/1.1 200 OK\r\nConte", stalls), send: get, client: waits, want: "504 sH"},
		{name: "a server that speaks nonsense", server: says("hello\r\n\r\n", stalls), send: get, client: waits, want: "502 PH"},
		{name: "a server that closes behind a 100", server: says(early, ends), send: get, client: waits, want: "502 SH"},
		{name: "a server that stalls behind a 100", server: says(early, stalls), send: get, client: waits, want: "504 sH"},
		{name: "a server whose first chunk is none", server: says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", stalls), send: get, client: waits, want: "502 PH"},
		{name: "a client that closes and is waited for", server: says("", stalls), send: get, client: leaves, want: "504 sH"},
		{name: "a client that closes, abortonclose", server: says(early, stalls), option: "abortonclose", send: get, client: hears(leaves), want: "400 CH"},
		{name: "a client that ends its side, abortonclose", server: says(early, stalls), option: "abortonclose", send: get, client: hears(halves), want: "400 CH"},
		{name: "a client that breaks, abortonclose", server: says(early, stalls), option: "abortonclose", send: get, client: hears(breaks), want: "-1 CD", theirs: "0 CD"},

		{name: "a client that closes in its body", server: says(early, stalls), send: upload, client: hears(leaves), want: "-1 CD", theirs: "0 CD"},
		{name: "a client that breaks in its body", server: says(early, stalls), send: upload, client: hears(breaks), want: "-1 CD", theirs: "0 CD"},
		{name: "a client that stalls in its body", server: stalls, send: upload, client: waits, want: "408 cD", theirs: "504 sH"},
		{name: "a server that closes in the request's body", server: says("", ends), send: upload, client: waits, want: "502 SH", theirs: "-1 SD"},
		{name: "a server that breaks in the request's body", server: says("", aborts), send: upload, client: waits, want: "502 SH", theirs: "-1 SD"},
		{name: "a chunk that is none in the request's body", server: stalls, send: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", client: waits, want: "400 PR"},

		{name: "a server that closes in its body", server: says(head, ends), send: get, client: waits, want: "200 SD"},
		{name: "a server that breaks in its body", server: says(head, aborts), send: get, client: waits, want: "200 SD"},
		{name: "a server that stalls in its body", server: says(head, stalls), send: get, client: waits, want: "200 sD"},
		{name: "a server that closes in its chunks", server: says(chunked, ends), send: get, client: waits, want: "200 SD"},
		{name: "a server that stalls in its chunks", server: says(chunked, stalls), send: get, client: waits, want: "200 sD"},
		{name: "a server that closes and may", server: says(open, ends), send: get, client: waits, want: "200 --"},
		{name: "a server that stalls before its end", server: says(open, stalls), send: get, client: waits, want: "200 sD"},
		{name: "a client that closes its side and waits", server: says(five, stalls), send: get, client: halves, want: "200 --"},
		{name: "a response and its end", server: says(five, ends), send: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", client: waits, want: "200 --"},
		{name: "a HEAD and its end", server: says(head[:len(head)-5], ends), send: "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", client: waits, want: "200 --"},
		{name: "a tunnel that ends", server: says("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", ends), send: switching, client: halves, want: "101 --"},
		{name: "a tunnel where nothing happens", server: says("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", stalls), send: switching, client: waits, want: "101 cD"},
		{name: "a tunnel that the client breaks", server: says("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", stalls), send: switching, client: hears(breaks), want: "101 CD"},
		{name: "a tunnel that the server breaks", server: says("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", func(c net.Conn) { c.Read(make([]byte, 1)); aborts(c) }), send: switching + "x", client: waits, want: "101 SD"},

		{name: "tcp, a server that refuses", tcp: true, at: refuses, send: "x", client: waits, want: " SC"},
		{name: "tcp, a server that does not answer", tcp: true, at: hole, send: "x", client: waits, want: " sC"},
		{name: "tcp, both end", tcp: true, server: func(c net.Conn) { io.Copy(c, c) }, send: "x", client: halves, want: " --"},
		{name: "tcp, nothing happens", tcp: true, server: stalls, send: "x", client: waits, want: " cD"},
		{name: "tcp, a client that breaks", tcp: true, server: says(head, stalls), send: get, client: hears(breaks), want: " CD"},
		{name: "tcp, a server that breaks", tcp: true, server: says("", aborts), send: get, client: waits, want: " SD"},
		{name: "tcp, a server that ends", tcp: true, server: says("x", ends), send: get, client: waits, want: " --"},
		{name: "tcp, a client that ends its side", tcp: true, server: stalls, send: "x", client: halves, want: " --"},
		{name: "tcp, waiting in the queue", tcp: true, server: stalls, option: "full", send: "x", client: waits, want: " sQ"},
	}
}

// blackHole is an address that takes no connection and does not refuse one: a
// socket whose backlog is full.
func blackHole(t *testing.T) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	unix.Listen(fd, 0)
	sa, _ := unix.Getsockname(fd)
	addr := fmt.Sprintf("127.0.0.1:%d", sa.(*unix.SockaddrInet4).Port)
	for range 4 {
		if c, err := net.DialTimeout("tcp", addr, 100*time.Millisecond); err == nil {
			t.Cleanup(func() { c.Close() })
		}
	}
	return addr
}

// play is what the client does, with the server's only place taken first if
// the row wants that.
func (e *ending) play(t *testing.T, addr string) {
	dial := func() *net.TCPConn {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Error(err)
			return nil
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		return c.(*net.TCPConn)
	}
	if e.option == "full" {
		if first := dial(); first != nil {
			defer first.Close()
			io.WriteString(first, e.send)
			e.settle(first)
		}
	}
	if c := dial(); c != nil {
		defer c.Close()
		io.WriteString(c, e.send)
		e.client(c)
	}
}

// settle gives the first connection the time to be accepted: the second is
// accepted after it in any case, and served after it but for the timers of a
// loaded machine.
func (e *ending) settle(first *net.TCPConn) {
	first.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	first.Read(make([]byte, 1))
}

var shortly = settings.Timeouts{Connect: 300 * time.Millisecond, Client: 500 * time.Millisecond, Server: 700 * time.Millisecond, HTTPRequest: 400 * time.Millisecond, Queue: 200 * time.Millisecond}

// Every ending's flags are HAProxy's, unless the row says why not.
func TestEveryEndingHasItsFlags(t *testing.T) {
	hole := blackHole(t)
	for _, e := range endings(hole) {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			at := e.at
			if at == "" {
				at = script(t, e.server)
			}
			p := section(at)
			p.Retries, p.Timeouts.HTTPKeepAlive = 0, 100*time.Millisecond
			// Only the timeouts of the side that is to blame are short.
			switch e.want[strings.LastIndexByte(e.want, ' ')+1] {
			case 'c':
				p.Timeouts.Client, p.Timeouts.HTTPRequest = shortly.Client, shortly.HTTPRequest
			case 's':
				p.Timeouts.Connect, p.Timeouts.Server, p.Timeouts.Queue = shortly.Connect, shortly.Server, shortly.Queue
			}
			if e.option == "full" {
				p.Timeouts.Server = 0
			}
			p.AbortOnClose = e.option == "abortonclose"
			pattern, want := ` (-?[0-9]+) [0-9]+ - - (..)-- `, e.want
			if e.tcp {
				p.Mode, p.LogFormat = settings.TCP, settings.LogTCP
				pattern = `/[0-9-]+() [0-9]+ (..) [0-9]+/`
			}
			if e.option == "full" {
				p.Servers[0].MaxConn = 1
				pattern = strings.Replace(pattern, "(..)", "(sQ)", 1)
			}
			r := serve(t, 1, p)
			e.play(t, r.addr)
			m := regexp.MustCompile(pattern).FindStringSubmatch(r.log.wait(t, pattern))
			if got := m[1] + " " + m[2]; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// freePorts are ports of loopback that nobody had a moment ago.
func freePorts(t *testing.T, n int) (ports []int) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// The flags of the table are those of the HAProxy that is installed, if one
// is. A row that a loaded machine played out of time is played again.
func TestTheFlagsOfEveryEndingAreHAProxys(t *testing.T) {
	path, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("haproxy is not installed")
	}
	rest := endings(blackHole(t))
	for chance := 3; len(rest) > 0; chance-- {
		var again []ending
		got := playHAProxy(t, path, rest)
		for i, e := range rest {
			want := e.want
			if e.theirs != "" {
				want = e.theirs
			}
			switch {
			case got[i] == want:
			case chance > 1:
				again = append(again, e)
			default:
				t.Errorf("%s: HAProxy says %q, the table %q", e.name, got[i], want)
			}
		}
		rest = again
	}
}

// playHAProxy plays endings with HAProxy, all at once, and returns the status
// and flags it logs for each, nothing where it logs none.
func playHAProxy(t *testing.T, path string, list []ending) []string {
	sock, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	servers := make([]string, len(list))
	for i, e := range list {
		if servers[i] = e.at; e.server != nil {
			servers[i] = script(t, e.server)
		}
	}
	ports := freePorts(t, len(list)+1) // the last one tells when HAProxy is there
	var b strings.Builder
	fmt.Fprintf(&b, "global\n log %s local0\ndefaults\n log global\n retries 0\n timeout connect 300\n timeout client 500\n timeout server 700\n timeout http-request 400\n timeout queue 200\n", sock.LocalAddr())
	for i, e := range list {
		at, mode, status, more := servers[i], "http", "%ST", ""
		if e.tcp {
			mode, status = "tcp", ""
		}
		if e.option == "full" {
			at += " maxconn 1"
		} else if e.option != "" {
			more = " option " + e.option + "\n"
		}
		fmt.Fprintf(&b, "listen row%d\n mode %s\n bind 127.0.0.1:%d\n log-format \"row=%%f=%s %%ts\"\n%s server s %s\n", i, mode, ports[i], status, more, at)
	}
	fmt.Fprintf(&b, "listen ready\n mode tcp\n no log\n bind 127.0.0.1:%d\n", ports[len(ports)-1])
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path, "-c", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("haproxy refuses the file: %v\n%s", err, out)
	}
	cmd := exec.Command(path, "-db", "-f", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	heard := newLines()
	var wg sync.WaitGroup
	wg.Go(func() {
		for buf := make([]byte, 65536); ; {
			n, _, err := sock.ReadFrom(buf)
			if err != nil {
				return
			}
			heard.Send(buf[:n])
		}
	})
	defer wg.Wait()
	defer sock.Close()
	defer cmd.Wait()
	defer cmd.Process.Kill()
	waitFor(t, func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[len(list)]))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	var players sync.WaitGroup
	for i, e := range list {
		players.Go(func() { e.play(t, fmt.Sprintf("127.0.0.1:%d", ports[i])) })
	}
	players.Wait()
	got := make([]string, len(list))
	for i, e := range list {
		pattern := fmt.Sprintf("row=row%d=(-?[0-9]*) (..)", i)
		if e.option == "full" {
			pattern = strings.Replace(pattern, "(..)", "(sQ)", 1)
		}
		if m := heard.find(pattern, 5*time.Second); m != nil {
			got[i] = m[1] + " " + m[2]
		}
	}
	return got
}
