package lab

import (
	"testing"
	"time"
)

func TestAClientIsAstrayWhileItSendsToNobodyWhoHasTheAddress(t *testing.T) {
	start := time.Now()
	a := astray{since: start, failed: "a"}
	for _, look := range []struct {
		ms      int
		holders []string
		to      string
		over    bool
	}{
		{0, []string{"a"}, "a", false},
		{100, nil, "a", false}, // nobody has it: that is a gap
		{200, []string{"b", "c"}, "a", false},
		{210, []string{"b", "c"}, "c", false},
		{300, []string{"b"}, "c", false}, // c gave way, its announcement came last
		{1900, []string{"b"}, "c", false},
		{2300, []string{"b"}, "b", true},
	} {
		if over := a.look(start.Add(time.Duration(look.ms)*time.Millisecond), look.holders, look.to); over != look.over {
			t.Errorf("after %d ms: over %t, want %t", look.ms, over, look.over)
		}
	}
	if a.longest != 1600*time.Millisecond {
		t.Errorf("astray for %v, want 1.6s", a.longest)
	}
}
