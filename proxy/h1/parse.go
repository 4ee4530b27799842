package h1

import "bytes"

// ParseRequest reads a request head from the start of buf. It answers
// Incomplete until the empty line is there; call it again with the same bytes
// and more behind them, it resumes. Empty lines in front are skipped and
// counted in Len (RFC 9112 section 2.2). A lone LF ends a line like CRLF; a
// folded value is unfolded. It changes buf in place but never its length.
func (h *Head) ParseRequest(buf []byte) Verdict {
	if h.state.verdict != Incomplete {
		return h.state.verdict
	}
	v := h.parse(buf, true)
	if v == Complete {
		v = h.finishRequest(buf)
	}
	h.state.verdict = v
	return v
}

// ParseResponse reads a response head, as ParseRequest does. The framing
// depends on the request it answers: its method, and whether it asked for an
// upgrade (the request's WantsUpgrade). After an Interim response call Reset
// and parse the next one behind it.
func (h *Head) ParseResponse(buf []byte, method Method, upgradeAsked bool) Verdict {
	if h.state.verdict != Incomplete {
		return h.state.verdict
	}
	v := h.parse(buf, false)
	if v == Complete {
		v = h.finishResponse(buf, method, upgradeAsked)
	}
	h.state.verdict = v
	return v
}

// parse reads line by line until the empty line.
func (h *Head) parse(buf []byte, request bool) Verdict {
	s := &h.state
	if h.Headers == nil {
		h.Headers = make([]Header, 0, MaxHeaders)
		h.Length = -1
	}
	for {
		at := bytes.IndexByte(buf[s.scan:], '\n')
		if at < 0 {
			s.scan = int32(len(buf))
			if !s.begun {
				return checkBeginning(buf[s.line:], request)
			}
			return Incomplete
		}
		end := s.scan + int32(at) // of the line, at its LF
		start, next := s.line, end+1
		crlf := end > start && buf[end-1] == '\r'
		if crlf {
			end--
		}
		s.line, s.scan = next, next
		line := Span{start, end}
		switch {
		case !s.begun:
			if line.Len() == 0 {
				continue
			}
			s.begun = true
			h.StartLine = line
			if v := h.startLine(buf, line, crlf, request); v.Bad() {
				return v
			}
		case line.Len() == 0:
			if crlf {
				s.returns++
			}
			h.Len = int(next)
			return h.checkBytes(buf)
		default:
			if v := h.headerLine(buf, line, next, crlf); v.Bad() {
				return v
			}
			if crlf {
				s.returns++
			}
		}
	}
}

// checkBeginning refuses what cannot become a start line before the line is
// whole, so that a peer speaking something else is answered at once.
func checkBeginning(part []byte, request bool) Verdict {
	if !request {
		const proto = "HTTP/"
		n := min(len(part), len(proto))
		if string(part[:n]) != proto[:n] && !(len(part) == 1 && part[0] == '\r') {
			return BadStartLine
		}
		return Incomplete
	}
	for i, c := range part {
		if lowerToken[c] != 0 {
			continue
		}
		if c == ' ' && i > 0 || c == '\r' && i == len(part)-1 {
			return Incomplete
		}
		return BadMethod
	}
	return Incomplete
}

func (h *Head) startLine(buf []byte, line Span, crlf, request bool) Verdict {
	if request {
		return h.requestLine(buf, line, crlf)
	}
	return h.statusLine(buf, line, crlf)
}

// requestLine reads "method SP target SP version". Several spaces between the
// parts are read as one, as RFC 9112 section 3 allows and HAProxy does; they
// are written as one.
func (h *Head) requestLine(buf []byte, line Span, crlf bool) Verdict {
	i := line.Start
	for i < line.End && lowerToken[buf[i]] != 0 {
		i++
	}
	h.MethodAt = Span{line.Start, i}
	if i == line.Start || i < line.End && buf[i] != ' ' {
		return BadMethod
	}
	gap := i
	for i < line.End && buf[i] == ' ' {
		i++
	}
	wide := i-gap != 1
	target := i
	for i < line.End && h.inTarget(buf[i]) {
		i++
	}
	h.Target = Span{target, i}
	if i == line.End || i == target {
		return BadStartLine
	}
	if buf[i] != ' ' {
		return BadTarget
	}
	gap = i
	for i < line.End && buf[i] == ' ' {
		i++
	}
	wide = wide || i-gap != 1
	exact, v := h.version(buf[i:line.End])
	if v.Bad() {
		return v
	}
	h.state.canonical = crlf && exact && !wide
	h.Method = methodOf(h.MethodAt.In(buf))
	return Incomplete
}

// statusLine reads "version SP status [SP reason]".
func (h *Head) statusLine(buf []byte, line Span, crlf bool) Verdict {
	const versionLen = len("HTTP/1.1")
	l := line.In(buf)
	if len(l) < versionLen || string(l[:5]) != "HTTP/" {
		return BadStartLine
	}
	exact, v := h.version(l[:versionLen])
	if v.Bad() {
		return v
	}
	i := versionLen
	for i < len(l) && l[i] == ' ' {
		i++
	}
	wide := i-versionLen != 1
	if i == versionLen || len(l)-i < 3 {
		return BadStatus
	}
	for _, c := range l[i : i+3] {
		if c < '0' || c > '9' {
			return BadStatus
		}
		h.Status = h.Status*10 + int(c-'0')
	}
	i += 3
	if h.Status < 100 || i < len(l) && l[i] != ' ' {
		return BadStatus
	}
	bare := i == len(l)
	for i < len(l) && l[i] == ' ' {
		i++
	}
	h.Reason = Span{line.Start + int32(i), line.End}
	if !cleanText(h.Reason.In(buf)) {
		return BadStartLine
	}
	h.state.canonical = crlf && exact && !wide && !bare && i < versionLen+6
	return Incomplete
}

// cleanText reports that b has neither NUL nor CR.
func cleanText(b []byte) bool {
	return bytes.IndexByte(b, 0) < 0 && bytes.IndexByte(b, '\r') < 0
}

// version reads "HTTP/d.d"; exact means it is one of the two we write.
func (h *Head) version(b []byte) (exact bool, v Verdict) {
	switch string(b) {
	case "HTTP/1.1":
		h.Version = HTTP11
		return true, Incomplete
	case "HTTP/1.0":
		h.Version = HTTP10
		return true, Incomplete
	}
	if len(b) != 8 || string(b[:5]) != "HTTP/" || b[5] < '1' || b[5] > '9' || b[6] != '.' || b[7] < '0' || b[7] > '9' {
		return false, BadVersion
	}
	h.Version = HTTP11
	return false, Incomplete
}

func methodOf(m []byte) Method {
	switch string(m) {
	case "GET":
		return MethodGet
	case "HEAD":
		return MethodHead
	case "POST":
		return MethodPost
	case "PUT":
		return MethodPut
	case "DELETE":
		return MethodDelete
	case "OPTIONS":
		return MethodOptions
	case "CONNECT":
		return MethodConnect
	case "TRACE":
		return MethodTrace
	case "PATCH":
		return MethodPatch
	}
	return MethodOther
}

// headerLine reads one header or continuation line; next is where the line
// after it starts.
func (h *Head) headerLine(buf []byte, line Span, next int32, crlf bool) Verdict {
	if isBlank(buf[line.Start]) {
		return h.unfold(buf, line, next)
	}
	most := h.Most
	if most == 0 {
		most = MaxHeaders
	}
	if len(h.Headers) >= most {
		return TooManyHeaders
	}
	i := line.Start
	for i < line.End {
		c := h.nameByte(buf[i])
		if c == 0 {
			break
		}
		buf[i] = c
		i++
	}
	// Space in front of the colon, no colon, or no name (CVE-2023-25725).
	if i == line.Start || i == line.End || buf[i] != ':' || buf[i-1] == ' ' {
		return BadHeaderName
	}
	name := Span{line.Start, i}
	value := trim(buf, Span{i + 1, line.End})
	h.Headers = append(h.Headers, Header{
		Name: name, Value: value, Line: Span{line.Start, next}, Kind: kindOf(name.In(buf)),
		canonical: crlf && value.Len() > 0 && value.Start == i+2 && buf[i+1] == ' ' && value.End == line.End,
	})
	return Incomplete
}

// unfold joins a continuation line to the header before it: the line end
// between them becomes spaces (RFC 9112 section 5.2).
func (h *Head) unfold(buf []byte, line Span, next int32) Verdict {
	if len(h.Headers) == 0 {
		return BadFolding
	}
	f := &h.Headers[len(h.Headers)-1]
	for i := f.Line.End - 1; i >= f.Value.End && (buf[i] == '\n' || buf[i] == '\r'); i-- {
		if buf[i] == '\r' {
			h.state.returns--
		}
		buf[i] = ' '
		if i == f.Line.End-2 {
			break
		}
	}
	f.Value = trim(buf, Span{f.Name.End + 1, line.End})
	f.Line.End = next
	f.canonical = false
	return Incomplete
}

// checkBytes refuses NUL and lone CR anywhere behind the start line with two
// passes over the head instead of two per line.
func (h *Head) checkBytes(buf []byte) Verdict {
	lines := buf[h.StartLine.End:h.Len]
	own := 0 // the start line's own CR
	if lines[0] == '\r' {
		own = 1
	}
	if bytes.IndexByte(lines, 0) >= 0 || bytes.Count(lines, []byte{'\r'}) != int(h.state.returns)+own {
		return BadHeaderValue
	}
	return Complete
}

func kindOf(name []byte) Kind {
	switch string(name) {
	case "host":
		return Host
	case "connection":
		return Connection
	case "content-length":
		return ContentLength
	case "transfer-encoding":
		return TransferEncoding
	case "keep-alive":
		return KeepAlive
	case "proxy-connection":
		return ProxyConnection
	case "te":
		return TE
	case "upgrade":
		return Upgrade
	case "expect":
		return Expect
	case "x-forwarded-for":
		return XForwardedFor
	case "authorization":
		return Authorization
	case "cookie":
		return Cookie
	case "set-cookie":
		return SetCookie
	}
	return OtherHeader
}
