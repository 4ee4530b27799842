package check

import (
	"strings"
	"testing"
	"time"
)

// pair is a checked server and one that follows it.
type pair struct {
	t      *testing.T
	c, cb  Config
	a, b   State
	lines  []string
	active int
}

func newPair(t *testing.T) *pair {
	p := &pair{t: t, c: Config{Backend: "l", Server: "a", Enabled: true, Rise: 2, Fall: 3, Inter: time.Second}}
	p.cb = Config{Backend: "l", Server: "b", Rise: 2, Fall: 3, Via: "l/a", FollowsCheck: true}
	p.a, p.b = Start(p.c, noon, 0), Start(p.cb, noon, 0)
	p.a, _ = Step(p.c, p.a, noon, Event{Kind: Checked, Result: Result{Status: L4OK}})
	p.b, _ = Step(p.cb, p.b, noon, Event{Kind: Followed, Lead: p.a.Lead()})
	return p
}

var noon = time.Unix(43200, 0)

func (p *pair) tell(c Config, acts []Action) {
	for _, a := range acts {
		if a.Kind == Log {
			text, _, _ := strings.Cut(a.Text(c, World{Active: 7}), ". 7 active")
			p.lines = append(p.lines, text)
		}
	}
}

// toA gives the server an event, and its follower what follows from that.
func (p *pair) toA(k Kind) {
	var acts []Action
	p.a, acts = Step(p.c, p.a, noon, Event{Kind: k})
	p.tell(p.c, acts)
	p.b, acts = Step(p.cb, p.b, noon, Event{Kind: Followed, Lead: p.a.Lead()})
	p.tell(p.cb, acts)
}

func (p *pair) toB(k Kind) {
	var acts []Action
	p.b, acts = Step(p.cb, p.b, noon, Event{Kind: k})
	p.tell(p.cb, acts)
}

// shows compares the status of both and the lines since the last time.
func (p *pair) shows(a, b string, lines ...string) {
	p.t.Helper()
	if gotA, gotB := p.a.Status(p.c), p.b.Status(p.cb); gotA != a || gotB != b {
		p.t.Errorf("status: want %s and %s, got %s and %s", a, b, gotA, gotB)
	}
	if got, want := strings.Join(p.lines, "\n"), strings.Join(lines, "\n"); got != want {
		p.t.Errorf("lines: want\n%s\ngot\n%s", want, got)
	}
	p.lines = nil
}

// Status and lines were seen on HAProxy 2.6.12.
func TestAServerFollowsTheOneItTracks(t *testing.T) {
	p := newPair(t)
	p.shows("UP", "UP")
	p.toA(SetMaint)
	p.shows("MAINT", "MAINT (via l/a)", "Server l/a is going DOWN for maintenance", "Server l/b is going DOWN for maintenance via l/a")
	p.toA(SetReady)
	p.shows("UP 1/3", "UP 1/3", "Server l/a is UP/READY (leaving forced maintenance).", "Server l/b is UP/READY (leaving maintenance).")
	p.toA(ForceDown)
	p.shows("DOWN", "DOWN", "Server l/a is DOWN, changed from CLI", "Server l/b is DOWN via l/a")
	p.toB(SetMaint)
	p.shows("DOWN", "MAINT", "Server l/b was DOWN and now enters maintenance.")
	p.toB(SetReady)
	p.shows("DOWN", "DOWN", "Server l/b is DOWN/READY (leaving forced maintenance).")
	p.toA(ForceUp)
	p.shows("UP", "UP", "Server l/a is UP, changed from CLI", "Server l/b is UP via l/a")
	p.toA(SetDrain)
	p.shows("DRAIN", "DRAIN", "Server l/a enters drain state", "Server l/b enters drain state via l/a")
	if p.b.Admin != DrainByLead {
		t.Errorf("admin state: got %d, want %d", p.b.Admin, DrainByLead)
	}
	p.toA(SetReady)
	p.shows("UP", "UP", "Server l/a is UP (leaving forced drain).", "Server l/b is UP (leaving forced drain).")
	p.toA(ForceNoLB)
	p.shows("NOLB", "NOLB", "Server l/a is stopping, changed from CLI", "Server l/b is stopping via l/a")
}

func TestADrainOfTheLeadIsNamedWhenMaintenanceEnds(t *testing.T) {
	p := newPair(t)
	p.toA(ForceDown)
	p.toB(SetMaint)
	p.toA(SetDrain)
	p.lines = nil
	p.toB(SetReady)
	p.shows("DOWN", "DOWN", "Server l/b is DOWN/DRAIN (leaving forced maintenance).", "Server l/b is leaving forced drain but remains in drain mode via l/a.")
	p.toA(ForceUp)
	p.shows("DRAIN", "DRAIN", "Server l/a is UP, changed from CLI", "Server l/a remains in forced drain mode.",
		"Server l/b is UP via l/a", "Server l/b is leaving forced drain but remains in drain mode via l/a.")
}

func TestAnOperatorsWordOnAFollowerStaysBesideThatOnItsLead(t *testing.T) {
	p := newPair(t)
	p.toB(SetDrain)
	p.toA(SetMaint)
	p.lines = nil
	p.toA(SetReady)
	p.shows("UP 1/3", "DRAIN 1/3", "Server l/a is UP/READY (leaving forced maintenance).", "Server l/b is UP/DRAIN (leaving maintenance).", "Server l/b remains in forced drain mode.")
	p.toB(SetReady)
	p.shows("UP 1/3", "UP 1/3", "Server l/b is UP (leaving forced drain).")
	p.toB(SetMaint)
	p.toA(SetMaint)
	if got := p.b.Status(p.cb); got != "MAINT (via l/a)" {
		t.Errorf("in maintenance by its own and by its lead's: got %q", got)
	}
	p.lines = nil
	p.toB(SetReady)
	p.shows("MAINT", "MAINT (via l/a)", "Server l/b is leaving forced maintenance but remains in maintenance via l/a.")
	p.toA(SetReady)
	p.shows("UP 1/3", "UP 1/3", "Server l/a is UP/READY (leaving forced maintenance).", "Server l/b is UP/READY (leaving maintenance).")
}
