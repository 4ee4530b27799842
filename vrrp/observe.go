package vrrp

import (
	"context"
	"time"

	"herald/stats"
	"herald/vrrp/group"
)

// ScriptState is what is known of Config.Scripts at the same index.
type ScriptState struct {
	Known, Good bool
	Running     bool
}

// Scripts returns the state of every script, nil while the loop does not
// answer.
func (s *Server) Scripts() []ScriptState {
	var list []ScriptState
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if !s.do(ctx, func() {
		for _, sc := range s.scripts {
			list = append(list, ScriptState{Known: sc.count.Verdict != group.Unknown, Good: sc.count.Verdict == group.Good, Running: sc.running})
		}
	}) {
		return nil
	}
	return list
}

// ClearCounters sets the counters of every instance to zero.
func (s *Server) ClearCounters() {
	s.box.post(func() {
		for _, in := range s.instances {
			in.counters = stats.VRRPCounters{}
		}
		s.changed = true
	})
}
