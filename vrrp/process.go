package vrrp

import (
	"fmt"
	"slices"
	"time"

	"herald/stats"
	"herald/vrrp/group"
	"herald/vrrp/settings"
)

// SetProcess tells how many processes of a vrrp_track_process run.
func (s *Server) SetProcess(name string, running int) {
	s.box.post(func() {
		if p, ok := s.processNamed(name); ok {
			s.setQuorum(p, s.seen.Processes[name].Step(p, time.Now(), running))
		}
	})
}

// proxyProcesses answers for processes that are herald's own proxy.
func (s *Server) proxyProcesses(v group.Verdict) {
	running := 0
	if v == group.Good {
		running = 1
	}
	for _, p := range s.cfg.Processes {
		if p.InProcess {
			s.setQuorum(p, group.Quorum{Verdict: v, Running: running})
		}
	}
}

func (s *Server) processNamed(name string) (settings.TrackedProcess, bool) {
	i := slices.IndexFunc(s.cfg.Processes, func(p settings.TrackedProcess) bool { return p.Name == name })
	if i < 0 {
		return settings.TrackedProcess{}, false
	}
	return s.cfg.Processes[i], true
}

// waitQuorums lets quorums count that have changed for long enough.
func (s *Server) waitQuorums(now time.Time) {
	for _, p := range s.cfg.Processes {
		if q := s.seen.Processes[p.Name]; !q.Due.IsZero() && !now.Before(q.Due) {
			s.setQuorum(p, q.Wait(p, now))
		}
	}
}

func (s *Server) setQuorum(p settings.TrackedProcess, q group.Quorum) {
	if s.seen.Processes == nil {
		s.seen.Processes = map[string]group.Quorum{}
	}
	before := s.seen.Processes[p.Name].Verdict
	s.seen.Processes[p.Name] = q
	if q.Verdict == before {
		return
	}
	s.log.Info(fmt.Sprintf("process %s is %v: %d run", p.Name, q.Verdict, q.Running))
	s.weighAll()
	s.changed = true
}

// trackedProcesses are the processes an instance tracks with what is known of
// them.
func (s *Server) trackedProcesses(in *instance) []stats.Tracked {
	var list []stats.Tracked
	for _, w := range in.cfg.Watched {
		if w.Kind == settings.AProcess {
			list = append(list, stats.Tracked{Name: w.Name, State: s.seen.Processes[w.Name].Verdict.String()})
		}
	}
	return list
}
