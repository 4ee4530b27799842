package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"herald/e2e/lab"
)

// soak lets both engines run beside one another for a long time, with packets
// lost at random if wanted, and prints what should not have happened: address
// changes, and memory and descriptors that grow.
func soak(ctx context.Context, o options, out io.Writer) error {
	binary, err := filepath.Abs(o.herald)
	if err != nil {
		return err
	}
	for _, interval := range strings.Split(o.intervals, ",") {
		if err := soakAt(ctx, binary, interval, o, out); err != nil {
			return fmt.Errorf("soak at %s s: %w", interval, err)
		}
	}
	return nil
}

func soakAt(ctx context.Context, binary, interval string, o options, out io.Writer) error {
	clusters, down, err := both(ctx, binary, interval, lab.Setup{Priorities: []int{102, 101, 100}, Services: true})
	if err != nil {
		return err
	}
	defer down()
	for _, c := range clusters {
		if err := c.Settle(ctx); err != nil {
			return err
		}
		for _, n := range c.Controllers() {
			if o.loss > 0 {
				if err := n.Lose(o.loss); err != nil {
					return err
				}
			}
		}
	}
	at := time.Now()
	before := []lab.Footprint{clusters[0].Footprint(0), clusters[1].Footprint(0)}
	if err := clusters[0].WaitFor(ctx, "the end", func() bool { return time.Since(at) > o.soak }); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nadvert_int %s for %v, %d %% of packets lost: the best node\n", interval, o.soak, o.loss)
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "\taddress changes\tclaims\tMB before\tMB after\tdescriptors before\tafter")
	for i, c := range clusters {
		claims, changes := 0, c.Changes(at)
		for _, ch := range changes {
			if ch.Added {
				claims++
			}
		}
		after := c.Footprint(0)
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", c.Engines[0], len(changes), claims, before[i].Memory>>20, after.Memory>>20, before[i].Descriptors, after.Descriptors)
	}
	return w.Flush()
}
