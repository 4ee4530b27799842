package proxy

import (
	"flag"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"herald/proxy/admin"
	"herald/proxy/settings"
	"herald/proxy/syslog"
)

// soak is how long the tests of faults go on: short for every day, large for
// minutes and 100,000 connections (`make soak`).
var soak = flag.String("soak", "short", "short or large: how much the tests of faults do")

// often answers short, or large when that is asked for.
func often(short, large int) int {
	if *soak == "large" {
		return large
	}
	return short
}

const quarter = 256 << 10 // bytes of a long response

// faultyServers are the backends of the soak by name. All but "refuses" and
// "hole" accept connections.
func faultyServers(t *testing.T) map[string][]string {
	long := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", quarter) + strings.Repeat("x", quarter)
	good := says(long)
	dies := saysAndCloses(long[:quarter/2])
	slow := func(c net.Conn) {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for readHeadOf(c) {
			for rest := long; rest != ""; <-tick.C {
				n := min(len(rest), quarter/8)
				if _, err := io.WriteString(c, rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
		}
	}
	return map[string][]string{
		"flaps":   {script(t, good), script(t, good)},
		"dies":    {script(t, dies)},
		"resets":  {script(t, resets)},
		"refuses": {refuses},
		"hole":    {blackHole(t)},
		"mute":    {script(t, mute)},
		"slow":    {script(t, slow)},
	}
}

// unrulyClients are what clients do on a connection, by the path they ask
// for. Each asks once at most.
var unrulyClients = map[string]func(c *net.TCPConn){
	"whole": func(c *net.TCPConn) {
		io.WriteString(c, askFor("whole"))
		io.Copy(io.Discard, c)
	},
	"nothing": func(c *net.TCPConn) {},
	"head": func(c *net.TCPConn) {
		io.WriteString(c, askFor("head")[:9])
	},
	"body": func(c *net.TCPConn) {
		io.WriteString(c, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
		c.SetLinger(0)
	},
	"waiting": func(c *net.TCPConn) {
		io.WriteString(c, askFor("waiting"))
	},
	"breaking": func(c *net.TCPConn) {
		io.WriteString(c, askFor("breaking"))
		c.SetLinger(0)
	},
	"response": func(c *net.TCPConn) {
		io.WriteString(c, askFor("response"))
		if readHeadOf(c) {
			c.SetLinger(0)
		}
	},
	"reads": func(c *net.TCPConn) { // slowly
		c.SetReadBuffer(32 << 10)
		io.WriteString(c, askFor("reads"))
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for _, err := io.CopyN(io.Discard, c, quarter/32); err == nil; _, err = io.CopyN(io.Discard, c, quarter/32) {
			<-tick.C
		}
	},
	"writes": func(c *net.TCPConn) { // slowly
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for _, b := range []byte(askFor("writes")) {
			c.Write([]byte{b})
			<-tick.C
		}
		io.Copy(io.Discard, c)
	},
}

func askFor(path string) string {
	return "GET /" + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
}

// endsOf are the statuses and flags that a line may have.
func endsOf(server, path string) []string {
	fault := map[string]string{"flaps": "200 --", "slow": "200 --", "dies": "200 SD", "resets": "502 SH", "refuses": "503 SC",
		"hole": "503 sC", "mute": "504 sH"}[server]
	switch path {
	case "<BADREQ>": // the client's fault, whatever the server is
		return []string{"400 CR", "408 cR"}
	case "whole", "reads", "writes": // the server's alone
		return []string{fault}
	}
	ends := []string{fault}
	if strings.HasPrefix(fault, "200") { // who leaves may be noticed before the end of the response, or not
		ends = append(ends, "200 CD")
	}
	if path == "body" {
		ends = append(ends, "-1 CD")
		if server == "dies" { // closing with the body unread is a reset, which may overtake the response
			ends = append(ends, "502 SH")
		}
	}
	return ends
}

// TestFaultsLeaveNothingBehind has every unruly client at every faulty server,
// all at once, and adds up afterwards.
func TestFaultsLeaveNothingBehind(t *testing.T) {
	var sections []*settings.Proxy
	for name, servers := range faultyServers(t) {
		p := section(servers...)
		p.Name, p.Retries = name, 0
		p.Timeouts = settings.Timeouts{Connect: time.Second, Client: 5 * time.Second, Server: time.Second, HTTPRequest: 5 * time.Second,
			Queue: time.Second}
		sections = append(sections, p)
	}
	before := descriptors(t)
	r := serve(t, 2, sections...)
	stop, want := time.Now().Add(time.Duration(often(3, 30))*time.Second), int64(often(0, 100_000))
	var dials atomic.Int64
	counts := map[string]*atomic.Int64{} // connections by frontend
	going := func() bool { return time.Now().Before(stop) || dials.Load() < want }
	var wg sync.WaitGroup
	for _, p := range sections {
		n := new(atomic.Int64)
		counts[p.Name] = n
		for _, act := range unrulyClients {
			wg.Go(func() {
				tick := time.NewTicker(time.Duration(often(20, 1)) * time.Millisecond)
				defer tick.Stop()
				for ; going(); <-tick.C {
					c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", portOf(p)))
					if err != nil {
						t.Error(err)
						return
					}
					n.Add(1)
					dials.Add(1)
					c.SetDeadline(time.Now().Add(20 * time.Second))
					act(c.(*net.TCPConn))
					c.Close()
				}
			})
		}
	}
	wg.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for state := admin.StateMaint; going(); state = admin.StateMaint - state {
			if err := r.SetServerState("flaps", "s1", state); err != nil {
				t.Error(err)
			}
			<-tick.C
		}
	})
	wg.Wait()
	waitFor(t, func() bool { return r.conns.now.Load() == 0 })
	r.nothingIsHeld()
	r.everythingIsCounted(counts)
	t.Logf("%d connections", dials.Load())
	r.Close()
	waitFor(t, func() bool { return descriptors(t) <= before })
}

// nothingIsHeld wants every place, queue and client given back.
func (r *rig) nothingIsHeld() {
	t := r.t
	for _, f := range r.frontends {
		if n := f.conns.now.Load(); n != 0 {
			t.Errorf("%s: %d connections left", f.cfg.Name, n)
		}
	}
	for _, b := range r.backends {
		if n, k := b.sessions.now.Load(), b.line.n.now.Load(); n != 0 || k != 0 || b.line.first != nil {
			t.Errorf("%s: %d sessions, %d queued left", b.cfg.Name, n, k)
		}
		for _, s := range b.targets {
			if n := s.sessions.now.Load(); n != 0 {
				t.Errorf("%s/%s: %d sessions left", b.cfg.Name, s.cfg.Name, n)
			}
		}
	}
	r.ask(func(w *worker) {
		if w.open != nil {
			t.Error("a client is still linked")
		}
	})
}

// everythingIsCounted wants a counted connection, a response and a line with
// flags that fit for every connection that the clients made.
func (r *rig) everythingIsCounted(dials map[string]*atomic.Int64) {
	line := regexp.MustCompile(`\] (\w+) \w+/\S+ \S+ (-?\d+ )\d+ - - (..)-- \S+ \S+ "(?:[A-Z]+ /(\w+) |(<BADREQ>)")`)
	seen := map[string]map[string]int{} // by frontend and path, by status and flags
	lines, bad := map[string]uint64{}, map[string]uint64{}
	r.log.mu.Lock()
	all := r.log.all
	r.log.mu.Unlock()
	for _, s := range all {
		m := line.FindStringSubmatch(s)
		if m == nil {
			if !strings.Contains(s, "Server ") {
				r.t.Errorf("a line like no other: %q", s)
			}
			continue
		}
		lines[m[1]]++
		if m[5] != "" {
			bad[m[1]]++
		}
		k := m[1] + " " + m[4] + m[5]
		if seen[k] == nil {
			seen[k] = map[string]int{}
		}
		seen[k][m[2]+m[3]]++
	}
	for k, ends := range seen {
		server, path, _ := strings.Cut(k, " ")
		for end, n := range ends {
			if allowed := endsOf(server, path); !slices.Contains(allowed, end) {
				r.t.Errorf("%s at %s: %d lines end in %q, want one of %q", path, server, n, end, allowed)
			}
		}
	}
	if want := len(dials) * (len(unrulyClients) - 1); len(seen) < want { // two kinds have no path
		r.t.Errorf("%d kinds of lines, want %d", len(seen), want)
	}
	for name, n := range dials {
		row := r.rowOf(name, "FRONTEND")
		want := uint64(n.Load())
		responses := uint64(0)
		for _, n := range row.Resp {
			responses += n
		}
		if row.ConnTotal != want || row.SessTotal != want || lines[name] != want || responses != want {
			r.t.Errorf("%s: %d connections made, %d counted, %d sessions, %d lines, %d responses",
				name, want, row.ConnTotal, row.SessTotal, lines[name], responses)
		}
		if row.ReqTotal+row.ErrReq < want || row.ReqTotal != want-bad[name] {
			r.t.Errorf("%s: %d connections, %d requests, %d errors, %d bad lines", name, want, row.ReqTotal, row.ErrReq, bad[name])
		}
	}
}

// The log's reader has stopped and its queue is full: lines are lost and
// counted, and no request waits for them.
func TestAStoppedLogReaderDelaysNoRequest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	reader, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	out, err := syslog.Open("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	r := serve(t, 1, section(script(t, says(five))))
	r.ask(func(*worker) { r.frontends[0].log.targets[0].sink = &sink{out: out} })
	for line := []byte("full"); out.Send(line); {
	}
	lost, went := out.Dropped(), out.Sent()
	const clients = 4
	each := often(500, 20_000)
	var slowest atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		c := r.dial()
		wg.Go(func() {
			c.SetDeadline(time.Now().Add(time.Minute))
			answer := make([]byte, len("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"))
			for range each {
				began := time.Now()
				io.WriteString(c, get)
				if _, err := io.ReadFull(c, answer); err != nil || !strings.HasSuffix(string(answer), "hello") {
					t.Errorf("got %q, %v", answer, err)
					return
				}
				took := int64(time.Since(began))
				for most := slowest.Load(); took > most && !slowest.CompareAndSwap(most, took); most = slowest.Load() {
				}
			}
		})
	}
	wg.Wait()
	if took := time.Duration(slowest.Load()); took > time.Second {
		t.Errorf("the slowest request took %v", took)
	}
	// A response may come before the line of its request has been tried.
	waitFor(t, func() bool { return r.Snapshot().Info.DroppedLogs >= uint64(clients*each) })
	if n := out.Dropped() - lost; n != uint64(clients*each) || r.Snapshot().Info.DroppedLogs != n || out.Sent() != went {
		t.Errorf("%d lines dropped, %d told, %d sent, want %d, as many, %d", n, r.Snapshot().Info.DroppedLogs, out.Sent(), clients*each, went)
	}
	t.Logf("the slowest of %d requests took %v", clients*each, time.Duration(slowest.Load()))
}
