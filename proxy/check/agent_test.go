package check

import (
	"slices"
	"testing"
	"time"
)

// The lines were given to HAProxy 2.6.12 by an agent; those with "#" right
// behind a word follow the manual.
func TestLinesOfAgents(t *testing.T) {
	for line, want := range map[string]Answer{
		"up":                 {Result: Result{Status: L7OK, Info: "via agent : up"}},
		"UP":                 {Result: Result{Status: L7OK, Info: "via agent : UP"}},
		"down":               {Result: Result{Status: L7STS, Info: "via agent : down"}},
		"fail # hm":          {Result: Result{Status: L7STS, Info: "via agent : fail (hm)"}},
		"stopped#for lunch":  {Result: Result{Status: L7STS, Info: "via agent : stopped (for lunch)"}},
		"up to you # now":    {Result: Result{Status: L7OK, Info: "via agent : up (to)"}},
		"up # fine":          {Result: Result{Status: L7OK, Info: "via agent : up (fine)"}},
		"down why # because": {Result: Result{Status: L7STS, Info: "via agent : down (because)"}},
		"down why not":       {Result: Result{Status: L7STS, Info: "via agent : down (why)"}},
		"one two":            {Result: Result{Status: CHECKED, Info: "agent reports an error : one"}},
		"x% up y":            {Result: Result{Status: L7OK, Info: "via agent : up (x%)"}},
		"up maxconn:x":       {Result: Result{Status: L7OK, Info: "via agent : up (maxconn string empty or preceded by garbage)"}},
		"50%":                {Weight: 50, HasWeight: true, Result: Result{Status: CHECKED}},
		"up 75% maxconn:5":   {Weight: 75, HasWeight: true, MaxConn: 5, HasMaxConn: true, Result: Result{Status: L7OK, Info: "via agent : up"}},
		"ready,up,\t50%":     {Weight: 50, HasWeight: true, Admin: SetReady, HasAdmin: true, Result: Result{Status: L7OK, Info: "via agent : up"}},
		"maint":              {Admin: SetMaint, HasAdmin: true, Result: Result{Status: CHECKED}},
		"drain":              {Admin: SetDrain, HasAdmin: true, Result: Result{Status: CHECKED}},
		"":                   {Result: Result{Status: CHECKED}},
		"-5%":                {Result: Result{Status: CHECKED, Info: "agent reports an error : -5%"}},
		"x%":                 {Result: Result{Status: CHECKED, Info: "agent reports an error : x%"}},
		"maxconn:x":          {Result: Result{Status: CHECKED, Info: "agent warns : maxconn string empty or preceded by garbage"}},
		"err":                {Result: Result{Status: CHECKED, Info: "agent reports an error : err"}},
	} {
		if got := ParseAgent(line); got != want {
			t.Errorf("%q: got %+v, want %+v", line, got, want)
		}
	}
	if got := (Answer{Weight: 75}).ScaledWeight(10); got != 7 {
		t.Errorf("75%% of 10: got %d, want 7", got)
	}
	if got := (Answer{Weight: 65535}).ScaledWeight(256); got != 256 {
		t.Errorf("more than any weight: got %d, want 256", got)
	}
}

func FuzzAgent(f *testing.F) {
	f.Add("up 75% maxconn:5 # why")
	f.Fuzz(func(t *testing.T, line string) {
		a := ParseAgent(line)
		if a.Weight < 0 || a.MaxConn < 0 || statuses[a.Result.Status].word == "" {
			t.Errorf("%q: %+v", line, a)
		}
	})
}

func agentConfig() Config {
	c := config()
	c.Agent, c.AgentInter = true, 2*time.Second
	return c
}

func says(line string) Event {
	a := ParseAgent(line)
	return Event{Kind: AgentChecked, Agent: a, Result: a.Result, Chance: 0.5}
}

func TestAnAgentTakesAServerDownAndOnlyItBringsItUp(t *testing.T) {
	x := begin(agentConfig()).check(ok).do(says("down#updating")).check(ok, ok).do(says("50%")).do(Event{Kind: AgentChecked, Result: refused}).do(says("up"))
	lines := slices.DeleteFunc(slices.Clone(x.trace), func(s string) bool { return s[0] == '=' || s == "went down" || s == "came up" })
	if want := []string{
		`1 Server be/srv is DOWN, reason: Layer7 wrong status, code: 0, info: "via agent : down (updating)", check duration: 0ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`,
		`5 Server be/srv is UP, reason: Layer7 check passed, code: 0, info: "via agent : up", check duration: 0ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.`,
	}; !slices.Equal(lines, want) {
		t.Errorf("got\n%q\nwant\n%q", lines, want)
	}
	if got, want := x.trace[len(x.trace)-1], "= UP"; got != want {
		t.Errorf("in the end: got %q, want %q", got, want)
	}
	if down := begin(agentConfig()).check(ok).do(says("down")); down.s.Status(down.c) != "DOWN (agent)" || down.s.Usable() {
		t.Errorf("after down: got %q, usable %v", down.s.Status(down.c), down.s.Usable())
	}
}

func TestHalfALineOfAnAgentChangesNothing(t *testing.T) {
	half := Event{Kind: AgentChecked, Result: Result{Status: UNK, Info: "half"}}
	x := begin(agentConfig()).check(ok).do(says("down")).do(half)
	if got := x.s.Agent.Last; got != (Result{Status: L7STS, Info: "half"}) || x.s.Status(x.c) != "DOWN (agent)" {
		t.Errorf("got %+v, %q, want the status it had, and down", got, x.s.Status(x.c))
	}
}

func TestWhatAnAgentSaysOfTheAdministrativeState(t *testing.T) {
	x := begin(agentConfig()).check(ok).do(says("drain"))
	if got := x.s.Status(x.c); got != "DRAIN (agent)" {
		t.Errorf("drain: got %q", got)
	}
	x.do(says("maint"))
	if got := x.s.Status(x.c); got != "MAINT" || x.s.Agent.Next.IsZero() {
		t.Errorf("maint: got %q, next question %v; the agent is asked on", got, x.s.Agent.Next)
	}
	x.do(says("ready")).check(ok)
	if got := x.s.Status(x.c); got != "UP" {
		t.Errorf("ready: got %q", got)
	}
}

func TestAFailedHealthCheckOutlivesAnAgentThatSaysUp(t *testing.T) {
	x := begin(agentConfig()).check(refused).do(says("up"))
	if x.s.Op != Stopped {
		t.Errorf("got %q, want it down until a check passes", x.s.Status(x.c))
	}
	if x.check(ok, ok); x.s.Op != Running {
		t.Errorf("after two checks: got %q, want UP", x.s.Status(x.c))
	}
}

func TestAnOperatorSpeaksForAnAgent(t *testing.T) {
	x := begin(agentConfig()).check(ok).do(Event{Kind: ForceAgentDown})
	if got := x.s.Status(x.c); got != "DOWN (agent)" {
		t.Errorf("forced down: got %q", got)
	}
	x.do(Event{Kind: ForceAgentUp})
	if got := x.s.Status(x.c); got != "UP" {
		t.Errorf("forced up: got %q", got)
	}
	x.do(Event{Kind: DisableAgent}).do(says("down"))
	if got := x.s.Status(x.c); got != "UP" || !x.s.Agent.Next.IsZero() {
		t.Errorf("switched off: got %q, next question %v", got, x.s.Agent.Next)
	}
}
