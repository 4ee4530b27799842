package h2

import "golang.org/x/net/http2/hpack"

// purpose is what a header block is decoded for.
type purpose uint8

const (
	forTable purpose = iota // only the header table must not fall behind
	forRequest
	forResponse
	forTrailers
)

// pseudo is a set of pseudo-header fields.
type pseudo uint8

const (
	hasMethod pseudo = 1 << iota
	hasScheme
	hasAuthority
	hasPath
	hasProtocol
	hasStatus
)

// reading is the head being decoded into HTTP/1 text. Pseudo-header fields
// come first (RFC 9113 section 8.3), so the start line is written when the
// first other field comes.
type reading struct {
	text, crumbs, line []byte
	most               int
	size               int // of all fields, counted as HPACK counts
	purpose            purpose
	seen               pseudo
	begun              bool // the start line is written
	bad                bool // malformed (RFC 9113 section 8.1.1)
	host               bool
	plain              bool  // CONNECT knows no protocols
	length             int64 // announced, or -1

	method, scheme, authority, path, protocol, status string
}

// overlong reports that the head is more than may be kept.
func (r *reading) overlong() bool { return r.size > r.most || len(r.text)+len(r.crumbs) > r.most }

// decode runs a whole header block through the header table. It reports false
// when the block is no HPACK: the connection cannot be read further.
func (c *Conn) decode(p []byte, why purpose) (*reading, bool) {
	r := &c.cfg.Scratch.reading
	*r = reading{text: r.text[:0], crumbs: r.crumbs[:0], line: r.line[:0], most: c.cfg.MaxHead, purpose: why, length: -1,
		plain: c.cfg.NoConnect}
	if _, err := c.dec.Write(p); err != nil {
		return r, false
	}
	return r, c.dec.Close() == nil
}

// field takes one decoded field.
func (c *Conn) field(f hpack.HeaderField) {
	r := &c.cfg.Scratch.reading
	if r.purpose == forTable || r.bad {
		return
	}
	r.size += len(f.Name) + len(f.Value) + 4
	if r.size > r.most {
		return
	}
	if len(f.Name) > 0 && f.Name[0] == ':' {
		r.pseudo(f)
		return
	}
	r.regular(f)
}

// pseudo takes a pseudo-header field: each once, before all others, and only
// those of the message's kind.
func (r *reading) pseudo(f hpack.HeaderField) {
	var which pseudo
	var to *string
	switch f.Name {
	case ":method":
		which, to = hasMethod, &r.method
	case ":scheme":
		which, to = hasScheme, &r.scheme
	case ":authority":
		which, to = hasAuthority, &r.authority
	case ":path":
		which, to = hasPath, &r.path
	case ":protocol":
		which, to = hasProtocol, &r.protocol
	case ":status":
		which, to = hasStatus, &r.status
	}
	if which == 0 || r.begun || r.seen&which != 0 || (which == hasStatus) != (r.purpose == forResponse) || r.purpose == forTrailers {
		r.bad = true
		return
	}
	r.seen |= which
	*to = f.Value
}

// regular takes any other field.
func (r *reading) regular(f hpack.HeaderField) {
	if !isName(f.Name) || !isValue(f.Value) {
		r.bad = true
		return
	}
	if !r.begun && !r.begin() {
		r.bad = true
		return
	}
	switch f.Name {
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
		r.bad = true // RFC 9113 section 8.2.2
		return
	case "te":
		r.bad = r.purpose == forRequest && f.Value != "trailers"
	case "content-length":
		n, ok := decimal(f.Value)
		if !ok || r.length >= 0 && r.length != n {
			r.bad = true
			return
		}
		again := r.length >= 0
		r.length = n
		if again {
			return
		}
	case "host":
		// The authority is the host; another opinion never passes
		// (CVE-2021-39242).
		if r.purpose == forRequest && (r.host || r.seen&hasAuthority != 0) {
			return
		}
		r.host = true
	case "cookie":
		if r.purpose == forRequest { // RFC 9113 section 8.2.3
			if len(r.crumbs) > 0 {
				r.crumbs = append(r.crumbs, "; "...)
			}
			r.crumbs = append(r.crumbs, f.Value...)
			return
		}
	}
	if r.purpose == forTrailers && forbiddenTrailer(f.Name) {
		return
	}
	r.text = appendField(r.text, f.Name, f.Value)
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ':', ' ')
	dst = append(dst, value...)
	return append(dst, '\r', '\n')
}

// begin checks the pseudo-header fields and writes what they come to.
func (r *reading) begin() bool {
	r.begun = true
	switch r.purpose {
	case forRequest:
		return r.beginRequest()
	case forResponse:
		return r.beginResponse()
	}
	return true
}

// beginRequest writes the request line and the host. What could make two
// lines of one, or another target, is refused (CVE-2021-39240, 39241).
func (r *reading) beginRequest() bool {
	connect := r.method == "CONNECT"
	switch {
	case r.seen&hasMethod == 0 || !isToken(r.method):
		return false
	case r.seen&hasProtocol != 0 && (!connect || r.plain || !isToken(r.protocol)):
		return false
	case connect && r.seen&hasProtocol == 0: // RFC 9113 section 8.5
		if r.seen != hasMethod|hasAuthority || !isVisible(r.authority) {
			return false
		}
		r.startLine("CONNECT", r.authority)
		r.text = appendField(r.text, "host", r.authority)
		return true
	case r.seen&(hasScheme|hasPath) != hasScheme|hasPath || !isScheme(r.scheme) || !isVisible(r.path):
		return false
	case r.path[0] != '/' && !(r.path == "*" && r.method == "OPTIONS"):
		return false
	case r.seen&hasAuthority != 0 && !isVisible(r.authority):
		return false
	}
	if connect { // RFC 8441: an upgrade, in HTTP/1
		r.startLine("GET", r.path)
	} else {
		r.startLine(r.method, r.path)
	}
	if r.seen&hasAuthority != 0 {
		r.text = appendField(r.text, "host", r.authority)
	}
	if connect {
		r.text = appendField(r.text, "connection", "upgrade")
		r.text = appendField(r.text, "upgrade", r.protocol)
	}
	return true
}

func (r *reading) startLine(method, target string) {
	r.text = append(r.text, method...)
	r.text = append(r.text, ' ')
	r.text = append(r.text, target...)
	r.text = append(r.text, " HTTP/1.1\r\n"...)
}

// logLine makes the request line as the client sees it, which is how HAProxy
// logs it.
func (r *reading) logLine() []byte {
	method := r.method
	if r.seen&hasProtocol != 0 { // a WebSocket is logged as in HTTP/1
		method = "GET"
	}
	b := append(r.line[:0], method...)
	b = append(b, ' ')
	if r.seen&hasScheme != 0 && r.seen&hasAuthority != 0 {
		b = append(b, r.scheme...)
		b = append(b, "://"...)
	}
	b = append(b, r.authority...)
	if r.path != "*" || r.seen&hasAuthority == 0 {
		b = append(b, r.path...)
	}
	r.line = append(b, " HTTP/2.0"...)
	return r.line
}

func (r *reading) beginResponse() bool {
	if len(r.status) != 3 || r.status[0] < '1' || r.status[0] > '9' || !isDigit(r.status[1]) || !isDigit(r.status[2]) {
		return false
	}
	r.text = append(r.text, "HTTP/1.1 "...)
	r.text = append(r.text, r.status...)
	r.text = append(r.text, " \r\n"...)
	return true
}

// chunk puts a body of unknown length in chunks. It reports whether it is.
func (r *reading) chunk() bool {
	if r.length >= 0 {
		return false
	}
	r.text = append(r.text, "transfer-encoding: chunked\r\n"...)
	return true
}

// finish completes the text. It reports false when the head is malformed.
func (r *reading) finish() bool {
	if !r.bad && !r.begun {
		r.bad = !r.begin()
	}
	if r.bad {
		return false
	}
	if len(r.crumbs) > 0 {
		r.text = append(r.text, "cookie: "...)
		r.text = append(r.text, r.crumbs...)
		r.text = append(r.text, '\r', '\n')
	}
	return true
}
