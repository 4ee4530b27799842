package proxy

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"herald/proxy/settings"
	"herald/proxy/testcert"
)

func TestThousandsOfSlowClientsAreAllClosedInTime(t *testing.T) {
	clients := often(2000, 8000)
	const limit, slack = time.Second, 500 * time.Millisecond
	p := section(refuses)
	p.Timeouts.HTTPRequest, p.Timeouts.Client = limit, time.Hour
	p.MaxConn = 2 * clients
	r := serve(t, 2, p)
	r.SetMaxConn(2 * clients)
	conns := make([]net.Conn, clients)
	began := make([]time.Time, clients)
	took := make([]time.Duration, clients)
	var wg sync.WaitGroup
	for i := range conns {
		conns[i], began[i] = r.dial(), time.Now()
		wg.Go(func() {
			io.Copy(io.Discard, conns[i])
			took[i] = time.Since(began[i])
		})
	}
	closed := make(chan struct{})
	go func() { wg.Wait(); close(closed) }()
	tick := time.NewTicker(100 * time.Millisecond) // a byte each for all, again and again
	defer tick.Stop()
	for open := true; open; {
		for _, c := range conns {
			io.WriteString(c, "G")
		}
		select {
		case <-tick.C:
		case <-closed:
			open = false
		}
	}
	var soonest, latest time.Duration = time.Hour, 0
	for _, d := range took {
		soonest, latest = min(soonest, d), max(latest, d)
	}
	// How late is for `make soak` and `make bench-slow` to judge: a machine that
	// others use is late by itself.
	if soonest < limit-slack || latest > limit+slack && *soak == "large" {
		t.Errorf("closed after %v to %v, want %v to %v", soonest, latest, limit, limit+slack)
	}
	t.Logf("closed after %v to %v", soonest, latest)
	waitFor(t, func() bool { return r.rowOf("web", "FRONTEND").SessCur == 0 })
}

// Every kind of slow client is told or closed by a timeout of its own, and
// nothing of it is left.
func TestSlowClientsOfEveryKindAreClosed(t *testing.T) {
	body := strings.Repeat("x", 16<<20)
	server := origin(t, func(w http.ResponseWriter, q *http.Request) {
		if io.Copy(io.Discard, q.Body); q.URL.Path == "/long" {
			io.WriteString(w, body)
		}
	})
	hello := testcert.ClientHello()
	half := hello[:len(hello)/2]
	for _, k := range []struct {
		name   string
		secure bool
		begin  string
		deaf   bool
		ends   string // status and flags in the log; none for a handshake
	}{
		{name: "nothing", ends: "408 cR"},
		{name: "half a head", begin: "GET / HTTP/1.1\r\nHo", ends: "408 cR"},
		{name: "half a body", begin: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbody", ends: "408 cD"},
		{name: "a response not taken", begin: "GET /long HTTP/1.1\r\nHost: a\r\n\r\n", deaf: true, ends: "200 cD"},
		{name: "a kept connection", begin: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ends: "200 --"},
		{name: "half a ClientHello", secure: true, begin: string(half)},
		{name: "half a ClientHello as a record", secure: true, begin: string(testcert.Records(half[testcert.RecordHeader:], len(half)))},
		{name: "a ClientHello", secure: true, begin: string(hello)},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel() // they wait
			clients := 30
			if k.deaf {
				clients = 3 // the system holds megabytes for each
			}
			p := section(server)
			if k.secure {
				p = encrypted(p)
			}
			p.Timeouts.HTTPRequest, p.Timeouts.Client = 2*time.Second, 2*time.Second
			r := serve(t, 2, p)
			var wg sync.WaitGroup
			for range clients {
				c := r.dial()
				c.SetDeadline(time.Now().Add(time.Minute))
				io.WriteString(c, k.begin)
				if !k.deaf {
					wg.Go(func() {
						io.Copy(io.Discard, c)
						c.Close()
					})
				}
			}
			wg.Wait()
			waitFor(t, func() bool {
				row := r.rowOf("web", "FRONTEND")
				return r.conns.now.Load() == 0 && row.SessCur == 0 && row.ConnTotal >= uint64(clients)
			})
			if k.ends == "" {
				return
			}
			status, flags, _ := strings.Cut(k.ends, " ")
			fits := regexp.MustCompile(" " + status + ` \d+ - - ` + flags)
			r.log.mu.Lock()
			defer r.log.mu.Unlock()
			if len(r.log.all) != clients {
				t.Errorf("%d lines for %d clients", len(r.log.all), clients)
			}
			for _, line := range r.log.all {
				if !fits.MatchString(line) {
					t.Errorf("want %s in %s", k.ends, line)
				}
			}
		})
	}
}

// A client that takes nothing of its response is reset at the timeout: behind
// an orderly end the system would hold what it was given for minutes.
func TestAClientThatTakesNothingLeavesNothingBehind(t *testing.T) {
	body := strings.Repeat("x", 16<<20)
	for _, kind := range []string{"http", "tcp", "tls"} {
		p := section(origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, body) }))
		if kind == "tcp" {
			p.Mode = settings.TCP
		}
		if kind == "tls" {
			p = encrypted(p)
		}
		p.Timeouts.Client = time.Second
		r := serve(t, 1, p)
		c := r.dial()
		c.SetDeadline(time.Now().Add(time.Minute))
		over := io.Writer(c)
		if kind == "tls" {
			over = tls.Client(c, trusting())
		}
		io.WriteString(over, "GET / HTTP/1.0\r\n\r\n")
		waitFor(t, func() bool { return r.rowOf("web", "FRONTEND").SessTotal == 1 && r.conns.now.Load() == 0 })
		if n, err := io.Copy(io.Discard, c); !errors.Is(err, unix.ECONNRESET) || n >= int64(len(body)) {
			t.Errorf("%s: %d bytes, then %v, want less than all and a reset", kind, n, err)
		}
	}
}

// TestDescriptorsThatRunOut runs itself again as a process that may open few
// descriptors, while the clients and the server are here.
func TestDescriptorsThatRunOut(t *testing.T) {
	if server := os.Getenv("PROXY_TEST_FEW_DESCRIPTORS"); server != "" {
		serveWithFewDescriptors(t, server)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDescriptorsThatRunOut$", "-test.v")
	cmd.Env = append(os.Environ(), "PROXY_TEST_FEW_DESCRIPTORS="+script(t, says(five)))
	cmd.Stderr = os.Stderr
	in, _ := cmd.StdinPipe()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		if err := cmd.Wait(); err != nil {
			t.Errorf("the process ends with %v", err)
		}
	})
	said := bufio.NewScanner(out)
	hear := func(prefix string) string {
		for said.Scan() {
			if text, found := strings.CutPrefix(said.Text(), prefix); found {
				return text
			}
		}
		t.Fatalf("the process never says %q", prefix)
		return ""
	}
	addr := hear("address ")
	var idle []net.Conn
	for range 120 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	hear("notice web: accept: too many open files")
	before := processorTime(t, cmd.Process.Pid)
	<-time.After(time.Second) // what is measured is this second
	if spent := processorTime(t, cmd.Process.Pid) - before; spent > 250*time.Millisecond {
		t.Errorf("starved, the process spends %v of a second", spent)
	}
	for _, c := range idle {
		c.Close()
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	if got, _ := io.ReadAll(c); !strings.HasSuffix(string(got), "hello") {
		t.Errorf("afterwards: got %q", got)
	}
}

// serveWithFewDescriptors is the other process: it ends with its input.
func serveWithFewDescriptors(t *testing.T, server string) {
	r := serve(t, 1, section(server))
	if in, out, err := os.Pipe(); err == nil { // Go's runtime wants descriptors for its first timer: now, not later
		in.Close()
		out.Close()
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: 64}); err != nil {
		t.Fatal(err)
	}
	fmt.Println("address", r.addr)
	fmt.Println("notice", r.told.wait(t, "accept: "))
	io.Copy(io.Discard, os.Stdin)
}

// processorTime is what a process has used, from the 14th and 15th field of
// its stat (proc(5)), in hundredths of a second.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
