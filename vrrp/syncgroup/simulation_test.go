package syncgroup

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/vrrp/fsm"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// world is a few nodes with a sync group each: member m of every node is on
// network m, with its own loss and its own cuts.
type world struct {
	rng    *rand.Rand
	now    time.Time
	nodes  []*node
	flying []packet // by time of arrival
	loss   float64
	delay  time.Duration
	cut    func(network, from, to int) bool
	trace  []string
	// Told of the last while:
	split     time.Duration // the longest a group was divided among its members
	unheld    time.Duration // the longest some network had no master
	takeovers int
	since     []time.Time // of no master, by network
	divided   time.Time
}

type node struct {
	id     int
	dead   bool
	cfg    []fsm.Config
	states []fsm.State
	names  []string
}

type packet struct {
	at          time.Time
	network, to int
	advert      fsm.Advert
}

// newWorld makes nodes of the given priorities. Addresses run in one order in
// even networks and in the other in odd ones, so that ties break both ways.
func newWorld(seed uint64, networks int, priorities ...uint8) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 1)), now: epoch, delay: 400 * time.Microsecond,
		cut: func(int, int, int) bool { return false }, since: make([]time.Time, networks)}
	for i := range priorities {
		n := &node{id: i, states: make([]fsm.State, networks)}
		for m := range networks {
			last := byte(20 + i)
			if m%2 == 1 {
				last = byte(60 - i)
			}
			n.cfg = append(n.cfg, fsm.Config{Own: netip.AddrFrom4([4]byte{10, 1, byte(m), last}), Interval: time.Second})
			n.names = append(n.names, fmt.Sprintf("VI_%d", m))
		}
		w.nodes = append(w.nodes, n)
	}
	for i, n := range w.nodes {
		for m := range networks {
			w.step(n, m, fsm.Start{Priority: priorities[i]})
		}
	}
	return w
}

func (n *node) kinds() []fsm.Kind {
	var k []fsm.Kind
	for _, s := range n.states {
		k = append(k, s.Kind)
	}
	return k
}

func (w *world) step(n *node, m int, e fsm.Event) {
	var actions []fsm.Action
	n.states[m], actions = fsm.Step(n.cfg[m], n.states[m], w.now, e)
	for _, a := range actions {
		switch a.Verb {
		case fsm.SendAdvert:
			w.broadcast(n, m, a.Priority)
		case fsm.Report:
			w.trace = append(w.trace, fmt.Sprintf("%9v node %d %s %v: %v", w.now.Sub(epoch), n.id, n.names[m], a.Told.To, a.Told))
			if a.Told.To == fsm.Master {
				w.takeovers++
			}
		}
	}
	for _, a := range actions {
		var orders []Order
		switch a.Verb {
		case fsm.Report:
			orders = Follow(n.names, n.kinds(), m, a.Told)
		case fsm.Note:
			orders = Rally(n.kinds(), m)
		}
		for _, o := range orders {
			w.step(n, o.Member, o.Event)
		}
	}
	w.watch()
}

func (w *world) broadcast(from *node, m int, priority uint8) {
	for _, to := range w.nodes {
		if to == from || w.cut(m, from.id, to.id) || w.rng.Float64() < w.loss {
			continue
		}
		p := packet{w.now.Add(time.Duration(w.rng.Int64N(int64(w.delay))) + 1), m, to.id, fsm.Advert{Peer: from.cfg[m].Own, Priority: priority}}
		// A wire keeps the order of one sender's packets.
		for _, q := range w.flying {
			if q.network == m && q.to == to.id && q.advert.Peer == p.advert.Peer && q.at.After(p.at) {
				p.at = q.at
			}
		}
		i, _ := slices.BinarySearchFunc(w.flying, p, func(a, b packet) int {
			if a.at.After(b.at) {
				return 1
			}
			return -1
		})
		w.flying = slices.Insert(w.flying, i, p)
	}
}

func (w *world) watch() {
	whole := true
	for _, n := range w.nodes {
		k := n.kinds()
		if !n.dead && slices.Contains(k, fsm.Master) && slices.ContainsFunc(k, func(k fsm.Kind) bool { return k != fsm.Master }) {
			whole = false
		}
	}
	w.split = max(w.split, w.lasting(&w.divided, !whole))
	for m := range w.since {
		held := slices.ContainsFunc(w.nodes, func(n *node) bool { return !n.dead && n.states[m].Holding })
		w.unheld = max(w.unheld, w.lasting(&w.since[m], !held))
	}
}

// lasting returns how long on has been so at its end, and keeps its beginning.
func (w *world) lasting(since *time.Time, on bool) time.Duration {
	d := time.Duration(0)
	if !since.IsZero() {
		d = w.now.Sub(*since)
	}
	switch {
	case !on:
		*since = time.Time{}
	case since.IsZero():
		*since = w.now
	}
	return d
}

func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for range 100_000 { // no world needs so many; one that storms does
		next, who, which := end, (*node)(nil), 0
		for _, n := range w.nodes {
			for m, s := range n.states {
				if !n.dead && !s.Deadline.IsZero() && s.Deadline.Before(next) {
					next, who, which = s.Deadline, n, m
				}
			}
		}
		switch {
		case len(w.flying) > 0 && !w.flying[0].at.After(next):
			p := w.flying[0]
			w.flying = w.flying[1:]
			w.now = p.at
			if n := w.nodes[p.to]; !n.dead {
				w.step(n, p.network, p.advert)
			}
		case who == nil:
			w.now = end
			w.watch()
			return
		default:
			w.now = next
			if j := Alive(w.now, who.cfg, who.states, which); j >= 0 {
				w.step(who, which, fsm.Hold{Member: who.names[j]})
			} else {
				w.step(who, which, fsm.Timer{})
			}
		}
	}
}

// forget begins a new while.
func (w *world) forget() {
	w.split, w.unheld, w.takeovers, w.divided = 0, 0, 0, time.Time{}
	clear(w.since)
	w.watch()
}

// holder returns the one node that is master everywhere, or -1.
func (w *world) holder() int {
	holder := -1
	for _, n := range w.nodes {
		for _, k := range n.kinds() {
			if n.dead || k != fsm.Master {
				continue
			}
			if holder >= 0 && holder != n.id {
				return -1
			}
			holder = n.id
		}
	}
	if holder >= 0 && Whole(w.nodes[holder].kinds()) != fsm.Master {
		return -1
	}
	return holder
}

func (w *world) check(t *testing.T, seed uint64, claim string, ok bool) {
	t.Helper()
	if ok {
		return
	}
	for _, n := range w.nodes {
		w.trace = append(w.trace, fmt.Sprintf("node %d dead %t %v", n.id, n.dead, n.kinds()))
	}
	t.Fatalf("seed %d at %v: %s; divided %v, unheld %v, %d takeovers\n%s", seed, w.now.Sub(epoch), claim, w.split, w.unheld, w.takeovers, strings.Join(w.trace, "\n"))
}

func seeds(t *testing.T) uint64 {
	if testing.Short() {
		return 30
	}
	return 300
}

func draw(rng *rand.Rand) (networks int, priorities []uint8) {
	networks, priorities = 2+rng.IntN(3), make([]uint8, 2+rng.IntN(3))
	for i := range priorities {
		priorities[i] = uint8(98 + rng.IntN(5))
	}
	return networks, priorities
}

func TestAGroupIsNeverDivided(t *testing.T) {
	for seed := range seeds(t) {
		networks, p := draw(rand.New(rand.NewPCG(seed, 2)))
		w := newWorld(seed, networks, p...)
		w.run(20 * time.Second)
		w.check(t, seed, "one node has the whole group", w.holder() >= 0)
		best := slices.Max(p)
		w.check(t, seed, "it has the best priority", p[w.holder()] == best)
		w.check(t, seed, "a group was never divided", w.split == 0)
	}
}

func TestADeadHolderIsReplacedByOneNodeInTime(t *testing.T) {
	for seed := range seeds(t) {
		rng := rand.New(rand.NewPCG(seed, 3))
		networks, p := draw(rng)
		w := newWorld(seed, networks, p...)
		w.run(20*time.Second + time.Duration(rng.Int64N(int64(time.Second))))
		h := w.holder()
		w.check(t, seed, "one holder", h >= 0)
		w.nodes[h].dead = true
		w.forget()
		w.run(15 * time.Second)
		w.check(t, seed, "one successor for the whole group", w.holder() >= 0 && w.split == 0)
		// The first network to miss its master takes the others along.
		w.check(t, seed, "no network was without a master for longer than a master down interval", w.unheld <= 3*time.Second+time.Second*159/256)
	}
}

func TestANetworkCutOffHealsIntoOneHolder(t *testing.T) {
	for seed := range seeds(t) {
		rng := rand.New(rand.NewPCG(seed, 4))
		networks, p := draw(rng)
		w := newWorld(seed, networks, p...)
		w.run(10 * time.Second)
		bad, k := rng.IntN(networks), rng.IntN(len(p))
		w.loss = 0.1 * rng.Float64()
		w.cut = func(m, a, b int) bool { return m == bad && (a <= k) != (b <= k) }
		w.run(time.Duration(rng.Int64N(int64(30 * time.Second))))
		w.cut, w.loss = func(int, int, int) bool { return false }, 0
		w.run(15 * time.Second)
		w.check(t, seed, "one node has the whole group after the network healed", w.holder() >= 0)
		w.forget()
		w.run(20 * time.Second)
		w.check(t, seed, "and keeps it", w.takeovers == 0 && w.unheld == 0 && w.holder() >= 0)
	}
}

func TestABrokenNetworkDoesNotDisturbTheOthers(t *testing.T) {
	for seed := range seeds(t) {
		rng := rand.New(rand.NewPCG(seed, 5))
		networks, p := draw(rng)
		w := newWorld(seed, networks, p...)
		w.run(20*time.Second + time.Duration(rng.Int64N(int64(time.Second))))
		h, bad := w.holder(), rng.IntN(networks)
		w.check(t, seed, "one holder", h >= 0)
		w.cut = func(m, _, _ int) bool { return m == bad }
		w.forget()
		w.run(30 * time.Second)
		w.check(t, seed, "its holder stays and nobody claims anything", w.holder() == h && w.takeovers == 0)
	}
}
