package kernel

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// everyKind is one route and rule of each kind, beside 10.1.1.20/24 on eth0.
func everyKind() settings.Routing {
	to, at := netip.MustParsePrefix, netip.MustParseAddr
	unicast := func(prefix, via string) settings.Route {
		r := settings.Route{Prefix: to(prefix), Type: 1, Table: 254, Protocol: 18, Device: "eth0"}
		if via != "" {
			r.Via = at(via)
		}
		return r
	}
	with := func(r settings.Route, f func(*settings.Route)) settings.Route { f(&r); return r }
	rule := func(priority int, f func(*settings.Rule)) settings.Rule {
		r := settings.Rule{Priority: priority, Action: 1, Table: 100, Protocol: 18, SuppressLength: -1, SuppressGroup: -1}
		f(&r)
		return r
	}
	return settings.Routing{
		Routes: []settings.Route{
			unicast("192.0.2.0/24", "10.1.1.1"),
			with(unicast("192.0.2.0/24", "10.1.1.1"), func(r *settings.Route) { r.Metric, r.Device = 5, "" }),
			with(unicast("0.0.0.0/0", "10.1.1.1"), func(r *settings.Route) { r.Table = 1000 }),
			with(unicast("::/0", "2001:db8::1"), func(r *settings.Route) { r.Table = 200 }),
			with(unicast("198.51.100.0/24", ""), func(r *settings.Route) { r.Scope, r.Source = 253, at("10.1.1.20") }),
			with(unicast("203.0.113.0/24", ""), func(r *settings.Route) { r.Type, r.Device = 6, "" }),
			with(unicast("2001:db8:1::/48", ""), func(r *settings.Route) { r.Type, r.Device = 7, "" }),
			with(unicast("192.168.1.0/24", ""), func(r *settings.Route) {
				r.Device = ""
				r.NextHops = []settings.NextHop{{Via: at("10.1.1.1"), Device: "eth0", Weight: 1}, {Via: at("10.1.1.2"), Device: "eth0", Weight: 3}}
			}),
			with(unicast("192.168.2.0/24", "172.31.0.1"), func(r *settings.Route) {
				r.OnLink, r.TOS, r.Realm, r.Protocol = true, 4, 5<<16|7, 12
				r.Metrics = settings.Metrics{MTU: 1400, MTULock: true, AdvMSS: 1300, InitCwnd: 20, QuickACK: 1, CongestionControl: "reno", RTT: 800,
					RTOMin: 200, Features: 1, Window: 100, HopLimit: 30, InitRwnd: 9, RTTVar: 4, SSThresh: 3, Cwnd: 8, Reordering: 5, FastOpenNoCookie: 1}
			}),
		},
		Rules: []settings.Rule{
			rule(39, func(r *settings.Rule) {
				r.From, r.To, r.In, r.Out, r.TOS, r.Realms = to("10.0.0.0/8"), to("192.0.2.0/26"), "eth0", "lo", 16, 30<<16|20
				r.HasMark, r.Mark, r.Mask = true, 24, 12
			}),
			rule(40, func(r *settings.Rule) { r.Action, r.Table, r.Goto = 2, 0, 50 }),
			rule(50, func(r *settings.Rule) { r.Not, r.From, r.Table = true, to("10.1.1.10/32"), 2000 }),
			rule(51, func(r *settings.Rule) { r.Action, r.Table, r.From = 6, 0, to("10.1.0.0/16") }),
			rule(52, func(r *settings.Rule) { r.Action, r.Table, r.From = 7, 0, to("10.2.0.0/16") }),
			rule(53, func(r *settings.Rule) { r.Action, r.Table, r.From = 8, 0, to("10.3.0.0/16") }),
			rule(54, func(r *settings.Rule) {
				r.IPv6, r.To, r.HasUIDs, r.UIDs = true, to("2001:db8::/64"), true, [2]uint32{100, 200}
			}),
			rule(55, func(r *settings.Rule) { r.IPProto, r.Sport, r.Dport = 17, [2]uint16{10, 20}, [2]uint16{30, 30} }),
			rule(56, func(r *settings.Rule) { r.SuppressLength = 0 }),
			rule(57, func(r *settings.Rule) { r.SuppressGroup = 3 }),
			rule(58, func(r *settings.Rule) { r.HasMark, r.Mark = true, 5 }),
		},
	}
}

func TestEveryKindOfRouteAndRuleComesAndGoes(t *testing.T) {
	k, eth := isolated(t)
	six, err := netlink.ParseAddr("2001:db8::20/64")
	if err != nil {
		t.Fatal(err)
	}
	six.Flags = 2 // no duplicate address detection
	if err := k.handle.AddrAdd(eth, six); err != nil {
		t.Fatal(err)
	}
	all := everyKind()
	deleted := make(chan struct{}, 1)
	stop, err := k.WatchRouting(func() {
		select {
		case deleted <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for range 2 { // the second time all is there
		for _, r := range all.Routes {
			if err := k.AddRoute(r); err != nil {
				t.Error(err)
			}
		}
		for _, r := range all.Rules {
			if err := k.AddRule(r); err != nil {
				t.Error(err)
			}
		}
	}
	present, err := k.Routing(all)
	if err != nil {
		t.Fatal(err)
	}
	add, _ := vip.RoutingDiff(all, settings.Routing{}, present)
	for _, r := range add.Routes {
		t.Errorf("not found as it was added: %+v", r)
	}
	for _, r := range add.Rules {
		t.Errorf("not found as it was added: %+v", r)
	}
	if t.Failed() {
		t.Logf("present: %+v", present)
	}
	select {
	case <-deleted:
		t.Error("adding woke the watcher of deletions")
	default:
	}
	for range 2 {
		for _, r := range all.Rules {
			if err := k.DeleteRule(r); err != nil {
				t.Error(err)
			}
		}
		for _, r := range all.Routes {
			if err := k.DeleteRoute(r); err != nil {
				t.Error(err)
			}
		}
	}
	<-deleted
	present, err = k.Routing(all)
	if err != nil {
		t.Fatal(err)
	}
	_, remove := vip.RoutingDiff(settings.Routing{}, all, present)
	if !remove.Empty() {
		t.Errorf("left after deleting: %v", remove)
	}
}
