package h1

// Verdict is the outcome of reading: Incomplete, Complete, or the reason a
// message is refused. A refusal sticks: the connection cannot be read further.
type Verdict uint8

// Verdicts.
const (
	Incomplete           Verdict = iota // more bytes are needed
	Complete                            // the head, or the body, is whole
	BadStartLine                        // no method, target and version; no status line
	BadMethod                           // not a token
	BadTarget                           // bytes outside 0x21..0x7e, '#', or none of the four forms (RFC 9112 section 3.2)
	BadVersion                          // not HTTP/d.d, or below 1.0
	BadStatus                           // not three digits from 100
	BadHeaderName                       // empty, not a token, space before the colon, no colon
	BadHeaderValue                      // NUL or a lone CR
	BadFolding                          // a continuation line without a header line before it
	TooManyHeaders                      // more than Head.Most
	BadHost                             // several that differ, not host[:port], or not the target's authority
	BadContentLength                    // empty, not digits, over 2^63-1, or several that differ
	BadTransferEncoding                 // anything but one "chunked"; in HTTP/1.0
	UnsupportedCoding                   // a coding before chunked
	BadConnect                          // CONNECT with a body
	BadUpgrade                          // 101 that nobody asked for
	BadWebSocketKey                     // an upgrade to websocket without a key of 24 characters (RFC 6455 section 4.1)
	BadChunkSize                        // not hex digits, or 2^60 and more
	BadChunkEnd                         // chunk data not followed by CRLF
	BadChunkLine                        // a lone CR or LF, or a control byte, in a chunk size line
	ChunkLineTooLong                    // one chunk size line over 4 KB
	ChunkOverheadTooLong                // extensions far longer than the data they come with
	BadTrailer                          // malformed trailer line
	ForbiddenTrailer                    // a framing, routing or hop-by-hop field as a trailer (RFC 9110 section 6.5.1)
	TrailersTooLong                     // over 8 KB
	UnlikelyBody                        // of GET, HEAD or DELETE in HTTP/1.0; the parser takes it
	verdicts
)

var verdictNames = [verdicts]string{
	Incomplete:           "incomplete",
	Complete:             "complete",
	BadStartLine:         "malformed start line",
	BadMethod:            "method is not a token",
	BadTarget:            "malformed request target",
	BadVersion:           "malformed version",
	BadStatus:            "malformed status code",
	BadHeaderName:        "malformed header name",
	BadHeaderValue:       "forbidden byte in header value",
	BadFolding:           "continuation without header",
	TooManyHeaders:       "too many headers",
	BadHost:              "ambiguous host",
	BadContentLength:     "malformed or ambiguous content-length",
	BadTransferEncoding:  "malformed or ambiguous transfer-encoding",
	UnsupportedCoding:    "unsupported transfer coding",
	BadConnect:           "connect with a body",
	BadUpgrade:           "switching protocols not asked for",
	BadWebSocketKey:      "websocket without a key",
	BadChunkSize:         "malformed chunk size",
	BadChunkEnd:          "chunk not ended by crlf",
	BadChunkLine:         "forbidden byte in chunk size line",
	ChunkLineTooLong:     "chunk size line too long",
	ChunkOverheadTooLong: "chunk extensions too long",
	BadTrailer:           "malformed trailer",
	ForbiddenTrailer:     "forbidden trailer field",
	TrailersTooLong:      "trailers too long",
	UnlikelyBody:         "body where a server may look for none",
}

// Bad reports that v is a refusal.
func (v Verdict) Bad() bool { return v > Complete }

// Status is the status code a client is answered with for a refused request:
// 422 for a coding HAProxy refuses with it, 413 for a body nobody expects, else
// 400. A refused response is a 502 whatever its verdict.
func (v Verdict) Status() int {
	switch v {
	case UnsupportedCoding:
		return 422
	case UnlikelyBody:
		return 413
	}
	return 400
}

// String names the reason in lower case, for logs and tests.
func (v Verdict) String() string {
	if v >= verdicts {
		return "unknown verdict"
	}
	return verdictNames[v]
}
