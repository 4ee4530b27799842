package directive

import (
	"errors"
	"fmt"

	"net/netip"
	"strings"
	"time"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// resolverKeyword is a word of a resolvers section.
type resolverKeyword struct {
	min, max int
	read     func(c *resolverCall)
}

// resolverCall is one line of a resolvers section being read.
type resolverCall struct {
	call
	to   *settings.Resolvers
	seen map[string]config.Pos // nameservers by name
}

func resolverTime(name, doc, example string, field func(r *settings.Resolvers) *time.Duration) config.Row[resolverKeyword] {
	return config.Row[resolverKeyword]{Name: name, Syntax: "TIME", Doc: doc, Example: name + " " + example,
		Do: resolverKeyword{1, 1, func(c *resolverCall) {
			if d, ok := c.duration(0, time.Millisecond); ok {
				*field(c.to) = d
			}
		}}}
}

func resolverCount(name, doc, example string, lo, hi int, field func(r *settings.Resolvers) *int) config.Row[resolverKeyword] {
	return config.Row[resolverKeyword]{Name: name, Syntax: "N", Doc: doc, Example: name + " " + example,
		Do: resolverKeyword{1, 1, func(c *resolverCall) {
			if n, ok := c.number(0, lo, hi); ok {
				*field(c.to) = n
			}
		}}}
}

var resolverKeywords = config.NewRegistry(
	config.Row[resolverKeyword]{Name: "nameserver", Syntax: "NAME ADDRESS:PORT", Example: "nameserver ns1 10.1.1.53:53",
		Doc: "Adds a nameserver, asked over UDP, over TCP with \"tcp@\" before its address; all are asked at once, the first good answer counts.",
		Do:  resolverKeyword{2, 2, readNameserver}},
	config.Row[resolverKeyword]{Name: "parse-resolv-conf", Example: "parse-resolv-conf",
		Doc: "Adds the nameservers of /etc/resolv.conf, read when the configuration is.",
		Do:  resolverKeyword{0, 0, func(c *resolverCall) { c.resolvConf(c.to) }}},
	resolverCount("accepted_payload_size", "Longest answer over UDP in bytes, 512 to 65535; a longer one is fetched over TCP.", "8192", 512, 65535,
		func(r *settings.Resolvers) *int { return &r.Payload }),
	resolverCount("resolve_retries", "Times a question is sent before the resolution fails.", "3", 1, maxCount,
		func(r *settings.Resolvers) *int { return &r.Retries }),
	resolverTime("timeout resolve", "Time from one resolution of a name to the next.", "1s",
		func(r *settings.Resolvers) *time.Duration { return &r.Resolve }),
	resolverTime("timeout retry", "Time until a question without an answer is sent again.", "1s",
		func(r *settings.Resolvers) *time.Duration { return &r.Retry }),
	resolverTime("hold valid", "How long another server may use an answer without asking.", "10s",
		func(r *settings.Resolvers) *time.Duration { return &r.Hold.Valid }),
	resolverTime("hold obsolete", "How long an address stays that is not in the answers any more.", "30s",
		func(r *settings.Resolvers) *time.Duration { return &r.Hold.Obsolete }),
	resolverTime("hold nx", "How long the last valid answer stays in force while the name does not exist.", "30s",
		func(r *settings.Resolvers) *time.Duration { return &r.Hold.NX }),
	resolverTime("hold timeout", "How long the last valid answer stays in force while nobody answers.", "30s",
		func(r *settings.Resolvers) *time.Duration { return &r.Hold.Timeout }),
	resolverTime("hold refused", "How long the last valid answer stays in force while nameservers refuse.", "30s",
		func(r *settings.Resolvers) *time.Duration { return &r.Hold.Refused }),
	resolverTime("hold other", "How long the last valid answer stays in force while there are other errors.", "30s",
		func(r *settings.Resolvers) *time.Duration { return &r.Hold.Other }),
)

func newResolvers(pos config.Pos, name string) *settings.Resolvers {
	const hold = 30 * time.Second
	return &settings.Resolvers{Pos: pos, Name: name, Retries: 3, Resolve: time.Second, Retry: time.Second, Payload: 512,
		Hold: settings.Hold{Valid: 10 * time.Second, NX: hold, Timeout: hold, Refused: hold, Other: hold}}
}

// resolvers reads one resolvers section.
func (b *builder) resolvers(s line.Section) {
	if s.Name == "" {
		b.diags.Errorf(s.Pos, s.Kind, "%q expects a name", s.Kind)
		return
	}
	if i := strings.IndexFunc(s.Name, illegalInName); i >= 0 {
		b.diags.Errorf(s.Header[1].Pos, s.Name, "character %q is not permitted in resolvers name %q", s.Name[i:i+1], s.Name)
		return
	}
	if old := b.cfg.ResolversNamed(s.Name); old != nil {
		b.cross(s.Pos, config.Error, s.Name, "resolvers %q has the same name as the section at %v", s.Name, old.Pos)
		return
	}
	r := newResolvers(s.Pos, s.Name)
	b.cfg.Resolvers = append(b.cfg.Resolvers, r)
	seen := map[string]config.Pos{}
	for _, l := range s.Lines {
		l = b.cutAtEmpty(l)
		if len(l.Words) > 0 {
			b.resolverLine(l, r, seen)
		}
	}
	if len(r.Nameservers) == 0 {
		b.cross(s.Pos, config.Warning, s.Name, "resolvers %q has no nameserver: names keep the addresses they have at start", s.Name)
	}
}

func (b *builder) resolverLine(l line.Line, to *settings.Resolvers, seen map[string]config.Pos) {
	row, words := config.Row[resolverKeyword]{}, 0
	for _, name := range []string{l.Arg(0) + " " + l.Arg(1), l.Arg(0)} {
		if r, ok := resolverKeywords.Lookup(name); ok {
			row, words = r, strings.Count(name, " ")+1
			break
		}
	}
	if words == 0 {
		b.unknownResolver(l)
		return
	}
	if l.Negated || l.Defaulted {
		b.diags.Errorf(l.Pos, row.Name, "\"no\" and \"default\" do not go with %q", row.Name)
		return
	}
	c := &resolverCall{call: call{builder: b, line: l, name: row.Name, at: l.Words[0], args: l.Words[words:]}, to: to, seen: seen}
	switch {
	case len(c.args) < row.Do.min:
		b.diags.Errorf(l.Pos, row.Name, "%q expects %s", row.Name, row.Syntax)
	case len(c.args) > row.Do.max:
		extra := c.args[row.Do.max]
		b.diags.Errorf(extra.Pos, extra.Text, "%q cannot handle unexpected argument %q", row.Name, extra.Text)
	default:
		row.Do.read(c)
	}
}

// unknownResolver names the nearest word: of the second words when the first
// one is that of a family.
func (b *builder) unknownResolver(l line.Line) {
	var seconds, firsts []string
	for _, name := range resolverKeywords.Names() {
		first, second, _ := strings.Cut(name, " ")
		firsts = append(firsts, first)
		if first == l.Arg(0) {
			seconds = append(seconds, second)
		}
	}
	switch {
	case len(seconds) > 0 && len(l.Words) > 1:
		b.diags.Unknown(l.Words[1].Pos, config.Error, l.Arg(0), l.Arg(1), seconds)
	case len(seconds) > 0:
		b.diags.Errorf(l.Pos, l.Arg(0), "%q needs a keyword after it: %s", l.Arg(0), strings.Join(seconds, ", "))
	default:
		b.diags.Unknown(l.Pos, config.Error, "keyword of resolvers", l.Arg(0), firsts)
	}
}

func readNameserver(c *resolverCall) {
	name := c.arg(0)
	if old, dup := c.seen[name]; dup {
		c.reject(0, "%q has the same name as the nameserver at %v", name, old)
		return
	}
	c.seen[name] = c.line.Pos
	network, address, err := nameserverAddress(c.arg(1))
	if err != nil {
		c.reject(1, "%v", err)
		return
	}
	c.to.Nameservers = append(c.to.Nameservers, settings.Nameserver{Name: name, Network: network, Address: address})
}

// nameserverAddress reads what stands after a nameserver's name. Names are
// refused, as HAProxy does: who would look them up?
func nameserverAddress(text string) (network, address string, err error) {
	network = "udp"
	if prefix, rest, ok := strings.Cut(text, "@"); ok {
		switch prefix {
		case "tcp", "tcp4", "tcp6":
			network = "tcp"
		case "udp", "udp4", "udp6", "ipv4", "ipv6":
		case "unix", "uxdg":
			return "unixgram", rest, nil
		default:
			return "", "", fmt.Errorf("%q is not udp@, tcp@, ipv4@, ipv6@ or unix@", prefix+"@")
		}
		text = rest
	}
	if strings.HasPrefix(text, "/") {
		return "unixgram", text, nil
	}
	a, err := parseAddress(text)
	switch {
	case err != nil:
		return "", "", err
	case !a.hasPort || a.relative || a.port != a.last || a.port == 0:
		return "", "", fmt.Errorf("missing port specification in %q", text)
	}
	ip, err := netip.ParseAddr(a.host)
	if err != nil {
		return "", "", fmt.Errorf("%q is not an address", a.host)
	}
	return network, netip.AddrPortFrom(ip, uint16(a.port)).String(), nil
}

const resolvConf = "/etc/resolv.conf"

// resolvConf adds the nameservers of the system, each named by its address.
func (b *builder) resolvConf(r *settings.Resolvers) {
	text, err := []byte(nil), errors.New("no files are read")
	if b.opt.ReadFile != nil {
		text, err = b.opt.ReadFile(resolvConf)
	}
	if err != nil {
		b.diags.Warnf(r.Pos, "parse-resolv-conf", "resolvers %s: %s cannot be read: %v", r.Name, resolvConf, err)
		return
	}
	for l := range strings.Lines(string(text)) {
		f := strings.Fields(l)
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		ip, err := netip.ParseAddr(f[1])
		if err != nil {
			b.diags.Warnf(r.Pos, f[1], "resolvers %s: %s: nameserver %q is not an address", r.Name, resolvConf, f[1])
			continue
		}
		r.Nameservers = append(r.Nameservers, settings.Nameserver{Name: f[1], Network: "udp", Address: netip.AddrPortFrom(ip, 53).String()})
	}
}
