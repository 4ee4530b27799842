package directive

import (
	"fmt"
	"net/netip"
	"strings"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// serverResolveRows are the words of a server line about its name.
var serverResolveRows = []config.Row[serverOption]{
	{Name: "init-addr", Syntax: "METHOD[,...]", Example: "server a app.example:80 init-addr last,libc,none",
		Doc: "How the address is found at start, in order: last (what the process before knew), libc (the system's resolver), none (start without), or an address. last,libc when unset.",
		Do:  word(1, readInitAddr)},
	{Name: "resolvers", Syntax: "NAME", Example: "server a app.example:80 resolvers default init-addr none",
		Doc: "Resolves the server's name again and again by this resolvers section; a name that begins with _ is one of SRV records. \"default\" needs no section: it asks the nameservers of /etc/resolv.conf.",
		Do:  word(1, func(s *settings.Server, v line.Word) error { s.Resolve.Section = v.Text; return nil })},
	{Name: "resolve-net", Syntax: "NETWORK[,...]", Example: "server a app.example:80 resolvers default resolve-net 10.0.0.0/8 init-addr none",
		Doc: "Prefers addresses of these networks.",
		Do:  word(1, readResolveNet)},
	{Name: "resolve-opts", Syntax: "OPTION[,...]", Example: "server a app.example:80 resolvers default resolve-opts allow-dup-ip init-addr none",
		Doc: "allow-dup-ip lets servers of a backend have the same address, prevent-dup-ip (the default) does not; ignore-weight leaves the weights of SRV records alone.",
		Do:  word(1, readResolveOpts)},
	{Name: "resolve-prefer", Syntax: "ipv4 | ipv6", Example: "server a app.example:80 resolvers default resolve-prefer ipv4 init-addr none",
		Doc: "Family of addresses asked for first; ipv6 when unset.",
		Do: word(1, func(s *settings.Server, v line.Word) error {
			if v.Text != "ipv4" && v.Text != "ipv6" {
				return fmt.Errorf("%q is not ipv4 or ipv6", v.Text)
			}
			s.Resolve.PreferIPv4 = v.Text == "ipv4"
			return nil
		})},
}

func readInitAddr(s *settings.Server, v line.Word) error {
	for method := range strings.SplitSeq(v.Text, ",") {
		switch method {
		case "last", "libc", "none":
		default:
			if _, err := netip.ParseAddr(method); err != nil {
				return fmt.Errorf("%q is not last, libc, none or an address", method)
			}
		}
	}
	s.InitAddr = v.Text
	return nil
}

func readResolveNet(s *settings.Server, v line.Word) error {
	var list []string
	for text := range strings.SplitSeq(v.Text, ",") {
		n, err := readNetwork(text)
		if err != nil {
			return err
		}
		list = append(list, n)
	}
	s.Resolve.Networks = strings.Join(list, ",")
	return nil
}

func readResolveOpts(s *settings.Server, v line.Word) error {
	for option := range strings.SplitSeq(v.Text, ",") {
		switch option {
		case "allow-dup-ip":
			s.Resolve.AllowDup = true
		case "prevent-dup-ip":
			s.Resolve.AllowDup = false
		case "ignore-weight":
			s.Resolve.IgnoreWeight = true
		default:
			return fmt.Errorf("%q is not allow-dup-ip, prevent-dup-ip or ignore-weight", option)
		}
	}
	return nil
}

// checkResolvers finds the sections that servers name, and makes "default" of
// /etc/resolv.conf when the file has none, as HAProxy does.
func (b *builder) checkResolvers() {
	var names []string
	for _, r := range b.cfg.Resolvers {
		names = append(names, r.Name)
	}
	reported := map[string]bool{}
	for _, d := range b.proxies {
		for i := range d.p.Servers {
			s := &d.p.Servers[i]
			name := s.Resolve.Section
			switch {
			case name == "" || b.cfg.ResolversNamed(name) != nil:
			case name == "default":
				r := newResolvers(s.Pos, name)
				b.resolvConf(r)
				b.cfg.Resolvers = append(b.cfg.Resolvers, r)
			case !reported[d.p.Name+"/"+name]: // once for all of a template
				reported[d.p.Name+"/"+name] = true
				msg := config.Diagnostic{Pos: s.Pos, Severity: config.Error, Kind: config.Cross, Word: name,
					Message: fmt.Sprintf("server %q needs the resolvers section %q, which does not exist", s.Name, name)}
				if near := config.Nearest(name, names); near != "" {
					msg.Fix = "did you mean \"" + near + "\"?"
				}
				b.diags.Add(msg)
			}
		}
	}
}
