package vip

import (
	"net/netip"
	"testing"

	"herald/vrrp/settings"
)

func route(prefix, via, dev string) settings.Route {
	r := settings.Route{Prefix: netip.MustParsePrefix(prefix), Device: dev, Type: 1, Table: 254}
	if via != "" {
		r.Via = netip.MustParseAddr(via)
	}
	return r
}

func TestRoutingDiffAddsWhatIsMissingAndRemovesWhatIsOurs(t *testing.T) {
	a, b, c := route("10.0.0.0/8", "192.0.2.1", "eth0"), route("10.1.0.0/16", "192.0.2.1", ""), route("10.2.0.0/16", "", "eth1")
	other := route("10.3.0.0/16", "", "eth1")
	resolved := b
	resolved.Device = "eth0" // the kernel found it by the gateway
	rule := settings.Rule{Priority: 5, Action: 1, Table: 7, SuppressLength: -1, SuppressGroup: -1}
	add, remove := RoutingDiff(
		settings.Routing{Routes: []settings.Route{a, b}, Rules: []settings.Rule{rule}},
		settings.Routing{Routes: []settings.Route{b, c}},
		settings.Routing{Routes: []settings.Route{resolved, c, other}})
	if len(add.Routes) != 1 || !SameRoute(a, add.Routes[0]) || len(add.Rules) != 1 {
		t.Errorf("add %v %v, want %v and the rule", add.Routes, add.Rules, a)
	}
	if len(remove.Routes) != 1 || !SameRoute(c, remove.Routes[0]) || len(remove.Rules) != 0 {
		t.Errorf("remove %v %v, want %v", remove.Routes, remove.Rules, c)
	}
}

func TestRoutesAreTheSameByWhatTheKernelTellsThemApartBy(t *testing.T) {
	base := route("10.0.0.0/8", "192.0.2.1", "eth0")
	v6 := route("2001:db8::/32", "fe80::1", "eth0")
	with := func(r settings.Route, f func(*settings.Route)) settings.Route { f(&r); return r }
	hop := func(via string, weight int) settings.NextHop {
		return settings.NextHop{Via: netip.MustParseAddr(via), Weight: weight}
	}
	for name, tt := range map[string]struct {
		want, have settings.Route
		same       bool
	}{
		"itself":                 {base, base, true},
		"who set it":             {base, with(base, func(r *settings.Route) { r.Protocol = 3 }), true},
		"another table":          {base, with(base, func(r *settings.Route) { r.Table = 5 }), false},
		"another metric":         {base, with(base, func(r *settings.Route) { r.Metric = 5 }), false},
		"IPv6's metric":          {v6, with(v6, func(r *settings.Route) { r.Metric = 1024 }), true},
		"another gateway":        {base, route("10.0.0.0/8", "192.0.2.2", "eth0"), false},
		"another device":         {base, route("10.0.0.0/8", "192.0.2.1", "eth1"), false},
		"another source":         {with(base, func(r *settings.Route) { r.Source = netip.MustParseAddr("192.0.2.9") }), base, false},
		"a source of its own":    {base, with(base, func(r *settings.Route) { r.Source = netip.MustParseAddr("192.0.2.9") }), true},
		"IPv6 blackhole on lo":   {with(route("2001:db8::/32", "", ""), func(r *settings.Route) { r.Type = 6 }), with(route("2001:db8::/32", "", "lo"), func(r *settings.Route) { r.Type = 6 }), true},
		"other weights":          {with(base, func(r *settings.Route) { r.NextHops = []settings.NextHop{hop("192.0.2.1", 1)} }), with(base, func(r *settings.Route) { r.NextHops = []settings.NextHop{hop("192.0.2.1", 2)} }), false},
		"a weight left as it is": {with(base, func(r *settings.Route) { r.NextHops = []settings.NextHop{hop("192.0.2.1", 0)} }), with(base, func(r *settings.Route) { r.NextHops = []settings.NextHop{hop("192.0.2.1", 1)} }), true},
	} {
		if got := SameRoute(tt.want, tt.have); got != tt.same {
			t.Errorf("%s: got %t, want %t", name, got, tt.same)
		}
	}
}

func TestRulesAreTheSameByAllButWhoSetThem(t *testing.T) {
	base := settings.Rule{Priority: 5, Action: 1, Table: 7, From: netip.MustParsePrefix("10.0.0.0/8"), SuppressLength: -1, SuppressGroup: -1}
	with := func(f func(*settings.Rule)) settings.Rule { r := base; f(&r); return r }
	for name, tt := range map[string]struct {
		have settings.Rule
		same bool
	}{
		"itself":           {base, true},
		"who set it":       {with(func(r *settings.Rule) { r.Protocol = 3 }), true},
		"another priority": {with(func(r *settings.Rule) { r.Priority = 6 }), false},
		"another table":    {with(func(r *settings.Rule) { r.Table = 8 }), false},
		"another network":  {with(func(r *settings.Rule) { r.To = r.From }), false},
		"a mark":           {with(func(r *settings.Rule) { r.HasMark, r.Mark = true, 1 }), false},
	} {
		if got := SameRule(base, tt.have); got != tt.same {
			t.Errorf("%s: got %t, want %t", name, got, tt.same)
		}
	}
	marked := with(func(r *settings.Rule) { r.HasMark, r.Mark = true, 1 })
	full := with(func(r *settings.Rule) { r.HasMark, r.Mark, r.Mask = true, 1, 1<<32-1 })
	if !SameRule(marked, full) {
		t.Error("a mark without a mask is not one with all bits")
	}
	drop := with(func(r *settings.Rule) { r.Action, r.Table = 8, 0 })
	listed := with(func(r *settings.Rule) { r.Action, r.Table = 6, 0 })
	if !SameRule(drop, listed) {
		t.Error("an action the library does not list differs")
	}
}
