package directive

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// serverOption is one word after the address of server, or of default-server.
type serverOption struct {
	args      int
	noDefault bool // not in default-server
	read      func(s *settings.Server, value line.Word) error
	ask       func(c *call, s *settings.Server, value line.Word) error // in place of read
}

var serverRows = []config.Row[keyword]{
	{Name: "server", Syntax: "NAME ADDRESS[:PORT] [OPTION ...]", Example: "server web1 10.1.1.20:80 check inter 2s rise 2 fall 3",
		Doc: "Adds a server to a backend.",
		Do:  keyword{in: inBackend, min: 2, max: many, strict: true, read: readServer}},
	{Name: "default-server", Syntax: "OPTION ...", Example: "default-server inter 3s rise 2 fall 3 maxconn 100",
		Doc: "Sets options for the servers that follow.",
		Do:  keyword{in: backSide, min: 1, max: many, strict: true, read: func(c *call) { c.serverOptions(&c.px.server, 0, true) }}},
}

func (o *serverOption) do(c *call, s *settings.Server, v line.Word) error {
	if o.ask != nil {
		return o.ask(c, s, v)
	}
	return o.read(s, v)
}

func word(args int, read func(s *settings.Server, value line.Word) error) serverOption {
	return serverOption{args: args, read: read}
}

func mark(set func(s *settings.Server)) serverOption {
	return serverOption{read: func(s *settings.Server, _ line.Word) error { set(s); return nil }}
}

func count(field func(s *settings.Server) *int, lo, hi int) serverOption {
	return word(1, func(s *settings.Server, v line.Word) error { return setInt(field(s), v, lo, hi) })
}

func interval(field func(s *settings.Server) *time.Duration) serverOption {
	return word(1, func(s *settings.Server, v line.Word) error {
		d, err := config.Duration(v.Text, time.Millisecond)
		switch {
		case err != nil:
			return err
		case d <= 0 || d > maxTimer:
			return fmt.Errorf("%q is not between 1us and 24.8 days", v.Text)
		}
		*field(s) = d
		return nil
	})
}

var serverOptions = config.NewRegistry(slices.Concat(serverOptionRows, poolOptions, serverCheckRows, proxyHeaderOptions, serverLoadRows, serverTLSRows, wayOptions, serverResolveRows)...)

var serverOptionRows = []config.Row[serverOption]{
	{Name: "addr", Syntax: "ADDRESS[:PORT]", Example: "server a 10.1.1.20:80 check addr 10.1.1.30:8080",
		Doc: "Address that health checks connect to, with a port unless \"port\" names one: a name is looked up at start; the path of a unix socket.",
		Do: word(1, func(s *settings.Server, v line.Word) (err error) {
			s.CheckAddr, s.CheckAddrPort, err = probedAddress(v.Text)
			return err
		})},
	{Name: "backup", Example: "server a 10.1.1.20:80 backup",
		Doc: "Uses the server only when no other one is up.",
		Do:  mark(func(s *settings.Server) { s.Backup = true })},
	{Name: "check", Example: "server a 10.1.1.20:80 check",
		Doc: "Checks the server's health by connecting to it.",
		Do:  mark(func(s *settings.Server) { s.Check = true })},
	{Name: "cookie", Syntax: "VALUE", Example: "server a 10.1.1.20:80 cookie a",
		Doc: "Value of the persistence cookie; kept for the statistics.",
		Do:  word(1, func(s *settings.Server, v line.Word) error { s.Cookie = v.Text; return nil })},
	{Name: "disabled", Example: "server a 10.1.1.20:80 disabled",
		Doc: "Begins in maintenance.",
		Do:  mark(func(s *settings.Server) { s.Disabled = true })},
	{Name: "downinter", Syntax: "TIME", Example: "server a 10.1.1.20:80 check downinter 10s",
		Doc: "Time between checks while the server is down; inter when unset.",
		Do:  interval(func(s *settings.Server) *time.Duration { return &s.DownInter })},
	{Name: "enabled", Example: "server a 10.1.1.20:80 enabled",
		Doc: "Takes back a \"disabled\" of default-server.",
		Do:  mark(func(s *settings.Server) { s.Disabled = false })},
	{Name: "fall", Syntax: "N", Example: "server a 10.1.1.20:80 check fall 3",
		Doc: "Failed checks in a row that take the server down.",
		Do:  count(func(s *settings.Server) *int { return &s.Fall }, 1, maxCount)},
	{Name: "fastinter", Syntax: "TIME", Example: "server a 10.1.1.20:80 check fastinter 500",
		Doc: "Time between checks while the server is on its way up or down; inter when unset.",
		Do:  interval(func(s *settings.Server) *time.Duration { return &s.FastInter })},
	{Name: "id", Syntax: "N", Example: "server a 10.1.1.20:80 id 10",
		Doc: "Number of the server in the statistics.",
		Do: serverOption{args: 1, noDefault: true, read: func(s *settings.Server, v line.Word) error {
			s.ForcedID = true
			return setInt(&s.ID, v, 1, maxCount)
		}}},
	{Name: "inter", Syntax: "TIME", Example: "server a 10.1.1.20:80 check inter 2000",
		Doc: "Time between checks.",
		Do:  interval(func(s *settings.Server) *time.Duration { return &s.Inter })},
	{Name: "maxconn", Syntax: "N", Example: "server a 10.1.1.20:80 maxconn 50",
		Doc: "Highest number of connections at a time; more wait in the queue. 0 means no limit.",
		Do:  count(func(s *settings.Server) *int { return &s.MaxConn }, 0, maxCount)},
	{Name: "maxqueue", Syntax: "N", Example: "server a 10.1.1.20:80 maxconn 50 maxqueue 10",
		Doc: "Longest queue of the server; beyond it requests go to another one. 0 means no limit.",
		Do:  count(func(s *settings.Server) *int { return &s.MaxQueue }, 0, maxCount)},
	{Name: "namespace", Syntax: "NAME", Example: "server a 10.1.1.20:80 namespace red",
		Doc: "Connections and health checks begin in a network namespace of this name (ip-netns(8)).",
		Do: word(1, func(s *settings.Server, v line.Word) error {
			if v.Text == "*" {
				return errors.New("\"*\", the namespace a PROXY header names, is not supported; write a name")
			}
			if err := namespaceName(v.Text); err != nil {
				return err
			}
			s.Namespace = v.Text
			return nil
		})},
	{Name: "no-backup", Example: "server a 10.1.1.20:80 no-backup",
		Doc: "Takes back a \"backup\" of default-server.",
		Do:  mark(func(s *settings.Server) { s.Backup = false })},
	{Name: "no-check", Example: "server a 10.1.1.20:80 no-check",
		Doc: "Takes back a \"check\" of default-server.",
		Do:  mark(func(s *settings.Server) { s.Check = false })},
	{Name: "on-marked-down", Syntax: "shutdown-sessions", Example: "server a 10.1.1.20:80 check on-marked-down shutdown-sessions",
		Doc: "Ends the server's connections when it goes down.",
		Do: word(1, func(s *settings.Server, v line.Word) error {
			if v.Text != "shutdown-sessions" && v.Text != "none" {
				return fmt.Errorf("%q is not shutdown-sessions or none", v.Text)
			}
			s.ShutdownSessionsOnDown = v.Text != "none"
			return nil
		})},
	{Name: "port", Syntax: "PORT", Example: "server a 10.1.1.20:80 check port 8080",
		Doc: "Port that health checks connect to.",
		Do:  count(func(s *settings.Server) *int { return &s.CheckPort }, 1, 65535)},
	{Name: "proto", Syntax: "h1 | h2", Example: "server a 10.1.1.20:80 proto h2",
		Doc: "Protocol spoken to the server; h2 carries many requests on one connection.",
		Do:  word(1, func(s *settings.Server, v line.Word) error { return readProto(&s.Proto, v) })},
	{Name: "redir", Syntax: "PREFIX", Example: "server a 10.1.1.20:80 redir http://img.example",
		Doc: "Redirects GET and HEAD requests (302) to this prefix and their path, in place of asking the server.",
		Do:  word(1, func(s *settings.Server, v line.Word) error { s.Redirect = v.Text; return nil })},
	{Name: "rise", Syntax: "N", Example: "server a 10.1.1.20:80 check rise 2",
		Doc: "Successful checks in a row that bring the server up.",
		Do:  count(func(s *settings.Server) *int { return &s.Rise }, 1, maxCount)},
	{Name: "ws", Syntax: "auto | h1 | h2", Example: "server a 10.1.1.20:80 proto h2 ws h1",
		Doc: "Protocol of WebSockets to the server: that of other requests (auto; HTTP/1 where alpn offers both), HTTP/1, or HTTP/2.",
		Do:  word(1, readWebSockets)},
	{Name: "weight", Syntax: "N", Example: "server a 10.1.1.20:80 weight 100",
		Doc: "Share of the load, 0 to 256; 0 takes no new requests.",
		Do:  count(func(s *settings.Server) *int { return &s.Weight }, 0, 256)},
}

func readServer(c *call) {
	s := c.px.server
	s.Pos, s.Name = c.line.Pos, c.arg(0)
	if i := strings.IndexFunc(s.Name, illegalInName); i >= 0 {
		c.reject(0, "character %q is not permitted in server name %q", s.Name[i:i+1], s.Name)
		return
	}
	good := c.serverAddress(&s)
	c.serverOptions(&s, 2, false) // all that is wrong is told, not the first alone
	if good {
		c.px.p.Servers = append(c.px.p.Servers, s)
	}
}

// serverAddress reads argument 1.
func (c *call) serverAddress(s *settings.Server) bool {
	a, err := parseAddress(c.arg(1))
	var later unsupportedAddress
	switch {
	case errors.As(err, &later):
		c.diags.Unsupported(c.args[1].Pos, config.Error, "address family", later.prefix, "HAProxy")
		return false
	case err != nil:
		c.reject(1, "%v", err)
		return false
	case a.path == "" && a.last != a.port:
		c.reject(1, "a port range is not permitted in %q", c.arg(1))
		return false
	case a.kind == "fd":
		c.diags.Unsupported(c.args[1].Pos, config.Error, "address family", "fd@", "HAProxy")
		return false
	case a.path == "" && (a.host == "" || a.host == "0.0.0.0" || a.host == "::"):
		s.Transparent, a.host = true, ""
	}
	if a.relative {
		s.PortOffset, a.port = a.sign*a.port, 0
	}
	s.Abstract = a.kind == "abns"
	s.Host, s.Port, s.Path = a.host, a.port, a.path
	return true
}

// serverSource reads what follows "source" from argument i on.
func (c *call) serverSource(s *settings.Server, i int) (n int, ok bool) {
	if i >= len(c.args) {
		c.reject(i-1, "source: missing %s", sourceSyntax)
		return 0, false
	}
	n, err := readSource(&s.Source, c.args[i:])
	if err != nil {
		c.reject(min(i+n, len(c.args)-1), "source: %v", err)
		return 0, false
	}
	return n, true
}

// serverOptions reads the words from argument first on.
func (c *call) serverOptions(s *settings.Server, first int, defaults bool) {
	for i := first; i < len(c.args); i++ {
		w := c.args[i]
		if w.Text == "source" {
			n, ok := c.serverSource(s, i+1)
			if !ok {
				return
			}
			i += n
			continue
		}
		if w.Text == "usesrc" {
			c.reject(i, "usesrc goes behind \"source ADDRESS\"")
			return
		}
		row, ok := serverOptions.Lookup(w.Text)
		if !ok {
			i += c.unbuiltServerOption(i)
			continue
		}
		if defaults && row.Do.noDefault {
			c.reject(i, "%q is not accepted in default-server", w.Text)
		}
		if i+row.Do.args >= len(c.args) {
			c.reject(i, "%s: missing %s", row.Name, row.Syntax)
			return
		}
		var value line.Word
		if row.Do.args > 0 {
			value = c.args[i+1]
		}
		if err := row.Do.do(c, s, value); err != nil {
			c.reject(i+row.Do.args, "%s: %v", row.Name, err)
		}
		i += row.Do.args
	}
}

// unbuiltServerOption reports option i, which has no row, and returns the
// number of its arguments.
func (c *call) unbuiltServerOption(i int) int {
	n := c.unbuiltOption(c.args[i], knownServer, serverOptions.Names(), "server option")
	if c.args[i].Text == "source" && c.arg(i+2) == "usesrc" {
		n += 2
	}
	return n
}
