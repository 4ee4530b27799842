package proxy

import (
	"sync"
	"sync/atomic"
	"time"
)

// pace bounds how often something happens in a second: as often as the limit
// at once, then evenly. What happened in the second before counts by the share
// of it that lies within the last second, as in HAProxy. The zero value bounds
// nothing, and costs a load.
type pace struct {
	limit atomic.Int64 // 0: none
	mu    sync.Mutex   // guards the rest
	since int64        // the second under way began
	now   int64        // how often in it
	last  int64        // and in the one before
}

// wait is how long it takes until one more may happen, in nanoseconds of the
// loops' clock; 0 is at once.
func (p *pace) wait(at int64) int64 {
	limit := p.limit.Load()
	if limit == 0 {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle(at) {
		return 0
	}
	p.turn(at)
	passed, second := at-p.since, int64(time.Second)
	if p.now >= limit {
		return max(second-passed, 0) + 1
	}
	if p.last == 0 {
		return 0
	}
	// now + last * (1 - passed) < limit
	return max(second-second/p.last*(limit-p.now)+1-passed, 0)
}

// count notes one more.
func (p *pace) count(at int64) {
	if p.limit.Load() == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn(at)
	p.now++
}

// idle reports that nothing that happened counts any more: a second begins
// with what happens next.
func (p *pace) idle(at int64) bool {
	return at-p.since >= 2*int64(time.Second) || p.now == 0 && p.last == 0
}

// turn begins another second when the one under way is over.
func (p *pace) turn(at int64) {
	switch passed := at - p.since; {
	case p.idle(at):
		p.since, p.now, p.last = at, 0, 0
	case passed >= int64(time.Second):
		p.since, p.now, p.last = p.since+int64(time.Second), 0, p.now
	}
}

// early is how long the port is to rest until no rate forbids another
// connection; 0 is not at all.
func (p *port) early() int64 {
	s, at := p.w.s, p.w.l.Now()
	rest := max(s.connPace.wait(at), s.sessPace.wait(at), p.fe.pace.wait(at))
	if p.tls != nil {
		rest = max(rest, s.tlsPace.wait(at))
	}
	return rest
}

// letIn counts a connection that the rules about connections let in.
func (c *client) letIn() {
	s, at := c.w.s, c.w.l.Now()
	s.sessPace.count(at)
	if c.port.tls != nil {
		s.tlsPace.count(at)
	}
}

// setPaces takes the rates of the file.
func (s *Server) setPaces() {
	for i, p := range s.paces() {
		p.limit.Store(s.fileRates()[i])
	}
}

// fileRates are the limits of paces by the file.
func (s *Server) fileRates() [3]int64 {
	g := &s.cfg.Global
	return [3]int64{int64(g.MaxConnRate), int64(g.MaxSessRate), int64(g.MaxTLSRate)}
}
