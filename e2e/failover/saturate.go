package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"herald/e2e/lab"
)

// saturate counts address changes while the holder's own proxy, and the client
// that loads it, use every processor of the machine: one engine after the
// other, for half of the load would be the other's.
func saturate(ctx context.Context, o options, out io.Writer) error {
	binary, err := filepath.Abs(o.herald)
	if err != nil {
		return err
	}
	for _, interval := range strings.Split(o.intervals, ",") {
		fmt.Fprintf(out, "\nadvert_int %s, the proxy saturated for %v\n", interval, o.saturate)
		w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "\taddress changes\trequests/s\tprocessors busy")
		for _, engine := range []lab.Engine{lab.Packaged, lab.Herald} {
			s, err := saturateOne(ctx, engine, binary, interval, o)
			if err != nil {
				return fmt.Errorf("%s at %s s: %w", engine, interval, err)
			}
			fmt.Fprintf(w, "%s\t%d\t%.0f\t%.0f %%\n", engine, s.Changes, s.Requests, 100*s.Busy)
		}
		w.Flush()
	}
	return nil
}

func saturateOne(ctx context.Context, engine lab.Engine, binary, interval string, o options) (lab.Saturation, error) {
	c, down, err := one(ctx, engine, binary, interval, lab.Setup{Priorities: []int{102, 101, 100}, Services: true})
	if err != nil {
		return lab.Saturation{}, err
	}
	defer down()
	if err := c.Settle(ctx); err != nil {
		return lab.Saturation{}, err
	}
	return c.Saturate(ctx, o.saturate)
}
