package directive

import (
	"net/netip"
	"strings"

	"herald/vrrp/settings"
)

// route reads one line of virtual_routes or static_routes.
func (p *iproute) route() (settings.Route, bool) {
	r := settings.Route{Pos: p.st.Pos, Type: 1, Table: tables["main"], Protocol: settings.RouteProtocol, Scope: -1}
	for p.more() {
		p.routeWord(&r)
	}
	if p.bad {
		return r, false
	}
	if !r.Prefix.IsValid() {
		p.fail("it has no destination")
		return r, false
	}
	if r.Scope < 0 {
		r.Scope = defaultScope(r)
	}
	if !p.oneFamily(r) {
		return r, false
	}
	return r, true
}

// defaultScope is ip-route(8)'s: what has a gateway is anywhere, what has none
// is on the link.
func defaultScope(r settings.Route) int {
	switch {
	case !r.Prefix.Addr().Is4():
		return scopes["global"]
	case r.Type == routeTypes["local"]:
		return scopes["host"]
	case r.Type == routeTypes["unicast"] && !r.Via.IsValid() && len(r.NextHops) == 0,
		r.Type == routeTypes["broadcast"], r.Type == routeTypes["multicast"], r.Type == routeTypes["anycast"]:
		return scopes["link"]
	}
	return scopes["global"]
}

// oneFamily reports whether all addresses of a route are of one family, and
// settles which default is meant.
func (p *iproute) oneFamily(r settings.Route) bool {
	for _, a := range append([]netip.Addr{r.Via, r.Source}, vias(r)...) {
		if a.IsValid() && a.Is4() != r.Prefix.Addr().Is4() {
			p.fail("%v is not of the family of %v", a, r.Prefix)
			return false
		}
	}
	return true
}

func vias(r settings.Route) (list []netip.Addr) {
	for _, n := range r.NextHops {
		list = append(list, n.Via)
	}
	return list
}

var routeNames = []string{"src", "to", "via", "gw", "or", "dev", "oif", "metric", "priority", "preference", "scope", "table", "tos", "dsfield",
	"protocol", "mtu", "advmss", "rtt", "rttvar", "reordering", "window", "cwnd", "ssthresh", "realms", "rto_min", "initcwnd", "initrwnd",
	"hoplimit", "features", "quickack", "congctl", "fastopen_no_cookie", "onlink", "nexthop", "no_track", "track_group", "append", "add"}

// routeWord reads one word and its value.
func (p *iproute) routeWord(r *settings.Route) {
	word := p.word()
	if t, ok := routeTypes[word]; ok {
		r.Type = t
		return
	}
	if p.metric(&r.Metrics, word) {
		return
	}
	switch word {
	case "to":
		p.destination(r)
	case "src":
		r.Source = p.addr(word)
	case "via", "gw":
		if p.peek() == "inet" || p.peek() == "inet6" {
			p.word()
		}
		r.Via = p.addr(word)
	case "or": // an old way to say nexthop
		r.NextHops = []settings.NextHop{{Via: r.Via, Device: r.Device, Weight: 1}, {Via: p.addr(word), Weight: 1}}
		r.Via, r.Device = netip.Addr{}, ""
	case "dev", "oif":
		p.routeDevice(r, word)
	case "metric", "priority", "preference":
		r.Metric = p.number(word, 1<<32-1)
	case "scope":
		r.Scope = p.named("scope", scopes, 255)
	case "table":
		r.Table = p.named("table", tables, 1<<32-1)
	case "tos", "dsfield":
		r.TOS = p.named("dsfield", nil, 255)
	case "protocol", "proto":
		r.Protocol = p.named("protocol", protocols, 255)
	case "realms":
		r.Realm = p.realms()
	case "onlink":
		r.OnLink = true
	case "nexthop":
		p.nextHop(r)
	case "no_track":
		r.NoTrack = true
	case "add", "append":
	case "track_group":
		p.word() // what is static is put back in any case
	case "from", "encap", "vrf", "nat", "as":
		p.missing(word, true)
	case "pref", "ttl-propagate", "expires":
		p.word()
		p.missing(word, false)
	default:
		if p.at--; r.Prefix.IsValid() || !p.isDestination() {
			p.at++
			p.unknown("route word", routeNames)
			return
		}
		p.destination(r)
	}
}

func (p *iproute) isDestination() bool {
	word, _, _ := strings.Cut(p.peek(), "/")
	_, err := netip.ParseAddr(word)
	return err == nil || strings.HasPrefix(word, "default")
}

// destination reads a prefix or default; default6 is IPv6's, and default
// follows the gateway.
func (p *iproute) destination(r *settings.Route) {
	switch p.peek() {
	case "default6":
		p.word()
		r.Prefix = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	case "default":
		p.word()
		r.Prefix = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		for _, w := range p.st.Words {
			if a, err := netip.ParseAddr(w.Text); err == nil && !a.Is4() {
				r.Prefix = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
			}
		}
	default:
		r.Prefix = p.prefix("destination")
	}
}

// routeDevice sets the device of the route, of both ways of an or.
func (p *iproute) routeDevice(r *settings.Route, word string) {
	name := p.device(word)
	if len(r.NextHops) == 0 {
		r.Device = name
	}
	for i := range r.NextHops {
		r.NextHops[i].Device = name
	}
}

// nextHop reads what follows nexthop, up to the next one.
func (p *iproute) nextHop(r *settings.Route) {
	n := settings.NextHop{Weight: 1}
	for p.more() && p.peek() != "nexthop" {
		switch word := p.word(); word {
		case "via", "gw":
			if p.peek() == "inet" || p.peek() == "inet6" {
				p.word()
			}
			n.Via = p.addr(word)
		case "dev", "oif":
			n.Device = p.device(word)
		case "weight":
			if n.Weight = p.number(word, 256); n.Weight == 0 {
				p.fail("weight: 0 is outside 1 to 256")
			}
		case "onlink":
			n.OnLink = true
		case "encap", "realms", "as":
			p.missing("nexthop "+word, true)
		default:
			p.at--
			r.NextHops = append(r.NextHops, n)
			return
		}
	}
	r.NextHops = append(r.NextHops, n)
}

// metric reads one of the values a route gives connections, and reports
// whether word was one.
func (p *iproute) metric(m *settings.Metrics, word string) bool {
	const any = 1<<32 - 1
	for _, field := range []struct {
		name   string
		value  *int
		locked *bool // nil where the lock cannot be carried
		unit   int   // of a value with a unit of time, per millisecond; 0 is no time
	}{
		{"mtu", &m.MTU, &m.MTULock, 0}, {"advmss", &m.AdvMSS, nil, 0}, {"rtt", &m.RTT, nil, 8}, {"rttvar", &m.RTTVar, nil, 4},
		{"reordering", &m.Reordering, nil, 0}, {"window", &m.Window, nil, 0}, {"cwnd", &m.Cwnd, nil, 0}, {"ssthresh", &m.SSThresh, nil, 0},
		{"rto_min", &m.RTOMin, &m.RTOMinLock, 1}, {"initcwnd", &m.InitCwnd, nil, 0}, {"initrwnd", &m.InitRwnd, nil, 0},
		{"hoplimit", &m.HopLimit, nil, 0}, {"quickack", &m.QuickACK, nil, 0}, {"fastopen_no_cookie", &m.FastOpenNoCookie, nil, 0},
	} {
		if field.name != word {
			continue
		}
		if p.peek() == "lock" {
			p.word()
			if field.locked == nil {
				p.missing(word+" lock", false)
			} else {
				*field.locked = true
			}
		}
		if field.unit > 0 {
			*field.value = p.time(word, field.unit)
		} else {
			*field.value = p.number(word, any)
		}
		return true
	}
	switch word {
	case "features":
		if p.word() != "ecn" {
			p.fail("features: only ecn is known")
		}
		m.Features = 1 // RTAX_FEATURE_ECN
		return true
	case "congctl":
		if p.peek() == "lock" {
			p.word()
			p.missing("congctl lock", false)
		}
		if m.CongestionControl = p.word(); m.CongestionControl == "" {
			p.fail("congctl needs a name")
		}
		return true
	}
	return false
}

// time takes a time in s or ms, in the kernel's unit; a bare number is that
// unit already.
func (p *iproute) time(of string, unit int) int {
	word := p.word()
	if number, ok := strings.CutSuffix(word, "ms"); ok {
		return p.parse(of, number, 1<<28) * unit
	}
	if number, ok := strings.CutSuffix(word, "s"); ok {
		return p.parse(of, number, 1<<18) * 1000 * unit
	}
	return p.parse(of, word, 1<<32-1)
}
