package fsm

import "net/netip"

// leave resigns and keeps the addresses until a successor is heard or the
// time for one is over.
func (m *machine) leave(t Transition) {
	m.send(0)
	m.enter(Leaving, t)
	m.wait(m.c.skewBase() + leaveSlack)
	m.s.Heard = Nobody
}

// drain makes a backup for good of whatever we are.
func (m *machine) drain() {
	if m.s.Drained {
		return
	}
	m.s.Drained = true
	switch m.s.Kind {
	case Master:
		m.s.Yielding = true
		m.leave(Transition{Cause: Drained})
	case Backup:
		m.release() // left by a predecessor
	}
}

// undrain takes part again. A master that still waits for its successor stays
// one, for it answers all the time.
func (m *machine) undrain() {
	if !m.s.Drained {
		return
	}
	m.s.Drained = false
	switch {
	case m.s.Kind == Leaving && m.s.Yielding && m.s.Heard == Nobody:
		m.master(Transition{Cause: Undrained})
	case m.s.Kind == Backup:
		m.start(Transition{Cause: Undrained})
	}
}

// yieldTo gives way to a better router that we called: it adds its addresses
// and announces them just after its advertisement, so ours stay so long.
func (m *machine) yieldTo(a Advert) {
	m.enter(Leaving, Transition{Cause: Outranked, Peer: a.Peer, PeerPriority: a.Priority})
	m.s.Heard, m.s.Peer, m.s.PeerPriority = AMaster, a.Peer, a.Priority
	m.wait(m.c.grace())
}

// yielded ends in Backup with nothing held. It is no transition to be told:
// the one to Leaving was.
func (m *machine) yielded() {
	m.release()
	if m.s.Heard != AMaster {
		m.s.Peer, m.s.PeerPriority = netip.Addr{}, 0
	}
	m.s.Kind, m.s.Yielding, m.s.HeardAt = Backup, false, m.now
	m.wait(m.c.MasterDown(m.s.Priority))
}
