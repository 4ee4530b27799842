package fsm

import (
	"math/rand/v2"
	"testing"
	"time"
)

// newWorld3 is a world of version 3 whose nodes advertise at intervals of
// their own (RFC 9568 section 6.1).
func newWorld3(seed uint64, intervals []time.Duration, priorities ...uint8) *world {
	w := newWorld(seed, priorities...)
	for i, n := range w.nodes {
		every := intervals[i%len(intervals)]
		n.cfg.Interval, n.cfg.SkewBase, n.teaches = every, every, every
		n.state = State{}
		w.step(n, Start{Priority: priorities[i]})
	}
	return w
}

func TestNodesWithDifferentIntervalsAgreeInVersion3(t *testing.T) {
	choice := []time.Duration{100 * time.Millisecond, 250 * time.Millisecond, time.Second}
	for seed := range seeds(t) {
		rng := rand.New(rand.NewPCG(seed, 31))
		p := priorities(rng)
		intervals := make([]time.Duration, len(p))
		for i := range intervals {
			intervals[i] = choice[rng.IntN(len(choice))]
		}
		w := newWorld3(seed, intervals, p...)
		w.loss = 0.1 * rng.Float64()
		w.run(15 * time.Second)
		w.loss = 0
		w.run(5 * time.Second)
		m := w.masters()
		w.check(t, seed, "one master", len(m) == 1)
		master := w.nodes[m[0]]
		for _, n := range w.nodes {
			w.check(t, seed, "the master has the best priority", n.state.Priority <= master.state.Priority)
			if n != master {
				w.check(t, seed, "everybody counts the master's interval", n.state.PeerInterval == master.teaches)
			}
		}
		// Its death is noticed after the master's interval, not one's own.
		w.gap = 0
		master.dead = true
		w.run(10 * time.Second)
		w.check(t, seed, "one successor", len(w.masters()) == 1)
		limit := 4*master.teaches + 50*time.Millisecond
		w.check(t, seed, "gap within three intervals of the master and skew", w.gap <= limit)
	}
}

func TestTenMillisecondsElectOneMaster(t *testing.T) {
	for seed := range seeds(t) {
		rng := rand.New(rand.NewPCG(seed, 32))
		w := newWorld3(seed, []time.Duration{10 * time.Millisecond}, priorities(rng)...)
		w.delay = 200 * time.Microsecond
		w.run(time.Second)
		m := w.masters()
		w.check(t, seed, "one master", len(m) == 1)
		w.gap = 0
		w.nodes[m[0]].dead = true
		w.run(time.Second)
		w.check(t, seed, "one successor", len(w.masters()) == 1)
		w.check(t, seed, "gap within 45 ms", w.gap <= 45*time.Millisecond)
	}
}
