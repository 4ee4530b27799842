// Package script is the language of HAProxy's health checks: what is sent to a
// server, what is expected of it, and what the outcome means. The rules of
// tcp-check and http-check are scripts, and so are the checks for one protocol
// (MySQL, Redis, SMTP and the others).
//
// It opens no connection and reads no clock. A Machine says what to do next;
// whoever drives it does that and tells what came of it.
//
//	m := script.Start(s, world, 16384)
//	for {
//		switch w := m.Next(); w.Kind {
//		case script.Dial: // w.Connect says where and how
//			m.Dialed()
//		case script.Write: // w.Bytes
//			m.Written()
//		case script.Read:
//			m.Received(b)
//		case script.Done:
//			return w.Result
//		}
//	}
package script

import (
	"regexp"

	"herald/proxy/check"
)

// Kind is which language a script is written in; the texts of its results
// follow it.
type Kind int

// Kinds of scripts.
const (
	// Plain is a check without an option: a connection is enough.
	Plain Kind = iota
	// TCP is option tcp-check with the user's rules.
	TCP
	// HTTP is option httpchk.
	HTTP
	// Protocol is one of the checks for a named protocol.
	Protocol
)

// Script is one check, from the connection to the verdict. It is immutable
// once Finish has answered it, and shared by every server of a backend.
type Script struct {
	Kind  Kind
	Name  string // of a Protocol
	Steps []Step
	// Disable404 is http-check disable-on-404, SendState http-check send-state.
	Disable404, SendState bool
	// Request is what option httpchk says; the first send rule without words of
	// its own takes over from it.
	Request *Send
}

// Action is what a Step does.
type Action int

// Actions.
const (
	ActConnect Action = iota
	ActSend
	ActExpect
	ActSet
	ActUnset
	ActComment
)

// Step is one rule.
type Step struct {
	Action Action
	// Number is the rule's place as the texts count: from 1, comments included.
	Number int
	// Comment is that of the rule, or of the comment rule before it.
	Comment string
	Connect *Connect
	Send    *Send
	Expect  *Expect
	// Variable is what ActSet and ActUnset name, "check.port"; Value and
	// Condition belong to ActSet.
	Variable   string
	Value      *Expr
	Text       *Text // set-var-fmt
	Conditions []string
}

// Connects is how many connections a run opens at most.
func (s *Script) Connects() (n int) {
	for i := range s.Steps {
		if s.Steps[i].Action == ActConnect {
			n++
		}
	}
	return n
}

// Connect is a connect rule. The zero value connects as the server line says.
type Connect struct {
	// Default takes what the server line says about encryption and headers
	// (the word "default", and a script without a connect rule).
	Default   bool
	Port      *Expr
	PortText  string // as written, when it is a number
	Addr      string // a host, or the path of a unix socket, which begins with "@" in the abstract namespace
	AddrPort  int    // behind Addr; Port counts for more
	TLS       bool
	SNI       string
	ALPN      []string
	SendProxy bool
	Socks4    bool // via-socks4
	Linger    bool
	Proto     string
}

// Send is a send rule: bytes, or a request of HTTP.
type Send struct {
	Data *Text // tcp-check send and send-lf
	Hex  bool  // Data is hexadecimal digits once evaluated
	HTTP *Request
}

// Match is how an Expect looks at what came.
type Match int

// Matches.
const (
	String Match = iota
	StringText
	Regex
	Binary
	BinaryText
	BinaryRegex
	StatusList
	StatusRegex
	Header
	FullHeader
	Judged // by Expect.Judge
)

// Expect is an expect rule.
type Expect struct {
	Match   Match
	Not     bool
	Pattern []byte // String, Binary
	Text    *Text  // StringText, BinaryText
	Regex   *regexp.Regexp
	Status  []Range
	Name    Pattern // of the header
	Value   *Pattern
	// MinRecv is min-recv; -1 means unset.
	MinRecv int
	// OK, Fail and Timeout are ok-status, error-status and tout-status; UNK
	// means the usual one.
	OK, Fail, Timeout  check.Status
	OnSuccess, OnError *Text
	Code               *Expr
	// Judge decides for a protocol of its own. End says that the server sends
	// nothing more.
	Judge func(data []byte, end bool) Verdict
}

// Verdict is what a Judge makes of the bytes so far.
type Verdict struct {
	State  State
	Status check.Status // of a failure
	Code   int
	Info   string // of a failure, or of the whole check when it is the last step
}

// State says how far a Judge is.
type State int

// States of a Verdict.
const (
	More State = iota
	Good
	Bad
)

// Range is a range of status codes, both ends included.
type Range struct{ Low, High int }

// Finish numbers the steps, hands the comments on to the rules they stand
// before, and completes what HAProxy leaves implicit: a connection at the
// beginning and, of HTTP, a request and what its answer must be.
func (s *Script) Finish() {
	comment := ""
	for i := range s.Steps {
		st := &s.Steps[i]
		st.Number = i + 1
		switch st.Action {
		case ActComment:
			comment = st.Comment
		case ActConnect, ActSend, ActExpect:
			if st.Comment == "" {
				st.Comment = comment
			}
			comment = ""
		}
	}
	if s.Kind == HTTP {
		s.finishHTTP()
	}
	for i := range s.Steps {
		switch s.Steps[i].Action {
		case ActConnect:
			return
		case ActSend, ActExpect:
			s.Steps = append([]Step{{Action: ActConnect, Connect: &Connect{Default: true}}}, s.Steps...)
			return
		}
	}
	s.Steps = append(s.Steps, Step{Action: ActConnect, Connect: &Connect{Default: true}})
}

// finishHTTP adds the request and the expectation that are not written down.
func (s *Script) finishHTTP() {
	sends := false
	for i := range s.Steps {
		st := &s.Steps[i]
		if st.Action != ActSend {
			continue
		}
		if !sends {
			st.Send = st.Send.Over(s.Request)
		}
		sends = true
	}
	if !sends {
		at := 0
		for i := range s.Steps {
			if s.Steps[i].Action == ActExpect {
				break
			}
			at = i + 1
		}
		send := s.Request
		if send == nil {
			send = &Send{HTTP: &Request{}}
		}
		s.Steps = append(s.Steps[:at:at], append([]Step{{Action: ActSend, Send: send}}, s.Steps[at:]...)...)
	}
	last := len(s.Steps) - 1
	for last >= 0 && s.Steps[last].Action != ActSend && s.Steps[last].Action != ActExpect {
		last--
	}
	if s.Steps[last].Action == ActSend {
		s.Steps = append(s.Steps, Step{Action: ActExpect, Expect: &Expect{Match: StatusList, Status: []Range{{200, 399}}, MinRecv: -1}})
	}
}

// NamesPort reports whether every connection of the script says which port it
// goes to, so that a server needs none.
func (s *Script) NamesPort() bool {
	for i := range s.Steps {
		if s.Steps[i].Action == ActConnect && s.Steps[i].Connect.Port == nil {
			return false
		}
	}
	return true
}

// Addrs are where connect rules go, as written, but for the server.
func (s *Script) Addrs() (addrs []string) {
	for i := range s.Steps {
		if k := s.Steps[i].Connect; k != nil && k.Addr != "" {
			addrs = append(addrs, k.Addr)
		}
	}
	return addrs
}

// Encrypts reports whether some connect rule asks for encryption.
func (s *Script) Encrypts() bool {
	for i := range s.Steps {
		if s.Steps[i].Action == ActConnect && s.Steps[i].Connect.TLS {
			return true
		}
	}
	return false
}
