package lab

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Race is what the stop of a holder did to a client that knows its address,
// with several backups that may take over at the same moment.
type Race struct {
	// Taken is when another controller had the address, counted from the stop.
	Taken time.Duration
	// Claims is how many controllers took it.
	Claims int
	// Astray is for how long the client sent to a controller that did not
	// have the address while another had it.
	Astray time.Duration
	// Gap is the longest time for which the address did not answer.
	Gap time.Duration
}

// raceWatch is how long the client is watched after the address came to
// another controller, and astrayLimit how long one that sends to the wrong one.
const (
	raceWatch   = 1500 * time.Millisecond
	astrayLimit = 12 * time.Second
)

// Race stops the holder of the inside address with SIGTERM, watches whom the
// client sends to, and starts the holder again. It ends when the cluster is
// ready for the next one.
func (c *Cluster) Race(ctx context.Context) (Race, error) {
	var r Race
	if err := c.WaitFor(ctx, "one holder", func() bool { return c.Holder(InsideVirtual) >= 0 }); err != nil {
		return r, err
	}
	i := c.Holder(InsideVirtual)
	p, err := c.Probe(InsideVirtual)
	if err != nil {
		return r, err
	}
	defer p.Stop()
	if err := c.WaitQuiet(ctx, p, 200*time.Millisecond); err != nil {
		return r, err
	}
	names, err := c.hardware()
	if err != nil {
		return r, err
	}
	p.forget()
	at := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- c.Stop(ctx, i) }()
	w := astray{since: at, failed: c.Controller(i).name}
	err = c.WaitFor(ctx, "the client to know the new holder", func() bool {
		now := time.Now()
		return w.look(now, c.Holders(InsideVirtual), names[c.MAC(InsideVirtual).String()]) || now.Sub(at) > astrayLimit
	})
	if failed := <-stopped; err == nil {
		err = failed
	}
	if err != nil {
		return r, err
	}
	r.Astray, r.Gap = w.longest, p.Stop().Gap
	for _, ch := range c.Changes(at) {
		if ch.Addr == InsideVirtual && ch.Added && ch.Node != w.failed {
			if r.Claims++; r.Claims == 1 {
				r.Taken = ch.At.Sub(at)
			}
		}
	}
	return r, c.rejoin(ctx, i)
}

// rejoin starts controller i again and gives it the time to hear the master.
func (c *Cluster) rejoin(ctx context.Context, i int) error {
	if err := c.StartController(i); err != nil {
		return err
	}
	w, err := c.Tap()
	if err != nil {
		return err
	}
	defer w.Stop()
	at := time.Now()
	return c.WaitFor(ctx, "the stopped controller to take part", func() bool {
		return time.Since(at) > time.Second && len(w.Adverts(at.Add(time.Second))) > 3 && c.Holder(InsideVirtual) >= 0
	})
}

// hardware returns which controller each inside hardware address belongs to.
func (c *Cluster) hardware() (map[string]string, error) {
	names := map[string]string{}
	for _, n := range c.Controllers() {
		mac, err := n.MAC("eth0")
		if err != nil {
			return nil, fmt.Errorf("hardware address of %s: %w", n.name, err)
		}
		names[mac.String()] = n.name
	}
	return names, nil
}

// astray adds up looks at who has the address and whom the client sends to.
type astray struct {
	since   time.Time
	failed  string    // the controller that was stopped
	taken   time.Time // when another had the address
	wrong   time.Time // since when the client is wrong; zero: it is not
	longest time.Duration
}

// look notes one look and reports whether everything has been seen: the
// address has been with another controller for raceWatch and the client knows.
func (a *astray) look(now time.Time, holders []string, sendsTo string) bool {
	others := slices.DeleteFunc(slices.Clone(holders), func(n string) bool { return n == a.failed })
	if len(others) > 0 && a.taken.IsZero() {
		a.taken = now
	}
	if len(others) == 0 || sendsTo == "" || slices.Contains(holders, sendsTo) {
		a.wrong = time.Time{}
	} else {
		if a.wrong.IsZero() {
			a.wrong = now
		}
		a.longest = max(a.longest, now.Sub(a.wrong))
	}
	return !a.taken.IsZero() && a.wrong.IsZero() && now.Sub(a.taken) > raceWatch
}
