package script

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"

	"herald/proxy/check"
)

// expect looks at an expect step with what has come so far: it passes, fails,
// or asks for more.
func (m *Machine) expect(st *Step) {
	m.e.data = m.data
	x := st.Expect
	switch {
	case m.s.Kind == HTTP:
		m.expectHTTP(st)
	case len(m.data) == 0 && m.ended:
		m.refuse(st, check.L7RSP, "TCPCHK got an empty response at step "+m.step(st))
	case len(m.data) == 0:
		m.read = true
	case x.Match == Judged:
		m.judge(st)
	default:
		m.expectBytes(st)
	}
}

// last reports whether nothing can come that would change a match: the server
// has ended, or the buffer is full.
func (m *Machine) last() bool { return m.ended || len(m.data) >= m.limit }

// step is the number of a step. Those of a named protocol count the
// connection as HAProxy's do.
func (m *Machine) step(st *Step) string { return strconv.Itoa(st.Number) }

func (m *Machine) judge(st *Step) {
	switch v := st.Expect.Judge(m.data, m.last()); v.State {
	case More:
		if m.last() { // a judge that cannot make up its mind would be asked for ever
			m.fail(check.L7RSP, 0, "")
			return
		}
		m.read = true
	case Good:
		if v.Info != "" || m.info == "" {
			m.info = v.Info
		}
		m.code = v.Code
		if v.Status != check.UNK {
			m.status = v.Status
		}
		m.at++
	case Bad:
		m.fail(v.Status, v.Code, v.Info)
	}
}

// expectBytes is an expectation of tcp-check.
func (m *Machine) expectBytes(st *Step) {
	x := st.Expect
	pattern := x.Pattern
	switch x.Match {
	case StringText:
		pattern = x.Text.append(nil, &m.e)
	case BinaryText:
		text := x.Text.append(nil, &m.e)
		pattern = make([]byte, hex.DecodedLen(len(text)))
		if _, err := hex.Decode(pattern, text); err != nil {
			m.refuse(st, check.L7RSP, "TCPCHK failed to build log-format binary at step "+m.step(st))
			return
		}
	}
	if !m.last() && (len(m.data) < len(pattern) || len(m.data) < x.MinRecv) {
		m.read = true
		return
	}
	found := false
	switch x.Match {
	case Regex:
		found = x.Regex.Match(m.data)
	case BinaryRegex:
		found = x.Regex.Match(bytes.ToUpper([]byte(hex.EncodeToString(m.data))))
	default:
		found = bytes.Contains(m.data, pattern)
	}
	switch {
	case !found && !m.last() && x.MinRecv < 0:
		m.read = true
	case found != x.Not:
		m.pass(st, 0)
	default:
		said := "TCPCHK did not match content"
		if x.Not {
			said = "TCPCHK matched unwanted content"
		}
		m.refuse(st, check.L7RSP, said+content(x)+" at step "+m.step(st))
	}
}

// content is how an outcome names the pattern.
func content(x *Expect) string {
	switch x.Match {
	case String:
		return " '" + string(x.Pattern) + "'"
	case StringText:
		return " (log-format string)"
	case Regex:
		return " (regex)"
	case Binary:
		return " (binary)"
	case BinaryText:
		return " (log-format binary)"
	}
	return " (binary regex)"
}

// pass goes to the next step; code is the status the answer had.
func (m *Machine) pass(st *Step, code int) {
	x := st.Expect
	m.info, m.status, m.code = "", x.OK, code
	if x.OnSuccess != nil {
		m.info = string(x.OnSuccess.append(nil, &m.e))
	}
	if x.Code != nil {
		m.code = x.Code.number(&m.e)
	}
	m.at++
}

// refuse ends the check because an expectation was not met.
func (m *Machine) refuse(st *Step, usual check.Status, info string) {
	x := st.Expect
	status, code := usual, 0
	if x.Fail != check.UNK {
		status = x.Fail
	}
	if m.e.http != nil {
		code = m.e.http.status
	}
	if x.Code != nil {
		code = x.Code.number(&m.e)
	}
	if x.OnError != nil {
		info = string(x.OnError.append(nil, &m.e))
	}
	m.fail(status, code, info+m.remark(st, false))
}

// expectHTTP is an expectation of http-check.
func (m *Machine) expectHTTP(st *Step) {
	x := st.Expect
	r, err := parseResponse(m.data, m.head, m.last())
	switch {
	case errors.Is(err, errMore):
		m.read = true
		return
	case err != nil:
		m.e.http = nil
		m.fail(check.L7RSP, 0, m.remark(st, false))
		return
	}
	m.e.http = r
	if m.s.Disable404 && r.status == 404 && m.e.Running {
		m.over, m.result = true, check.Result{Status: check.L7OKC, Code: r.status}
		return
	}
	switch x.Match {
	case StatusList:
		m.decide(st, inRanges(x.Status, r.status), check.L7STS, r.reason)
	case StatusRegex:
		m.decide(st, x.Regex.MatchString(strconv.Itoa(r.status)), check.L7STS, r.reason)
	case Header, FullHeader:
		m.decide(st, r.header(x.Name, x.Value, x.Match == Header, &m.e), check.L7STS, r.reason)
	default:
		m.expectBody(st, r)
	}
}

func (m *Machine) decide(st *Step, found bool, usual check.Status, info string) {
	if found != st.Expect.Not {
		m.pass(st, m.e.http.status)
		return
	}
	m.refuse(st, usual, info)
}

func (m *Machine) expectBody(st *Step, r *response) {
	x := st.Expect
	whole := r.whole || m.last()
	switch {
	case whole && len(r.body) == 0:
		m.refuse(st, check.L7RSP, "HTTP content check could not find a response body")
		return
	case !whole && (len(r.body) == 0 || len(r.body) < x.MinRecv):
		m.read = true
		return
	}
	found := false
	switch x.Match {
	case Regex:
		found = x.Regex.Match(r.body)
	case StringText:
		found = bytes.Contains(r.body, x.Text.append(nil, &m.e))
	default:
		found = bytes.Contains(r.body, x.Pattern)
	}
	switch {
	case !found && !whole && x.MinRecv < 0:
		m.read = true
	case x.Not:
		m.decide(st, found, check.L7RSP, "HTTP check matched unwanted content")
	default:
		m.decide(st, found, check.L7RSP, "HTTP content check did not match")
	}
}

func inRanges(list []Range, n int) bool {
	for _, r := range list {
		if n >= r.Low && n <= r.High {
			return true
		}
	}
	return false
}
