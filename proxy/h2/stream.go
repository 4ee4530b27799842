package h2

import "herald/proxy/h1"

// Stream is one stream of a Conn, which owns it until it is closed by either
// side; its numbers mean nothing afterwards.
type Stream struct {
	ID uint32
	// Owner is whoever carries the stream; the Conn never looks at it.
	Owner any
	// In makes the HTTP/1 text of the body out of what arrives.
	In Inbound

	// What we receive.
	window  int64 // what the peer may still send
	held    int64 // arrived and not Taken
	unacked int64 // taken and not given back
	length  int64 // announced, or -1
	got     int64 // of the body
	headEnd bool  // Client: the final head has come
	ended   bool  // END_STREAM has come

	// What we send.
	room    int64
	said    writer
	over    bool // END_STREAM was sent
	reset   bool // by either side
	lingers bool // answered and closed, while the peer still sends
	method  h1.Method
	upgrade bool // extended CONNECT
}

// Ended reports that the peer has sent everything.
func (s *Stream) Ended() bool { return s.ended }

// Reset reports that the stream was ended early by either side.
func (s *Stream) Reset() bool { return s.reset }

// open makes stream id.
func (c *Conn) open(id uint32) *Stream {
	s := c.newStream()
	s.ID = id
	c.streams[id] = s
	return s
}

func (c *Conn) newStream() *Stream {
	var s *Stream
	if free := c.cfg.Scratch.free; len(free) > 0 {
		s = free[len(free)-1]
		c.cfg.Scratch.free = free[:len(free)-1]
	} else {
		s = &Stream{}
	}
	*s = Stream{window: int64(c.cfg.Window), room: c.firstRoom, length: -1}
	c.stats.Streams++
	return s
}

// idle reports that no frame but HEADERS and PRIORITY may name this stream:
// nobody has begun it.
func (c *Conn) idle(id uint32) bool { return id&1 == 0 || id > c.maxID }

// forget takes s out; ours says that the peer may not know yet.
func (c *Conn) forget(s *Stream, ours bool) {
	delete(c.streams, s.ID)
	if s.lingers {
		c.lingers--
	}
	if c.data.s == s {
		c.data.s = nil
		c.giveBack(int64(c.data.left))
	}
	c.giveBack(s.held)
	s.held = 0
	c.note(s.ID, ours)
}

func (c *Conn) note(id uint32, ours bool) {
	if ours {
		id |= resetByUs
	}
	c.recent[c.oldest%recentStreams] = id
	c.oldest++
}

// heard notes that the peer reset a stream too: nothing of it is under way.
func (c *Conn) heard(id uint32) {
	for i, r := range c.recent {
		if r == id|resetByUs {
			c.recent[i] = id
		}
	}
}

// remembered tells what is known of a stream that has ended.
func (c *Conn) remembered(id uint32) (known, ours bool) {
	for _, r := range c.recent {
		if r&maxWindow == id {
			return true, r&resetByUs != 0
		}
	}
	return false, false
}

// refuse ends a stream for what its peer did, and makes the peer pay.
func (c *Conn) refuse(id uint32, code Code) Event {
	c.stats.StreamErrors++
	c.sayReset(id, code)
	s := c.streams[id]
	ev := Event{Kind: Nothing}
	if s != nil {
		c.forget(s, true)
		ev = c.lost(s, code)
	} else {
		c.note(id, true)
	}
	if c.credit -= costReset; c.credit < 0 {
		return c.fail(EnhanceYourCalm)
	}
	return ev
}

func (c *Conn) sayReset(id uint32, code Code) {
	c.tail = tail{}
	c.stats.ResetsSent++
	c.out = append32(appendHeader(c.out, 4, frameReset, 0, id), uint32(code))
}

// Close lets go of s; it is to be called once for every stream, and s not to
// be used afterwards. A message of ours that is not finished is cut off with
// code. A body that nobody wants any more is thrown away as far as the window
// goes, then declined without blame (RFC 9113 section 8.1): a client that is
// reset at once may throw away its answer.
func (c *Conn) Close(s *Stream, code Code) {
	if c.streams[s.ID] != s {
		c.drop(s)
		c.recycle(s)
		return
	}
	ours := true
	switch {
	case c.broken:
	case !s.over:
		c.sayReset(s.ID, code)
	case !s.ended && c.cfg.Role == Server:
		s.linger(c)
		return
	case !s.ended:
		c.sayReset(s.ID, Cancel)
	default:
		ours = false
		c.earn(earnResponse)
	}
	c.forget(s, ours)
	c.recycle(s)
}

// linger keeps s without its owner until the peer has ended it.
func (s *Stream) linger(c *Conn) {
	s.lingers, s.Owner = true, nil
	c.lingers++
	c.giveBack(s.held)
	s.held = 0
}

// lost tells of a stream that ended early; its owner, if it has one, closes
// it.
func (c *Conn) lost(s *Stream, code Code) Event {
	s.reset = true
	if !s.lingers {
		return Event{Kind: ResetByPeer, Stream: s, Code: code}
	}
	c.recycle(s)
	return Event{Kind: Nothing}
}

// freeStreams is how many are kept for the next ones.
const freeStreams = 1024

func (c *Conn) recycle(s *Stream) {
	if free := &c.cfg.Scratch.free; len(*free) < freeStreams {
		*s = Stream{}
		*free = append(*free, s)
	}
}

// Taken tells that n bytes of DATA were used: the peer may send as many more.
func (c *Conn) Taken(s *Stream, n int) {
	if s.reset || n == 0 {
		return
	}
	s.held -= int64(n)
	c.giveBack(int64(n))
	s.unacked += int64(n)
	if s.unacked >= int64(c.cfg.Window)/2 && !s.ended {
		c.giveStream(s)
	}
}

func (c *Conn) giveStream(s *Stream) {
	c.tail = tail{}
	c.out = append32(appendHeader(c.out, 4, frameWindow, 0, s.ID), uint32(s.unacked))
	s.window += s.unacked
	s.unacked = 0
}

// giveBack returns n bytes of the connection's window, half of it at a time.
func (c *Conn) giveBack(n int64) {
	if c.unacked += n; c.unacked >= int64(c.cfg.ConnWindow)/2 && !c.broken {
		c.tail = tail{}
		c.widen(c.unacked)
		c.unacked = 0
	}
}

// startData checks the header of a DATA frame at the start of p; the payload
// need not have come.
func (c *Conn) startData(h header, p []byte) (Event, int) {
	n, pad := headerLen, 0
	if h.has(flagPadded) {
		if h.length == 0 {
			return c.fail(ProtocolError), len(p)
		}
		if len(p) == headerLen {
			return Event{}, 0
		}
		pad = int(p[headerLen])
		n++
		if pad >= h.length {
			return c.fail(ProtocolError), len(p)
		}
	}
	if c.idle(h.id) {
		return c.fail(ProtocolError), len(p)
	}
	c.stats.Data++
	length := int64(h.length)
	if length > c.window {
		return c.fail(FlowControlError), len(p)
	}
	c.window -= length
	s := c.streams[h.id]
	c.data = passing{left: h.length - pad - (n - headerLen), pad: pad, end: h.has(flagEndStream)}
	if s == nil || s.ended || length > s.window {
		c.giveBack(length)
		return c.strayData(s, h), n
	}
	s.window -= length
	s.got += int64(c.data.left)
	if s.length >= 0 && (s.got > s.length || c.data.end && s.got != s.length) || c.cfg.Role == Client && !s.headEnd {
		c.giveBack(length)
		return c.refuse(h.id, ProtocolError), n
	}
	if s.lingers {
		return c.declined(s, length), n
	}
	c.data.s = s
	if idle := int64(pad + n - headerLen); idle > 0 {
		s.held += idle
		c.Taken(s, int(idle))
	}
	if c.data.left > 0 {
		return Event{Kind: Nothing}, n
	}
	if !c.data.end { // nothing but work
		if ev := c.cheap(costCheap); ev.Kind == Broken {
			return ev, len(p)
		}
		return Event{Kind: Nothing}, n
	}
	return c.endData(Event{Kind: DataArrived, Stream: s}), n
}

// declined throws a DATA frame away.
func (c *Conn) declined(s *Stream, length int64) Event {
	c.giveBack(length)
	switch {
	case c.data.end:
		c.ended(s)
	case s.window < int64(c.cfg.Window)/4:
		c.sayReset(s.ID, NoError)
		c.forget(s, true)
		c.recycle(s)
	case length == 0:
		return c.cheap(costCheap)
	}
	return Event{Kind: Nothing}
}

// ended lets go of a stream that lingered until the peer's end.
func (c *Conn) ended(s *Stream) {
	c.earn(earnResponse)
	c.forget(s, false)
	c.recycle(s)
}

// strayData answers DATA that no stream waits for.
func (c *Conn) strayData(s *Stream, h header) Event {
	if s != nil && !s.ended {
		return c.refuse(h.id, FlowControlError)
	}
	if _, ours := c.remembered(h.id); ours && s == nil {
		return Event{Kind: Nothing} // it was under way
	}
	return c.refuse(h.id, StreamClosed)
}

// passData passes on what is there of the DATA frame.
func (c *Conn) passData(p []byte) (Event, int) {
	d := &c.data
	if len(p) == 0 {
		return Event{}, 0
	}
	if d.left == 0 {
		n := min(d.pad, len(p))
		d.pad -= n
		return Event{Kind: Nothing}, n
	}
	n := min(d.left, len(p))
	d.left -= n
	s := d.s
	if s == nil {
		return Event{Kind: Nothing}, n
	}
	if s.lingers {
		c.giveBack(int64(n))
		if d.left == 0 {
			d.s = nil
			if d.end {
				c.ended(s)
			}
		}
		return Event{Kind: Nothing}, n
	}
	s.held += int64(n)
	ev := Event{Kind: DataArrived, Stream: s, Data: p[:n]}
	switch {
	case d.left > 0:
	case d.end:
		ev = c.endData(ev)
	default:
		ev.Open = s.got == s.length
	}
	return ev, n
}

// endData ends the body with the data of ev.
func (c *Conn) endData(ev Event) Event {
	c.data.s = nil
	ev.Stream.ended, ev.End = true, true
	return ev
}
