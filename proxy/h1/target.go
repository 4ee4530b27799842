package h1

import "bytes"

// checkTarget accepts the four forms of RFC 9112 section 3.2 and compares the
// authority of a target with the host header: two readers may route by either.
// host is the index of the host header, or -1; a missing one passes, as in
// HAProxy.
func (h *Head) checkTarget(buf []byte, host int) Verdict {
	var name []byte
	if host >= 0 {
		name = h.Headers[host].Value.In(buf)
		for _, c := range name {
			if !hostByte[c] && !h.Lenient {
				return BadHost
			}
		}
	}
	target := h.Target.In(buf)
	if h.Method == MethodConnect {
		colon := bytes.LastIndexByte(target, ':')
		if colon <= 0 || !isPort(target[colon+1:]) || bytes.IndexByte(target, '/') >= 0 || bytes.IndexByte(target, '@') >= 0 {
			return BadTarget
		}
		if host >= 0 && !sameFold(name, target) && !sameFold(name, cutPort(target, "80")) && !sameFold(name, cutPort(target, "443")) {
			return BadHost
		}
		return Incomplete
	}
	if target[0] == '/' || len(target) == 1 && target[0] == '*' {
		return Incomplete
	}
	authority, port, ok := splitAbsolute(target)
	if !ok {
		return BadTarget
	}
	if host >= 0 && !sameFold(cutPort(name, port), cutPort(authority, port)) {
		return BadHost
	}
	return Incomplete
}

// splitAbsolute returns the authority of "scheme://authority[/...]" and the
// scheme's default port. User information is refused (RFC 9110 section 4.2.4).
func splitAbsolute(target []byte) (authority []byte, port string, ok bool) {
	at := bytes.Index(target, []byte("://"))
	if at <= 0 {
		return nil, "", false
	}
	for i, c := range target[:at] {
		l := lowerASCII(c)
		if !(l >= 'a' && l <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return nil, "", false
		}
	}
	authority = target[at+3:]
	if end := bytes.IndexAny(authority, "/?"); end >= 0 {
		authority = authority[:end]
	}
	for _, c := range authority {
		if !hostByte[c] {
			return nil, "", false
		}
	}
	port = "80"
	if equalFold(target[:at], "https") {
		port = "443"
	}
	return authority, port, len(authority) > 0
}

func isPort(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// cutPort removes ":port" from the end of b.
func cutPort(b []byte, port string) []byte {
	n := len(b) - len(port) - 1
	if n > 0 && b[n] == ':' && string(b[n+1:]) == port {
		return b[:n]
	}
	return b
}
