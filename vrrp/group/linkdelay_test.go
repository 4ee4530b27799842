package group

import (
	"testing"
	"time"

	"herald/vrrp/settings"
)

func TestALinkEventHasToLast(t *testing.T) {
	start := time.Unix(1000, 0)
	d := settings.LinkDelay{Down: 2 * time.Second, Up: time.Second}
	var l Link
	for i, s := range []struct {
		at       time.Duration
		up, want bool
		waits    bool
	}{
		{0, true, true, false},               // seen first
		{1 * time.Second, false, true, true}, // down
		{2 * time.Second, true, true, false}, // and up again
		{3 * time.Second, false, true, true}, // down
		{5*time.Second - 1, false, true, true},
		{5 * time.Second, false, false, false}, // long enough
		{6 * time.Second, true, false, true},   // up
		{7 * time.Second, true, true, false},
	} {
		l = l.Step(d, start.Add(s.at), s.up)
		if l.Up != s.want || l.Due.IsZero() == s.waits {
			t.Errorf("step %d: got %+v, want %v, waits %v", i, l, s.want, s.waits)
		}
	}
	if l = l.Step(settings.LinkDelay{}, start, false); l.Up || !l.Due.IsZero() {
		t.Errorf("no delay: got %+v, want down at once", l)
	}
}
