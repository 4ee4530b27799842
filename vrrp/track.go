package vrrp

import (
	"time"

	"herald/vrrp/fsm"
	"herald/vrrp/group"
	"herald/vrrp/settings"
)

// script is one vrrp_script and what is known of it.
type script struct {
	cfg     settings.Script
	count   group.Count
	running bool
	started time.Time
	due     time.Time // next start, or when an answer is overdue
}

// overdue is what the runner is granted beyond a script's timeout (SIGTERM,
// then SIGKILL 2 s later) before silence counts as a failure.
const overdue = 3 * time.Second

// runScripts starts the scripts that are due, and gives up those that never
// answered.
func (s *Server) runScripts() {
	if s.ports.Scripts == nil || s.stopping || s.handed {
		return
	}
	now := time.Now()
	for i, sc := range s.scripts {
		if sc.cfg.InProcess || now.Before(sc.due) {
			continue
		}
		if sc.running {
			s.scriptDone(i, false)
			continue
		}
		sc.running, sc.started = true, now
		sc.due = now.Add(max(sc.cfg.Timeout, sc.cfg.Interval) + overdue)
		s.ports.Scripts.Start(i)
	}
}

func (s *Server) scriptDone(i int, ok bool) {
	if i < 0 || i >= len(s.scripts) || !s.scripts[i].running {
		return
	}
	sc := s.scripts[i]
	sc.running = false
	now := time.Now()
	if sc.due = sc.started.Add(max(sc.cfg.Interval, 10*time.Millisecond)); sc.due.Before(now) {
		sc.due = now
	}
	s.setCount(sc, sc.count.Step(sc.cfg.Rise, sc.cfg.Fall, ok), "")
}

func (s *Server) proxyServing(serving bool, reason string) {
	verdict := group.Bad
	if serving {
		verdict = group.Good
	}
	for _, sc := range s.scripts {
		if sc.cfg.InProcess {
			s.setCount(sc, group.Count{Verdict: verdict}, reason)
		}
	}
	s.proxyProcesses(verdict)
	s.proxyVerdict(verdict)
}

func (s *Server) setCount(sc *script, c group.Count, reason string) {
	before := sc.count.Verdict
	sc.count = c
	if c.Verdict == before {
		return
	}
	if reason != "" {
		reason = ": " + reason
	}
	s.log.Info("script " + sc.cfg.Name + " is " + c.Verdict.String() + reason)
	s.weighAll()
	s.changed = true
}

func (s *Server) verdicts() map[string]group.Verdict {
	v := make(map[string]group.Verdict, len(s.scripts))
	for _, sc := range s.scripts {
		v[sc.cfg.Name] = sc.count.Verdict
	}
	return v
}

// standing weighs one instance: what it tracks, and what the loop needs to
// run it at all.
func (s *Server) standing(in *instance) group.Standing {
	st := group.Weigh(in.cfg, s.verdicts(), s.believed, s.seen)
	if _, exists := s.snap[in.cfg.Interface]; !exists {
		st.Faults = []string{"interface " + in.cfg.Interface + " does not exist"}
		return st
	}
	if in.source = in.cfg.Source; !in.source.IsValid() {
		in.source = s.sourceOf(in)
	}
	if !in.source.IsValid() {
		st.Faults = append(st.Faults, "interface "+in.cfg.Interface+" has no "+familyOf(in)+" address")
	}
	if in.cfg.TrackSource && in.cfg.Source.IsValid() && !s.snap.Carries(in.cfg.Interface, in.cfg.Source) {
		st.Faults = append(st.Faults, "interface "+in.cfg.Interface+" has no address "+in.cfg.Source.String())
	}
	if in.peerless() {
		st.Faults = append(st.Faults, "none of the names in unicast_peer has an address")
	}
	if in.port.link == nil && !s.heals(in) {
		st.Faults = append(st.Faults, "no socket on interface "+in.cfg.Speaker())
	}
	// The link of a virtual MAC interface is its parent's, which is weighed above.
	if speaker, exists := s.snap[in.cfg.Speaker()]; exists && !speaker.Up && s.snap[in.cfg.Interface].Up && !in.cfg.DontTrackPrimary && !s.heals(in) {
		st.Faults = append(st.Faults, "interface "+in.cfg.Sender+" is down")
	}
	in.fsm.Own = in.source
	in.expect.Own = in.source
	s.sourceSecond(in)
	return st
}

// weighAll lets every instance act on what changed.
func (s *Server) weighAll() {
	standings := s.standings(s.instances)
	for _, g := range s.groups {
		g.share(standings)
	}
	for i, in := range s.instances {
		s.settle(in, standings[i])
	}
}

// standings weighs instances, by their id.
func (s *Server) standings(list []*instance) map[int]group.Standing {
	standings := make(map[int]group.Standing, len(list))
	for _, in := range list {
		standings[in.id] = s.standing(in)
	}
	return standings
}

// weigh lets one instance act on how it and its sync group stand.
func (s *Server) weigh(in *instance) { s.settle(in, s.shared(in)) }

func (s *Server) settle(in *instance, st group.Standing) {
	if s.stopping || s.handed || !in.started {
		return
	}
	in.waitingFor = st.Waiting
	if in.state.Kind == fsm.Initialize {
		in.state.Priority = st.Priority
		if len(st.Faults) == 0 && len(st.Waiting) == 0 {
			s.step(in, fsm.Start{Priority: st.Priority})
			return
		}
	}
	if st.Priority != in.state.Priority {
		s.log.Info(in.prefix("priority %d, was %d", st.Priority, in.state.Priority))
		s.step(in, fsm.Priority{Value: st.Priority})
		s.tellPriority(in)
		s.changed = true
	}
	switch {
	case len(st.Faults) > 0 && in.state.Kind != fsm.Fault:
		s.step(in, fsm.Faulty{Reason: st.Faults[0]})
	case len(st.Faults) == 0 && len(st.Waiting) == 0 && in.state.Kind == fsm.Fault:
		s.step(in, fsm.Clear{})
	}
}
