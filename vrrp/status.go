package vrrp

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"herald/stats"
	"herald/vrrp/fsm"
	"herald/vrrp/settings"
)

// shown is the word of a state for statistics: a master that leaves is a
// backup to everybody else.
func shown(k fsm.Kind) string {
	if k == fsm.Leaving {
		k = fsm.Backup
	}
	return k.String()
}

// status is what the outside sees of an instance.
func (in *instance) status() stats.Instance {
	st := stats.Instance{
		Name: in.cfg.Name, Interface: in.cfg.Interface, VRID: in.cfg.VRID,
		State: shown(in.state.Kind), Priority: in.state.Priority, BasePriority: in.cfg.Priority,
		Group: in.groupName(), Since: in.state.Since, Counters: in.counters, GarpDelay: in.cfg.Garp.Delay, History: slices.Clone(in.history),
	}
	if in.started {
		st.Why = in.state.Why.String()
	}
	if in.state.Drained {
		st.Why = "drained"
	}
	if in.state.Kind == fsm.Initialize && len(in.waitingFor) > 0 {
		st.Why = "waiting for " + strings.Join(in.waitingFor, ", ")
	}
	switch {
	case in.state.Kind == fsm.Master && in.source.IsValid():
		st.Master, st.MasterPriority = in.source.String(), in.state.Priority
	case in.state.Kind != fsm.Master && in.state.Peer.IsValid():
		st.Master, st.MasterPriority = in.state.Peer.String(), in.state.PeerPriority
	}
	st.Peers = in.peers.list()
	if in.rival != nil {
		rival := *in.rival
		st.Rival = &rival
	}
	for _, a := range in.desired() {
		st.Addresses = append(st.Addresses, addressText(a))
	}
	return st
}

// publish makes the present state what Status returns.
func (s *Server) publish() {
	all := make([]stats.Instance, 0, len(s.instances))
	for _, in := range s.instances {
		st := in.status()
		st.Tracked = append(s.tracked(in), s.trackedProcesses(in)...)
		all = append(all, st)
	}
	s.published.Store(&all)
}

func (s *Server) held() []settings.Address {
	var held []settings.Address
	for _, in := range s.holders() {
		held = append(held, in.held...)
	}
	return held
}

// tellEvery is how often OnChange and OnState are told at most: the first
// advertisements of hundreds of masters come together.
const tellEvery = 20 * time.Millisecond

// tellHooks tells the hooks after a change: the addresses at once, the rest
// soon.
func (s *Server) tellHooks() {
	if s.heldNow {
		s.heldNow = false
		if s.ports.OnHeld != nil {
			s.ports.OnHeld(s.held())
		}
		if s.ports.OnBelongings != nil {
			s.ports.OnBelongings(settings.Belongings{Routing: s.heldRouting(), Sysctls: slices.Concat(s.sysctls.before, s.virtual.relaxed),
				Filtered: len(s.silent) > 0 && s.ports.Firewall != nil, VirtualMACs: s.virtual.made, Muted: s.virtual.muted})
		}
	}
	now := time.Now()
	if !s.changed || now.Sub(s.told) < tellEvery {
		return
	}
	s.changed, s.told = false, now
	s.publish()
	if s.ports.OnChange != nil {
		s.ports.OnChange(*s.published.Load())
	}
	if s.ports.OnState != nil && !s.handed {
		if b, err := json.Marshal(s.blob()); err == nil {
			s.ports.OnState(b)
		}
	}
}
