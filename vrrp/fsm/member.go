package fsm

// lead follows a member of the sync group that became master
// (keepalived.conf(5), vrrp_sync_group).
func (m *machine) lead(member string) {
	if m.s.Kind == Backup && !m.s.Drained {
		if m.s.Heard == AMaster { // who may still be there
			m.s.Heard = Lesser
		}
		m.master(Transition{Cause: Led, Detail: member})
	}
}

// yield follows a member that is master no more.
func (m *machine) yield(member string) {
	if m.s.Kind != Master {
		return
	}
	if m.s.Yielding {
		m.leave(Transition{Cause: Yielded, Detail: member})
		return
	}
	m.send(0)
	m.backup(Transition{Cause: Yielded, Detail: member})
}

func (m *machine) rally() {
	if m.s.Kind != Master {
		return
	}
	m.send(m.s.Priority)
	m.act(AnnounceRival)
	m.wait(m.c.Interval)
}

// hold asks again about an interval later.
func (m *machine) hold() {
	if m.s.Kind == Backup {
		m.wait(m.c.Interval + m.c.skew(m.s.Priority))
	}
}
