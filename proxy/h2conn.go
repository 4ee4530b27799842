package proxy

import (
	"herald/proxy/h1"
	"herald/proxy/h2"
	"herald/proxy/loop"
)

// h2conn is a client's connection that carries HTTP/2 streams. Each stream is
// a client of its own with a virtual socket (h2stream), so that a request
// lives as every other. Its loop owns it.
type h2conn struct {
	h2pipe
	c *client
}

// isH2 begins HTTP/2 when the first bytes say so (RFC 9113 section 3.3), or
// waits for more when they may. It reports that they are not a request.
func (c *client) isH2(p []byte) bool {
	n := min(len(p), len(h2.Preface))
	if c.port.fe.cfg.DisableH2Upgrade || c.port.bind.Proto == "h1" || string(p[:n]) != h2.Preface[:n] {
		return false
	}
	if n < len(h2.Preface) {
		c.sniffing = true
		c.hold(p)
		if c.Can()&loop.Readable != 0 { // no event will come for what is there
			c.w.l.Again(c)
		}
		return true
	}
	c.startH2(p)
	return true
}

// isPreface reports a head that is the beginning of HTTP/2 where that is not
// wanted, or too late.
func (x *stream) isPreface(buf []byte) bool {
	h := &x.w.head
	return h.Method == h1.MethodOther && h.Target.Len() == 1 && string(h.MethodAt.In(buf)) == "PRI"
}

// sniff receives more of what may be the preface.
func (c *client) sniff() {
	c.sniffing = false
	before := len(c.in)
	n, errno := c.Recv(c.in[before:cap(c.in)])
	if errno == eagain {
		c.sniffing = true
		return
	}
	if n > 0 && errno == 0 {
		first := c.in[:before+n]
		c.in = nil
		if !c.isH2(first) {
			c.in = first
		} else {
			c.w.buffers.Give(first)
		}
	}
	c.pump()
}

// startH2 makes c a carrier of streams; p is what has come of it.
func (c *client) startH2(p []byte) {
	m := &h2conn{c: c}
	c.h2 = m
	c.hearMore()
	m.start(c.w, &c.Socket, m, &c.port.fe.tallies[c.w.id], h2.Config{NoConnect: c.w.s.cfg.Global.H2.NoWebSockets})
	c.arm(c.requestTimeout())
	room := c.w.mux.room()
	m.read(room[:copy(room, p)])
	m.ready()
}

// Ready is called for the client's socket.
func (m *h2conn) Ready(loop.Event) { m.ready() }

// rest closes a connection that is over, and begins the wait on one that is
// idle.
func (m *h2conn) rest() {
	c := m.c
	if m.Len() > 0 || m.ending || m.sock == nil {
		return
	}
	if m.Leaving() || m.eof || m.PeerLeft() {
		m.Leave()
		m.ending = true
		m.touch()
		return
	}
	c.since = c.w.l.Now()
	c.arm(c.idleTimeout())
}

// expired ends an idle connection.
func (m *h2conn) expired() {
	switch {
	case m.ending: // it does not take our last words
		m.finish(false)
	case m.Len() == 0:
		m.Leave()
		m.rest()
	}
}

// drain asks the client to open its next streams elsewhere.
func (m *h2conn) drain() {
	m.Drain()
	m.touch()
	m.rest()
}

func (m *h2conn) stuck() { m.c.arm(m.c.port.fe.cfg.Timeouts.Client) }

func (m *h2conn) done(orderly bool) {
	c := m.c
	m.c, c.h2 = nil, nil
	if orderly {
		c.finish()
	} else {
		c.close()
	}
}

// head makes a client of a new stream, and starts its request.
func (m *h2conn) head(ev *h2.Event) {
	c, w := m.c, m.w
	h := w.mux.take()
	v := w.clients.take()
	w.l.Virtual(&v.Socket, h, v)
	h.m, h.s, h.sock, h.line = &m.h2pipe, ev.Stream, &v.Socket, ev.Data
	ev.Stream.Owner = h
	v.w, v.port, v.peer, v.said, v.since = w, c.port, c.peer, c.said, w.l.Now()
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

// malformed logs a request that never became one, as HAProxy does.
func (m *h2conn) malformed() {
	c, w := m.c, m.w
	v := w.clients.take()
	v.w, v.port, v.peer, v.said, v.since = w, c.port, c.peer, c.said, w.l.Now()
	v.via = &h2stream{m: &m.h2pipe}
	x := v.begin()
	x.began, x.unborn = 0, true
	x.flag('P', 'R')
	x.writeLog()
	w.giveStream(x)
	w.clients.give(v)
}

// carrier is the client whose connection the stream is on, nil when that has
// gone.
func (h *h2stream) carrier() *client {
	if m, ok := h.m.end.(*h2conn); ok {
		return m.c
	}
	return nil
}

// descriptor is the one bytes of c travel by; negative when there is none any
// more.
func (c *client) descriptor() int {
	if c.via == nil {
		return c.FD()
	}
	return c.via.descriptor()
}
