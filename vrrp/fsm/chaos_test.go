package fsm

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// maxSends is how often a router may advertise within one interval. On its own
// it does so once; it answers every lesser router that claims to be master,
// and everyone that resigns, and a new master speaks at once.
func maxSends(nodes int) int { return 2 + 3*(nodes-1) }

// chaos does something to the world at random: loss, delay, a partition, one
// way or both, a stall, a death, a start, another priority, or a clock that
// jumps while a process hands over to another.
func (w *world) chaos(rng *rand.Rand) string {
	n := w.nodes[rng.IntN(len(w.nodes))]
	switch rng.IntN(9) {
	case 0:
		w.loss = 0.3 * rng.Float64()
		return fmt.Sprintf("loss %.2f", w.loss)
	case 1:
		w.delay = time.Duration(1 + rng.Int64N(int64(50*time.Millisecond)))
		return fmt.Sprintf("delay %v", w.delay)
	case 2:
		k := rng.IntN(len(w.nodes))
		w.cut = func(a, b int) bool { return (a <= k) != (b <= k) }
		return fmt.Sprintf("partition after %d", k)
	case 3:
		k := rng.IntN(len(w.nodes))
		w.cut = func(from, _ int) bool { return from == k }
		return fmt.Sprintf("nobody hears %d", k)
	case 4:
		w.cut = func(int, int) bool { return false }
		return "healed"
	case 5:
		n.slept = w.now.Add(time.Duration(rng.Int64N(int64(8 * time.Second))))
		return fmt.Sprintf("%d stalls for %v", n.id, n.slept.Sub(w.now))
	case 6:
		if n.dead {
			n.dead, n.state = false, State{}
			w.step(n, Start{Priority: uint8(90 + rng.IntN(30))})
			return fmt.Sprintf("%d starts", n.id)
		}
		n.dead, n.state = true, State{}
		return fmt.Sprintf("%d dies", n.id)
	case 7:
		if n.dead || n.slept.After(w.now) {
			return "nothing"
		}
		w.step(n, Priority{Value: uint8(90 + rng.IntN(30))})
		return fmt.Sprintf("%d has priority %d", n.id, n.state.Priority)
	default:
		if n.dead {
			return "nothing"
		}
		// What is handed over holds no time of a clock: the next process may
		// have one that is an hour off.
		jump := time.Duration(rng.Int64N(int64(2*time.Hour))) - time.Hour
		saved := n.state.Save(n.clock(w.now))
		n.offset += jump
		n.state = saved.Restore(n.clock(w.now))
		return fmt.Sprintf("the clock of %d jumps by %v", n.id, jump)
	}
}

func TestWhateverHappensOneMasterRemainsAndNobodyStorms(t *testing.T) {
	for seed := range seeds(t) {
		rng := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(seed, priorities(rng)...)
		for range 20 {
			w.trace = append(w.trace, fmt.Sprintf("%8v %s", w.now.Sub(epoch), w.chaos(rng)))
			w.run(time.Duration(rng.Int64N(int64(3 * time.Second))))
			w.check(t, seed, "while things happen", true)
		}
		// Everything heals.
		w.loss, w.delay, w.cut = 0, 400*time.Microsecond, func(int, int) bool { return false }
		alive := 0
		for _, n := range w.nodes {
			if !n.dead {
				alive++
			}
		}
		if alive == 0 {
			w.nodes[0].dead = false
			w.step(w.nodes[0], Start{Priority: 100})
		}
		w.run(20 * time.Second) // stalls end, and everyone has had his turn
		m := w.masters()
		w.check(t, seed, "one master after healing", len(m) == 1)
		for _, n := range w.nodes {
			w.check(t, seed, "it has the best priority", n.dead || n.state.Priority <= w.nodes[m[0]].state.Priority)
		}
		w.longest, w.gap, w.takeovers = 0, 0, 0
		w.sinceTwo, w.sinceNone = time.Time{}, time.Time{}
		w.run(20 * time.Second)
		w.check(t, seed, "it stays the only one", w.takeovers == 0 && w.longest == 0 && w.gap == 0)
		// And its death is noticed within the arithmetic.
		if alive > 1 {
			w.nodes[m[0]].dead = true
			w.nodes[m[0]].state = State{}
			best := uint8(1)
			for _, n := range w.nodes {
				if !n.dead {
					best = max(best, n.state.Priority)
				}
			}
			w.watch()
			w.run(15 * time.Second)
			limit := 3*time.Second + time.Second*time.Duration(257-int(best))/256 + 50*time.Millisecond
			w.check(t, seed, fmt.Sprintf("one successor within %v", limit), len(w.masters()) == 1 && w.gap <= limit)
		}
	}
}
