package admin

import (
	"fmt"
	"net/netip"
	"strconv"

	"herald/config"
	"herald/stats"
)

// checkRows are the commands about agents.
var checkRows = []config.Row[command]{
	{Name: "enable agent", Syntax: "enable agent", Doc: "enable agent checks", Example: "enable agent be/srv", Do: command{Admin, serverAgent(true)}},
	{Name: "disable agent", Syntax: "disable agent", Doc: "disable agent checks", Example: "disable agent be/srv", Do: command{Admin, serverAgent(false)}},
}

// InvalidAddr is the error of an address that is none.
func InvalidAddr(host string) error { return fmt.Errorf("invalid addr '%s'", oneLine(host)) }

func serverAgent(on bool) func(*session, []string) {
	return func(x *session, args []string) {
		if r := x.find(args); r != nil {
			x.report(x.server.proxy.SetServerAgentCheck(r.Proxy, r.Name, on))
		}
	}
}

// asked reports whether the server has an agent that is asked.
func asked(r *stats.Row) bool { return r.AgentChecked }

const notAsked = "agent checks are not enabled on this server"

func setAgent(x *session, r *stats.Row, args []string) {
	switch {
	case !asked(r):
		x.err(notAsked + ".")
	case first(args) != "up" && first(args) != "down":
		x.err("'set server <srv> agent' expects 'up' or 'down'.")
	default:
		x.report(x.server.proxy.SetServerAgent(r.Proxy, r.Name, first(args) == "up"))
	}
}

func setAgentSend(x *session, r *stats.Row, args []string) {
	if !asked(r) {
		x.err(notAsked + ".")
		return
	}
	x.report(x.server.proxy.SetServerAgentSend(r.Proxy, r.Name, first(args)))
}

// setAim makes the command that moves a check: word is its name, enabled
// whether the server is checked so, and set carries it out.
func setAim(word, off string, enabled func(*stats.Row) bool, set func(p Proxy) func(backend, server, host string, port int) error) func(*session, *stats.Row, []string) {
	return func(x *session, r *stats.Row, args []string) {
		switch {
		case len(args) == 0:
			x.err("set server <b>/<s> " + word + "-addr requires an address and optionally a port.")
			return
		case !enabled(r):
			x.err(off)
			return
		}
		if _, err := netip.ParseAddr(args[0]); err != nil {
			x.report(InvalidAddr(args[0]))
			return
		}
		port, ok := -1, true
		if len(args) > 2 && args[1] == "port" {
			port, ok = x.port(args[2])
		}
		if ok {
			x.report(set(x.server.proxy)(r.Proxy, r.Name, args[0], port))
		}
	}
}

// setPort is setAim for the port alone.
func setPort(word, off string, enabled func(*stats.Row) bool, set func(p Proxy) func(backend, server, host string, port int) error) func(*session, *stats.Row, []string) {
	return func(x *session, r *stats.Row, args []string) {
		switch {
		case len(args) == 0:
			x.err("set server <b>/<s> " + word + "-port requires a port.")
			return
		case !enabled(r):
			x.err(off)
			return
		}
		if port, ok := x.port(args[0]); ok {
			x.report(set(x.server.proxy)(r.Proxy, r.Name, "", port))
		}
	}
}

// port reads 0 to 65535; 0 takes back what was set.
func (x *session) port(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		x.err("provided port is not an integer")
	case n < 0 || n > 65535:
		x.err("provided port is invalid")
	default:
		return n, true
	}
	return 0, false
}

func checkedServer(r *stats.Row) bool { return r.Checked }

func moveCheck(p Proxy) func(backend, server, host string, port int) error {
	return p.SetServerCheckAddr
}

func moveAgent(p Proxy) func(backend, server, host string, port int) error {
	return p.SetServerAgentAddr
}

const notChecked = "health checks are not enabled on this server"
