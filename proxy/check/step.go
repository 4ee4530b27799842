package check

import "time"

// Syslog severities of the lines.
const (
	alert  = 1
	notice = 5
)

// Start answers the state of a server at startup: up, one failure from down,
// as HAProxy begins. Share in [0,1) is the server's place in the first
// interval, so that a configuration's checks do not all start at once.
func Start(c Config, now time.Time, share float64) State {
	s := State{Op: Running, Health: c.Rise, Since: now, Last: Result{Status: INI}}
	if c.Disabled {
		s.Op, s.Health, s.Admin = Stopped, 0, Maint|ConfigMaint
	}
	if s.Checking(c) {
		s.Next = now.Add(c.first(c.Inter, share))
	}
	s.Agent = startAgent(c, now, share)
	return s
}

// first is the time until the first check of a server.
func (c Config) first(inter time.Duration, share float64) time.Duration {
	if c.MaxSpread > 0 {
		inter = min(inter, c.MaxSpread)
	}
	return time.Duration(float64(inter) * share)
}

// Step answers the state after e and what to do about it. A check's result
// that comes when the server is not being checked any more changes nothing.
func Step(c Config, s State, now time.Time, e Event) (State, []Action) {
	m := &move{c: c, s: s, now: now}
	switch e.Kind {
	case Checked:
		m.checked(e.Result, e.Chance)
	case SetReady:
		m.ready()
	case SetDrain:
		m.drain()
	case SetMaint:
		m.maint()
	case ForceUp:
		m.force(Running, c.full())
	case ForceNoLB:
		m.force(Stopping, c.full())
	case ForceDown:
		m.force(Stopped, 0)
	case EnableCheck:
		m.s.Off = false
		if m.s.Checking(c) {
			m.s.Next = now
		}
	case Followed:
		m.follow(e.Lead)
	case Erred:
		m.erred(e)
	case Located:
		m.located(e.Name)
	case Unlocated:
		m.unlocated(e.Why)
	case Warmed:
		m.warmed()
	case AgentChecked:
		m.agent(e)
	case EnableAgent:
		m.switchAgent(true)
	case DisableAgent:
		m.switchAgent(false)
	case ForceAgentUp:
		m.forceAgent(1)
	case ForceAgentDown:
		m.forceAgent(0)
	case DisableCheck:
		m.s.Off, m.s.Next = true, time.Time{}
	}
	was, is := s.Usable(), m.s.Usable()
	if s.Op != Stopped && m.s.Op == Stopped {
		m.acts = append(m.acts, Action{Kind: WentDown})
	}
	if is && !was {
		m.acts = append(m.acts, Action{Kind: CameUp})
	}
	return m.s, m.acts
}

// move is a step under way.
type move struct {
	c    Config
	s    State
	now  time.Time
	acts []Action
}

func (m *move) log(level int, l line, why cause) {
	result := m.s.Last
	if why == fromAgent {
		result = m.s.Agent.Last
	}
	m.acts = append(m.acts, Action{Kind: Log, Level: level, line: l, cause: why,
		result: result, health: m.s.Health, agent: m.s.Agent.Health, op: m.s.Op})
}

func (m *move) checked(r Result, chance float64) {
	if !m.s.Checking(m.c) {
		return
	}
	r = r.cut()
	before := m.s.Last.Status
	m.s.Last = r
	m.s.Checks++
	tell := r.Status != before
	op := m.s.Op
	if r.Status.Passed() {
		if m.s.Health < m.c.full() {
			tell = true
			m.s.Health++
			if m.s.Health >= m.c.Rise {
				m.s.Health = m.c.full()
			}
		}
		if m.s.Health >= m.c.Rise {
			op = Running
			if statuses[r.Status].verdict == passedCond {
				op = Stopping
			}
		}
	} else {
		if m.s.Health >= m.c.Rise {
			tell = true
			m.s.Fails++
			m.s.Health--
		}
		if m.s.Health < m.c.Rise {
			m.s.Health = 0
			op = Stopped
		}
	}
	if tell && m.c.LogAll {
		m.log(notice, lineCheck, fromCheck)
	}
	if m.s.agentDown(m.c) {
		op = Stopped
	}
	m.enter(op, fromCheck)
	m.s.Next = m.now.Add(m.pause(chance))
}

// pause is the time until the next check (Configuration manual 5.2, "inter").
func (m *move) pause(chance float64) time.Duration {
	d := m.c.Inter
	switch {
	case m.s.Op == Stopped && m.s.Health == 0:
		if m.c.Down > 0 {
			d = m.c.Down
		}
	case m.s.Op != Stopped && m.s.Op != Stopping && m.s.Health == m.c.full():
	case m.c.Fast > 0:
		d = m.c.Fast
	}
	if m.c.Spread > 0 {
		d += time.Duration(float64(d) * float64(m.c.Spread) / 100 * (2*chance - 1))
	}
	return d
}

// enter changes the operational state and says so.
func (m *move) enter(op Op, why cause) {
	if op = m.rise(op); op == m.s.Op {
		return
	}
	m.become(op)
	level, l := notice, lineUp
	switch op {
	case Stopped:
		l = lineDown
		if !m.s.inDrain() {
			level = alert
		}
	case Stopping:
		l = lineStopping
	}
	m.log(level, l, why)
	if m.s.inDrain() {
		m.log(notice, m.stillDrained(), why)
	}
}

// become changes the operational state and accounts for it.
func (m *move) become(op Op) {
	if op == Stopped && m.s.Op != Stopped {
		m.s.Downs++
	}
	m.touch()
	m.s.Op = op
}

// touch ends the period that began at Since.
func (m *move) touch() {
	m.s.Down = m.s.Downtime(m.now)
	m.s.Since = m.now
}

func (m *move) force(op Op, health int) {
	if m.s.inMaint() {
		return
	}
	m.s.Health = health
	m.enter(op, fromCLI)
}

func (m *move) maint() {
	if m.s.Admin&Maint != 0 {
		return
	}
	if !m.s.inMaint() {
		m.goDown(fromCLI)
	}
	m.s.Admin |= Maint
	if m.c.Disabled {
		m.s.Admin |= ConfigMaint
	}
}

// leaveMaint brings the server up at once, one failure from down: its next
// check decides.
func (m *move) leaveMaint() {
	op := Running
	if m.c.Via != "" {
		op = m.s.LeadOp
	}
	m.become(m.rise(op))
	m.s.Admin &^= Maint | ConfigMaint
	if m.s.Health = m.c.Rise; op == Stopped {
		m.s.Health = 0
	}
	if m.s.Checking(m.c) {
		m.s.Next = m.now
	}
}

func (m *move) ready() {
	switch {
	case m.leavesUnlocated():
		m.s.Admin &^= Drain
	case m.leavesForLead():
	case m.s.Admin&Maint != 0:
		m.leaveMaint()
		if m.s.Admin &^= Drain; m.s.inDrain() {
			m.log(notice, lineMaintToDrain, fromCLI)
			m.log(notice, m.stillDrained(), fromCLI)
			return
		}
		m.log(notice, lineMaintLeft, fromCLI)
	case m.s.Admin&Drain != 0:
		m.touch()
		m.s.Admin &^= Drain
		m.log(notice, lineDrainLeft, fromCLI)
	}
}

func (m *move) drain() {
	switch {
	case m.leavesUnlocated():
		m.s.Admin |= Drain
	case m.s.Admin&Maint != 0:
		m.leaveMaint()
		m.s.Admin |= Drain
		m.log(notice, lineMaintToDrain, fromCLI)
		m.log(notice, lineStillDrained, fromCLI)
	case m.s.Admin&Drain == 0:
		m.touch()
		m.s.Admin |= Drain
		m.log(notice, lineDrain, fromCLI)
	}
}
