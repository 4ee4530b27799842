package directive

import (
	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

const (
	routeSyntax = "{ [TYPE] PREFIX|default [via ADDRESS] [dev INTERFACE] [OPTION...] }"
	ruleSyntax  = "{ [not] [from PREFIX] [to PREFIX] [OPTION...] table TABLE }"
	routeWords  = "Words of ip-route(8): types, src, via, dev, metric, scope, table, tos, protocol, realms, onlink, nexthop (via, dev, weight, onlink), " +
		"mtu, advmss, rtt, rttvar, reordering, window, cwnd, ssthresh, rto_min, initcwnd, initrwnd, hoplimit, quickack, congctl, " +
		"features ecn, fastopen_no_cookie; and no_track. Not carried: from, encap, vrf, a lock but of mtu and rto_min, pref, ttl-propagate."
	ruleWords = "Words of ip-rule(8): not, from, to, table, goto, nop, blackhole, unreachable, prohibit, priority, tos, fwmark, realms, iif, oif, " +
		"suppress_prefixlength, suppress_ifgroup, uidrange, ipproto, sport, dport, protocol; and no_track. Not carried: l3mdev, tun_id."
)

// routingActs are the words of an instance.
var routingActs = []row[draft]{
	{Name: "virtual_routes", Syntax: routeSyntax, Doc: "Routes the master holds. " + routeWords,
		Example: "virtual_routes { 192.0.2.0/24 via 198.51.100.1 dev eth0 }", Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			b.routes(&d.Routing, st, "vrrp_instance "+d.Name+": virtual_routes")
		}}},
	{Name: "virtual_rules", Syntax: ruleSyntax, Doc: "Routing rules the master holds. " + ruleWords,
		Example: "virtual_rules { from 192.0.2.0/24 table 1 priority 100 }", Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			b.rules(&d.Routing, st, "vrrp_instance "+d.Name+": virtual_rules")
		}}},
	{Name: "promote_secondaries", Doc: "Keeps the other addresses of a network when the first of them goes: sets the interface's sysctl, and sets it back at the end.",
		Example: "promote_secondaries", Do: instanceKeyword{act: func(_ *build, d *draft, _ block.Statement) { d.promote = true }}},
}

// staticActs are the words of the top level.
var staticActs = []row[build]{
	{Name: "static_ipaddress", Syntax: "{ ADDRESS[/LENGTH] dev INTERFACE [OPTION...] }", Doc: "Addresses held all the time, without an instance; on default_interface when they name none.",
		Example: "static_ipaddress { 192.0.2.1/24 dev eth0 }", Do: topKeyword{act: staticAddresses}},
	{Name: "static_routes", Syntax: routeSyntax, Doc: "Routes held all the time. Words as in virtual_routes.",
		Example: "static_routes { 192.0.2.0/24 via 198.51.100.1 dev eth0 }", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) {
			b.routes(&b.config.StaticRouting, st, "static_routes")
		}}},
	{Name: "static_rules", Syntax: ruleSyntax, Doc: "Routing rules held all the time. Words as in virtual_rules.",
		Example: "static_rules { from 192.0.2.0/24 table 1 priority 100 }", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) {
			b.rules(&b.config.StaticRouting, st, "static_rules")
		}}},
	{Name: "track_group", Syntax: "NAME { ... }", Doc: "Lets instances track static addresses and routes; these are put back at once, so it changes nothing.",
		Example: "track_group G { group { VI_1 } }", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) {
			apply(b, "track_group", trackGroupWords, &nothing{}, st.Children)
		}}},
}

// trackGroupWords are the words of a track_group. What is static is put back
// at once, so the instances have nothing to track.
var trackGroupWords = config.NewRegistry(builtIn(plan[nothing]("group { NAME... } | The instances that track. | { VI_1 }"))...)

func (b *build) routes(into *settings.Routing, st block.Statement, what string) {
	b.lineList(st, what, func(p *iproute) {
		if r, ok := p.route(); ok {
			into.Routes = append(into.Routes, r)
		}
	})
}

func (b *build) rules(into *settings.Routing, st block.Statement, what string) {
	b.lineList(st, what, func(p *iproute) {
		if r, ok := p.rule(); ok {
			into.Rules = append(into.Rules, r)
		}
	})
}

// staticAddresses reads static_ipaddress.
func staticAddresses(b *build, _ *build, st block.Statement) {
	d := &draft{}
	d.Name = "static"
	var list []settings.Address
	b.addresses(d, &list, st)
	if len(d.vmac.addresses) > 0 {
		b.diags.Warnf(st.Pos, "use_vmac", "static_ipaddress: use_vmac has no effect without an instance")
	}
	for _, a := range list {
		if a.Device == "" {
			a.Device = b.global.defaultInterface
		}
		if a.Device == "" {
			b.diags.Errorf(st.Pos, a.Prefix.String(), "static_ipaddress: %v is left out: it has no dev, and there is no default_interface", a.Prefix)
			continue
		}
		b.config.StaticAddresses = append(b.config.StaticAddresses, a)
	}
}
