package e2e_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"herald/e2e/lab"
)

// TestAStalledVRRPRoleIsReplacedWithoutAGapOrABurst stops the VRRP role of the
// master. keepalived goes on when it is woken, answers every advertisement it
// slept through, and announces each time; herald's parent replaces the role.
func TestAStalledVRRPRoleIsReplacedWithoutAGapOrABurst(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{Priorities: ranked}, all(lab.Herald))
	n := c.Controller(0)
	role := func() int {
		for _, p := range n.Processes() {
			if strings.Contains(strings.Join(p.Args, " "), " role vrrp") {
				return p.PID
			}
		}
		return 0
	}
	tap, err := c.Tap()
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Stop()
	probe, err := c.Probe(lab.InsideVirtual)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Stop()
	stalled := role()
	if err := syscall.Kill(stalled, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitFor(ctx, "a new VRRP role", func() bool { r := role(); return r != 0 && r != stalled }); err != nil {
		t.Fatal(err)
	}
	replaced := time.Now()
	if err := c.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	if h := c.Holder(lab.InsideVirtual); h != 0 {
		t.Errorf("%s is on %v, want it on the highest priority", lab.InsideVirtual, c.Holders(lab.InsideVirtual))
	}
	early := 0
	for _, a := range tap.Adverts(replaced.Add(-100 * time.Millisecond)) {
		if a.Source == lab.InsideAddr(0) && a.At.Before(replaced.Add(500*time.Millisecond)) {
			early++
		}
	}
	if early > 2 {
		t.Errorf("%d advertisements of the replaced role at once, want at most 2", early)
	}
	if r := probe.Stop(); r.Gap > noise+r.Stall {
		t.Errorf("gap %v: %+v", r.Gap, r.Outages)
	}
}
