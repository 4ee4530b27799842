package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"herald/proxy/check"
	"herald/proxy/dns"
	"herald/proxy/logline"
)

// This file is what the end of a resolution means for servers. Everything
// here runs with the mutex of the resolvers section held.

// settle looks at what a resolution came to.
func (x *resolution) settle(now time.Time) {
	if x.state.Expired(x.config, now) {
		x.state.Records, x.placed = nil, nil
		why := x.state.Status.Why()
		for _, t := range x.targets {
			t.lose(x.of.s, why)
		}
		for _, set := range x.sets {
			set.fill(x.of, nil)
		}
		return
	}
	if x.state.Status != dns.StatusValid {
		return
	}
	for _, set := range x.sets {
		set.fill(x.of, x.state.Records)
	}
	if !slices.EqualFunc(x.placed, x.state.Records, func(a, b dns.Record) bool { return a.Addr == b.Addr }) {
		x.placed = slices.Clone(x.state.Records)
		for _, t := range x.targets {
			t.byHand.Store(false)
		}
	}
	by := x.from
	for _, list := range perBackend(x.targets) {
		by = x.place(list, by)
	}
}

// perBackend splits targets, which are in the order of the file, where another
// backend begins.
func perBackend(targets []*target) [][]*target {
	var out [][]*target
	for i, t := range targets {
		if i == 0 || targets[i-1].be != t.be {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], t)
	}
	return out
}

// cached is whom HAProxy names for the second server that one answer moves.
const cached = "DNS cache"

// place gives the servers of one backend their addresses, and answers who is
// to be named for the next.
func (x *resolution) place(list []*target, by string) string {
	seats := make([]dns.Seat, len(list))
	for i, t := range list {
		seats[i] = dns.Seat{Family: t.naming.first, Networks: t.naming.nets, AllowDup: t.cfg.Resolve.AllowDup}
		if a := t.addr.Load(); a != nil {
			seats[i].Addr = a.ip.Addr()
		}
	}
	for i, a := range dns.Place(seats, x.state.Records) {
		switch t := list[i]; {
		case t.byHand.Load() && seats[i].Addr.IsValid(): // HAProxy lets it be while the answer says nothing new
			t.found(x.of.s)
		case !a.IsValid():
			t.lose(x.of.s, "No IP for server ")
		case a != seats[i].Addr:
			t.move(x.of.s, a, by)
			by = cached
		default:
			t.found(x.of.s)
		}
	}
	return by
}

// port is where t is reached when its address changes: as SRV records say, or
// as it was set or written.
func (t *target) port() uint16 {
	if t.naming != nil && t.naming.set != nil {
		return t.naming.slot.Port
	}
	return uint16(t.cfg.Port)
}

// move gives t another address.
func (t *target) move(s *Server, to netip.Addr, by string) {
	was, port := "(none)", t.port()
	if a := t.addr.Load(); a != nil {
		was = a.ip.Addr().String()
		if t.placed.Load() && a.ip.Port() != 0 {
			port = a.ip.Port()
		}
	}
	t.addr.Store(newAddress(netip.AddrPortFrom(to, port)))
	for _, w := range s.workers {
		w.l.Post(func() { w.dropIdle(t) })
	}
	s.tell(t.be.log, logline.Notice, fmt.Sprintf("%s/%s changed its IP from %s to %s by %s.", t.be.cfg.Name, t.cfg.Name, was, to, by))
	t.found(s)
	s.novelty()
}

// found brings t back when it was out for want of an address.
func (t *target) found(s *Server) {
	if t.lost() {
		s.step(t, check.Event{Kind: check.Located, Name: t.naming.name(), Chance: 0.5})
	}
}

// lose takes t out, since it has no address any more.
func (t *target) lose(s *Server, why string) {
	if t.lost() {
		return
	}
	s.step(t, check.Event{Kind: check.Unlocated, Why: why, Chance: 0.5})
	t.addr.Store(nil)
	s.novelty()
}

func (t *target) lost() bool {
	t.be.mu.Lock()
	defer t.be.mu.Unlock()
	return t.state.Admin&check.NoAddress != 0
}

// fill lets a set's servers be what SRV records say. Each asks for the
// address of its name from then on.
func (set *serviceSet) fill(r *resolvers, records []dns.Record) {
	slots := make([]dns.Slot, len(set.targets))
	for i, t := range set.targets {
		slots[i] = t.naming.slot
	}
	after := dns.Fill(slots, records)
	for i, t := range set.targets { // first those that go: what they were may be another's now
		if slots[i].Target != "" && (after[i].Target != slots[i].Target || after[i].Port != slots[i].Port) {
			t.naming.slot = dns.Slot{}
			r.want(t, "")
			t.lose(r.s, "entry removed from SRV record")
			t.addr.Store(nil)
		}
	}
	for i, t := range set.targets {
		slot := after[i]
		if slot.Target == "" {
			continue
		}
		t.naming.was.Store(true)
		fresh := t.naming.slot.Target == ""
		t.naming.slot = slot
		if fresh {
			r.s.tell(t.be.log, logline.Notice, fmt.Sprintf("%s/%s changed its FQDN from (null) to %s by 'SRV record'", t.be.cfg.Name, t.cfg.Name, slot.Target))
			r.want(t, slot.Target)
			if by := t.naming.by; by.state.Fresh(by.config, time.Now()) {
				by.place(sameBackend(by.targets, t), cached)
			}
		}
		if !t.cfg.Resolve.IgnoreWeight && (fresh || slot.Weight != slots[i].Weight) {
			r.s.reweigh(t, slot.Weight)
		}
	}
}

// sameBackend are the targets of the backend of t.
func sameBackend(targets []*target, t *target) []*target {
	for _, list := range perBackend(targets) {
		if list[0].be == t.be {
			return list
		}
	}
	return nil
}

// reweigh sets the weight an SRV record gives, where the algorithm can.
func (s *Server) reweigh(t *target, weight int) {
	if t.be.group.Kind().Static && weight != 0 && weight != t.cfg.Weight {
		return
	}
	s.weigh(t, weight)
}
