package proxy

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"time"

	"herald/proxy/check"
	"herald/proxy/check/probe"
	checks "herald/proxy/check/script"
	"herald/proxy/settings"
)

// aim is where the checks of a target go: what the file says until the
// operator says otherwise. The backend's mutex guards it.
type aim struct {
	checkAddr string
	checkPort int
	agent     settings.Agent
}

func newAim(cfg *settings.Server) aim {
	a := aim{checkAddr: cfg.CheckAddr, checkPort: cfg.CheckPort, agent: cfg.Agent}
	a.agent.Inter = agentInter(cfg)
	return a
}

// spot is what an operator can change of an aim.
type spot struct {
	CheckAddr string `json:"check_addr,omitempty"`
	CheckPort int    `json:"check_port,omitempty"`
	AgentAddr string `json:"agent_addr,omitempty"`
	AgentPort int    `json:"agent_port,omitempty"`
	AgentSend string `json:"agent_send,omitempty"`
}

func (a *aim) spot() spot {
	return spot{a.checkAddr, a.checkPort, a.agent.Addr, a.agent.Port, a.agent.Send}
}

// fileSpot is where the file has the checks of a server go.
func fileSpot(cfg *settings.Server) spot {
	a := newAim(cfg)
	return a.spot()
}

func (a *aim) put(s spot) {
	a.checkAddr, a.checkPort = s.CheckAddr, s.CheckPort
	a.agent.Addr, a.agent.Port, a.agent.Send = s.AgentAddr, s.AgentPort, s.AgentSend
}

// agentInter is the time between questions to the agent of a server.
func agentInter(cfg *settings.Server) time.Duration { return cmp.Or(cfg.Agent.Inter, 2*time.Second) }

// aimed answers where the checks of t go now.
func (t *target) aimed() aim {
	t.be.mu.Lock()
	defer t.be.mu.Unlock()
	return t.aim
}

// watchAgent asks one server's agent whenever its state says so, until the
// Server closes.
func (s *Server) watchAgent(t *target) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		t.be.mu.Lock()
		when := t.state.Agent.Next
		t.be.mu.Unlock()
		var due <-chan time.Time
		if !when.IsZero() {
			timer.Reset(time.Until(when))
			due = timer.C
		}
		select {
		case <-s.ctx.Done():
			return
		case <-t.pokeAgent:
		case <-due:
			s.askAgent(t)
		}
	}
}

// askAgent asks the agent of t and does what it says.
func (s *Server) askAgent(t *target) {
	t.be.mu.Lock()
	t.asking = true
	t.be.mu.Unlock()
	e := s.agentEvent(t)
	if s.ctx.Err() != nil {
		return
	}
	s.step(t, e)
	a := e.Agent
	if a.HasWeight {
		s.followWeight(t, a.ScaledWeight(t.cfg.Weight))
	}
	if a.HasMaxConn && t.maxConn.Load() != int64(a.MaxConn) {
		t.limitTo(int64(a.MaxConn))
		t.grant()
	}
}

// followWeight sets the weight an agent asks for.
func (s *Server) followWeight(t *target, weight int) {
	t.be.mu.Lock()
	same := t.weight == weight
	t.be.mu.Unlock()
	if !same {
		// The names are those of the configuration: they are found.
		_ = s.SetServerWeight(t.be.cfg.Name, t.cfg.Name, weight)
	}
}

// agentEvent is one question to the agent of t and its answer.
func (s *Server) agentEvent(t *target) check.Event {
	e := check.Event{Kind: check.AgentChecked, Chance: rand.Float64()}
	to := t.aimed()
	addr, port := t.addr.Load(), uint16(to.agent.Port)
	at := netip.AddrPort{}
	if addr != nil && addr.unix == "" {
		at = netip.AddrPortFrom(addr.ip.Addr(), port)
	}
	for _, host := range []string{to.checkAddr, to.agent.Addr} {
		if ip, known := t.hosts.find(host); known {
			at = netip.AddrPortFrom(ip, port)
		}
	}
	if !at.IsValid() {
		e.Result = check.Result{Status: check.SOCKERR, Info: "No address"}
		return e
	}
	w := checks.World{Now: time.Now()}
	r := probe.Run(s.ctx, checks.Start(checks.Agent(to.agent.Send), &w, s.bufSize()), probe.Options{
		Inter: to.agent.Inter, Connect: t.be.cfg.Timeouts.Connect, Timeout: t.be.cfg.Timeouts.Check,
		Locate: func(checks.Want) (probe.Place, error) {
			p := probe.Place{Network: "tcp", Address: at.String()}
			if t.cfg.Namespace != "" {
				p.Control, p.How = t.checkHow.Control, t.checkHow
			}
			return p, nil
		},
	})
	if e.Result = r; r.Status == check.L7OK {
		e.Agent = check.ParseAgent(r.Info)
		e.Result = e.Agent.Result
		e.Result.Duration = r.Duration
	}
	return e
}
