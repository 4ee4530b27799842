package h1

// Span is a range of bytes of the buffer a head was parsed from.
type Span struct{ Start, End int32 }

// In returns the bytes of s in buf, without copying.
func (s Span) In(buf []byte) []byte { return buf[s.Start:s.End] }

// Len returns the number of bytes in s.
func (s Span) Len() int { return int(s.End - s.Start) }

// Version is the version a head announces.
type Version uint8

// Versions this package reads. Any other major version is refused.
const (
	HTTP10 Version = iota // 1.0
	HTTP11                // 1.1 and any later 1.x
)

// Method is a request method with a meaning for framing or logging.
type Method uint8

// Methods; every other token is MethodOther.
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
	Length                    // exactly Head.Length bytes follow, Length > 0
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
	Trailer
	Upgrade
	Host
	Expect
	XForwardedFor
	Authorization
	Cookie
	SetCookie
)

// Header is one header line. The name is lower case in the buffer: parsing
// lowers it in place, as HAProxy sends it.
type Header struct {
	Name, Value Span
	Line        Span // the whole line with its line end
	Kind        Kind
	Drop        bool // not written by AppendRequest and AppendResponse
	canonical   bool // Line is exactly "name: value\r\n"
}

// MaxHeaders is how many header lines a head may have, HAProxy's
// tune.http.maxhdr.
const MaxHeaders = 101

// Head is one parsed message head. Spans point into the buffer given to the
// parse that returned Complete and are valid while its bytes stay in place.
// The zero value is ready; Reset makes it ready again. A Head belongs to one
// connection or loop.
type Head struct {
	Method   Method // requests
	MethodAt Span
	Target   Span
	Status   int // responses, 100..999
	Reason   Span
	Version  Version
	Headers  []Header
	Len      int // bytes of the head with the empty line that ends it

	Framing Framing
	Length  int64 // of the body when Framing is Length, else 0; -1 for no length

	// KeepAlive reports that the sender lets the connection carry another
	// message (RFC 9112 section 9.3), before any policy of ours.
	KeepAlive bool
	// WantsUpgrade reports "connection: upgrade" with an upgrade header.
	WantsUpgrade bool
	// Expects100 reports "expect: 100-continue".
	Expects100 bool

	parse parseState
}

// Reset makes h ready for the next message, keeping its header array.
func (h *Head) Reset() {}

// ParseRequest reads a request head from the start of buf. It answers
// Incomplete until the empty line is there; call it again with the same bytes
// and more behind them, it resumes. Leading empty lines are skipped and
// counted in Len (RFC 9112 section 2.2). It changes buf: names become lower
// case and folded values are unfolded.
func (h *Head) ParseRequest(buf []byte) Verdict { return Incomplete }

// ParseResponse reads a response head, as ParseRequest does. Framing depends
// on the request it answers: its method and whether it asked for an upgrade.
// A 1xx other than 101 comes back with Framing NoBody and Interim true.
func (h *Head) ParseResponse(buf []byte, method Method, upgradeAsked bool) Verdict { return Incomplete }

// Interim reports a response that another one follows (1xx but 101).
func (h *Head) Interim() bool { return h.Status >= 100 && h.Status < 200 && h.Status != 101 }

// Find returns the index of the first header of this lower-case name that is
// not dropped, or -1.
func (h *Head) Find(buf []byte, name string) int { return -1 }

// FindKind returns the index of the first header of kind k that is not
// dropped, or -1.
func (h *Head) FindKind(k Kind) int { return -1 }

type parseState struct{}
