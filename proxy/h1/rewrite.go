package h1

// Field is one header to add, its name in lower case and its value free of
// CR, LF and NUL.
type Field struct{ Name, Value []byte }

// Option is the connection option a rewritten head announces.
type Option uint8

// Connection options.
const (
	Implied      Option = iota // no connection header: the version's default holds
	SayClose                   // "connection: close"
	SayKeepAlive               // "connection: keep-alive"
)

// Edits is what changes in a head on its way through, besides the hop-by-hop
// headers, which never pass.
type Edits struct {
	Add        []Field // written behind the message's own headers, in order
	Connection Option
	// Unchunked leaves out transfer-encoding, for a body that goes through
	// Body.Strip.
	Unchunked bool
	// Names are header names to write otherwise than in lower case, by their
	// lower-case form; nil writes all in lower case.
	Names map[string]string
}

// name is how the lower-case name is written.
func (e *Edits) name(lower []byte) []byte {
	if e.Names != nil {
		if as, ok := e.Names[string(lower)]; ok {
			return []byte(as)
		}
	}
	return lower
}

// RequestOption returns the option to announce to a server with a request of
// version v when the server connection is, or is not, to be kept: only what
// the version does not imply is said, as by HAProxy.
func RequestOption(v Version, keepAlive bool) Option {
	switch {
	case keepAlive && v == HTTP10:
		return SayKeepAlive
	case !keepAlive && v == HTTP11:
		return SayClose
	}
	return Implied
}

// ResponseOption returns the option to announce with a response of version v
// to a client that spoke version client.
func ResponseOption(client, v Version, keepAlive bool) Option {
	switch {
	case keepAlive && (client == HTTP10 || v == HTTP10):
		return SayKeepAlive
	case !keepAlive && v == HTTP11:
		return SayClose
	}
	return Implied
}

// AppendRequest appends the request head h, parsed from buf, to dst as it is
// sent to a server: "method target version" with its version, its passing
// headers, e.Add, the connection option. dst must not overlap buf.
func (h *Head) AppendRequest(dst, buf []byte, e Edits) []byte {
	var run Span
	if h.state.canonical {
		run = Span{h.StartLine.Start, h.StartLine.End + 2}
	} else {
		dst = append(dst, h.MethodAt.In(buf)...)
		dst = append(dst, ' ')
		dst = append(dst, h.Target.In(buf)...)
		dst = append(dst, " HTTP/1."...)
		dst = append(dst, '0'+byte(h.Version), '\r', '\n')
	}
	return h.appendHeaders(dst, buf, run, &e)
}

// AppendResponse appends the response head h, parsed from buf, to dst as it
// is sent to a client. dst must not overlap buf.
func (h *Head) AppendResponse(dst, buf []byte, e Edits) []byte {
	var run Span
	if h.state.canonical {
		run = Span{h.StartLine.Start, h.StartLine.End + 2}
	} else {
		s := h.Status
		dst = append(dst, "HTTP/1."...)
		dst = append(dst, '0'+byte(h.Version), ' ', '0'+byte(s/100), '0'+byte(s/10%10), '0'+byte(s%10), ' ')
		dst = append(dst, h.Reason.In(buf)...)
		dst = append(dst, '\r', '\n')
	}
	return h.appendHeaders(dst, buf, run, &e)
}

// appendHeaders writes the passing headers behind run, copying neighbours
// that are written as they came in one piece.
func (h *Head) appendHeaders(dst, buf []byte, run Span, e *Edits) []byte {
	for i := range h.Headers {
		f := &h.Headers[i]
		switch {
		case f.Drop || f.Kind == TransferEncoding && e.Unchunked:
		case e.Names != nil:
			dst = append(dst, run.In(buf)...)
			run = Span{}
			dst = AppendField(dst, e.name(f.Name.In(buf)), f.Value.In(buf))
		case f.canonical && f.Line.Start == run.End:
			run.End = f.Line.End
		case f.canonical:
			dst = append(dst, run.In(buf)...)
			run = f.Line
		default:
			dst = append(dst, run.In(buf)...)
			run = Span{}
			dst = AppendField(dst, f.Name.In(buf), f.Value.In(buf))
		}
	}
	dst = append(dst, run.In(buf)...)
	for _, f := range e.Add {
		dst = AppendField(dst, e.name(f.Name), f.Value)
	}
	if h.state.upgrade {
		dst = e.connection(dst, "upgrade")
	}
	switch {
	case h.WantsUpgrade || h.Framing == Tunnel: // what follows is not HTTP
	case e.Connection == SayClose:
		dst = e.connection(dst, "close")
	case e.Connection == SayKeepAlive:
		dst = e.connection(dst, "keep-alive")
	}
	return append(dst, '\r', '\n')
}

func (e *Edits) connection(dst []byte, option string) []byte {
	if e.Names != nil {
		return AppendField(dst, e.name([]byte("connection")), []byte(option))
	}
	dst = append(dst, "connection: "...)
	dst = append(dst, option...)
	return append(dst, '\r', '\n')
}

// AppendField appends one header line.
func AppendField(dst, name, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ':', ' ')
	dst = append(dst, value...)
	return append(dst, '\r', '\n')
}

// Lay copies head so that it ends where the body at buf[body:] begins, and
// returns where it starts; ok is false when there is not enough room in front.
// One send of buf[start:] then carries the head and what is there of the body.
func Lay(buf []byte, body int, head []byte) (start int, ok bool) {
	start = body - len(head)
	if start < 0 {
		return 0, false
	}
	copy(buf[start:body], head)
	return start, true
}
