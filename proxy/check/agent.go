package check

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// Answer is one line of an agent (Configuration manual 5.2, "agent-check").
// The zero Weight and MaxConn mean nothing: see the flags.
type Answer struct {
	Weight     int // percent of the weight in the file
	HasWeight  bool
	MaxConn    int
	HasMaxConn bool
	// Admin is SetReady, SetDrain or SetMaint when HasAdmin.
	Admin    Kind
	HasAdmin bool
	// Result is what a finished check of the agent comes to: L7OK for "up",
	// L7STS for "down", "fail" and "stopped", CHECKED for anything else.
	Result Result
}

// ParseAgent reads an agent's line without its end.
func ParseAgent(line string) Answer {
	a := Answer{Result: Result{Status: CHECKED}}
	words, description, _ := strings.Cut(line, "#")
	told, wrong, level := "", "", "reports an error" // the first mistake, and how HAProxy calls it
	for _, w := range strings.FieldsFunc(words, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		number, conn := strings.CutPrefix(w, "maxconn:")
		percent, weight := strings.CutSuffix(w, "%")
		switch lower := strings.ToLower(w); {
		case lower == "up":
			a.Result.Status, told = L7OK, w
		case lower == "down", lower == "fail", lower == "stopped":
			a.Result.Status, told = L7STS, w
		case lower == "ready":
			a.Admin, a.HasAdmin = SetReady, true
		case lower == "drain":
			a.Admin, a.HasAdmin = SetDrain, true
		case lower == "maint":
			a.Admin, a.HasAdmin = SetMaint, true
		case weight:
			n, err := strconv.ParseUint(percent, 10, 16)
			if err != nil {
				wrong = cmp.Or(wrong, w)
				continue
			}
			a.Weight, a.HasWeight = int(n), true
		case conn:
			n, err := strconv.ParseUint(number, 10, 31)
			if err != nil {
				if wrong == "" {
					wrong, level = "maxconn string empty or preceded by garbage", "warns"
				}
				continue
			}
			a.MaxConn, a.HasMaxConn = int(n), true
		default:
			wrong = cmp.Or(wrong, w)
		}
	}
	switch description = strings.TrimSpace(description); a.Result.Status {
	case L7OK:
		wrong = cmp.Or(wrong, description)
	case L7STS:
		wrong = cmp.Or(description, wrong)
	}
	switch {
	case told != "" && wrong != "":
		a.Result.Info = "via agent : " + told + " (" + wrong + ")"
	case told != "":
		a.Result.Info = "via agent : " + told
	case wrong != "":
		a.Result.Info = "agent " + level + " : " + wrong
	}
	return a
}

// ScaledWeight is what a.Weight makes of the weight in the file, 0 to 256.
func (a Answer) ScaledWeight(initial int) int { return min(initial*a.Weight/100, 256) }

// AgentState is what is remembered of one server's agent.
type AgentState struct {
	Health int // 1, or 0 after the agent said "down"
	Last   Result
	Off    bool      // switched off by an operator
	Next   time.Time // of the next check; zero means none
	Checks uint64
}

// startAgent is the state an agent check begins with.
func startAgent(c Config, now time.Time, share float64) AgentState {
	s := AgentState{Health: 1, Last: Result{Status: INI}}
	if c.Agent {
		s.Next = now.Add(c.first(c.AgentInter, share))
	}
	return s
}

// AgentChecking reports whether the agent is to be asked. Maintenance does not
// stop that: only the agent takes back what it said.
func (s State) AgentChecking(c Config) bool { return c.Agent && !s.Agent.Off }

// agentDown reports whether the agent keeps the server down.
func (s State) agentDown(c Config) bool { return s.AgentChecking(c) && s.Agent.Health == 0 }

// agent carries out what an agent said.
func (m *move) agent(e Event) {
	if !m.s.AgentChecking(m.c) {
		return
	}
	a := &m.s.Agent
	r := e.Result.cut()
	before, health := a.Last.Status, a.Health
	if r.Status == UNK { // half a line says nothing
		r.Status, r.Code = a.Last.Status, a.Last.Code
	}
	a.Last = r
	a.Checks++
	d := m.c.AgentInter
	if m.c.Spread > 0 {
		d += time.Duration(float64(d) * float64(m.c.Spread) / 100 * (2*e.Chance - 1))
	}
	a.Next = m.now.Add(d)
	if e.Agent.HasAdmin {
		switch e.Agent.Admin {
		case SetReady:
			m.ready()
		case SetDrain:
			m.drain()
		case SetMaint:
			m.maint()
		}
	}
	switch r.Status {
	case L7OK:
		a.Health = 1
	case L7STS:
		a.Health = 0
	}
	if m.c.LogAll && r.Status != CHECKED && (r.Status != before || a.Health != health) {
		m.log(notice, lineAgent, fromAgent)
	}
	m.followAgent(fromAgent)
}

// followAgent brings the server down or up after the agent's health changed.
func (m *move) followAgent(why cause) {
	if m.s.inMaint() {
		return
	}
	switch {
	case m.s.agentDown(m.c):
		m.enter(Stopped, why)
	case m.s.Op == Stopped && m.s.AgentChecking(m.c) && (why != fromAgent || m.s.Agent.Last.Status == L7OK):
		if !m.c.Enabled {
			m.s.Health = max(m.s.Health, m.c.Rise)
		}
		if m.s.Health >= m.c.Rise {
			m.enter(Running, why)
		}
	}
}

// forceAgent is set server agent up, or down.
func (m *move) forceAgent(health int) {
	if m.s.AgentChecking(m.c) {
		m.s.Agent.Health = health
		m.followAgent(fromCLI)
	}
}

// switchAgent is enable agent, or disable agent. A server that the agent keeps
// down stays down until the agent, the operator or a health check says else.
func (m *move) switchAgent(on bool) {
	m.s.Agent.Off, m.s.Agent.Next = !on, time.Time{}
	if m.s.AgentChecking(m.c) {
		m.s.Agent.Next = m.now
	}
}

// agentBits is the srv_agent_state of `show servers state`: configured 2,
// enabled 4, an agent 16.
func (s State) agentBits(c Config) int {
	switch {
	case !c.Agent:
		return 0
	case s.Agent.Off:
		return 16 | 2
	}
	return 16 | 2 | 4
}
