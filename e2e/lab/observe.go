package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Failures that are observed but not part of the published scenario.
const (
	VRRPKilled Failure = "vrrp"      // kill -9 of the VRRP process alone; its parent starts another
	LinkDown   Failure = "link-down" // both interfaces of the node set down
	Returns    Failure = "returns"   // the best controller, which was stopped, comes back
)

// Observation is what one event did while it was watched: no address has to
// move.
type Observation struct {
	Engine  Engine
	Failure Failure
	// Takeover is when another controller than the failed one had the inside
	// address, counted from the event; zero when none took it.
	Takeover time.Duration
	// Silence is the same counted from the failed controller's last
	// advertisement: what the arithmetic of the protocol speaks of. The moment
	// of the event between two advertisements is not in it.
	Silence time.Duration
	// Gap is the longest time for which the inside address did not answer the
	// client, Service the same of the HTTP service on it.
	Gap, Service time.Duration
	// Both is for how long at least two controllers answered for the address
	// at the end of the watch, as the network was asked.
	Both bool
	// Beside is for how long the failed controller's kernel kept the inside
	// address beside its new holder; up to the end of the watch if it still does.
	Beside time.Duration
}

// Observe lets an event happen to controller i, which holds both addresses
// (or, for Returns, was stopped), and watches the inside address for a window,
// and then until it answers.
func (c *Cluster) Observe(ctx context.Context, i int, f Failure, window time.Duration) (Observation, error) {
	o := Observation{Engine: c.Engines[i], Failure: f}
	p, err := c.Probe(InsideVirtual)
	if err != nil {
		return o, err
	}
	defer p.Stop()
	s, err := c.ProbeService(InsideVirtual, HTTPPort)
	if err != nil {
		return o, err
	}
	defer s.Stop()
	for _, probe := range []*Probe{p, s} {
		if err := c.WaitQuiet(ctx, probe, 200*time.Millisecond); err != nil {
			return o, err
		}
	}
	w, err := c.Tap()
	if err != nil {
		return o, err
	}
	defer w.Stop()
	if f != Returns {
		if _, err := c.worstMoment(ctx, i, []string{InsideVirtual}); err != nil {
			return o, err
		}
	}
	p.forget()
	s.forget()
	at := time.Now()
	if err := c.happen(ctx, i, f); err != nil {
		return o, err
	}
	if err := c.WaitFor(ctx, "the window to pass", func() bool { return time.Since(at) > window }); err != nil {
		return o, err
	}
	if err := c.WaitQuiet(ctx, p, 300*time.Millisecond); err != nil {
		return o, err
	}
	macs, err := c.Owners(InsideVirtual, 100*time.Millisecond)
	if err != nil {
		return o, err
	}
	o.Gap, o.Service, o.Both = p.Stop().Gap, s.Stop().Gap, len(macs) > 1
	o.Takeover = c.takeover(i, f, at)
	if o.Takeover > 0 && f != Returns {
		o.Beside = c.beside(i, at.Add(o.Takeover), time.Now())
		o.Silence = silence(w.Adverts(time.Time{}), InsideAddr(i), at.Add(o.Takeover))
	}
	return o, nil
}

// silence is for how long a router had said nothing at a moment; zero when it
// was never heard.
func silence(adverts []Advert, source string, at time.Time) time.Duration {
	for _, a := range slices.Backward(adverts) {
		if a.Source == source && a.At.Before(at) {
			return at.Sub(a.At)
		}
	}
	return 0
}

// beside is for how long controller i had the inside address after another
// took it.
func (c *Cluster) beside(i int, taken, until time.Time) time.Duration {
	name := c.Controller(i).name
	for _, ch := range c.Changes(taken) {
		if ch.Addr == InsideVirtual && ch.Node == name && !ch.Added {
			return ch.At.Sub(taken)
		}
	}
	if slices.Contains(c.Holders(InsideVirtual), name) {
		return until.Sub(taken)
	}
	return 0
}

// takeover is when the address came to whom it had to come to.
func (c *Cluster) takeover(i int, f Failure, at time.Time) time.Duration {
	name := c.Controller(i).name
	for _, ch := range c.Changes(at) {
		if ch.Addr == InsideVirtual && ch.Added && (ch.Node == name) == (f == Returns) {
			return ch.At.Sub(at)
		}
	}
	return 0
}

// happen makes the event.
func (c *Cluster) happen(ctx context.Context, i int, f Failure) error {
	n := c.Controller(i)
	switch f {
	case VRRPKilled:
		return c.killVRRP(i)
	case LinkDown:
		return errors.Join(n.LinkDown("eth0"), n.LinkDown("eth1"))
	case Returns:
		return c.StartController(i)
	}
	return c.Fail(ctx, i, f)
}

// killVRRP kills the process that speaks VRRP and leaves its parent alone.
func (c *Cluster) killVRRP(i int) error {
	n := c.Controller(i)
	if c.Engines[i] == Herald {
		if n.KillWhere(" role vrrp", syscall.SIGKILL) == 0 {
			return fmt.Errorf("no VRRP role runs on %s", n.name)
		}
		return nil
	}
	var pids []int
	for _, p := range n.Processes() {
		if strings.HasPrefix(strings.Join(p.Args, " "), "keepalived ") {
			pids = append(pids, p.PID)
		}
	}
	for _, pid := range pids {
		if slices.Contains(pids, parentOf(pid)) {
			return syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return fmt.Errorf("keepalived on %s has no child among %v", n.name, pids)
}

// parentOf returns the parent's process id, 0 when it cannot be read.
func parentOf(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name stands in parentheses and may hold blanks.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(fields[1])
	return ppid
}

// Prepare brings the cluster to where event f may begin: controller i holds
// both addresses, or for Returns is stopped and another holds them.
func (c *Cluster) Prepare(ctx context.Context, i int, f Failure) error {
	if err := c.holdsBoth(ctx, i); err != nil {
		return err
	}
	if f != Returns {
		return nil
	}
	if err := c.Stop(ctx, i); err != nil {
		return err
	}
	return c.Settle(ctx)
}
