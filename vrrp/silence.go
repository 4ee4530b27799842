package vrrp

import (
	"slices"

	"herald/vrrp/fsm"
	"herald/vrrp/settings"
)

// silence keeps the addresses of masters with no_accept silent, and no others.
// It is called before addresses come and after they go: jobs keep their order,
// so there is no moment in which such an address answers.
func (s *Server) silence() {
	if list := s.quiet(); !slices.Equal(list, s.silent) {
		s.silent, s.heldNow = list, true
		s.applySilence()
	}
}

// quiet are the addresses that must not answer now.
func (s *Server) quiet() []settings.Address {
	var list []settings.Address
	for _, in := range s.instances {
		if in.cfg.NoAccept {
			list = append(list, in.held...)
		}
	}
	return list
}

func (s *Server) applySilence() {
	port, list := s.ports.Firewall, s.silent
	if port == nil {
		return
	}
	s.hands.do(func(Kernel) func() {
		err := port.Silence(list)
		return func() {
			if err != nil && s.noAccept() {
				s.log.Error("no_accept: " + err.Error())
			}
		}
	})
}

func (s *Server) noAccept() bool {
	return slices.ContainsFunc(s.instances, func(in *instance) bool { return in.cfg.NoAccept })
}

// beginSilence replaces what a predecessor left, which nobody may have taken
// away, by what is to be silent now.
func (s *Server) beginSilence() {
	if s.ports.Firewall == nil && s.noAccept() {
		s.log.Error("no_accept: the system has no nftables; the addresses answer")
	}
	for _, v := range s.savedInstances() {
		if in := s.heir(v); in != nil && in.cfg.NoAccept && v.State.Kind == fsm.Master {
			s.silent = append(s.silent, v.Held...)
		}
	}
	s.applySilence()
}

func (s *Server) savedInstances() []savedInstance {
	if s.resume == nil {
		return nil
	}
	return s.resume.Instances
}
