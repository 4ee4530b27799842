package e2e_test

import (
	"testing"
	"time"

	"herald/e2e/lab"
)

// TestKilledAtOnceLeavesNoDuplicateAddress kills every process of the holder:
// nobody is left there to take the address away but the kernel, which counts
// in seconds. keepalived's node answers beside its successor for ever.
func TestKilledAtOnceLeavesNoDuplicateAddress(t *testing.T) {
	t.Parallel()
	for _, interval := range []string{"", "0.1"} {
		name := interval
		if name == "" {
			name = "1"
		}
		t.Run("advert_int "+name, func(t *testing.T) {
			t.Parallel()
			ctx, c := start(t, lab.Setup{Priorities: ranked, AdvertInt: interval}, all(lab.Herald))
			o, err := c.Failover(ctx, 0, lab.Kill)
			if err != nil {
				t.Fatal(err)
			}
			taken := o.At.Add(o.Taken[lab.InsideVirtual])
			for _, addr := range []string{lab.InsideVirtual, lab.OutsideVirtual} {
				if err := c.WaitFor(ctx, addr+" to leave the killed node", func() bool { return c.Holder(addr) > 0 }); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(taken); took > 4*time.Second {
				t.Errorf("the killed node kept its addresses for %v beside the next, want 4s at most", took)
			}
		})
	}
}
