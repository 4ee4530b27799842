package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// slowLimit is every timeout of a client in the rows of slow clients.
const slowLimit = 5 * time.Second

// The figures a proxy is to reach with 10,000 slow clients.
const (
	slowLate   = 500 * time.Millisecond
	slowMemory = 150 // MB
)

// slowKind is a kind of client that keeps a proxy waiting.
type slowKind struct {
	name, what string
	secure     bool // the listener is one of TLS
	begin      string
	// drip is sent again and again, by all clients a byte a second.
	drip string
	deaf bool // takes nothing of what the proxy says
	// most bounds their number: each has 3 MB in the system, of the 2 GB that
	// all connections of a machine may have.
	most int
	// answered is said to be slow from its first answer on.
	answered bool
}

var slowKinds = []slowKind{
	{name: "idle", what: "nothing at all"},
	{name: "head", what: "a request's head, a byte a second", begin: "GET /1k HTTP/1.1\r\n", drip: "a"},
	{name: "body", what: "a request's body, a byte a second", begin: "POST /1k HTTP/1.1\r\nHost: bench\r\nContent-Length: 1000\r\n\r\n", drip: "b"},
	{name: "stalled", what: "half a body, then nothing", begin: "POST /1k HTTP/1.1\r\nHost: bench\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("b", 500)},
	{name: "reader", what: "10 MB asked for and not taken", begin: "GET /10m HTTP/1.1\r\nHost: bench\r\n\r\n", deaf: true, most: 100},
	{name: "kept", what: "a request, then nothing on the kept connection", begin: "GET /1k HTTP/1.1\r\nHost: bench\r\n\r\n", answered: true},
	{name: "half-hello", what: "half of a ClientHello", secure: true, begin: "hello/2"},
	{name: "split-hello", what: "half of a ClientHello as a whole record", secure: true, begin: "hello|2"},
	{name: "hello", what: "a ClientHello, then nothing", secure: true, begin: "hello"},
}

// clientHello is what a client says first.
func clientHello() []byte {
	var b bytes.Buffer
	tls.Client(hearing{&b}, &tls.Config{ServerName: "bench.example"}).Handshake() // it fails: nobody answers
	return b.Bytes()
}

// hearing is a connection nobody is at the other end of.
type hearing struct{ *bytes.Buffer }

func (hearing) Read([]byte) (int, error)         { return 0, io.EOF }
func (hearing) Close() error                     { return nil }
func (hearing) LocalAddr() net.Addr              { return nil }
func (hearing) RemoteAddr() net.Addr             { return nil }
func (hearing) SetDeadline(time.Time) error      { return nil }
func (hearing) SetReadDeadline(time.Time) error  { return nil }
func (hearing) SetWriteDeadline(time.Time) error { return nil }

// bytes are what a client of the kind begins with.
func (k slowKind) bytes() []byte {
	hello := clientHello()
	switch k.begin {
	case "hello":
		return hello
	case "hello/2":
		return hello[:len(hello)/2]
	case "hello|2": // RFC 8446 section 5.1: a message may lie in several records
		half := (len(hello) - 5) / 2
		return append([]byte{22, 3, 1, byte(half >> 8), byte(half)}, hello[5:5+half]...)
	}
	return []byte(k.begin)
}

// configuration bounds everything a client may take its time with.
func (k slowKind) configuration(p place) string {
	options := ""
	if k.secure {
		options = fmt.Sprintf(binds["ecdsa"], p.dir)
	}
	ms := slowLimit.Milliseconds()
	return fmt.Sprintf(`global
    maxconn %d
    nbthread 1
    log 127.0.0.1:%d local0
defaults
    mode http
    log global
    option httplog
    option http-buffer-request
    maxconn %[1]d
    timeout connect 5s
    timeout client %[3]d
    timeout http-request %[3]d
    timeout http-keep-alive %[3]d
    timeout server 50s
frontend front
    bind 127.0.0.1:%[4]d%[5]s
    default_backend origins
backend origins
    server s0 %[6]s
    server s1 %[7]s
`, p.maxConn, p.log, ms, p.port, options, p.origins[0], p.origins[1])
}

// slowResult is what became of many clients of a kind.
type slowResult struct {
	open   int           // not closed a minute after the limit
	late   time.Duration // of the last close, after its limit
	memory int           // KB
	held   int           // descriptors before
	cpu    time.Duration
}

// slowClient is one of them.
type slowClient struct {
	net.Conn
	began time.Time
	took  atomic.Int64 // until the proxy closed, in ns
}

// slow measures many clients of a kind at one proxy.
func (b *bench) slow(which int, k slowKind) (slowResult, error) {
	config := filepath.Join(b.dir, "slow.cfg")
	if err := os.WriteFile(config, []byte(k.configuration(b.place)), 0o644); err != nil {
		return slowResult{}, err
	}
	sub := &subject{contender: b.proxies[which], cpus: b.proxyCPU(1), config: config}
	if err := b.start(sub); err != nil {
		return slowResult{}, err
	}
	defer sub.stop()
	r := slowResult{held: sub.descriptors()}
	used := sub.cpu()
	begin := k.bytes()
	many := b.many
	if k.most > 0 {
		many = min(many, k.most)
	}
	clients := make([]*slowClient, 0, many)
	var watching sync.WaitGroup
	defer func() {
		for _, c := range clients {
			c.Close()
		}
		watching.Wait()
	}()
	for range many {
		c, err := net.Dial("tcp", b.address())
		if err != nil {
			return r, err
		}
		if k.deaf {
			c.(*net.TCPConn).SetReadBuffer(4096)
		}
		s := &slowClient{Conn: c, began: time.Now()}
		clients = append(clients, s)
		if _, err := c.Write(begin); err != nil {
			return r, err
		}
		watching.Go(s.watch(k))
	}
	r.wait(sub, clients, k)
	r.cpu = sub.cpu() - used
	return r, nil
}

// watch learns when the proxy closes. Who does not read would not hear of it:
// the end comes behind bytes not taken, so the proxy's descriptors are counted.
func (s *slowClient) watch(k slowKind) func() {
	return func() {
		if k.deaf {
			return
		}
		if k.answered {
			s.Read(make([]byte, 4096))
			s.began = time.Now()
		}
		io.Copy(io.Discard, s)
		s.took.Store(int64(time.Since(s.began)))
	}
}

// pools is how many descriptors a proxy may have opened for later use.
const pools = 20

// wait sends what drips and looks at the memory until all are closed.
func (r *slowResult) wait(sub *subject, clients []*slowClient, k slowKind) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(slowLimit + time.Minute)
	drip := []byte(k.drip)
	for round := 0; time.Now().Before(end); round++ {
		r.memory = max(r.memory, sub.rss())
		r.open = 0
		for i, s := range clients {
			if s.took.Load() != 0 {
				continue
			}
			r.open++
			if len(drip) > 0 && i%10 == round%10 { // each once a second
				s.Write(drip)
			}
		}
		if k.deaf {
			r.open = sub.descriptors() - r.held - pools
		}
		if r.open <= 0 {
			break
		}
		<-tick.C
	}
	if k.deaf && r.open <= 0 {
		clients[len(clients)-1].took.Store(int64(time.Since(clients[len(clients)-1].began)))
	}
	for _, s := range clients {
		r.late = max(r.late, time.Duration(s.took.Load())-slowLimit)
	}
}

// runSlow measures the kinds, all of them when none is named, and prints a table.
func (b *bench) runSlow(out io.Writer, kinds string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d clients, all timeouts %v\t\thaproxy\t\t\therald\t\t\t\n", b.many, slowLimit)
	fmt.Fprintln(w, "what they send\t\tlast closed at\tMB\tCPU s\tlast closed at\tMB\tCPU s\tmet\t")
	var failed []error
	for _, k := range slowKinds {
		if kinds != "" && !slices.Contains(strings.Split(kinds, ","), k.name) {
			continue
		}
		what := k.what
		if k.most > 0 {
			what += fmt.Sprintf(" (%d of them)", min(k.most, b.many))
		}
		fmt.Fprintf(w, "%s\t%s", k.name, what)
		met := ""
		for which := range b.proxies {
			r, err := b.slow(which, k)
			if err != nil {
				failed = append(failed, fmt.Errorf("%s: %s: %w", b.proxies[which].name, k.name, err))
				fmt.Fprint(w, "\t-\t-\t-")
				continue
			}
			at := fmt.Sprintf("%.2f s", (r.late + slowLimit).Seconds())
			if r.open > 0 {
				at = fmt.Sprintf("never: %d", r.open)
			}
			fmt.Fprintf(w, "\t%s\t%d\t%.1f", at, r.memory>>10, r.cpu.Seconds())
			late := slowLate
			if k.deaf {
				late *= 2 // its silence begins when both systems have taken their fill
			}
			if which == herald {
				met = "yes"
				if r.open > 0 || r.late > late || r.memory>>10 > slowMemory {
					met = "NO"
				}
			}
		}
		fmt.Fprintf(w, "\t%s\t\n", met)
	}
	w.Flush()
	return errors.Join(failed...)
}
