package admin

import (
	"slices"
	"testing"

	"herald/stats"
)

// agented is a fake whose servers have health and agent checks.
type agented struct{ *fake }

func (a agented) Snapshot() stats.Snapshot {
	s := a.fake.Snapshot()
	for i := range s.Proxies {
		for j := range s.Proxies[i].Rows {
			r := &s.Proxies[i].Rows[j]
			r.Checked, r.AgentChecked = true, true
		}
	}
	return s
}

// The answers are those of 2.6.12 to the same lines.
func TestChecksAndAgentsAreMovedAndForced(t *testing.T) {
	for _, tt := range []struct{ line, answer, call string }{
		{"enable agent be/s1", "\n", "agent check be/s1 true"},
		{"disable agent be/s1", "\n", "agent check be/s1 false"},
		{"enable agent", "Require 'backend/server'.\n\n", ""},
		{"enable agent be/zz", "No such server.\n\n", ""},
		{"set server be/s1 agent up", "\n", "agent be/s1 true"},
		{"set server be/s1 agent down", "\n", "agent be/s1 false"},
		{"set server be/s1 agent foo", "'set server <srv> agent' expects 'up' or 'down'.\n\n", ""},
		{"set server be/s1 agent-addr 1.2.3.4", "\n", "agent at be/s1 1.2.3.4 -1"},
		{"set server be/s1 agent-addr 1.2.3.4 port 99", "\n", "agent at be/s1 1.2.3.4 99"},
		{"set server be/s1 agent-addr 1.2.3.4 port abc", "provided port is not an integer\n\n", ""},
		{"set server be/s1 agent-addr foo..x", "invalid addr 'foo..x'\n\n", ""},
		{"set server be/s1 agent-addr", "set server <b>/<s> agent-addr requires an address and optionally a port.\n\n", ""},
		{"set server be/s1 agent-port 88", "\n", "agent at be/s1  88"},
		{"set server be/s1 agent-port 99999", "provided port is invalid\n\n", ""},
		{"set server be/s1 agent-send hello", "\n", "agent send be/s1 hello"},
		{"set server be/s1 check-addr ::1", "\n", "check at be/s1 ::1 -1"},
		{"set server be/s1 check-addr 1.2.3.4 port 77", "\n", "check at be/s1 1.2.3.4 77"},
		{"set server be/s1 check-port 66", "\n", "check at be/s1  66"},
		{"set server be/s1 check-port 0", "\n", "check at be/s1  0"},
		{"set server be/s1 check-port", "set server <b>/<s> check-port requires a port.\n\n", ""},
		{"set server be/s1 check-port abc", "provided port is not an integer\n\n", ""},
	} {
		f := &fake{}
		if got := New(agented{f}, Options{}).Do(tt.line, Admin); got != tt.answer {
			t.Errorf("%q: got %q, want %q", tt.line, got, tt.answer)
		}
		var want []string
		if tt.call != "" {
			want = []string{tt.call}
		}
		if !slices.Equal(f.calls, want) {
			t.Errorf("%q: called %q, want %q", tt.line, f.calls, want)
		}
	}
	if got, want := server(&fake{}).Do("set server be/s1 check-port 5", Admin), "health checks are not enabled on this server\n\n"; got != want {
		t.Errorf("without a check: got %q, want %q", got, want)
	}
}
