package h2

// This file writes header blocks. Like HAProxy's they use the static table
// and no other: values of responses are seldom the same twice, and a table
// would cost every connection its memory and every field a search.

// Indexes of the static table (RFC 7541 appendix A).
const (
	nameAuthority = 1
	nameMethod    = 2
	namePath      = 4
	nameScheme    = 6
	nameStatus    = 8
)

// appendInt writes n with a prefix of bits (RFC 7541 section 5.1).
func appendInt(dst []byte, first byte, bits uint, n int) []byte {
	most := 1<<bits - 1
	if n < most {
		return append(dst, first|byte(n))
	}
	dst = append(dst, first|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		dst = append(dst, byte(n)|0x80)
	}
	return append(dst, byte(n))
}

// appendIndexed writes a field whose name is at index, never to be put in a
// table by the reader (RFC 7541 section 6.2.2).
func appendIndexed(dst []byte, index int, value []byte) []byte {
	dst = appendInt(dst, 0, 4, index)
	return append(appendInt(dst, 0, 7, len(value)), value...)
}

func appendLiteral(dst, name, value []byte) []byte {
	if i := staticName(name); i != 0 {
		return appendIndexed(dst, i, value)
	}
	dst = append(appendInt(append(dst, 0), 0, 7, len(name)), name...)
	return append(appendInt(dst, 0, 7, len(value)), value...)
}

func appendStatus(dst []byte, status int) []byte {
	switch status {
	case 200:
		return append(dst, 0x80|8)
	case 204:
		return append(dst, 0x80|9)
	case 206:
		return append(dst, 0x80|10)
	case 304:
		return append(dst, 0x80|11)
	case 400:
		return append(dst, 0x80|12)
	case 404:
		return append(dst, 0x80|13)
	case 500:
		return append(dst, 0x80|14)
	}
	return append(dst, nameStatus, 3, '0'+byte(status/100), '0'+byte(status/10%10), '0'+byte(status%10))
}

func appendMethod(dst, method []byte) []byte {
	switch string(method) {
	case "GET":
		return append(dst, 0x80|2)
	case "POST":
		return append(dst, 0x80|3)
	}
	return appendIndexed(dst, nameMethod, method)
}

func appendScheme(dst, scheme []byte) []byte {
	switch string(scheme) {
	case "http":
		return append(dst, 0x80|6)
	case "https":
		return append(dst, 0x80|7)
	}
	return appendIndexed(dst, nameScheme, scheme)
}

// staticName is the first index of a name in the static table, or 0.
func staticName(name []byte) int {
	switch string(name) {
	case "accept-charset":
		return 15
	case "accept-encoding":
		return 16
	case "accept-language":
		return 17
	case "accept-ranges":
		return 18
	case "accept":
		return 19
	case "access-control-allow-origin":
		return 20
	case "age":
		return 21
	case "allow":
		return 22
	case "authorization":
		return 23
	case "cache-control":
		return 24
	case "content-disposition":
		return 25
	case "content-encoding":
		return 26
	case "content-language":
		return 27
	case "content-length":
		return 28
	case "content-location":
		return 29
	case "content-range":
		return 30
	case "content-type":
		return 31
	case "cookie":
		return 32
	case "date":
		return 33
	case "etag":
		return 34
	case "expect":
		return 35
	case "expires":
		return 36
	case "from":
		return 37
	case "host":
		return 38
	case "if-match":
		return 39
	case "if-modified-since":
		return 40
	case "if-none-match":
		return 41
	case "if-range":
		return 42
	case "if-unmodified-since":
		return 43
	case "last-modified":
		return 44
	case "link":
		return 45
	case "location":
		return 46
	case "max-forwards":
		return 47
	case "proxy-authenticate":
		return 48
	case "proxy-authorization":
		return 49
	case "range":
		return 50
	case "referer":
		return 51
	case "refresh":
		return 52
	case "retry-after":
		return 53
	case "server":
		return 54
	case "set-cookie":
		return 55
	case "strict-transport-security":
		return 56
	case "transfer-encoding":
		return 57
	case "user-agent":
		return 58
	case "vary":
		return 59
	case "via":
		return 60
	case "www-authenticate":
		return 61
	}
	return 0
}
