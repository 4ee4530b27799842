package e2e_test

import (
	"testing"
	"time"

	"herald/e2e/lab"
)

// TestALittleLossMovesNothingTwice loses one packet of twenty at random on
// every controller for a while: a backup has to miss three advertisements in a
// row before it takes over.
func TestALittleLossMovesNothingTwice(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{Priorities: ranked}, all(lab.Herald))
	for _, n := range c.Controllers() {
		if err := n.Lose(5); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Now()
	if err := c.WaitFor(ctx, "twenty seconds of loss", func() bool { return time.Since(at) > 20*time.Second }); err != nil {
		t.Fatal(err)
	}
	claims := map[string]int{}
	for _, ch := range c.Changes(at) {
		if ch.Added {
			claims[ch.Addr]++
		}
	}
	for addr, n := range claims {
		if n > 1 {
			t.Errorf("%s was taken %d times, want once at most: %+v", addr, n, c.Changes(at))
		}
	}
}
