package vrrp

import (
	"slices"

	"herald/vrrp/fsm"
	"herald/vrrp/settings"
)

// beginStatic sets the static addresses, routes and rules, and takes away
// those an older configuration had. They are held like a master's and never
// announced.
func (s *Server) beginStatic() {
	if s.resume != nil {
		s.sysctls.before = s.resume.Sysctls
	}
	s.setSysctls()
	var old savedInstance
	if s.resume != nil && s.resume.Static != nil {
		old = *s.resume.Static
	}
	if len(s.cfg.StaticAddresses)+len(old.Held) == 0 && s.cfg.StaticRouting.Empty() && old.Routing.Empty() {
		return
	}
	s.static = &instance{id: -1, limit: limiter{}, state: fsm.State{Kind: fsm.Master}, held: old.Held, routing: routing{held: old.Routing},
		cfg: settings.Instance{Name: "static", Excluded: s.cfg.StaticAddresses, Routing: s.cfg.StaticRouting}}
	s.claim(s.static)
}

// endStatic takes everything static away and sets sysctls back, once, after the last instance is
// gone: what its packets went through is needed until then.
func (s *Server) endStatic() {
	if s.static != nil && s.static.state.Kind == fsm.Master {
		s.static.state.Kind = fsm.Initialize
		s.release(s.static)
	}
	s.endSysctls()
	s.endVirtual()
}

// holders is everything that may hold addresses, routes and rules.
func (s *Server) holders() []*instance {
	if s.static == nil {
		return s.instances
	}
	return append(slices.Clip(s.instances), s.static)
}
