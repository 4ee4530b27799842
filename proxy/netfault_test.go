package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"herald/proxy/settings"
)

// TestFaultsOfTheNetwork runs itself again in a network of its own, where
// packets between the proxy and its servers are lost, refused or swallowed by
// the kernel's filter. The other faults of servers need no kernel:
// TestFaultsLeaveNothingBehind has them.
func TestFaultsOfTheNetwork(t *testing.T) {
	if os.Getenv("PROXY_TEST_NETWORK") == "" {
		if os.Geteuid() != 0 {
			t.Skip("needs root for a network namespace")
		}
		for _, tool := range []string{"ip", "nft"} {
			if _, err := exec.LookPath(tool); err != nil {
				t.Skipf("needs %s", tool)
			}
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestFaultsOfTheNetwork$", "-test.v", "-soak="+*soak)
		cmd.Env = append(os.Environ(), "PROXY_TEST_NETWORK=own")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	command(t, "ip", "link", "set", "lo", "up")
	if err := exec.Command("nft", "add table inet t; delete table inet t").Run(); err != nil {
		t.Skipf("the kernel has no nftables: %v", err)
	}
	for _, f := range []struct {
		name  string
		rule  string   // on packets of the server's address
		ends  []string // statuses and flags there may be beside slow
		begun func(*faulty)
	}{
		{name: "half of the packets are lost", rule: "numgen random mod 2 0 drop"},
		{name: "a black hole", rule: "drop", begun: (*faulty).swallowed},
		{name: "no way there", rule: "reject with icmp type host-unreachable", ends: []string{"503 SC"}},
		{name: "refused by a firewall", rule: "meta l4proto tcp reject with tcp reset",
			ends: []string{"503 SC", "502 SH", "200 SD", "-1 SH"}},
	} {
		t.Run(f.name, func(t *testing.T) {
			w := newFaulty(t)
			w.ask(2)
			w.during(f.rule, func() {
				if f.begun != nil {
					f.begun(w)
				}
				w.ask(often(5, 100))
			})
			w.heal()
			w.addsUp(f.ends)
		})
	}
	t.Run("a server's way is cut in the middle of a body", func(t *testing.T) {
		w := newFaulty(t)
		c := w.r.dial()
		c.SetDeadline(time.Now().Add(time.Minute))
		w.asked.Add(1)
		io.WriteString(c, "GET /halves HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		reader := bufio.NewReader(c)
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, resp.Body, halfBody); err != nil {
			t.Fatal(err)
		}
		w.during("drop", func() {
			close(w.goOn)
			if n, err := io.Copy(io.Discard, resp.Body); err == nil || n >= halfBody {
				t.Errorf("%d bytes of the second half, then %v", n, err)
			}
		})
		c.Close()
		w.heal()
		w.addsUp(nil)
	})
	t.Run("a server's way comes and goes under load", func(t *testing.T) {
		w := newFaulty(t, func(p *settings.Proxy) {
			p.Redispatch, p.Retries = true, 3
			for i := range p.Servers {
				s := &p.Servers[i]
				s.Check, s.Inter, s.Fall, s.Rise = true, 20*time.Millisecond, 1, 1
			}
			p.Timeouts.Check = 100 * time.Millisecond
		})
		stop := make(chan struct{})
		var load sync.WaitGroup
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					w.ask(1)
				}
			}
		})
		status := func(want string) {
			w.until(want, func() bool { return strings.HasPrefix(w.r.rowOf("web", "s1").Status, want) })
		}
		status("UP")
		for range often(3, 30) {
			w.during("drop", func() { status("DOWN") })
			status("UP")
		}
		close(stop)
		load.Wait()
		w.heal()
		w.addsUp([]string{"503 SC"})
	})
}

// command runs a program that must succeed.
func command(t *testing.T, argv ...string) {
	t.Helper()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(argv, " "), err, out)
	}
}

// slow are the ends of requests to a server that is late, as all are on a
// machine that others use.
var slow = []string{"200 --", "503 sC", "504 sH", "200 sD", "-1 sH"}

// halfBody is half of a response that comes in two parts.
const halfBody = 50_000

// faultyHost is where the servers are whose packets are meddled with; a second
// one is at an address of its own.
const faultyHost, soundHost = "127.0.0.2", "127.0.0.3"

// faulty is an engine with a server behind a network that has faults.
type faulty struct {
	t     *testing.T
	r     *rig
	asked atomic.Int64
	goOn  chan struct{} // the second half of a body may come
	// before are the descriptors when nothing was there yet.
	before  int
	servers []*http.Server
}

// newFaulty has one server behind the faults; with a change to its section
// there is a sound one beside it.
func newFaulty(t *testing.T, change ...func(*settings.Proxy)) *faulty {
	w := &faulty{t: t, goOn: make(chan struct{}), before: descriptors(t)}
	servers := []string{w.server(faultyHost)}
	if len(change) > 0 {
		servers = append(servers, w.server(soundHost))
	}
	p := section(servers...)
	p.Retries = 0
	p.Timeouts = settings.Timeouts{Connect: 200 * time.Millisecond, Client: time.Minute, Server: 300 * time.Millisecond, Queue: time.Second}
	for _, f := range change {
		f(p)
	}
	w.r = serve(t, 2, p)
	return w
}

// server is an HTTP server at a host of its own.
func (w *faulty) server(host string) string {
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		w.t.Fatal(err)
	}
	body := strings.Repeat("x", halfBody)
	s := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		rw.Header().Set("Content-Length", fmt.Sprint(2*halfBody))
		io.WriteString(rw, body)
		if q.URL.Path == "/halves" {
			rw.(http.Flusher).Flush()
			<-w.goOn
		}
		io.WriteString(rw, body)
	})}
	go s.Serve(l)
	w.servers = append(w.servers, s)
	w.t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// ask has ten clients ask n times each, on a kept connection as long as it
// lasts.
func (w *faulty) ask(n int) {
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			var c *net.TCPConn
			var from *bufio.Reader
			for range n {
				if c == nil {
					if c = w.dial(); c == nil {
						return
					}
					from = bufio.NewReader(c)
				}
				if !w.once(c, from) {
					c.Close()
					c = nil
				}
			}
			if c != nil {
				c.Close()
			}
		})
	}
	all.Wait()
}

func (w *faulty) dial() *net.TCPConn {
	c, err := net.Dial("tcp", w.r.addr)
	if err != nil {
		w.t.Error(err)
		return nil
	}
	c.SetDeadline(time.Now().Add(time.Minute))
	return c.(*net.TCPConn)
}

// once asks and reports whether the connection may be asked again. What it is
// answered is wrong only when a body that claims to be whole is not.
func (w *faulty) once(c net.Conn, from *bufio.Reader) (kept bool) {
	w.asked.Add(1)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		w.t.Error(err)
		return false
	}
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			w.t.Error("no answer for a minute")
		}
		return false
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.t.Error("a body that does not end")
	}
	if resp.StatusCode == 200 && err == nil && n != 2*halfBody {
		w.t.Errorf("a body of %d bytes is not cut off", n)
	}
	return err == nil && !resp.Close
}

// during does something while a rule holds for packets to and from the faulty
// host.
func (w *faulty) during(rule string, do func()) {
	w.t.Helper()
	back := fmt.Sprintf("ip saddr %s %s;", faultyHost, rule)
	if strings.Contains(rule, "reject") {
		back = "" // the refusal itself comes from there
	}
	command(w.t, "nft", fmt.Sprintf("table inet fault { chain in { type filter hook input priority 0; ip daddr %s %s; %s }; }", faultyHost, rule, back))
	defer command(w.t, "nft", "delete table inet fault")
	do()
}

// swallowed looks at who asks a black hole: nobody waits longer than the
// timeouts say, on a connection that stood or on a new one.
func (w *faulty) swallowed() {
	w.ask(2)
	row := w.r.rowOf("web", "BACKEND")
	if row.ErrConn+row.ErrResp < 20 {
		w.t.Errorf("%d failed connections and %d failed responses, want all 20 requests", row.ErrConn, row.ErrResp)
	}
}

// until waits for something that may take the kernel's retransmissions.
func (w *faulty) until(what string, holds func() bool) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			w.t.Fatalf("not true after a minute: %s", what)
		}
	}
}

// heal asks until all is well again: connections that suffered may fail once
// more each.
func (w *faulty) heal() {
	w.t.Helper()
	inRow := 0
	w.until("twenty requests in a row are answered", func() bool {
		c := w.dial()
		if c == nil {
			return false
		}
		defer c.Close()
		if inRow++; !w.once(c, bufio.NewReader(c)) {
			inRow = 0
		}
		return inRow == 20
	})
}

// addsUp wants a line with flags that fit for every request, counted once in
// every place, and nothing left of any.
func (w *faulty) addsUp(more []string) {
	t, r, ends := w.t, w.r, slices.Concat(slow, more)
	t.Helper()
	waitFor(t, func() bool { return r.conns.now.Load() == 0 && r.rowOf("web", "FRONTEND").SessCur == 0 })
	r.nothingIsHeld()
	line := regexp.MustCompile(`\] web web/\S+ \S+ (-?\d+) \d+ - - (..)-- `)
	lines := map[string]int{}
	total := 0
	r.log.mu.Lock()
	for _, s := range r.log.all {
		if m := line.FindStringSubmatch(s); m != nil {
			lines[m[1]+" "+m[2]]++
			total++
		} else if !strings.Contains(s, "erver ") {
			t.Errorf("a line like no other: %q", s)
		}
	}
	r.log.mu.Unlock()
	for end, n := range lines {
		if !slices.Contains(ends, end) {
			t.Errorf("%d lines end in %q, want one of %q", n, end, ends)
		}
	}
	t.Logf("%d requests: %v", total, lines)
	front, back := r.rowOf("web", "FRONTEND"), r.rowOf("web", "BACKEND")
	responses := uint64(0)
	for _, n := range front.Resp {
		responses += n
	}
	want := uint64(w.asked.Load())
	if uint64(total) != want || front.ReqTotal != want || responses != want {
		t.Errorf("%d requests, %d lines, %d counted, %d responses", want, total, front.ReqTotal, responses)
	}
	perServer := uint64(0)
	for _, s := range []string{"s1", "s2"} {
		if slices.ContainsFunc(r.backends[0].targets, func(g *target) bool { return g.cfg.Name == s }) {
			row := r.rowOf("web", s)
			perServer += row.SessTotal
			if row.SessCur != 0 {
				t.Errorf("%s: %d sessions left", s, row.SessCur)
			}
		}
	}
	if back.SessTotal != want || perServer < uint64(lines["200 --"]) {
		t.Errorf("%d requests, %d sessions of the backend, %d of servers", want, back.SessTotal, perServer)
	}
	r.Close()
	for _, s := range w.servers {
		s.Close()
	}
	w.until("every descriptor is closed", func() bool { return descriptors(t) <= w.before })
}
