package fsm

import (
	"net/netip"
	"time"
)

// Step returns the state after an event and what is to be done, in order. It
// has no side effects. Config must be valid: a positive Interval.
func Step(c Config, s State, now time.Time, e Event) (State, []Action) {
	m := machine{c: c, s: s, now: now}
	if c.stalled(s, now) {
		// Whatever waits in the socket was sent while we stood still.
		m.backup(Transition{Cause: Slept, For: now.Sub(s.Deadline.Add(-c.Interval))})
	}
	switch e := e.(type) {
	case Start:
		m.s.Priority = e.Priority
		m.s.Holding = m.s.Holding || e.Holding
		m.start(Transition{Cause: Started})
	case Stop:
		m.stop()
	case Advert:
		m.advert(e)
	case Timer:
		m.timer()
	case Priority:
		m.priority(e.Value)
	case Faulty:
		m.fault(e.Reason)
	case Clear:
		if m.s.Kind == Fault {
			m.start(Transition{Cause: Recovered})
		}
	case Reconfigure:
		m.reconfigure(e)
	case Lead:
		m.lead(e.Member)
	case Yield:
		m.yield(e.Member)
	case Hold:
		m.hold()
	case Rally:
		m.rally()
	case Drain:
		m.drain()
	case Undrain:
		m.undrain()
	}
	if m.s.Drained && m.s.Kind == Backup {
		m.s.Deadline = time.Time{} // there is nothing to wait for
	}
	return m.s, m.do
}

// machine is one step under way.
type machine struct {
	c   Config
	s   State
	now time.Time
	do  []Action
}

// timing is the configuration with the interval of the master we follow.
func (m *machine) timing() Config { return m.c.following(m.s.PeerInterval) }

func (m *machine) act(v Verb) { m.do = append(m.do, Action{Verb: v}) }

func (m *machine) send(priority uint8) {
	m.do = append(m.do, Action{Verb: SendAdvert, Priority: priority})
}

func (m *machine) enter(k Kind, t Transition) {
	t.From, t.To, t.Priority = m.s.Kind, k, m.s.Priority
	m.s.Kind, m.s.Since, m.s.Why = k, m.now, t
	m.s.Yielding = m.s.Yielding && k == Leaving
	m.do = append(m.do, Action{Verb: Report, Told: t})
}

// wait sets the deadline d from now, not before the startup delay is over.
func (m *machine) wait(d time.Duration) {
	m.s.Deadline = m.now.Add(d)
	if m.s.Kind != Master && m.s.Deadline.Before(m.s.NotBefore) {
		m.s.Deadline = m.s.NotBefore
	}
}

func (m *machine) release() {
	if m.s.Holding {
		m.s.Holding = false
		m.act(ReleaseAddresses)
	}
}

// start is RFC 3768 section 6.4.1.
func (m *machine) start(t Transition) {
	m.s.Heard, m.s.HeardAt, m.s.PreemptAt, m.s.PeerInterval = Nobody, m.now, time.Time{}, 0
	if m.c.StartupDelay > 0 && t.Cause == Started {
		m.s.NotBefore = m.now.Add(m.c.StartupDelay)
	}
	if m.s.Priority == Owner && !m.s.Drained {
		if t.Cause == Started {
			t.Cause = OwnsThem
		}
		m.master(t)
		return
	}
	m.enter(Backup, t)
	m.wait(m.c.MasterDown(m.s.Priority))
}

// master takes over: advertisement, addresses, announcement.
func (m *machine) master(t Transition) {
	m.send(m.s.Priority)
	m.act(ClaimAddresses)
	m.s.Holding = true
	if m.s.Heard == Lesser {
		m.act(AnnounceRival)
	} else {
		m.act(Announce)
	}
	m.enter(Master, t)
	m.s.PreemptAt, m.s.PeerInterval = time.Time{}, 0
	m.wait(m.c.Interval)
}

// backup gives way and waits a whole master down interval.
func (m *machine) backup(t Transition) {
	m.release()
	m.enter(Backup, t)
	m.s.Heard, m.s.HeardAt = Nobody, m.now
	m.s.Peer, m.s.PeerPriority, m.s.PeerInterval = netip.Addr{}, 0, 0
	m.wait(m.c.MasterDown(m.s.Priority))
}

func (m *machine) stop() {
	switch m.s.Kind {
	case Master:
		m.s.Yielding = false
		m.leave(Transition{Cause: Stopped})
	case Initialize:
		m.release() // adopted, not yet started
	default:
		m.gone()
	}
}

// gone ends in Initialize with nothing held and nothing due.
func (m *machine) gone() {
	m.release()
	if m.s.Kind != Leaving {
		m.enter(Initialize, Transition{Cause: Stopped})
	}
	m.s.Kind, m.s.Deadline = Initialize, time.Time{}
}

func (m *machine) timer() {
	if m.s.Deadline.IsZero() || m.now.Before(m.s.Deadline) {
		return
	}
	switch m.s.Kind {
	case Backup:
		m.takeOver()
	case Master:
		m.send(m.s.Priority)
		// On the beat, so that a late timer does not make every later one late.
		m.s.Deadline = m.s.Deadline.Add(m.c.Interval)
		if !m.s.Deadline.After(m.now) {
			m.wait(m.c.Interval)
		}
	case Leaving:
		if m.s.Yielding {
			m.yielded()
		} else {
			m.gone()
		}
	}
}

func (m *machine) takeOver() {
	t := Transition{Peer: m.s.Peer, PeerPriority: m.s.PeerPriority, For: m.now.Sub(m.s.HeardAt)}
	switch m.s.Heard {
	case Resignation:
		t.Cause = PeerLeft
	case Lesser:
		t.Cause = Preempted
	default:
		t.Cause = Silence
	}
	m.master(t)
}

func (m *machine) priority(p uint8) {
	old := m.s.Priority
	m.s.Priority = p
	if p == old {
		return
	}
	switch m.s.Kind {
	case Backup:
		// The timer that runs was set with the old priority's skew.
		if d := m.s.Deadline.Add(m.timing().skew(p) - m.timing().skew(old)); !d.Before(m.s.NotBefore) {
			m.s.Deadline = d
		}
	case Master:
		// Better backups would discard our lower priority and wait for three
		// intervals. Priority 0 shortens their timers to the skew time; the
		// advertisement right behind it keeps those that are no better.
		if p < old {
			m.send(0)
		}
		m.send(p)
		m.wait(m.c.Interval)
	}
}

func (m *machine) fault(why string) {
	if m.s.Kind == Fault || m.s.Kind == Leaving && !m.s.Yielding {
		return
	}
	if m.s.Kind == Master {
		m.send(0)
	}
	m.release()
	m.enter(Fault, Transition{Cause: Failed, Detail: why})
	m.s.Deadline = time.Time{}
}

func (m *machine) reconfigure(e Reconfigure) {
	old := m.s.Priority
	m.s.Priority = e.Priority
	switch m.s.Kind {
	case Backup:
		if d := m.now.Add(m.timing().MasterDown(m.s.Priority)); d.Before(m.s.Deadline) && !d.Before(m.s.NotBefore) {
			m.s.Deadline = d
		}
	case Master:
		if m.s.Yielding = m.s.Priority < old || m.s.Yielding && m.s.Priority == old; m.s.Priority < old {
			m.send(0) // as in priority
		}
		m.send(m.s.Priority)
		m.act(ClaimAddresses)
		if e.Addresses {
			m.act(Announce)
		}
		m.wait(m.c.Interval)
	}
}
