package group

import (
	"testing"
	"time"

	"herald/vrrp/settings"
)

func TestAQuorumHasToLast(t *testing.T) {
	start := time.Unix(1000, 0)
	type step struct {
		at      time.Duration
		running int // -1 only waits
		want    Verdict
	}
	for name, c := range map[string]struct {
		p     settings.TrackedProcess
		steps []step
	}{
		"at once": {settings.TrackedProcess{Quorum: 1, QuorumMax: -1}, []step{{0, 0, Bad}, {1, 1, Good}, {2, 5, Good}, {3, 0, Bad}}},
		"told first, no delay": {settings.TrackedProcess{Quorum: 1, QuorumMax: -1, ForkDelay: time.Hour, TerminateDelay: time.Hour},
			[]step{{0, 2, Good}}},
		"gained after the fork's delay": {settings.TrackedProcess{Quorum: 2, QuorumMax: -1, ForkDelay: time.Second},
			[]step{{0, 0, Bad}, {0, 2, Bad}, {time.Second - 1, -1, Bad}, {time.Second, -1, Good}, {time.Second, 1, Bad}}},
		"lost again before": {settings.TrackedProcess{Quorum: 1, QuorumMax: -1, ForkDelay: time.Second},
			[]step{{0, 0, Bad}, {0, 1, Bad}, {time.Second / 2, 0, Bad}, {2 * time.Second, -1, Bad}, {2 * time.Second, 1, Bad}, {3 * time.Second, -1, Good}}},
		"a restart does not count": {settings.TrackedProcess{Quorum: 1, QuorumMax: -1, TerminateDelay: time.Second},
			[]step{{0, 1, Good}, {0, 0, Good}, {time.Second / 2, 1, Good}, {2 * time.Second, -1, Good}, {2 * time.Second, 0, Good}, {3 * time.Second, -1, Bad}}},
		"one too many, by a fork": {settings.TrackedProcess{Quorum: 1, QuorumMax: 1, ForkDelay: time.Second},
			[]step{{0, 1, Good}, {0, 2, Good}, {1, 1, Good}, {1, 2, Good}, {time.Second + 1, -1, Bad}, {time.Second + 2, 1, Good}}},
		"none may run": {settings.TrackedProcess{QuorumMax: 0}, []step{{0, 0, Good}, {0, 1, Bad}, {0, 0, Good}}},
	} {
		var q Quorum
		for i, s := range c.steps {
			if s.running >= 0 {
				q = q.Step(c.p, start.Add(s.at), s.running)
			} else {
				q = q.Wait(c.p, start.Add(s.at))
			}
			if q.Verdict != s.want {
				t.Errorf("%s: step %d: got %v, want %v", name, i, q.Verdict, s.want)
			}
		}
	}
}

func TestAProcessIsWeighed(t *testing.T) {
	for _, c := range []struct {
		name     string
		v        Verdict
		weight   int
		reverse  bool
		priority uint8
		fault    string
		wait     int
	}{
		{"good", Good, 20, false, 120, "", 0},
		{"bad", Bad, 20, false, 100, "", 0},
		{"bad takes", Bad, -20, false, 80, "", 0},
		{"good reversed", Good, 20, true, 80, "", 0},
		{"decides", Bad, 0, false, 100, "process web is bad: 3 run", 0},
		{"decides reversed", Good, 0, true, 100, "process web is good: 3 run", 0},
		{"not told yet", Unknown, 0, false, 100, "", 1},
		{"not told yet, weighted", Unknown, 5, false, 100, "", 0},
	} {
		w := settings.Watched{Kind: settings.AProcess, Name: "web", Weight: c.weight, Reverse: c.reverse}
		seen := Seen{Processes: map[string]Quorum{"web": {Verdict: c.v, Running: 3}}}
		got := Weigh(settings.Instance{Priority: 100, DontTrackPrimary: true, Watched: []settings.Watched{w}}, nil, nil, seen)
		fault := ""
		if len(got.Faults) > 0 {
			fault = got.Faults[0]
		}
		if got.Priority != c.priority || fault != c.fault || len(got.Waiting) != c.wait {
			t.Errorf("%s: got %+v, want %d %q", c.name, got, c.priority, c.fault)
		}
	}
}
