package h2

import (
	"bytes"
	"math"

	"herald/proxy/h1"
)

// Room says what Write waits for.
type Room uint8

// Answers of Write.
const (
	Enough     Room = iota // everything was taken
	StreamFull             // RoomGrew on the stream tells when to go on
	ConnFull               // RoomGrew on all, or Sent
	Refused                // the stream is over, or this is no message
)

// outMost is how much may wait in Out: beyond it nothing is written but
// answers to the peer's frames, and Stalled asks not to read more of those.
const outMost = 64 << 10

// writer follows the HTTP/1 text of what we send.
type writer struct {
	state sayState
	left  int64  // of a length, or of a chunk
	text  []byte // framing of chunks that is not whole; the trailers
	// What an upgrade asked for, and what a WebSocket's handshake is to be
	// answered with.
	protocol, accept []byte
	// source is what makes the text, until the head is written, where it has
	// what the text has no place for: a scheme, trailers; open says that those
	// may yet come.
	source *Inbound
	open   bool
}

type sayState uint8

const (
	sayHead sayState = iota
	sayRaw
	sayLength
	saySize // a chunk's
	sayChunk
	sayChunkEnd
	sayTrailers
	sayDone
)

// tail is the DATA frame at the end of out, which may still grow.
type tail struct {
	id uint32
	at int
}

// Out is what is to be sent to the peer.
func (c *Conn) Out() []byte { return c.out[c.sent:] }

// Sent tells that n bytes of Out were sent.
func (c *Conn) Sent(n int) {
	c.sent += n
	c.tail = tail{}
	if c.sent == len(c.out) {
		c.out, c.sent = c.out[:0], 0
	}
}

// Bare reports that the Conn has no buffer to write into: Lend gives it one.
// A connection with nothing to say need not hold any.
func (c *Conn) Bare() bool { return cap(c.out) == 0 }

// Lend gives a Conn that is Bare a buffer.
func (c *Conn) Lend(buf []byte) { c.out = buf[:0] }

// TakeBack returns the buffer when it is empty, or nil.
func (c *Conn) TakeBack() []byte {
	if len(c.out) > 0 {
		return nil
	}
	buf := c.out
	c.out = nil
	return buf
}

// Stalled reports that the peer does not take what it asked for: nothing more
// of it should be read until it does (CVE-2019-9512, 9515).
func (c *Conn) Stalled() bool { return len(c.out)-c.sent >= 2*outMost }

// Write takes HTTP/1 text of the stream's message: a head whole, a body as it
// comes. It returns how much it took, and what it waits for with the rest.
func (c *Conn) Write(s *Stream, p []byte) (n int, r Room) {
	for len(p) > 0 {
		if s.reset || c.broken {
			return n, Refused
		}
		if len(c.out)-c.sent >= outMost {
			return n, ConnFull
		}
		k, r := c.write(s, p)
		n += k
		if r != Enough {
			return n, r
		}
		p = p[k:]
	}
	return n, Enough
}

// write does one step of Write.
func (c *Conn) write(s *Stream, p []byte) (n int, r Room) {
	w := &s.said
	switch w.state {
	case sayHead:
		end := bytes.Index(p, []byte("\r\n\r\n"))
		if end < 0 || !c.writeHead(s, p[:end+4]) {
			return 0, Refused
		}
		return end + 4, Enough
	case sayRaw:
		return c.writeData(s, p, false)
	case sayLength, sayChunk:
		p = p[:min(int64(len(p)), w.left)]
		n, r = c.writeData(s, p, w.state == sayLength && int64(len(p)) == w.left && len(w.text) == 0)
		if w.left -= int64(n); w.left == 0 {
			switch {
			case w.state == sayChunk:
				w.state = sayChunkEnd
			case len(w.text) > 0:
				w.state = sayDone
				c.writeTrailers(s)
			default:
				w.state = sayDone
			}
		}
		return n, r
	case sayDone:
		return len(p), Enough // what follows a message is not its own
	}
	return c.writeFraming(s, p)
}

// writeFraming takes what stands between the data of chunks. It was checked
// when it came in.
func (c *Conn) writeFraming(s *Stream, p []byte) (n int, r Room) {
	w := &s.said
	line, whole := p, false
	if i := bytes.IndexByte(p, '\n'); i >= 0 {
		line, whole = p[:i+1], true
	}
	w.text = append(w.text, line...)
	if !whole {
		return len(line), Enough
	}
	text := bytes.TrimRight(w.text, "\r\n")
	switch w.state {
	case saySize:
		w.left = hexNumber(text)
		w.text = w.text[:0]
		w.state = sayChunk
		if w.left == 0 {
			w.state = sayTrailers
		}
	case sayChunkEnd:
		w.text = w.text[:0]
		w.state = saySize
	case sayTrailers:
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			c.writeTrailers(s)
			w.state = sayDone
		}
	}
	return len(line), Enough
}

func hexNumber(p []byte) (n int64) {
	for _, d := range p {
		switch {
		case isDigit(d):
			n = n<<4 | int64(d-'0')
		case d|0x20 >= 'a' && d|0x20 <= 'f':
			n = n<<4 | int64(d|0x20-'a'+10)
		default:
			return n // an extension
		}
	}
	return n
}

// writeData sends of p what the windows allow; last says that the message
// ends with it.
func (c *Conn) writeData(s *Stream, p []byte, last bool) (n int, r Room) {
	for len(p) > 0 {
		k := min(int64(len(p)), s.room, c.room)
		if k <= 0 {
			if s.room <= 0 {
				return n, StreamFull
			}
			return n, ConnFull
		}
		if len(c.out)-c.sent >= outMost {
			return n, ConnFull
		}
		size := c.grow(s, int(k))
		c.out = append(c.out, p[:size]...)
		p = p[size:]
		n += size
		s.room -= int64(size)
		c.room -= int64(size)
		if size >= goodSize {
			c.earn(earnData)
		}
	}
	if last {
		c.endStream(s)
	}
	return n, Enough
}

// dataSize bounds the DATA frames we send, so that one stream does not hold
// up the others.
const dataSize = minFrameSize

// grow makes room for up to k bytes of data in the frame at the end of out, or
// in a new one, and returns how many it is.
func (c *Conn) grow(s *Stream, k int) int {
	if c.tail.id == s.ID {
		h := c.out[c.tail.at:]
		length := int(h[0])<<16 | int(h[1])<<8 | int(h[2])
		if size := min(k, dataSize-length); size > 0 {
			length += size
			h[0], h[1], h[2] = byte(length>>16), byte(length>>8), byte(length)
			return size
		}
	}
	k = min(k, dataSize)
	c.tail = tail{s.ID, len(c.out)}
	c.out = appendHeader(c.out, k, frameData, 0, s.ID)
	return k
}

// endStream says that s.ID has had everything: on the last frame if it is
// still here.
func (c *Conn) endStream(s *Stream) {
	if c.tail.id == s.ID {
		c.out[c.tail.at+4] |= flagEndStream
	} else {
		c.out = appendHeader(c.out, 0, frameData, flagEndStream, s.ID)
	}
	c.tail = tail{}
	s.over = true
}

// WriteEnd tells that nothing follows on s. It ends a body that ends so; one
// that was to be longer is left for Close to cut off.
func (c *Conn) WriteEnd(s *Stream) {
	if s.said.state == sayRaw && !s.over && !s.reset && !c.broken {
		s.said.state = sayDone
		c.endStream(s)
	}
}

// begin starts a header block in out; finish makes frames of it.
func (c *Conn) beginBlock() (at int) {
	c.tail = tail{}
	at = len(c.out)
	c.out = appendHeader(c.out, 0, frameHeaders, 0, 0)
	if c.sayTable { // RFC 7541 section 4.2; ours is always empty
		c.sayTable = false
		c.out = append(c.out, 0x20)
	}
	return at
}

func (c *Conn) finishBlock(s *Stream, at int, end bool) {
	flags := uint8(flagEndHeaders)
	if end {
		flags |= flagEndStream
		s.over = true
	}
	length := len(c.out) - at - headerLen
	if length <= minFrameSize {
		appendHeader(c.out[:at], length, frameHeaders, flags, s.ID)
		return
	}
	rest := append([]byte(nil), c.out[at+headerLen+minFrameSize:]...)
	appendHeader(c.out[:at], minFrameSize, frameHeaders, flags&^flagEndHeaders, s.ID)
	c.out = c.out[:at+headerLen+minFrameSize]
	for len(rest) > 0 {
		k := min(len(rest), minFrameSize)
		flags = 0
		if k == len(rest) {
			flags = flagEndHeaders
		}
		c.out = append(appendHeader(c.out, k, frameContinuation, flags, s.ID), rest[:k]...)
		rest = rest[k:]
	}
}

// writeTrailers ends the stream with the trailer lines collected.
func (c *Conn) writeTrailers(s *Stream) {
	w := &s.said
	at := -1
	for line := range bytes.Lines(w.text) {
		name, value, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		if !ok {
			continue
		}
		if at < 0 {
			at = c.beginBlock()
		}
		c.out = appendLiteral(c.out, bytes.ToLower(name), bytes.TrimSpace(value))
	}
	w.text = nil
	if at < 0 {
		c.endStream(s)
		return
	}
	c.finishBlock(s, at, true)
}

// writeHead sends the head p of a request or response.
func (c *Conn) writeHead(s *Stream, p []byte) bool {
	sc := c.cfg.Scratch
	sc.copied = append(sc.copied[:0], p...) // parsing lowers names in place
	h := &sc.head
	h.Reset()
	h.Most = math.MaxInt // it was counted when it came
	if c.cfg.Role == Client {
		return h.ParseRequest(sc.copied) == h1.Complete && c.writeRequest(s, h, sc.copied)
	}
	if h.ParseResponse(sc.copied, s.method, s.upgrade) != h1.Complete {
		return false
	}
	c.writeResponse(s, h, sc.copied)
	return true
}

// writeResponse sends the head of a response, interim or final.
func (c *Conn) writeResponse(s *Stream, h *h1.Head, buf []byte) {
	at := c.beginBlock()
	switched := h.Status == 101
	if switched { // RFC 8441 section 4
		c.out = appendStatus(c.out, 200)
	} else {
		c.out = appendStatus(c.out, h.Status)
	}
	c.appendFields(h, buf, switched)
	end := !h.Interim() && h.Framing == h1.NoBody
	c.finishBlock(s, at, end)
	if !h.Interim() {
		s.said.begin(h)
	}
}

// Unsaid reports that the head of our message is not yet written.
func (s *Stream) Unsaid() bool { return s.said.state == sayHead }

// Follow tells, before a head is written, that its message is the one that
// arrives as in on another connection, or with nil that it is none: the scheme,
// and trailers behind a body of known length, pass beside the text.
func (s *Stream) Follow(in *Inbound) { s.said.source = in }

// Trail takes the trailer lines that have arrived behind the body of the
// message that is being written, if it is the one that it was told to Follow.
func (s *Stream) Trail(lines []byte) {
	if w := &s.said; w.open && w.state == sayLength {
		w.text = append(w.text[:0], lines...)
	}
}

// begin says how the body after h is written.
func (w *writer) begin(h *h1.Head) {
	from := w.source
	w.source = nil
	switch h.Framing {
	case h1.NoBody:
		w.state = sayDone
	case h1.Length:
		w.state, w.left = sayLength, h.Length
		if from != nil {
			w.open = true
			w.text = append(w.text, from.trailers...)
		}
	case h1.Chunked:
		w.state = saySize
	default:
		w.state = sayRaw
	}
}

// appendFields writes the fields that pass, none of which are about an HTTP/1
// connection (RFC 9113 section 8.2.2).
func (c *Conn) appendFields(h *h1.Head, buf []byte, switched bool) {
	for i := range h.Headers {
		f := &h.Headers[i]
		switch f.Kind {
		case h1.Connection, h1.KeepAlive, h1.ProxyConnection, h1.TransferEncoding, h1.Upgrade:
			continue
		case h1.Host:
			if c.cfg.Role == Client {
				continue
			}
		}
		name := f.Name.In(buf)
		if f.Drop || switched && (string(name) == "sec-websocket-accept" || string(name) == "sec-websocket-key") {
			continue
		}
		c.out = appendLiteral(c.out, name, f.Value.In(buf))
	}
}
