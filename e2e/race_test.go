package e2e_test

import (
	"testing"
	"time"

	"herald/e2e/lab"
)

// TestTwoBackupsLeaveNoClientAstray stops the holder again and again with the
// published priorities, all equal: both backups' timers end within a fraction
// of a millisecond of one another. keepalived leaves the client with the
// loser's hardware address for five seconds in one of ten such stops.
func TestTwoBackupsLeaveNoClientAstray(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{AdvertInt: "0.1"}, all(lab.Herald))
	for i := range 10 {
		r, err := c.Race(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if r.Astray > time.Second {
			t.Errorf("stop %d: the client sent to the wrong node for %v (%+v)", i, r.Astray, r)
		}
	}
}
