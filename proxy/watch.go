package proxy

import (
	"math/rand/v2"
	"time"

	"herald/proxy/check"
	"herald/proxy/check/probe"
	"herald/proxy/loop"
)

// watch has the checks of one server begin whenever its state says so. They
// run on the Server's loop for them, which owns the watch; what a loop cannot
// do, a goroutine does meanwhile.
type watch struct {
	s      *Server
	t      *target
	timer  loop.Timer
	flight probe.Flight
	away   bool   // a goroutine is at it
	again  func() // look
}

// checkGrid is what the beginnings of checks are rounded up to: those that
// come due together cost one turn of the loop.
const checkGrid = int64(5 * time.Millisecond)

// watch begins the checks of t.
func (s *Server) watch(t *target) error {
	if s.checks == nil {
		var err error
		if s.checks, err = loop.New(loop.Options{}); err != nil {
			return err
		}
	}
	c := &watch{s: s, t: t}
	c.again = c.look
	t.watch.Store(c)
	t.lookAgain()
	return nil
}

// lookAgain has the watch of t look at the state again. Any goroutine may call
// it.
func (t *target) lookAgain() {
	if c := t.watch.Load(); c != nil {
		c.s.checks.Post(c.again)
	}
}

// look sets the time of the next check.
func (c *watch) look() {
	if c.away || c.flight.Busy() {
		return
	}
	c.t.be.mu.Lock()
	when := c.t.state.Next
	c.t.be.mu.Unlock()
	l := c.s.checks
	if when.IsZero() {
		l.Disarm(&c.timer)
		return
	}
	at := l.Clock() + max(int64(time.Until(when)), 0)
	l.Arm(&c.timer, (at/checkGrid+1)*checkGrid, c)
}

// Expired begins a check; the loop calls it.
func (c *watch) Expired(*loop.Timer) {
	s, t := c.s, c.t
	if t.shared == nil && t.external < 0 && c.launch() {
		return
	}
	c.away = true
	s.wg.Go(func() {
		s.checkOnce(t)
		s.checks.Post(func() {
			c.away = false
			c.look()
		})
	})
}

// launch begins the check on the loop, if a loop can do it.
func (c *watch) launch() bool {
	s, t := c.s, c.t
	a := t.addr.Load()
	if a == nil || t.checkScript().Connects() > 1 { // each may ask for something else
		return false
	}
	m, w, o := s.script(t, a)
	t.be.mu.Lock()
	t.running = true
	t.be.mu.Unlock()
	return c.flight.Launch(s.checks, m, o, func(r check.Result) {
		if w.Vars != nil {
			s.checkVars.keep(w.Vars)
		}
		s.step(t, check.Event{Kind: check.Checked, Result: r, Chance: rand.Float64()})
		c.look()
	})
}
