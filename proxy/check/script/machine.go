package script

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"herald/proxy/check"
)

// WantKind is what a Machine wants done.
type WantKind int

// Wants.
const (
	Dial  WantKind = iota // open a connection as Connect says, closing the one before
	Write                 // send Bytes
	Read                  // receive, and tell what came
	Done                  // the check is over: Result
)

// Want is the next thing to do.
type Want struct {
	Kind    WantKind
	Connect *Connect
	Port    int  // of Dial, when the script says it; 0 as the server line
	Last    bool // of Dial: nothing is exchanged on this connection
	Bytes   []byte
	Result  check.Result
}

// Machine runs one script once. It is a value of the goroutine that drives it.
type Machine struct {
	s      *Script
	e      env
	at     int
	limit  int
	data   []byte
	ended  bool // the server sends nothing more
	head   bool // the last request was HEAD
	dialed bool
	tls    bool
	spoke  bool // something was sent or expected
	info   string
	code   int
	status check.Status
	result check.Result
	over   bool
	read   bool // the expect step needs bytes before it is looked at again
}

// Start begins a script. Limit is how many bytes an answer may have
// (tune.bufsize); what is longer is judged by its beginning.
func Start(s *Script, w *World, limit int) *Machine {
	return &Machine{s: s, e: env{World: w}, limit: limit}
}

// Next answers what to do. It is called again after what it asked for was
// told by Dialed, Written, Received, Ended or Failed.
func (m *Machine) Next() Want {
	for !m.over {
		if m.at >= len(m.s.Steps) {
			m.succeed()
			break
		}
		st := &m.s.Steps[m.at]
		switch st.Action {
		case ActConnect:
			if !m.dialed {
				return m.dial(st)
			}
			m.dialed = false
			m.at++
		case ActSend:
			if b, ok := m.bytes(st); ok {
				return Want{Kind: Write, Bytes: b}
			}
		case ActExpect:
			if m.read {
				return Want{Kind: Read}
			}
			m.spoke = true
			m.expect(st)
		case ActSet:
			m.assign(st)
			m.at++
		case ActUnset:
			m.e.unset(st.Variable)
			m.at++
		default:
			m.at++
		}
	}
	return Want{Kind: Done, Result: m.result}
}

func (m *Machine) dial(st *Step) Want {
	m.data, m.ended, m.e.data, m.e.http = nil, false, nil, nil
	w := Want{Kind: Dial, Connect: st.Connect, Last: true}
	if st.Connect.Port != nil {
		w.Port = st.Connect.Port.number(&m.e)
	}
	for _, next := range m.s.Steps[m.at+1:] {
		if next.Action == ActConnect {
			break
		}
		if next.Action == ActSend || next.Action == ActExpect {
			w.Last = false
		}
	}
	return w
}

// Dialed tells that the connection stands, encrypted or not.
func (m *Machine) Dialed(encrypted bool) { m.dialed, m.tls = true, encrypted }

// bytes answers what a send step sends, or ends the check.
func (m *Machine) bytes(st *Step) ([]byte, bool) {
	m.spoke = true
	m.data, m.e.data, m.e.http = nil, nil, nil
	if r := st.Send.HTTP; r != nil {
		state := ""
		if m.s.SendState {
			state = m.e.State
		}
		m.head = r.Method == "HEAD"
		return r.append(nil, &m.e, state), true
	}
	b := st.Send.Data.append(nil, &m.e)
	if st.Send.Hex {
		raw := make([]byte, hex.DecodedLen(len(b)))
		if _, err := hex.Decode(raw, b); err != nil {
			m.fail(check.L7RSP, 0, fmt.Sprintf("TCPCHK log-format string is not valid hexadecimal at step %d", st.Number)+m.remark(st, false))
			return nil, false
		}
		b = raw
	}
	if len(b) == 0 {
		m.at++
		return nil, false
	}
	return b, true
}

// Written tells that the bytes went out.
func (m *Machine) Written() { m.at++ }

// Received tells what came; the bytes are copied.
func (m *Machine) Received(b []byte) {
	m.data = append(m.data, b[:min(len(b), max(m.limit-len(m.data), 0))]...)
	m.read = false
}

// Ended tells that the server sends nothing more.
func (m *Machine) Ended() { m.ended, m.read = true, false }

func (m *Machine) assign(st *Step) {
	value, ok := "", true
	if st.Text != nil {
		value = string(st.Text.append(nil, &m.e))
	} else {
		value, ok = st.Value.eval(&m.e)
	}
	if ok && m.allowed(st, value) {
		m.e.set(st.Variable, value)
	}
}

// allowed looks at the conditions of set-var.
func (m *Machine) allowed(st *Step, value string) bool {
	old, exists := m.e.get(st.Variable)
	for _, c := range st.Conditions {
		hold := false
		switch c {
		case "ifexists":
			hold = exists
		case "ifnotexists":
			hold = !exists
		case "ifempty":
			hold = value == ""
		case "ifnotempty":
			hold = value != ""
		case "ifset":
			hold = value != "" && value != "0"
		case "ifnotset":
			hold = value == "" || value == "0"
		case "ifgt":
			hold = exists && order(old, value) > 0
		case "iflt":
			hold = exists && order(old, value) < 0
		}
		if !hold {
			return false
		}
	}
	return true
}

// order compares numbers as numbers, anything else as text.
func order(a, b string) int {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX != nil || errY != nil {
		return strings.Compare(a, b)
	}
	return cmp.Compare(x, y)
}

// succeed is the verdict when every step has passed.
func (m *Machine) succeed() {
	r := &m.result
	m.over = true
	r.Status, r.Info, r.Code = check.L7OK, m.info, m.code
	switch {
	case m.status != check.UNK:
		r.Status = m.status
	case !m.spoke && m.tls:
		r.Status = check.L6OK
	case !m.spoke:
		r.Status = check.L4OK
	}
	if r.Info == "" && m.s.Kind == TCP && m.s.written() {
		r.Info = "(tcp-check)"
	}
}

// written reports whether the user wrote rules at all.
func (s *Script) written() bool {
	for i := range s.Steps {
		if s.Steps[i].Number > 0 {
			return true
		}
	}
	return false
}

func (m *Machine) fail(status check.Status, code int, info string) {
	m.over, m.result = true, check.Result{Status: status, Code: code, Info: info}
}

// Failure is what went wrong below the protocol.
type Failure int

// Failures.
const (
	Refused    Failure = iota // no connection: Text says why
	Unmade                    // the system would not begin to connect: Text says why
	Sourceless                // the same, for want of the source address
	Unlinked                  // the same, towards a unix socket
	TimedOut                  // the time is over
	Handshake                 // TLS could not be agreed on
	Broken                    // the connection broke
	Foreign                   // the server does not speak the protocol
)

// Failed tells that what Next asked for did not come to pass. Text is the
// system's, "Connection refused". Layer is where a timeout found the check:
// 4 while connecting, 6 during the handshake, 7 after.
func (m *Machine) Failed(f Failure, layer int, text string) {
	if m.over {
		return
	}
	st := &m.s.Steps[min(m.at, len(m.s.Steps)-1)]
	where := m.where(st)
	switch f {
	case Refused:
		m.fail(check.L4CON, 0, text+where)
	case Unmade:
		m.fail(check.L4CON, 0, "General socket error ("+text+")"+where)
	case Sourceless:
		m.fail(check.L4CON, 0, "Can't bind to source address ("+text+")"+where)
	case Unlinked:
		m.fail(check.SOCKERR, 0, "General socket error ("+text+")"+where)
	case Handshake:
		m.fail(check.L6RSP, 0, text+where)
	case Foreign:
		m.fail(check.L7RSP, 0, text+where)
	case Broken:
		m.fail(check.SOCKERR, 0, text+where)
	case TimedOut:
		status := check.L7TOUT
		switch {
		case layer == 4:
			status = check.L4TOUT
		case layer == 6:
			status = check.L6TOUT
		case st.Action == ActExpect && st.Expect.Timeout != check.UNK:
			status = st.Expect.Timeout
		}
		m.fail(status, 0, text+where)
	}
}

// where names the step a script of the user stopped at, in HAProxy's words.
func (m *Machine) where(st *Step) string {
	if m.s.Kind != TCP {
		return ""
	}
	if st.Number == 0 {
		if m.s.written() {
			return ""
		}
		return " at initial connection step of tcp-check"
	}
	text := " at step " + strconv.Itoa(st.Number) + " of tcp-check ("
	switch st.Action {
	case ActConnect:
		text += "connect"
		if st.Connect.PortText != "" {
			text += " port " + st.Connect.PortText
		} else if st.Connect.Port != nil {
			text += " port (expr)"
		}
	case ActSend:
		text += "send"
	case ActExpect:
		text += "expect " + describe(st.Expect)
	}
	return text + ")" + m.remark(st, true)
}

// remark is the comment of a step. HAProxy quotes it behind the name of a step
// and not behind the outcome of an expectation.
func (m *Machine) remark(st *Step, quoted bool) string {
	switch {
	case st.Comment == "":
		return ""
	case quoted:
		return " comment: '" + st.Comment + "'"
	}
	return " comment: " + st.Comment
}

func describe(x *Expect) string {
	switch x.Match {
	case String:
		return "string '" + string(x.Pattern) + "'"
	case StringText:
		return "log-format string"
	case Regex:
		return "regex"
	case Binary:
		return "binary '" + string(x.Pattern) + "'"
	case BinaryText:
		return "log-format binary"
	case BinaryRegex:
		return "binary regex"
	}
	return "data"
}

// Check says what is wrong with the order of the steps: a script that connects
// at all begins with that, and a second request needs a second connection.
func (s *Script) Check() error {
	connects, before := false, false
	for i := range s.Steps {
		switch s.Steps[i].Action {
		case ActConnect:
			if before && !connects {
				return errors.New("the first connect rule must come before every send and expect rule")
			}
			connects = true
		case ActSend, ActExpect:
			before = true
		}
	}
	if s.Kind != HTTP {
		return nil
	}
	sent := false
	for i := range s.Steps {
		switch s.Steps[i].Action {
		case ActConnect:
			sent = false
		case ActSend:
			if sent {
				return fmt.Errorf("the send rule at step %d needs a connect rule before it: one request goes on a connection", i+1)
			}
			sent = true
		}
	}
	return nil
}

// Condition reports whether name is a condition of set-var.
func Condition(name string) bool {
	switch name {
	case "ifexists", "ifnotexists", "ifempty", "ifnotempty", "ifset", "ifnotset", "ifgt", "iflt":
		return true
	}
	return false
}
