package lifecycle

import (
	"fmt"
	"time"
)

// launch starts a new generation of every role.
func (m *Machine) launch(reload bool) {
	m.began = true
	m.change = &change{reload: reload, deadline: m.now.Add(m.config.ReadyTimeout)}
	for _, r := range m.roles {
		s := m.slots[r]
		// A process being restarted is replaced by the new generation.
		s.restartAt = time.Time{}
		if s.current != nil && s.current.phase == starting {
			m.kill(s.current, "")
			s.current = nil
		}
		s.next = m.start(r)
	}
}

// reload starts a change unless one is under way.
func (m *Machine) reload() {
	switch {
	case m.stopping, !m.began:
		m.do(Outcome{Reload: true, Failed: "herald is " + word(m.stopping, "stopping", "starting")})
	case m.change != nil:
		m.do(Outcome{Reload: true, Failed: "another start or reload is under way"})
	default:
		m.do(logf("reload: starting a new generation beside the old"))
		m.launch(true)
	}
}

// unready names the roles a change waits for.
func (m *Machine) unready() string {
	names := ""
	for _, r := range m.roles {
		if p := m.slots[r].next; p != nil && p.phase == starting {
			if names != "" {
				names += " and "
			}
			names += r.String()
		}
	}
	return names
}

// prepared takes READY: alone after a restart, with the others in a change.
func (m *Machine) prepared(p *process) {
	p.phase, p.deadline = prepared, time.Time{}
	if m.change == nil || m.slots[p.role].next != p {
		return // advance lets it begin
	}
	if m.unready() == "" {
		m.commit()
	}
}

// commit makes the new generation the current one. The proxy comes first, so
// that it serves when addresses arrive.
func (m *Machine) commit() {
	reload := m.change.reload
	m.change = nil
	for _, r := range []Role{Proxy, VRRP} {
		s := m.slots[r]
		if s == nil {
			continue
		}
		old := s.current
		s.current, s.next, s.missed, s.beating = s.next, nil, 0, false
		if r == Proxy {
			m.begin(s)
		}
		switch {
		case old == nil:
		case r == VRRP && old.phase == serving:
			// Until it says more, the last state it reported counts as that of a
			// process that died.
			s.crashed = true
			m.tell(old, Handover, m.config.Resign)
		case old.phase == serving:
			m.tell(old, Drain, 0)
		default:
			m.kill(old, "")
		}
	}
	m.do(CloseUnused{}, Outcome{Reload: reload})
}

// abort ends a change that failed: the new processes go, the old stay.
func (m *Machine) abort(why string) {
	reload := m.change.reload
	m.change = nil
	for _, r := range m.roles {
		s := m.slots[r]
		if s.next != nil {
			m.kill(s.next, "")
			s.next = nil
		}
		if reload && s.current == nil && !m.stopping {
			s.restartAt = m.now // it was being restarted when the reload came
		}
	}
	m.do(CloseUnused{}, Outcome{Reload: reload, Failed: why})
	if !reload && !m.stopping {
		m.code = 1
		m.stop()
	}
}

// begin lets a prepared process serve.
func (m *Machine) begin(s *slot) {
	s.current.phase, s.missed, s.orphaned = serving, 0, time.Time{}
	m.do(Go{ID: s.current.id, Crashed: s.current.role == VRRP && s.crashed})
	if s.current.role == VRRP {
		s.crashed = true // from now on, until it hands over
	}
}

// ended acts on the end of a process.
func (m *Machine) ended(p *process, reason string) {
	s := m.slots[p.role]
	switch {
	case p == s.next:
		s.next = nil
		m.abort(fmt.Sprintf("role %s: %s", p.role, reason))
	case p == s.current:
		s.current = nil
		m.died(p, s, reason)
	case p.role == VRRP && m.stopping && s.current == nil:
		// It resigned, unless it was killed: then this takes what is left.
		m.withdraw("the VRRP role ended before it had resigned")
	}
}

// died acts on the end of a process nobody told to go.
func (m *Machine) died(p *process, s *slot, reason string) {
	m.do(logf("role %s died: %s", p.role, reason))
	if p.role == Proxy {
		m.inform(Fact{Known: true, Reason: "the proxy process died: " + reason})
	}
	if m.config.NoRestart && !m.stopping {
		m.do(logf("it is not started again (-R): stopping"))
		m.code = 1
		m.stop()
	}
	if m.stopping {
		if p.role == VRRP {
			m.withdraw("the VRRP role died while stopping")
		}
		return
	}
	s.deaths = append(s.deaths, m.now)
	for len(s.deaths) > 0 && m.now.Sub(s.deaths[0]) >= m.config.Window {
		s.deaths = s.deaths[1:]
	}
	if p.role == VRRP {
		switch {
		case len(s.deaths) >= m.config.Limit:
			s.orphaned = time.Time{}
			m.withdraw(fmt.Sprintf("the VRRP role died %d times within %v", len(s.deaths), m.config.Window))
		case s.orphaned.IsZero():
			s.orphaned = m.now.Add(m.config.Orphaned)
		}
	}
	if m.change != nil {
		return // its successor is on the way
	}
	pause := m.pause(len(s.deaths))
	if pause > 0 {
		m.do(logf("role %s is started again in %v", p.role, pause))
	}
	s.restartAt = m.now.Add(pause)
}

// pause is the time before the restart after n deaths in the window.
func (m *Machine) pause(n int) time.Duration {
	if n <= 1 {
		return 0
	}
	d := m.config.PauseFirst
	for range n - 2 {
		if d *= 2; d >= m.config.PauseMost {
			return m.config.PauseMost
		}
	}
	return d
}

// stop begins the end, or ends everything when it began before.
func (m *Machine) stop() {
	if m.stopping {
		for _, p := range m.ordered() {
			m.kill(p, "told to stop twice")
		}
		return
	}
	m.stopping = true
	if m.change != nil {
		m.abort("herald is stopping")
	}
	for _, r := range m.roles {
		s := m.slots[r]
		s.restartAt = time.Time{}
		switch {
		case s.current == nil || s.current.phase >= serving:
		case r == VRRP && s.current.phase == prepared && m.leavingVRRP():
			// Its predecessor hands over in this moment and does not resign any
			// more: this one begins, only to resign.
		default:
			m.kill(s.current, "")
			s.current = nil
		}
		if !s.orphaned.IsZero() {
			s.orphaned = time.Time{}
			m.withdraw("the VRRP role died before")
		}
	}
	m.resign()
}

// resign tells the VRRP role that speaks to resign.
func (m *Machine) resign() {
	if s := m.slots[VRRP]; s != nil && s.current != nil && s.current.phase == serving {
		m.tell(s.current, Resign, m.config.Resign)
		s.current = nil
	}
}

// advance does what has become possible: a successor begins when its
// predecessor is gone, the end goes on when the VRRP role is gone.
func (m *Machine) advance() {
	for _, r := range m.roles {
		s := m.slots[r]
		if s.current != nil && s.current.phase == prepared && !(r == VRRP && m.leavingVRRP()) {
			m.begin(s)
		}
		if !s.restartAt.IsZero() && !m.now.Before(s.restartAt) {
			m.timer()
		}
	}
	if !m.stopping {
		return
	}
	m.resign()
	if s := m.slots[VRRP]; m.leavingVRRP() || s != nil && s.current != nil {
		return
	}
	if s := m.slots[Proxy]; s != nil && s.current != nil {
		m.tell(s.current, Drain, m.config.StopDrain)
		s.current = nil
	}
	for _, p := range m.ordered() {
		if p.role == Proxy && !p.killed && p.word == Drain && p.deadline.IsZero() {
			p.deadline = m.now.Add(m.config.StopDrain)
		}
	}
	if len(m.procs) == 0 {
		m.finished = true
		m.do(Finish{m.code})
	}
}

// leavingVRRP reports whether a VRRP process that served is still there.
func (m *Machine) leavingVRRP() bool {
	for _, p := range m.procs {
		if p.role == VRRP && p.phase == leaving {
			return true
		}
	}
	return false
}
