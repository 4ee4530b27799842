package lb

import "net/netip"

// Request is what a key is taken from. Its byte slices and Headers are only
// read while a Key runs.
type Request struct {
	Source  netip.AddrPort // the client; the zero value for a unix socket
	Target  netip.AddrPort // the address it connected to
	HTTP    bool           // the next four are set
	Method  []byte
	URI     []byte // the target of the request line
	Body    []byte // what of the body came with the head
	Headers Headers
	Payload []byte // in mode tcp: what the client has sent so far
}

// Headers are the header fields of a request.
type Headers interface {
	// Value answers the nth line, from 0, of the field with this lower-case
	// name, or from the last one, -1, on; without its surrounding blanks.
	Value(name string, n int) (value []byte, found bool)
}

// Args are the arguments of a keyed algorithm on the balance line.
type Args struct {
	Name       string // of the header, parameter or cookie
	Len        int    // uri: hash at most so many bytes; 0 means all
	Depth      int    // uri: hash so many directories; 0 means all
	Whole      bool   // uri: the query string too
	PathOnly   bool   // uri: without scheme and authority
	CheckPost  bool   // url_param: look in the body of a POST too
	DomainOnly bool   // hdr: the second-level domain alone
}

// Key answers the hash of what a request is told by; found is false when it
// has none of it, and then servers take turns.
type Key func(q *Request, h Hash) (hash uint32, found bool)

// KeyOf makes the key of a keyed algorithm; nil for the others. The error
// names the word that is wrong.
func KeyOf(algorithm string, a Args) (Key, error) {
	row, ok := Algorithms.Lookup(algorithm)
	if !ok || row.Do.key == nil {
		return nil, nil
	}
	return row.Do.key(a)
}
