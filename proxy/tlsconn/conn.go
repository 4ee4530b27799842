// Package tlsconn is an edge: TLS connections on the sockets of an event loop.
// crypto/tls does the cryptography; what it takes for granted, a goroutine
// that may wait for each connection, it gets for the handshake alone.
//
// It knows no certificates and no configuration, keeps no deadlines, and
// decides nothing about a connection but that the longest silent handshakes
// end when very many wait.
//
//	shared := tlsconn.NewShared(loops)
//	l := tlsconn.NewLoop(theLoop, shared, buffers, wg.Go)
//	l.Accept(&c.Socket, config, c)     // c.Secured(err), on the loop
//	n, errno := c.Socket.Recv(p)       // in the clear from then on
//	tlsconn.On(&c.Socket).State().ServerName
package tlsconn

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"herald/proxy/loop"
)

// Conn is TLS over one socket. To the socket's user it is the layer that
// Recv and Send go through; to crypto/tls it is, as a wire, the net.Conn
// beneath. During the handshake a goroutine has the wire, then the loop.
//
// crypto/tls gives up a connection at the first error, but for a net.Error
// that calls itself temporary: that is how it hears here that nothing has
// arrived. It cannot be told that only half a record was sent, so what the
// system does not take at once is held, and the user is not told that its
// last byte went before everything held has gone.
type Conn struct {
	conn  *tls.Conn // nil until the client's first message is whole
	loop  *Loop
	s     *loop.Socket
	user  User
	shake *handshake // nil once the handshake is over

	feed []byte // received and not yet taken by crypto/tls, in the loop's buffer
	kept []byte // the same between two calls, in a buffer of the loop's
	held []byte // to be sent, in a buffer of the loop's
	sent int    // of held

	owed   bool  // all but the last byte of a Send were acknowledged
	ended  bool  // our side ends once held has gone
	choked bool  // nothing is read until held has gone
	over   bool  // the other side has ended
	want   int   // how much the Recv under way may take
	stands int64 // when the handshake was over
	broken syscall.Errno

	// Note is the user's, Shown that of who makes the configuration: of our
	// certificates the one the other side was shown.
	Note  any
	Shown *x509.Certificate
}

// User is told the end of a handshake, on the loop; nil is a connection that
// stands. Whoever is told of an error closes the socket.
type User interface {
	Secured(error)
}

// Buffers lends byte buffers to one loop.
type Buffers interface {
	// Take answers an empty one for at least n bytes.
	Take(n int) []byte
	// Grow answers one with the bytes of buf and room for at least n in all,
	// and takes buf back.
	Grow(buf []byte, n int) []byte
	// Give takes one back.
	Give(buf []byte)
}

// Shared is what the loops of a process share: whose turn it is to compute.
type Shared struct {
	turns  turns
	thrift thrift
}

// NewShared lets as many handshakes compute at a time as there are loops.
func NewShared(loops int) *Shared {
	s := &Shared{}
	s.turns.open(loops)
	return s
}

// Computing reports whether handshakes want processors.
func (s *Shared) Computing() bool { return s.turns.free.Load() < s.turns.most }

// Loop is what the TLS connections of one event loop share. It belongs to that
// loop.
type Loop struct {
	events  *loop.Loop
	shared  *Shared
	buffers Buffers
	run     func(func())
	silent  silence

	opened []byte // ciphertext received
	sealed []byte // ciphertext to be sent at the end of a call
}

// NewLoop makes the connections of l possible. run starts a goroutine, whose
// end somebody waits for.
func NewLoop(l *loop.Loop, s *Shared, b Buffers, run func(func())) *Loop {
	return &Loop{events: l, shared: s, buffers: b, run: run, silent: silence{thrift: &s.thrift, most: mostSilent, longest: longestSilence}}
}

// mostHeld bounds what may be held while the other side asks for answers and
// takes none (TLS 1.3 key updates).
const mostHeld = 64 << 10

// secureBuffer is how much ciphertext one receive takes.
const secureBuffer = 64 << 10

// Recv decrypts what has arrived, until p is full or nothing is left.
func (t *Conn) Recv(s *loop.Socket, p []byte) (int, syscall.Errno) {
	switch {
	case t.shake != nil, t.choked:
		s.Withhold(loop.Readable)
		return 0, unix.EAGAIN
	case t.over, t.broken != 0:
		s.Allow(loop.Readable)
		return 0, t.broken
	}
	n := 0
	t.want = len(p)
	var err error
	for n < len(p) && err == nil {
		var k int
		k, err = t.conn.Read(p[n:])
		n += k
	}
	if len(t.feed) > 0 {
		t.keep()
	}
	if len(t.loop.sealed) > 0 { // answers to key updates, alerts
		if sent, _ := t.flush(); !sent && len(t.held)-t.sent > mostHeld {
			t.choked = true
		}
	}
	switch {
	case err == nil:
		s.Allow(loop.Readable) // more may be decrypted already: no event will tell
		return n, 0
	case err == errLater{}: // crypto/tls hands it on as it is
		if n == 0 {
			return 0, unix.EAGAIN
		}
		return n, 0
	case err == io.EOF:
		t.over = true
		s.Allow(loop.Readable | loop.Hangup)
	default:
		t.broken = unix.ECONNRESET
		s.Allow(loop.Readable | loop.Failed)
	}
	if n > 0 {
		return n, 0
	}
	return 0, t.broken
}

// keep puts what crypto/tls did not take aside for the next call.
func (t *Conn) keep() {
	if len(t.kept) == 0 {
		t.kept = append(t.loop.buffers.Take(len(t.feed)), t.feed...)
	} else { // feed is the rest of kept
		t.kept = t.kept[:copy(t.kept, t.feed)]
	}
	t.feed = nil
}

// Send encrypts all of p and sends what the system takes.
func (t *Conn) Send(s *loop.Socket, p []byte, more bool) (int, syscall.Errno) {
	switch {
	case t.shake != nil:
		s.Withhold(loop.Writable)
		return 0, unix.EAGAIN
	case t.broken != 0:
		return 0, unix.EPIPE
	case len(p) == 0:
		return 0, 0
	}
	if len(t.held) > 0 {
		if sent, errno := t.flush(); !sent {
			return 0, errno
		}
	}
	acknowledged := 0
	if t.owed {
		t.owed = false
		if acknowledged = 1; len(p) == 1 {
			return 1, 0
		}
	}
	if _, err := t.conn.Write(p[acknowledged:]); err != nil {
		t.loop.sealed = t.loop.sealed[:0]
		t.broken = unix.EPIPE
		return 0, unix.EPIPE
	}
	sent, errno := t.flush()
	switch {
	case sent:
		return len(p), 0
	case errno != unix.EAGAIN:
		return 0, errno
	}
	t.owed = true
	if len(p) == 1 {
		return 0, unix.EAGAIN
	}
	return len(p) - 1, 0
}

// flush sends what is held and what crypto/tls has just written, in order.
// It reports whether all of it went; EAGAIN says that the system is full.
func (t *Conn) flush() (all bool, errno syscall.Errno) {
	l := t.loop
	fresh := l.sealed
	l.sealed = l.sealed[:0]
	p := fresh
	if len(t.held) > 0 {
		t.hold(fresh)
		p = t.held[t.sent:]
	}
	n := 0
	if len(p) > 0 {
		if t.s.Can()&loop.Writable == 0 {
			errno = unix.EAGAIN
		} else if n, errno = t.s.RawSend(p); errno != 0 && errno != unix.EAGAIN {
			t.broken = errno
			return false, errno
		}
	}
	switch {
	case n < len(p) && len(t.held) == 0:
		t.hold(p[n:])
		return false, unix.EAGAIN
	case n < len(p):
		t.sent += n
		return false, unix.EAGAIN
	}
	if t.held != nil {
		l.buffers.Give(t.held)
		t.held, t.sent = nil, 0
	}
	if t.ended {
		t.ended = false
		t.s.RawCloseWrite()
	}
	return true, 0
}

func (t *Conn) hold(p []byte) {
	switch {
	case t.held == nil:
		t.held = t.loop.buffers.Take(len(p))
	case len(t.held)+len(p) > cap(t.held):
		t.held = t.loop.buffers.Grow(t.held, len(t.held)+len(p))
	}
	t.held = append(t.held, p...)
}

// Wake goes on with what waits for the descriptor before its user does.
func (t *Conn) Wake(s *loop.Socket, ev loop.Event) loop.Event {
	if t.shake != nil {
		t.shake.event()
		return 0
	}
	if ev&loop.Writable != 0 && len(t.held) > 0 {
		if all, _ := t.flush(); !all && t.broken == 0 {
			return ev &^ loop.Writable
		}
		if t.choked {
			t.choked = false
			s.Allow(loop.Readable)
			ev |= loop.Readable
		}
	}
	return ev
}

// CloseWrite says that no more will be sent (close_notify, RFC 8446 section
// 6.1), and ends the stream behind it.
func (t *Conn) CloseWrite(s *loop.Socket) {
	if t.shake != nil || t.broken != 0 {
		s.RawCloseWrite()
		return
	}
	t.conn.CloseWrite()
	t.ended = true
	t.flush()
}

// Close ends a handshake under way. Who was not told that the stream ends is
// told now, if that can be done at once.
func (t *Conn) Close(s *loop.Socket) {
	l := t.loop
	switch {
	case t.shake != nil:
		t.shake.close()
	case t.broken == 0 && len(t.held) == 0 && s.Can()&loop.Failed == 0:
		t.conn.CloseWrite()
		t.flush()
	}
	if t.held != nil {
		l.buffers.Give(t.held)
		t.held = nil
	}
	if t.kept != nil {
		l.buffers.Give(t.kept)
		t.kept = nil
	}
}

// Break makes an end that comes next one without a word, as of a connection that
// has broken.
func (t *Conn) Break() {
	if t.broken == 0 {
		t.broken = unix.ECONNRESET
	}
}

// Quiet reports whether nothing but messages of TLS itself, such as session
// tickets, has arrived on a connection that should be silent.
func (t *Conn) Quiet() bool {
	var one [1]byte
	_, errno := t.Recv(t.s, one[:])
	return errno == unix.EAGAIN
}

// Shaking reports whether the handshake is under way.
func (t *Conn) Shaking() bool { return t.shake != nil }

// Stands reports whether the handshake succeeded, so that State tells of it.
func (t *Conn) Stands() bool { return t.shake == nil && t.conn != nil }

// State is what the handshake came to.
func (t *Conn) State() tls.ConnectionState { return t.conn.ConnectionState() }

// Since is when the handshake was over, by the clock of the loop; 0 before.
func (t *Conn) Since() int64 { return t.stands }

// cipherBuffer is where ciphertext is received.
func (l *Loop) cipherBuffer() []byte {
	if l.opened == nil {
		l.opened = make([]byte, secureBuffer)
	}
	return l.opened
}

// Of answers the connection that crypto/tls calls c.
func Of(c net.Conn) *Conn { return (*Conn)(c.(*wire)) }

// On answers the TLS of a socket, or nil.
func On(s *loop.Socket) *Conn {
	t, _ := s.Layer().(*Conn)
	return t
}
