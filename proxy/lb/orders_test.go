package lb

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// load is a backend's sessions as the orders see them.
type load struct {
	g     *Group
	n     []int
	limit []int
}

func newLoad(t testing.TB, c Config, servers []Server) *load {
	t.Helper()
	l := &load{n: make([]int, len(servers)), limit: make([]int, len(servers))}
	c.Served = func(i int) int { return l.n[i] }
	c.Total = func() (sum int) {
		for _, n := range l.n {
			sum += n
		}
		return sum
	}
	var err error
	if l.g, err = New(c, servers); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *load) full(i int) bool { return l.limit[i] > 0 && l.n[i] >= l.limit[i] }

// open picks a server for a session that stays.
func (l *load) open() int {
	i := l.g.Pick(None, l.full)
	l.add(i, 1)
	return i
}

func (l *load) add(i, n int) {
	if i != None {
		l.n[i] += n
		l.g.Moved(i)
	}
}

func (l *load) opens(n int) (list []int) {
	for range n {
		list = append(list, l.open())
	}
	return list
}

func TestLeastConnFillsServersByTheirWeights(t *testing.T) {
	l := newLoad(t, Config{Algorithm: "leastconn"}, usable(1, 2, 4))
	l.opens(70)
	if want := []int{10, 20, 40}; !slices.Equal(l.n, want) {
		t.Errorf("sessions: want %v, got %v", want, l.n)
	}
	l.add(2, -30)
	if got := l.opens(30); slices.ContainsFunc(got, func(i int) bool { return i != 2 }) {
		t.Errorf("after 30 left server 2: want it alone, got %v", got)
	}
}

func TestLeastConnTakesServersOfOneLoadInTurn(t *testing.T) {
	l := newLoad(t, Config{Algorithm: "leastconn"}, usable(1, 1, 1))
	for k := range 9 {
		i := l.open()
		if i != k%3 {
			t.Fatalf("pick %d: want %d, got %d", k, k%3, i)
		}
		l.add(i, -1)
	}
}

func TestLeastConnAndFirstPassFullServersUntilOneLeaves(t *testing.T) {
	for _, algorithm := range []string{"leastconn", "first", "roundrobin", "static-rr"} {
		for _, fixed := range []bool{false, true} {
			l := newLoad(t, Config{Algorithm: algorithm, FixedLimits: fixed}, usable(1, 1, 1))
			copy(l.limit, []int{2, 2, 2})
			l.opens(6)
			if want := []int{2, 2, 2}; !slices.Equal(l.n, want) {
				t.Errorf("%s, fixed %v: want %v, got %v", algorithm, fixed, want, l.n)
			}
			if i := l.open(); i != None {
				t.Errorf("%s, fixed %v: all full: want None, got %d", algorithm, fixed, i)
			}
			l.add(1, -1)
			if i := l.open(); i != 1 {
				t.Errorf("%s, fixed %v: want the server that has room, got %d", algorithm, fixed, i)
			}
			l.limit[2] = 0
			l.g.Moved(2)
			if i := l.open(); i != 2 {
				t.Errorf("%s, fixed %v: want the server whose limit rose, got %d", algorithm, fixed, i)
			}
		}
	}
}

func TestAmongManyServersTheFullOnesStayAside(t *testing.T) {
	l := newLoad(t, Config{Algorithm: "roundrobin", FixedLimits: true}, usable(slices.Repeat([]int{1}, 3*parkFrom)...))
	for i := range l.limit {
		l.limit[i] = 1
	}
	l.opens(3 * parkFrom)
	if most, least := slices.Max(l.n), slices.Min(l.n); most != 1 || least != 1 {
		t.Fatalf("sessions: want one each, got %v", l.n)
	}
	l.open() // which finds them all full
	asked := 0
	full := func(i int) bool { asked++; return l.full(i) }
	if i := l.g.Pick(None, full); i != None || asked != 0 {
		t.Errorf("all full: got %d after asking %d times, want None without asking", i, asked)
	}
	for _, i := range []int{17, 90} {
		l.add(i, -1)
		if got := l.open(); got != i {
			t.Errorf("want %d, which has room, got %d", i, got)
		}
	}
}

func TestFirstGoesByTheID(t *testing.T) {
	servers := usable(1, 1, 1)
	servers[0].ID, servers[1].ID, servers[2].ID = 30, 10, 20
	l := newLoad(t, Config{Algorithm: "first"}, servers)
	copy(l.limit, []int{1, 1, 1})
	if got, want := l.opens(4), []int{1, 2, 0, None}; !slices.Equal(got, want) {
		t.Errorf("want %v, got %v", want, got)
	}
	if i := l.g.Pick(1, nil); i != 2 {
		t.Errorf("avoiding server 1: want 2, got %d", i)
	}
}

func TestRandomPrefersTheLighterOfTheServersDrawn(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	spread := func(draws int) int {
		l := newLoad(t, Config{Algorithm: "random", Draws: draws, Chance: r.Uint32}, usable(1, 1, 1, 1, 2, 2, 2, 2))
		l.opens(6000)
		for i := range 4 {
			l.n[i] *= 2
		}
		return slices.Max(l.n) - slices.Min(l.n)
	}
	one, two := spread(1), spread(2)
	if two > 40 || one < 3*two {
		t.Errorf("difference between the servers: %d with one draw, %d with two", one, two)
	}
}

func TestRandomAnswersNoneWhenTheServerDrawnIsFull(t *testing.T) {
	g, err := New(Config{Algorithm: "random", Draws: 1}, usable(1, 1))
	if err != nil {
		t.Fatal(err)
	}
	if i := g.Pick(None, func(int) bool { return true }); i != None {
		t.Errorf("want None, got %d", i)
	}
}

// The manual's promise: when a server goes, only its keys move.
func TestOnTheRingOnlyTheKeysOfTheServerThatLeftMove(t *testing.T) {
	g, err := New(Config{Algorithm: "hash", Hash: Hash{Consistent: true}}, usable(10, 10, 20, 10))
	if err != nil {
		t.Fatal(err)
	}
	before := make([]int, 5000)
	for k := range before {
		before[k] = g.PickHash(avalanche(uint32(k)), None)
	}
	g.Set(2, Server{Weight: 20})
	for k, was := range before {
		if now := g.PickHash(avalanche(uint32(k)), None); now == 2 || was != 2 && now != was {
			t.Fatalf("key %d moved from %d to %d", k, was, now)
		}
	}
	g.Set(2, Server{Weight: 20, Usable: true})
	for k, was := range before {
		if now := g.PickHash(avalanche(uint32(k)), None); now != was {
			t.Fatalf("key %d came back to %d, not %d", k, now, was)
		}
	}
}

func TestNoServerGetsMoreThanTheBalanceFactorAllows(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		factor := rapid.IntRange(101, 300).Draw(r, "factor")
		n := rapid.IntRange(2, 6).Draw(r, "servers")
		l := newLoad(t, Config{Algorithm: "hash", Hash: Hash{Consistent: true}, Factor: factor}, usable(slices.Repeat([]int{1}, n)...))
		for total := 1; total <= 200; total++ {
			l.add(l.g.PickHash(uint32(rapid.IntRange(0, 3).Draw(r, "key"))*1e9, None), 1)
			if most := slices.Max(l.n); most > (total*factor/100+n)/n+1 {
				r.Fatalf("factor %d, %d sessions: %v", factor, total, l.n)
			}
		}
	})
}

// slowTable lays a table out as the rule has it: all gain, the first of those
// who have gained most whole totals pays one.
func slowTable(weights []int) (places []int32) {
	total := 0
	for _, w := range weights {
		total += w
	}
	score := make([]int, len(weights))
	for range total {
		best, most := None, -1
		for i, w := range weights {
			if w == 0 {
				continue
			}
			score[i] += w
			if whole := (score[i] + total) / total; whole > most {
				best, most = i, whole
			}
		}
		score[best] -= total
		places = append(places, int32(best))
	}
	return places
}

func TestTheTableIsLaidOutByItsRule(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(0, 60), 1, 80).Draw(r, "weights")
		tb := newTable(Config{}, []Server{{Weight: 1}}).(*table)
		tb.weight, tb.stale = weights, true
		tb.renew()
		if want := slowTable(weights); !slices.Equal(tb.places, want) {
			r.Fatalf("weights %v:\nwant %v\ngot  %v", weights, want, tb.places)
		}
	})
}

func TestEveryOrderAgreesOnWhichServersThereAre(t *testing.T) {
	for _, row := range Algorithms.Rows() {
		for _, consistent := range []bool{false, true} {
			rapid.Check(t, func(r *rapid.T) {
				servers := usable(1, 2, 3, 4, 5)
				l := newLoad(t, Config{Algorithm: row.Name, Hash: Hash{Consistent: consistent}, FixedLimits: true, Chance: func() uint32 { return rapid.Uint32().Draw(r, "chance") }}, servers)
				for range 60 {
					i := rapid.IntRange(0, 4).Draw(r, "server")
					switch rapid.IntRange(0, 4).Draw(r, "what") {
					case 0:
						servers[i].Usable = !servers[i].Usable
						l.g.Set(i, servers[i])
					case 1:
						servers[i].Warm = rapid.IntRange(0, 16).Draw(r, "warm")
						l.g.Set(i, servers[i])
					case 2:
						l.limit[i] = rapid.IntRange(0, 3).Draw(r, "limit")
						l.g.Moved(i)
					case 3:
						if l.n[i] > 0 {
							l.add(i, -1)
						}
					}
					room := slices.ContainsFunc([]int{0, 1, 2, 3, 4}, func(i int) bool { return servers[i].Usable && !l.full(i) })
					p := l.open()
					if p != None && (!servers[p].Usable || l.limit[p] > 0 && l.n[p] > l.limit[p]) {
						r.Fatalf("%s: picked %d of %+v, sessions %v, limits %v", row.Name, p, servers, l.n, l.limit)
					}
					if p == None && room && row.Name != "random" {
						r.Fatalf("%s: none of %+v, sessions %v, limits %v", row.Name, servers, l.n, l.limit)
					}
				}
			})
		}
	}
}

func TestAServerThatWarmsUpGetsSixteenthsOfItsShare(t *testing.T) {
	for _, algorithm := range []string{"roundrobin", "leastconn"} {
		servers := usable(1, 1)
		servers[1].Warm = 4
		l := newLoad(t, Config{Algorithm: algorithm}, servers)
		l.opens(1000)
		if l.n[1] < 190 || l.n[1] > 210 {
			t.Errorf("%s: want about 200 of 1000 for a quarter of the weight, got %v", algorithm, l.n)
		}
	}
}

func BenchmarkPickOf1000Servers(b *testing.B) {
	for _, row := range Algorithms.Rows() {
		for _, hash := range []Hash{{}, {Consistent: true}} {
			if hash.Consistent && !row.Do.Keyed {
				continue
			}
			b.Run(fmt.Sprintf("%s/consistent=%v", row.Name, hash.Consistent), func(b *testing.B) {
				servers := make([]Server, 1000)
				for i := range servers {
					servers[i] = Server{ID: i + 1, Weight: 1 + i%10, Usable: true}
				}
				r := rand.New(rand.NewPCG(1, 1))
				l := newLoad(b, Config{Algorithm: row.Name, Hash: hash, FixedLimits: true, Chance: r.Uint32}, servers)
				for i := range l.limit { // nine of ten are full
					l.limit[i] = 2
					if i%10 != 9 {
						l.add(i, 2)
					}
				}
				for b.Loop() {
					i := None
					if row.Do.Keyed {
						i = l.g.PickHash(r.Uint32(), None)
					} else {
						i = l.g.Pick(None, l.full)
					}
					l.add(i, 1)
					l.add(i, -1)
				}
			})
		}
	}
}

func TestTheRingOfALargeBackendFollowsAChangeAtOnce(t *testing.T) {
	servers := usable(slices.Repeat([]int{50}, 1000)...)
	g, err := New(Config{Algorithm: "hash", Hash: Hash{Consistent: true}}, servers)
	if err != nil {
		t.Fatal(err)
	}
	for i := range servers[:999] {
		g.Set(i, Server{Weight: 50})
	}
	for k := range 100 {
		if i := g.PickHash(avalanche(uint32(k)), None); i != 999 {
			t.Fatalf("got %d, want the only one in use", i)
		}
		if i := g.PickHash(avalanche(uint32(k)), 999); i != 999 {
			t.Fatalf("avoiding the only one: got %d", i)
		}
	}
	asked := 0
	if i := g.Pick(None, func(int) bool { asked++; return true }); i != None || asked != 1 {
		t.Errorf("got %d after asking %d servers, want None after one", i, asked)
	}
}
