package h1

// Field is one header to add, its name in lower case.
type Field struct{ Name, Value []byte }

// Option is the connection option a rewritten head announces.
type Option uint8

// Connection options.
const (
	// Implied writes no connection header: the version's default holds.
	Implied Option = iota
	// SayClose writes "connection: close".
	SayClose
	// SayKeepAlive writes "connection: keep-alive".
	SayKeepAlive
)

// Edits is what changes in a head on its way through, besides the hop-by-hop
// headers, which never pass.
type Edits struct {
	Add        []Field // written behind the message's own headers, in order
	Connection Option
}

// RequestOption returns the option to announce to a server of a request of
// version v: close only where 1.1 would keep alive, keep-alive only where 1.0
// would close (as HAProxy).
func RequestOption(v Version, keepAlive bool) Option { return Implied }

// ResponseOption returns the option to announce to a client that spoke
// version client in a response of version v.
func ResponseOption(client, v Version, keepAlive bool) Option { return Implied }

// AppendRequest appends the request head h, parsed from buf, to dst as it is
// sent to a server.
func (h *Head) AppendRequest(dst, buf []byte, e Edits) []byte { return dst }

// AppendResponse appends the response head h, parsed from buf, to dst as it
// is sent to a client.
func (h *Head) AppendResponse(dst, buf []byte, e Edits) []byte { return dst }

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
