package vrrp

import (
	"net/netip"
	"time"

	"herald/vrrp/fsm"
	"herald/vrrp/settings"
)

// second is the virtual router of an instance's other family. It has no state
// and no timer of its own: it speaks when the instance speaks, and what it
// hears counts where the first family says nothing.
//
//   - Its silence means nothing: keepalived does not advertise the second
//     family of an instance at all.
//   - A master it hears is alive: the instance stays backup although the first
//     family is silent, for only that is broken.
//   - A better master it hears while the instance is master, too, is believed,
//     as a sync group of two routers would. Between equals the first family
//     decides, unless it is silent: addresses of the two families may be in
//     another order.
type second struct {
	heard    fsm.Advert // the last that was accepted, of a router that did not resign
	at       time.Time  // when; zero means never
	tie      time.Time  // since when an equal that wins is heard
	answered time.Time  // when a lesser master was answered last
}

// addSecond gives an instance the router of its other family. Its advertisement
// is made of an instance's configuration, so an instance it is, one that is
// never stepped.
func (s *Server) addSecond(in *instance) {
	if len(in.cfg.Second) == 0 {
		return
	}
	c := settings.Instance{Pos: in.cfg.Pos, Name: in.cfg.Name, Interface: in.cfg.Interface, VRID: in.cfg.VRID, Version: 3,
		AdvertInt: in.cfg.AdvertInt, IPv6: !in.cfg.IPv6, Group: in.cfg.SecondGroup, HMAC: in.cfg.HMAC,
		VirtualMACs: in.cfg.VirtualMACs} // one of that family takes frames of its own source address from the interface
	for _, a := range in.cfg.Second {
		c.Addresses = append(c.Addresses, settings.Address{Prefix: netip.PrefixFrom(a, a.BitLen()), Device: in.cfg.Interface})
	}
	other := &instance{id: in.id, cfg: c, limit: in.limit, first: in, expect: expectation(c)}
	if _, err := other.advert(0).Append(nil); err != nil {
		s.log.Warn(in.prefix("the addresses of the second family are not advertised: %v", err))
		return
	}
	in.other = other
	s.seat(other)
}

// sourceSecond finds what the second family is advertised from.
func (s *Server) sourceSecond(in *instance) {
	if o := in.other; o != nil {
		o.source = s.sourceOf(o)
		o.expect.Own = o.source
	}
}

// sendSecond says in the other family what was said in the first.
func (s *Server) sendSecond(in *instance, priority uint8) {
	o := in.other
	if o == nil || !o.source.IsValid() {
		return // nobody there can hear it either
	}
	if err := s.sendNow(o, priority); err != nil && in.limit.allow(limitSecondSend) {
		s.log.Warn(in.prefix("advertisement of the second family not sent: %v", err))
	}
}

// hearSecond takes an accepted advertisement of the other family.
func (s *Server) hearSecond(h heard) {
	in, now := h.in.first, time.Now()
	v := &h.in.second
	if h.Priority == 0 {
		v.at = time.Time{} // who resigns says so in the first family, too
		return
	}
	v.heard, v.at = h.Advert, now
	if in.state.Kind != fsm.Master {
		return
	}
	s.stirred = true
	switch {
	case h.Priority > in.state.Priority:
		s.believe(in, h.Advert)
	case h.Priority == in.state.Priority && h.Peer.Compare(h.in.source) > 0:
		if v.tie.IsZero() || now.Sub(v.tie) > 4*in.cfg.AdvertInt {
			v.tie = now // the first family may still decide
		} else if now.Sub(v.tie) >= 2*in.cfg.AdvertInt {
			v.tie = time.Time{}
			s.believe(in, h.Advert)
		}
	case now.Sub(v.answered) >= in.cfg.AdvertInt:
		v.answered = now
		s.sendSecond(in, in.state.Priority)
		s.announce(in, fsm.AnnounceRival)
		s.lesser(in, h.Peer, h.Priority)
	}
}

// believe gives way to a master of the other family, by that family's order of
// addresses.
func (s *Server) believe(in *instance, a fsm.Advert) {
	if in.cfg.Version != 3 {
		a.Interval = 0 // version 2 follows its own
	}
	own := in.fsm.Own
	in.fsm.Own = in.other.source
	s.step(in, a)
	in.fsm.Own = own
}

// aliveBySecond reports whether the master the first family has lost is heard
// in the second: within an interval and a half, as in a sync group.
func (in *instance) aliveBySecond(now time.Time) bool {
	o := in.other
	if o == nil || in.state.Kind != fsm.Backup || in.state.Heard == fsm.Resignation || in.state.Heard == fsm.Lesser {
		return false
	}
	v := o.second
	return !v.at.IsZero() && now.Sub(v.at) <= in.cfg.AdvertInt*3/2 && (v.heard.Priority >= in.state.Priority || in.cfg.NoPreempt)
}

// holdBySecond keeps a backup that only the first family makes believe it is
// alone, and reports whether it did.
func (s *Server) holdBySecond(in *instance) bool {
	if time.Now().Before(in.state.Deadline) || !in.aliveBySecond(time.Now()) {
		return false
	}
	if in.limit.allow(limitHold) {
		s.log.Warn(in.prefix("no advertisement in %s of the master %v, which is heard in %s: only one family is broken, staying backup",
			familyName(in.cfg.IPv6), in.other.second.heard.Peer, familyName(!in.cfg.IPv6)))
	}
	s.step(in, fsm.Hold{Member: "the second family"})
	return true
}

func familyName(six bool) string {
	if six {
		return "IPv6"
	}
	return "IPv4"
}
