package proxy

import (
	"net/netip"
	"time"

	"herald/proxy/loop"
	"herald/proxy/tlsconn"
)

// client is a connection from a client. Between requests it is all that is
// kept: 256 bytes, so that a block of clients fills one of the allocator's. Its
// loop owns it.
type client struct {
	loop.Socket
	timer loop.Timer
	w     *worker
	port  *port
	x     *stream   // the request under way, or nil
	own   *upstream // kept for this client alone, the latest in front
	in    []byte    // received and not yet used: a partial head, a pipelined request
	peer  netip.AddrPort
	said  *introduction // what a PROXY header said; nil without one
	since int64         // accept, or the end of the previous response
	// served counts finished requests.
	served        uint32
	bound         bool // it is to go on with own, as the server has authenticated that
	pumping       bool
	mute          bool      // what comes is acknowledged by the answer (loop.DelayAck)
	encrypted     bool      // or on the way to be
	introducing   bool      // the PROXY header is awaited
	sniffing      bool      // what has come may be the beginning of HTTP/2
	h2            *h2conn   // this connection carries HTTP/2 streams
	via           *h2stream // this client is a stream, and its socket virtual
	linger        int       // bytes still thrown away before an orderly end; 0 when not lingering
	before, after *client   // in the loop's list
}

// clientSlab hands out clients from blocks, so that they lie together and
// cost the collector little.
type clientSlab struct {
	free []*client
}

const slabSize = 64

func (s *clientSlab) take() *client {
	if len(s.free) == 0 {
		block := make([]client, slabSize)
		for i := range block {
			s.free = append(s.free, &block[i])
		}
	}
	c := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	return c
}

func (s *clientSlab) give(c *client) {
	*c = client{}
	s.free = append(s.free, c)
}

// accepted starts the connection: what comes before the protocol, in its
// order, then the protocol.
func (c *client) accepted() {
	if c.refusedBy(c.port.fe.cfg.Rules.Connection) {
		c.port.fe.tallies[c.w.id].deniedConn.Add(1)
		c.Reset() // as HAProxy refuses it
		c.close()
		return
	}
	c.letIn()
	if c.port.bind.AcceptProxy {
		c.awaitHeader()
		return
	}
	c.introduced()
}

// introduced goes on when it is known who the client is.
func (c *client) introduced() {
	if c.port.tls != nil {
		c.encrypt()
		return
	}
	c.startProtocol("")
}

// startProtocol begins what the client and we agreed on by ALPN, if there was
// one.
func (c *client) startProtocol(alpn string) {
	if c.refusedBy(c.port.fe.cfg.Rules.Session) {
		c.port.fe.tallies[c.w.id].deniedSess.Add(1)
		c.close()
		return
	}
	c.port.fe.tallies[c.w.id].sessions.Add(1)
	c.port.fe.pace.count(c.w.l.Now())
	switch {
	case !c.port.fe.http:
		c.begin().drive()
	case c.port.bind.Proto == "h2" || alpn == "h2":
		c.startH2(nil)
	default:
		c.arm(c.requestTimeout())
	}
}

// requestTimeout is how long a whole request head may take.
func (c *client) requestTimeout() time.Duration {
	t := &c.port.fe.cfg.Timeouts
	if t.HTTPRequest > 0 {
		return t.HTTPRequest
	}
	return t.Client
}

// idleTimeout is how long a kept-alive connection may wait for a request.
func (c *client) idleTimeout() time.Duration {
	t := c.port.fe.cfg.Timeouts.HTTPKeepAlive
	if t <= 0 {
		t = c.requestTimeout()
	}
	if c.w.s.draining.Load() && (t <= 0 || t > lastRequest) {
		return lastRequest
	}
	return t
}

// await begins the wait for the next request.
func (c *client) await() {
	c.served++
	c.since = c.w.l.Now()
	if t := tlsconn.On(&c.Socket); t != nil {
		t.Rest(c.served == 1)
	}
	c.arm(c.idleTimeout())
}

// arm sets the deadline of the connection from now; 0 is none.
func (c *client) arm(d time.Duration) { c.armSince(c.w.l.Now(), d) }

// armSince is arm from another moment on.
func (c *client) armSince(since int64, d time.Duration) {
	if d <= 0 {
		c.w.l.Disarm(&c.timer)
		return
	}
	c.w.l.Arm(&c.timer, since+int64(d), c)
}

// late reports whether the deadline has come, told or not.
func (c *client) late() bool { return c.timer.Armed() && c.timer.When() <= c.w.l.Now() }

// Ready is called by the loop.
func (c *client) Ready(loop.Event) {
	switch {
	case !c.Open():
	case c.h2 != nil:
		c.h2.ready()
	case c.sniffing:
		c.sniff()
	case c.x != nil:
		c.x.drive()
	case c.introducing:
		c.readHeader()
	case c.linger > 0:
		c.discard()
	default:
		c.pump()
	}
}

// Expired is called by the loop when the deadline has come.
func (c *client) Expired(*loop.Timer) {
	c.sniffing = false
	switch {
	case c.h2 != nil:
		c.h2.expired()
	case c.x != nil:
		c.x.late |= clientLate
		c.x.drive()
	case c.introducing:
		c.headerLost(errProxyHeaderLate)
	case c.shaking():
		c.handshakeLost(lateInHandshake)
	case c.linger > 0 || c.served > 0 || c.w.s.draining.Load():
		c.close()
	case c.port.fe.cfg.HTTP.IgnoreProbes:
		c.close()
	default: // not one byte of a first request
		x := c.begin()
		x.late |= clientLate
		x.drive()
	}
}

// pump starts requests while there is input and none is under way.
func (c *client) pump() {
	if c.pumping {
		return
	}
	c.pumping = true
	for c.Open() && c.x == nil && c.linger == 0 && c.h2 == nil && !c.sniffing && (len(c.in) > 0 || c.Can()&loop.Readable != 0) {
		if len(c.in) == 0 && !c.receive() {
			break
		}
		c.begin().run()
	}
	c.pumping = false
}

// receive takes the first bytes of a request into the loop's buffer; the
// stream that is begun next parses them there. It reports false when there
// is nothing to begin with, having closed the connection at its end.
func (c *client) receive() bool {
	w := c.w
	n, errno := c.Recv(w.l.Buffer())
	switch {
	case errno == eagain:
		return false
	case n == 0 || errno != 0:
		if c.served > 0 || c.port.fe.cfg.DontLogNull || c.port.fe.cfg.HTTP.IgnoreProbes {
			c.close()
			return false
		}
		x := c.begin()
		x.fresh = nil
		x.gone = true
		x.run()
		return false
	}
	if c.served == 0 && c.isH2(w.l.Buffer()[:n]) {
		return false
	}
	w.fresh = w.l.Buffer()[:n]
	return true
}

// begin makes a stream for the connection.
func (c *client) begin() *stream {
	w := c.w
	x := w.takeStream()
	x.c, x.fe = c, c.port.fe
	x.accept = c.since
	x.began = w.l.Now()
	x.fresh, w.fresh = w.fresh, nil
	w.begun++
	x.id = w.begun*uint64(len(w.s.workers)) + uint64(w.id)
	c.x = x
	if x.fe.http {
		x.bytesIn = int64(len(c.in))
	} else {
		x.step = stepInspect
	}
	return x
}

// hold keeps bytes that belong to what comes next.
func (c *client) hold(p []byte) {
	if len(p) == 0 {
		return
	}
	if c.in == nil {
		c.in = c.w.buffers.Take(len(p))
	}
	if len(c.in)+len(p) > cap(c.in) {
		c.in = c.w.buffers.Grow(c.in, len(c.in)+len(p))
	}
	c.in = append(c.in, p...)
}

// used drops the first n held bytes.
func (c *client) used(n int) {
	left := copy(c.in, c.in[n:])
	c.in = c.in[:left]
	if left == 0 {
		c.w.buffers.Give(c.in)
		c.in = nil
	}
}

// close ends the connection and gives back everything it holds.
func (c *client) close() {
	w, p := c.w, c.port
	c.dropOwn()
	w.l.Drop(&c.timer)
	if p.fe.cfg.HTTP.NoLinger {
		c.Reset()
	}
	c.Close()
	if c.in != nil {
		w.buffers.Give(c.in)
	}
	w.unlink(c)
	if c.encrypted {
		w.s.tls.conns.Add(-1)
	}
	stream := c.via != nil
	w.clients.give(c)
	if stream {
		return
	}
	p.Release()
	w.s.checkIdle()
}

// lingerMost and lingerTime bound how much and how long a client that still
// sends is read after the last word to it; closing at once would reset the
// connection and take the reply with it.
const (
	lingerMost = 1 << 20
	lingerTime = time.Second
)

// hearMore acknowledges what has come: the client is to send more before it is
// answered.
func (c *client) hearMore() {
	if c.mute {
		c.mute = false
		loop.AckNow(c.FD())
	}
}

// endsInOrder reports that all the connection was given to send comes before
// its end, which the system tells the client, not a layer.
func (c *client) endsInOrder() bool {
	return c.via == nil && tlsconn.On(&c.Socket) == nil && !c.port.fe.cfg.HTTP.NoLinger
}

// mayCloseAtOnce reports that the connection of a client who has said that
// nothing follows its request (RFC 9112 section 9.6) may close with the
// response still under way: nothing has come that would make the system send a
// reset, and there is no layer with a last word.
func (c *client) mayCloseAtOnce() bool {
	return len(c.in) == 0 && c.Can()&loop.Readable == 0 && c.endsInOrder()
}

// finish says that nothing more will be sent, and closes once the client has
// seen it.
func (c *client) finish() {
	if c.via != nil {
		c.CloseWrite()
		c.close()
		return
	}
	if c.Can()&(loop.Hangup|loop.Failed) != 0 && len(c.in) == 0 {
		c.close()
		return
	}
	c.CloseWrite()
	c.linger = lingerMost
	c.arm(lingerTime)
	c.discard()
}

func (c *client) discard() {
	for c.Can()&loop.Readable != 0 && c.linger > 0 {
		n, errno := c.Recv(c.w.l.Buffer())
		if errno == eagain {
			return
		}
		if n == 0 || errno != 0 {
			c.close()
			return
		}
		c.linger = max(c.linger-n, 0)
	}
	if c.linger == 0 {
		c.close()
	}
}
