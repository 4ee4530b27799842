package proxy

import (
	"time"

	"herald/proxy/check"
)

// heat works out how much of t's weight and maxconn are in force. It needs the
// backend's mutex held.
func (t *target) heat(now time.Time) {
	weight, percent := t.state.Warmth(t.check, now)
	t.warmth = weight
	if percent == 100 {
		t.warm.Store(0)
		return
	}
	t.warm.Store(int64(percent) + 1)
}

// throttle is the percentage of t's weight in force, of the statistics; 0 when
// it does not warm up. It needs the backend's mutex held.
func (t *target) throttle() int {
	if t.state.Op != check.Starting || t.state.Admin != 0 {
		return 0
	}
	if t.weight == 0 || t.be.group.Kind().Static {
		return 100
	}
	return (100*t.weight*t.warmth + check.Sixteenths - 1) / (check.Sixteenths * t.weight)
}

// force is t's weight in force. It needs the backend's mutex held.
func (t *target) force() int {
	if t.warmth == 0 || t.be.group.Kind().Static {
		return t.weight
	}
	return (t.weight*t.warmth + check.Sixteenths - 1) / check.Sixteenths
}

// warmUp gives the servers that warm up their next step in time. It belongs
// to wg and ends with ctx.
func (s *Server) warmUp() {
	tick := time.NewTicker(heartbeat / 4)
	defer tick.Stop()
	steps := map[*target]time.Duration{} // those made since it began
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-tick.C:
			for _, b := range s.backends {
				for _, t := range b.targets {
					if t.check.SlowStart == 0 || t.warm.Load() == 0 {
						continue
					}
					t.be.mu.Lock()
					since := t.state.Since
					t.be.mu.Unlock()
					if n := now.Sub(since) / t.check.WarmingPause(); n != steps[t] {
						steps[t] = n
						s.step(t, check.Event{Kind: check.Warmed})
					}
				}
			}
		}
	}
}

// warms reports whether any server is to warm up.
func (s *Server) warms() bool {
	for _, b := range s.backends {
		for _, t := range b.targets {
			if t.check.SlowStart > 0 {
				return true
			}
		}
	}
	return false
}

// cutBackups ends the streams on the backup servers of b: an active one is up
// again.
func (s *Server) cutBackups(b *backend) {
	for _, t := range b.targets {
		if t.cfg.Backup {
			s.cut(t, 'U')
		}
	}
}
