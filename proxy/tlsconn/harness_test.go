package tlsconn

import (
	"crypto/tls"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"herald/proxy/loop"
	"herald/proxy/testcert"
)

// echo is a server on one loop that says back what it is told in TLS.
type echo struct {
	t      *testing.T
	events *loop.Loop
	tls    *Loop
	shared *Shared
	config *tls.Config
	addr   string
	conns  atomic.Int64
	lost   chan error // why handshakes failed
	wg     sync.WaitGroup
	last   *peer // accepted; of the loop
}

// peer is one connection to it.
type peer struct {
	loop.Socket
	e    *echo
	owed []byte // not yet sent
	over bool   // the client has ended
}

func (e *echo) Reserve() bool         { return true }
func (e *echo) Release()              {}
func (e *echo) Starved(syscall.Errno) {}

func (e *echo) Accepted(fd int, _ netip.AddrPort) {
	p := &peer{e: e}
	e.conns.Add(1)
	e.last = p
	if err := e.events.Register(&p.Socket, fd, p); err != nil {
		e.t.Error(err)
		return
	}
	e.tls.Accept(&p.Socket, e.config, p)
}

func (p *peer) end() {
	p.Close()
	p.e.conns.Add(-1)
}

func (p *peer) Secured(err error) {
	if err != nil {
		p.e.lost <- err
		p.end()
		return
	}
	p.Ready(loop.Readable)
}

func (p *peer) Ready(loop.Event) {
	for {
		for len(p.owed) > 0 {
			n, errno := p.Send(p.owed)
			p.owed = p.owed[n:]
			switch {
			case errno == unix.EAGAIN:
				return
			case errno != 0:
				p.end()
				return
			}
		}
		if p.over {
			p.CloseWrite()
			p.end()
			return
		}
		b := p.e.events.Buffer()
		n, errno := p.Recv(b)
		switch {
		case errno == unix.EAGAIN:
			On(&p.Socket).Rest(true)
			return
		case errno != 0:
			p.end()
			return
		case n == 0:
			p.over = true
		}
		p.owed = append([]byte(nil), b[:n]...)
	}
}

// fresh lends new buffers.
type fresh struct{}

func (fresh) Take(n int) []byte           { return make([]byte, 0, n) }
func (fresh) Grow(b []byte, n int) []byte { return append(make([]byte, 0, n), b...) }
func (fresh) Give([]byte)                 {}

var authority = sync.OnceValue(func() *testcert.Authority { return testcert.NewAuthority("Test") })

// begin starts the server, and ends it with the test.
func begin(t *testing.T) *echo {
	t.Helper()
	site := authority().Issue(testcert.Request{Names: []string{"a.example"}})
	pair, err := tls.X509KeyPair(site.Cert, site.Key)
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{t: t, shared: NewShared(1), config: &tls.Config{Certificates: []tls.Certificate{pair}}, lost: make(chan error, 1000)}
	if e.events, err = loop.New(loop.Options{}); err != nil {
		t.Fatal(err)
	}
	e.tls = NewLoop(e.events, e.shared, fresh{}, e.wg.Go)
	li, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := li.(*net.TCPListener).File()
	li.Close() // what f has is a copy
	if err != nil {
		t.Fatal(err)
	}
	e.addr = li.Addr().String()
	fd, err := unix.Dup(int(f.Fd()))
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	unix.SetNonblock(fd, true)
	if _, err := e.events.Listen(fd, e); err != nil {
		t.Fatal(err)
	}
	e.wg.Go(func() { e.events.Run() })
	t.Cleanup(func() { e.events.Stop(); e.wg.Wait() })
	return e
}

// dial connects; what is read and written gives up after a while.
func (e *echo) dial() *net.TCPConn {
	e.t.Helper()
	c, err := net.Dial("tcp", e.addr)
	if err != nil {
		e.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(20 * time.Second))
	e.t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// client is dial in TLS.
func (e *echo) client() *tls.Conn {
	return tls.Client(e.dial(), &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
}

// on runs f on the loop.
func (e *echo) on(f func()) {
	done := make(chan struct{})
	e.events.Post(func() { f(); close(done) })
	<-done
}

// settled returns when so many connections are there and the loop has done
// what their sockets told of.
func (e *echo) settled(clients int64) {
	e.t.Helper()
	e.until("the connections", func() bool { return e.conns.Load() == clients })
	for range 2 { // what the first turn fetches may be read in the second
		e.on(func() {})
	}
}

func (e *echo) until(what string, ok func() bool) {
	e.t.Helper()
	limit := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(limit) {
			e.t.Fatalf("waited in vain for %s", what)
		}
		runtime.Gosched()
	}
}
