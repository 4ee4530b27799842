package fsm

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// world is a seeded network of routers with its own clock. Everything happens
// in one goroutine.
type world struct {
	rng    *rand.Rand
	now    time.Time
	nodes  []*simNode
	flying flight
	serial int
	// arrived is when the last packet of a sender got to a receiver.
	arrived map[[2]int]time.Time
	loss    float64       // of each copy of a packet
	delay   time.Duration // longest
	cut     func(from, to int) bool
	// masters over time, for the invariants.
	sinceTwo  time.Time
	longest   time.Duration // two masters that hear each other
	sinceNone time.Time
	gap       time.Duration // nobody holds the addresses
	takeovers int
	trace     []string
	broken    string
}

type simNode struct {
	id    int
	cfg   Config
	state State
	dead  bool
	slept time.Time // stands still until then
	// teaches is the interval in its advertisements, 0 in version 2.
	teaches time.Duration
	// offset is how far its clock is from the world's.
	offset time.Duration
	sent   []time.Time // its last advertisements, for the measure of storms
}

// clock is the time a node believes it is.
func (n *simNode) clock(now time.Time) time.Time { return now.Add(n.offset) }

// said notes an advertisement and reports whether it is one too many.
func (n *simNode) said(now time.Time, nodes int) bool {
	n.sent = append(n.sent, now)
	for len(n.sent) > 0 && now.Sub(n.sent[0]) >= n.cfg.Interval {
		n.sent = n.sent[1:]
	}
	return len(n.sent) > maxSends(nodes)
}

type copyOf struct {
	at     time.Time
	serial int
	to     int
	advert Advert
}

type flight []copyOf

func (f flight) Len() int { return len(f) }
func (f flight) Less(i, j int) bool {
	return f[i].at.Before(f[j].at) || f[i].at.Equal(f[j].at) && f[i].serial < f[j].serial
}
func (f flight) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flight) Push(x any)   { *f = append(*f, x.(copyOf)) }
func (f *flight) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

// newWorld starts a router for each priority, with addresses from 10.1.1.20.
func newWorld(seed uint64, priorities ...uint8) *world {
	hosts := make([]byte, len(priorities))
	for i := range hosts {
		hosts[i] = byte(20 + i)
	}
	return newWorldAt(seed, hosts, priorities...)
}

func newWorldAt(seed uint64, hosts []byte, priorities ...uint8) *world {
	w := &world{arrived: map[[2]int]time.Time{}, rng: rand.New(rand.NewPCG(seed, 1)), now: epoch, delay: 400 * time.Microsecond, cut: func(int, int) bool { return false }}
	for i, p := range priorities {
		n := &simNode{id: i, cfg: Config{Own: netip.AddrFrom4([4]byte{10, 1, 1, hosts[i]}), Interval: time.Second}}
		w.nodes = append(w.nodes, n)
		w.step(n, Start{Priority: p})
	}
	return w
}

func (w *world) step(n *simNode, e Event) {
	before := n.state
	var actions []Action
	n.state, actions = Step(n.cfg, n.state, n.clock(w.now), e)
	w.order(n, actions)
	for _, a := range actions {
		switch a.Verb {
		case SendAdvert:
			w.broadcast(n, a.Priority)
			if n.said(w.now, len(w.nodes)) {
				w.broken = fmt.Sprintf("%v advertises %d times within %v", n.cfg.Own, len(n.sent), n.cfg.Interval)
			}
		case Report:
			w.trace = append(w.trace, fmt.Sprintf("%8v %v %v: %v", w.now.Sub(epoch), n.cfg.Own, a.Told.To, a.Told))
			if a.Told.To == Master {
				w.takeovers++
			}
		}
	}
	if n.state.Kind == Master && !n.state.Holding {
		w.broken = fmt.Sprintf("%v is master without addresses, was %+v", n.cfg.Own, before)
	}
	if (n.state.Kind == Backup || n.state.Kind == Master || n.state.Kind == Leaving) == n.state.Deadline.IsZero() {
		w.broken = fmt.Sprintf("%v in %v has deadline %v", n.cfg.Own, n.state.Kind, n.state.Deadline)
	}
	if left := n.state.Deadline.Sub(n.clock(w.now)); n.state.Kind == Backup && !n.state.Deadline.IsZero() && n.state.NotBefore.IsZero() &&
		left > n.cfg.following(n.state.PeerInterval).MasterDown(n.state.Priority) {
		w.broken = fmt.Sprintf("%v waits for %v, longer than a master may be silent", n.cfg.Own, left)
	}
	w.watch()
}

// order checks that a master speaks before it has the addresses and has them
// before it announces them.
func (w *world) order(n *simNode, actions []Action) {
	rank := map[Verb]int{SendAdvert: 1, ClaimAddresses: 2, Announce: 3, AnnounceRival: 3}
	last := 0
	for _, a := range actions {
		if r := rank[a.Verb]; r > 0 {
			if r < last {
				w.broken = fmt.Sprintf("%v: %v out of order in %v", n.cfg.Own, a.Verb, actions)
			}
			last = r
		}
	}
}

func (w *world) broadcast(from *simNode, priority uint8) {
	for _, to := range w.nodes {
		if to == from || w.cut(from.id, to.id) || w.rng.Float64() < w.loss {
			continue
		}
		w.serial++
		// A wire keeps the order of one sender's packets.
		way := [2]int{from.id, to.id}
		at := later(w.now.Add(time.Duration(w.rng.Int64N(int64(w.delay)))+1), w.arrived[way])
		w.arrived[way] = at
		heap.Push(&w.flying, copyOf{at, w.serial, to.id, Advert{Peer: from.cfg.Own, Priority: priority, Interval: from.teaches}})
	}
}

// watch measures how long nobody or two hold the addresses.
func (w *world) watch() {
	holders, masters := 0, 0
	for _, n := range w.nodes {
		if n.dead {
			continue
		}
		if n.state.Holding {
			holders++
		}
		if n.state.Kind == Master {
			masters++
		}
	}
	measure(&w.sinceTwo, &w.longest, masters > 1, w.now)
	measure(&w.sinceNone, &w.gap, holders == 0, w.now)
}

func measure(since *time.Time, longest *time.Duration, on bool, now time.Time) {
	if !since.IsZero() {
		*longest = max(*longest, now.Sub(*since))
	}
	switch {
	case !on:
		*since = time.Time{}
	case since.IsZero():
		*since = now
	}
}

// run lets the world live for d.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for w.broken == "" {
		next, who := end, (*simNode)(nil)
		for _, n := range w.nodes {
			due := n.state.Deadline
			if n.dead || due.IsZero() {
				continue
			}
			due = due.Add(-n.offset)
			if due.Before(n.slept) {
				due = n.slept
			}
			if due.Before(next) {
				next, who = due, n
			}
		}
		if len(w.flying) > 0 && !w.flying[0].at.After(next) {
			c := heap.Pop(&w.flying).(copyOf)
			n := w.nodes[c.to]
			if n.dead {
				continue
			}
			if c.at.Before(n.slept) { // waits in its socket
				c.at = n.slept
				heap.Push(&w.flying, c)
				continue
			}
			w.now = later(w.now, c.at)
			w.step(n, c.advert)
			continue
		}
		if who == nil {
			w.now = end
			w.watch()
			return
		}
		w.now = later(w.now, next)
		w.step(who, Timer{})
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (w *world) masters() []int {
	var m []int
	for _, n := range w.nodes {
		if !n.dead && n.state.Kind == Master {
			m = append(m, n.id)
		}
	}
	return m
}

func (w *world) check(t *testing.T, seed uint64, claim string, ok bool) {
	t.Helper()
	if w.broken != "" {
		ok, claim = false, w.broken
	}
	if !ok {
		t.Fatalf("seed %d at %v: %s; masters %v, two for %v, none for %v\n%s", seed, w.now.Sub(epoch), claim, w.masters(), w.longest, w.gap, strings.Join(w.trace, "\n"))
	}
}

// seeds is how many worlds each simulation tries.
func seeds(t *testing.T) uint64 {
	if testing.Short() {
		return 50
	}
	return 500
}

func priorities(rng *rand.Rand) []uint8 {
	p := make([]uint8, 2+rng.IntN(4))
	for i := range p {
		p[i] = uint8(98 + rng.IntN(5))
	}
	return p
}

func TestAnyClusterAgreesOnOneBestMaster(t *testing.T) {
	for seed := range seeds(t) {
		rng := rand.New(rand.NewPCG(seed, 2))
		p := priorities(rng)
		w := newWorld(seed, p...)
		w.loss = 0.2 * rng.Float64()
		w.run(20 * time.Second)
		// Split in two for a while; both sides elect.
		k := rng.IntN(len(p))
		w.cut = func(a, b int) bool { return (a <= k) != (b <= k) }
		w.run(time.Duration(rng.Int64N(int64(20 * time.Second))))
		w.cut = func(int, int) bool { return false }
		w.loss = 0
		w.run(5 * time.Second)
		m := w.masters()
		w.check(t, seed, "one master after the network healed", len(m) == 1)
		best := uint8(0)
		for _, n := range w.nodes {
			best = max(best, n.state.Priority)
		}
		w.check(t, seed, "the master has the best priority", w.nodes[m[0]].state.Priority == best)
		w.longest = 0
		w.run(10 * time.Second)
		w.check(t, seed, "it stays the only one", w.longest == 0 && len(w.masters()) == 1 && w.masters()[0] == m[0])
	}
}

func TestEqualPrioritiesDoNotRace(t *testing.T) {
	for seed := range seeds(t) {
		rng := rand.New(rand.NewPCG(seed, 6))
		first := byte(rng.IntN(250))
		w := newWorldAt(seed, []byte{first, first + 1, first + 2}, 100, 100, 100)
		// Neighbours in one network: twice this is less than the least
		// difference the tie break makes between them.
		w.delay = 200 * time.Microsecond
		w.run(10 * time.Second)
		w.check(t, seed, "one master, elected once", len(w.masters()) == 1 && w.longest == 0 && w.takeovers == 1)
		// Its death is noticed by the two others at about the same moment.
		w.gap, w.takeovers = 0, 0
		w.nodes[w.masters()[0]].dead = true
		w.run(10 * time.Second)
		w.check(t, seed, "one successor, elected once", len(w.masters()) == 1 && w.longest == 0 && w.takeovers == 1)
		limit := 3*time.Second + time.Second*156/256 + 50*time.Millisecond
		w.check(t, seed, "gap within three intervals, skew and 50 ms", w.gap <= limit)
	}
}

func TestAPlannedStopLeavesNoGap(t *testing.T) {
	for seed := range seeds(t) {
		rng := rand.New(rand.NewPCG(seed, 3))
		w := newWorld(seed, priorities(rng)...)
		w.run(10 * time.Second)
		m := w.masters()
		w.check(t, seed, "one master", len(m) == 1)
		w.gap = 0
		w.step(w.nodes[m[0]], Stop{})
		w.run(5 * time.Second)
		w.check(t, seed, "a successor and never nobody", len(w.masters()) == 1 && w.gap == 0)
		w.check(t, seed, "the stopped router has let go", !w.nodes[m[0]].state.Holding && w.nodes[m[0]].state.Kind == Initialize)
	}
}

func TestFivePercentLossCausesAtMostOneFailover(t *testing.T) {
	for seed := range min(seeds(t), 50) {
		w := newWorld(seed, 102, 101, 100)
		w.run(10 * time.Second)
		w.loss, w.takeovers = 0.05, 0
		w.run(10 * time.Minute)
		// A failover is two transitions to master: away and back.
		w.check(t, seed, "at most one failover in 10 minutes", w.takeovers <= 2)
	}
}

func TestAStalledMasterDoesNotFightItsSuccessor(t *testing.T) {
	for seed := range seeds(t) {
		rng := rand.New(rand.NewPCG(seed, 4))
		// The first to time out is the one with the highest address, so without
		// a look at the clock it would win against its successor.
		w := newWorldAt(seed, []byte{24, 21, 23}, 100, 100, 100)
		w.run(10 * time.Second)
		w.check(t, seed, "10.1.1.24 is master", len(w.masters()) == 1 && w.masters()[0] == 0)
		m := w.nodes[w.masters()[0]]
		w.run(time.Duration(rng.Int64N(int64(time.Second))))
		m.slept = w.now.Add(5*time.Second + time.Duration(rng.Int64N(int64(10*time.Second))))
		w.run(m.slept.Sub(w.now) - time.Millisecond)
		w.takeovers = 0
		w.run(10 * time.Second)
		w.check(t, seed, "it woke as backup and nobody took over again", m.state.Kind == Backup && w.takeovers == 0)
		w.check(t, seed, "one master", len(w.masters()) == 1)
	}
}

func TestTwoMastersNeverLastLongerThanAnInterval(t *testing.T) {
	for seed := range seeds(t) {
		rng := rand.New(rand.NewPCG(seed, 5))
		p := priorities(rng)
		w := newWorld(seed, p...)
		w.run(10 * time.Second)
		k := rng.IntN(len(p))
		w.cut = func(a, b int) bool { return (a <= k) != (b <= k) }
		w.run(8 * time.Second)
		w.cut = func(int, int) bool { return false }
		w.sinceTwo, w.longest = time.Time{}, 0
		w.watch()
		w.run(5 * time.Second)
		w.check(t, seed, "two masters at most one interval after healing", w.longest <= time.Second+2*w.delay)
	}
}

func TestASinkingPriorityMovesTheAddressesWithinASkewTime(t *testing.T) {
	for seed := range seeds(t) {
		w := newWorld(seed, 102, 102, 101, 90)
		w.run(10 * time.Second)
		m := w.masters()
		w.check(t, seed, "one master", len(m) == 1 && m[0] < 2)
		old := w.nodes[m[0]]
		w.takeovers, w.gap, w.longest = 0, 0, 0
		w.step(old, Priority{Value: 100})
		w.run(time.Second*154/256 + 10*time.Millisecond)
		w.check(t, seed, "the other 102 is master after its skew time", len(w.masters()) == 1 && w.masters()[0] == 1-m[0] && w.takeovers == 1)
		w.check(t, seed, "nobody was without a master, and two for a packet's flight only", w.gap == 0 && w.longest <= w.delay)
		w.run(10 * time.Second)
		w.check(t, seed, "it stays", w.takeovers == 1)
	}
}

func TestASinkingPriorityThatIsStillTheBestMovesNothing(t *testing.T) {
	for seed := range seeds(t) {
		w := newWorld(seed, 110, 100, 100, 90)
		w.run(10 * time.Second)
		w.takeovers = 0
		w.step(w.nodes[0], Priority{Value: 100})
		w.run(10 * time.Second)
		w.check(t, seed, "the master stays", w.takeovers == 0 && len(w.masters()) == 1 && w.masters()[0] == 0)
	}
}
