package vrrp

import (
	"slices"
	"strings"
	"time"

	"herald/vrrp/fsm"
	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// routing is what an instance has of the host's routes and rules.
type routing struct {
	held  settings.Routing
	again time.Time // when to try again what failed; zero means not
	busy  bool      // a job is under way
	dirty bool      // something changed meanwhile
}

// claimRouting makes the host have the routes and rules of a master: those of
// an older configuration go, missing ones come. It is queued behind the
// addresses, which routes may need (src).
func (s *Server) claimRouting(in *instance) {
	old := in.routing.held
	in.routing.held = in.cfg.Routing
	in.routing.again = time.Time{}
	if s.ports.Routing == nil || old.Empty() && in.cfg.Routing.Empty() {
		return
	}
	s.heldNow = true
	s.settleRouting(in, in.cfg.Routing, s.unsharedRouting(in, old), nil)
}

// adoptRouting begins an instance nobody told us about: what a crashed
// predecessor left stays when the addresses stay, and goes otherwise.
func (s *Server) adoptRouting(in *instance) {
	in.routing.held = in.cfg.Routing
	if len(in.held) == 0 {
		s.releaseRouting(in)
	}
}

// releaseRouting takes the held routes and rules off, except those another
// instance holds.
func (s *Server) releaseRouting(in *instance) {
	old := in.routing.held
	in.routing.held, in.routing.again = settings.Routing{}, time.Time{}
	if s.ports.Routing == nil || old.Empty() {
		return
	}
	s.heldNow = true
	s.settleRouting(in, settings.Routing{}, s.unsharedRouting(in, old), nil)
}

// putRoutingBack adds what somebody else removed; the kernel itself removes
// routes with their interface and their address.
func (s *Server) putRoutingBack(in *instance) {
	if s.ports.Routing == nil || in.state.Kind != fsm.Master || in.routing.held.Empty() || !in.routing.again.IsZero() {
		return
	}
	if in.routing.busy {
		in.routing.dirty = true
		return
	}
	tracked := settings.Routing{
		Routes: slices.DeleteFunc(slices.Clone(in.routing.held.Routes), func(r settings.Route) bool { return r.NoTrack }),
		Rules:  slices.DeleteFunc(slices.Clone(in.routing.held.Rules), func(r settings.Rule) bool { return r.NoTrack }),
	}
	s.settleRouting(in, tracked, settings.Routing{}, func(added settings.Routing) {
		if !added.Empty() && in.limit.allow(limitRoutingGone) {
			s.log.Warn(in.prefix("%s was removed by somebody else, putting it back (systemd-networkd: ManageForeignRoutes=no)", routingList(added)))
		}
	})
}

// settleRouting queues the changes that make the host have desired and not what of
// old is not desired; rules go before routes and come after them.
func (s *Server) settleRouting(in *instance, desired, old settings.Routing, added func(settings.Routing)) {
	in.routing.busy = true
	port := s.ports.Routing
	s.hands.do(func(Kernel) func() {
		present, err := port.Routing(settings.Routing{Routes: slices.Concat(desired.Routes, old.Routes), Rules: slices.Concat(desired.Rules, old.Rules)})
		if err != nil {
			return func() { s.routingSettled(in, []error{err}, true) }
		}
		add, remove := vip.RoutingDiff(desired, old, present)
		failed := slices.Concat(each(remove.Rules, port.DeleteRule), each(remove.Routes, port.DeleteRoute))
		missing := slices.Concat(each(add.Routes, port.AddRoute), each(add.Rules, port.AddRule))
		return func() {
			if added != nil {
				added(add)
			}
			s.routingSettled(in, slices.Concat(failed, missing), len(missing) > 0)
		}
	})
}

func each[T any](list []T, do func(T) error) (failed []error) {
	for _, v := range list {
		if err := do(v); err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}

func (s *Server) routingSettled(in *instance, failed []error, again bool) {
	in.routing.busy = false
	for _, err := range failed {
		if in.limit.allow(limitRouting) {
			s.log.Error(in.prefix("%v", err))
		}
	}
	if again && in.state.Kind == fsm.Master {
		in.routing.again = time.Now().Add(claimAgain)
	}
	if in.routing.dirty {
		in.routing.dirty = false
		s.putRoutingBack(in)
	}
}

// unsharedRouting leaves out what another instance holds.
func (s *Server) unsharedRouting(in *instance, list settings.Routing) settings.Routing {
	others := settings.Routing{}
	for _, other := range s.holders() {
		if other != in {
			others.Routes = append(others.Routes, other.routing.held.Routes...)
			others.Rules = append(others.Rules, other.routing.held.Rules...)
		}
	}
	list.Routes = slices.DeleteFunc(slices.Clone(list.Routes), func(r settings.Route) bool {
		return slices.ContainsFunc(others.Routes, func(o settings.Route) bool { return vip.SameRoute(r, o) })
	})
	list.Rules = slices.DeleteFunc(slices.Clone(list.Rules), func(r settings.Rule) bool {
		return slices.ContainsFunc(others.Rules, func(o settings.Rule) bool { return vip.SameRule(r, o) })
	})
	return list
}

// heldRouting are the routes and rules on the host because of us.
func (s *Server) heldRouting() settings.Routing {
	var all settings.Routing
	for _, in := range s.holders() {
		all.Routes = append(all.Routes, in.routing.held.Routes...)
		all.Rules = append(all.Rules, in.routing.held.Rules...)
	}
	return all
}

// watchRouting asks to be woken when routes or rules go, if there are any to
// keep.
func (s *Server) watchRouting() (stop func(), err error) {
	wanted := !s.cfg.StaticRouting.Empty() ||
		slices.ContainsFunc(s.instances, func(in *instance) bool { return !in.cfg.Routing.Empty() })
	if s.ports.Routing == nil || !wanted {
		return func() {}, nil
	}
	return s.ports.Routing.WatchRouting(func() {
		s.relist.Store(true)
		s.alarm.Ring()
	})
}

func routingList(r settings.Routing) string {
	var words []string
	for _, v := range r.Routes {
		words = append(words, "route "+v.String())
	}
	for _, v := range r.Rules {
		words = append(words, v.String())
	}
	return strings.Join(words, ", ")
}
