package h2

import "herald/proxy/h1"

// headers takes a HEADERS frame.
func (c *Conn) headers(h header, p []byte) Event {
	if h.id == 0 || h.id&1 == 0 || c.cfg.Role == Client && h.id > c.maxID {
		return c.fail(ProtocolError)
	}
	c.stats.Headers++
	p, ok := unpad(h, p)
	if !ok {
		return c.fail(ProtocolError)
	}
	selfish := false
	if h.has(flagPriority) {
		if len(p) < 5 {
			return c.fail(FrameSizeError)
		}
		selfish = be32(p)&maxWindow == h.id
		p = p[5:]
	}
	if h.has(flagEndHeaders) {
		return c.gotBlock(h.id, h.flags, selfish, p)
	}
	c.block = block{id: h.id, flags: h.flags, selfish: selfish, text: append(c.block.text[:0], p...)}
	return Event{Kind: Nothing}
}

// continuation takes a CONTINUATION frame. The block is bounded in bytes, and
// its frames are paid for (CVE-2023-45288, 2024-27919).
func (c *Conn) continuation(h header, p []byte) Event {
	if c.block.id == 0 {
		return c.fail(ProtocolError)
	}
	if ev := c.cheap(costFragment); ev.Kind == Broken {
		return ev
	}
	if len(c.block.text)+len(p) > 2*c.cfg.MaxHead {
		return c.fail(EnhanceYourCalm)
	}
	c.block.text = append(c.block.text, p...)
	if !h.has(flagEndHeaders) {
		return Event{Kind: Nothing}
	}
	b := c.block
	c.block = block{}
	return c.gotBlock(b.id, b.flags, b.selfish, b.text)
}

// gotBlock decides what a whole header block is.
func (c *Conn) gotBlock(id uint32, flags uint8, selfish bool, p []byte) Event {
	s := c.streams[id]
	why := c.purposeOf(s, id)
	r, ok := c.decode(p, why)
	if !ok {
		return c.fail(CompressionError)
	}
	end := flags&flagEndStream != 0
	switch {
	case s == nil && (c.cfg.Role == Client || id <= c.maxID):
		return c.strayHead(id)
	case s == nil:
		return c.newRequest(id, r, end, selfish)
	case s.ended:
		return c.refuse(id, StreamClosed)
	case selfish:
		return c.refuse(id, ProtocolError)
	case why == forTrailers:
		return c.gotTrailers(s, r, end)
	}
	return c.gotResponse(s, r, end)
}

// purposeOf says what the block of a stream will be.
func (c *Conn) purposeOf(s *Stream, id uint32) purpose {
	switch {
	case s == nil && c.cfg.Role == Server && id > c.maxID && len(c.streams) < c.cfg.MaxStreams && !(c.leaving && id > c.lastID):
		return forRequest
	case s == nil || s.ended:
		return forTable
	case c.cfg.Role == Client && !s.headEnd:
		return forResponse
	}
	return forTrailers
}

// strayHead answers HEADERS on a stream that has ended.
func (c *Conn) strayHead(id uint32) Event {
	known, ours := c.remembered(id)
	switch {
	case ours:
		return c.cheap(costCheap) // it was under way
	case known || c.cfg.Role == Client:
		return c.fail(StreamClosed)
	}
	return c.fail(ProtocolError) // passed over, RFC 9113 section 5.1.1
}

// newRequest begins a stream.
func (c *Conn) newRequest(id uint32, r *reading, end, selfish bool) Event {
	c.maxID = id
	switch {
	case c.leaving && id > c.lastID:
		return c.cheap(costCheap)
	case r.purpose == forTable:
		c.sayReset(id, RefusedStream)
		c.note(id, true)
		return c.cheap(costCheap)
	case selfish || !r.finish() || end && r.length > 0:
		return c.malformed(id, ProtocolError)
	case r.overlong():
		return c.malformed(id, EnhanceYourCalm)
	}
	s := c.open(id)
	s.method = methodOf(r.method)
	s.length = r.length
	s.upgrade = r.seen&hasProtocol != 0
	switch {
	case s.upgrade:
		s.method = h1.MethodGet
		if r.protocol == "websocket" {
			r.text = append(r.text, "sec-websocket-key: "...)
			r.text = appendKey(r.text, c.cfg.Scratch.Chance)
		}
		s.In.start(asRaw)
	case s.method == h1.MethodConnect:
		s.In.start(asRaw)
	case end:
		s.In.start(asNothing)
	case r.chunk():
		s.In.start(asChunks)
	default:
		s.In.start(asRaw)
	}
	s.In.scheme = r.scheme
	r.text = append(r.text, '\r', '\n')
	s.ended = end
	r.logLine()
	return Event{Kind: HeadArrived, Stream: s, Text: r.text, Data: r.line, End: end}
}

func (c *Conn) malformed(id uint32, code Code) Event {
	ev := c.refuse(id, code)
	if ev.Kind == Nothing {
		ev.Kind = Malformed
	}
	return ev
}

// gotTrailers ends a body with trailer fields.
func (c *Conn) gotTrailers(s *Stream, r *reading, end bool) Event {
	if !end || !r.finish() || s.length >= 0 && s.got != s.length || r.overlong() {
		return c.refuse(s.ID, ProtocolError)
	}
	if s.lingers {
		c.ended(s)
		return Event{Kind: Nothing}
	}
	s.ended = true
	return Event{Kind: DataArrived, Stream: s, Text: r.text, End: true}
}

// gotResponse takes an interim or the final head of a response.
func (c *Conn) gotResponse(s *Stream, r *reading, end bool) Event {
	if !r.finish() || r.overlong() {
		return c.refuse(s.ID, ProtocolError)
	}
	interim := r.status[0] == '1'
	if interim && (end || r.status == "101") { // RFC 9113 section 8.6
		return c.refuse(s.ID, ProtocolError)
	}
	if interim {
		r.text = append(r.text, '\r', '\n')
		return Event{Kind: HeadArrived, Stream: s, Text: r.text}
	}
	s.headEnd, s.ended = true, end
	tunnel := (s.method == h1.MethodConnect || s.upgrade) && r.status[0] == '2'
	bodyless := s.method == h1.MethodHead || r.status == "204" || r.status == "304"
	switch {
	case tunnel && s.upgrade:
		r.text = s.said.switched(r.text[len("HTTP/1.1 200 \r\n"):])
		s.In.start(asRaw)
	case tunnel:
		s.In.start(asRaw)
	case bodyless:
		s.In.start(asNothing)
	case end && r.length > 0:
		return c.refuse(s.ID, ProtocolError)
	case end:
		if r.length < 0 {
			r.text = append(r.text, "content-length: 0\r\n"...)
		}
		s.In.start(asNothing)
	default:
		s.length = r.length
		s.In.start(asRaw)
		if r.chunk() {
			s.In.start(asChunks)
		}
	}
	r.text = append(r.text, '\r', '\n')
	return Event{Kind: HeadArrived, Stream: s, Text: r.text, End: end}
}

func methodOf(m string) h1.Method {
	switch m {
	case "GET":
		return h1.MethodGet
	case "HEAD":
		return h1.MethodHead
	case "CONNECT":
		return h1.MethodConnect
	}
	return h1.MethodOther
}
