package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Machine is the state of every process. It belongs to one goroutine.
type Machine struct {
	config Config
	roles  []Role
	lastID ID
	procs  map[ID]*process
	slots  map[Role]*slot
	change *change // the start or reload under way
	fact   Fact

	began    bool
	stopping bool
	finished bool
	code     int
	now      time.Time
	out      []Action
}

// phase is how far a process is.
type phase int

const (
	starting phase = iota
	prepared       // said READY, waits for go
	serving
	leaving // was told to go, or is being killed
)

// process is one process, from Start to Ended.
type process struct {
	id       ID
	role     Role
	phase    phase
	word     Word      // what it was told, while leaving
	deadline time.Time // zero: none
	killed   bool
}

// slot is the place of a role.
type slot struct {
	current   *process // serving, or restarting after a death
	next      *process // of a change under way
	deaths    []time.Time
	restartAt time.Time // zero: no restart is due
	orphaned  time.Time // when addresses without a role are taken away
	crashed   bool      // the state to go on from is of a process that died
	missed    int       // ticks without a heartbeat
	beating   bool
}

// change is a start or a reload: every role or none.
type change struct {
	reload   bool
	deadline time.Time
}

// New returns a machine for the given roles.
func New(c Config, roles ...Role) *Machine {
	m := &Machine{config: c, roles: roles, procs: map[ID]*process{}, slots: map[Role]*slot{}}
	for _, r := range roles {
		m.slots[r] = &slot{}
	}
	if m.slots[Proxy] == nil {
		m.fact = Fact{Known: true, Reason: "no proxy is configured"}
	}
	return m
}

// Fact returns what is known about the proxy.
func (m *Machine) Fact() Fact { return m.fact }

// Step takes an event and returns what to do about it.
func (m *Machine) Step(now time.Time, e Event) []Action {
	m.now, m.out = now, nil
	if m.finished {
		return nil
	}
	switch e := e.(type) {
	case Begin:
		m.launch(false)
	case Reload:
		m.reload()
	case Stop:
		m.stop()
	case Prepared:
		if p := m.procs[e.ID]; p != nil && p.phase == starting {
			m.prepared(p)
		}
	case Handed:
		if p := m.procs[e.ID]; p != nil && p.role == VRRP {
			m.slots[VRRP].crashed = false
		}
	case Beat:
		if p := m.procs[e.ID]; p != nil {
			m.beat(p, e)
		}
	case Ended:
		if p := m.procs[e.ID]; p != nil {
			delete(m.procs, e.ID)
			m.ended(p, e.Reason)
		}
	case Tick:
		m.tick()
	case Timer:
		m.timer()
	}
	m.advance()
	return m.out
}

// Next returns when the next Timer event is due; zero means never.
func (m *Machine) Next() time.Time {
	var first time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	for _, p := range m.procs {
		sooner(p.deadline)
	}
	for _, s := range m.slots {
		sooner(s.restartAt)
		sooner(s.orphaned)
	}
	if m.change != nil {
		sooner(m.change.deadline)
	}
	return first
}

// Status is one process as `herald status` shows it.
type Status struct {
	ID    ID
	Role  Role
	State string // "starting", "ready", "serving" or "leaving"
}

// Status lists the processes by number.
func (m *Machine) Status() []Status {
	var list []Status
	for _, p := range m.procs {
		list = append(list, Status{p.id, p.role, [...]string{"starting", "ready", "serving", "leaving"}[p.phase]})
	}
	slices.SortFunc(list, func(a, b Status) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (m *Machine) do(a ...Action) { m.out = append(m.out, a...) }

// start makes a process of role.
func (m *Machine) start(r Role) *process {
	m.lastID++
	p := &process{id: m.lastID, role: r}
	m.procs[p.id] = p
	m.do(Start{r, p.id})
	return p
}

// kill ends p; its Ended follows.
func (m *Machine) kill(p *process, why string) {
	if p.killed {
		return
	}
	p.killed, p.phase, p.deadline = true, leaving, time.Time{}
	m.do(Kill{p.id, why})
}

// tell tells p to go, and kills it when it has not gone in time; 0 is no
// limit.
func (m *Machine) tell(p *process, w Word, limit time.Duration) {
	p.phase, p.word, p.deadline = leaving, w, time.Time{}
	if limit > 0 {
		p.deadline = m.now.Add(limit)
	}
	m.do(Tell{p.id, w})
}

// inform keeps a fact about the proxy and passes it on when it changed.
func (m *Machine) inform(f Fact) {
	if f == m.fact {
		return
	}
	if f.Serving != m.fact.Serving || !m.fact.Known {
		m.do(logf("the proxy is %s%s", word(f.Serving, "serving", "not serving"), parenthesis(f.Reason)))
	}
	m.fact = f
	m.do(Inform{f})
}

func word(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

func parenthesis(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// beat takes a heartbeat of p.
func (m *Machine) beat(p *process, e Beat) {
	s := m.slots[p.role]
	if p != s.current || p.phase != serving {
		return
	}
	s.missed, s.beating = 0, true
	if p.role == Proxy {
		m.inform(Fact{Known: true, Serving: e.Serving, Reason: e.Reason})
	}
}

// tick counts the heartbeats that did not come.
func (m *Machine) tick() {
	for _, r := range m.roles {
		s := m.slots[r]
		if s.current == nil || s.current.phase != serving {
			continue
		}
		s.missed++
		switch {
		case r == Proxy && s.missed == m.config.DeadProxy:
			m.kill(s.current, fmt.Sprintf("silent for %d s", s.missed))
		case r == Proxy && s.missed == m.config.SilentProxy:
			m.inform(Fact{Known: true, Reason: fmt.Sprintf("no heartbeat for %d s", s.missed)})
		case r == VRRP && s.beating && s.missed == m.config.SilentVRRP:
			m.kill(s.current, fmt.Sprintf("silent for %d s", s.missed))
		}
	}
}

// timer acts on everything whose time has come.
func (m *Machine) timer() {
	if c := m.change; c != nil && !m.now.Before(c.deadline) {
		m.abort(fmt.Sprintf("role %s was not ready within %v", m.unready(), m.config.ReadyTimeout))
	}
	for _, p := range m.ordered() {
		if !p.deadline.IsZero() && !m.now.Before(p.deadline) {
			m.late(p)
		}
	}
	for _, r := range m.roles {
		s := m.slots[r]
		if !s.orphaned.IsZero() && !m.now.Before(s.orphaned) {
			s.orphaned = time.Time{}
			m.withdraw(fmt.Sprintf("nobody answers for its addresses since %v", m.config.Orphaned))
		}
		if !s.restartAt.IsZero() && !m.now.Before(s.restartAt) {
			s.restartAt = time.Time{}
			s.current = m.start(r)
			s.current.deadline = m.now.Add(m.config.ReadyTimeout)
		}
	}
}

// ordered returns the processes by number, so that actions have one order.
func (m *Machine) ordered() []*process {
	var list []*process
	for _, p := range m.procs {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *process) int { return cmp.Compare(a.id, b.id) })
	return list
}

// late acts on a process whose time is over.
func (m *Machine) late(p *process) {
	if p.phase == leaving && p.word == Drain {
		m.tell(p, Resign, m.config.Close)
		return
	}
	m.kill(p, map[bool]string{true: "it does not go", false: "it is not ready"}[p.phase == leaving])
}

// withdraw takes the addresses of the VRRP role away; a successor starts
// afresh.
func (m *Machine) withdraw(why string) { m.do(Withdraw{why}) }
