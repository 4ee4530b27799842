// Command failover measures how long addresses are gone when the node that
// holds them fails: herald and the packaged keepalived with HAProxy in turn,
// each on three controllers in network namespaces, the same events, the same
// probes. It prints both columns, medians of the rounds.
//
// It needs root. The probes are one each millisecond, so differences of a few
// milliseconds mean nothing.
//
//	go run ./e2e/failover -herald bin/herald
//	go run ./e2e/failover -herald bin/herald -intervals 1 -events reboot,proxy -rounds 3
//	go run ./e2e/failover -herald bin/herald -race-stops 100 -intervals 1,0.1
//	go run ./e2e/failover -herald bin/herald -saturate 60s -intervals 0.01
//	go run ./e2e/failover -herald bin/herald -cost 255@1,50@0.01
//	go run ./e2e/failover -herald bin/herald -soak 1h -loss 5 -intervals 0.1
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"herald/e2e/lab"
)

// events in the order of the table, with what they are called there.
var events = []struct {
	name lab.Failure
	what string
}{
	{lab.Reboot, "SIGTERM of the master"},
	{lab.Kill, "all its processes killed (-9)"},
	{lab.VRRPKilled, "VRRP process killed (-9)"},
	{lab.LinkDown, "link down on the master"},
	{lab.LinkLost, "carrier lost"},
	{lab.CutInside, "adverts filtered, node silent"},
	{lab.ProxyDead, "proxy dies"},
	{lab.Returns, "better node returns"},
}

type options struct {
	herald, intervals, events string
	rounds, raceStops, loss   int
	saturate, soak            time.Duration
	loads                     string
}

func main() {
	lab.Reexec()
	var o options
	var names []string
	for _, e := range events {
		names = append(names, string(e.name))
	}
	flag.StringVar(&o.herald, "herald", "bin/herald", "herald's binary")
	flag.StringVar(&o.intervals, "intervals", "1,0.1,0.01", "advertisement intervals in seconds; below 1 with version 3")
	flag.StringVar(&o.events, "events", strings.Join(names, ","), "events to measure")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each event")
	flag.IntVar(&o.raceStops, "race-stops", 0, "instead: stops of the holder with equal priorities")
	flag.DurationVar(&o.saturate, "saturate", 0, "instead: how long to saturate every processor")
	flag.DurationVar(&o.soak, "soak", 0, "instead: how long both engines run while nothing fails")
	flag.StringVar(&o.loads, "cost", "", "instead: what the VRRP process costs with so many instances at an interval, as 255@1,50@0.01")
	flag.IntVar(&o.loss, "loss", 0, "percent of packets every controller loses in -soak")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	measurement := run
	switch {
	case o.raceStops > 0:
		measurement = races
	case o.saturate > 0:
		measurement = saturate
	case o.loads != "":
		measurement = cost
	case o.soak > 0:
		measurement = soak
	}
	if err := measurement(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "failover:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	binary, err := filepath.Abs(o.herald)
	if err != nil {
		return err
	}
	wanted := strings.Split(o.events, ",")
	for _, interval := range strings.Split(o.intervals, ",") {
		results, err := measure(ctx, binary, interval, wanted, o.rounds)
		if err != nil {
			return fmt.Errorf("at %s s: %w", interval, err)
		}
		table(out, interval, wanted, results)
	}
	return nil
}

// measure runs every event so often on a cluster of each engine, in turns.
func measure(ctx context.Context, binary, interval string, wanted []string, rounds int) (map[lab.Engine]map[lab.Failure][]lab.Observation, error) {
	period, err := time.ParseDuration(interval + "s")
	if err != nil {
		return nil, err
	}
	clusters, down, err := both(ctx, binary, interval, lab.Setup{Priorities: []int{102, 101, 100}, Services: true})
	if err != nil {
		return nil, err
	}
	defer down()
	found := map[lab.Engine]map[lab.Failure][]lab.Observation{lab.Packaged: {}, lab.Herald: {}}
	for range rounds {
		for _, event := range wanted {
			for _, c := range clusters {
				f, engine := lab.Failure(event), c.Engines[0]
				o, err := once(ctx, c, f, 5*period+3*time.Second)
				if err != nil {
					return nil, fmt.Errorf("%s of %s: %w", f, engine, err)
				}
				found[engine][f] = append(found[engine][f], o)
			}
		}
	}
	return found, nil
}

// once has one event happen to the best controller, and undoes it.
func once(ctx context.Context, c *lab.Cluster, f lab.Failure, window time.Duration) (lab.Observation, error) {
	if err := c.Prepare(ctx, 0, f); err != nil {
		return lab.Observation{}, err
	}
	o, err := c.Observe(ctx, 0, f, window)
	if err != nil {
		return o, err
	}
	if err := c.Heal(0); err != nil {
		return o, fmt.Errorf("heal: %w", err)
	}
	return o, nil
}

// table prints the medians of one interval.
func table(out io.Writer, interval string, wanted []string, results map[lab.Engine]map[lab.Failure][]lab.Observation) {
	fmt.Fprintf(out, "\nadvert_int %s: milliseconds until another node had the address, counted from the event\n(from the last advertisement of the node before) / the address gone / the service gone\n", interval)
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "event\tkeepalived\therald")
	for _, e := range events {
		if slices.Contains(wanted, string(e.name)) {
			fmt.Fprintf(w, "%s\t%s\t%s\n", e.what, cell(results[lab.Packaged][e.name]), cell(results[lab.Herald][e.name]))
		}
	}
	w.Flush()
}

// cell is the medians of one event, and whether two nodes answered for the
// address at the end of any round.
func cell(list []lab.Observation) string {
	var takeovers, silences, gaps, services, besides []time.Duration
	both := 0
	for _, o := range list {
		takeovers, gaps, services = append(takeovers, o.Takeover), append(gaps, o.Gap), append(services, o.Service)
		silences, besides = append(silences, o.Silence), append(besides, o.Beside)
		if o.Both {
			both++
		}
	}
	moved := fmt.Sprint(median(takeovers).Milliseconds())
	if median(takeovers) == 0 {
		moved = "stays"
	}
	if d := median(silences); d > 0 {
		moved += fmt.Sprintf(" (%d)", d.Milliseconds())
	}
	text := fmt.Sprintf("%s / %d / %d", moved, median(gaps).Milliseconds(), median(services).Milliseconds())
	if d := median(besides); d > 100*time.Millisecond && both == 0 {
		text += fmt.Sprintf(" (the old node's kernel %d beside)", d.Milliseconds())
	}
	if both > 0 {
		text += fmt.Sprintf(" (two answer in %d of %d)", both, len(list))
	}
	return text
}

func median(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}
