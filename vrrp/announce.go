package vrrp

import (
	"slices"
	"strconv"

	"herald/garp"
	"herald/vrrp/fsm"
	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// keepers are the interfaces garp_extra_if announces on.
func (in *instance) keepers() []string {
	if in.cfg.Garp.Extra == 0 {
		return nil
	}
	own := namesOf(in.cfg.VirtualMACs)
	var list []string
	for _, a := range in.desired() {
		if !slices.Contains(list, a.Device) && (in.cfg.Garp.ExtraAll || slices.Contains(own, a.Device)) {
			list = append(list, a.Device)
		}
	}
	return list
}

// pacesOf tells of each interface of a garp_group with whom it is paced.
func pacesOf(groups []settings.GarpGroup) map[string]garp.Pace {
	paces := map[string]garp.Pace{}
	for i, g := range groups {
		for _, name := range g.Interfaces {
			paces[name] = garp.Pace{Group: "group " + strconv.Itoa(i), ARP: g.ARP, NA: g.NA}
		}
	}
	return paces
}

// announceRisen announces the addresses of masters on interfaces whose link
// came back: the switch behind it may have forgotten them, or never have
// known. The loss of an instance's own interface is a fault anyway.
func (s *Server) announceRisen(before vip.Snapshot) {
	for _, in := range s.instances {
		if in.state.Kind != fsm.Master {
			continue
		}
		if slices.ContainsFunc(in.held, func(a settings.Address) bool {
			old, was := before[a.Device]
			return was && !old.Up && s.snap[a.Device].Up
		}) {
			s.announce(in, fsm.Announce)
		}
	}
}

// sayHere announces one address in the form the instance asks for. An IPv6
// address has one form only.
func (s *Server) sayHere(in *instance, t garp.Target, i vip.Interface) error {
	form := in.cfg.Garp.Form
	if t.Address.Is6() {
		form = settings.GarpRequest
	}
	if form != settings.GarpReply {
		if err := s.ports.Announcer.Announce(t.Device, i.Index, i.Hardware, t.Address); err != nil {
			return err
		}
		in.counters.GratuitousSent++
	}
	if form == settings.GarpRequest {
		return nil
	}
	if err := s.ports.Announcer.AnnounceReply(t.Device, i.Index, i.Hardware, t.Address); err != nil {
		return err
	}
	in.counters.GratuitousSent++
	return nil
}
