package proxy

import (
	"syscall"

	"golang.org/x/sys/unix"

	"herald/proxy/h2"
	"herald/proxy/loop"
)

// h2stream is the layer of a stream's virtual socket: its client reads and
// writes HTTP/1, the connection carries frames.
type h2stream struct {
	m     *h2conn
	s     *h2.Stream
	v     *client
	line  []byte  // the request line for the log, while the stream is begun
	now   []byte  // what arrives in this moment
	in    []byte  // what arrived earlier, in a buffer of the loop's
	at    int     // of in, already read
	waits *h2conn // stands in its list of those who wait for room
	cut   bool    // nothing more will come, and what has come is not whole
}

// begin makes a client of a new stream, and starts its request.
func (m *h2conn) begin(ev *h2.Event) {
	c := m.c
	w := c.w
	var h *h2stream
	if free := w.mux.streams; len(free) > 0 {
		h = free[len(free)-1]
		w.mux.streams = free[:len(free)-1]
	} else {
		h = &h2stream{}
	}
	v := w.clients.take()
	h.m, h.s, h.v, h.line = m, ev.Stream, v, ev.Data
	ev.Stream.Owner = h
	w.l.Virtual(&v.Socket, h, v)
	v.w, v.port, v.peer, v.dst, v.since = w, c.port, c.peer, c.dst, w.l.Now()
	v.via, v.served = h, 1
	w.link(v)
	v.Allow(loop.Writable)
	if m.Len() == 1 {
		c.served = 1
		w.l.Disarm(&c.timer)
	}
	w.fresh = ev.Text
	v.begin().drive()
}

// descriptor is the one bytes of c travel by.
func (c *client) descriptor() int {
	if c.via == nil {
		return c.FD()
	}
	if c = c.via.m.c; c == nil {
		return -1
	}
	return c.FD()
}

// data passes on what has arrived of the body, and keeps what is not wanted
// yet.
func (h *h2stream) data(ev *h2.Event) {
	if ev.End {
		h.s.In.End(ev.Text)
	}
	h.now = ev.Data
	h.v.Offer(loop.Readable)
	if h.v != nil && len(h.now) > 0 {
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
		h.in = b.take(len(p))
	case len(h.in)+len(p) > cap(h.in):
		h.in = b.grow(h.in, len(h.in)+len(p))
	}
	h.in = append(h.in, p...)
}

// wake lets the stream write on.
func (h *h2stream) wake() {
	if h.v != nil && h.v.Can()&loop.Writable == 0 {
		h.v.Offer(loop.Writable)
	}
}

// Recv reads the body as HTTP/1 has it.
func (h *h2stream) Recv(sock *loop.Socket, p []byte) (int, syscall.Errno) {
	in := &h.s.In
	if h.s.Reset() {
		return 0, unix.ECONNRESET
	}
	n := 0
	if h.at < len(h.in) {
		k, used := in.Read(p, h.in[h.at:])
		n += k
		h.at += used
		h.taken(used)
		if h.at == len(h.in) {
			h.m.w.buffers.give(h.in)
			h.in, h.at = nil, 0
		}
	}
	if h.in == nil {
		k, used := in.Read(p[n:], h.now)
		n += k
		h.now = h.now[used:]
		h.taken(used)
	}
	switch left := h.in != nil || len(h.now) > 0 || in.Waiting(); {
	case left, in.Finished():
	case h.cut:
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

func (h *h2stream) taken(n int) {
	if n > 0 {
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
	n, room := m.Write(h.s, p)
	m.touch()
	switch room {
	case h2.Refused:
		if n == 0 {
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

// borrow takes a buffer to write into.
func (m *h2conn) borrow() {
	if m.Bare() {
		m.Lend(m.w.buffers.take(64 << 10))
	}
}

// CloseWrite ends what the stream says.
func (h *h2stream) CloseWrite(*loop.Socket) {
	h.m.WriteEnd(h.s)
	h.m.touch()
}

// Close ends the stream; what is not whole is cut off.
func (h *h2stream) Close(*loop.Socket) {
	m := h.m
	w := m.w
	m.Conn.Close(h.s, h2.InternalError)
	m.touch()
	if h.in != nil {
		w.buffers.give(h.in)
	}
	*h = h2stream{}
	w.mux.streams = append(w.mux.streams, h)
	m.rest()
}
