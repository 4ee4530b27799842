package directive

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// bindOption is one word after the address of bind or "stats socket".
type bindOption struct {
	args int
	read func(c *call, b *settings.Bind, s *settings.StatsSocket, value line.Word) error
}

var bindRows = []config.Row[keyword]{
	{Name: "bind", Syntax: "[ADDRESS]:PORT[-PORT] | PATH [, ...] [OPTION ...]", Example: "bind *:80,[::]:8080-8081 name web",
		Doc: "Listens on addresses; each port of a range and each address of a list is one listener.",
		Do:  keyword{in: inFrontend, min: 1, max: many, read: readBind}},
}

var bindOptions = config.NewRegistry(slices.Concat(bindOptionRows, bindTLSRows, listenTuning)...)

var bindOptionRows = []config.Row[bindOption]{
	acceptProxy,
	{Name: "backlog", Syntax: "N", Example: "bind :80 backlog 1024",
		Doc: "Length of the kernel's queue of connections not yet accepted.",
		Do: bindOption{1, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			return setInt(&b.Backlog, v, 0, maxCount)
		}}},
	{Name: "gid", Syntax: "GID", Example: "bind /run/web.sock gid 33",
		Doc: "Group number that owns a unix socket.",
		Do: bindOption{1, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			return setInt(&b.GID, v, 0, maxCount)
		}}},
	{Name: "group", Syntax: "NAME", Example: "bind /run/web.sock group www-data",
		Doc: "Group that owns a unix socket.",
		Do: bindOption{1, func(c *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			return c.lookup(&b.GID, c.opt.LookupGroup, "group", v.Text)
		}}},
	{Name: "interface", Syntax: "NAME", Example: "bind :80 interface eth0",
		Doc: "Network interface that connections must arrive on.",
		Do: bindOption{1, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			b.Interface = v.Text
			return nil
		}}},
	{Name: "level", Syntax: "user | operator | admin", Example: "stats socket /run/herald.sock level admin",
		Doc: "What a session on a stats socket may do.",
		Do:  bindOption{1, readLevel}},
	{Name: "maxconn", Syntax: "N", Example: "bind :80 maxconn 100",
		Doc: "Highest number of connections at a time on this listener.",
		Do: bindOption{1, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			return setInt(&b.MaxConn, v, 0, maxCount)
		}}},
	{Name: "mode", Syntax: "OCTAL", Example: "bind /run/web.sock mode 660",
		Doc: "Permissions of a unix socket.",
		Do:  bindOption{1, readMode}},
	{Name: "name", Syntax: "NAME", Example: "bind :80 name web",
		Doc: "Name of the listener in logs and statistics.",
		Do: bindOption{1, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			b.Name = v.Text
			return nil
		}}},
	{Name: "namespace", Syntax: "NAME", Example: "bind 10.1.1.10:80 namespace red",
		Doc: "Listens in a network namespace of this name (ip-netns(8)).",
		Do: bindOption{1, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			b.Namespace = v.Text
			return namespaceName(v.Text)
		}}},
	{Name: "proto", Syntax: "h1 | h2", Example: "bind :80 proto h2",
		Doc: "Protocol spoken at once, without looking at the first bytes or ALPN.",
		Do: bindOption{1, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			return readProto(&b.Proto, v)
		}}},
	{Name: "transparent", Example: "bind 10.1.1.10:80 transparent",
		Doc: "Binds an address that this machine does not hold; needs CAP_NET_ADMIN when bound.",
		Do: bindOption{0, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, _ line.Word) error {
			b.Transparent = true
			return nil
		}}},
	{Name: "uid", Syntax: "UID", Example: "bind /run/web.sock uid 33",
		Doc: "User number that owns a unix socket.",
		Do: bindOption{1, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			return setInt(&b.UID, v, 0, maxCount)
		}}},
	{Name: "user", Syntax: "NAME", Example: "bind /run/web.sock user www-data",
		Doc: "User that owns a unix socket.",
		Do: bindOption{1, func(c *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			return c.lookup(&b.UID, c.opt.LookupUser, "user", v.Text)
		}}},
	{Name: "v4v6", Example: "bind :::80 v4v6",
		Doc: "Takes IPv4 connections on an IPv6 address too.",
		Do: bindOption{0, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, _ line.Word) error {
			b.V4V6, b.V6Only = true, false
			return nil
		}}},
	{Name: "v6only", Example: "bind :::80 v6only",
		Doc: "Takes only IPv6 connections on an IPv6 address.",
		Do: bindOption{0, func(_ *call, b *settings.Bind, _ *settings.StatsSocket, _ line.Word) error {
			b.V6Only, b.V4V6 = true, false
			return nil
		}}},
}

// maxCount bounds counts that HAProxy keeps in 32 bits.
const maxCount = 1<<31 - 1

func setInt(to *int, v line.Word, lo, hi int) error {
	n, err := config.Int(v.Text, lo, hi)
	if err == nil {
		*to = n
	}
	return err
}

// lookup turns a user or group name into a number.
func (c *call) lookup(to *int, find func(string) (int, error), what, name string) error {
	if find == nil {
		return fmt.Errorf("%s %q is not known", what, name)
	}
	n, err := find(name)
	if err != nil {
		return fmt.Errorf("%s %q is not known: %w", what, name, err)
	}
	*to = n
	return nil
}

func readMode(_ *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
	mode, err := strconv.ParseUint(v.Text, 8, 12)
	if err != nil {
		return fmt.Errorf("%q is not an octal mode", v.Text)
	}
	b.Mode = uint32(mode)
	return nil
}

func readLevel(_ *call, _ *settings.Bind, s *settings.StatsSocket, v line.Word) error {
	level, ok := map[string]settings.Level{"user": settings.LevelUser, "operator": settings.LevelOperator, "admin": settings.LevelAdmin}[v.Text]
	switch {
	case !ok:
		return fmt.Errorf("%q is not user, operator or admin", v.Text)
	case s != nil:
		s.Level = level
	}
	return nil
}

func readBind(c *call) {
	binds := c.addresses(0)
	var options settings.Bind
	options.UID, options.GID = -1, -1
	c.bindOptions(&options, nil)
	options.TLS = c.finishBindTLS(options.TLS)
	for _, b := range binds {
		where := b
		b = options
		b.Pos, b.Network, b.Host, b.Port, b.Path = where.Pos, where.Network, where.Host, where.Port, where.Path
		if b.Name == "" {
			b.Name = fmt.Sprintf("%v:%d", c.line.Pos, len(c.px.p.Binds)+1)
		}
		c.px.p.Binds = append(c.px.p.Binds, b)
	}
}

// bindOptions reads the words after the address.
func (c *call) bindOptions(b *settings.Bind, s *settings.StatsSocket) {
	for i := 1; i < len(c.args); i++ {
		word := c.args[i]
		row, ok := bindOptions.Lookup(word.Text)
		if !ok {
			i += c.unbuiltOption(word, knownBind, bindOptions.Names(), "bind option")
			continue
		}
		if i+row.Do.args >= len(c.args) {
			c.reject(i, "%s: missing %s", row.Name, row.Syntax)
			return
		}
		var value line.Word
		if row.Do.args > 0 {
			value = c.args[i+1]
		}
		if err := row.Do.read(c, b, s, value); err != nil {
			c.reject(i+row.Do.args, "%s: %v", row.Name, err)
		}
		i += row.Do.args
	}
}

// unbuiltOption reports an option word without a row and returns how many
// arguments it takes.
func (c *call) unbuiltOption(word line.Word, known map[string]knownOption, names []string, what string) int {
	if k, ok := known[word.Text]; ok {
		if !k.silent {
			c.diags.Unsupported(word.Pos, k.severity, what, word.Text, "HAProxy", instead[strings.TrimSuffix(what, " option")+" "+word.Text])
		}
		if k.old != "" {
			c.diags.Obsolete(word.Pos, word.Text, k.old)
		}
		return k.args
	}
	for name := range known {
		names = append(names, name)
	}
	c.diags.Unknown(word.Pos, config.Error, what, word.Text, sorted(names))
	return 0
}

// addresses reads the comma-separated listening addresses of argument i.
func (c *call) addresses(i int) []settings.Bind {
	var binds []settings.Bind
	for text := range strings.SplitSeq(c.arg(i), ",") {
		a, err := parseAddress(text)
		if err == nil {
			err = c.listenable(&a, text)
		}
		var later unsupportedAddress
		if errors.As(err, &later) {
			c.diags.Unsupported(c.args[i].Pos, config.Error, "address family", later.prefix, "HAProxy")
			continue
		}
		if err != nil {
			c.reject(i, "%v", err)
			continue
		}
		if a.path != "" {
			network := "unix"
			if a.kind != "" {
				network = a.kind
			}
			binds = append(binds, settings.Bind{Pos: c.line.Pos, Network: network, Path: a.path, UID: -1, GID: -1})
			continue
		}
		for port := a.port; port <= a.last; port++ {
			binds = append(binds, settings.Bind{Pos: c.line.Pos, Network: "tcp", Host: a.host, Port: port, UID: -1, GID: -1})
		}
	}
	return binds
}

// listenable checks an address for listening, and turns its host into an IP
// literal in the form settings.Bind has.
func (c *call) listenable(a *address, text string) error {
	switch {
	case a.path != "":
		return nil
	case !a.hasPort:
		return fmt.Errorf("missing port in %q", text)
	case a.relative, a.port == 0:
		return fmt.Errorf("invalid port in %q", text)
	case a.host == "" && a.family == '6':
		a.host = "::"
		return nil
	case a.host == "", a.host == "0.0.0.0":
		a.host = ""
		return nil
	}
	if _, err := netip.ParseAddr(a.host); err == nil {
		return nil
	}
	if c.opt.LookupHost == nil {
		return fmt.Errorf("host %q is not known", a.host)
	}
	found, err := c.opt.LookupHost(a.host)
	if err != nil {
		return fmt.Errorf("host %q is not known: %w", a.host, err)
	}
	for _, text := range found {
		ip, err := netip.ParseAddr(text)
		if err != nil || a.family == '4' && !ip.Is4() || a.family == '6' && !ip.Is6() {
			continue
		}
		a.host = text
		return nil
	}
	return fmt.Errorf("host %q has no usable address", a.host)
}

// namespaceName says what is wrong with the name of a network namespace.
func namespaceName(name string) error {
	if strings.Contains(name, "/") || strings.HasPrefix(name, ".") {
		return fmt.Errorf("%q is no name of a network namespace", name)
	}
	return nil
}
