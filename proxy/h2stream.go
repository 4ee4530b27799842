package proxy

import (
	"syscall"

	"golang.org/x/sys/unix"

	"herald/proxy/h2"
	"herald/proxy/loop"
)

// h2stream is the layer of a stream's virtual socket: its user, a client or an
// upstream, reads and writes HTTP/1, the connection carries frames.
type h2stream struct {
	m       *h2pipe
	s       *h2.Stream
	sock    *loop.Socket // nil when closed
	line    []byte       // the request line for the log, while the stream is begun
	head    []byte       // of a response, to be read before the body
	now     []byte       // what arrives in this moment
	in      []byte       // what arrived earlier, in a buffer of the loop's
	at      int          // of in, already read
	waits   *h2pipe      // stands in its list of those who wait for room
	patient bool         // it waits for the server's settings
	unseen  bool         // the server has not begun it
	cut     bool         // nothing more will come, and what has come is not whole
}

// broken is what becomes possible on a stream that is over: everything fails.
const broken = loop.Failed | loop.Hangup | loop.Readable | loop.Writable

func owner(s *h2.Stream) *h2stream { return s.Owner.(*h2stream) }

// take is an h2stream to be filled.
func (m *h2worker) take() *h2stream {
	if n := len(m.streams); n > 0 {
		h := m.streams[n-1]
		m.streams = m.streams[:n-1]
		return h
	}
	return &h2stream{}
}

func (h *h2stream) descriptor() int {
	if h.m.sock == nil {
		return -1
	}
	return h.m.sock.FD()
}

// offer tells the user what became possible. The stream may be closed
// afterwards.
func (h *h2stream) offer(ev loop.Event) {
	if h.sock != nil {
		h.sock.Offer(ev)
	}
}

// cutOff ends the stream from below.
func (h *h2stream) cutOff() {
	h.cut = true
	h.offer(broken)
}

// data passes on what has arrived of the body, and keeps what is not wanted
// yet.
func (h *h2stream) data(ev *h2.Event) {
	h.now = ev.Data
	switch {
	case ev.End:
		h.s.In.End(ev.Text)
		if len(ev.Text) > 0 {
			h.trail(ev.Text)
		}
	case ev.Open && h.mayTrail():
		last := len(h.now) - 1
		h.s.In.Hold(h.now[last])
		h.now = h.now[:last]
		h.taken(1)
	}
	h.offer(loop.Readable)
	if h.sock != nil && len(h.now) > 0 {
		h.keep(h.now)
		h.now = nil
	}
}

// keep holds p behind what is held.
func (h *h2stream) keep(p []byte) {
	b := &h.m.w.buffers
	if h.at > 0 {
		h.in = h.in[:copy(h.in, h.in[h.at:])]
		h.at = 0
	}
	switch {
	case h.in == nil:
		h.in = b.Take(len(p))
	case len(h.in)+len(p) > cap(h.in):
		h.in = b.Grow(h.in, len(h.in)+len(p))
	}
	h.in = append(h.in, p...)
}

// keepHead holds the head of a response until it is read.
func (h *h2stream) keepHead(text []byte) {
	if h.head == nil {
		h.head = h.m.w.buffers.Take(len(text))
	}
	h.head = append(h.head, text...)
}

// wake lets the stream write on.
func (h *h2stream) wake() {
	if h.patient && !h.m.Settled() {
		return
	}
	if h.sock != nil && h.sock.Can()&loop.Writable == 0 {
		h.sock.Offer(loop.Writable)
	}
}

// Recv reads the message as HTTP/1 has it.
func (h *h2stream) Recv(sock *loop.Socket, p []byte) (int, syscall.Errno) {
	n := 0
	if len(h.head) > 0 {
		n = copy(p, h.head)
		if h.head = h.head[:copy(h.head, h.head[n:])]; len(h.head) > 0 {
			return n, 0
		}
		h.m.w.buffers.Give(h.head)
		h.head = nil
	}
	n += h.body(p[n:])
	in := &h.s.In
	switch left := h.in != nil || len(h.now) > 0 || in.Waiting(); {
	case left, in.Finished():
	case h.cut || h.s.Reset():
		if in.Release() {
			n += h.body(p[n:])
		}
		if n == 0 {
			return 0, unix.ECONNRESET
		}
	default:
		sock.Withhold(loop.Readable)
		if n == 0 {
			return 0, eagain
		}
	}
	return n, 0
}

// body reads of the body what is there.
func (h *h2stream) body(p []byte) (n int) {
	in := &h.s.In
	if h.at < len(h.in) {
		k, used := in.Read(p, h.in[h.at:])
		n += k
		h.at += used
		h.taken(used)
		if h.at == len(h.in) {
			h.m.w.buffers.Give(h.in)
			h.in, h.at = nil, 0
		}
	}
	if h.in == nil {
		k, used := in.Read(p[n:], h.now)
		n += k
		h.now = h.now[used:]
		h.taken(used)
	}
	return n
}

func (h *h2stream) taken(n int) {
	if n > 0 {
		h.m.borrow()
		h.m.Taken(h.s, n)
		if len(h.m.Out()) > 0 {
			h.m.touch()
		}
	}
}

// Send takes what the stream says in HTTP/1.
func (h *h2stream) Send(sock *loop.Socket, p []byte, _ bool) (int, syscall.Errno) {
	m := h.m
	m.borrow()
	if h.s.Unsaid() {
		h.s.Follow(h.source())
	}
	n, room := m.Write(h.s, p)
	m.touch()
	switch room {
	case h2.Refused:
		if n == 0 {
			h.cut = true
			sock.Allow(loop.Readable) // the end, for who waits for an answer
			return 0, unix.EPIPE
		}
	case h2.StreamFull, h2.ConnFull:
		sock.Withhold(loop.Writable)
		if room == h2.ConnFull && h.waits == nil {
			h.waits = m
			m.full = append(m.full, h)
		}
		if n == 0 {
			return 0, eagain
		}
	}
	return n, 0
}

// CloseWrite ends what the stream says.
func (h *h2stream) CloseWrite(*loop.Socket) {
	h.m.borrow()
	h.m.WriteEnd(h.s)
	h.m.touch()
}

// Close ends the stream; what is not whole is cut off.
func (h *h2stream) Close(*loop.Socket) {
	m := h.m
	m.borrow()
	m.Conn.Close(h.s, m.cutCode())
	m.touch()
	for _, buf := range [][]byte{h.in, h.head} {
		if buf != nil {
			m.w.buffers.Give(buf)
		}
	}
	if m.late == h {
		m.late = nil
	}
	*h = h2stream{}
	m.w.mux.streams = append(m.w.mux.streams, h)
	if m.sock == nil {
		m.count()
	}
	m.end.rest()
}

// cutCode is what a peer is told of a message we cannot finish, or do not
// want.
func (m *h2pipe) cutCode() h2.Code {
	if m.toServer() {
		return h2.Cancel
	}
	return h2.InternalError
}
