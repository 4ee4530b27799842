package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"herald/proxy/check"
	"herald/proxy/check/probe"
	checks "herald/proxy/check/script"
	"herald/proxy/proxyproto"
)

// checkVars are the variables that health checks keep between runs. The
// process's are shared by all checks; a server's own live in its watch.
type checkVars struct {
	mu   sync.Mutex
	vars map[string]string // "proc.x"
}

// snapshot answers a copy a run may change.
func (v *checkVars) snapshot() map[string]string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.vars)
}

// keep takes over what a run left of the process's variables.
func (v *checkVars) keep(after map[string]string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.vars = nil
	for name, value := range after {
		if strings.HasPrefix(name, "proc.") {
			if v.vars == nil {
				v.vars = map[string]string{}
			}
			v.vars[name] = value
		}
	}
}

// plainCheck is the check of a backend without an option for it.
var plainCheck = func() *checks.Script {
	s := &checks.Script{}
	s.Finish()
	return s
}()

// probe performs one health check of t.
func (s *Server) probe(t *target) check.Result {
	a := t.addr.Load()
	if a == nil {
		return check.Result{Status: check.SOCKERR, Info: "No address"}
	}
	if t.external >= 0 {
		return s.runExternal(t)
	}
	m, w, o := s.script(t, a)
	r := probe.Run(s.ctx, m, o)
	if w.Vars != nil {
		s.checkVars.keep(w.Vars)
	}
	return r
}

// checkScript is what checks do.
func (t *target) checkScript() *checks.Script {
	if kind := t.be.cfg.Check.Script; kind != nil {
		return kind
	}
	return plainCheck
}

// script begins the check of t, which is at a.
func (s *Server) script(t *target, a *address) (*checks.Machine, *checks.World, probe.Options) {
	kind := t.checkScript()
	w := &checks.World{Now: time.Now()}
	if kind.Kind != checks.Plain && kind.Kind != checks.Protocol {
		*w = s.world(t, a, kind.SendState)
		w.Vars = s.checkVars.snapshot()
	}
	return checks.Start(kind, w, s.bufSize()), w, probe.Options{
		Inter: t.check.Inter, Connect: t.be.cfg.Timeouts.Connect, Timeout: t.be.cfg.Timeouts.Check,
		Locate: func(w checks.Want) (probe.Place, error) { return t.place(a, w) },
	}
}

// place answers where a connection of a check goes: as the server line says,
// unless the rule says otherwise.
func (t *target) place(a *address, w checks.Want) (probe.Place, error) {
	c, k, to := t.cfg, w.Connect, t.aimed()
	p := probe.Place{Network: "tcp", Address: a.text}
	host := cmp.Or(k.Addr, to.checkAddr)
	if host == "" && a.unix != "" || isPath(host) {
		p.Network, p.Address = "unix", cmp.Or(host, a.unix)
		if name, ok := strings.CutPrefix(p.Address, "@"); ok {
			p.Network, p.Address = probe.Abstract, name
		}
	} else {
		at := a.ip
		if ip, known := t.hosts.find(host); known {
			at = netip.AddrPortFrom(ip, at.Port())
		}
		if port := cmp.Or(k.AddrPort, to.checkPort); port > 0 {
			at = netip.AddrPortFrom(at.Addr(), uint16(port))
		}
		if k.Port != nil {
			if w.Port < 1 || w.Port > 65535 {
				return p, fmt.Errorf("Invalid port %d", w.Port)
			}
			at = netip.AddrPortFrom(at.Addr(), uint16(w.Port))
		}
		if at.Port() == 0 {
			return p, errors.New("No port")
		}
		p.Address = at.String()
	}
	if t.checkHow != nil && p.Network == "tcp" && (k.Addr == "" || t.cfg.Namespace != "") {
		p.Control, p.How = t.checkHow.Control, t.checkHow
	}
	if at, err := netip.ParseAddrPort(p.Address); err == nil && t.socks != nil && p.Network == "tcp" && (k.Socks4 || k.Default && c.Checks.Socks4) {
		if !at.Addr().Unmap().Is4() {
			return p, errors.New("SOCKS4 Proxy knows no IPv6")
		}
		p.Address, p.Ask = c.Socks4, proxyproto.AppendSOCKS4(nil, at)
		p.Granted = func(reply [8]byte) error { return proxyproto.CheckSOCKS4(reply[:]) }
	}
	asked := k.SendProxy || k.Default && c.Checks.SendProxy
	if asked || k.Default && c.CheckAddr == "" && c.CheckPort == 0 && k.Port == nil { // elsewhere nobody may expect it
		p.Header = c.SendProxy.Version
	}
	if asked && p.Header == 0 {
		p.Header = 1
	}
	if k.TLS || k.Default && c.TLS != nil && c.TLS.Check {
		p.TLS = t.checkTLS(k)
	}
	if kind := t.be.cfg.Check.Script; kind != nil && kind.Kind == checks.HTTP {
		proto := cmp.Or(k.Proto, c.Checks.Proto, c.Proto)
		p.HTTP, p.H2 = proto == "", proto == "h2"
	}
	return p, nil
}

// world is what the expressions of a check may tell.
func (s *Server) world(t *target, a *address, state bool) checks.World {
	b := t.be
	w := checks.World{Backend: b.cfg.Name, Server: t.cfg.Name, BackendID: b.cfg.ID, ServerID: t.cfg.ID, Addr: "unix", Port: "unix",
		Host: s.opts.Node, Pid: s.opts.Pid, Conns: int(b.sessions.now.Load()), ServerConns: int(t.sessions.now.Load()),
		Now: time.Now(), Env: os.Getenv}
	if w.Host == "" {
		w.Host, _ = os.Hostname()
	}
	if a.unix == "" {
		w.Addr, w.Port = a.ip.Addr().String(), strconv.Itoa(int(a.ip.Port()))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	active, backup, weight := b.group.Counts()
	w.Usable = active + backup
	w.Running = t.state.Op != check.Stopped
	if state {
		w.State = fmt.Sprintf("%s; address=%s; port=%s; name=%s/%s; node=%s; weight=%d/%d; scur=%d/%d; qcur=%d",
			t.state.Header(t.check), w.Addr, w.Port, w.Backend, w.Server, s.opts.Node, t.weight, weight, w.ServerConns, w.Conns, t.line.n.now.Load())
	}
	return w
}
