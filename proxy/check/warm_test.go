package check

import (
	"testing"
	"time"
)

func TestSlowstartGivesWeightInSteps(t *testing.T) {
	c := Config{Backend: "be", Server: "srv", Enabled: true, Rise: 2, Fall: 3, Inter: time.Second, SlowStart: 4 * time.Second}
	t0 := time.Unix(1000, 0)
	s := Start(c, t0, 0)
	if w, p := s.Warmth(c, t0); s.Op != Running || w != 16 || p != 100 {
		t.Fatalf("at startup: %v, %d/16, %d %%: want no slowstart", s.Op, w, p)
	}
	s, _ = Step(c, s, t0, Event{Kind: ForceDown})
	s, acts := Step(c, s, t0, Event{Kind: ForceUp})
	if s.Op != Starting || !s.Usable() {
		t.Fatalf("up again: state %v, usable %v, want Starting and usable", s.Op, s.Usable())
	}
	if got := texts(c, acts); len(got) != 1 || got[0] != "Server be/srv is UP, changed from CLI. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue." {
		t.Errorf("lines: %q", got)
	}
	for _, row := range []struct{ after, weight, percent int }{{0, 1, 0}, {999, 1, 0}, {1000, 5, 25}, {2500, 9, 50}, {3000, 13, 75}, {4000, 16, 100}, {9000, 16, 100}} {
		if w, p := s.Warmth(c, t0.Add(time.Duration(row.after)*time.Millisecond)); w != row.weight || p != row.percent {
			t.Errorf("after %d ms: want %d/16 and %d %%, got %d and %d", row.after, row.weight, row.percent, w, p)
		}
	}
	s, acts = Step(c, s, t0.Add(time.Second), Event{Kind: Checked, Result: Result{Status: L4OK}})
	if s.Op != Starting || len(acts) != 0 {
		t.Errorf("a check that passes: state %v, %d actions, want Starting and none", s.Op, len(acts))
	}
	s, acts = Step(c, s, t0.Add(3*time.Second), Event{Kind: Warmed})
	if s.Op != Starting || len(acts) != 0 {
		t.Errorf("before its time: state %v, %d actions", s.Op, len(acts))
	}
	s, acts = Step(c, s, t0.Add(4*time.Second), Event{Kind: Warmed})
	if got := texts(c, acts); s.Op != Running || len(got) != 1 || got[0] != "Server be/srv is UP. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue." {
		t.Errorf("at its time: state %v, %q", s.Op, got)
	}
}

func TestAServerThatLeavesMaintenanceWarmsUp(t *testing.T) {
	c := Config{Rise: 2, Fall: 3, SlowStart: 90 * time.Second}
	t0 := time.Unix(1000, 0)
	s, _ := Step(c, Start(c, t0, 0), t0, Event{Kind: SetMaint})
	s, _ = Step(c, s, t0, Event{Kind: SetReady})
	if s.Op != Starting {
		t.Errorf("state %v, want Starting", s.Op)
	}
	if got := c.WarmingPause(); got != 4500*time.Millisecond {
		t.Errorf("steps every %v, want 4.5 s", got)
	}
	s, _ = Step(c, s, t0, Event{Kind: SetMaint})
	if s.Op != Stopped {
		t.Errorf("state %v, want Stopped", s.Op)
	}
}

// texts answers the lines of the actions.
func texts(c Config, acts []Action) (list []string) {
	for _, a := range acts {
		if a.Kind == Log {
			list = append(list, a.Text(c, World{}))
		}
	}
	return list
}
