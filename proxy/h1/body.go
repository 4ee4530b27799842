package h1

// Body follows one message body over the bytes that pass, changing nothing.
// The zero value is a finished body; Start begins another.
type Body struct {
	framing Framing
	left    int64 // bytes of a Length body or of the current chunk's data
}

// Start begins a body framed as f; length counts only for Length.
func (b *Body) Start(f Framing, length int64) {}

// Scan takes the next bytes received. It returns how many of p belong to the
// message (the rest is the next message), whether the message is complete,
// and Complete or Incomplete, or the reason the body is malformed, in which
// case nothing of p may be forwarded and the connection must be closed.
func (b *Body) Scan(p []byte) (n int, done bool, v Verdict) { return 0, false, Incomplete }

// Strip is Scan for a peer that does not know the chunked coding: it moves
// the data to the start of p and returns it as data, and the count n of bytes
// of p it consumed. Trailers are dropped.
func (b *Body) Strip(p []byte) (data []byte, n int, done bool, v Verdict) {
	return nil, 0, false, Incomplete
}

// EndsAtClose reports whether the end of the connection now completes the
// message (UntilClose, or already complete) instead of cutting it short.
func (b *Body) EndsAtClose() bool { return false }

// Done reports whether the message is complete.
func (b *Body) Done() bool { return false }

// Left returns how many of the following bytes certainly belong to the body
// as plain data (the rest of a length or of a chunk), for splicing; -1 means
// all until close.
func (b *Body) Left() int64 { return b.left }

// Skip tells the body that n bytes of its data passed without being scanned,
// n <= Left.
func (b *Body) Skip(n int64) {}
