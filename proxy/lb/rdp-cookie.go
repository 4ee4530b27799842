package lb

import (
	"bytes"

	"herald/config"
)

var rdpCookieRow = config.Row[Algorithm]{
	Name:    "rdp-cookie",
	Doc:     "the same server for the same cookie of an RDP connection request, \"mstshash\" by default",
	Syntax:  "balance rdp-cookie[(NAME)]",
	Example: "balance rdp-cookie(mstshash)",
	Do:      Algorithm{make: newHashed, key: rdpCookieKey, Keyed: true, Static: true},
}

func rdpCookieKey(a Args) (Key, error) {
	name := a.Name
	if name == "" {
		name = "mstshash"
	}
	return func(q *Request, h Hash) (uint32, bool) {
		value, ok := RDPCookie(q.Payload, name)
		if !ok {
			return 0, false
		}
		return h.Of(value), true
	}, nil
}

// RDPCookie finds a cookie in an RDP connection request: the line "Cookie:
// NAME=VALUE" after the TPKT and X.224 headers ([MS-RDPBCGR] section
// 2.2.1.1). The name is taken in any case. An empty value is none.
func RDPCookie(payload []byte, name string) (value []byte, found bool) {
	const (
		headers = 11 // TPKT 4, X.224 connection request 7
		word    = "Cookie:"
	)
	if len(payload) < headers+len(word) || payload[0] != 3 || payload[5] != 0xe0 {
		return nil, false
	}
	line := payload[headers:]
	if !bytes.EqualFold(line[:len(word)], []byte(word)) {
		return nil, false
	}
	line, _, whole := bytes.Cut(bytes.TrimLeft(line[len(word):], " "), []byte("\r\n"))
	key, value, ok := bytes.Cut(line, []byte("="))
	if !whole || !ok || len(value) == 0 || !bytes.EqualFold(key, []byte(name)) {
		return nil, false
	}
	return value, true
}
