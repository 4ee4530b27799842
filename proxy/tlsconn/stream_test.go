package tlsconn

import (
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"herald/proxy/loop"
)

// lent counts the buffers that are out.
type lent struct{ out atomic.Int64 }

func (l *lent) Take(n int) []byte           { l.out.Add(1); return make([]byte, 0, n) }
func (l *lent) Grow(b []byte, n int) []byte { return append(make([]byte, 0, n), b...) }
func (l *lent) Give([]byte)                 { l.out.Add(-1) }

// pump sends text in pieces of these sizes, over and over, and ends.
type pump struct {
	*peer
	text  string
	sizes []int
	sends int
	full  int // times the system took no more
}

func (p *pump) Ready(loop.Event) {
	for len(p.text) > 0 {
		size := min(p.sizes[p.sends%len(p.sizes)], len(p.text))
		p.sends++
		n, errno := p.Send([]byte(p.text[:size]))
		p.text = p.text[n:]
		if errno == unix.EAGAIN {
			p.full++
			return
		}
		if errno != 0 {
			p.end()
			return
		}
	}
	if !p.over {
		p.over = true
		p.CloseWrite()
	}
}

// What a slow reader has not taken is held, acknowledged as far as it may be,
// and every byte arrives once, before the end.
func TestASlowReaderGetsEveryByteOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	whole := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz", 6<<20/36)
	for name, sizes := range map[string][]int{"large pieces": {1 << 20}, "single bytes behind": {1 << 20, 1, 1, 1}, "records and more": {16 << 10, 16<<10 + 1, 1}, "all at once": {len(whole)}, "single bytes": {1}} {
		t.Run(name, func(t *testing.T) {
			text := whole
			if sizes[0] == 1 { // a record each
				text = text[:len(text)/20]
			}
			e := begin(t)
			buffers := &lent{}
			e.on(func() { e.tls.buffers = buffers })
			raw := e.dial()
			raw.SetReadBuffer(256 << 10) // less than a segment of loopback would wait for timers
			c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
			if err := c.Handshake(); err != nil {
				t.Fatal(err)
			}
			e.settled(1)
			p := &pump{text: text, sizes: sizes}
			e.until("the handshake", func() (stands bool) {
				e.on(func() { stands = On(&e.last.Socket).Stands() })
				return stands
			})
			e.on(func() {
				p.peer = e.last
				p.Handle(p)
				p.Ready(0)
				if p.full == 0 || On(&p.Socket).held == nil {
					t.Error("nothing is held: the reader is not slow")
				}
			})
			var got strings.Builder
			for buf := make([]byte, 64<<10); ; {
				n, err := c.Read(buf[:1+random.IntN(len(buf))])
				got.Write(buf[:n])
				if err != nil {
					if err != io.EOF {
						t.Errorf("after %d bytes: %v", got.Len(), err)
					}
					break
				}
			}
			if got.String() != text {
				t.Errorf("%d bytes came, or others, want the %d that were sent", got.Len(), len(text))
			}
			e.on(func() {
				if held := On(&p.Socket).held; held != nil || buffers.out.Load() != 0 {
					t.Errorf("%d bytes are held, %d buffers are out", len(held), buffers.out.Load())
				}
				p.Close()
			})
		})
	}
}

// Who goes away with bytes under way leaves no buffer behind.
func TestAConnectionThatBreaksGivesItsBuffersBack(t *testing.T) {
	for name, leave := range map[string]func(*net.TCPConn){
		"a reset": func(c *net.TCPConn) { c.SetLinger(0); c.Close() },
		"no TLS":  func(c *net.TCPConn) { go io.Copy(io.Discard, c); io.WriteString(c, strings.Repeat("no record", 100)) },
	} {
		t.Run(name, func(t *testing.T) {
			e := begin(t)
			buffers := &lent{}
			e.on(func() { e.tls.buffers = buffers })
			raw := e.dial()
			raw.SetReadBuffer(256 << 10) // less than a segment of loopback would wait for timers
			c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
			go c.Write(make([]byte, 8<<20)) // comes back, and is not read
			e.until("bytes that are held", func() (held bool) {
				if e.conns.Load() == 1 {
					e.on(func() { held = e.last.FD() >= 0 && On(&e.last.Socket).held != nil })
				}
				return held
			})
			leave(raw)
			e.until("the end", func() bool { return e.conns.Load() == 0 })
			if n := buffers.out.Load(); n != 0 {
				t.Errorf("%d buffers are out", n)
			}
		})
	}
}

// What is no record behind the handshake ends the connection, with an alert.
func TestBytesThatAreNoRecordEndAConnection(t *testing.T) {
	e := begin(t)
	raw := e.dial()
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
	if _, err := io.WriteString(c, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	io.WriteString(raw, "\x17\x03\x03\x00\x14not what was agreed on")
	var alert *net.OpError
	if _, err := c.Read(make([]byte, 1)); !errors.As(err, &alert) || !strings.Contains(err.Error(), "bad record MAC") {
		t.Errorf("the client hears %v, want the alert", err)
	}
	e.until("the end", func() bool { return e.conns.Load() == 0 })
}

// outward is a connection of the loop to a server.
type outward struct {
	loop.Socket
	l       *Loop
	config  *tls.Config
	secured chan error
}

func (o *outward) Secured(err error) { o.secured <- err }
func (o *outward) Ready(loop.Event) {
	if o.Layer() == nil && o.Can()&loop.Writable != 0 {
		o.l.Connect(&o.Socket, o.config, o)
	}
}

func TestTheOtherEndOfAHandshakeIsReachedToo(t *testing.T) {
	e := begin(t)
	site := e.config.Certificates[0]
	li, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{site}, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer li.Close()
	next := make(chan string)
	e.wg.Go(func() {
		c, err := li.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b := make([]byte, 5)
		if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
			t.Errorf("the server got %q, %v", b, err)
		}
		for text := range next {
			io.WriteString(c, text)
		}
	})
	to, err := net.ResolveTCPAddr("tcp", li.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	addr := loop.TCP(to.AddrPort())
	o := &outward{l: e.tls, config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}, secured: make(chan error, 1)}
	e.on(func() {
		if errno := e.events.Dial(&o.Socket, &addr, o); errno != 0 {
			t.Fatal(errno)
		}
	})
	if err := <-o.secured; err != nil {
		t.Fatal(err)
	}
	tc := On(&o.Socket)
	e.on(func() {
		if tc.Shaking() || !tc.Stands() || tc.State().NegotiatedProtocol != "http/1.1" || tc.Since() <= 0 {
			t.Errorf("shaking %v, stands %v, %q, since %d", tc.Shaking(), tc.Stands(), tc.State().NegotiatedProtocol, tc.Since())
		}
		if n, errno := o.Send(nil); n != 0 || errno != 0 {
			t.Errorf("nothing to send: got %d, %v", n, errno)
		}
		if n, errno := o.Send([]byte("hello")); n != 5 || errno != 0 {
			t.Errorf("send: got %d, %v", n, errno)
		}
		if !tc.Quiet() { // but for session tickets
			t.Error("not quiet although the server says nothing")
		}
	})
	next <- "bye"
	e.until("what the server says", func() (came bool) {
		e.on(func() { came = !tc.Quiet() })
		return came
	})
	close(next)
	e.until("its end", func() (ended bool) {
		e.on(func() {
			n, errno := o.Recv(make([]byte, 10))
			ended = n == 0 && errno == 0
		})
		return ended
	})
	e.on(func() {
		if tc.Quiet() {
			t.Error("quiet although the server has ended")
		}
		o.Close()
	})
}

// A handshake with nobody at the other end, or with another than was asked
// for, is told.
func TestAHandshakeOfOursThatFailsIsTold(t *testing.T) {
	e := begin(t)
	for _, tt := range []struct {
		name  string
		serve func(net.Conn)
		want  func(error) bool
	}{
		{"no TLS", func(c net.Conn) { io.WriteString(c, "220 hello\r\n"); io.Copy(io.Discard, c) }, func(err error) bool { return errors.As(err, new(tls.RecordHeaderError)) }},
		{"the end", func(c net.Conn) { c.Read(make([]byte, 1)); c.(*net.TCPConn).CloseWrite(); io.Copy(io.Discard, c) }, func(err error) bool { return errors.Is(err, io.EOF) }},
		{"a reset", func(c net.Conn) { c.Read(make([]byte, 1)); c.(*net.TCPConn).SetLinger(0) }, func(err error) bool {
			return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
		}},
		{"nobody it knows", func(c net.Conn) { tls.Server(c, e.config).Handshake(); io.Copy(io.Discard, c) }, func(err error) bool { return errors.As(err, new(*tls.CertificateVerificationError)) }},
	} {
		li, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			if c, err := li.Accept(); err == nil {
				tt.serve(c)
				c.Close()
			}
		}()
		addr := loop.TCP(li.Addr().(*net.TCPAddr).AddrPort())
		o := &outward{l: e.tls, config: &tls.Config{ServerName: "a.example"}, secured: make(chan error, 1)}
		e.on(func() {
			if errno := e.events.Dial(&o.Socket, &addr, o); errno != 0 {
				t.Fatal(errno)
			}
		})
		if err := <-o.secured; err == nil || !tt.want(err) {
			t.Errorf("%s: told %v", tt.name, err)
		}
		e.on(func() {
			if tc := On(&o.Socket); tc.Stands() && tc.State().HandshakeComplete {
				t.Errorf("%s: it stands", tt.name)
			}
			o.Close()
		})
		<-served
		li.Close()
	}
}
