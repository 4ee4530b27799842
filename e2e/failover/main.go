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
	rounds                    int
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
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
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
		results := map[lab.Engine]map[lab.Failure][]lab.Observation{}
		for _, engine := range []lab.Engine{lab.Packaged, lab.Herald} {
			if results[engine], err = measure(ctx, engine, binary, interval, wanted, o.rounds); err != nil {
				return fmt.Errorf("%s at %s s: %w", engine, interval, err)
			}
		}
		table(out, interval, wanted, results)
	}
	return nil
}

// measure runs every event so often on a cluster of its own.
func measure(ctx context.Context, engine lab.Engine, binary, interval string, wanted []string, rounds int) (map[lab.Failure][]lab.Observation, error) {
	period, err := time.ParseDuration(interval + "s")
	if err != nil {
		return nil, err
	}
	l, err := lab.Up(ctx, lab.Spec{Controllers: 3, Servers: 1, Programs: []string{binary}})
	if err != nil {
		return nil, err
	}
	defer l.Down()
	setup := lab.Setup{Priorities: []int{102, 101, 100}, Services: true}
	if period < time.Second {
		setup.AdvertInt = interval
	}
	c := lab.NewCluster(l, engine, setup)
	if err := c.Start(ctx); err != nil {
		return nil, err
	}
	found := map[lab.Failure][]lab.Observation{}
	for range rounds {
		for _, event := range wanted {
			f := lab.Failure(event)
			if err := c.Prepare(ctx, 0, f); err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
			o, err := c.Observe(ctx, 0, f, 5*period+3*time.Second)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
			found[f] = append(found[f], o)
			if err := c.Heal(0); err != nil {
				return nil, fmt.Errorf("heal after %s: %w", f, err)
			}
		}
	}
	return found, nil
}

// table prints the medians of one interval.
func table(out io.Writer, interval string, wanted []string, results map[lab.Engine]map[lab.Failure][]lab.Observation) {
	fmt.Fprintf(out, "\nadvert_int %s: milliseconds until another node had the address / the address gone / the service gone\n", interval)
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
	var takeovers, gaps, services []time.Duration
	both := 0
	for _, o := range list {
		takeovers, gaps, services = append(takeovers, o.Takeover), append(gaps, o.Gap), append(services, o.Service)
		if o.Both {
			both++
		}
	}
	moved := fmt.Sprint(median(takeovers).Milliseconds())
	if median(takeovers) == 0 {
		moved = "stays"
	}
	text := fmt.Sprintf("%s / %d / %d", moved, median(gaps).Milliseconds(), median(services).Milliseconds())
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
