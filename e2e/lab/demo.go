package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
)

// demo is one showing of the published scenario. Its mutex guards what both
// engines' goroutines write.
type demo struct {
	*Cluster
	out   io.Writer
	start time.Time

	mu     sync.Mutex
	failed []string // claims that were not met
	claims int
}

// demo builds a lab for herald and, where the distribution's programs are
// installed, a second one for them, causes the same failures in both, and
// prints what happened when.
func (c *command) demo(ctx context.Context) error {
	setup, err := c.setup()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 6*time.Minute)
	defer cancel()
	spec := Spec{Servers: 2, Programs: []string{c.herald}, Helper: c.herald}
	l, err := Up(ctx, spec)
	if err != nil {
		return err
	}
	defer l.Down()
	d := &demo{Cluster: NewCluster(l, Engine(c.engine), setup), out: c.stdout, start: time.Now()}
	rival := make(chan []Outcome, 1)
	compare := c.compare && Engine(c.engine) == Herald
	if compare {
		d.say("lab", "keepalived and HAProxy, where installed, fail alike in a lab of their own")
	}
	go d.rival(ctx, compare, spec, setup, rival)
	outcomes, err := d.show(ctx)
	if err != nil {
		d.claim(false, "the scenario runs to its end: %v", err)
		d.lastWords()
		cancel() // nothing to compare with
	}
	d.table(outcomes, <-rival)
	if err := l.Down(); err != nil {
		d.claim(false, "everything is removed: %v", err)
	}
	d.claim(gone(l.name) == nil, "everything is removed: no process of the lab is left")
	if len(d.failed) > 0 {
		return fmt.Errorf("%d of %d claims not met:\n  %s", len(d.failed), d.claims, strings.Join(d.failed, "\n  "))
	}
	fmt.Fprintf(d.out, "all %d claims met in %v\n", d.claims, time.Since(d.start).Round(time.Second))
	return nil
}

// shown are the failures of the demonstration, in its order.
var shown = []Failure{Reboot, Kill, LinkLost, ProxyDead, CutInside}

// say prints one line of the timeline: milliseconds since the start, who,
// what.
func (d *demo) say(who, what string, args ...any) {
	d.sayAt(time.Now(), who, what, args...)
}

func (d *demo) sayAt(at time.Time, who, what string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.out, "t+%6d ms  %-13s %s\n", at.Sub(d.start).Milliseconds(), who, fmt.Sprintf(what, args...))
}

// claim prints whether something that was promised is so.
func (d *demo) claim(met bool, what string, args ...any) {
	text := fmt.Sprintf(what, args...)
	word := "  ok:"
	d.mu.Lock()
	d.claims++
	if !met {
		word = "FAIL:"
		d.failed = append(d.failed, text)
	}
	d.mu.Unlock()
	d.say(word, "%s", text)
}

// show is the story, in order.
func (d *demo) show(ctx context.Context) ([]Outcome, error) {
	d.say("lab", "3 controllers, 1 client, 2 servers; %s on the published files", d.Engines[0])
	if err := d.Cluster.Start(ctx); err != nil {
		return nil, err
	}
	if err := d.firstHolders(ctx); err != nil {
		return nil, err
	}
	d.pages(ctx)
	if err := d.services(ctx); err != nil {
		return nil, err
	}
	if err := d.reload(ctx); err != nil {
		return nil, err
	}
	if err := d.rank(ctx); err != nil {
		return nil, err
	}
	var outcomes []Outcome
	for _, f := range shown {
		o, err := d.failure(ctx, f)
		if err != nil {
			return outcomes, fmt.Errorf("%s: %w", f, err)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// firstHolders waits for the first election and shows the winner's addresses.
func (d *demo) firstHolders(ctx context.Context) error {
	if err := d.Settle(ctx); err != nil {
		return err
	}
	d.timeline(d.start)
	for _, addr := range []string{InsideVirtual, OutsideVirtual} {
		over := d.Overlap(addr, d.start)
		d.claim(d.Holder(addr) >= 0 && over <= 1100*time.Millisecond,
			"exactly one controller holds %s (%s); overlap before that %v", addr, strings.Join(d.Holders(addr), " "), over.Round(time.Millisecond))
	}
	for i, n := range d.Controllers() {
		if d.Engines[i] != Herald {
			continue
		}
		said := n.Proc("herald").Output()
		for _, l := range n.Log() {
			said += l.Text + "\n"
		}
		d.claim(strings.Contains(said, "contimeout") && strings.Contains(said, "timeout connect"),
			"%s warned of the old keywords with their modern form", n.name)
		d.claim(strings.Contains(said, "quote"), "%s warned of the typographic quotes", n.name)
	}
	return d.listing()
}

// listing compares `ip -4 addr show` on the holder with the published one.
func (d *demo) listing() error {
	for _, want := range []struct{ iface, own, virtual, brd string }{
		{"eth0", InsideAddr(0), InsideVirtual, "10.1.1.255"}, {"eth1", OutsideAddr(0), OutsideVirtual, "192.168.243.255"}} {
		i := d.Holder(want.virtual)
		if i < 0 {
			return fmt.Errorf("no single holder of %s", want.virtual)
		}
		own := InsideAddr(i)
		if want.iface == "eth1" {
			own = OutsideAddr(i)
		}
		out, err := d.Controller(i).Exec("ip", "-4", "addr", "show", "dev", want.iface)
		if err != nil {
			return err
		}
		var got []string
		for line := range strings.Lines(out) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "inet ") {
				// The published address, with a lifetime that herald renews.
				got = append(got, strings.Replace(line, " dynamic ", " ", 1))
				d.say(d.Controller(i).name, "%s: %s", want.iface, line)
			}
		}
		d.claim(slices.Equal(got, []string{
			fmt.Sprintf("inet %s/24 brd %s scope global %s", own, want.brd, want.iface),
			fmt.Sprintf("inet %s/32 scope global %s", want.virtual, want.iface)}),
			"ip -4 addr show %s on the holder is as published", want.iface)
	}
	return nil
}

// failure fails the holder of both addresses, shows it, and heals it.
func (d *demo) failure(ctx context.Context, f Failure) (Outcome, error) {
	const i = 0 // has the highest priority
	d.say(d.Controller(i).name, "holds the addresses; next failure: %s", f)
	o, err := d.Failover(ctx, i, f)
	if err != nil {
		return o, err
	}
	d.sayAt(o.At, o.Failed, "fails: %s", f)
	d.timeline(o.At)
	d.claim(true, "%v", o)
	if f == CutInside {
		d.claim(slices.Contains(d.Holders(OutsideVirtual), o.Failed) && o.Probes[OutsideVirtual].Gap <= slack+o.Stall(),
			"only %s moved; %s stayed on %s, %d probes lost", InsideVirtual, OutsideVirtual, o.Failed, o.Probes[OutsideVirtual].Lost)
	}
	if f == ProxyDead {
		d.claim(!slices.Contains(d.Holders(InsideVirtual), o.Failed) && !slices.Contains(d.Holders(OutsideVirtual), o.Failed),
			"the addresses left %s although the node is alive", o.Failed)
	}
	if err := d.Heal(i); err != nil {
		return o, err
	}
	d.say(o.Failed, "healed")
	return o, d.holdsBoth(ctx, i)
}

// recommended are the priorities the operator recommends: one per node.
var recommended = []int{102, 101, 100}

// rank gives every controller its own priority by a reload, and waits until
// the first of them has both addresses.
func (d *demo) rank(ctx context.Context) error {
	if len(d.Setup.Priorities) == 0 {
		d.Setup.Priorities = recommended
	}
	since := time.Now()
	d.say("lab", "priorities %v by reload", d.Setup.Priorities)
	for i, n := range d.Controllers() {
		if err := d.Write(i); err != nil {
			return err
		}
		for _, p := range n.running() {
			if p.Name == "haproxy" {
				continue // its file is the same, and a SIGHUP would end it
			}
			if err := p.Signal(syscall.SIGHUP); err != nil {
				return err
			}
		}
	}
	if err := d.holdsBoth(ctx, 0); err != nil {
		return err
	}
	d.timeline(since)
	d.claim(true, "with priorities %v %s holds both addresses", d.Setup.Priorities, d.Controller(0).name)
	return nil
}

// holdsBoth waits until controller i, and no other, has had both virtual
// addresses for longer than any contest lasts.
func (c *Cluster) holdsBoth(ctx context.Context, i int) error {
	err := c.WaitFor(ctx, fmt.Sprintf("%s to hold both addresses", c.Controller(i).name), func() bool {
		return c.Holder(InsideVirtual) == i && c.Holder(OutsideVirtual) == i
	})
	if err != nil {
		return err
	}
	return c.Settle(ctx)
}

// timeline prints the address changes since a moment.
func (d *demo) timeline(since time.Time) {
	for _, ch := range d.Changes(since) {
		if ch.Addr != InsideVirtual && ch.Addr != OutsideVirtual {
			continue
		}
		verb := "lost"
		if ch.Added {
			verb = "has"
		}
		d.sayAt(ch.At, ch.Node, "%s %s (+%d ms)", verb, ch.Addr, ch.At.Sub(since).Milliseconds())
	}
}

// rival runs the failures on the distribution's programs in a lab of their
// own and sends the outcomes, none when there is nothing to compare with.
func (d *demo) rival(ctx context.Context, wanted bool, spec Spec, setup Setup, result chan<- []Outcome) {
	var outcomes []Outcome
	defer func() { result <- outcomes }()
	for _, program := range []string{"keepalived", "haproxy", "killall"} {
		if _, err := exec.LookPath(program); err != nil || !wanted {
			return
		}
	}
	l, err := Up(ctx, spec)
	if err != nil {
		d.say("comparison", "%v", err)
		return
	}
	defer l.Down()
	if len(setup.Priorities) == 0 {
		setup.Priorities = recommended
	}
	c := NewCluster(l, Packaged, setup)
	if outcomes, err = c.failovers(ctx, shown); err != nil && !errors.Is(err, context.Canceled) {
		d.say("comparison", "%s: %v", Packaged, err)
	}
}

// failovers starts the cluster and fails the holder in each way, healing it
// in between.
func (c *Cluster) failovers(ctx context.Context, failures []Failure) ([]Outcome, error) {
	if err := c.Start(ctx); err != nil {
		return nil, err
	}
	var outcomes []Outcome
	for _, f := range failures {
		if err := c.holdsBoth(ctx, 0); err != nil {
			return outcomes, err
		}
		o, err := c.Failover(ctx, 0, f)
		if err != nil {
			return outcomes, fmt.Errorf("%s: %w", f, err)
		}
		outcomes = append(outcomes, o)
		if err := c.Heal(0); err != nil {
			return outcomes, err
		}
	}
	return outcomes, nil
}

// slack is what two measurements of the same arithmetic may differ by on a
// machine that runs two labs on two processors.
const slack = 60 * time.Millisecond

// table prints all gaps and claims that none is longer than the rival's.
func (d *demo) table(ours, theirs []Outcome) {
	d.mu.Lock()
	fmt.Fprintln(d.out)
	w := tabwriter.NewWriter(d.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "failure\taddress gone\tservice gone\tprobes lost\tkeepalived: address\tservice")
	for _, o := range ours {
		fmt.Fprintf(w, "%s\t%v\t%v\t%d", o.Failure, o.Gap().Round(time.Millisecond), o.ServiceGap().Round(time.Millisecond), o.Lost())
		if t := find(theirs, o.Failure); t != nil {
			fmt.Fprintf(w, "\t%v\t%v", t.Gap().Round(time.Millisecond), t.ServiceGap().Round(time.Millisecond))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	fmt.Fprintln(d.out, "(after kill -9 the dead node's kernel goes on answering for the address; the service tells)")
	fmt.Fprintln(d.out)
	d.mu.Unlock()
	for _, o := range ours {
		if t := find(theirs, o.Failure); t != nil {
			slack := slack + o.Stall()
			d.claim(o.Gap() <= t.Gap()+slack && o.ServiceGap() <= t.ServiceGap()+slack,
				"%s: gone for %v, keepalived and HAProxy for %v", o.Failure,
				max(o.Gap(), o.ServiceGap()).Round(time.Millisecond), max(t.Gap(), t.ServiceGap()).Round(time.Millisecond))
		}
	}
}

func find(list []Outcome, f Failure) *Outcome {
	for i := range list {
		if list[i].Failure == f {
			return &list[i]
		}
	}
	return nil
}

// lastWords prints what the programs of the controllers said last, after a
// story that did not end.
func (d *demo) lastWords() {
	for _, n := range d.Controllers() {
		n.mu.Lock()
		procs := slices.Clone(n.procs)
		n.mu.Unlock()
		for _, p := range procs {
			lines := strings.Split(strings.TrimSpace(p.Output()), "\n")
			for _, line := range lines[max(0, len(lines)-12):] {
				d.say(n.name, "%s: %s", p.Name, line)
			}
		}
	}
}
