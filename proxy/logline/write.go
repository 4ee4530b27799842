package logline

import (
	"bytes"
	"net/netip"
	"strconv"
)

// writer is one line being written.
type writer struct {
	dst   []byte
	r     *Record
	d     *Dates
	flags flags
}

// writer returns the writer of d for one line. It lives in d because the
// variables' functions would carry a local one to the heap.
func (d *Dates) writer(dst []byte, r *Record) *writer {
	d.line = writer{dst: dst, r: r, d: d}
	return &d.line
}

// done returns the line and forgets whose it was.
func (w *writer) done() []byte {
	dst := w.dst
	*w = writer{}
	return dst
}

func writeMode(w *writer) {
	if w.r.HTTP {
		w.dst = append(w.dst, "HTTP"...)
		return
	}
	w.dst = append(w.dst, "TCP"...)
}

// text writes a name or value; an empty one is "" when quoted, else a dash.
func text[T string | []byte](w *writer, s T) {
	switch {
	case w.flags&quoted != 0:
		w.dst = append(w.dst, '"')
		raw(w, s)
		w.dst = append(w.dst, '"')
	case len(s) == 0:
		w.dst = append(w.dst, '-')
	default:
		raw(w, s)
	}
}

// value writes the ith of the record's values; one that is missing is nothing.
func (w *writer) value(i int) {
	var v []byte
	if i < len(w.r.Values) {
		v = w.r.Values[i]
	}
	if len(v) > 0 || w.flags&quoted != 0 {
		text(w, v)
	}
}

// raw writes s, with +E behind backslashes where RFC 5424 section 6.3.3 wants
// them.
func raw[T string | []byte](w *writer, s T) {
	if w.flags&escaped == 0 {
		w.dst = append(w.dst, s...)
		return
	}
	for i := range len(s) {
		w.byte(s[i])
	}
}

func (w *writer) byte(c byte) {
	if w.flags&escaped != 0 && (c == '"' || c == '\\' || c == ']') {
		w.dst = append(w.dst, '\\')
	}
	w.dst = append(w.dst, c)
}

const digits = "0123456789ABCDEF"

// What is written as #XX: all that is not printable ASCII, the quote and the
// sign itself, and in captured headers what separates them (manual 8.6).
var inRequest, inHeader = func() (request, header [256]bool) {
	for c := range request {
		request[c] = c < ' ' || c >= 0x7f || c == '"' || c == '#'
		header[c] = request[c] || c == '{' || c == '|' || c == '}'
	}
	return request, header
}()

func (w *writer) encoded(s []byte, mask *[256]bool) {
	for _, c := range s {
		if mask[c] {
			w.dst = append(w.dst, '#', digits[c>>4], digits[c&15])
			continue
		}
		w.byte(c)
	}
}

func (w *writer) quote() {
	if w.flags&quoted != 0 {
		w.dst = append(w.dst, '"')
	}
}

// headers writes {a|b}, or nothing when the proxy captures none.
func (w *writer) headers(all [][]byte) {
	if len(all) == 0 {
		return
	}
	w.quote()
	w.dst = append(w.dst, '{')
	for i, h := range all {
		if i > 0 {
			w.dst = append(w.dst, '|')
		}
		w.encoded(h, &inHeader)
	}
	w.dst = append(w.dst, '}')
	w.quote()
}

// headerList writes every captured header as a field of its own.
func (w *writer) headerList(all [][]byte) {
	for i, h := range all {
		if i > 0 {
			w.dst = append(w.dst, ' ')
		}
		if h == nil {
			text(w, "")
			continue
		}
		w.quote()
		w.encoded(h, &inHeader)
		w.quote()
	}
}

// part cuts a piece out of a request line.
type part func(line []byte) []byte

// requestPart writes a piece of the request line, <BADREQ> without one.
func (w *writer) requestPart(p part) {
	w.quote()
	if w.r.Request == nil {
		w.dst = append(w.dst, "<BADREQ>"...)
	} else {
		w.encoded(p(w.r.Request), &inRequest)
	}
	w.quote()
}

func whole(line []byte) []byte { return line }

func method(line []byte) []byte {
	m, _, _ := bytes.Cut(line, []byte(" "))
	return m
}

func uri(line []byte) []byte {
	_, rest, _ := bytes.Cut(line, []byte(" "))
	u, _, _ := bytes.Cut(rest, []byte(" "))
	return u
}

func version(line []byte) []byte {
	_, rest, _ := bytes.Cut(line, []byte(" "))
	_, v, _ := bytes.Cut(rest, []byte(" "))
	return v
}

func pathWithHost(line []byte) []byte {
	p, _, _ := bytes.Cut(uri(line), []byte("?"))
	return p
}

func query(line []byte) []byte {
	u := uri(line)
	if at := bytes.IndexByte(u, '?'); at >= 0 {
		return u[at:]
	}
	return nil
}

// pathOnly is empty for a target without a path: "*", an authority.
func pathOnly(line []byte) []byte {
	p := pathWithHost(line)
	if len(p) > 0 && p[0] == '/' {
		return p
	}
	_, behind, absolute := bytes.Cut(p, []byte("://"))
	if at := bytes.IndexByte(behind, '/'); absolute && at >= 0 {
		return behind[at:]
	}
	return nil
}

func (w *writer) int(n int64) { w.dst = strconv.AppendInt(w.dst, n, 10) }

// number writes n, with +X in upper-case hexadecimal of at least width digits.
func (w *writer) number(n int64, width int) {
	if w.flags&hex == 0 {
		w.int(n)
		return
	}
	var b [16]byte
	at := len(b)
	for u := uint64(n); u > 0 || len(b)-at < width; u >>= 4 {
		at--
		b[at] = digits[u&15]
	}
	w.dst = append(w.dst, b[at:]...)
}

// asap writes the sign of a value that is not final (option logasap).
func (w *writer) asap() {
	if w.r.Asap {
		w.dst = append(w.dst, '+')
	}
}

// addr writes an address; without one, instead.
func (w *writer) addr(a netip.AddrPort, instead string) {
	switch {
	case !a.IsValid():
		text(w, instead)
	case w.flags&hex != 0:
		w.addrHex(a.Addr())
	default:
		w.quote()
		w.dst = a.Addr().AppendTo(w.dst)
		w.quote()
	}
}

func (w *writer) addrHex(a netip.Addr) {
	b, n := a.As16(), 0
	if a.Is4() {
		n = 12
	}
	for _, c := range b[n:] {
		w.dst = append(w.dst, digits[c>>4], digits[c&15])
	}
}

// port writes a port; without one the listener's number, or nothing when
// that is negative.
func (w *writer) port(a netip.AddrPort, listener int) {
	switch {
	case a.IsValid():
		w.number(int64(a.Port()), 4)
	case listener < 0:
		text(w, "")
	default:
		w.number(int64(listener), 4)
	}
}

func (w *writer) backend() string {
	if w.r.Backend == "" {
		return w.r.Frontend
	}
	return w.r.Backend
}

func (w *writer) server() {
	if w.r.Server == "" {
		text(w, "<NOSRV>")
		return
	}
	text(w, w.r.Server)
}

func (w *writer) transport() {
	if !w.r.TLS {
		text(w, w.r.Frontend)
		return
	}
	w.quote()
	raw(w, w.r.Frontend)
	w.dst = append(w.dst, '~')
	w.quote()
}

func (w *writer) retries() {
	if w.r.Redispatched {
		w.dst = append(w.dst, '+')
	}
	w.int(int64(w.r.Retries))
}

// ofTLS writes what only a connection in TLS has.
func (w *writer) ofTLS(s string) {
	if !w.r.TLS {
		s = ""
	}
	text(w, s)
}

func (w *writer) verification(code int) { w.ofTLS(strconv.Itoa(code)) }
