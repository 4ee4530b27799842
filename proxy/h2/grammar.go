package h2

// nameByte tells the bytes of a field name: a token in lower case (RFC 9113
// section 8.2.1).
var nameByte = func() (t [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
		t[c] = true
	}
	return t
}()

func isName(s string) bool {
	for i := range len(s) {
		if !nameByte[s[i]] {
			return false
		}
	}
	return len(s) > 0
}

func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; !nameByte[c] && !(c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return len(s) > 0
}

// isValue tells what may stand in a value: anything that ends no line (RFC
// 9113 section 8.2.1).
func isValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c == 0 || c == '\r' || c == '\n' {
			return false
		}
	}
	return true
}

// isVisible tells the bytes of targets and authorities: none that could end
// the one or begin another.
func isVisible(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return len(s) > 0
}

// isScheme is the grammar of RFC 3986 section 3.1.
func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if c >= 'a' && c <= 'z' || i > 0 && (isDigit(s[i]) || s[i] == '+' || s[i] == '-' || s[i] == '.') {
			continue
		}
		return false
	}
	return len(s) > 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// decimal reads digits up to 2^63-1.
func decimal(s string) (n int64, ok bool) {
	const most = 1<<63 - 1
	for i := range len(s) {
		d := int64(s[i]) - '0'
		if d < 0 || d > 9 || n > (most-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, len(s) > 0
}

// forbiddenTrailer tells the fields that frame, route, authenticate or
// describe a message and may only stand in its head (RFC 9110 section 6.5.1).
// They are left out.
func forbiddenTrailer(name string) bool {
	switch name {
	case "content-length", "transfer-encoding", "trailer", "te", "upgrade", "connection", "keep-alive", "proxy-connection",
		"host", "expect", "authorization", "cookie", "set-cookie", "content-encoding", "content-type", "content-range":
		return true
	}
	return false
}
