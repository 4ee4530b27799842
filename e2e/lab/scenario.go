package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Failure is a way in which a controller fails.
type Failure string

// The failures of the published scenario. Each is the holder's.
const (
	Reboot     Failure = "reboot"      // SIGTERM to its programs, as a shutdown does
	Kill       Failure = "kill"        // kill -9 of everything at once
	LinkLost   Failure = "link"        // the cables of both networks are pulled
	ProxyDead  Failure = "proxy"       // its proxy killed and kept from coming back
	CutInside  Failure = "cut-inside"  // eth0 loses every packet, its link stays up
	CutOutside Failure = "cut-outside" // eth1 loses every packet, its link stays up
)

// Failures lists all failures in the order they are shown.
var Failures = []Failure{Reboot, Kill, LinkLost, ProxyDead, CutInside, CutOutside}

// moves returns the addresses that must leave a controller that holds both
// when it fails so.
func (f Failure) moves() []string {
	switch f {
	case CutInside:
		return []string{InsideVirtual}
	case CutOutside:
		return []string{OutsideVirtual}
	}
	return []string{InsideVirtual, OutsideVirtual}
}

// keepsAddress reports whether the failed node's kernel goes on with the
// address: nobody is left there to remove it, or it cannot know.
func (f Failure) keepsAddress() bool { return f == Kill || f == CutInside || f == CutOutside }

// Fail makes controller i fail.
func (c *Cluster) Fail(ctx context.Context, i int, f Failure) error {
	n := c.Controller(i)
	switch f {
	case Reboot:
		return c.Stop(ctx, i)
	case Kill:
		return n.Kill9All()
	case LinkLost:
		return errors.Join(n.Unplug("eth0"), n.Unplug("eth1"))
	case ProxyDead:
		return c.killProxy(i)
	case CutInside:
		return n.Cut("eth0")
	case CutOutside:
		return n.Cut("eth1")
	}
	return fmt.Errorf("unknown failure %q: one of %v", f, Failures)
}

// killProxy kills the proxy for good. Herald starts a new one at once, so its
// configuration is spoilt first.
func (c *Cluster) killProxy(i int) error {
	n := c.Controller(i)
	text := "haproxy -db"
	if c.Engines[i] == Herald {
		if err := n.WriteFile(haproxyFile, "spoilt by the laboratory\n"); err != nil {
			return err
		}
		text = " role proxy"
	}
	if n.KillWhere(text, syscall.SIGKILL) == 0 {
		return fmt.Errorf("no proxy runs on %s", n.name)
	}
	return nil
}

// Heal undoes every failure of controller i and starts what does not run.
func (c *Cluster) Heal(i int) error {
	return errors.Join(c.Controller(i).Heal(), c.Write(i), c.revive(i))
}

// revive starts programs that ended; a herald whose proxy could not come back
// is told that its file is whole again.
func (c *Cluster) revive(i int) error {
	n := c.Controller(i)
	if p := n.proc("herald"); c.Engines[i] == Herald && p != nil && p.Running() {
		return p.Signal(syscall.SIGHUP)
	}
	return c.StartController(i)
}

// Outcome is what one failure of a holder did, as the client saw it.
type Outcome struct {
	Engine  Engine
	Failure Failure
	Failed  string // the node that failed
	At      time.Time
	// Heard is when the client heard the failed node's last advertisement
	// before At for the first address that had to move: the others' timers run
	// from there.
	Heard time.Time
	// Moved are the addresses that had to move, and Taken when another
	// controller had each, counted from At.
	Moved []string
	Taken map[string]time.Duration
	By    map[string]string // address -> its new holder
	// Probes are the echo reports for both virtual addresses, Services
	// those of the HTTP service on them, empty without one.
	Probes, Services map[string]Report
	// Overlap is for how long two working controllers had one address.
	Overlap time.Duration
}

// Gap is the longest time for which an address that had to move was
// unreachable. It is zero where the failed node's kernel went on answering:
// there ServiceGap tells.
func (o Outcome) Gap() time.Duration { return longest(o.Moved, o.Probes) }

// ServiceGap is the longest time for which the service on an address that had
// to move did not answer.
func (o Outcome) ServiceGap() time.Duration { return longest(o.Moved, o.Services) }

func longest(addrs []string, reports map[string]Report) time.Duration {
	var gap time.Duration
	for _, addr := range addrs {
		gap = max(gap, reports[addr].Gap)
	}
	return gap
}

// Late is how long after the failed node's last advertisement the first
// address that moved was gone, or the service on it where the address went on
// answering: on a busy machine the failure comes late, and the gap is that much
// shorter.
func (o Outcome) Late() time.Duration {
	for _, r := range []Report{o.Probes[o.Moved[0]], o.Services[o.Moved[0]]} {
		if len(r.Outages) > 0 {
			return max(r.Outages[0].From.Round(0).Sub(o.Heard), 0)
		}
	}
	return 0
}

// Lost is the number of lost probes over the addresses that had to move.
func (o Outcome) Lost() int {
	lost := 0
	for _, addr := range o.Moved {
		lost += o.Probes[addr].Lost
	}
	return lost
}

// Stall is the longest pause any probe had between two questions: by how much
// this machine may have delayed anything.
func (o Outcome) Stall() time.Duration {
	var stall time.Duration
	for _, reports := range []map[string]Report{o.Probes, o.Services} {
		for _, r := range reports {
			stall = max(stall, r.Stall)
		}
	}
	return stall
}

func (o Outcome) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s of %s: address gone for %v (%d probes lost), service for %v", o.Engine, o.Failure, o.Failed,
		o.Gap().Round(time.Millisecond), o.Lost(), o.ServiceGap().Round(time.Millisecond))
	for _, addr := range o.Moved {
		fmt.Fprintf(&b, "; %s on %s after %v", addr, o.By[addr], o.Taken[addr].Round(time.Millisecond))
	}
	if stall := o.Stall(); stall > 50*time.Millisecond {
		fmt.Fprintf(&b, " (this machine stalled for %v)", stall.Round(time.Millisecond))
	}
	return b.String()
}

// Failover fails controller i, which holds both addresses, watches until they
// have moved and answer again, and returns what the client saw. The failure
// is left in place: Heal undoes it.
func (c *Cluster) Failover(ctx context.Context, i int, f Failure) (Outcome, error) {
	o := Outcome{Engine: c.Engines[i], Failure: f, Failed: c.Controller(i).name, Moved: f.moves(),
		Taken: map[string]time.Duration{}, By: map[string]string{}, Probes: map[string]Report{}, Services: map[string]Report{}}
	probes, err := c.probeAll(ctx)
	defer stopAll(probes)
	if err != nil {
		return o, err
	}
	if o.Heard, err = c.worstMoment(ctx, i, o.Moved); err != nil {
		return o, err
	}
	// What a busy machine lost before is not the failure's.
	for _, p := range probes {
		p.forget()
	}
	o.At = time.Now()
	if err := c.Fail(ctx, i, f); err != nil {
		return o, err
	}
	for _, addr := range o.Moved {
		if err := c.taken(ctx, &o, addr); err != nil {
			return o, err
		}
	}
	for _, p := range probes {
		// Where only one address moves, the proxy that has the other may
		// have lost its way to the servers: that service is not waited for.
		if p.fd < 0 && !slices.Contains(o.Moved, p.addr) {
			continue
		}
		if err := c.WaitQuiet(ctx, p, 500*time.Millisecond); err != nil {
			return o, err
		}
	}
	for _, p := range probes {
		r := p.Stop()
		if p.fd < 0 {
			o.Services[r.Addr] = r
		} else {
			o.Probes[r.Addr] = r
		}
	}
	return o, nil
}

// worstMoment waits for an advertisement of controller i for the first address
// that is to move and returns when the client got it: a failure right after it
// is noticed latest, and so comparable between engines.
func (c *Cluster) worstMoment(ctx context.Context, i int, moved []string) (time.Time, error) {
	w, err := c.Tap()
	if err != nil {
		return time.Time{}, err
	}
	defer w.Stop()
	source := InsideAddr(i)
	if moved[0] == OutsideVirtual {
		source = OutsideAddr(i)
	}
	return c.waitAdvert(ctx, w, source)
}

// probeAll starts the probes of both virtual addresses and waits until they
// are answered.
func (c *Cluster) probeAll(ctx context.Context) ([]*Probe, error) {
	var probes []*Probe
	for _, addr := range []string{InsideVirtual, OutsideVirtual} {
		p, err := c.Probe(addr)
		if err != nil {
			return probes, err
		}
		probes = append(probes, p)
		if c.Setup.Services {
			if p, err = c.ProbeService(addr, HTTPPort); err != nil {
				return probes, err
			}
			probes = append(probes, p)
		}
	}
	for _, p := range probes {
		if err := c.WaitQuiet(ctx, p, 200*time.Millisecond); err != nil {
			return probes, err
		}
	}
	return probes, nil
}

func stopAll(probes []*Probe) {
	for _, p := range probes {
		p.Stop()
	}
}

// taken waits until a controller other than the failed one has the address,
// and the failed one has not, where it can know.
func (c *Cluster) taken(ctx context.Context, o *Outcome, addr string) error {
	err := c.WaitFor(ctx, fmt.Sprintf("another controller than %s to have %s", o.Failed, addr), func() bool {
		names := c.Holders(addr)
		if slices.Contains(names, o.Failed) && !o.Failure.keepsAddress() {
			return false
		}
		names = slices.DeleteFunc(names, func(n string) bool { return n == o.Failed })
		if len(names) != 1 {
			return false
		}
		o.By[addr] = names[0]
		return true
	})
	for _, ch := range c.Changes(o.At) {
		if ch.Addr == addr && ch.Added && ch.Node == o.By[addr] {
			o.Taken[addr] = ch.At.Sub(o.At)
		}
	}
	o.Overlap = max(o.Overlap, c.Overlap(addr, o.At))
	return err
}
