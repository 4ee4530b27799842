package vrrp

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"herald/stats"
	"herald/vrrp/fsm"
	"herald/vrrp/settings"
)

// probeEvery is how often a master asks whether somebody else has its
// addresses; a second holder that was not seen for rivalGone is gone.
const (
	probeEvery = 5 * time.Second
	rivalGone  = 3*probeEvery + time.Second
)

// Prober sends one ARP probe (RFC 5227); answers come with Server.Answered. It
// is called from the loop only.
type Prober interface {
	Probe(device string, index int, hardware [6]byte, addr netip.Addr) error
}

// Answered reports that hardware says it has addr: an answer to a probe.
func (s *Server) Answered(device string, addr netip.Addr, hardware [6]byte) {
	s.box.post(func() { s.answered(device, addr, hardware) })
}

// probes asks about the addresses of every master whose time has come, and
// forgets second holders that were not seen again.
func (s *Server) probes(now time.Time) {
	for _, in := range s.instances {
		if in.rival != nil && (in.state.Kind != fsm.Master || now.Sub(in.rival.Last) >= rivalGone) {
			s.log.Info(in.prefix("no second holder is seen any more"))
			in.rival, s.changed = nil, true
		}
		switch {
		case s.ports.Prober == nil || in.state.Kind != fsm.Master:
			in.probe = time.Time{}
		case in.probe.IsZero():
			// The first after the others had time to let go, and not all at once.
			in.probe = now.Add(probeEvery + time.Duration(in.id%50)*probeEvery/50)
		case !now.Before(in.probe):
			in.probe = now.Add(probeEvery)
			s.ask(in)
		}
	}
}

// nextProbe is when probes has something to do for an instance.
func (in *instance) nextProbe() time.Time {
	if in.rival == nil {
		return in.probe
	}
	if gone := in.rival.Last.Add(rivalGone); in.probe.IsZero() || gone.Before(in.probe) {
		return gone
	}
	return in.probe
}

func (s *Server) ask(in *instance) {
	for _, a := range in.held {
		i, exists := s.snap[a.Device]
		if !a.Prefix.Addr().Is4() || !exists || !i.Up || i.Hardware == [6]byte{} {
			continue
		}
		if err := s.ports.Prober.Probe(a.Device, i.Index, i.Hardware, a.Prefix.Addr()); err != nil && in.limit.allow(limitProbe) {
			s.log.Warn(in.prefix("%v", err))
		}
	}
}

// answered acts on an answer that is not our own.
func (s *Server) answered(device string, addr netip.Addr, hardware [6]byte) {
	for _, i := range s.snap {
		if i.Hardware == hardware {
			return
		}
	}
	here := func(a settings.Address) bool { return a.Device == device && a.Prefix.Addr() == addr }
	for _, in := range s.instances {
		if in.state.Kind == fsm.Master && slices.ContainsFunc(in.held, here) {
			s.second(in, stats.Rival{Hardware: net.HardwareAddr(hardware[:]).String(), Held: addr.String()})
		}
	}
}

// lesser notes that a router of lower priority advertises as master. One may
// have been on its way while we took over; two are a second holder.
func (s *Server) lesser(in *instance, peer netip.Addr, priority uint8) {
	now := time.Now()
	if now.Sub(in.lesser) < rivalGone {
		s.second(in, stats.Rival{Address: peer.String(), Priority: priority})
	}
	in.lesser = now
}

// second notes a sign of a second holder.
func (s *Server) second(in *instance, sign stats.Rival) {
	now := time.Now()
	first := in.rival == nil
	if first {
		in.rival = &stats.Rival{Since: now}
	}
	r := in.rival
	changed := first || sign.Address != "" && r.Address != sign.Address || sign.Hardware != "" && r.Hardware != sign.Hardware
	if sign.Address != "" {
		r.Address, r.Priority = sign.Address, sign.Priority
	}
	if sign.Hardware != "" {
		r.Hardware, r.Held = sign.Hardware, sign.Held
	}
	r.Last = now
	in.counters.SecondHolder++
	if changed {
		s.changed = true
	}
	if changed || in.limit.allow(limitSecond) {
		in.limit[limitSecond] = now
		s.log.Error(in.prefix("second holder: %s", r.Text()))
	}
}
