package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"herald/stats"
)

var (
	zero    = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	refused = Result{Status: L4CON, Info: "Connection refused"}
	ok      = Result{Status: L4OK}
)

func config() Config {
	return Config{Backend: "be", Server: "srv", Enabled: true, Rise: 2, Fall: 3, Inter: 2 * time.Second}
}

// script drives one server and keeps the trace.
type script struct {
	c     Config
	s     State
	now   time.Time
	trace []string
}

func begin(c Config) *script { return &script{c: c, s: Start(c, zero, 0), now: zero} }

func (t *script) do(e Event) *script {
	t.now = t.now.Add(time.Second)
	s, acts := Step(t.c, t.s, t.now, e)
	t.s = s
	w := World{}
	if s.Usable() {
		if w.Active = 1; t.c.Backup {
			w = World{Backup: 1}
		}
	}
	for _, a := range acts {
		switch a.Kind {
		case Log:
			t.trace = append(t.trace, fmt.Sprintf("%d %s", a.Level, a.Text(t.c, w)))
		case WentDown:
			t.trace = append(t.trace, "went down")
		case CameUp:
			t.trace = append(t.trace, "came up")
		}
	}
	t.trace = append(t.trace, "= "+s.Status(t.c))
	return t
}

func (t *script) check(r ...Result) *script {
	for _, r := range r {
		t.do(Event{Kind: Checked, Result: r})
	}
	return t
}

func (t *script) op(k ...Kind) *script {
	for _, k := range k {
		t.do(Event{Kind: k})
	}
	return t
}

func (t *script) want(test *testing.T, lines ...string) {
	test.Helper()
	if !slices.Equal(t.trace, lines) {
		test.Errorf("want\n  %s\ngot\n  %s", strings.Join(lines, "\n  "), strings.Join(t.trace, "\n  "))
	}
}

// Every trace below is what HAProxy 2.6.12 logs and shows in the same case.

func TestTheFirstCheckDecidesAtOnce(t *testing.T) {
	if got := Start(config(), zero, 0).Status(config()); got != "UP 1/3" {
		t.Errorf("before the first check: want UP 1/3, got %s", got)
	}
	begin(config()).check(ok).want(t, "= UP")
	begin(config()).check(refused).want(t,
		`1 Server be/srv is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`,
		"went down", "= DOWN")
}

func TestAServerGoesDownAfterFallFailuresAndUpAfterRiseSuccesses(t *testing.T) {
	s := begin(config()).check(ok, refused, refused, refused, refused, ok, ok)
	s.want(t, "= UP", "= UP 2/3", "= UP 1/3",
		`1 Server be/srv is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`,
		"went down", "= DOWN", "= DOWN", "= DOWN 1/2",
		"5 Server be/srv is UP, reason: Layer4 check passed, check duration: 0ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.",
		"came up", "= UP")
	if s.s.Fails != 3 || s.s.Downs != 1 || s.s.Health != 4 || s.s.Checks != 7 {
		t.Errorf("want 3 failed checks, 1 transition, health 4, 7 checks, got %+v", s.s)
	}
}

func TestOneSuccessEndsAFallAndOneFailureEndsARise(t *testing.T) {
	begin(config()).check(ok, refused, refused, ok).want(t, "= UP", "= UP 2/3", "= UP 1/3", "= UP")
	s := begin(config()).check(refused, ok, refused)
	if got := s.s.Status(s.c); got != "DOWN" {
		t.Errorf("want DOWN, got %s", got)
	}
}

func TestLogHealthChecksTellsEveryChangeAndLeavesTheReasonToIt(t *testing.T) {
	c := config()
	c.LogAll, c.Backup = true, true
	begin(c).check(ok, ok, refused, refused, refused, refused, ok, ok).want(t,
		"5 Health check for backup server be/srv succeeded, reason: Layer4 check passed, check duration: 0ms, status: 3/3 UP.", "= UP",
		"= UP",
		`5 Health check for backup server be/srv failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms, status: 2/3 UP.`, "= UP 2/3",
		`5 Health check for backup server be/srv failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms, status: 1/3 UP.`, "= UP 1/3",
		`5 Health check for backup server be/srv failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms, status: 0/2 DOWN.`,
		"1 Backup Server be/srv is DOWN. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
		"went down", "= DOWN",
		"= DOWN",
		"5 Health check for backup server be/srv succeeded, reason: Layer4 check passed, check duration: 0ms, status: 1/2 DOWN.", "= DOWN 1/2",
		"5 Health check for backup server be/srv succeeded, reason: Layer4 check passed, check duration: 0ms, status: 3/3 UP.",
		"5 Backup Server be/srv is UP. 0 active and 1 backup servers online. Running on backup. 0 sessions requeued, 0 total in queue.",
		"came up", "= UP")
}

func TestADifferentFailureIsToldByLogHealthChecks(t *testing.T) {
	c := config()
	c.LogAll = true
	s := begin(c).check(refused)
	s.trace = nil
	s.check(Result{Status: L4TOUT, Duration: 2001 * time.Millisecond}).want(t,
		"5 Health check for server be/srv failed, reason: Layer4 timeout, check duration: 2001ms, status: 0/2 DOWN.", "= DOWN")
}

func TestAnHTTPStatusIsPartOfTheReason(t *testing.T) {
	begin(config()).check(Result{Status: L7STS, Code: 503, Info: "Service Unavailable", Duration: time.Millisecond}).want(t,
		`1 Server be/srv is DOWN, reason: Layer7 wrong status, code: 503, info: "Service Unavailable", check duration: 1ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`,
		"went down", "= DOWN")
}

func TestMaintenanceStopsAServerAndReadyBringsItUpAtOnce(t *testing.T) {
	s := begin(config()).check(ok).op(SetMaint, SetMaint).check(ok)
	if !s.s.Next.IsZero() || s.s.Usable() {
		t.Errorf("in maintenance nothing is due or usable: %+v", s.s)
	}
	s.op(SetReady, SetReady).want(t, "= UP",
		"1 Server be/srv is going DOWN for maintenance. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
		"went down", "= MAINT", "= MAINT", "= MAINT",
		"5 Server be/srv is UP/READY (leaving forced maintenance).", "came up", "= UP 1/3", "= UP 1/3")
	if s.s.Next.IsZero() || s.s.Downs != 1 {
		t.Errorf("want a check due and one transition to down, got %+v", s.s)
	}
}

func TestADownServerEntersMaintenanceQuietly(t *testing.T) {
	s := begin(config()).check(refused)
	s.trace = nil
	s.op(SetMaint).want(t, "5 Server be/srv was DOWN and now enters maintenance.", "= MAINT")
}

func TestDrainKeepsCheckingAndMaintenanceWinsOverIt(t *testing.T) {
	begin(config()).check(ok).op(SetDrain, SetDrain).check(refused, refused, refused, ok, ok).op(SetMaint, SetDrain, SetReady).want(t, "= UP",
		"5 Server be/srv enters drain state. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.", "= DRAIN", "= DRAIN",
		"= DRAIN 2/3", "= DRAIN 1/3",
		`5 Server be/srv is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`,
		"5 Server be/srv remains in forced drain mode.", "went down", "= DOWN", "= DOWN 1/2",
		"5 Server be/srv is UP, reason: Layer4 check passed, check duration: 0ms. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.",
		"5 Server be/srv remains in forced drain mode.", "= DRAIN",
		"5 Server be/srv is going DOWN for maintenance. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.", "went down", "= MAINT",
		"5 Server be/srv is UP/DRAIN (leaving forced maintenance).", "5 Server be/srv remains in forced drain mode.", "= DRAIN 1/3",
		"5 Server be/srv is UP (leaving forced drain).", "came up", "= UP 1/3")
}

func TestADownServerDrainsAndReturnsDown(t *testing.T) {
	s := begin(config()).check(refused)
	s.trace = nil
	s.op(SetDrain, SetReady).want(t,
		"5 Server be/srv enters drain state. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.", "= DOWN",
		"5 Server be/srv is DOWN (leaving forced drain).", "= DOWN")
}

func TestHealthCanBeForced(t *testing.T) {
	begin(config()).check(ok).op(ForceNoLB).check(refused, ok).op(ForceDown, ForceUp, ForceUp, SetMaint, ForceUp).want(t, "= UP",
		"5 Server be/srv is stopping, changed from CLI. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.", "= NOLB", "= NOLB 2/3",
		"5 Server be/srv is UP, reason: Layer4 check passed, check duration: 0ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.", "came up", "= UP",
		"1 Server be/srv is DOWN, changed from CLI. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.", "went down", "= DOWN",
		"5 Server be/srv is UP, changed from CLI. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.", "came up", "= UP", "= UP",
		"1 Server be/srv is going DOWN for maintenance. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.", "went down", "= MAINT", "= MAINT")
}

func TestAConditionalSuccessTakesNoNewSessions(t *testing.T) {
	c := config()
	c.LogAll = true
	begin(c).check(ok, Result{Status: L7OKC, Code: 404}, ok).want(t,
		"5 Health check for server be/srv succeeded, reason: Layer4 check passed, check duration: 0ms, status: 3/3 UP.", "= UP",
		"5 Health check for server be/srv conditionally succeeded, reason: Layer7 check conditionally passed, code: 404, check duration: 0ms, status: 3/3 UP.",
		"5 Server be/srv is stopping. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.", "= NOLB",
		"5 Health check for server be/srv succeeded, reason: Layer4 check passed, check duration: 0ms, status: 3/3 UP.",
		"5 Server be/srv is UP. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.", "came up", "= UP")
}

func TestChecksCanBeSwitchedOffAndOn(t *testing.T) {
	s := begin(config()).check(ok).op(DisableCheck).check(refused)
	s.want(t, "= UP", "= no check", "= no check")
	if !s.s.Next.IsZero() {
		t.Error("a check is due although they are off")
	}
	if s.op(EnableCheck); !s.s.Next.Equal(s.now) {
		t.Errorf("want a check at once, got %v", s.s.Next)
	}
}

func TestAServerWithoutChecksIsUpUntilAnOperatorSaysOtherwise(t *testing.T) {
	c := config()
	c.Enabled = false
	s := begin(c)
	if !s.s.Usable() || !s.s.Next.IsZero() || s.s.Status(c) != "no check" {
		t.Errorf("got %+v, %s", s.s, s.s.Status(c))
	}
	s.op(ForceDown, EnableCheck, SetMaint, SetReady, SetDrain).want(t,
		"1 Server be/srv is DOWN, changed from CLI. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.", "went down", "= DOWN", "= DOWN",
		"5 Server be/srv was DOWN and now enters maintenance.", "= MAINT",
		"5 Server be/srv is UP/READY (leaving forced maintenance).", "came up", "= no check",
		"5 Server be/srv enters drain state. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.", "= DRAIN")
}

func TestADisabledServerStartsInMaintenance(t *testing.T) {
	c := config()
	c.Disabled = true
	s := begin(c)
	if s.s.Status(c) != "MAINT" || s.s.Usable() || !s.s.Next.IsZero() || s.s.Admin != Maint|ConfigMaint {
		t.Errorf("got %+v, %s", s.s, s.s.Status(c))
	}
	s.op(SetReady, SetMaint)
	if s.s.Admin != Maint|ConfigMaint {
		t.Errorf("want both bits again, got %d", s.s.Admin)
	}
}

func TestThePauseFollowsTheState(t *testing.T) {
	c := config()
	c.Fast, c.Down, c.Rise = time.Second, 10*time.Second, 3
	s := begin(c)
	for i, row := range []struct {
		r    Result
		want time.Duration
	}{
		{ok, 2 * time.Second}, {refused, time.Second}, {refused, time.Second}, {refused, 10 * time.Second},
		{refused, 10 * time.Second}, {ok, time.Second}, {ok, time.Second}, {ok, 2 * time.Second},
	} {
		if s.check(row.r); s.s.Next.Sub(s.now) != row.want {
			t.Errorf("step %d (%s): want %v, got %v", i, s.s.Status(c), row.want, s.s.Next.Sub(s.now))
		}
	}
	c.Fast, c.Down = 0, 0
	for i, r := range []Result{refused, ok, ok, refused} {
		if s := begin(c).check(refused, r); s.s.Next.Sub(s.now) != 2*time.Second {
			t.Errorf("step %d: without fastinter and downinter want 2s, got %v", i, s.s.Next.Sub(s.now))
		}
	}
}

func TestSpreadVariesThePauseByItsShare(t *testing.T) {
	c := config()
	c.Spread = 50
	for chance, want := range map[float64]time.Duration{0: time.Second, 0.5: 2 * time.Second, 0.75: 2500 * time.Millisecond} {
		s, _ := Step(c, Start(c, zero, 0), zero, Event{Kind: Checked, Result: ok, Chance: chance})
		if got := s.Next.Sub(zero); got != want {
			t.Errorf("chance %v: want %v, got %v", chance, want, got)
		}
	}
	if got := Start(c, zero, 0.25).Next.Sub(zero); got != 500*time.Millisecond {
		t.Errorf("first check: want a quarter of the interval, got %v", got)
	}
}

func TestDowntimeSumsThePeriodsDown(t *testing.T) {
	s := begin(config()).check(refused) // down at 1 s
	if got := s.s.Downtime(s.now.Add(5 * time.Second)); got != 5*time.Second {
		t.Errorf("want 5s, got %v", got)
	}
	s.op(SetDrain, SetReady).check(ok, ok) // up at 5 s
	if got := s.s.Downtime(s.now.Add(time.Hour)); got != 4*time.Second {
		t.Errorf("want 4s after it came up, got %v", got)
	}
	s.op(SetMaint)
	if got := s.s.Downtime(s.now.Add(time.Minute)); got != 64*time.Second {
		t.Errorf("want maintenance counted, got %v", got)
	}
}

func TestTheEmptyBackendLineNamesTheKindOfSection(t *testing.T) {
	if got := BackendEmpty("be", false); got != "backend be has no server available!" {
		t.Error(got)
	}
	if got := BackendEmpty("web", true); got != "proxy web has no server available!" {
		t.Error(got)
	}
}

func TestEveryStatusHasItsWordAndSentence(t *testing.T) {
	seen := map[string]bool{}
	for s := UNK; s <= PROCOK; s++ {
		if s.String() == "" || s.Description() == "" || seen[s.String()] {
			t.Errorf("status %d: %q, %q", s, s.String(), s.Description())
		}
		seen[s.String()] = true
		if strings.Contains(s.String(), "OK") != s.Passed() {
			t.Errorf("%s: Passed is %v", s, s.Passed())
		}
	}
}

func TestFillNumbersTheStateAsShowServersStateDoes(t *testing.T) {
	type numbers struct{ op, admin, status, result, health, bits int }
	get := func(s *script) numbers {
		var r stats.Row
		s.s.Fill(s.c, s.now, &r)
		return numbers{r.Server.OpState, r.Server.AdminState, r.Server.CheckStatus, r.Server.CheckResult, r.CheckHealth, r.Server.CheckState}
	}
	off, disabled := config(), config()
	off.Enabled = false
	disabled.Enabled, disabled.Disabled = false, true
	for name, row := range map[string]struct {
		s    *script
		want numbers
	}{
		"up":          {begin(config()).check(ok), numbers{2, 0, 6, 3, 4, 6}},
		"down":        {begin(config()).check(refused), numbers{0, 0, 8, 2, 0, 6}},
		"maint":       {begin(config()).check(ok).op(SetMaint), numbers{0, 1, 6, 3, 0, 14}},
		"drain":       {begin(config()).check(ok).op(SetDrain), numbers{2, 8, 6, 3, 4, 6}},
		"no check":    {begin(off), numbers{2, 0, 1, 0, 2, 0}},
		"disabled":    {begin(disabled), numbers{0, 5, 1, 0, 0, 8}},
		"checks off":  {begin(config()).check(ok).op(DisableCheck), numbers{2, 0, 6, 3, 4, 2}},
		"before any":  {begin(config()), numbers{2, 0, 1, 0, 2, 6}},
		"forced nolb": {begin(config()).check(ok).op(ForceNoLB), numbers{3, 0, 6, 3, 4, 6}},
	} {
		if got := get(row.s); got != row.want {
			t.Errorf("%s: want %+v, got %+v", name, row.want, got)
		}
	}
	var r stats.Row
	s := begin(Config{Backup: true, Enabled: true, Rise: 1, Fall: 1, Inter: time.Second})
	if s.s.Fill(s.c, s.now, &r); r.CheckDuration != -1 || r.Backup != 1 || r.Active != 0 || !r.Checked {
		t.Errorf("before any check: %+v", r)
	}
}

// The state machine holds what its users rely on, whatever happens.
func TestNoSequenceOfEventsBreaksTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := config()
		c.Rise = rapid.IntRange(1, 4).Draw(t, "rise")
		c.Fall = rapid.IntRange(1, 4).Draw(t, "fall")
		c.Enabled = rapid.Bool().Draw(t, "enabled")
		c.Disabled = rapid.Bool().Draw(t, "disabled")
		s, now := Start(c, zero, 0), zero
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			e := Event{Kind: Kind(rapid.IntRange(int(Checked), int(DisableCheck)).Draw(t, "kind"))}
			e.Result.Status = Status(rapid.IntRange(int(SOCKERR), int(PROCOK)).Draw(t, "status"))
			now = now.Add(time.Second)
			before := s
			var acts []Action
			s, acts = Step(c, s, now, e)
			if s.Health < 0 || s.Health > c.full() {
				t.Fatalf("health %d outside 0..%d", s.Health, c.full())
			}
			if s.Checking(c) == s.Next.IsZero() {
				t.Fatalf("checking %v, next %v", s.Checking(c), s.Next)
			}
			if s.Admin&Maint != 0 && s.Op != Stopped {
				t.Fatalf("in maintenance and %d", s.Op)
			}
			up := slices.ContainsFunc(acts, func(a Action) bool { return a.Kind == CameUp })
			if up != (s.Usable() && !before.Usable()) {
				t.Fatalf("came up: %v; usable %v -> %v", up, before.Usable(), s.Usable())
			}
			if s.Downtime(now) < before.Downtime(now) {
				t.Fatalf("downtime shrank from %v to %v", before.Downtime(now), s.Downtime(now))
			}
			for _, a := range acts {
				if a.Kind == Log && !strings.HasSuffix(a.Text(c, World{}), ".") {
					t.Fatalf("unfinished line %q", a.Text(c, World{}))
				}
			}
		}
	})
}
