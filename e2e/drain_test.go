package e2e_test

import (
	"strings"
	"testing"
	"time"

	"herald/e2e/lab"
)

// TestADrainLosesNothing drains the holder under probes a millisecond apart,
// with herald and with keepalived as its successor, and lowers the priority of
// the next holder by a reload.
func TestADrainLosesNothing(t *testing.T) {
	for name, engines := range map[string][]lab.Engine{
		"herald follows":     all(lab.Herald),
		"keepalived follows": {lab.Herald, lab.Packaged, lab.Packaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Wide apart: two keepaliveds 4 ms apart race for an address, and the
			// loser's announcements cost a probe that is not ours.
			ctx, c := start(t, lab.Setup{Priorities: []int{102, 101, 50}}, engines)
			var probes []*lab.Probe
			for _, addr := range virtual {
				p, err := c.Probe(addr)
				if err != nil {
					t.Fatal(err)
				}
				probes = append(probes, p)
				if err := c.WaitQuiet(ctx, p, 200*time.Millisecond); err != nil {
					t.Fatal(err)
				}
			}
			first := c.Controller(0)
			if out, err := herald(first, "drain"); err != nil || out != "drained\n" {
				t.Fatalf("drain: %q, %v", out, err)
			}
			// The laboratory hears of it a moment after the kernel did it.
			if err := c.WaitFor(ctx, "the second controller to hold both, the first to have let go", func() bool {
				return c.Holder(virtual[0]) == 1 && c.Holder(virtual[1]) == 1
			}); err != nil {
				t.Fatal(err)
			}
			if out, err := herald(first, "status"); err != nil || !strings.Contains(out, "drained") {
				t.Errorf("want the status to say so, got %q, %v", out, err)
			}
			last := "the drain"
			if engines[1] == lab.Herald {
				last = "the drain and a reload with a lower priority"
				c.Setup.Priorities = []int{102, 20, 50}
				if err := c.Write(1); err != nil {
					t.Fatal(err)
				}
				if out, err := herald(c.Controller(1), "reload"); err != nil {
					t.Fatalf("reload: %q, %v", out, err)
				}
				if err := c.WaitFor(ctx, "the third controller to hold both", func() bool {
					return c.Holder(virtual[0]) == 2 && c.Holder(virtual[1]) == 2
				}); err != nil {
					t.Fatal(err)
				}
			}
			for _, p := range probes {
				if err := c.WaitQuiet(ctx, p, 500*time.Millisecond); err != nil {
					t.Fatal(err)
				}
				r := p.Stop()
				switch {
				case r.Lost > 0 && r.Stall >= stalled:
					t.Logf("%s: %s lost %d of %d probes while this machine stalled for %v", last, r.Addr, r.Lost, r.Sent, r.Stall)
				case r.Lost > 0:
					t.Errorf("%s: %s lost %d of %d probes, outages %v, want none", last, r.Addr, r.Lost, r.Sent, r.Outages)
				}
				t.Logf("%s: %s lost %d of %d probes", last, r.Addr, r.Lost, r.Sent)
			}
			if out, err := herald(first, "undrain"); err != nil {
				t.Fatalf("undrain: %q, %v", out, err)
			}
			if err := c.Settle(ctx); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// stalled is a pause of the whole machine, with which a late echo is nobody's
// loss.
const stalled = 50 * time.Millisecond
