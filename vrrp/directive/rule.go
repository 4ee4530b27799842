package directive

import (
	"net/netip"
	"strings"

	"herald/config"
	"herald/vrrp/settings"
)

// lastRule is the preference of the first rule without one; the next ones
// count down, so that each comes before those read earlier.
const lastRule = 16384

// ruleActions are FR_ACT_* of fib_rules.h.
var ruleActions = map[string]int{"nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}

var ruleNames = []string{"from", "to", "not", "table", "lookup", "goto", "nop", "blackhole", "unreachable", "prohibit", "preference", "priority",
	"order", "tos", "dsfield", "fwmark", "realms", "iif", "dev", "oif", "suppress_prefixlength", "suppress_ifgroup", "uidrange", "ipproto", "sport",
	"dport", "protocol", "no_track", "track_group"}

// ipProtocols are the names a rule may give; all others are numbers.
var ipProtocols = map[string]int{"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "dccp": 33, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58,
	"icmpv6": 58, "ospf": 89, "vrrp": 112, "sctp": 132, "udplite": 136}

// rule reads one line of virtual_rules or static_rules.
func (p *iproute) rule() (settings.Rule, bool) {
	r := settings.Rule{Pos: p.st.Pos, Priority: -1, Protocol: settings.RouteProtocol, SuppressLength: -1, SuppressGroup: -1}
	family := 0
	for p.more() {
		p.ruleWord(&r, &family)
	}
	switch {
	case p.bad:
		return r, false
	case r.From.IsValid() && r.To.IsValid() && r.From.Addr().Is4() != r.To.Addr().Is4():
		p.fail("from and to are not of one family")
		return r, false
	case r.Action == 0:
		p.fail("it has neither a table nor another action")
		return r, false
	case r.Action != 1 && (r.SuppressLength >= 0 || r.SuppressGroup >= 0):
		p.fail("only a table's answers can be suppressed")
		return r, false
	}
	r.IPv6 = family == 6 || r.From.IsValid() && !r.From.Addr().Is4() || r.To.IsValid() && !r.To.Addr().Is4()
	if r.Action == 2 && r.Priority >= 0 && r.Goto <= r.Priority {
		p.fail("goto %d leads back", r.Goto)
		return r, false
	}
	if r.Priority < 0 {
		r.Priority = lastRule - p.b.plainRules
		p.b.plainRules++
		p.b.diags.Add(config.Diagnostic{Pos: p.st.Pos, Severity: config.Warning, Word: "preference",
			Message: p.what + ": " + text(p.st.Words) + " has no preference; it gets one of its own", Fix: "say priority NUMBER"})
	}
	return r, true
}

func (p *iproute) ruleWord(r *settings.Rule, family *int) {
	word := p.word()
	if action, ok := ruleActions[word]; ok {
		r.Action = action
		return
	}
	switch strings.ReplaceAll(word, "-", "_") {
	case "inet":
		*family = 4
	case "inet6":
		*family = 6
	case "not":
		r.Not = true
	case "from":
		r.From = p.network(word)
	case "to":
		r.To = p.network(word)
	case "table", "lookup":
		r.Action, r.Table = 1, p.named("table", tables, 1<<32-1)
	case "goto":
		r.Action, r.Goto = 2, p.number(word, 1<<32-1)
	case "preference", "pref", "priority", "order":
		r.Priority = p.number(word, 1<<32-1)
	case "tos", "dsfield":
		r.TOS = p.named("dsfield", nil, 255)
	case "fwmark":
		p.mark(r)
	case "realms":
		r.Realms = p.realms()
	case "iif", "dev":
		r.In = p.device(word)
	case "oif":
		r.Out = p.device(word)
	case "suppress_prefixlength", "sup_pl":
		r.SuppressLength = p.number(word, 128)
	case "suppress_ifgroup", "sup_group":
		r.SuppressGroup = p.named("group", map[string]int{"default": 0}, 1<<31-1)
	case "uidrange":
		first, last := p.bounds(word, 1<<32-2)
		r.HasUIDs, r.UIDs = true, [2]uint32{uint32(first), uint32(last)}
	case "ipproto", "ip_proto":
		if r.IPProto = p.parseNamed("ipproto", strings.ToLower(p.word()), ipProtocols, 255); r.IPProto == 0 {
			p.fail("%s: 0 means none", word)
		}
	case "sport":
		r.Sport = p.ports(word)
	case "dport":
		r.Dport = p.ports(word)
	case "protocol":
		r.Protocol = p.named("protocol", protocols, 255)
	case "no_track":
		r.NoTrack = true
	case "track_group":
		p.word()
	case "l3mdev", "tun_id", "nat", "map_to":
		p.missing(word, true)
	default:
		if _, _, ok := strings.Cut(word, "/"); (ok || strings.ContainsAny(word, ".:")) && !r.From.IsValid() {
			p.at-- // from may be left out
			r.From = p.network("from")
			return
		}
		p.unknown("rule word", ruleNames)
	}
}

// network takes a prefix; all is none.
func (p *iproute) network(of string) netip.Prefix {
	switch p.peek() {
	case "all", "any", "default":
		p.word()
		return netip.Prefix{}
	}
	return p.prefix(of)
}

// mark takes VALUE[/MASK].
func (p *iproute) mark(r *settings.Rule) {
	value, mask, masked := strings.Cut(p.word(), "/")
	r.HasMark, r.Mark = true, uint32(p.parse("fwmark", value, 1<<32-1))
	if masked {
		r.Mask = uint32(p.parse("fwmark mask", mask, 1<<32-1))
	}
}

func (p *iproute) ports(of string) [2]uint16 {
	first, last := p.bounds(of, 1<<16-1)
	if first == 0 {
		p.fail("%s: 0 is not a port", of)
	}
	return [2]uint16{uint16(first), uint16(last)}
}
