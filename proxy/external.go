package proxy

import (
	"context"
	"net"
	"strconv"
	"time"

	"herald/proxy/check"
	"herald/proxy/settings"
)

// This file is option external-check. The engine runs nothing itself: it may
// have no root directory and no rights any more. It names its commands before
// it gives those up, and whoever started it runs them.

// Command is one external check, of one server.
type Command struct {
	Name string // "backend/server"
	Argv []string
	Env  []string // "NAME=VALUE"
	// Timeout ends it: the server's inter.
	Timeout time.Duration
}

// CommandResult is the end of one run.
type CommandResult struct {
	Exit     int // -1 when a signal ended it
	TimedOut bool
	Error    string // why it could not be run
}

// Commands lists the external checks of the configuration; SetRunner gets
// their indexes.
func (s *Server) Commands() []Command { return s.commands }

// SetRunner says how commands are run. It comes between New and Serve; the
// function is called by any goroutine.
func (s *Server) SetRunner(run func(ctx context.Context, index int) (CommandResult, error)) {
	s.runner = run
}

// unused is what a command is told instead of an address or a port.
const unused = "NOT_USED"

// addExternal keeps the command that checks t and answers its index, or -1.
func (s *Server) addExternal(t *target, a *address) int {
	e := t.be.cfg.Check.External
	if e == nil || !t.cfg.Check {
		return -1
	}
	p, c := t.be.cfg, Command{Name: t.be.cfg.Name + "/" + t.cfg.Name, Timeout: t.cfg.Inter}
	host, port := "", ""
	if p.Frontend && len(p.Binds) > 0 {
		host, port = bound(&p.Binds[0])
	}
	to, toPort := t.checkedBy(a)
	c.Argv = []string{e.Command, or(host), or(port), to, or(toPort)}
	add := func(name, value string) { c.Env = append(c.Env, "HAPROXY_"+name+"="+value) }
	add("PROXY_ADDR", host)
	add("PROXY_ID", strconv.Itoa(p.ID))
	add("PROXY_NAME", p.Name)
	add("PROXY_PORT", port)
	add("SERVER_ADDR", to)
	add("SERVER_CURCONN", "0")
	add("SERVER_ID", strconv.Itoa(t.cfg.ID))
	add("SERVER_MAXCONN", strconv.Itoa(t.cfg.MaxConn))
	add("SERVER_NAME", t.cfg.Name)
	add("SERVER_PORT", toPort)
	add("SERVER_PROTO", map[bool]string{true: "h1", false: "tcp"}[p.Mode == settings.HTTP])
	add("SERVER_SSL", map[bool]string{true: "1", false: "0"}[t.cfg.TLS != nil && t.cfg.TLS.On])
	if e.Path != "" {
		c.Env = append(c.Env, "PATH="+e.Path)
	}
	s.commands = append(s.commands, c)
	return len(s.commands) - 1
}

func or(text string) string {
	if text == "" {
		return unused
	}
	return text
}

// checkedBy is the address and the port a command is to check.
func (t *target) checkedBy(a *address) (host, port string) {
	if a == nil || a.unix != "" {
		return t.cfg.Path, ""
	}
	host, port = a.ip.Addr().String(), strconv.Itoa(int(a.ip.Port()))
	if t.cfg.CheckAddr != "" {
		host = t.cfg.CheckAddr
	}
	if t.cfg.CheckPort > 0 {
		port = strconv.Itoa(t.cfg.CheckPort)
	}
	return host, port
}

// bound is a bind line's address as commands are told.
func bound(b *settings.Bind) (host, port string) {
	if b.Network == "unix" {
		return b.Path, ""
	}
	host = b.Host
	if host == "" {
		host = net.IPv4zero.String()
	}
	return host, strconv.Itoa(b.Port)
}

// runExternal performs the check of t by its command.
func (s *Server) runExternal(t *target) check.Result {
	start := time.Now()
	r := check.Result{Status: check.PROCERR, Code: -1}
	if s.runner == nil {
		r.Info = "nobody runs commands for this process"
		return r
	}
	end, err := s.runner(s.ctx, t.external)
	r.Duration = time.Since(start)
	switch {
	case err != nil:
		r.Info = err.Error()
	case end.Error != "":
		r.Code, r.Info = 255, end.Error
	case end.TimedOut:
		r.Status, r.Code = check.PROCTOUT, 0
	case end.Exit == 0:
		r.Status, r.Code = check.PROCOK, 0
	default:
		r.Code = end.Exit
	}
	return r
}
