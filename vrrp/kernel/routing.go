package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"herald/vrrp/settings"
)

// Routing lists the routes and rules there are among those wanted: routes to
// the same prefixes, and, when a rule is wanted, every rule.
func (k *Kernel) Routing(wanted settings.Routing) (settings.Routing, error) {
	var present settings.Routing
	prefixes := map[netip.Prefix]bool{}
	for _, r := range wanted.Routes {
		prefixes[r.Prefix] = true
	}
	if len(prefixes) > 0 {
		names, err := k.names()
		if err != nil {
			return present, err
		}
		all, err := dump(func() (list []settings.Route, err error) {
			every := &netlink.Route{Table: unix.RT_TABLE_UNSPEC}
			for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
				err = errors.Join(err, k.handle.RouteListFilteredIter(family, every, netlink.RT_FILTER_TABLE, func(r netlink.Route) bool {
					if p := routePrefix(r); prefixes[p] {
						list = append(list, routeOf(r, p, names))
					}
					return true
				}))
			}
			return list, err
		})
		if err != nil {
			return present, fmt.Errorf("list routes: %w", err)
		}
		present.Routes = all
	}
	if len(wanted.Rules) == 0 {
		return present, nil
	}
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		all, err := dump(func() ([]netlink.Rule, error) { return k.handle.RuleList(family) })
		if errors.Is(err, unix.EAFNOSUPPORT) {
			continue // no IPv6 here
		}
		if err != nil {
			return present, fmt.Errorf("list routing rules: %w", err)
		}
		for _, r := range all {
			present.Rules = append(present.Rules, ruleOf(r))
		}
	}
	return present, nil
}

func (k *Kernel) names() (map[int]string, error) {
	links, err := dump(k.handle.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	names := make(map[int]string, len(links))
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
	}
	return names, nil
}

// AddRoute adds a route. One that is there already is no error.
func (k *Kernel) AddRoute(r settings.Route) error {
	m, err := k.routeMessage(r)
	if err == nil {
		err = k.handle.RouteAdd(m)
	}
	if err == nil || errors.Is(err, unix.EEXIST) {
		return nil
	}
	return fmt.Errorf("add route %v: %w", r, explain(err))
}

// DeleteRoute deletes a route. One that is gone already, with its device or
// without, is no error.
func (k *Kernel) DeleteRoute(r settings.Route) error {
	m, err := k.routeMessage(r)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err == nil {
		err = k.handle.RouteDel(m)
	}
	if err == nil || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return fmt.Errorf("delete route %v: %w", r, explain(err))
}

// AddRule adds a rule. One that is there already is no error.
func (k *Kernel) AddRule(r settings.Rule) error {
	err := k.handle.RuleAdd(ruleMessage(r))
	if err == nil || errors.Is(err, unix.EEXIST) {
		return nil
	}
	return fmt.Errorf("add %v: %w", r, explain(err))
}

// DeleteRule deletes a rule. One that is gone already is no error.
func (k *Kernel) DeleteRule(r settings.Rule) error {
	err := k.handle.RuleDel(ruleMessage(r))
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	return fmt.Errorf("delete %v: %w", r, explain(err))
}

// index finds the device of a route; an empty name is the kernel's choice.
func (k *Kernel) index(name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	link, err := k.handle.LinkByName(name)
	if err != nil {
		return 0, err
	}
	return link.Attrs().Index, nil
}

func (k *Kernel) routeMessage(r settings.Route) (*netlink.Route, error) {
	index, err := k.index(r.Device)
	if err != nil {
		return nil, err
	}
	m := &netlink.Route{LinkIndex: index, Scope: netlink.Scope(r.Scope), Dst: network(r.Prefix), Src: r.Source.AsSlice(), Gw: r.Via.AsSlice(),
		Protocol: netlink.RouteProtocol(r.Protocol), Priority: r.Metric, Table: r.Table, Type: r.Type, Tos: r.TOS, Realm: r.Realm,
		MTU: r.Metrics.MTU, MTULock: r.Metrics.MTULock, Window: r.Metrics.Window, Rtt: r.Metrics.RTT, RttVar: r.Metrics.RTTVar,
		Ssthresh: r.Metrics.SSThresh, Cwnd: r.Metrics.Cwnd, AdvMSS: r.Metrics.AdvMSS, Reordering: r.Metrics.Reordering,
		Hoplimit: r.Metrics.HopLimit, InitCwnd: r.Metrics.InitCwnd, Features: r.Metrics.Features, RtoMin: r.Metrics.RTOMin,
		RtoMinLock: r.Metrics.RTOMinLock, InitRwnd: r.Metrics.InitRwnd, QuickACK: r.Metrics.QuickACK,
		Congctl: r.Metrics.CongestionControl, FastOpenNoCookie: r.Metrics.FastOpenNoCookie}
	if r.OnLink {
		m.Flags |= unix.RTNH_F_ONLINK
	}
	for _, n := range r.NextHops {
		hop := &netlink.NexthopInfo{Gw: n.Via.AsSlice(), Hops: max(n.Weight, 1) - 1}
		if hop.LinkIndex, err = k.index(n.Device); err != nil {
			return nil, err
		}
		if n.OnLink {
			hop.Flags |= unix.RTNH_F_ONLINK
		}
		m.MultiPath = append(m.MultiPath, hop)
	}
	return m, nil
}

func routePrefix(r netlink.Route) netip.Prefix {
	if p, ok := prefixOf(r.Dst); ok {
		return p
	}
	if r.Family == unix.AF_INET6 {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}

func routeOf(r netlink.Route, prefix netip.Prefix, names map[int]string) settings.Route {
	s := settings.Route{Prefix: prefix, Type: r.Type, Table: r.Table, Metric: r.Priority, TOS: r.Tos, Protocol: int(r.Protocol),
		Scope: int(r.Scope), Source: addrOf(r.Src), Via: addrOf(r.Gw), Device: names[r.LinkIndex]}
	for _, n := range r.MultiPath {
		s.NextHops = append(s.NextHops, settings.NextHop{Via: addrOf(n.Gw), Device: names[n.LinkIndex], Weight: n.Hops + 1})
	}
	return s
}

func ruleMessage(r settings.Rule) *netlink.Rule {
	m := netlink.NewRule()
	m.Family = unix.AF_INET
	if r.IPv6 {
		m.Family = unix.AF_INET6
	}
	m.Priority, m.Table, m.Type, m.Invert, m.Tos = r.Priority, r.Table, uint8(r.Action), r.Not, uint(r.TOS)
	if r.Action == unix.FR_ACT_GOTO {
		m.Goto = r.Goto
	}
	m.IifName, m.OifName, m.IPProto, m.Protocol = r.In, r.Out, r.IPProto, uint8(r.Protocol)
	if r.From.IsValid() {
		m.Src = network(r.From)
	}
	if r.To.IsValid() {
		m.Dst = network(r.To)
	}
	if r.HasMark {
		m.Mark, m.Mask = r.Mark, &r.Mask
		if r.Mask == 0 {
			m.Mask = nil
		}
	}
	if r.Realms != 0 {
		m.Flow = r.Realms
	}
	if r.Sport != [2]uint16{} {
		m.Sport = netlink.NewRulePortRange(r.Sport[0], r.Sport[1])
	}
	if r.Dport != [2]uint16{} {
		m.Dport = netlink.NewRulePortRange(r.Dport[0], r.Dport[1])
	}
	if r.HasUIDs {
		m.UIDRange = netlink.NewRuleUIDRange(r.UIDs[0], r.UIDs[1])
	}
	m.SuppressPrefixlen, m.SuppressIfgroup = r.SuppressLength, r.SuppressGroup
	return m
}

func ruleOf(m netlink.Rule) settings.Rule {
	r := settings.Rule{IPv6: m.Family == unix.AF_INET6, Priority: m.Priority, Action: unix.FR_ACT_TO_TBL, Table: max(m.Table, 0), Not: m.Invert,
		In: m.IifName, Out: m.OifName, TOS: int(m.Tos), Realms: max(m.Flow, 0), IPProto: m.IPProto, Protocol: int(m.Protocol),
		SuppressLength: m.SuppressPrefixlen, SuppressGroup: m.SuppressIfgroup}
	r.From, _ = prefixOf(m.Src)
	r.To, _ = prefixOf(m.Dst)
	switch {
	case m.Goto >= 0:
		r.Action, r.Goto, r.Table = unix.FR_ACT_GOTO, m.Goto, 0
	case m.Table <= 0:
		r.Action = unix.FR_ACT_BLACKHOLE // or another without a table: the library does not say which
	}
	if m.Mark != 0 || m.Mask != nil {
		r.HasMark, r.Mark = true, m.Mark
		if m.Mask != nil {
			r.Mask = *m.Mask
		}
	}
	if m.Sport != nil {
		r.Sport = [2]uint16{m.Sport.Start, m.Sport.End}
	}
	if m.Dport != nil {
		r.Dport = [2]uint16{m.Dport.Start, m.Dport.End}
	}
	if m.UIDRange != nil {
		r.HasUIDs, r.UIDs = true, [2]uint32{m.UIDRange.Start, m.UIDRange.End}
	}
	return r
}

func network(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func addrOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}
