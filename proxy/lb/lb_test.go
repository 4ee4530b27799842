package lb

import (
	"bufio"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func usable(weights ...int) []Server {
	servers := make([]Server, len(weights))
	for i, w := range weights {
		servers[i] = Server{ID: i + 1, Weight: w, Usable: true}
	}
	return servers
}

func group(t testing.TB, servers []Server, allBackups bool) *Group {
	t.Helper()
	g, err := New(Config{AllBackups: allBackups}, servers)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func picks(g *Group, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(strconv.Itoa(g.Pick(None, nil)))
	}
	return b.String()
}

func TestRoundRobinPicksInHAProxysOrder(t *testing.T) {
	f, err := os.Open("testdata/roundrobin.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := 0
	for scan := bufio.NewScanner(f); scan.Scan(); {
		weights, want, ok := strings.Cut(scan.Text(), ": ")
		if !ok || strings.HasPrefix(weights, "#") {
			continue
		}
		rows++
		var servers []Server
		for _, w := range strings.Fields(weights) {
			n, err := strconv.Atoi(w)
			if err != nil {
				t.Fatal(err)
			}
			servers = append(servers, Server{Weight: n, Usable: true})
		}
		if got := picks(group(t, servers, false), len(want)); got != want {
			t.Errorf("weights %s:\nwant %s\ngot  %s", weights, want, got)
		}
	}
	if rows < 40 {
		t.Fatalf("only %d rows read", rows)
	}
}

// HAProxy's order rounds the places of turns, so a round may owe a server a
// turn or give one too many.
func TestEveryServerGetsItsShareOfARoundWithinATurnOrTwo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(1, 20), 1, 8).Draw(t, "weights")
		g, err := New(Config{}, usable(weights...))
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, w := range weights {
			total += w
		}
		counts := make([]int, len(weights))
		for range total * weightScale {
			counts[g.Pick(None, nil)]++
		}
		for i, w := range weights {
			if d := counts[i] - w*weightScale; d < -2 || d > 2 {
				t.Fatalf("weights %v: picks %v", weights, counts)
			}
		}
	})
}

func TestAChangeOfWeightChangesTheShares(t *testing.T) {
	g := group(t, usable(1, 1), false)
	picks(g, 7)
	g.Set(0, Server{Weight: 3, Usable: true})
	counts := [2]int{}
	for range 4000 {
		counts[g.Pick(None, nil)]++
	}
	if counts[0] < 2900 || counts[0] > 3100 {
		t.Fatalf("want about 3000 picks of the first server, got %v", counts)
	}
}

func TestAServerThatIsDownIsNotPicked(t *testing.T) {
	g := group(t, usable(1, 1, 1), false)
	picks(g, 4)
	g.Set(1, Server{Weight: 1})
	if got := picks(g, 30); strings.Contains(got, "1") {
		t.Fatalf("picked a server that is down: %s", got)
	}
	g.Set(1, Server{Weight: 1, Usable: true})
	if got := picks(g, 30); strings.Count(got, "1") < 9 {
		t.Fatalf("a server that came back got less than its share: %s", got)
	}
}

func TestNoServerIsPickedWhenNoneIsUsable(t *testing.T) {
	for _, servers := range [][]Server{nil, {{Weight: 1}}, {{Weight: 0, Usable: true}}} {
		if got := group(t, servers, false).Pick(None, nil); got != None {
			t.Errorf("%+v: want None, got %d", servers, got)
		}
	}
}

func TestOnlyTheFirstUsableBackupServesUntilAnActiveServerReturns(t *testing.T) {
	servers := append(usable(1), Server{Weight: 1, Backup: true}, Server{Weight: 1, Backup: true, Usable: true}, Server{Weight: 1, Backup: true, Usable: true})
	g := group(t, servers, false)
	if got := picks(g, 4); got != "0000" {
		t.Fatalf("backups took part: %s", got)
	}
	g.Set(0, Server{Weight: 1})
	if got := picks(g, 4); got != "2222" {
		t.Fatalf("want the first usable backup alone, got %s", got)
	}
	if a, b, w := g.Counts(); a != 0 || b != 2 || w != 1 {
		t.Fatalf("want 0 active, 2 backup, weight 1, got %d, %d, %d", a, b, w)
	}
	g.Set(1, Server{Weight: 1, Backup: true, Usable: true})
	if got := picks(g, 4); got != "1111" {
		t.Fatalf("want the first backup of the file, got %s", got)
	}
	g.Set(0, Server{Weight: 1, Usable: true})
	if got := picks(g, 4); got != "0000" {
		t.Fatalf("want the active server again, got %s", got)
	}
}

func TestAllBackupsShareUnderOptionAllbackups(t *testing.T) {
	g := group(t, []Server{{Weight: 1}, {Weight: 2, Backup: true, Usable: true}, {Weight: 1, Backup: true, Usable: true}}, true)
	got := picks(g, 30)
	if strings.Count(got, "1") != 20 || strings.Count(got, "2") != 10 {
		t.Fatalf("want 20 and 10, got %s", got)
	}
}

func TestFullServersArePassedOver(t *testing.T) {
	g := group(t, usable(1, 1, 1), false)
	full := func(i int) bool { return i == 1 }
	for range 50 {
		if i := g.Pick(None, full); i == 1 || i == None {
			t.Fatalf("picked %d", i)
		}
	}
	if i := g.Pick(None, func(int) bool { return true }); i != None {
		t.Fatalf("all full: want None, got %d", i)
	}
	if got := picks(g, 30); strings.Count(got, "1") < 9 {
		t.Fatalf("a server that is no longer full got less than its share: %s", got)
	}
}

func TestTheServerToAvoidIsPickedOnlyWithoutAnother(t *testing.T) {
	g := group(t, usable(1, 1), false)
	for range 20 {
		if i := g.Pick(0, nil); i != 1 {
			t.Fatalf("want 1, got %d", i)
		}
	}
	if i := g.Pick(0, func(i int) bool { return i == 1 }); i != 0 {
		t.Fatalf("want the avoided server, the only one left, got %d", i)
	}
	if i := group(t, usable(1), false).Pick(0, nil); i != 0 {
		t.Fatalf("want the only server, got %d", i)
	}
}

func TestUnknownAlgorithmsAndWeightsAreRefused(t *testing.T) {
	if _, err := New(Config{Algorithm: "magic"}, nil); err == nil || !strings.Contains(err.Error(), "magic") {
		t.Errorf("want an error naming the algorithm, got %v", err)
	}
	if _, err := New(Config{Algorithm: "roundrobin"}, usable(1, 257)); err == nil || !strings.Contains(err.Error(), "server 2: weight 257") {
		t.Errorf("want an error naming server and weight, got %v", err)
	}
}

func TestAlgorithmRowsAreDocumented(t *testing.T) {
	for _, row := range Algorithms.Rows() {
		if row.Doc == "" || row.Syntax == "" || row.Example == "" {
			t.Errorf("%s: a row needs doc, syntax and example", row.Name)
		}
		if _, err := os.Stat(row.Name + ".go"); err != nil {
			t.Errorf("%s: no file of its own: %v", row.Name, err)
		}
	}
}

func TestPickDoesNotAllocate(t *testing.T) {
	g := group(t, usable(1, 2, 3, 4, 5), false)
	full := func(i int) bool { return i == 2 }
	if n := testing.AllocsPerRun(1000, func() { g.Pick(1, full) }); n != 0 {
		t.Fatalf("%v allocations a pick", n)
	}
}

func TestGroupsMayBeUsedFromSeveralGoroutines(t *testing.T) {
	g := group(t, usable(1, 1, 1, 1), false)
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				if g.Pick(None, nil) == None && n != 0 {
					t.Error("no server although some are always usable")
					return
				}
				if n == 0 {
					g.Set(i%3, Server{Weight: 1 + i%7, Usable: i%2 == 0})
				}
			}
		})
	}
	wg.Wait()
}

func TestRandomChangesNeverStallTheRound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	servers := usable(1, 2, 3, 4, 5)
	g := group(t, servers, false)
	for range 20000 {
		i := r.IntN(len(servers))
		servers[i] = Server{Weight: r.IntN(6), Usable: r.IntN(3) > 0}
		g.Set(i, servers[i])
		some := false
		for _, s := range servers {
			some = some || s.Usable && s.Weight > 0
		}
		p := g.Pick(None, nil)
		if (p != None) != some {
			t.Fatalf("%+v: picked %d", servers, p)
		}
		if p != None && (!servers[p].Usable || servers[p].Weight == 0) {
			t.Fatalf("%+v: picked unusable %d", servers, p)
		}
	}
}

func BenchmarkPick10Servers(b *testing.B) {
	g := group(b, usable(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), false)
	for b.Loop() {
		g.Pick(None, nil)
	}
}
