package h1

// Limits of chunked bodies. The overhead rule follows what the cost of
// extensions taught others (CVE-2023-39326): bytes around the data may exceed
// the data, but not by much more than a receive buffer.
const (
	maxChunkLine     = 4 << 10
	maxChunkSize     = 1<<60 - 1
	maxChunkOverhead = 16 << 10
	maxTrailers      = 8 << 10
)

// Body follows one message body over the bytes that pass, changing nothing.
// The zero value is a finished body; Start begins another. It holds no
// pointer.
type Body struct {
	left     int64 // bytes of a Length body or of the current chunk's data
	overhead int32 // chunk line bytes not yet paid for by data
	line     int32 // bytes of the current chunk size line or of all trailers
	framing  Framing
	state    chunkState
	refused  Verdict
	digits   bool                       // the size has one
	name     [longestForbidden + 1]byte // of the current trailer, lower case
	nameLen  uint8                      // longer names count as len(name)
}

type chunkState uint8

const (
	inSize      chunkState = iota // hex digits
	inSizeBlank                   // blanks behind the size
	inExtension
	inSizeLF // CR seen, LF must follow
	inData
	inDataCR // data over, CR must follow
	inDataLF
	inTrailerStart // first byte of a trailer line, or the CR that ends all
	inTrailerName
	inTrailerValue
	inTrailerLF
	inLastLF
	bodyDone
)

// Start begins a body framed as f; length counts only for Length.
func (b *Body) Start(f Framing, length int64) {
	*b = Body{framing: f}
	switch {
	case f == Length && length > 0:
		b.left = length
	case f == Length || f == NoBody:
		b.framing, b.state = NoBody, bodyDone
	}
}

// Framing answers how the body ends, as Start was told.
func (b *Body) Framing() Framing { return b.framing }

// Scan takes the next bytes received. It returns how many of p belong to the
// message (the rest is the next message), whether the message is complete,
// and Complete or Incomplete, or the reason the body is malformed, in which
// case nothing of p may be forwarded and the connection must be closed. The
// verdict is the same however the bytes are split.
func (b *Body) Scan(p []byte) (n int, done bool, v Verdict) {
	_, n, v = b.take(p, false)
	return n, v == Complete, v
}

// Strip is Scan for a peer that does not know the chunked coding: it moves
// the data to the start of p, returns it, and the count n of bytes of p it
// consumed. Trailers are dropped. For other framings it is Scan.
func (b *Body) Strip(p []byte) (data []byte, n int, done bool, v Verdict) {
	w, n, v := b.take(p, true)
	return p[:w], n, v == Complete, v
}

// take consumes bytes of p; w counts those kept at its start when strip.
func (b *Body) take(p []byte, strip bool) (w, n int, v Verdict) {
	if b.refused.Bad() {
		return 0, 0, b.refused
	}
	switch {
	case b.framing == UntilClose || b.framing == Tunnel:
		return len(p), len(p), Incomplete
	case b.framing == Chunked:
		w, n, v = b.chunked(p, strip)
		if v.Bad() {
			b.refused = v
			return 0, 0, v
		}
		return w, n, v
	}
	n = int(min(int64(len(p)), b.left))
	b.left -= int64(n)
	if b.left > 0 {
		return n, n, Incomplete
	}
	b.framing, b.state = NoBody, bodyDone
	return n, n, Complete
}

// chunked walks p (RFC 9112 section 7.1).
func (b *Body) chunked(p []byte, strip bool) (w, n int, v Verdict) {
	for n < len(p) {
		if b.state == inData {
			m := int(min(int64(len(p)-n), b.left))
			if strip {
				copy(p[w:], p[n:n+m])
			}
			w += m
			n += m
			b.pass(int64(m))
			continue
		}
		if b.state == bodyDone {
			break
		}
		if v := b.step(p[n]); v.Bad() {
			return 0, 0, v
		}
		n++
	}
	if b.state == bodyDone {
		return w, n, Complete
	}
	return w, n, Incomplete
}

// pass accounts for m bytes of chunk data.
func (b *Body) pass(m int64) {
	b.left -= m
	b.overhead = int32(max(0, int64(b.overhead)-2*m))
	if b.left == 0 {
		b.state = inDataCR
	}
}

// step takes one byte that is not chunk data.
func (b *Body) step(c byte) Verdict {
	switch b.state {
	case inSize, inSizeBlank, inExtension, inSizeLF:
		if b.line++; b.line > maxChunkLine {
			return ChunkLineTooLong
		}
		return b.sizeLine(c)
	case inDataCR:
		b.state = inDataLF
		return expect(c, '\r', BadChunkEnd)
	case inDataLF:
		b.state, b.line, b.digits = inSize, 0, false
		return expect(c, '\n', BadChunkEnd)
	}
	if b.line++; b.line > maxTrailers {
		return TrailersTooLong
	}
	return b.trailer(c)
}

func expect(c, want byte, otherwise Verdict) Verdict {
	if c != want {
		return otherwise
	}
	return Incomplete
}

// sizeLine takes one byte of "size [blank] [;extension] CRLF". A lone LF ends
// nothing here: a reader that takes it for the end and one that does not see
// different chunks (CVE-2025-22871).
func (b *Body) sizeLine(c byte) Verdict {
	switch b.state {
	case inSize:
		if d := hexValue[c]; d != 0xff {
			if b.left > maxChunkSize>>4 { // before the shift: behind it the sign may be gone
				return BadChunkSize
			}
			b.left, b.digits = b.left<<4|int64(d), true
			return Incomplete
		}
		if !b.digits {
			return BadChunkSize
		}
	case inExtension:
		if c >= ' ' && c != 0x7f || c == '\t' {
			return Incomplete
		}
		if c != '\r' {
			return BadChunkLine
		}
	case inSizeLF:
		return b.sizeEnd(c)
	}
	switch c {
	case '\r':
		b.state = inSizeLF
	case ' ', '\t':
		b.state = inSizeBlank
	case ';':
		b.state = inExtension
	case '\n':
		return BadChunkLine
	default:
		return BadChunkSize
	}
	return Incomplete
}

// sizeEnd takes the LF of a size line and charges the line. Sixteen bytes of
// it are free, so that small chunks without extensions are.
func (b *Body) sizeEnd(c byte) Verdict {
	if c != '\n' {
		return BadChunkLine
	}
	if b.overhead = max(0, b.overhead+b.line-16); b.overhead > maxChunkOverhead {
		return ChunkOverheadTooLong
	}
	b.line = 0
	b.state = inData
	if b.left == 0 {
		b.state = inTrailerStart
	}
	return Incomplete
}

// trailer takes one byte of the trailer section, the final CRLF included.
func (b *Body) trailer(c byte) Verdict {
	switch b.state {
	case inTrailerStart:
		if c == '\r' {
			b.state = inLastLF
			return Incomplete
		}
		b.nameLen, b.state = 0, inTrailerName
		return b.trailerName(c)
	case inTrailerName:
		return b.trailerName(c)
	case inTrailerValue:
		switch c {
		case '\r':
			b.state = inTrailerLF
		case '\n', 0:
			return BadTrailer
		}
	case inTrailerLF:
		b.state = inTrailerStart
		return expect(c, '\n', BadTrailer)
	case inLastLF:
		b.state = bodyDone
		return expect(c, '\n', BadTrailer)
	}
	return Incomplete
}

// trailerName takes one byte of a trailer's name or the colon behind it.
func (b *Body) trailerName(c byte) Verdict {
	if c == ':' {
		if b.nameLen == 0 {
			return BadTrailer
		}
		b.state = inTrailerValue
		if int(b.nameLen) < len(b.name) && forbiddenTrailer(b.name[:b.nameLen]) {
			return ForbiddenTrailer
		}
		return Incomplete
	}
	l := lowerToken[c]
	if l == 0 {
		return BadTrailer
	}
	if int(b.nameLen) < len(b.name) {
		b.name[b.nameLen] = l
		b.nameLen++
	}
	return Incomplete
}

const longestForbidden = len("transfer-encoding")

// forbiddenTrailer tells the fields that frame, route, authenticate or
// describe the message and therefore may only stand in its head (RFC 9110
// section 6.5.1).
func forbiddenTrailer(name []byte) bool {
	switch string(name) {
	case "content-length", "transfer-encoding", "trailer", "te", "upgrade", "connection", "keep-alive", "proxy-connection",
		"host", "expect", "authorization", "cookie", "set-cookie", "content-encoding", "content-type", "content-range":
		return true
	}
	return false
}

// EndsAtClose reports whether the end of the connection now completes the
// message (UntilClose, Tunnel, or already complete) instead of cutting it
// short.
func (b *Body) EndsAtClose() bool {
	return b.framing == UntilClose || b.framing == Tunnel || b.Done()
}

// Done reports whether the message is complete.
func (b *Body) Done() bool { return b.framing == NoBody || b.state == bodyDone }

// Left returns how many of the following bytes certainly are data of the body
// (the rest of a length or of a chunk), for splicing; -1 means all until the
// connection closes.
func (b *Body) Left() int64 {
	switch {
	case b.framing == UntilClose || b.framing == Tunnel:
		return -1
	case b.framing == Length || b.state == inData:
		return b.left
	}
	return 0
}

// Skip tells the body that n bytes of its data passed without Scan, n at most
// Left. It reports whether that completed the message.
func (b *Body) Skip(n int64) (done bool) {
	switch {
	case b.framing == Length:
		if b.left -= n; b.left <= 0 {
			b.framing, b.state = NoBody, bodyDone
		}
	case b.framing == Chunked && b.state == inData:
		b.pass(n)
	}
	return b.Done()
}
