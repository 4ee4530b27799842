package vrrp

import "herald/vrrp/fsm"

// SetDrained tells every instance to hold nothing until it is told otherwise:
// masters resign, keep answering until their successors are heard, 1.2
// seconds at most, and stay backup. It may be called before Run; a process
// that resumes is told again by its parent.
func (s *Server) SetDrained(drained bool) {
	s.box.post(func() {
		s.drained = drained
		for _, in := range s.instances {
			if in.started {
				s.drainOne(in)
			}
		}
	})
}

// drainOne makes an instance what the server is.
func (s *Server) drainOne(in *instance) {
	switch {
	case s.stopping || s.handed || in.state.Drained == s.drained:
		return
	case s.drained:
		s.step(in, fsm.Drain{})
	default:
		s.step(in, fsm.Undrain{})
	}
	s.changed = true
}
