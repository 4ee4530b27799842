package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"herald/proxy/settings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines collects log lines.
type lines struct {
	mu   sync.Mutex
	cond *sync.Cond
	all  []string
	runs []int // how many lines came at a time
}

func newLines() *lines {
	l := &lines{}
	l.cond = sync.NewCond(&l.mu)
	return l
}

func (l *lines) Send(p []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(p))
	l.cond.Broadcast()
	return true
}

// SendMany makes the loops of a test gather their lines.
func (l *lines) SendMany(text []byte, ends []int) int {
	l.mu.Lock()
	l.runs = append(l.runs, len(ends))
	l.mu.Unlock()
	begin := 0
	for _, end := range ends {
		l.Send(text[begin:end])
		begin = end
	}
	return 0
}

func (l *lines) Gathers() bool { return true }

// wait returns the first line that matches, among those of the future too.
func (l *lines) wait(t *testing.T, pattern string) string {
	t.Helper()
	if m := l.find("(?s).*(?:"+pattern+").*", 5*time.Second); m != nil {
		return m[0]
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t.Fatalf("no log line like %q among:\n%s", pattern, strings.Join(l.all, "\n"))
	return ""
}

// find returns the parts of the first match, nil when no line matches in time.
func (l *lines) find(pattern string, within time.Duration) []string {
	match := regexp.MustCompile(pattern)
	stop := time.AfterFunc(within, func() { l.cond.Broadcast() })
	defer stop.Stop()
	deadline := time.Now().Add(within)
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for _, s := range l.all {
			if m := match.FindStringSubmatch(s); m != nil {
				return m
			}
		}
		if !time.Now().Before(deadline) {
			return nil
		}
		l.cond.Wait()
	}
}

// rig is an engine on loopback under test.
type rig struct {
	*Server
	t    *testing.T
	log  *lines
	told *lines // the process's own log
	cfg  *settings.Config
	addr string // of the first frontend
}

// listenSockets opens n sockets on one loopback port, as the parent process
// does.
func listenSockets(t *testing.T, n int) (fds []int, addr string) {
	t.Helper()
	port := 0
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		if err := unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		if err := unix.Listen(fd, 1024); err != nil {
			t.Fatal(err)
		}
		sa, _ := unix.Getsockname(fd)
		port = sa.(*unix.SockaddrInet4).Port
		fds = append(fds, fd)
	}
	return fds, fmt.Sprintf("127.0.0.1:%d", port)
}

// section is one listen section in mode http with short timeouts.
func section(servers ...string) *settings.Proxy {
	p := &settings.Proxy{Name: "web", ID: 2, Frontend: true, Backend: true, Mode: settings.HTTP, Balance: "roundrobin", Retries: 3,
		LogFormat: settings.LogHTTP,
		Logs:      []settings.LogTarget{{Network: "fd", Address: "test", Format: "raw", Facility: 16, MaxLevel: 7, MaxLen: 4096}},
		Timeouts:  settings.Timeouts{Connect: 2 * time.Second, Client: 5 * time.Second, Server: 5 * time.Second}}
	for i, s := range servers {
		host, port, _ := net.SplitHostPort(s)
		srv := settings.Server{Name: fmt.Sprintf("s%d", i+1), ID: i + 1, Host: host, Weight: 1, Rise: 2, Fall: 3, Inter: 2 * time.Second}
		fmt.Sscan(port, &srv.Port)
		p.Servers = append(p.Servers, srv)
	}
	return p
}

// serve starts an engine of the sections, with one bind each, and closes it
// with the test.
func serve(t *testing.T, loops int, sections ...*settings.Proxy) *rig {
	t.Helper()
	return follow(t, nil, loops, sections...)
}

// follow is serve as the successor of an engine that left this memory.
func follow(t *testing.T, memory []byte, loops int, sections ...*settings.Proxy) *rig {
	t.Helper()
	return start(t, memory, loops, &settings.Config{Proxies: sections})
}

// serveWith is serve on one loop with more in the configuration.
func serveWith(t *testing.T, more func(*settings.Config), sections ...*settings.Proxy) *rig {
	t.Helper()
	cfg := &settings.Config{Proxies: sections}
	more(cfg)
	return start(t, nil, 1, cfg)
}

func start(t *testing.T, memory []byte, loops int, cfg *settings.Config) *rig {
	t.Helper()
	return startWith(t, memory, loops, cfg, func(*Server) {})
}

// startWith is start with something between New and Serve.
func startWith(t *testing.T, memory []byte, loops int, cfg *settings.Config, prepare func(*Server)) *rig {
	t.Helper()
	r := &rig{t: t, log: newLines(), told: newLines(), cfg: cfg}
	sections := cfg.Proxies
	lent := map[string][]int{}
	for _, p := range sections {
		if !p.Frontend {
			continue
		}
		fds, addr := listenSockets(t, loops)
		host, port, _ := net.SplitHostPort(addr)
		var b settings.Bind
		if len(p.Binds) > 0 { // what a test wants of it
			b = p.Binds[0]
		}
		b.Network, b.Host, b.Name, b.UID, b.GID = "tcp", host, p.Name, -1, -1
		fmt.Sscan(port, &b.Port)
		if len(p.Binds) > 0 {
			b.TLS = p.Binds[0].TLS
		}
		p.Binds = []settings.Bind{b}
		lent[describe(&b, loops).Key()] = fds
		if r.addr == "" {
			r.addr = addr
		}
	}
	var err error
	r.Server, err = New(r.cfg, Options{Loops: loops, Notice: func(line string) { r.told.Send([]byte(line)) }, Pid: 42, Node: "test", OpenLog: func(settings.LogTarget) (Sink, error) { return r.log, nil }})
	if err != nil {
		t.Fatal(err)
	}
	prepare(r.Server)
	if memory != nil {
		if err := r.Recall(memory); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Serve(lent); err != nil {
		t.Fatal(err)
	}
	for _, fds := range lent {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// origin is an HTTP server for a handler.
func origin(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// script is a server that answers every connection as f does.
func script(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				f(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

// dial connects to the engine; reads and writes give up after five seconds.
func (r *rig) dial() *net.TCPConn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(5 * time.Second))
	r.t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// exchange sends text and returns everything until the connection ends.
func (r *rig) exchange(text string) string {
	r.t.Helper()
	c := r.dial()
	io.WriteString(c, text)
	c.CloseWrite()
	b, err := io.ReadAll(c)
	if err != nil {
		r.t.Fatalf("after %q: %v", b, err)
	}
	return string(b)
}

func TestAResponseComesBackWithItsBody(t *testing.T) {
	o := origin(t, func(w http.ResponseWriter, q *http.Request) { fmt.Fprintf(w, "you asked for %s", q.URL) })
	r := serve(t, 1, section(o))
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for i := range 3 {
		resp, err := client.Get("http://" + r.addr + fmt.Sprintf("/%d", i))
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if want := fmt.Sprintf("you asked for /%d", i); string(b) != want {
			t.Errorf("got %q, want %q", b, want)
		}
	}
	snap := r.Snapshot()
	if n := snap.Proxies[0].Rows[0].ConnTotal; n != 1 {
		t.Errorf("client connections: got %d, want 1 kept alive", n)
	}
}

func TestRawStreamsPassBothWaysInModeTCP(t *testing.T) {
	o := script(t, func(c net.Conn) {
		io.Copy(c, c)
		c.(*net.TCPConn).CloseWrite()
	})
	p := section(o)
	p.Mode, p.LogFormat = settings.TCP, settings.LogTCP
	r := serve(t, 1, p)
	c := r.dial()
	big := strings.Repeat("0123456789abcdef", 64<<10)
	go func() {
		io.WriteString(c, big)
		c.CloseWrite()
	}()
	b, err := io.ReadAll(bufio.NewReader(c))
	if err != nil || string(b) != big {
		t.Fatalf("got %d bytes, %v; want %d", len(b), err, len(big))
	}
}
