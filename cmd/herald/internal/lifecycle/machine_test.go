package lifecycle

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// stage plays the system to a machine: it keeps the clock and writes actions
// down.
type stage struct {
	t   testing.TB
	m   *Machine
	now time.Time
}

func newStage(t testing.TB, roles ...Role) *stage {
	return &stage{t: t, m: New(Defaults, roles...), now: time.Unix(1000, 0)}
}

// does steps e and compares the actions, logs aside, with want.
func (s *stage) does(e Event, want ...string) {
	s.t.Helper()
	if got := script(s.m.Step(s.now, e)); got != strings.Join(want, "; ") {
		s.t.Errorf("%T%v:\nwant %s\ngot  %s", e, e, strings.Join(want, "; "), got)
	}
}

// script writes actions down, logs aside.
func script(actions []Action) string {
	var list []string
	for _, a := range actions {
		switch a := a.(type) {
		case Start:
			list = append(list, fmt.Sprintf("start %s %d", a.Role, a.ID))
		case Go:
			list = append(list, fmt.Sprintf("go %d%s", a.ID, word(a.Crashed, " crashed", "")))
		case Tell:
			list = append(list, fmt.Sprintf("%s %d", [...]string{"drain", "resign", "handover"}[a.Word], a.ID))
		case Kill:
			list = append(list, fmt.Sprintf("kill %d", a.ID))
		case Withdraw:
			list = append(list, "withdraw")
		case Inform:
			list = append(list, fmt.Sprintf("fact %t", a.Fact.Serving))
		case Outcome:
			list = append(list, word(a.Failed == "", "ok", "failed: "+a.Failed))
		case CloseUnused:
			list = append(list, "close")
		case Finish:
			list = append(list, fmt.Sprintf("finish %d", a.Code))
		}
	}
	return strings.Join(list, "; ")
}

// after waits until the next timer, which must be due after d, and steps it.
func (s *stage) after(d time.Duration, want ...string) {
	s.t.Helper()
	next := s.m.Next()
	if got := next.Sub(s.now); next.IsZero() || got != d {
		s.t.Errorf("want a timer in %v, got %v (none: %t)", d, got, next.IsZero())
	}
	s.now = next
	s.does(Timer{}, want...)
}

// running returns a stage whose proxy is process 1 and VRRP role process 2.
func running(t testing.TB) *stage {
	s := newStage(t, Proxy, VRRP)
	s.does(Begin{}, "start proxy 1", "start vrrp 2")
	s.does(Prepared{2})
	s.does(Prepared{1}, "go 1", "close", "ok", "go 2")
	s.does(Beat{ID: 1, Serving: true}, "fact true")
	s.does(Beat{ID: 2})
	return s
}

func TestNothingBeginsBeforeEveryRoleIsReady(t *testing.T) { running(t) }

func TestAStartThatFailsEndsTheDaemonWithOne(t *testing.T) {
	s := newStage(t, Proxy, VRRP)
	s.does(Begin{}, "start proxy 1", "start vrrp 2")
	s.does(Ended{1, "haproxy.cfg:3: error: x"}, "kill 2", "close", "failed: role proxy: haproxy.cfg:3: error: x")
	s.does(Ended{2, "killed"}, "withdraw", "finish 1")
}

func TestAStartThatHangsIsEnded(t *testing.T) {
	s := newStage(t, Proxy, VRRP)
	s.does(Begin{}, "start proxy 1", "start vrrp 2")
	s.does(Prepared{1})
	s.after(30*time.Second, "kill 1", "kill 2", "close", "failed: role vrrp was not ready within 30s")
	s.does(Ended{2, "killed"}, "withdraw")
	s.does(Ended{1, "killed"}, "finish 1")
}

func TestAReloadHandsOverAndDrains(t *testing.T) {
	s := running(t)
	s.does(Reload{}, "start proxy 3", "start vrrp 4")
	s.does(Reload{}, "failed: another start or reload is under way")
	s.does(Prepared{3})
	s.does(Prepared{4}, "go 3", "drain 1", "handover 2", "close", "ok")
	s.does(Beat{ID: 1}) // the old one's word does not count any more
	s.does(Handed{2})
	s.does(Ended{2, "exit status 0"}, "go 4")
	s.does(Beat{ID: 3, Serving: true})
	if got := s.m.Status(); len(got) != 3 || got[0].State != "leaving" || got[1].State != "serving" {
		t.Errorf("want a leaving and two serving processes, got %v", got)
	}
	s.does(Ended{1, "exit status 0"})
}

func TestAReloadWithAnErrorKeepsTheOld(t *testing.T) {
	s := running(t)
	s.does(Reload{}, "start proxy 3", "start vrrp 4")
	s.does(Prepared{4})
	s.does(Ended{3, "an error"}, "kill 4", "close", "failed: role proxy: an error")
	s.does(Ended{4, "killed"})
	s.does(Beat{ID: 1, Serving: false, Reason: "x"}, "fact false") // the old is still the one
	s.does(Reload{}, "start proxy 5", "start vrrp 6")              // and can be reloaded again
}

func TestAPredecessorThatDoesNotHandOverIsKilled(t *testing.T) {
	s := running(t)
	s.does(Reload{}, "start proxy 3", "start vrrp 4")
	s.does(Prepared{3})
	s.does(Prepared{4}, "go 3", "drain 1", "handover 2", "close", "ok")
	s.after(3*time.Second, "kill 2")
	s.does(Ended{2, "killed"}, "go 4 crashed")
}

func TestADeadProxyIsToldAtOnceAndStartedAgain(t *testing.T) {
	s := running(t)
	s.does(Ended{1, "killed"}, "fact false", "start proxy 3")
	s.does(Prepared{3}, "go 3")
	s.does(Beat{ID: 3, Serving: true}, "fact true")
}

func TestRestartsPauseLongerAndLonger(t *testing.T) {
	s := running(t)
	s.does(Ended{1, "killed"}, "fact false", "start proxy 3")
	s.does(Ended{3, "killed"})
	s.after(100*time.Millisecond, "start proxy 4")
	s.does(Ended{4, "killed"})
	s.after(200*time.Millisecond, "start proxy 5")
	s.now = s.now.Add(time.Minute)
	s.does(Prepared{5}, "go 5")
	s.does(Ended{5, "killed"}, "start proxy 6")
	for range 20 {
		s.does(Ended{s.m.lastID, "killed"})
		if pause := s.m.Next().Sub(s.now); pause > Defaults.PauseMost {
			t.Fatalf("want at most %v, got %v", Defaults.PauseMost, pause)
		}
		s.now = s.m.Next()
		s.m.Step(s.now, Timer{})
	}
}

func TestARestartThatIsNeverReadyIsKilledAndTriedAgain(t *testing.T) {
	s := running(t)
	s.does(Ended{1, "killed"}, "fact false", "start proxy 3")
	s.after(30*time.Second, "kill 3")
	s.does(Ended{3, "killed"}, "start proxy 4")
}

func TestADeadVRRPRoleGoesOnFromItsLastState(t *testing.T) {
	s := running(t)
	s.does(Ended{2, "killed"}, "start vrrp 3")
	s.does(Prepared{3}, "go 3 crashed")
	if !s.m.Next().IsZero() {
		t.Error("a timer is left: its addresses would be taken away")
	}
}

func TestAddressesNobodyAnswersForAreWithdrawn(t *testing.T) {
	s := running(t)
	s.does(Ended{2, "killed"}, "start vrrp 3") // and it hangs
	s.after(3*time.Second, "withdraw")
	s.does(Prepared{3}, "go 3 crashed")
}

func TestThreeDeathsWithdrawAtOnceAndRestartsGoOn(t *testing.T) {
	s := running(t)
	s.does(Ended{2, "killed"}, "start vrrp 3")
	s.does(Ended{3, "killed"})
	s.after(100*time.Millisecond, "start vrrp 4")
	s.does(Ended{4, "killed"}, "withdraw")
	s.after(200*time.Millisecond, "start vrrp 5")
	s.does(Prepared{5}, "go 5 crashed")
}

func TestWithoutRestartsADeathIsTheEnd(t *testing.T) {
	s := running(t)
	s.m.config.NoRestart = true
	s.does(Ended{2, "killed"}, "withdraw", "drain 1")
	s.does(Ended{1, "exit status 0"}, "finish 1")
	s = running(t)
	s.m.config.NoRestart = true
	s.does(Ended{1, "killed"}, "fact false", "resign 2")
	s.does(Ended{2, "exit status 0"}, "withdraw", "finish 1")
}

func TestASilentProxyIsNotServingAndLaterKilled(t *testing.T) {
	s := running(t)
	s.does(Tick{})
	s.does(Tick{})
	s.does(Beat{ID: 1, Serving: true})
	s.does(Beat{ID: 2})
	s.does(Tick{})
	s.does(Tick{})
	s.does(Beat{ID: 2})
	s.does(Tick{}, "fact false")
	s.does(Beat{ID: 2})
	for range Defaults.DeadProxy - Defaults.SilentProxy - 1 {
		s.does(Tick{})
		s.m.Step(s.now, Beat{ID: 2})
	}
	s.does(Tick{}, "kill 1")
	s.does(Ended{1, "killed"}, "fact false", "start proxy 3")
}

func TestASilentVRRPRoleIsKilledAndRestarted(t *testing.T) {
	s := running(t)
	for range Defaults.SilentVRRP - 1 {
		s.does(Beat{ID: 1, Serving: true})
		s.m.Step(s.now, Tick{})
	}
	s.does(Tick{}, "kill 2")
	s.does(Ended{2, "killed"}, "start vrrp 3")
}

func TestStopResignsFirstThenDrains(t *testing.T) {
	s := running(t)
	s.does(Stop{}, "resign 2")
	s.does(Ended{2, "exit status 0"}, "withdraw", "drain 1")
	s.does(Ended{1, "exit status 0"}, "finish 0")
	s.does(Beat{ID: 1})
}

func TestStopWaitsForNobodyForever(t *testing.T) {
	s := running(t)
	s.does(Reload{}, "start proxy 3", "start vrrp 4")
	s.does(Prepared{3})
	s.does(Prepared{4}, "go 3", "drain 1", "handover 2", "close", "ok")
	s.does(Ended{2, "exit status 0"}, "go 4 crashed")
	s.does(Stop{}, "resign 4")
	s.does(Reload{}, "failed: herald is stopping")
	s.after(3*time.Second, "kill 4")
	s.does(Ended{4, "killed"}, "withdraw", "drain 3")
	s.after(3*time.Second, "resign 1", "resign 3")
	s.after(2*time.Second, "kill 1", "kill 3")
	s.does(Ended{1, "killed"})
	s.does(Ended{3, "killed"}, "finish 0")
}

func TestASecondStopKills(t *testing.T) {
	s := running(t)
	s.does(Stop{}, "resign 2")
	s.does(Stop{}, "kill 1", "kill 2")
	s.does(Ended{1, "killed"}, "fact false")
	s.does(Ended{2, "killed"}, "withdraw", "finish 0")
}

func TestStopDuringAStartOrARestartEndsIt(t *testing.T) {
	s := newStage(t, Proxy, VRRP)
	s.does(Begin{}, "start proxy 1", "start vrrp 2")
	s.does(Stop{}, "kill 1", "kill 2", "close", "failed: herald is stopping")
	s.does(Ended{1, "killed"})
	s.does(Ended{2, "killed"}, "withdraw", "finish 0")

	s = running(t)
	s.does(Ended{2, "killed"}, "start vrrp 3")
	s.does(Stop{}, "kill 3", "withdraw")
	s.does(Ended{3, "killed"}, "withdraw", "drain 1")
}

// TestAStopDuringAHandoverStillResigns: the predecessor goes without
// resigning, and without a word from the successor the others would wait.
func TestAStopDuringAHandoverStillResigns(t *testing.T) {
	s := running(t)
	s.does(Reload{}, "start proxy 3", "start vrrp 4")
	s.does(Prepared{3})
	s.does(Prepared{4}, "go 3", "drain 1", "handover 2", "close", "ok")
	s.does(Stop{})
	s.does(Handed{2})
	s.does(Ended{2, "exit status 0"}, "go 4", "resign 4")
	s.does(Ended{4, "exit status 0"}, "withdraw", "drain 3")
}

func TestADeathDuringAReloadIsMendedByTheReload(t *testing.T) {
	s := running(t)
	s.does(Reload{}, "start proxy 3", "start vrrp 4")
	s.does(Ended{1, "killed"}, "fact false")
	s.does(Prepared{3})
	s.does(Prepared{4}, "go 3", "handover 2", "close", "ok")

	s = running(t)
	s.does(Reload{}, "start proxy 3", "start vrrp 4")
	s.does(Ended{1, "killed"}, "fact false")
	s.does(Ended{3, "an error"}, "kill 4", "close", "failed: role proxy: an error", "start proxy 5")
}

func TestAReloadTakesTheChangeOverFromARestart(t *testing.T) {
	s := running(t)
	s.does(Ended{1, "killed"}, "fact false", "start proxy 3")
	s.does(Reload{}, "kill 3", "start proxy 4", "start vrrp 5")
	s.does(Ended{3, "killed"})
	s.does(Prepared{4})
	s.does(Prepared{5}, "go 4", "handover 2", "close", "ok")
}

func TestEitherRoleRunsAlone(t *testing.T) {
	s := newStage(t, VRRP)
	if f := s.m.Fact(); !f.Known || f.Serving {
		t.Errorf("want it known that no proxy serves, got %+v", f)
	}
	s.does(Begin{}, "start vrrp 1")
	s.does(Prepared{1}, "close", "ok", "go 1")
	s.does(Stop{}, "resign 1")
	s.does(Ended{1, "exit status 0"}, "withdraw", "finish 0")
	s = newStage(t, Proxy)
	s.does(Begin{}, "start proxy 1")
	s.does(Prepared{1}, "go 1", "close", "ok")
	s.does(Stop{}, "drain 1")
	s.does(Ended{1, "exit status 0"}, "finish 0")
}

// TestWhateverHappensOneSpeaksAndTheEndComes plays random events: two VRRP
// processes never speak at once, everything that was let begin had been
// ready, and after Stop the daemon ends.
func TestWhateverHappensOneSpeaksAndTheEndComes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{rt: rt, s: newStage(t, Proxy, VRRP), alive: map[ID]*actor{}}
		w.step(Begin{})
		for range rapid.IntRange(1, 80).Draw(rt, "length") {
			w.random()
		}
		w.step(Stop{})
		for range 1000 {
			if w.finished {
				return
			}
			w.s.now = w.s.now.Add(time.Second)
			w.step(Timer{})
			for _, id := range w.ids() {
				if w.alive[id].dying {
					w.end(id)
					break
				}
			}
		}
		rt.Fatalf("no end: %v", w.s.m.Status())
	})
}

// world is what random events know about processes.
type world struct {
	rt       *rapid.T
	s        *stage
	alive    map[ID]*actor
	finished bool
}

type actor struct {
	role                 Role
	ready, speaks, dying bool
}

func (w *world) step(e Event) {
	for _, a := range w.s.m.Step(w.s.now, e) {
		switch a := a.(type) {
		case Start:
			w.alive[a.ID] = &actor{role: a.Role}
		case Go:
			w.begin(a.ID)
		case Kill:
			w.alive[a.ID].dying = true
		case Tell:
			w.alive[a.ID].dying = a.Word != Drain || w.alive[a.ID].dying
		case Finish:
			w.finished = true
			if len(w.alive) != 0 {
				w.rt.Fatalf("finished with %d processes", len(w.alive))
			}
		}
	}
}

func (w *world) begin(id ID) {
	a := w.alive[id]
	if a == nil || !a.ready || a.speaks {
		w.rt.Fatalf("process %d begins: %+v", id, a)
	}
	for other, b := range w.alive {
		if a.role == VRRP && b.role == VRRP && b.speaks {
			w.rt.Fatalf("VRRP process %d begins while %d speaks", id, other)
		}
	}
	a.speaks = true
}

func (w *world) end(id ID) {
	delete(w.alive, id)
	w.step(Ended{id, "ended"})
}

func (w *world) ids() []ID {
	var ids []ID
	for id := ID(1); id <= w.s.m.lastID; id++ {
		if w.alive[id] != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

func (w *world) random() {
	ids := w.ids()
	if len(ids) == 0 {
		w.s.now = w.s.now.Add(time.Second)
		w.step(Timer{})
		return
	}
	id := rapid.SampledFrom(ids).Draw(w.rt, "process")
	switch rapid.IntRange(0, 7).Draw(w.rt, "event") {
	case 0:
		w.step(Reload{})
	case 1, 2:
		if a := w.alive[id]; !a.dying {
			a.ready = true
			w.step(Prepared{id})
		}
	case 3:
		w.end(id)
	case 4:
		w.step(Beat{ID: id, Serving: rapid.Bool().Draw(w.rt, "serving")})
	case 5:
		w.step(Tick{})
	case 6:
		w.step(Handed{id})
	case 7:
		w.s.now = w.s.now.Add(time.Duration(rapid.IntRange(0, 40000).Draw(w.rt, "ms")) * time.Millisecond)
		w.step(Timer{})
	}
}
