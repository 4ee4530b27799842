package check

import (
	"testing"
	"time"
)

func TestAServerGoesOnInTheNextGeneration(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	checked := Config{Enabled: true, Rise: 2, Fall: 3, Inter: 2 * time.Second}
	plain := Config{Rise: 2, Fall: 3}
	disabled := Config{Enabled: true, Disabled: true, Rise: 2, Fall: 3, Inter: 2 * time.Second}
	longer := Config{Enabled: true, Rise: 4, Fall: 5, Inter: 2 * time.Second}
	at := now.Add(-time.Minute)
	up := State{Op: Running, Health: 4, Since: at, Last: Result{Status: L4OK}, Fails: 3}
	down := State{Op: Stopped, Health: 0, Since: at, Last: Result{Status: L4CON}, Downs: 2}
	maint := State{Op: Stopped, Admin: Maint, Since: at}
	drain := State{Op: Running, Health: 4, Admin: Drain, Since: at}
	fileMaint := State{Op: Stopped, Admin: Maint | ConfigMaint, Since: at}
	for _, tc := range []struct {
		name   string
		was, c Config
		old    State
		moved  bool
		op     Op
		admin  Admin
		health int
		checks bool
	}{
		{"up", checked, checked, up, false, Running, 0, 4, true},
		{"up, other counts", checked, longer, up, false, Running, 0, 8, true},
		{"nearly down", checked, checked, State{Op: Running, Health: 2, Since: at}, false, Running, 0, 2, true},
		{"down", checked, checked, down, false, Stopped, 0, 0, true},
		{"down, elsewhere now", checked, checked, down, true, Running, 0, 2, true},
		{"down, checked no more", checked, plain, down, false, Running, 0, 2, false},
		{"forced down without check", plain, plain, down, false, Stopped, 0, 0, false},
		{"maintenance", checked, checked, maint, false, Stopped, Maint, 0, false},
		{"maintenance, elsewhere now", checked, checked, maint, true, Stopped, Maint, 0, false},
		{"drained", checked, checked, drain, false, Running, Drain, 4, true},
		{"the file says disabled now", checked, disabled, up, false, Stopped, Maint | ConfigMaint, 0, false},
		{"the file says disabled no more", disabled, checked, fileMaint, false, Running, 0, 2, true},
		{"made ready against the file", disabled, disabled, up, false, Running, 0, 4, true},
		{"checks switched off", checked, checked, State{Op: Running, Health: 4, Off: true, Since: at}, false, Running, 0, 4, false},
	} {
		got := Resume(tc.was, tc.c, Start(tc.c, now, 0.5), tc.old, tc.moved, now)
		if got.Op != tc.op || got.Admin != tc.admin || got.Health != tc.health || got.Next.IsZero() == tc.checks {
			t.Errorf("%s: got op %d admin %d health %d next %v; want %d %d %d, checks %t", tc.name,
				got.Op, got.Admin, got.Health, got.Next, tc.op, tc.admin, tc.health, tc.checks)
		}
		if got.Fails != tc.old.Fails || got.Downs != tc.old.Downs {
			t.Errorf("%s: counters: got %d/%d, want %d/%d", tc.name, got.Fails, got.Downs, tc.old.Fails, tc.old.Downs)
		}
		same := tc.op == tc.old.Op && tc.admin == tc.old.Admin
		if want := map[bool]time.Time{true: at, false: now}[same]; !got.Since.Equal(want) {
			t.Errorf("%s: since: got %v, want %v", tc.name, got.Since, want)
		}
	}
}
