package fsm

import "time"

// advert is what an accepted advertisement does (RFC 3768 sections 6.4.2 and
// 6.4.3).
func (m *machine) advert(a Advert) {
	switch m.s.Kind {
	case Backup:
		m.advertAsBackup(a)
	case Master:
		m.advertAsMaster(a)
	case Leaving:
		// The successor: it adds its addresses and announces them just after
		// this advertisement, so leave it the time.
		if a.Priority > 0 && m.s.Heard == Nobody {
			m.s.Heard, m.s.Peer, m.s.PeerPriority = AMaster, a.Peer, a.Priority
			m.wait(m.c.grace())
		}
	}
}

func (m *machine) advertAsBackup(a Advert) {
	switch {
	case a.Priority == 0:
		m.s.Heard, m.s.Peer, m.s.PeerPriority = Resignation, a.Peer, 0
		// Never later than the timer that runs, or repeated resignations
		// would hold a takeover off.
		if due := m.now.Add(m.timing().skew(m.s.Priority)); due.Before(m.s.Deadline) {
			m.wait(due.Sub(m.now))
		}
	case a.Priority >= m.s.Priority:
		m.s.PreemptAt = time.Time{}
		m.follow(a)
	case m.leaveAlone():
		m.follow(a)
	default:
		// Discarded: our timer goes on and ends in preemption.
		m.s.Heard, m.s.Peer, m.s.PeerPriority = Lesser, a.Peer, a.Priority
		m.release()
	}
}

// leaveAlone reports whether a master of lower priority is not to be
// preempted, now or ever. The owner always preempts (RFC 3768 section 6.1).
func (m *machine) leaveAlone() bool {
	if m.s.Priority == Owner {
		return false
	}
	if m.c.NoPreempt {
		return true
	}
	if m.c.PreemptDelay == 0 {
		return false
	}
	if m.s.PreemptAt.IsZero() {
		m.s.PreemptAt = m.now.Add(m.c.PreemptDelay)
	}
	return m.now.Before(m.s.PreemptAt)
}

// follow accepts a as our master.
func (m *machine) follow(a Advert) {
	m.s.Heard, m.s.HeardAt = AMaster, m.now
	m.s.Peer, m.s.PeerPriority = a.Peer, a.Priority
	m.s.PeerInterval = a.Interval
	m.wait(m.timing().MasterDown(m.s.Priority))
	m.release()
}

func (m *machine) advertAsMaster(a Advert) {
	switch {
	case a.Peer == m.c.Own:
	case a.Priority == 0:
		// Let the backups that just shortened their timers hear us.
		m.send(m.s.Priority)
		m.wait(m.c.Interval)
	case m.s.Yielding && m.c.outranks(a.Peer, a.Priority, m.s.Priority):
		m.yieldTo(a)
	case m.c.outranks(a.Peer, a.Priority, m.s.Priority):
		if m.c.HigherPrioSendAdvert {
			m.send(m.s.Priority)
		}
		m.backup(Transition{Cause: Outranked, Peer: a.Peer, PeerPriority: a.Priority})
		m.follow(a)
	default:
		// RFC 9568 section 6.4.3: answer at once instead of letting the rival
		// go on, and repair the neighbours' tables.
		m.do = append(m.do, Action{Verb: Note, Told: Transition{From: Master, To: Master, Cause: Rival,
			Peer: a.Peer, PeerPriority: a.Priority, Priority: m.s.Priority}})
		if !m.c.LowerPrioNoAdvert {
			m.send(m.s.Priority)
			m.wait(m.c.Interval)
		}
		m.act(AnnounceRival)
	}
}
