package proxy

import (
	"crypto/rand"

	"herald/proxy/h1"
	"herald/proxy/h2"
	"herald/proxy/loop"
)

// h2conn is a client's connection that carries HTTP/2 streams. Each stream is
// a client of its own with a virtual socket (h2stream), so that a request
// lives as every other. Its loop owns it.
type h2conn struct {
	h2.Conn
	w    *worker
	c    *client     // nil once the connection is closed
	in   []byte      // the beginning of a frame
	full []*h2stream // wait for room on the connection
	// dirty: it stands in the list of those with something to send.
	dirty  bool
	eof    bool // the client has ended its side
	ending bool // close when everything is sent
}

// h2worker is what the HTTP/2 connections of one loop share.
type h2worker struct {
	w       *worker
	scratch h2.Scratch
	buffer  []byte      // what is received: the loop's own is the streams'
	streams []*h2stream // free
	dirty   []h2carrier
	spare   []h2carrier
}

// h2carrier is a connection with something to send.
type h2carrier interface{ flush() }

// flushRounds bounds how often one turn of the loop sends what sending made
// room for.
const flushRounds = 4

// flush sends what the handlers of this turn wrote, in one call for each
// connection.
func (m *h2worker) flush() {
	for range flushRounds {
		if len(m.dirty) == 0 {
			return
		}
		m.dirty, m.spare = m.spare[:0], m.dirty
		for i, c := range m.spare {
			c.flush()
			m.spare[i] = nil
		}
	}
	if len(m.dirty) > 0 {
		m.w.l.Again(m)
	}
}

// Ready is called by the loop for another turn, after which it calls flush.
func (m *h2worker) Ready(loop.Event) {}

// room is the buffer for receiving. While a connection reads from it, no other
// does: what its streams set off sends, but receives nowhere.
func (m *h2worker) room() []byte {
	if m.buffer == nil {
		m.buffer = make([]byte, 64<<10)
		m.scratch.Chance = func(p []byte) { rand.Read(p) }
	}
	return m.buffer
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
		c.in = c.in[:before+n]
		first := c.in
		c.in = nil
		mine := c.isH2(first)
		if !mine {
			c.in = first
		} else {
			c.w.buffers.give(first)
		}
	}
	c.pump()
}

// startH2 makes c a carrier of streams; p is what has come of it.
func (c *client) startH2(p []byte) {
	w, g := c.w, &c.w.s.cfg.Global
	m := &h2conn{w: w, c: c}
	c.h2 = m
	room := w.mux.room()
	m.Start(h2.Config{MaxStreams: g.H2.MaxStreams, Window: g.H2.Window, TableSize: g.H2.TableSize,
		MaxHead: w.s.bufSize() - g.MaxRewrite, Scratch: &w.mux.scratch})
	c.arm(c.requestTimeout())
	m.touch()
	n := copy(room, p)
	m.read(room[:n])
	m.ready()
}

// touch puts m in the list of those with something to send.
func (m *h2conn) touch() {
	if !m.dirty && m.c != nil {
		m.dirty = true
		mux := &m.w.mux
		mux.dirty = append(mux.dirty, m)
	}
}

// ready receives and reads frames. It leaves off when the client takes none of
// our answers.
func (m *h2conn) ready() {
	c := m.c
	if c.Can()&loop.Writable != 0 && len(m.Out()) > 0 {
		m.touch()
	}
	for range turn {
		if m.c == nil || m.ending || m.eof || m.Stalled() || c.Can()&loop.Readable == 0 {
			return
		}
		room := c.w.mux.room()
		k := copy(room, m.in)
		n, errno := c.Recv(room[k:])
		switch {
		case errno == eagain:
			return
		case errno != 0:
			m.lost()
			return
		case n == 0:
			m.clientEnded()
			return
		}
		if m.in != nil {
			c.w.buffers.give(m.in)
			m.in = nil
		}
		m.read(room[:k+n])
	}
	m.goOn()
}

// goOn asks for another turn when there is more to read.
func (m *h2conn) goOn() {
	if m.c != nil && !m.ending && !m.eof && !m.Stalled() && m.c.Can()&loop.Readable != 0 {
		m.w.l.Again(m.c)
	}
}

// read handles the frames in p, and keeps the beginning of one.
func (m *h2conn) read(p []byte) {
	w := m.w
	m.borrow()
	for len(p) > 0 {
		ev, n := m.Next(p, w.l.Now())
		if ev.Kind == h2.NeedMore && n == 0 {
			m.in = append(w.buffers.take(len(p)), p...)
			break
		}
		p = p[n:]
		m.handle(&ev)
		if ev.Kind == h2.Broken {
			break
		}
	}
	if len(m.Out()) > 0 {
		m.touch()
	}
}

// handle acts on one event.
func (m *h2conn) handle(ev *h2.Event) {
	switch ev.Kind {
	case h2.HeadArrived:
		m.begin(ev)
	case h2.DataArrived:
		ev.Stream.Owner.(*h2stream).data(ev)
	case h2.ResetByPeer:
		ev.Stream.Owner.(*h2stream).v.Offer(loop.Failed | loop.Hangup | loop.Readable | loop.Writable)
	case h2.RoomGrew:
		if ev.Stream != nil {
			ev.Stream.Owner.(*h2stream).wake()
		} else {
			m.wakeFull()
		}
	case h2.WindowsGrew:
		m.Each(func(s *h2.Stream) { s.Owner.(*h2stream).wake() })
	case h2.DrainHeard:
		m.Leave()
		m.rest()
	case h2.PeerLeaves:
		m.rest()
	case h2.Broken:
		m.ending = true
		m.fail()
		m.touch()
	}
}

// fail ends every stream.
func (m *h2conn) fail() {
	m.Each(func(s *h2.Stream) {
		h := s.Owner.(*h2stream)
		h.cut = true
		h.v.Offer(loop.Failed | loop.Hangup | loop.Readable | loop.Writable)
	})
}

// lost deals with a connection that broke.
func (m *h2conn) lost() {
	m.eof, m.ending = true, true
	m.Abandon()
	m.fail()
	m.close()
}

// clientEnded deals with a client that sends no more: what it asked for whole
// is still answered.
func (m *h2conn) clientEnded() {
	m.eof = true
	m.Each(func(s *h2.Stream) {
		h := s.Owner.(*h2stream)
		if !s.Ended() {
			h.cut = true
			h.v.Offer(loop.Hangup | loop.Readable)
			return
		}
		h.v.Offer(loop.Hangup)
	})
	m.rest()
}

// rest is called when there may be no stream any more: the connection is then
// idle, or over.
func (m *h2conn) rest() {
	c := m.c
	if m.Len() > 0 || m.ending || c == nil {
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
	if m.Len() > 0 && !m.ending {
		return
	}
	if m.ending { // it does not take our last words
		m.close()
		return
	}
	m.Leave()
	m.rest()
}

// drain asks the client to open its next streams elsewhere.
func (m *h2conn) drain() {
	m.Drain()
	m.touch()
	if m.Len() == 0 {
		m.rest()
	}
}

// flush sends what has been written.
func (m *h2conn) flush() {
	m.dirty = false
	c := m.c
	if c == nil {
		return
	}
	for len(m.Out()) > 0 && c.Can()&loop.Writable != 0 {
		n, errno := c.Send(m.Out())
		if errno == eagain {
			break
		}
		if errno != 0 {
			m.lost()
			return
		}
		m.Sent(n)
	}
	if len(m.Out()) > 0 {
		if m.ending {
			c.arm(c.port.fe.cfg.Timeouts.Client)
		}
		return
	}
	if buf := m.TakeBack(); buf != nil {
		c.w.buffers.give(buf)
	}
	if m.ending {
		m.finish()
		return
	}
	m.wakeFull()
	m.goOn()
}

// wakeFull lets those write who found the connection full, in turn.
func (m *h2conn) wakeFull() {
	waiting := m.full
	m.full = nil
	for i, h := range waiting {
		if h.waits == m {
			h.waits = nil
			h.wake()
		}
		waiting[i] = nil
	}
	if m.full == nil {
		m.full = waiting[:0]
	}
}

// finish closes in order, with our last words under way.
func (m *h2conn) finish() {
	c := m.c
	m.release()
	c.h2 = nil
	c.finish()
}

// close closes at once.
func (m *h2conn) close() {
	c := m.c
	m.release()
	c.h2 = nil
	c.close()
}

func (m *h2conn) release() {
	w := m.w
	m.c = nil
	if m.in != nil {
		w.buffers.give(m.in)
		m.in = nil
	}
	m.full = nil
}
