package vrrp

import (
	"slices"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// virtuals are the virtual MAC interfaces of the loop (use_vmac).
type virtuals struct {
	made    []settings.VirtualMAC // on the host because of us
	muted   bool                  // what they must not say is dropped
	relaxed []settings.Sysctl     // reverse path filters, as they were
	tried   map[string]time.Time  // when each was made last
	again   time.Time             // when to look for one that is missing; zero means not
	limit   limiter
	ended   bool
}

// makeAgain is how soon an interface that is missing is made again.
const makeAgain = time.Second

func namesOf(list []settings.VirtualMAC) []string {
	names := make([]string, 0, len(list))
	for _, v := range list {
		names = append(names, v.Name)
	}
	return names
}

// beginVirtual makes the interfaces before the first list of them, while
// nothing else runs: their instances begin with them as with any other. What
// they must not say is dropped before they exist.
func (s *Server) beginVirtual() {
	s.virtual.limit = limiter{}
	if s.resume != nil {
		s.virtual.made, s.virtual.relaxed = s.resume.VirtualMACs, s.resume.Relaxed
	}
	wanted := s.cfg.VirtualMACs()
	if s.ports.Virtual == nil || len(wanted) == 0 {
		return
	}
	s.heldNow = true
	s.mute(s.ports.Firewall, slices.Concat(s.virtual.made, wanted))
	if slices.ContainsFunc(wanted, func(v settings.VirtualMAC) bool { return !v.IPv6 }) {
		before, err := s.ports.Virtual.LowerReversePath(namesOf(wanted))
		s.noteRelaxed(before, err)
	}
	for _, v := range wanted {
		s.noteMade(v, s.ports.Virtual.MakeVirtualMAC(v))
	}
}

// noteRelaxed remembers reverse path filters as they were first.
func (s *Server) noteRelaxed(before []settings.Sysctl, err error) {
	if err != nil {
		s.log.Warn("use_vmac: " + err.Error())
	}
	for _, b := range before {
		if !slices.ContainsFunc(s.virtual.relaxed, func(o settings.Sysctl) bool { return o.Device == b.Device }) {
			s.virtual.relaxed = append(s.virtual.relaxed, b)
		}
	}
}

// mute is called on the loop before it begins, and from jobs afterwards.
func (s *Server) mute(port Firewall, list []settings.VirtualMAC) {
	s.virtual.muted = port != nil && len(list) > 0
	if port == nil {
		s.log.Warn("use_vmac: the system has no nftables; a backup's group reports may show switches the virtual MAC address in the wrong place")
		return
	}
	if err := port.Mute(namesOf(list)); err != nil {
		s.log.Warn("use_vmac: " + err.Error() + "; a backup's group reports may show switches the virtual MAC address in the wrong place")
	}
}

// noteMade remembers an interface that was made; one that could not be made is
// a fault of its instance, which says so.
func (s *Server) noteMade(v settings.VirtualMAC, err error) {
	if s.virtual.tried == nil {
		s.virtual.tried = map[string]time.Time{}
	}
	s.virtual.tried[v.Name] = time.Now()
	if err != nil {
		if s.virtual.limit.allow(limitAdd) {
			s.log.Error(err.Error())
		}
		return
	}
	s.virtual.made = append(slices.DeleteFunc(s.virtual.made, func(o settings.VirtualMAC) bool { return o.Name == v.Name }), v)
	s.changed, s.heldNow = true, true
}

// keepVirtual makes again what somebody else removed or set down, and what
// vanished with the interface below it.
func (s *Server) keepVirtual() {
	s.virtual.again = time.Time{}
	if s.ports.Virtual == nil || s.stopping || s.handed || s.virtual.ended {
		return
	}
	now := time.Now()
	for _, v := range s.cfg.VirtualMACs() {
		if parent, exists := s.snap[v.Parent]; !exists || s.stands(v, parent) {
			continue
		}
		if next := s.virtual.tried[v.Name].Add(makeAgain); now.Before(next) {
			if s.virtual.again.IsZero() || next.Before(s.virtual.again) {
				s.virtual.again = next
			}
			continue
		}
		s.virtual.tried[v.Name] = now
		s.virtual.again = now.Add(makeAgain)
		port := s.ports.Virtual
		s.hands.do(func(Kernel) func() {
			err := port.MakeVirtualMAC(v)
			return func() {
				s.noteMade(v, err)
				s.list()
			}
		})
	}
}

func (s *Server) stands(v settings.VirtualMAC, parent vip.Interface) bool {
	i, exists := s.snap[v.Name]
	return exists && i.Hardware == v.Hardware && (i.Up || !parent.Up)
}

// dropVirtual removes what an older configuration had. The jobs before it have
// moved the addresses.
func (s *Server) dropVirtual() {
	wanted := s.cfg.VirtualMACs()
	old := slices.DeleteFunc(slices.Clone(s.virtual.made), func(v settings.VirtualMAC) bool {
		return slices.ContainsFunc(wanted, func(w settings.VirtualMAC) bool { return w.Name == v.Name })
	})
	if len(old) == 0 || s.ports.Virtual == nil {
		return
	}
	s.removeVirtual(old, wanted)
}

// removeVirtual removes interfaces and leaves those of kept muted; without any
// left the reverse path filters are as they were.
func (s *Server) removeVirtual(old, kept []settings.VirtualMAC) {
	s.virtual.made = slices.DeleteFunc(s.virtual.made, func(v settings.VirtualMAC) bool { return slices.Contains(old, v) })
	s.virtual.muted = s.ports.Firewall != nil && len(kept) > 0
	if len(kept) == 0 {
		for _, before := range s.virtual.relaxed {
			s.setSysctl(before, func(string) {})
		}
		s.virtual.relaxed = nil
	}
	s.changed, s.heldNow = true, true
	port, firewall := s.ports.Virtual, s.ports.Firewall
	s.hands.do(func(Kernel) func() {
		failed := each(old, port.RemoveVirtualMAC)
		if firewall != nil {
			if err := firewall.Mute(namesOf(kept)); err != nil {
				failed = append(failed, err)
			}
		}
		return func() {
			for _, err := range failed {
				s.log.Error(err.Error())
			}
		}
	})
}

// endVirtual removes every interface, once, after the last instance is gone.
func (s *Server) endVirtual() {
	if s.virtual.ended || s.ports.Virtual == nil {
		return
	}
	s.virtual.ended = true
	if len(s.virtual.made) > 0 || s.virtual.muted || len(s.virtual.relaxed) > 0 {
		s.removeVirtual(slices.Clone(s.virtual.made), nil)
	}
}
