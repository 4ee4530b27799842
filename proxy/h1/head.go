package h1

// Span is a range of bytes of the buffer a head was parsed from.
type Span struct{ Start, End int32 }

// In returns the bytes of s in buf, without copying.
func (s Span) In(buf []byte) []byte { return buf[s.Start:s.End] }

// Len returns the number of bytes in s.
func (s Span) Len() int { return int(s.End - s.Start) }

// Version is the version a head announces.
type Version uint8

// Versions this package tells apart. Like HAProxy it reads every version
// above 1.1 as 1.1, and writes it so; below 1.0 nothing is read.
const (
	HTTP10 Version = iota
	HTTP11
)

// Method is a request method with a meaning for framing or rules.
type Method uint8

// Methods; every other token is MethodOther. They are case sensitive (RFC
// 9110 section 9.1).
const (
	MethodOther Method = iota
	MethodGet
	MethodHead // the response has no body
	MethodPost
	MethodPut
	MethodDelete
	MethodOptions
	MethodConnect
	MethodTrace
	MethodPatch
)

// Framing says where a message ends (RFC 9112 section 6.3).
type Framing uint8

// Framings.
const (
	NoBody     Framing = iota // ends with its head
	Length                    // exactly Head.Length bytes follow, at least one
	Chunked                   // chunked transfer coding
	UntilClose                // a response that ends with the connection
	Tunnel                    // no message any more: raw bytes both ways
)

// Kind marks the headers this package or its caller acts on.
type Kind uint8

// Kinds of headers.
const (
	OtherHeader Kind = iota
	ContentLength
	TransferEncoding
	Connection
	KeepAlive
	ProxyConnection
	TE
	Upgrade
	Host
	Expect
	XForwardedFor
	Authorization
	Cookie
	SetCookie
)

// Header is one header line. Its name is lower case in the buffer: parsing
// lowers it in place, as HAProxy sends it.
type Header struct {
	Name, Value Span
	Line        Span // the whole line with its line end and continuations
	Kind        Kind
	Drop        bool // not written by AppendRequest and AppendResponse
	canonical   bool // Line is exactly "name: value\r\n"
}

// MaxHeaders is how many header lines a head may have when Head.Most says
// nothing: with the start line HAProxy's default tune.http.maxhdr of 101.
const MaxHeaders = 100

// Head is one parsed message head. Spans point into the buffer given to the
// parse that returned Complete and are valid while its bytes stay in place.
// The zero value is ready; Reset makes it ready again. A Head belongs to one
// connection or loop, and holds about 3 KB once used.
type Head struct {
	Method    Method // of a request
	MethodAt  Span
	Target    Span
	Status    int // of a response, 100..999
	Reason    Span
	Version   Version
	StartLine Span // without its line end
	Headers   []Header
	Len       int // bytes of the head: leading empty lines to the empty line that ends it

	Framing Framing
	Length  int64 // announced by content-length (also for HEAD and 304), -1 without one

	// KeepAlive reports that the sender lets the connection carry another
	// message and that nothing about this one makes that unsafe (RFC 9112
	// sections 6.1 and 9.3), before any policy of the proxy's.
	KeepAlive bool
	// WantsUpgrade reports a request for, or the granting of, another protocol
	// ("connection: upgrade" with an upgrade header). h2c never counts.
	WantsUpgrade bool
	// Expects100 reports "expect: 100-continue" in HTTP/1.1.
	Expects100 bool

	// Lenient lets some heads pass that break the grammar; see nameByte and
	// inTarget. It is set after Reset.
	Lenient bool

	// Most is how many header lines there may be; 0 means MaxHeaders. It is set
	// after Reset.
	Most int

	state parseState
}

// parseState is where an incomplete parse stopped.
type parseState struct {
	line      int32 // where the line being received starts
	scan      int32 // up to here the line has no LF
	begun     bool  // the start line has been read
	canonical bool  // the start line is written as we would write it
	returns   int32 // CR that stand in front of an LF, outside continuations
	upgrade   bool  // "connection: upgrade" is written
	verdict   Verdict
}

// Reset makes h ready for the next message, keeping its header array.
func (h *Head) Reset() {
	*h = Head{Headers: h.Headers[:0], Length: -1}
}

// Interim reports a response that another one follows (1xx but 101).
func (h *Head) Interim() bool { return h.Status >= 100 && h.Status < 200 && h.Status != 101 }

// Find returns the index of the first header of this lower-case name that is
// not dropped, or -1.
func (h *Head) Find(buf []byte, name string) int {
	for i := range h.Headers {
		if f := &h.Headers[i]; !f.Drop && string(f.Name.In(buf)) == name {
			return i
		}
	}
	return -1
}

// FindKind returns the index of the first header of kind k that is not
// dropped, or -1.
func (h *Head) FindKind(k Kind) int {
	for i := range h.Headers {
		if f := &h.Headers[i]; !f.Drop && f.Kind == k {
			return i
		}
	}
	return -1
}
