package proxy

import (
	"crypto/rand"

	"herald/proxy/h2"
	"herald/proxy/loop"
)

// h2pipe moves the frames of one connection, from a client (h2conn) or to a
// server (h2up): it receives, hands what is found to the streams, and sends
// what they wrote. Its loop owns it.
type h2pipe struct {
	h2.Conn
	w    *worker
	sock *loop.Socket // nil once the connection is closed
	end  h2end
	// tally is where it is counted; counted are the streams open there.
	tally   *tally
	counted int
	in      []byte      // the beginning of a frame
	full    []*h2stream // wait for room on the connection
	late    *h2stream   // has a head to be read, perhaps with what follows
	// dirty: it stands in the list of those with something to send.
	dirty  bool
	eof    bool // the peer has ended its side
	ending bool // close when everything is sent
}

// h2end is which end of the connection is ours.
type h2end interface {
	loop.Handler
	// head is told of a request or response that has come.
	head(*h2.Event)
	// malformed is told of a request that was refused.
	malformed()
	// rest is called when there may be no stream any more: the connection is
	// then idle, or over.
	rest()
	// done closes: in order, with our last words under way, or at once. The
	// pipe knows no socket any more.
	done(orderly bool)
	// stuck is called when last words are left that the peer does not take.
	stuck()
}

// h2worker is what the HTTP/2 connections of one loop share.
type h2worker struct {
	w       *worker
	scratch h2.Scratch
	buffer  []byte      // what is received: the loop's own is the streams'
	streams []*h2stream // free
	dirty   []*h2pipe
	spare   []*h2pipe
	ups     [][]*h2up // connections to servers, by target.slot
}

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
		for i, p := range m.spare {
			p.flush()
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

// start begins to speak HTTP/2 on a socket.
func (m *h2pipe) start(w *worker, sock *loop.Socket, end h2end, n *tally, cfg h2.Config) {
	w.mux.room()
	g := &w.s.cfg.Global
	m.w, m.sock, m.end, m.tally = w, sock, end, n
	n.h2.conns.Add(1)
	n.h2.openConns.Add(1)
	cfg.MaxStreams, cfg.Window, cfg.TableSize, cfg.FrameSize = g.H2.MaxStreams, g.H2.Window, g.H2.TableSize, g.H2.FrameSize
	cfg.MaxHead, cfg.Scratch = w.s.headLimit(), &w.mux.scratch
	m.Start(cfg)
	m.touch()
}

// touch puts m in the list of those with something to send.
func (m *h2pipe) touch() {
	if !m.dirty && m.sock != nil {
		m.dirty = true
		m.w.mux.dirty = append(m.w.mux.dirty, m)
	}
}

// ready receives and reads frames. It leaves off when the peer takes none of
// our answers.
func (m *h2pipe) ready() {
	if len(m.Out()) > 0 && m.sock.Can()&loop.Writable != 0 {
		m.touch()
	}
	for range turn {
		if m.sock == nil || m.ending || m.eof || m.Stalled() || m.sock.Can()&loop.Readable == 0 {
			return
		}
		room := m.w.mux.room()
		k := copy(room, m.in)
		n, errno := m.sock.Recv(room[k:])
		switch {
		case errno == eagain:
			return
		case errno != 0:
			m.lost()
			return
		case n == 0:
			m.peerEnded()
			return
		}
		if m.in != nil {
			m.w.buffers.Give(m.in)
			m.in = nil
		}
		m.read(room[:k+n])
	}
	m.goOn()
}

// goOn asks for another turn when there is more to read.
func (m *h2pipe) goOn() {
	if m.sock != nil && !m.ending && !m.eof && !m.Stalled() && m.sock.Can()&loop.Readable != 0 {
		m.w.l.Again(m.sock.Handler())
	}
}

// read handles the frames in p, and keeps the beginning of one.
func (m *h2pipe) read(p []byte) {
	m.borrow()
	for len(p) > 0 {
		ev, n := m.Next(p, m.w.l.Now())
		if ev.Kind == h2.NeedMore && n == 0 {
			m.in = append(m.w.buffers.Take(len(p)), p...)
			break
		}
		p = p[n:]
		m.handle(&ev)
		if ev.Kind == h2.Broken {
			break
		}
	}
	m.tellLate()
	m.touch() // to be counted, at least
}

// handle acts on one event.
func (m *h2pipe) handle(ev *h2.Event) {
	if m.late != nil && ev.Kind != h2.Nothing && ev.Stream != m.late.s { // of its own events each tells it
		m.tellLate()
	}
	switch ev.Kind {
	case h2.HeadArrived:
		m.end.head(ev)
	case h2.Malformed:
		m.end.malformed()
	case h2.DataArrived:
		m.late = nil
		owner(ev.Stream).data(ev)
	case h2.ResetByPeer:
		m.late = nil
		h := owner(ev.Stream)
		h.unseen = ev.Code == h2.RefusedStream
		h.offer(broken)
	case h2.RoomGrew:
		if ev.Stream != nil {
			owner(ev.Stream).wake()
		} else {
			m.wakeFull()
		}
	case h2.WindowsGrew, h2.PeerReady:
		m.Each(func(s *h2.Stream) { owner(s).wake() })
	case h2.DrainHeard:
		m.Leave()
		m.end.rest()
	case h2.PeerLeaves:
		m.Each(func(s *h2.Stream) {
			if m.toServer() && (s.ID == 0 || s.ID > ev.Last) {
				h := owner(s)
				h.unseen = true
				h.cutOff()
			}
		})
		m.end.rest()
	case h2.Broken:
		m.ending = true
		m.fail()
		m.touch()
	}
}

// toServer reports that the streams are ours.
func (m *h2pipe) toServer() bool {
	_, up := m.end.(*h2up)
	return up
}

// tellLate tells of a head behind which nothing came along.
func (m *h2pipe) tellLate() {
	if h := m.late; h != nil {
		m.late = nil
		h.offer(loop.Readable)
	}
}

// fail ends every stream.
func (m *h2pipe) fail() { m.Each(func(s *h2.Stream) { owner(s).cutOff() }) }

// lost deals with a connection that broke.
func (m *h2pipe) lost() {
	m.eof, m.ending = true, true
	m.Abandon()
	m.fail()
	m.finish(false)
}

// peerEnded deals with a peer that sends no more: what it said whole is still
// of use.
func (m *h2pipe) peerEnded() {
	m.eof = true
	m.Each(func(s *h2.Stream) {
		h := owner(s)
		if !s.Ended() {
			h.cut = true
			h.offer(loop.Hangup | loop.Readable)
			return
		}
		h.offer(loop.Hangup)
	})
	m.end.rest()
}

// flush sends what has been written.
func (m *h2pipe) flush() {
	m.dirty = false
	m.count()
	if m.sock == nil {
		return
	}
	for len(m.Out()) > 0 && m.sock.Can()&loop.Writable != 0 {
		n, errno := m.sock.Send(m.Out())
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
			m.end.stuck()
		}
		return
	}
	if buf := m.TakeBack(); buf != nil {
		m.w.buffers.Give(buf)
	}
	if m.ending {
		m.finish(true)
		return
	}
	m.wakeFull()
	m.goOn()
}

// wakeFull lets those write who found the connection full, in turn.
func (m *h2pipe) wakeFull() {
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

// finish closes the connection.
func (m *h2pipe) finish(orderly bool) {
	if m.sock == nil {
		return
	}
	m.sock = nil
	m.count()
	m.tally.h2.openConns.Add(-1)
	if m.in != nil {
		m.w.buffers.Give(m.in)
		m.in = nil
	}
	if buf := m.TakeBack(); buf != nil {
		m.w.buffers.Give(buf)
	}
	m.full = nil
	m.end.done(orderly)
}

// borrow takes a buffer to write into.
func (m *h2pipe) borrow() {
	if m.Bare() {
		m.Lend(m.w.buffers.Take(64 << 10))
	}
}
