package h1

// lowerToken maps a byte of a token (RFC 9110 section 5.6.2) to its lower
// case form and every other byte to 0.
var lowerToken = func() (t [256]byte) {
	const marks = "!#$%&'*+-.^_`|~"
	for _, c := range []byte(marks) {
		t[c] = c
	}
	for c := byte('0'); c <= '9'; c++ {
		t[c] = c
	}
	for c := byte('a'); c <= 'z'; c++ {
		t[c] = c
		t[c-'a'+'A'] = c
	}
	return t
}()

// targetByte tells the bytes HAProxy passes in a request target: 0x21..0x7e
// without '#', which begins a fragment that never belongs on the wire
// (CVE-2023-45539).
var targetByte = func() (t [256]bool) {
	for c := 0x21; c <= 0x7e; c++ {
		t[c] = c != '#'
	}
	return t
}()

// hostByte tells the bytes of uri-host [":" port] (RFC 3986 section 3.2.2).
var hostByte = func() (t [256]bool) {
	for c := range t {
		t[c] = lowerToken[c] >= 'a' && lowerToken[c] <= 'z' || c >= '0' && c <= '9'
	}
	for _, c := range []byte("-._~%!$&'()*+,;=:[]") {
		t[c] = true
	}
	return t
}()

// hexValue maps a hex digit to its value and every other byte to 0xff.
var hexValue = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	for i, c := range []byte("ABCDEF") {
		t[c] = byte(10 + i)
	}
	return t
}()

func lowerASCII(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// equalFold reports whether b is the lower-case ASCII string s in any case.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if lowerASCII(b[i]) != s[i] {
			return false
		}
	}
	return true
}

// sameFold reports whether two byte strings differ in ASCII case at most.
func sameFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// trim narrows s to exclude optional white space at both ends.
func trim(buf []byte, s Span) Span {
	for s.Start < s.End && isBlank(buf[s.Start]) {
		s.Start++
	}
	for s.End > s.Start && isBlank(buf[s.End-1]) {
		s.End--
	}
	return s
}

// element cuts the first element off the comma separated list s; more reports
// that a comma followed it.
func element(buf []byte, s Span) (first, rest Span, more bool) {
	for i := s.Start; i < s.End; i++ {
		if buf[i] == ',' {
			return trim(buf, Span{s.Start, i}), Span{i + 1, s.End}, true
		}
	}
	return trim(buf, s), Span{s.End, s.End}, false
}
