package vrrp

import (
	"slices"
	"time"

	"herald/vrrp/fsm"
	"herald/vrrp/group"
	"herald/vrrp/settings"
	"herald/vrrp/syncgroup"
)

// together is one sync group under way. It belongs to the loop.
type together struct {
	name    string
	cfg     settings.Group
	members []*instance
	names   []string   // of the members
	shown   fsm.Kind   // state last told
	kinds   []fsm.Kind // scratch
}

// join makes the sync groups of the configuration.
func (s *Server) join() {
	for _, cfg := range s.cfg.Groups {
		g := &together{name: cfg.Name, cfg: cfg}
		for _, in := range s.instances {
			if in.together == nil && slices.Contains(cfg.Members, in.cfg.Name) {
				in.together = g
				g.members, g.names = append(g.members, in), append(g.names, in.cfg.Name)
			}
		}
		s.groups = append(s.groups, g)
	}
}

func (in *instance) groupName() string {
	if in.together == nil {
		return ""
	}
	return in.together.name
}

// states are the members' states, valid until the next call.
func (g *together) states() []fsm.Kind {
	g.kinds = g.kinds[:0]
	for _, in := range g.members {
		g.kinds = append(g.kinds, in.state.Kind)
	}
	return g.kinds
}

// share replaces the standings of the members by what the group makes of
// them.
func (g *together) share(standings map[int]group.Standing) {
	own := make([]group.Standing, len(g.members))
	for i, in := range g.members {
		own[i] = standings[in.id]
	}
	for i, st := range syncgroup.Share(g.names, own) {
		standings[g.members[i].id] = st
	}
}

// shared weighs one instance, and its sync group with it.
func (s *Server) shared(in *instance) group.Standing {
	if in.together == nil {
		return s.standing(in)
	}
	standings := s.standings(in.together.members)
	in.together.share(standings)
	return standings[in.id]
}

// follow lets the rest of a sync group do what one member did. Nobody follows
// into a stop: every instance is stopped by itself.
func (s *Server) follow(in *instance, actions []fsm.Action) {
	g := in.together
	if g == nil || s.stopping || s.handed {
		return
	}
	i := slices.Index(g.members, in)
	for _, a := range actions {
		switch a.Verb {
		case fsm.Report:
			s.order(g, syncgroup.Follow(g.names, g.states(), i, a.Told))
		case fsm.Note:
			s.order(g, syncgroup.Rally(g.states(), i))
		}
	}
	g.tell(s)
}

func (s *Server) order(g *together, orders []syncgroup.Order) {
	for _, o := range orders {
		s.step(g.members[o.Member], o.Event)
	}
}

// tell logs a change of the whole group's state.
func (g *together) tell(s *Server) {
	k := syncgroup.Whole(g.states())
	if k == g.shown || s.resuming {
		return
	}
	g.shown = k
	s.log.Info("sync group " + g.name + ": " + shown(k))
	s.tellGroup(g, false)
}

// unite ends what a reload put together: a backup in a group with a master
// becomes master too.
func (s *Server) unite() {
	for _, g := range s.groups {
		if i := slices.Index(g.states(), fsm.Master); i >= 0 {
			s.order(g, syncgroup.Follow(g.names, g.states(), i, fsm.Transition{To: fsm.Master}))
		}
	}
}

// drainWith reads everything that waits for an instance and for its sync
// group, which may take over with it.
func (s *Server) drainWith(in *instance) {
	if in.together == nil {
		s.drainBoth(in)
		return
	}
	for _, member := range in.together.members {
		s.drainBoth(member)
	}
}

func (s *Server) drainBoth(in *instance) {
	s.drainIts(in)
	if in.other != nil {
		s.drain(in.other.port)
	}
}

// timer steps an instance whose deadline has passed, unless its sync group
// hears the master it has lost.
func (s *Server) timer(in *instance) {
	if s.holdBySecond(in) {
		return
	}
	g := in.together
	if g == nil || time.Now().Before(in.state.Deadline) {
		s.step(in, fsm.Timer{})
		return
	}
	configs, states := make([]fsm.Config, len(g.members)), make([]fsm.State, len(g.members))
	for i, member := range g.members {
		configs[i], states[i] = member.fsm, member.state
	}
	heard := syncgroup.Alive(time.Now(), configs, states, slices.Index(g.members, in))
	if heard < 0 {
		s.step(in, fsm.Timer{})
		return
	}
	if in.limit.allow(limitHold) {
		s.log.Warn(in.prefix("no advertisement of the master that %s of its sync group hears: only this network is broken, staying backup", g.names[heard]))
	}
	s.step(in, fsm.Hold{Member: g.names[heard]})
}
