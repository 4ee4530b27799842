package tlsconn

import (
	"crypto/tls"
	"io"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"herald/proxy/loop"
)

// handshake is a TLS handshake under way. crypto/tls can only do one in one
// go, so a goroutine does it, which waits for the loop to tell of bytes. Until
// a client's first message is whole, in however many records, the loop collects
// it, and until it is the handshake's turn it lies there: a slow client costs no
// goroutine.
//
// The descriptor stays with the loop, which may close it at any moment; mu
// keeps the goroutine from using the number after that.
type handshake struct {
	t       *Conn
	config  *tls.Config
	client  bool   // of a client: it may be silent for too long
	hello   []byte // what came before the goroutine started and it has not taken
	coming  coming // of hello, until then
	started bool
	ended   bool          // the loop wants no answer any more
	ready   chan struct{} // something has become possible; of capacity 1

	// Of the goroutine.
	computes bool // it has a turn
	awaited  bool // the other side has been waited for

	// Under the mutex of the turns.
	behind  *handshake
	granted bool

	// Under the mutex of the loop's silence.
	older, newer *handshake
	listed       bool
	answered     int64 // by the clock of the loop

	mu sync.Mutex
	fd int // -1 once closed
}

// Accept makes s the TLS connection of a client, told to user once it stands.
func (l *Loop) Accept(s *loop.Socket, config *tls.Config, user User) {
	l.begin(s, config, user).client = true
}

// Begin goes on with a client whose first bytes came before Accept.
func (t *Conn) Begin() { t.shake.event() }

// Connect makes s a TLS connection to a server.
func (l *Loop) Connect(s *loop.Socket, config *tls.Config, user User) {
	h := l.begin(s, config, user)
	h.t.conn = tls.Client((*wire)(h.t), config)
	h.start()
}

func (l *Loop) begin(s *loop.Socket, config *tls.Config, user User) *handshake {
	t := &Conn{loop: l, s: s, user: user}
	t.shake = &handshake{t: t, config: config, fd: s.FD(), ready: make(chan struct{}, 1)}
	s.Put(t)
	return t.shake
}

// event is called by the loop when something became possible.
func (h *handshake) event() {
	switch {
	case h.ended:
	case h.started && h.t.s.Can()&loop.Failed != 0: // it may not be its turn for long
		h.fail(unix.ECONNRESET)
	case h.started:
		h.poke()
	case h.t.s.Can()&loop.Readable != 0:
		h.collect()
	}
}

func (h *handshake) poke() {
	select {
	case h.ready <- struct{}{}:
	default:
	}
}

// collect receives the client's first record; with it the work begins.
func (h *handshake) collect() {
	t := h.t
	l := t.loop
	for t.s.Can()&loop.Readable != 0 {
		buf := l.cipherBuffer()
		n, errno := t.s.RawRecv(buf)
		switch {
		case errno == unix.EAGAIN:
			return
		case errno != 0:
			h.fail(errno)
			return
		case n == 0:
			h.fail(io.EOF)
			return
		}
		// No buffer of the loop's: thousands of clients may stop here, so the
		// size counts, and the goroutine lets go of it.
		h.hello = append(h.hello, buf[:n]...)
		if h.coming.whole(h.hello) {
			h.start()
			return
		}
	}
}

// Lengths of headers (RFC 8446 sections 5.1 and 4).
const recordHeader, messageHeader = 5, 4

// coming is how much of a ClientHello has been looked through.
type coming struct {
	at   int                 // where the record begins that is not whole
	got  int                 // bytes of the message in the records before
	head [messageHeader]byte // the first of them
}

// whole reports whether p, which has grown at its end since the last call,
// holds a whole ClientHello, or what is none and crypto/tls will say so.
func (c *coming) whole(p []byte) bool {
	const handshakeType, clientHello, longestRecord, longest = 22, 1, 1<<14 + 256, 1 << 16
	for {
		rest := p[c.at:]
		switch {
		case len(rest) == 0:
			return false
		case rest[0] != handshakeType:
			return true
		case len(rest) < recordHeader:
			return false
		}
		n := int(rest[3])<<8 | int(rest[4])
		if n == 0 || n > longestRecord {
			return true
		}
		if len(rest) < recordHeader+n {
			return false
		}
		body := rest[recordHeader : recordHeader+n]
		if c.got < messageHeader {
			copy(c.head[c.got:], body)
		}
		c.at, c.got = c.at+recordHeader+n, c.got+n
		if c.head[0] != clientHello {
			return true
		}
		if c.got >= messageHeader {
			length := int(c.head[1])<<16 | int(c.head[2])<<8 | int(c.head[3])
			if length > longest || c.got >= messageHeader+length {
				return true
			}
		}
	}
}

// start has the handshake done on a goroutine of its own, in its turn.
func (h *handshake) start() {
	h.started = true
	h.t.loop.shared.turns.begin(h)
}

// launch starts the goroutine, which has a turn.
func (h *handshake) launch() { h.t.loop.run(h.run) }

// run is the goroutine of a handshake.
func (h *handshake) run() {
	h.computes = true
	if h.t.conn == nil {
		h.t.conn = tls.Server((*wire)(h.t), h.config)
	}
	err := h.t.conn.Handshake()
	if h.computes {
		h.t.loop.shared.turns.give()
	}
	h.t.loop.silent.remove(h)
	h.t.loop.events.Post(func() {
		if h.ended {
			return
		}
		if h.client && err == io.EOF { // it did not leave before it had said who it is
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			h.fail(err)
			return
		}
		t := h.t
		t.shake = nil
		t.stands = t.loop.events.Now()
		if len(h.hello) > 0 {
			t.kept = append(t.loop.buffers.Take(len(h.hello)), h.hello...)
		}
		slim(t.conn, 0)
		t.s.Allow(loop.Readable | loop.Writable) // what is true the next call finds out
		t.user.Secured(nil)
	})
}

// fail ends the handshake, which its user closes the connection for.
func (h *handshake) fail(err error) {
	h.ended = true
	h.t.user.Secured(err)
}

// close is called when the loop closes the descriptor.
func (h *handshake) close() {
	h.ended = true
	if !h.started {
		return
	}
	h.mu.Lock()
	h.fd = -1
	h.mu.Unlock()
	h.poke()
}

// read is what crypto/tls reads from during the handshake.
func (h *handshake) read(p []byte) (int, error) {
	if len(h.hello) > 0 {
		if h.gone() {
			return 0, unix.EBADF // nobody is there to compute an answer for
		}
		n := copy(p, h.hello)
		if h.hello = h.hello[n:]; len(h.hello) == 0 {
			h.hello = nil
		}
		return n, nil
	}
	for {
		n, errno := h.call(loop.Receive, p)
		switch {
		case errno == unix.EAGAIN:
			h.await()
		case errno != 0:
			return 0, errno
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// write is what it writes to. What the messages before were read through is let
// go of: the next one may never come.
func (h *handshake) write(p []byte) (int, error) {
	slim(h.t.conn, 0)
	sent := 0
	for {
		n, errno := h.call(loop.Transmit, p[sent:])
		sent += n
		switch {
		case errno == unix.EAGAIN:
			h.await()
		case errno != 0:
			return sent, errno
		case sent == len(p):
			return sent, nil
		}
	}
}

func (h *handshake) gone() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fd < 0
}

// call is a system call on the descriptor, unless it is closed.
func (h *handshake) call(do func(int, []byte) (int, syscall.Errno), p []byte) (int, syscall.Errno) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fd < 0 {
		return 0, unix.EBADF
	}
	return do(h.fd, p)
}

// await gives the turn away until something has become possible.
func (h *handshake) await() {
	slimMessages(h.t.conn)
	turns := &h.t.loop.shared.turns
	h.computes = false
	turns.give()
	if !h.awaited {
		h.awaited = true
		h.t.loop.waits(h)
	}
	<-h.ready
	if h.gone() { // what is left needs no turn
		return
	}
	turns.take(h)
	h.computes = true
}
