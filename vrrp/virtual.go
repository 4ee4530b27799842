package vrrp

import (
	"slices"
	"time"

	"herald/vrrp/fsm"
	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// virtuals are the virtual MAC interfaces of the loop (use_vmac).
type virtuals struct {
	made    []settings.VirtualMAC // on the host because of us
	muted   bool                  // what they must not say is dropped
	relaxed []settings.Sysctl     // reverse path filters, as they were
	tried   map[string]time.Time  // when each was made last
	healing map[string]bool       // those being made again, which is no fault yet
	before  []settings.VirtualMAC // of the process before
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
	s.virtual.limit, s.virtual.tried, s.virtual.healing = limiter{}, map[string]time.Time{}, map[string]bool{}
	if s.resume != nil {
		s.virtual.made, s.virtual.relaxed = s.resume.VirtualMACs, s.resume.Relaxed
		s.virtual.before = slices.Clone(s.resume.VirtualMACs)
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
		if _, exists := s.snap[v.Parent]; !exists {
			continue // it may come later
		}
		old, renamed := s.namedBefore(v)
		if renamed {
			s.removeNow(old)
		}
		s.noteMade(v, s.ports.Virtual.MakeVirtualMAC(v))
		if renamed {
			s.rename(old.Name, v.Name)
		}
	}
}

// namedBefore finds the interface that had another name: two of one hardware
// address cannot be up on one parent.
func (s *Server) namedBefore(v settings.VirtualMAC) (settings.VirtualMAC, bool) {
	i := slices.IndexFunc(s.virtual.made, func(o settings.VirtualMAC) bool {
		return o.Name != v.Name && o.Parent == v.Parent && o.Hardware == v.Hardware &&
			!slices.ContainsFunc(s.cfg.VirtualMACs(), func(w settings.VirtualMAC) bool { return w.Name == o.Name })
	})
	if i < 0 {
		return settings.VirtualMAC{}, false
	}
	return s.virtual.made[i], true
}

func (s *Server) removeNow(v settings.VirtualMAC) {
	if err := s.ports.Virtual.RemoveVirtualMAC(v); err != nil {
		s.log.Error(err.Error())
	}
	s.virtual.made = slices.DeleteFunc(slices.Clone(s.virtual.made), func(o settings.VirtualMAC) bool { return o.Name == v.Name })
}

// rename puts the addresses of the process before where they are now.
func (s *Server) rename(from, to string) {
	for i := range s.resume.Instances {
		held := s.resume.Instances[i].Held
		for j := range held {
			if held[j].Device != from {
				continue
			}
			if held[j].Device = to; s.resume.Instances[i].State.Kind != fsm.Master {
				continue
			}
			if err := s.ports.Kernel.Add(held[j]); err != nil {
				s.log.Error(err.Error())
			}
		}
	}
}

// otherHardware reports whether the addresses of an instance are at another
// hardware address than before: neighbours have to be told.
func (s *Server) otherHardware(in *instance) bool {
	return slices.ContainsFunc(in.cfg.VirtualMACs, func(v settings.VirtualMAC) bool {
		return slices.ContainsFunc(s.virtual.before, func(o settings.VirtualMAC) bool { return o.Name == v.Name && o.Hardware != v.Hardware })
	})
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
	if err := port.Mute(list); err != nil {
		s.log.Warn("use_vmac: " + err.Error() + "; a backup's group reports may show switches the virtual MAC address in the wrong place")
	}
}

// noteMade remembers an interface that was made; one that could not be made is
// a fault of its instance, which says so.
func (s *Server) noteMade(v settings.VirtualMAC, err error) {
	s.virtual.tried[v.Name] = time.Now()
	if err != nil {
		delete(s.virtual.healing, v.Name)
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
			delete(s.virtual.healing, v.Name)
			continue
		}
		if next := s.virtual.tried[v.Name].Add(makeAgain); now.Before(next) {
			if s.virtual.again.IsZero() || next.Before(s.virtual.again) {
				s.virtual.again = next
			}
			continue
		}
		s.virtual.tried[v.Name], s.virtual.healing[v.Name] = now, true
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

// heals reports whether the interface an instance speaks from was lost a
// moment ago and is being made again: its addresses come back with it, so a
// master stays one.
func (s *Server) heals(in *instance) bool {
	name := in.cfg.Sender
	return s.virtual.healing[name] && time.Since(s.virtual.tried[name]) < makeAgain
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
			if err := firewall.Mute(kept); err != nil {
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

// seatEar gives an instance that speaks from below its virtual MAC interface a
// second socket there, which hears only routers that speak from theirs: a
// macvlan in private mode takes frames of its own source address from its
// parent. keepalived does not hear them.
func (s *Server) seatEar(in *instance) {
	v, own := in.cfg.Own()
	if !own || in.cfg.Sender != "" || in.cfg.Unicast {
		return
	}
	at := in.place()
	at.device = v.Name
	if s.links[at] == nil {
		s.links[at] = &port{place: at, parent: v.Parent, from: v.Hardware, join: true}
	}
	in.ear = s.links[at]
	in.ear.seat(in)
}

// drainIts reads everything that waits for an instance.
func (s *Server) drainIts(in *instance) {
	s.drain(in.port)
	if in.ear != nil {
		s.drain(in.ear)
	}
}
