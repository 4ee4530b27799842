package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"herald/e2e/lab"
)

// load is how many routers advertise how often.
type load struct {
	instances int
	interval  string
}

// loadsOf reads "255@1,50@0.01".
func loadsOf(text string) ([]load, error) {
	var list []load
	for _, word := range strings.Split(text, ",") {
		count, interval, _ := strings.Cut(word, "@")
		if _, err := time.ParseDuration(interval + "s"); err != nil {
			return nil, fmt.Errorf("load %q: want INSTANCES@SECONDS", word)
		}
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || n > 255 {
			return nil, fmt.Errorf("load %q: want 1 to 255 instances", word)
		}
		list = append(list, load{n, interval})
	}
	return list, nil
}

// network is one of the comparison: a master, and a backup of each engine, so
// that both hear the same packets at the same time.
type network struct {
	*lab.Lab
	engines []lab.Engine // of each controller; the first is the master
}

// node is what a controller used while it was looked at: of a processor in
// percent, the busiest process and all of them, and the busiest's memory in MB.
type node struct{ vrrp, all, memory float64 }

// sample is one round of a network, by controller.
type sample []node

// cost prints what the VRRP process of either engine costs as master and as
// backup while nothing happens: both at the same time, medians of the rounds.
func cost(ctx context.Context, o options, out io.Writer) error {
	binary, err := filepath.Abs(o.herald)
	if err != nil {
		return err
	}
	loads, err := loadsOf(o.loads)
	if err != nil {
		return err
	}
	for _, l := range loads {
		found, err := costOf(ctx, binary, l, o)
		if err != nil {
			return fmt.Errorf("%d instances at %s s: %w", l.instances, l.interval, err)
		}
		costTable(out, l, found)
	}
	return nil
}

const (
	// settled is past the second burst of announcements.
	settled    = 8 * time.Second
	costWindow = 10 * time.Second
)

func costOf(ctx context.Context, binary string, l load, o options) ([][]sample, error) {
	var networks []network
	for _, master := range []lab.Engine{lab.Packaged, lab.Herald} {
		up, err := lab.Up(ctx, lab.Spec{Programs: []string{binary}})
		if err != nil {
			return nil, err
		}
		defer up.Down()
		n := network{up, []lab.Engine{master, lab.Packaged, lab.Herald}}
		if err := n.start(ctx, lab.Program(binary), l); err != nil {
			return nil, err
		}
		networks = append(networks, n)
	}
	if err := pause(ctx, settled); err != nil {
		return nil, err
	}
	found := make([][]sample, len(networks))
	for range o.rounds {
		at := time.Now()
		var before [][][]lab.Usage
		for _, n := range networks {
			before = append(before, n.usage())
		}
		if err := pause(ctx, costWindow); err != nil {
			return nil, err
		}
		for i, n := range networks {
			found[i] = append(found[i], used(before[i], n.usage(), time.Since(at)))
		}
	}
	for _, n := range networks {
		if held := n.held(); !slices.Equal(held, []int{l.instances, 0, 0}) {
			return nil, fmt.Errorf("the nodes with %s as master hold %v addresses at the end", n.engines[0], held)
		}
	}
	return found, nil
}

// start has every controller run its engine and waits until the first has
// every address.
func (n network) start(ctx context.Context, binary string, l load) error {
	const file = "/etc/keepalived/keepalived.conf"
	var programs []*lab.Proc
	ended := func(p *lab.Proc) bool { return !p.Running() }
	for i, engine := range n.engines {
		c := n.Controller(i)
		if err := c.WriteFile(file, l.file(200-10*i)); err != nil {
			return err
		}
		argv := []string{binary, "run", "--keepalived", file}
		if engine == lab.Packaged {
			argv = []string{"keepalived", "--dont-fork", "--log-console", "--use-file", file}
		}
		p, err := c.Start(string(engine), argv...)
		if err != nil {
			return err
		}
		programs = append(programs, p)
	}
	err := n.WaitFor(ctx, "one holder of every address", func() bool {
		return slices.Equal(n.held(), []int{l.instances, 0, 0}) || slices.ContainsFunc(programs, ended)
	})
	if i := slices.IndexFunc(programs, ended); err == nil && i >= 0 {
		return fmt.Errorf("%s ended: %s", programs[i].Name, programs[i].Output())
	}
	return err
}

// file is the configuration of a controller.
func (l load) file(priority int) string {
	version := 2
	if l.interval != "1" {
		version = 3
	}
	var b strings.Builder
	// Real time for both: a busy machine is not what is measured.
	b.WriteString("global_defs {\n router_id cost\n vrrp_rt_priority 1\n vrrp_rlimit_rttime 5000000\n}\n")
	for i := 1; i <= l.instances; i++ {
		fmt.Fprintf(&b, "vrrp_instance V%d {\n version %d\n state BACKUP\n interface eth0\n virtual_router_id %d\n priority %d\n advert_int %s\n virtual_ipaddress {\n  10.9.0.%d/32\n }\n}\n",
			i, version, i, priority, l.interval, i)
	}
	return b.String()
}

// held is how many virtual addresses each controller has.
func (n network) held() (list []int) {
	for _, c := range n.Controllers() {
		addrs, _ := c.Addrs("eth0")
		list = append(list, len(slices.DeleteFunc(addrs, func(a string) bool { return !strings.HasPrefix(a, "10.9.") })))
	}
	return list
}

// usage is what the processes of every controller have used so far.
func (n network) usage() (list [][]lab.Usage) {
	for _, c := range n.Controllers() {
		list = append(list, c.Usage())
	}
	return list
}

// used is what was used between two looks.
func used(before, after [][]lab.Usage, while time.Duration) sample {
	list := make(sample, len(after))
	for i := range after {
		n := &list[i]
		for _, u := range after[i] {
			k := slices.IndexFunc(before[i], func(b lab.Usage) bool { return b.PID == u.PID })
			if k < 0 {
				continue
			}
			percent := 100 * (u.CPU - before[i][k].CPU).Seconds() / while.Seconds()
			n.all += percent
			if percent >= n.vrrp {
				n.vrrp, n.memory = percent, float64(u.Memory)/(1<<20)
			}
		}
	}
	return list
}

// costTable prints what one load costs. A node runs nothing else, so all is the
// VRRP process with its parent.
func costTable(out io.Writer, l load, found [][]sample) {
	fmt.Fprintf(out, "\n%d instances at %s s: percent of a processor, VRRP process (with its parent); MB resident\n", l.instances, l.interval)
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "\tkeepalived\therald\ttimes\trounds")
	line := func(what string, keepalived, herald []node) {
		var times []float64
		for i := range herald {
			times = append(times, herald[i].vrrp/keepalived[i].vrrp)
		}
		slices.Sort(times)
		fmt.Fprintf(w, "%s\t%s\t%s\t%.2f\t%.2f to %.2f\n", what, costCell(keepalived), costCell(herald),
			times[len(times)/2], times[0], times[len(times)-1])
	}
	column := func(b, i int) (list []node) {
		for _, s := range found[b] {
			list = append(list, s[i])
		}
		return list
	}
	line("master", column(0, 0), column(1, 0))
	line("backup of keepalived", column(0, 1), column(0, 2))
	line("backup of herald", column(1, 1), column(1, 2))
	w.Flush()
}

func costCell(list []node) string {
	return fmt.Sprintf("%.2f (%.2f); %.1f", middle(list, func(n node) float64 { return n.vrrp }),
		middle(list, func(n node) float64 { return n.all }), middle(list, func(n node) float64 { return n.memory }))
}

// middle is the median of one figure.
func middle(list []node, of func(node) float64) float64 {
	var all []float64
	for _, n := range list {
		all = append(all, of(n))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
