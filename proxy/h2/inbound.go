package h2

import "strconv"

// form is how a body goes on in HTTP/1.
type form uint8

const (
	asNothing form = iota
	asRaw          // a length was announced, or there is no message any more
	asChunks
)

// Inbound makes HTTP/1 text of a body: the bytes as they are, or chunks with
// the trailers behind them. It holds none of them, but for one byte between
// Hold and End.
type Inbound struct {
	form     form
	ended    bool
	holds    bool   // the last byte, in store
	last     bool   // the last chunk was begun
	left     int    // of the chunk being read
	mark     []byte // framing not yet read
	store    [20]byte
	trailers []byte
	scheme   string // of the request
}

func (b *Inbound) start(f form) { *b = Inbound{form: f, ended: f == asNothing} }

// Hold keeps the last byte of a body of known length until End: whoever writes
// it must know by then whether trailers follow, as HTTP/1 text cannot say so.
func (b *Inbound) Hold(last byte) {
	b.holds = true
	b.store[0] = last
}

// Release gives out the byte that Hold kept, as no End will come. It reports
// whether there was one.
func (b *Inbound) Release() bool {
	if !b.holds {
		return false
	}
	b.holds = false
	b.mark = b.store[:1]
	return true
}

// End tells that nothing follows but these trailer lines, which it copies.
func (b *Inbound) End(trailers []byte) {
	b.ended = true
	b.Release()
	if len(trailers) > 0 {
		b.trailers = append([]byte(nil), trailers...)
	}
}

// Finished reports that everything was read, when none of data is left.
func (b *Inbound) Finished() bool {
	return b.ended && len(b.mark) == 0 && (b.form != asChunks || b.last)
}

// Waiting reports that there is something to read even without data.
func (b *Inbound) Waiting() bool { return len(b.mark) > 0 || b.ended && !b.Finished() }

// Read moves into dst what fits of the text of data, and returns how long the
// text is and how much of data it took.
func (b *Inbound) Read(dst, data []byte) (n, used int) {
	if b.form != asChunks {
		used = copy(dst, data)
		n = used
		if used == len(data) && len(b.mark) > 0 {
			k := copy(dst[n:], b.mark)
			b.mark = b.mark[k:]
			n += k
		}
		return n, used
	}
	for n < len(dst) {
		switch {
		case len(b.mark) > 0:
			k := copy(dst[n:], b.mark)
			b.mark = b.mark[k:]
			n += k
		case b.left > 0:
			k := copy(dst[n:], data[used:min(len(data), used+b.left)])
			if k == 0 {
				return n, used
			}
			n += k
			used += k
			if b.left -= k; b.left == 0 {
				b.mark = append(b.store[:0], "\r\n"...)
			}
		case used < len(data):
			b.left = len(data) - used
			b.mark = append(strconv.AppendUint(b.store[:0], uint64(b.left), 16), "\r\n"...)
		case b.ended && !b.last:
			b.last = true
			b.mark = append(append(append(b.store[:0], "0\r\n"...), b.trailers...), "\r\n"...)
		default:
			return n, used
		}
	}
	return n, used
}
