package directive

import (
	"strings"
	"time"

	"herald/config"
	"herald/proxy/settings"
)

// value makes the row of a global keyword with one argument.
func value(name, syntax, example, doc string, read func(c *call, g *settings.Global)) config.Row[keyword] {
	return config.Row[keyword]{Name: name, Syntax: syntax, Example: name + " " + example, Doc: doc,
		Do: keyword{in: inGlobal, min: 1, max: 1, read: func(c *call) { read(c, &c.cfg.Global) }}}
}

var globalRows = []config.Row[keyword]{
	value("chroot", "DIRECTORY", "/var/lib/haproxy", "Directory the proxy process locks itself into.",
		func(c *call, g *settings.Global) { g.Chroot = c.arg(0) }),
	{Name: "daemon", Example: "daemon",
		Doc: "Goes to the background; of no effect under a supervisor.",
		Do:  keyword{in: inGlobal, read: func(c *call) { c.cfg.Global.Daemon = true }}},
	{Name: "description", Syntax: "TEXT", Example: "description controller 1",
		Doc: "A text about this machine for the statistics.",
		Do: keyword{in: inGlobal, min: 1, max: many, read: func(c *call) {
			c.cfg.Global.Description = strings.Join(c.texts(0), " ")
		}}},
	value("gid", "GID", "106", "Group number the proxy process runs as.",
		func(c *call, g *settings.Global) {
			if n, ok := c.number(0, 0, maxCount); ok && c.unset(g.GID, "group") {
				g.GID = n
			}
		}),
	value("group", "NAME", "haproxy", "Group the proxy process runs as.",
		func(c *call, g *settings.Global) {
			if c.unset(g.GID, "group") {
				g.Group = c.arg(0)
				c.owner(&g.GID, c.opt.LookupGroup, "group")
			}
		}),
	value("hard-stop-after", "TIME", "30s", "Longest time an old process may go on after a reload.",
		func(c *call, g *settings.Global) {
			if d, ok := c.duration(0, time.Millisecond); ok {
				g.HardStopAfter = d
			}
		}),
	value("maxconn", "N", "4000", "Highest number of connections of the whole process.",
		func(c *call, g *settings.Global) {
			if g.MaxConn != 0 {
				c.warn(0, "already given as %d, which stays", g.MaxConn)
				return
			}
			if n, ok := c.number(0, 0, maxCount); ok {
				g.MaxConn = n
			}
		}),
	value("maxconnrate", "N", "200", "Highest number of connections accepted in a second; more wait in the kernel's queue.",
		func(c *call, g *settings.Global) { c.limit(0, &g.MaxConnRate) }),
	value("maxsessrate", "N", "200", "Highest number of connections in a second that \"tcp-request connection\" lets in; more wait in the kernel's queue.",
		func(c *call, g *settings.Global) { c.limit(0, &g.MaxSessRate) }),
	value("maxsslconn", "N", "1000", "Highest number of TLS connections of clients at a time; more wait in the kernel's queue. Where more than 1,000 on a loop wait for clients in the handshake, the longest silent are ended.",
		func(c *call, g *settings.Global) { c.limit(0, &g.MaxTLSConn) }),
	value("maxsslrate", "N", "100", "Highest number of TLS connections accepted in a second; more wait in the kernel's queue.",
		func(c *call, g *settings.Global) { c.limit(0, &g.MaxTLSRate) }),
	value("nbthread", "N", "2", "Number of event loops, 1 to 64; one per processor when unset.",
		func(c *call, g *settings.Global) {
			if n, ok := c.number(0, 1, 64); ok {
				g.NbThread = n
			}
		}),
	value("node", "NAME", "controller-0", "Name of this machine in the statistics; the host name when unset.",
		func(c *call, g *settings.Global) { g.Node = c.arg(0) }),
	value("pidfile", "FILE", "/run/haproxy.pid", "File that gets the process number.",
		func(c *call, g *settings.Global) { g.PidFile = c.arg(0) }),
	value("spread-checks", "PERCENT", "5", "Random share, 0 to 50, added to and taken from the time between health checks.",
		func(c *call, g *settings.Global) {
			if n, ok := c.number(0, 0, 50); ok {
				g.SpreadChecks = n
			}
		}),
	value("stats maxconn", "N", "20", "Sessions of the runtime interface served at a time, 10 when unset; others wait.",
		func(c *call, g *settings.Global) {
			if n, ok := c.number(0, 1, maxCount); ok {
				g.StatsMaxConn = n
			}
		}),
	{Name: "stats socket", Syntax: "PATH | ADDRESS:PORT [OPTION ...]", Example: "stats socket /run/haproxy/admin.sock mode 660 level admin",
		Doc: "Takes commands of the runtime interface on a socket.",
		Do:  keyword{in: inGlobal, min: 1, max: many, read: readStatsSocket}},
	value("stats timeout", "TIME", "30s", "Longest silence of a session on a stats socket.",
		func(c *call, g *settings.Global) {
			if d, ok := c.duration(0, time.Millisecond); ok {
				g.StatsTimeout = d
			}
		}),
	value("tune.bufsize", "SIZE", "16384", "Bytes of a buffer; a request head must fit into one.",
		func(c *call, g *settings.Global) {
			if n, ok := c.size(0, 1024, 1<<30); ok {
				g.BufSize = n
			}
		}),
	value("tune.http.logurilen", "N", "2048", "Bytes of a request line in the log, 1024 when unset.",
		func(c *call, g *settings.Global) {
			if n, ok := c.number(0, 1, maxCount); ok {
				g.LogURILen = n
			}
		}),
	value("tune.http.maxhdr", "N", "200", "Lines a message's head may have in HTTP/1, the start line included, 101 when unset; in HTTP/2 twice as many.",
		func(c *call, g *settings.Global) {
			if n, ok := c.number(0, 1, 32767); ok {
				g.MaxHeaders = n
			}
		}),
	value("tune.maxrewrite", "SIZE", "1024", "Bytes of a buffer kept free for added headers; half a buffer at most.",
		func(c *call, g *settings.Global) {
			if n, ok := c.size(0, 0, 1<<30); ok {
				g.MaxRewrite = n
			}
		}),
	value("tune.rcvbuf.client", "SIZE", "65536", "Bytes the system holds of what a client has sent; as the connection needs when unset.",
		func(c *call, g *settings.Global) { c.buffer(&g.ReceiveBufferClient) }),
	value("tune.rcvbuf.server", "SIZE", "65536", "Bytes the system holds of what a server has sent; as the connection needs when unset.",
		func(c *call, g *settings.Global) { c.buffer(&g.ReceiveBufferServer) }),
	value("tune.sndbuf.client", "SIZE", "65536", "Bytes the system holds of what is to go to a client; as the connection needs when unset.",
		func(c *call, g *settings.Global) { c.buffer(&g.SendBufferClient) }),
	value("tune.sndbuf.server", "SIZE", "65536", "Bytes the system holds of what is to go to a server; as the connection needs when unset.",
		func(c *call, g *settings.Global) { c.buffer(&g.SendBufferServer) }),
	value("uid", "UID", "106", "User number the proxy process runs as.",
		func(c *call, g *settings.Global) {
			if n, ok := c.number(0, 0, maxCount); ok && c.unset(g.UID, "user") {
				g.UID = n
			}
		}),
	value("user", "NAME", "haproxy", "User the proxy process runs as.",
		func(c *call, g *settings.Global) {
			if c.unset(g.UID, "user") {
				g.User = c.arg(0)
				c.owner(&g.UID, c.opt.LookupUser, "user")
			}
		}),
}

var environmentRows = []config.Row[keyword]{
	{Name: "presetenv", Syntax: "NAME VALUE", Example: "presetenv REGION north",
		Doc: "Sets a variable for the lines below unless it is set.",
		Do:  keyword{in: inGlobal, min: 2, max: 2, read: func(*call) {}}},
	{Name: "resetenv", Syntax: "[NAME ...]", Example: "resetenv PATH",
		Doc: "Drops all variables but the named ones for the lines below.",
		Do:  keyword{in: inGlobal, max: many, read: func(*call) {}}},
	{Name: "setenv", Syntax: "NAME VALUE", Example: "setenv REGION north",
		Doc: "Sets a variable for the lines below.",
		Do:  keyword{in: inGlobal, min: 2, max: 2, read: func(*call) {}}},
	{Name: "unsetenv", Syntax: "[NAME ...]", Example: "unsetenv REGION",
		Doc: "Drops variables for the lines below.",
		Do:  keyword{in: inGlobal, max: many, read: func(*call) {}}},
}

// unset reports whether an owner has not been given; a second one is ignored
// with a warning, as in HAProxy.
func (c *call) unset(id int, what string) bool {
	if id >= 0 {
		c.warn(0, "%s already given as %d, which stays", what, id)
	}
	return id < 0
}

// buffer reads argument 0 as the size of a buffer of the system.
func (c *call) buffer(to *int) {
	if *to != 0 {
		c.warn(0, "already given as %d, which stays", *to)
		return
	}
	if n, ok := c.size(0, 0, 1<<30); ok {
		*to = n
	}
}

// limit reads argument i as a limit that is given once, 0 for none.
func (c *call) limit(i int, to *int) {
	if *to != 0 {
		c.warn(i, "already given as %d, which stays", *to)
		return
	}
	if n, ok := c.number(i, 0, maxCount); ok {
		*to = n
	}
}

// owner looks the user or group of argument 0 up.
func (c *call) owner(to *int, find func(string) (int, error), what string) {
	if err := c.lookup(to, find, what, c.arg(0)); err != nil {
		c.reject(0, "%v", err)
	}
}

// size reads argument i as a size in bytes.
func (c *call) size(i, lo, hi int) (int, bool) {
	n, err := config.Size(c.arg(i))
	if err != nil {
		c.reject(i, "%v", err)
		return 0, false
	}
	if n < int64(lo) || n > int64(hi) {
		c.reject(i, "%d is outside %d to %d", n, lo, hi)
		return 0, false
	}
	return int(n), true
}

func readStatsSocket(c *call) {
	for _, b := range c.addresses(0) {
		s := settings.StatsSocket{Pos: c.line.Pos, Bind: b, Level: settings.LevelOperator}
		c.bindOptions(&s.Bind, &s)
		if c.finishBindTLS(s.Bind.TLS) != nil {
			c.diags.Unsupported(c.line.Pos, config.Error, "stats socket with", "ssl", "HAProxy")
		}
		c.cfg.Global.StatsSockets = append(c.cfg.Global.StatsSockets, s)
	}
}
