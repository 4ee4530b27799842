package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"herald/e2e/lab"
)

// astrayAtMost is how long a client may send to a controller that has not got
// the address: the backups' announcements cross in the first moments.
const astrayAtMost = time.Second

// races stops the holder again and again where all priorities are equal, as in
// the published files, so that both backups may take over at the same moment.
// Both engines take turns, so that the machine's moods are the same for both.
func races(ctx context.Context, o options, out io.Writer) error {
	binary, err := filepath.Abs(o.herald)
	if err != nil {
		return err
	}
	for _, interval := range strings.Split(o.intervals, ",") {
		found, err := raceAt(ctx, binary, interval, o.raceStops)
		if err != nil {
			return fmt.Errorf("races at %s s: %w", interval, err)
		}
		raceTable(out, interval, found)
	}
	return nil
}

func raceAt(ctx context.Context, binary, interval string, stops int) (map[lab.Engine][]lab.Race, error) {
	clusters, down, err := both(ctx, binary, interval, lab.Setup{})
	if err != nil {
		return nil, err
	}
	defer down()
	for _, c := range clusters {
		if err := c.Settle(ctx); err != nil {
			return nil, err
		}
	}
	found := map[lab.Engine][]lab.Race{}
	for range stops {
		for _, c := range clusters {
			engine := c.Engines[0]
			r, err := c.Race(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", engine, err)
			}
			found[engine] = append(found[engine], r)
		}
	}
	return found, nil
}

func raceTable(out io.Writer, interval string, found map[lab.Engine][]lab.Race) {
	fmt.Fprintf(out, "\nadvert_int %s, priorities 100/100/100, %d stops of the holder (SIGTERM)\n", interval, len(found[lab.Herald]))
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "\tkeepalived\therald")
	row := func(what string, value func([]lab.Race) string) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", what, value(found[lab.Packaged]), value(found[lab.Herald]))
	}
	row("both backups took the address", func(list []lab.Race) string { return count(list, func(r lab.Race) bool { return r.Claims > 1 }) })
	row("client sent to the wrong node for more than a second", func(list []lab.Race) string {
		return count(list, func(r lab.Race) bool { return r.Astray > astrayAtMost })
	})
	row("longest time it did, ms", func(list []lab.Race) string { return worst(list, func(r lab.Race) time.Duration { return r.Astray }) })
	row("longest gap, ms", func(list []lab.Race) string { return worst(list, func(r lab.Race) time.Duration { return r.Gap }) })
	row("median gap, ms", func(list []lab.Race) string {
		var gaps []time.Duration
		for _, r := range list {
			gaps = append(gaps, r.Gap)
		}
		return fmt.Sprint(median(gaps).Milliseconds())
	})
	w.Flush()
}

func count(list []lab.Race, which func(lab.Race) bool) string {
	n := 0
	for _, r := range list {
		if which(r) {
			n++
		}
	}
	return fmt.Sprintf("%d of %d", n, len(list))
}

func worst(list []lab.Race, of func(lab.Race) time.Duration) string {
	if len(list) == 0 {
		return "-"
	}
	r := slices.MaxFunc(list, func(a, b lab.Race) int { return int(of(a) - of(b)) })
	return fmt.Sprint(of(r).Milliseconds())
}
