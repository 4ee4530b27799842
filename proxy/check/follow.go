package check

import "time"

// Lead is what a server that follows another ("track") takes over from it.
type Lead struct {
	Op     Op
	Maint  bool
	Drain  bool
	Health int
	Off    bool
}

// Lead answers what those who follow this server take over.
func (s State) Lead() Lead {
	return Lead{Op: s.Op, Maint: s.inMaint(), Drain: s.inDrain(), Health: s.Health, Off: s.Off}
}

func (s State) inMaint() bool { return s.Admin&(Maint|MaintByLead|NoAddress) != 0 }
func (s State) inDrain() bool { return s.Admin&(Drain|DrainByLead) != 0 }

// follow takes over what has changed at the server that is followed. An
// operator's own word on this server stays beside it.
func (m *move) follow(l Lead) {
	m.s.LeadOp = l.Op
	m.leadMaint(l.Maint)
	m.leadDrain(l.Drain)
	m.s.Health, m.s.Off = l.Health, l.Off
	if !m.s.inMaint() {
		m.enter(l.Op, fromLead)
	}
}

func (m *move) leadMaint(on bool) {
	switch was := m.s.inMaint(); {
	case on == (m.s.Admin&MaintByLead != 0):
	case on:
		if !was {
			m.goDown(fromLead)
		}
		m.s.Admin |= MaintByLead
	default:
		m.s.Admin &^= MaintByLead
		if m.s.inMaint() {
			return
		}
		m.become(m.rise(m.s.LeadOp))
		if m.s.inDrain() {
			m.log(notice, lineMaintToDrain, fromLead)
			m.log(notice, m.stillDrained(), fromLead)
		} else {
			m.log(notice, lineMaintLeft, fromLead)
		}
	}
}

func (m *move) leadDrain(on bool) {
	switch was := m.s.inDrain(); {
	case on == (m.s.Admin&DrainByLead != 0):
	case on:
		m.s.Admin |= DrainByLead
		if !was {
			m.touch()
			if !m.s.inMaint() {
				m.log(notice, lineDrain, fromLead)
			}
		}
	default:
		m.s.Admin &^= DrainByLead
		if m.s.inDrain() {
			return
		}
		m.touch()
		if !m.s.inMaint() {
			m.log(notice, lineDrainLeft, fromLead)
		}
	}
}

// stillDrained is the line that tells who keeps the server drained.
func (m *move) stillDrained() line {
	if m.s.Admin&Drain == 0 {
		return lineDrainByLead
	}
	return lineStillDrained
}

// goDown is the way into maintenance.
func (m *move) goDown(why cause) {
	l, level := lineMaint, alert
	if m.s.Op == Stopped {
		l = lineMaintDown
	}
	if m.s.Op == Stopped || m.s.inDrain() {
		level = notice
	}
	m.become(Stopped)
	m.s.Health, m.s.Next = 0, time.Time{}
	m.log(level, l, why)
}

// leavesForLead tells that what an operator ended goes on by the server that
// is followed, and reports so.
func (m *move) leavesForLead() bool {
	switch {
	case m.s.Admin&Maint != 0 && m.s.Admin&MaintByLead != 0:
		m.s.Admin &^= Maint | ConfigMaint
		m.log(notice, lineMaintByLead, fromLead)
	case m.s.Admin&(Maint|Drain) == Drain && m.s.Admin&DrainByLead != 0:
		m.s.Admin &^= Drain
		m.log(notice, lineDrainByLead, fromLead)
	default:
		return false
	}
	return true
}
