package proxy

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"herald/proxy/check"
)

// This file is option share-checks: servers of several backends that are
// checked in the same way at the same address share one check. Its outcome
// counts for each of them, so that they also come due together.

// sharing are the targets of one such check.
type sharing struct {
	members []*target

	mu sync.Mutex // held during a check
}

// share joins the targets whose checks are the same. It runs before the
// checks begin.
func (s *Server) share() {
	byKey := map[string]*sharing{}
	for _, b := range s.backends {
		for _, t := range b.targets {
			key, ok := t.checkKey()
			if !ok {
				continue
			}
			g := byKey[key]
			if g == nil {
				g = &sharing{}
				byKey[key] = g
			}
			g.members = append(g.members, t)
		}
	}
	for _, g := range byKey {
		if len(g.members) > 1 {
			for _, t := range g.members {
				t.shared = g
			}
		}
	}
}

// checkKey names everything that the outcome of t's check depends on.
func (t *target) checkKey() (string, bool) {
	c := t.be.cfg.Check
	a := t.addr.Load()
	if !t.cfg.Check || !c.Share || a == nil || c.External != nil {
		return "", false
	}
	kind := c.Script
	if kind == nil {
		kind = plainCheck
	}
	what, ok := kind.Key()
	if !ok {
		return "", false
	}
	times := t.be.cfg.Timeouts
	if t.cfg.TLS != nil {
		what += fmt.Sprintf("|%+v", *t.cfg.TLS)
	}
	return fmt.Sprint(a.text, "|", t.cfg.CheckAddr, "|", t.cfg.CheckPort, "|", t.cfg.Checks, t.cfg.Socks4, t.cfg.SendProxy, "|", t.cfg.Namespace, t.cfg.Source, t.be.cfg.Source, "|", t.check.Inter, t.check.Fast, t.check.Down, "|",
		times.Connect, times.Check, "|", what), true
}

// checkTogether checks t and those it shares with, unless one of them just
// did.
func (s *Server) checkTogether(t *target) {
	g := t.shared
	g.mu.Lock()
	defer g.mu.Unlock()
	t.be.mu.Lock()
	late := t.state.Next
	t.be.mu.Unlock()
	if late.IsZero() || time.Until(late) > 0 {
		return
	}
	r := s.probe(t)
	if s.ctx.Err() != nil {
		return
	}
	chance := rand.Float64()
	for _, m := range g.members {
		if m == t || m.sameAim(t) {
			s.step(m, check.Event{Kind: check.Checked, Result: r, Chance: chance})
			m.lookAgain()
		}
	}
}

// sameAim reports whether the checks of both still go to the same place: an
// operator may have moved one.
func (t *target) sameAim(o *target) bool {
	a, b := t.aimed(), o.aimed()
	x, y := t.addr.Load(), o.addr.Load()
	return a.checkAddr == b.checkAddr && a.checkPort == b.checkPort && x != nil && y != nil && x.text == y.text
}
