package h1

import "bytes"

// facts is what the headers of one head say about framing and connection.
type facts struct {
	chunked             bool
	codings             int // transfer-encoding lines
	close, keep, option bool
	upgradeOption       bool // "connection: upgrade"
	upgrade             bool // an upgrade header that is not h2c
	websocket           bool // an upgrade header names websocket
	nominated           bool // "connection" names other headers
	host                int  // index of the host header, or -1
}

// collect walks the headers once, checks the framing ones and marks what does
// not pass: connection and what it names, keep-alive, proxy-connection.
func (h *Head) collect(buf []byte) (f facts, v Verdict) {
	f.host = -1
	for i := range h.Headers {
		hd := &h.Headers[i]
		switch hd.Kind {
		case OtherHeader:
		case ContentLength:
			v = h.contentLength(buf, hd)
		case TransferEncoding:
			f.codings++
			v = transferCoding(buf, hd)
		case Connection:
			hd.Drop = true
			f.connection(buf, hd.Value)
		case KeepAlive, ProxyConnection:
			hd.Drop = true
		case TE:
			keepTrailers(buf, hd)
		case Upgrade:
			f.websocket = f.websocket || namesWebSocket(buf, hd.Value)
			if namesH2C(buf, hd.Value) {
				hd.Drop = true
			} else {
				f.upgrade = true
			}
		case Host:
			if f.host >= 0 {
				if !sameFold(hd.Value.In(buf), h.Headers[f.host].Value.In(buf)) {
					v = BadHost
				}
				hd.Drop = true
			} else {
				f.host = i
			}
		case Expect:
			h.Expects100 = h.Version == HTTP11 && equalFold(hd.Value.In(buf), "100-continue")
		}
		if v.Bad() {
			return f, v
		}
	}
	// Two lines mean two readers may count them differently, and 1.0 peers
	// do not know the coding at all (RFC 9112 section 6.1).
	if f.codings > 1 || f.codings == 1 && h.Version == HTTP10 {
		return f, BadTransferEncoding
	}
	f.chunked = f.codings == 1
	h.KeepAlive = !f.close && (h.Version == HTTP11 || f.keep)
	if f.nominated {
		h.dropNominated(buf)
	}
	return f, Incomplete
}

// connection reads the options of one connection header.
func (f *facts) connection(buf []byte, value Span) {
	for value.Len() > 0 {
		var opt Span
		opt, value, _ = element(buf, value)
		switch b := opt.In(buf); {
		case equalFold(b, "close"):
			f.close = true
		case equalFold(b, "keep-alive"):
			f.keep = true
		case equalFold(b, "upgrade"):
			f.upgradeOption = true
		case len(b) > 0:
			f.nominated = true
		}
	}
}

// dropNominated drops the headers that connection headers name (RFC 9110
// section 7.6.1).
func (h *Head) dropNominated(buf []byte) {
	for i := range h.Headers {
		if h.Headers[i].Kind != Connection {
			continue
		}
		for value := h.Headers[i].Value; value.Len() > 0; {
			var opt Span
			opt, value, _ = element(buf, value)
			h.dropNamed(buf, opt.In(buf))
		}
	}
}

// DropNamed drops every header of this lower-case name.
func (h *Head) DropNamed(buf []byte, name string) {
	for i := range h.Headers {
		if f := &h.Headers[i]; string(f.Name.In(buf)) == name {
			f.Drop = true
		}
	}
}

// dropNamed drops the headers of this name, in any case, unless they are
// meant for every recipient: a client must not be able to remove what frames
// and routes the message, or what a proxy in front wrote about it (Go
// CVE-2021-33197, Traefik CVE-2024-45410).
func (h *Head) dropNamed(buf, name []byte) {
	for i := range h.Headers {
		hd := &h.Headers[i]
		if !sameFold(hd.Name.In(buf), name) {
			continue
		}
		switch hd.Kind {
		case ContentLength, TransferEncoding, Host, Upgrade, TE, Authorization, Cookie, SetCookie, XForwardedFor, Expect:
			continue
		}
		if n := hd.Name.In(buf); bytes.HasPrefix(n, []byte("x-forwarded-")) || string(n) == "forwarded" || string(n) == "x-real-ip" {
			continue
		}
		hd.Drop = true
	}
}

// contentLength reads one content-length line. Equal repetitions, in one line
// or several, become one (RFC 9112 section 6.3); anything else is refused.
func (h *Head) contentLength(buf []byte, hd *Header) Verdict {
	first, rest, more := element(buf, hd.Value)
	n, ok := decimal(first.In(buf))
	if !ok {
		return BadContentLength
	}
	for more {
		var next Span
		next, rest, more = element(buf, rest)
		if m, ok := decimal(next.In(buf)); !ok || m != n {
			return BadContentLength
		}
	}
	if first != hd.Value {
		hd.Value, hd.canonical = first, false
	}
	if h.Length >= 0 {
		if h.Length != n {
			return BadContentLength
		}
		hd.Drop = true
	}
	h.Length = n
	return Incomplete
}

// decimal reads digits up to 2^63-1: nothing else, no sign, no blank.
func decimal(b []byte) (n int64, ok bool) {
	const most = 1<<63 - 1
	for _, c := range b {
		d := int64(c) - '0'
		if d < 0 || d > 9 || n > (most-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, len(b) > 0
}

// transferCoding accepts exactly "chunked". HAProxy 2.6 answers 422 to known
// codings before it and 400 to the rest; an empty or obfuscated value is how
// requests are smuggled (CVE-2019-18277, CVE-2022-1705).
func transferCoding(buf []byte, hd *Header) Verdict {
	value := hd.Value.In(buf)
	if equalFold(value, "chunked") {
		copy(value, "chunked")
		return Incomplete
	}
	rest, more := hd.Value, true
	for before := 0; more; before++ {
		var coding Span
		coding, rest, more = element(buf, rest)
		last := equalFold(coding.In(buf), "chunked")
		switch {
		case coding.Len() == 0 || !isToken(coding.In(buf)) || last && more:
			return BadTransferEncoding
		case last && before > 0:
			return UnsupportedCoding
		}
	}
	return BadTransferEncoding
}

func isToken(b []byte) bool {
	for _, c := range b {
		if lowerToken[c] == 0 {
			return false
		}
	}
	return true
}

// keepTrailers narrows a te header to "trailers", the only part that passes,
// or drops it; as HAProxy.
func keepTrailers(buf []byte, hd *Header) {
	for rest := hd.Value; rest.Len() > 0; {
		var e Span
		e, rest, _ = element(buf, rest)
		if equalFold(e.In(buf), "trailers") {
			if e != hd.Value {
				hd.Value, hd.canonical = e, false
			}
			return
		}
	}
	hd.Drop = true
}

// namesH2C reports whether an upgrade header offers HTTP/2 in clear: granting
// it would tunnel requests nobody reads.
func namesH2C(buf []byte, value Span) bool {
	for value.Len() > 0 {
		var e Span
		e, value, _ = element(buf, value)
		if b := e.In(buf); equalFold(b, "h2c") || equalFold(b, "h2") || len(b) >= 5 && equalFold(b[:5], "http/") {
			return true
		}
	}
	return false
}

// namesWebSocket reports whether an upgrade header offers the WebSocket protocol.
func namesWebSocket(buf []byte, value Span) bool {
	for value.Len() > 0 {
		var e Span
		if e, value, _ = element(buf, value); equalFold(e.In(buf), "websocket") {
			return true
		}
	}
	return false
}

// hasWebSocketKey reports whether there is what a server's consent is made of:
// 16 bytes in base64. HAProxy looks at the length alone.
func (h *Head) hasWebSocketKey(buf []byte) bool {
	for i := range h.Headers {
		if f := &h.Headers[i]; f.Value.Len() == 24 && equalFold(f.Name.In(buf), "sec-websocket-key") {
			return true
		}
	}
	return false
}

// finishRequest decides what a whole request head means.
func (h *Head) finishRequest(buf []byte) Verdict {
	f, v := h.collect(buf)
	if v.Bad() {
		return v
	}
	if v := h.checkTarget(buf, f.host); v.Bad() {
		return v
	}
	h.Framing = NoBody
	switch {
	case f.chunked:
		h.Framing = Chunked
	case h.Length > 0:
		h.Framing = Length
	}
	if h.Method == MethodConnect {
		if h.Framing != NoBody {
			return BadConnect
		}
		h.drop(ContentLength)
	}
	if f.chunked && h.Length >= 0 {
		// transfer-encoding overrides, and the sender is not to be trusted
		// with another message (RFC 9112 section 6.1).
		h.Length = -1
		h.drop(ContentLength)
		h.KeepAlive = false
	}
	if f.websocket && f.upgradeOption && h.Framing == NoBody && !h.hasWebSocketKey(buf) {
		return BadWebSocketKey
	}
	h.WantsUpgrade = f.upgrade && f.upgradeOption && h.Version == HTTP11 && h.Framing == NoBody && h.Method != MethodConnect
	h.state.upgrade = h.WantsUpgrade
	if !h.WantsUpgrade {
		h.drop(Upgrade)
	}
	return Complete
}

// finishResponse decides what a whole response head means.
func (h *Head) finishResponse(buf []byte, method Method, upgradeAsked bool) Verdict {
	f, v := h.collect(buf)
	if v.Bad() {
		return v
	}
	if h.Status == 101 && (!upgradeAsked || h.Version == HTTP10) {
		return BadUpgrade
	}
	if f.chunked && h.Length >= 0 {
		h.Length = -1
		h.drop(ContentLength)
		h.KeepAlive = false
	}
	h.WantsUpgrade = f.upgrade && h.Status == 101
	h.state.upgrade = f.upgrade && (h.Status == 101 || h.Status == 426)
	if !h.state.upgrade {
		h.drop(Upgrade)
	}
	tunnel := h.Status == 101 || method == MethodConnect && h.Status >= 200 && h.Status < 300
	switch {
	case tunnel:
		h.Framing, h.KeepAlive = Tunnel, false
		h.drop(ContentLength)
		h.drop(TransferEncoding)
	case h.Status < 200 || h.Status == 204:
		// These never have a body; one that announces it may send it all the
		// same, so its connection carries nothing more.
		h.Framing = NoBody
		h.KeepAlive = h.KeepAlive && !f.chunked && h.Length <= 0
		h.Length = -1
		h.drop(ContentLength)
		h.drop(TransferEncoding)
	case h.Status == 304 || method == MethodHead:
		h.Framing = NoBody
	case f.chunked:
		h.Framing = Chunked
	case h.Length > 0:
		h.Framing = Length
	case h.Length == 0:
		h.Framing = NoBody
	default:
		h.Framing, h.KeepAlive = UntilClose, false
	}
	return Complete
}

// drop marks every header of kind k as not passing.
func (h *Head) drop(k Kind) {
	for i := range h.Headers {
		if h.Headers[i].Kind == k {
			h.Headers[i].Drop = true
		}
	}
}
