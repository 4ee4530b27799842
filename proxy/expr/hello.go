package expr

import "encoding/binary"

// Hello is what a ClientHello says before anything is encrypted (RFC 8446
// section 4.1.2).
type Hello struct {
	Type       int    // of the handshake message: 1 is ClientHello
	Version    int    // legacy_version, 0x0303 for TLS 1.2 and 1.3
	ServerName []byte // empty without the extension (RFC 6066 section 3)
	ALPN       []byte // the first protocol offered (RFC 7301)
	Curves     bool   // supported_groups is there (RFC 8422 section 5.1.1)
	Ticket     int    // 0 without session_ticket (RFC 5077), 1 with an empty one, 2 with a ticket
}

// Limits of what is read: a hello may lie in several records, and nobody
// sends a longer one.
const (
	recordHeader    = 5
	handshakeRecord = 22
	longestRecord   = 1<<14 + 256
	longestHello    = 1 << 16
)

// ReadHello reads the handshake message at the start of data: Wait while it is
// not whole, Missing when there is none.
func ReadHello(data []byte) (Hello, Outcome) {
	message, out := joinRecords(data)
	if out != Found {
		return Hello{}, out
	}
	h := Hello{Type: int(message[0])}
	if h.Type != 1 {
		return h, Found
	}
	b := reader(message[4:])
	version, ok := b.number(2)
	_, random := b.take(32)
	_, session := b.vector(1)
	_, suites := b.vector(2)
	_, compression := b.vector(1)
	if !ok || !random || !session || !suites || !compression {
		return Hello{}, Missing
	}
	h.Version = version
	if len(b) == 0 { // no extensions
		return h, Found
	}
	extensions, ok := b.vector(2)
	if !ok || len(b) > 0 {
		return Hello{}, Missing
	}
	var names, protocols int
	for len(extensions) > 0 {
		kind, ok := extensions.number(2)
		body, whole := extensions.vector(2)
		if !ok || !whole {
			return Hello{}, Missing
		}
		switch kind {
		case 0:
			names++
			h.ServerName = serverName(body)
		case 16:
			protocols++
			if list, ok := body.vector(2); ok {
				if first, ok := list.vector(1); ok {
					h.ALPN = first
				}
			}
		case 10:
			h.Curves = true
		case 35:
			h.Ticket = min(1+len(body), 2)
		}
	}
	if names > 1 || protocols > 1 { // forbidden (RFC 8446 section 4.2): the server might read another one than we
		return Hello{}, Missing
	}
	return h, Found
}

// joinRecords answers the first handshake message, of as many records as it
// takes.
func joinRecords(data []byte) (message []byte, out Outcome) {
	whole, all := -1, len(data)
	for count := 0; ; count++ {
		switch {
		case len(data) == 0:
			return nil, Wait
		case data[0] != handshakeRecord, len(data) > 1 && data[1] != 3:
			return nil, Missing
		case len(data) < recordHeader:
			return nil, Wait
		}
		n := int(binary.BigEndian.Uint16(data[3:]))
		if n == 0 || n > longestRecord {
			return nil, Missing
		}
		body := data[recordHeader:min(len(data), recordHeader+n)]
		cut := len(body) < n
		switch count {
		case 0: // the usual case: it stays where it is
			message = body
		case 1:
			message = append(append(make([]byte, 0, all), message...), body...)
		default:
			message = append(message, body...)
		}
		if whole < 0 && len(message) >= 4 {
			whole = 4 + int(message[1])<<16 + int(message[2])<<8 + int(message[3])
			if whole > longestHello {
				return nil, Missing
			}
		}
		switch {
		case whole >= 0 && len(message) >= whole:
			return message[:whole], Found
		case cut:
			return nil, Wait
		}
		data = data[recordHeader+n:]
	}
}

// serverName is the first host_name of a server_name extension.
func serverName(b reader) []byte {
	list, ok := b.vector(2)
	for ok && len(list) > 0 {
		kind, _ := list.number(1)
		var name reader
		if name, ok = list.vector(2); ok && kind == 0 {
			return name
		}
	}
	return nil
}

// reader takes numbers and vectors off the front of bytes.
type reader []byte

func (r *reader) take(n int) (reader, bool) {
	if len(*r) < n {
		return nil, false
	}
	out := (*r)[:n]
	*r = (*r)[n:]
	return out, true
}

func (r *reader) number(bytes int) (n int, ok bool) {
	b, ok := r.take(bytes)
	for _, c := range b {
		n = n<<8 | int(c)
	}
	return n, ok
}

func (r *reader) vector(lengthBytes int) (reader, bool) {
	n, ok := r.number(lengthBytes)
	if !ok {
		return nil, false
	}
	return r.take(n)
}
