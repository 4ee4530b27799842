package directive

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"herald/config"
	"herald/config/block"
)

// iproute reads one line in the language of ip-route(8) and ip-rule(8): words
// that take values. A value that cannot be read leaves the line out, for half
// a route leads somewhere else.
type iproute struct {
	b    *build
	st   block.Statement
	what string // "vrrp_instance A: virtual_routes"
	at   int    // next word
	bad  bool
}

func (p *iproute) more() bool { return p.at < len(p.st.Words) && !p.bad }

// word takes the next word, or returns "".
func (p *iproute) word() string {
	if p.at >= len(p.st.Words) {
		return ""
	}
	p.at++
	return p.st.Words[p.at-1].Text
}

func (p *iproute) peek() string { return p.st.Arg(p.at) }

// fail reports the word taken last and leaves the line out.
func (p *iproute) fail(format string, args ...any) {
	if p.bad {
		return
	}
	p.bad = true
	w := p.st.Words[max(p.at-1, 0)]
	p.b.diags.Errorf(w.Pos, w.Text, "%s: %s is left out: %s", p.what, text(p.st.Words), fmt.Sprintf(format, args...))
}

// missing reports a word known to keepalived that cannot be put into the
// kernel here.
func (p *iproute) missing(word string, fatal bool) {
	severity, message := config.Warning, p.what+": "+word+" is known to keepalived but not supported yet and is ignored"
	if fatal {
		p.bad = true
		severity, message = config.Error, p.what+": "+text(p.st.Words)+" is left out: "+word+" is not supported yet"
	}
	p.b.diags.Add(config.Diagnostic{Pos: p.st.Words[max(p.at-1, 0)].Pos, Severity: severity, Kind: config.Unsupported, Word: word, Message: message})
}

// number takes a number in decimal or, as ip-route(8) has it, 0x form.
func (p *iproute) number(of string, hi int64) int {
	return p.parse(of, p.word(), hi)
}

func (p *iproute) parse(of, word string, hi int64) int {
	n, err := strconv.ParseInt(word, 0, 64)
	if err != nil || n < 0 || n > hi || strings.HasPrefix(word, "0") && len(word) > 1 && word[1] != 'x' {
		p.fail("%s: %q is not a number from 0 to %d", of, word, hi)
		return 0
	}
	return int(n)
}

// named takes a number or a name of one of iproute's tables.
func (p *iproute) named(of string, names map[string]int, hi int64) int {
	return p.parseNamed(of, p.word(), names, hi)
}

func (p *iproute) parseNamed(of, word string, names map[string]int, hi int64) int {
	if n, ok := names[word]; ok {
		return n
	}
	if p.b.o.LookupRouting != nil {
		if n, ok := p.b.o.LookupRouting(of, word); ok {
			return n
		}
	}
	return p.parse(of, word, hi)
}

func (p *iproute) addr(of string) netip.Addr {
	word := p.word()
	a, err := netip.ParseAddr(word)
	if err != nil || a.Zone() != "" {
		p.fail("%s: %q is not an address", of, word)
	}
	return a
}

// prefix takes ADDRESS[/LENGTH]; bits beyond the length do not count.
func (p *iproute) prefix(of string) netip.Prefix {
	word := p.word()
	text, length, hasLength := strings.Cut(word, "/")
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		p.fail("%s: %q is not an address", of, word)
		return netip.Prefix{}
	}
	bits := a.BitLen()
	if hasLength {
		if bits, err = config.Int(length, 0, a.BitLen()); err != nil {
			p.fail("%s: %v", word, err)
			return netip.Prefix{}
		}
	}
	return netip.PrefixFrom(a, bits).Masked()
}

func (p *iproute) device(of string) string {
	word := p.word()
	if wrong := interfaceName(word); wrong != "" {
		p.fail("%s %q is %s", of, word, wrong)
	}
	return word
}

// realms takes FROM/TO or TO.
func (p *iproute) realms() int {
	from, to, both := strings.Cut(p.word(), "/")
	if !both {
		return p.parseNamed("realms", from, nil, 1<<16-1)
	}
	return p.parseNamed("realms", from, nil, 1<<16-1)<<16 | p.parseNamed("realms", to, nil, 1<<16-1)
}

// bounds takes N or N-M.
func (p *iproute) bounds(of string, hi int64) (int, int) {
	first, last, both := strings.Cut(p.word(), "-")
	if !both {
		last = first
	}
	a, b := p.parse(of, first, hi), p.parse(of, last, hi)
	if a > b {
		p.fail("%s: %d-%d ends before it begins", of, a, b)
	}
	return a, b
}

// unknown reports a word that is none and goes on behind it.
func (p *iproute) unknown(kind string, known []string) {
	w := p.st.Words[p.at-1]
	p.b.diags.Unknown(w.Pos, config.Warning, kind, w.Text, known)
}

// Numbers of rtnetlink.h that have names in ip-route(8) without any file.
var (
	tables    = map[string]int{"main": 254, "default": 253, "local": 255}
	protocols = map[string]int{"redirect": 1, "kernel": 2, "boot": 3, "static": 4, "gated": 8, "ra": 9, "mrt": 10, "zebra": 11, "bird": 12,
		"dnrouted": 13, "xorp": 14, "ntk": 15, "dhcp": 16, "keepalived": 18, "babel": 42, "bgp": 186, "isis": 187, "ospf": 188, "rip": 189, "eigrp": 192}
	// routeTypes are RTN_*.
	routeTypes = map[string]int{"unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5, "blackhole": 6, "unreachable": 7,
		"prohibit": 8, "throw": 9}
)

// lineList reads a list of routes or rules, one per line.
func (b *build) lineList(st block.Statement, what string, read func(*iproute)) {
	for _, line := range st.Children {
		if len(line.Words) > 0 {
			read(&iproute{b: b, st: line, what: what})
		}
	}
}
