package settings

import (
	"time"

	"herald/proxy/rule"
)

// Rules are what a proxy decides by looking at its traffic.
type Rules struct {
	// InspectDelay is how long Content may wait for bytes (tcp-request
	// inspect-delay); 0 does not wait.
	InspectDelay time.Duration
	Connection   rule.Gates    // tcp-request connection, before anything is received
	Session      rule.Gates    // tcp-request session, when a PROXY header and TLS are done
	Content      rule.Gates    // tcp-request content
	Backends     []rule.Choice // use_backend, in order
	Servers      []rule.Choice // use-server, in order
	// AnswerDelay is how long Answer may wait for bytes of the server
	// (tcp-response inspect-delay); 0 does not wait.
	AnswerDelay time.Duration
	Answer      rule.Gates // tcp-response content
}

// Captures are what the log tells of a frontend's messages.
type Captures struct {
	Request, Response []Capture // capture request header, capture response header
	// Cookie is what the name of the captured cookie begins with, and a "=" when
	// it is the whole name; empty is none.
	Cookie Capture
}

// Capture is one header or cookie, cut to a number of bytes.
type Capture struct {
	Name string // of a header in lower case
	Len  int
}
