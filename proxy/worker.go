package proxy

import (
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"herald/proxy/expr"
	"herald/proxy/h1"
	"herald/proxy/lb"
	"herald/proxy/logline"
	"herald/proxy/loop"
	"herald/proxy/settings"
	"herald/proxy/tlsconn"
)

// worker is everything one loop owns: its connections, its idle connections
// to servers, its buffers and scratch space. Only its loop touches it.
type worker struct {
	s  *Server
	id int
	l  *loop.Loop

	clients   clientSlab
	upstreams upstreamSlab
	streams   []*stream // free
	buffers   buffers
	idle      [][]*upstream // by target.slot
	demands   []demand      // by target.slot
	begun     uint64        // streams so far
	open      *client       // all clients of this loop, linked

	mux h2worker // what the HTTP/2 connections of this loop share

	tls *tlsconn.Loop

	// Scratch, valid within one handler.
	head    h1.Head
	out     []byte
	text    []byte
	edits   [2]h1.Field
	record  logline.Record
	dates   logline.Dates
	lines   []byte
	message []byte
	letters []gathered // lines of this turn, by sink.gathers
	request lb.Request
	fields  fields
	look    expr.Input
	view    view
	fresh   []byte // just received in the loop's buffer, for the stream begun next
}

func newWorker(s *Server, id int) (*worker, error) {
	w := &worker{s: s, id: id}
	w.dates.Zone = s.start.Location()
	w.mux.w = w
	w.letters = make([]gathered, len(s.gathering))
	var err error
	if w.l, err = loop.New(loop.Options{AfterEvents: w.afterEvents, Nap: w.nap}); err != nil {
		return nil, err
	}
	w.tls = tlsconn.NewLoop(w.l, s.handshakes, &w.buffers, s.wg.Go)
	return w, nil
}

func (w *worker) run() {
	if err := w.l.Run(); err != nil {
		w.s.notice("event loop: " + err.Error())
	}
}

// nap is longer than the pauses of half a load, unless others want a processor:
// handshakes, or the engine that follows a draining one.
func (w *worker) nap() time.Duration {
	if w.s.handshakes.Computing() || w.s.draining.Load() {
		return time.Millisecond
	}
	return 5 * time.Millisecond
}

func (w *worker) afterEvents() {
	w.mux.flush()
	w.postAll()
}

// port is one listening socket on one loop.
type port struct {
	w    *worker
	fe   *frontend
	bind *settings.Bind
	id   int
	li   *loop.Listener
	tls  *acceptor // nil: in the clear
	line *listening
}

// answersAtOnce reports that a request usually is one segment, and the answer
// may acknowledge it.
func (p *port) answersAtOnce() bool {
	return p.fe.http && p.tls == nil && !p.bind.AcceptProxy && p.bind.Network != "unix"
}

// listening is what the ports of one address have in common: the limit of
// their bind line.
type listening struct {
	conns  gauge
	limit  int64 // 0 means none
	paused atomic.Bool
	ports  []*port
}

// Reserve asks for room under the limits of the bind line, the frontend and
// the process, and pauses the port when there is none; when a rate is reached,
// until that is over.
func (p *port) Reserve() bool {
	s, f := p.w.s, p.fe
	if rest := p.early(); rest > 0 {
		p.li.Rest(rest)
		return false
	}
	if !f.conns.upTo(f.maxConn.Load()) {
		f.paused.Store(true)
		if f.conns.now.Load() < f.maxConn.Load() { // one left in between
			return p.Reserve()
		}
		p.li.Pause()
		return false
	}
	if !s.conns.upTo(s.maxConn.Load()) {
		f.conns.down()
		s.paused.Store(true)
		if s.conns.now.Load() < s.maxConn.Load() {
			return p.Reserve()
		}
		p.li.Pause()
		return false
	}
	if p.tls != nil && !s.tlsRoom.enter() {
		f.conns.down()
		s.conns.down()
		if s.tlsRoom.left() { // in between
			return p.Reserve()
		}
		p.li.Pause()
		return false
	}
	if l := p.line; !l.conns.upTo(l.limit) {
		f.conns.down()
		s.conns.down()
		if p.tls != nil {
			s.leaveTLS()
		}
		l.paused.Store(true)
		if l.conns.now.Load() < l.limit {
			return p.Reserve()
		}
		p.li.Pause()
		return false
	}
	return true
}

// Release gives a place back, to a port that waits for one.
func (p *port) Release() {
	s, f := p.w.s, p.fe
	f.conns.down()
	s.conns.down()
	if p.tls != nil {
		s.leaveTLS()
	}
	l := p.line
	l.conns.down()
	if l.paused.Load() && l.paused.Swap(false) && !f.off.Load() {
		for _, q := range l.ports {
			q.w.l.Post(q.li.Resume)
		}
	}
	if f.paused.Load() && f.paused.Swap(false) {
		f.resume()
	}
	if s.paused.Load() && s.paused.Swap(false) {
		for _, f := range s.frontends {
			f.resume()
		}
	}
}

// room is what may be there at a time, with ports that wait for some. Without a
// limit it counts nothing.
type room struct {
	limit  int64
	taken  gauge
	paused atomic.Bool
}

// enter takes a place; without one somebody waits from now on.
func (r *room) enter() bool {
	if r.limit == 0 || r.taken.upTo(r.limit) {
		return true
	}
	r.paused.Store(true)
	return false
}

// left reports that a place is to be had.
func (r *room) left() bool { return r.taken.now.Load() < r.limit }

// leaveTLS gives the place of a TLS connection back, to a port that waits for
// one.
func (s *Server) leaveTLS() {
	r := &s.tlsRoom
	if r.limit == 0 {
		return
	}
	r.taken.down()
	if r.paused.Load() && r.paused.Swap(false) {
		for _, f := range s.frontends {
			f.resume()
		}
	}
}

// Starved tells the process's log once per rest of the listener.
func (p *port) Starved(errno syscall.Errno) {
	p.w.s.notice(p.fe.cfg.Name + ": accept: " + errno.Error())
}

// Accepted begins a client connection.
func (p *port) Accepted(fd int, peer netip.AddrPort) {
	w := p.w
	c := w.clients.take()
	if p.bind.Network != "unix" && p.fe.cfg.TCPKeepAliveClient {
		keepAlive(fd, &p.fe.cfg.ProbesClient)
	}
	if w.s.buffers != (loop.Buffers{}) {
		w.s.buffers.Apply(fd)
	}
	if err := w.l.Register(&c.Socket, fd, c); err != nil {
		w.clients.give(c)
		syscall.Close(fd)
		p.Release()
		return
	}
	c.Yield()
	c.w, c.port, c.peer, c.since = w, p, peer, w.l.Now()
	c.mute = p.answersAtOnce()
	w.link(c)
	p.fe.tallies[w.id].conns.Add(1)
	w.s.connPace.count(c.since)
	c.accepted()
}

func keepAlive(fd int, k *settings.KeepAliveProbes) {
	loop.KeepAlive(fd, k.Count, int(k.Idle/time.Second), int(k.Interval/time.Second))
}

// resume lets all ports of f accept again, each on its loop.
func (f *frontend) resume() {
	if f.off.Load() {
		return
	}
	for _, p := range f.ports {
		p.w.l.Post(p.li.Resume)
	}
}

// pause stops all ports of f.
func (f *frontend) pause() {
	for _, p := range f.ports {
		p.w.l.Post(p.li.Pause)
	}
}

// lastRequest is how long an idle client of a draining engine may still send
// one: its request may be on its way, and closing the connection then would
// lose it (RFC 9112 section 9.6). The answer tells it to close.
const lastRequest = 5 * time.Second

// drain closes the ports of this loop and gives its idle clients a last
// deadline.
func (w *worker) drain() {
	for _, f := range w.s.frontends {
		for _, p := range f.ports {
			if p.w == w {
				p.li.Close()
			}
		}
	}
	for c := w.open; c != nil; {
		after := c.after
		switch {
		case c.h2 != nil:
			c.h2.drain()
		case c.x == nil && c.linger == 0:
			c.arm(c.idleTimeout())
		}
		c = after
	}
	w.s.accepting.Add(-1)
	w.s.checkIdle()
}

func (w *worker) link(c *client) {
	c.after = w.open
	if w.open != nil {
		w.open.before = c
	}
	w.open = c
}

func (w *worker) unlink(c *client) {
	if c.before != nil {
		c.before.after = c.after
	} else {
		w.open = c.after
	}
	if c.after != nil {
		c.after.before = c.before
	}
}

// buffers are free byte buffers by size. What a connection holds only while
// it must is taken from here.
type buffers struct {
	free [len(bufferSizes)][][]byte
}

// bufferSizes begin small: ten thousand clients that are slow with their
// heads must not cost a full buffer each.
var bufferSizes = [...]int{1 << 10, 4 << 10, 16 << 10, loop.Headroom + 64<<10}

// Take answers an empty buffer for at least n bytes.
func (b *buffers) Take(n int) []byte {
	for i, size := range bufferSizes {
		if n > size {
			continue
		}
		if k := len(b.free[i]); k > 0 {
			buf := b.free[i][k-1]
			b.free[i] = b.free[i][:k-1]
			return buf
		}
		return make([]byte, 0, size)
	}
	return make([]byte, 0, n)
}

// Grow answers a buffer with the bytes of buf and room for at least n in all,
// and takes buf back.
func (b *buffers) Grow(buf []byte, n int) []byte {
	larger := append(b.Take(n), buf...)
	b.Give(buf)
	return larger
}

// keepFree is how many free buffers of a size a loop keeps; the rest is left
// to the collector.
const keepFree = 64

// Give takes a buffer back.
func (b *buffers) Give(buf []byte) {
	for i, size := range bufferSizes {
		if cap(buf) == size && len(b.free[i]) < keepFree {
			b.free[i] = append(b.free[i], buf[:0])
		}
	}
}
