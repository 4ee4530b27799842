package fsm

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"
)

func TestTheTieBreakNeverReordersPriorities(t *testing.T) {
	for last := range 256 {
		low := Config{Own: netip.AddrFrom4([4]byte{10, 0, 0, byte(last)}), Interval: time.Second}
		for other := range 256 {
			high := Config{Own: netip.AddrFrom4([4]byte{10, 0, 0, byte(other)}), Interval: time.Second}
			if a, b := high.MasterDown(101), low.MasterDown(100); a >= b {
				t.Fatalf("priority 101 at .%d waits %v, priority 100 at .%d waits %v", other, a, last, b)
			}
		}
	}
}

func TestNeighbouringAddressesAreHalfAMillisecondApart(t *testing.T) {
	for last := range 253 {
		for next := 1; next <= 2; next++ {
			a := Config{Own: netip.AddrFrom4([4]byte{10, 0, 0, byte(last)})}.skew(100)
			b := Config{Own: netip.AddrFrom4([4]byte{10, 0, 0, byte(last + next)})}.skew(100)
			if d := (a - b).Abs(); d < 450*time.Microsecond {
				t.Errorf(".%d and .%d are %v apart, want at least 450 µs", last, last+next, d)
			}
		}
	}
}

func TestAStateSurvivesTheWayToAnotherProcess(t *testing.T) {
	c := Config{Own: netip.MustParseAddr("10.1.1.20"), Interval: time.Second, PreemptDelay: time.Minute, StartupDelay: time.Second}
	s, _ := Step(c, State{}, epoch, Start{Priority: 100})
	s, _ = Step(c, s, epoch.Add(time.Second), Advert{Peer: netip.MustParseAddr("10.1.1.21"), Priority: 50})
	saved := epoch.Add(1500 * time.Millisecond)
	text, err := json.Marshal(s.Save(saved))
	if err != nil {
		t.Fatal(err)
	}
	var v Saved
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if got := v.Restore(saved); got != s {
		t.Errorf("same clock: got %+v, want %+v", got, s)
	}
	elsewhere := epoch.Add(1000 * time.Hour)
	if got, want := v.Restore(elsewhere).Deadline.Sub(elsewhere), s.Deadline.Sub(saved); got != want {
		t.Errorf("remaining time: got %v, want %v", got, want)
	}
	if got := (State{}).Save(saved).Restore(elsewhere); got != (State{}) {
		t.Errorf("zero state: got %+v", got)
	}
	due := State{Kind: Master, Deadline: saved}
	if got := due.Save(saved).Restore(saved).Deadline; got.IsZero() {
		t.Error("a deadline of this moment is lost")
	}
}

func TestStoppingBeforeTheStartGivesBackWhatWasFound(t *testing.T) {
	s, actions := Step(Config{Interval: time.Second}, State{Holding: true}, epoch, Stop{})
	if s.Holding || len(actions) != 1 || actions[0].Verb != ReleaseAddresses {
		t.Errorf("got %+v, %v, want a release", s, actions)
	}
}

func TestNothingHappensBeforeTheStart(t *testing.T) {
	for _, e := range []Event{Stop{}, Timer{}, Advert{Priority: 100}, Clear{}, Reconfigure{}, Priority{}, Lead{}, Yield{}, Rally{}, Hold{}} {
		if s, actions := Step(Config{Interval: time.Second}, State{}, epoch, e); s.Kind != Initialize || len(actions) != 0 {
			t.Errorf("%T: got %+v, %v, want nothing", e, s, actions)
		}
	}
}

func TestEveryWordIsDefined(t *testing.T) {
	for v := SendAdvert; v <= Note; v++ {
		if v.String() == "" {
			t.Errorf("verb %d has no word", v)
		}
	}
	for c := Started; c <= Yielded; c++ {
		if got := (Transition{Cause: c, Detail: "x"}).String(); got == "" || got[:min(5, len(got))] == "cause" {
			t.Errorf("cause %d has no words: %q", c, got)
		}
	}
	if got := (Transition{Cause: 99}).String(); got != "cause 99" {
		t.Errorf("got %q", got)
	}
	// The methods that mark events exist to be compiled, not called.
	for _, e := range []Event{Start{}, Stop{}, Advert{}, Timer{}, Priority{}, Faulty{}, Clear{}, Reconfigure{}, Lead{}, Yield{}, Rally{}, Hold{}} {
		e.event()
	}
}
