package check

import "time"

// unlocated takes a server without an address out, as an operator would.
func (m *move) unlocated(why string) {
	if m.s.Admin&NoAddress != 0 {
		return
	}
	switch {
	case m.s.inMaint(): // it is out already
	case why == "": // at start, without a word
		m.s.Op, m.s.Health, m.s.Next = Stopped, 0, time.Time{}
	default:
		m.goDown(fromName)
		m.acts[len(m.acts)-1].note = why
	}
	m.s.Admin |= NoAddress
}

// located brings a server back whose name has an address.
func (m *move) located(name string) {
	if m.s.Admin&NoAddress == 0 {
		return
	}
	m.s.Admin &^= NoAddress
	if m.s.inMaint() { // somebody else keeps it out
		m.log(notice, lineAnswered, fromName)
		return
	}
	m.leaveMaint()
	if !m.c.Enabled { // as HAProxy shows it
		m.s.Health = 0
	}
	m.log(notice, lineLocated, fromName)
	last := &m.acts[len(m.acts)-1]
	last.note, last.drained = name, m.s.inDrain()
	if last.drained {
		m.log(notice, lineStillDrained, fromName)
	}
	m.log(notice, lineAnswered, fromName)
}

// because is why there is no address.
func (a Action) because() string {
	if a.cause == fromName {
		return " (" + a.note + ")"
	}
	return ""
}

func (a Action) forDrain() string {
	if a.drained {
		return "DRAIN"
	}
	return "READY"
}

// leavesUnlocated ends an operator's maintenance of a server that stays in
// maintenance since it has no address, and reports so.
func (m *move) leavesUnlocated() bool {
	if m.s.Admin&Maint == 0 || m.s.Admin&NoAddress == 0 {
		return false
	}
	m.s.Admin &^= Maint | ConfigMaint
	return true
}
