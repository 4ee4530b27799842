package vip

import (
	"slices"

	"herald/vrrp/settings"
)

// RoutingDiff returns what to add so that everything desired is present, and
// what to remove: held, present and no longer desired. Both keep the order of
// their lists. What is present and was never held is not touched.
func RoutingDiff(desired, held, present settings.Routing) (add, remove settings.Routing) {
	add.Routes, remove.Routes = difference(desired.Routes, held.Routes, present.Routes, SameRoute)
	add.Rules, remove.Rules = difference(desired.Rules, held.Rules, present.Rules, SameRule)
	return add, remove
}

func difference[T any](desired, held, present []T, same func(want, have T) bool) (add, remove []T) {
	in := func(list []T, v T) bool { return slices.ContainsFunc(list, func(o T) bool { return same(v, o) }) }
	for _, d := range desired {
		if !in(present, d) {
			add = append(add, d)
		}
	}
	for _, h := range held {
		if in(present, h) && !in(desired, h) {
			remove = append(remove, h)
		}
	}
	return add, remove
}

// SameRoute reports whether have, as the kernel describes it, is the route we
// want: by what the kernel tells routes apart by (table, prefix, metric, type
// of service) and where it leads. Unset parts of want are the kernel's choice.
func SameRoute(want, have settings.Route) bool {
	metric := want.Metric
	if metric == 0 && !want.Prefix.Addr().Is4() {
		metric = 1024 // IP6_RT_PRIO_USER of ipv6_route.h
	}
	switch {
	case want.Prefix != have.Prefix, want.Table != have.Table, want.Type != have.Type, want.TOS != have.TOS,
		have.Metric != metric && have.Metric != want.Metric, len(want.NextHops) != len(have.NextHops), want.Via != have.Via:
		return false
	case want.Device != "" && want.Device != have.Device && want.Type == 1, want.Source.IsValid() && want.Source != have.Source:
		return false
	}
	for i, n := range want.NextHops {
		h := have.NextHops[i]
		if n.Via != h.Via || n.Device != "" && n.Device != h.Device || max(n.Weight, 1) != max(h.Weight, 1) {
			return false
		}
	}
	return true
}

// SameRule reports whether have is the rule we want: everything but who set it
// tells rules apart. The library lists no action but table and goto, so other
// actions compare by the rest.
func SameRule(want, have settings.Rule) bool {
	mask := func(r settings.Rule) uint32 {
		if r.HasMark && r.Mask == 0 {
			return 1<<32 - 1
		}
		return r.Mask
	}
	if want.HasMark != have.HasMark || mask(want) != mask(have) {
		return false
	}
	if want.Action > 2 || have.Action > 2 {
		want.Action, want.Table, have.Action, have.Table = 0, 0, 0, 0
	}
	want.Mask, have.Mask = 0, 0
	want.Pos, want.NoTrack, want.Protocol = have.Pos, have.NoTrack, have.Protocol
	return want == have
}
