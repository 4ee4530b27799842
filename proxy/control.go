package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"herald/proxy/admin"
	"herald/proxy/check"
	"herald/proxy/logline"
	"herald/stats"
)

// This file is what the runtime API asks of the engine.

var _ admin.Proxy = (*Server)(nil)

// pageActions are the health events of the page's form.
var pageActions = map[string]check.Kind{
	"ready": check.SetReady, "drain": check.SetDrain, "maint": check.SetMaint,
	"dagent": check.DisableAgent, "eagent": check.EnableAgent, "arunn": check.ForceAgentUp, "adown": check.ForceAgentDown,
	"dhlth": check.DisableCheck, "ehlth": check.EnableCheck,
	"hrunn": check.ForceUp, "hnolb": check.ForceNoLB, "hdown": check.ForceDown,
}

// find returns a server by the names of the configuration.
func (s *Server) find(backendName, server string) (*target, error) {
	for _, b := range s.backends {
		if b.cfg.Name != backendName {
			continue
		}
		for _, t := range b.targets {
			if t.cfg.Name == server {
				return t, nil
			}
		}
		return nil, admin.NoSuchServer
	}
	return nil, admin.NoSuchBackend
}

func (s *Server) frontend(name string) (*frontend, error) {
	for _, f := range s.frontends {
		if f.cfg.Name == name {
			return f, nil
		}
	}
	return nil, admin.NoSuchFrontend
}

func (s *Server) change(backend, server string, kind check.Kind) error {
	t, err := s.find(backend, server)
	if err == nil {
		s.step(t, check.Event{Kind: kind, Chance: 0.5})
	}
	return err
}

// SetServerState puts a server in an administrative state.
func (s *Server) SetServerState(backend, server string, state admin.ServerState) error {
	return s.change(backend, server, [...]check.Kind{admin.StateReady: check.SetReady, admin.StateDrain: check.SetDrain,
		admin.StateMaint: check.SetMaint}[state])
}

// SetServerHealth forces the health of a server.
func (s *Server) SetServerHealth(backend, server string, h admin.ServerHealth) error {
	if t, err := s.find(backend, server); err == nil && t.lead != nil {
		return admin.TrackingServer
	}
	return s.change(backend, server, [...]check.Kind{admin.HealthUp: check.ForceUp, admin.HealthStopping: check.ForceNoLB,
		admin.HealthDown: check.ForceDown}[h])
}

// SetServerCheck switches the health checks of a server.
func (s *Server) SetServerCheck(backend, server string, on bool) error {
	t, err := s.find(backend, server)
	if err != nil {
		return err
	}
	if on {
		if !t.cfg.Check {
			return admin.NoHealthCheck
		}
		return s.change(backend, server, check.EnableCheck)
	}
	return s.change(backend, server, check.DisableCheck)
}

// SetServerWeight sets the weight in force, 0..256.
func (s *Server) SetServerWeight(backend, server string, weight int) error {
	t, err := s.find(backend, server)
	if err != nil {
		return err
	}
	if t.be.group.Kind().Static && weight != 0 && weight != t.cfg.Weight {
		return admin.StaticWeight
	}
	s.weigh(t, weight)
	return nil
}

// SetServerAddr sets the address of a server, and its port unless 0.
// Connections that stand stay where they are.
func (s *Server) SetServerAddr(backend, server, host string, port int) error {
	t, err := s.find(backend, server)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return fmt.Errorf("Invalid addr family for new address %q.", host)
	}
	if port == 0 {
		port = t.cfg.Port
		if a := t.addr.Load(); a != nil && a.ip.IsValid() {
			port = int(a.ip.Port())
		}
	}
	t.addr.Store(newAddress(netip.AddrPortFrom(ip.Unmap(), uint16(port))))
	t.placed.Store(true)
	t.byHand.Store(true)
	if t.lost() {
		s.step(t, check.Event{Kind: check.Located, Name: t.cfg.Host, Chance: 0.5})
	}
	s.novelty()
	for _, w := range s.workers {
		w.l.Post(func() { w.dropIdle(t) })
	}
	return nil
}

// dropIdle closes the idle connections to t.
func (w *worker) dropIdle(t *target) {
	if t.slot < len(w.idle) {
		for _, u := range slices.Clone(w.idle[t.slot]) {
			u.unpark()
		}
	}
	w.retireH2(t)
}

// SetServerMaxConn sets the server's maxconn; 0 means no limit.
func (s *Server) SetServerMaxConn(backend, server string, n int) error {
	t, err := s.find(backend, server)
	if err != nil {
		return err
	}
	t.limitTo(int64(n))
	s.novelty()
	t.grant()
	return nil
}

// SetFrontendMaxConn sets the frontend's maxconn.
func (s *Server) SetFrontendMaxConn(name string, n int) error {
	f, err := s.frontend(name)
	if err == nil {
		f.maxConn.Store(int64(n))
		s.novelty()
		f.resume()
	}
	return err
}

// SetMaxConn sets the process-wide maxconn, 0 the configured one.
func (s *Server) SetMaxConn(n int) error {
	if n == 0 {
		n = s.defaultMaxConn()
	}
	s.maxConn.Store(int64(n))
	s.novelty()
	for _, f := range s.frontends {
		f.resume()
	}
	return nil
}

// SetMaxRate sets how many connections, or others of them, are accepted in a
// second; 0 means no limit.
func (s *Server) SetMaxRate(of admin.Rate, n int) error {
	s.paces()[of].limit.Store(int64(n))
	s.novelty()
	for _, f := range s.frontends {
		f.resume()
	}
	return nil
}

// paces are those of the process, by admin.Rate.
func (s *Server) paces() []*pace { return []*pace{&s.connPace, &s.sessPace, &s.tlsPace} }

// SetFrontend pauses or resumes a frontend's listeners.
func (s *Server) SetFrontend(name string, on bool) error {
	f, err := s.frontend(name)
	if err != nil {
		return err
	}
	f.off.Store(!on)
	s.novelty()
	did := "Resumed"
	if on {
		f.resume()
	} else {
		did = "Paused"
		f.pause()
	}
	what := "frontend"
	if f.cfg.Backend {
		what = "proxy"
	}
	s.tell(f.log, logline.Warning, fmt.Sprintf("%s %s %s.", did, what, name))
	s.partChanged()
	return nil
}

// ShutdownServerSessions ends every session on a server (termination K).
func (s *Server) ShutdownServerSessions(backend, server string) error {
	t, err := s.find(backend, server)
	if err == nil {
		s.cut(t, 'K')
	}
	return err
}

// patience bounds how long an answer of the loops is waited for.
const patience = 2 * time.Second

// ask runs f on every loop and waits for all of them, or until a loop that
// does not turn has been waited for long enough.
func (s *Server) ask(f func(*worker)) {
	done := make(chan struct{}, len(s.workers))
	n := 0
	for _, w := range s.workers {
		if w.l.Post(func() { f(w); done <- struct{}{} }) {
			n++
		}
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for range n {
		select {
		case <-done:
		case <-limit.C:
			return
		case <-s.ctx.Done():
			return
		}
	}
}

// ShutdownSession ends one session by its ID; false when there is none.
func (s *Server) ShutdownSession(id uint64) bool {
	var n atomic.Int64
	s.ask(func(w *worker) {
		n.Add(int64(w.endStreams('K', func(x *stream) bool { return x.id == id })))
	})
	return n.Load() > 0
}

// Sessions answers the sessions of this moment, oldest first.
func (s *Server) Sessions() []admin.Session {
	lists := make([][]admin.Session, len(s.workers))
	s.ask(func(w *worker) { lists[w.id] = w.sessions() })
	all := slices.Concat(lists...)
	slices.SortFunc(all, func(a, b admin.Session) int { return int(int64(a.ID) - int64(b.ID)) })
	return all
}

func (w *worker) sessions() []admin.Session {
	var list []admin.Session
	now := w.l.Now()
	for c := w.open; c != nil; c = c.after {
		x := c.x
		if x == nil {
			continue
		}
		e := admin.Session{ID: x.id, Proto: "tcpv4", Source: c.peer.String(), Frontend: x.fe.cfg.Name, Age: time.Duration(now - x.accept)}
		switch {
		case !c.peer.IsValid():
			e.Proto, e.Source = "unix_stream", "unix:"+fmt.Sprint(c.port.id)
		case c.peer.Addr().Is6():
			e.Proto = "tcpv6"
		}
		if x.be != nil {
			e.Backend = x.be.cfg.Name
		}
		if x.assigned != nil {
			e.Server = x.assigned.cfg.Name
		}
		if c.timer.Armed() {
			e.Expires = time.Duration(c.timer.When() - now)
		}
		list = append(list, e)
	}
	return list
}

// ClearCounters resets the maxima, or with all every counter. What a
// generation that drains has counted is cleared in the one that serves.
func (s *Server) ClearCounters(all bool) {
	all = all && !s.draining.Load()
	s.clearTallies(all)
	for _, f := range s.frontends {
		f.conns.most.Store(f.conns.now.Load())
		f.connRate.most.Store(0)
		f.reqRate.most.Store(0)
	}
	for _, b := range s.backends {
		b.sessions.most.Store(b.sessions.now.Load())
		b.line.n.most.Store(b.line.n.now.Load())
		b.sessRate.most.Store(0)
		b.mu.Lock()
		if all {
			b.downs = 0
		}
		for _, t := range b.targets {
			t.sessions.most.Store(t.sessions.now.Load())
			t.line.n.most.Store(t.line.n.now.Load())
			t.sessRate.most.Store(0)
			if all {
				t.state.Fails, t.state.Downs = 0, 0
			}
		}
		b.mu.Unlock()
	}
	s.connRate.most.Store(0)
	s.novelty()
}

// SetInstances replaces the VRRP instances shown on the statistics page.
func (s *Server) SetInstances(list []stats.Instance) { s.instances.Store(&list) }
