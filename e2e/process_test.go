package e2e_test

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"herald/e2e/lab"
)

// listeners returns the inode of every listening socket of a node by address.
func listeners(t *testing.T, n *lab.Node) map[string][]string {
	t.Helper()
	out, err := n.Exec("ss", "-Htlne")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		for _, word := range f {
			if ino, ok := strings.CutPrefix(word, "ino:"); ok && len(f) > 3 {
				found[f[3]] = append(found[f[3]], ino)
			}
		}
	}
	for _, list := range found {
		slices.Sort(list)
	}
	return found
}

func TestAReloadUnderLoadFailsNoRequest(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{Services: true, Priorities: ranked}, all(lab.Herald))
	n := c.Controller(0)
	if err := c.WaitBehind(ctx, lab.InsideVirtual, "server-0", "server-1"); err != nil {
		t.Fatal(err)
	}
	before, was := listeners(t, n), instances(t, n)
	r, err := c.ReloadUnderLoad(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed != nil || r.Requests < 200 {
		t.Errorf("of %d requests failed: %v", r.Requests, r.Failed)
	}
	if len(r.Moves) > 0 {
		t.Errorf("addresses moved during the reload: %v", r.Moves)
	}
	after, is := listeners(t, n), instances(t, n)
	for addr, inodes := range before {
		if !slices.Equal(inodes, after[addr]) {
			t.Errorf("listening sockets of %s: %v before, %v after the reload", addr, inodes, after[addr])
		}
	}
	if len(before) == 0 {
		t.Error("no listening socket was found")
	}
	for name, in := range was {
		if got := is[name]; got.State != in.State || !got.Since.Equal(in.Since) || got.Counters.BecomeMaster != in.Counters.BecomeMaster {
			t.Errorf("instance %s: %s since %v before, %s since %v after the reload", name, in.State, in.Since, got.State, got.Since)
		}
	}
}

func TestAReloadWithAnErrorKeepsTheOldConfiguration(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{Services: true}, []lab.Engine{lab.Herald})
	n := c.Controller(0)
	if err := n.WriteFile("/etc/haproxy/services.cfg", "listen broken\n    bind 10.1.1.10:3306\n    balence roundrobin\n"); err != nil {
		t.Fatal(err)
	}
	probe, err := c.ProbeService(lab.InsideVirtual, lab.HTTPPort)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Stop()
	if err := c.WaitQuiet(ctx, probe, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	out, err := herald(n, "reload")
	if err == nil {
		t.Errorf("reload of a broken file succeeded: %s", out)
	}
	for _, want := range []string{"services.cfg:3", "balence", "balance"} {
		if !strings.Contains(out, want) {
			t.Errorf("the command that asked is not told %q: %s", want, out)
		}
	}
	if err := c.WaitFor(ctx, "the reason in the log", func() bool { return strings.Contains(said(n), "balence") }); err != nil {
		t.Error(err)
	}
	if err := c.WaitBehind(ctx, lab.OutsideVirtual, "server-0", "server-1"); err != nil {
		t.Errorf("the old configuration does not serve: %v", err)
	}
	if r := probe.Stop(); r.Gap > noise+r.Stall {
		t.Errorf("%d requests failed during the refused reload: %+v", r.Lost, r.Outages)
	}
	if moves := c.Changes(since); len(moves) > 0 {
		t.Errorf("addresses moved: %v", moves)
	}
}

// kill9 kills the one process of a node whose command line contains text.
func kill9(t *testing.T, n *lab.Node, text string) {
	t.Helper()
	if k := n.KillWhere(text, syscall.SIGKILL); k != 1 {
		t.Fatalf("%d processes with %q on %s, want 1: %v", k, text, n.Name(), n.Processes())
	}
}

func TestAKilledProxyServesAgainAtOnce(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{Services: true, Priorities: ranked}, all(lab.Herald))
	probe, err := c.ProbeService(lab.InsideVirtual, lab.HTTPPort)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Stop()
	if err := c.WaitQuiet(ctx, probe, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	kill9(t, c.Controller(0), " role proxy")
	if err := c.WaitFor(ctx, "a new proxy", func() bool {
		return slices.ContainsFunc(c.Controller(0).Processes(), func(p lab.Process) bool { return strings.Contains(strings.Join(p.Args, " "), " role proxy") })
	}); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitQuiet(ctx, probe, 500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	// The service may move to another node for a moment, if this one says at
	// once that its proxy is gone; it may not be away.
	if r := probe.Stop(); r.Gap > 500*time.Millisecond+r.Stall || r.Refused > 0 {
		t.Errorf("the service was away for %v with %d connections refused, want under 500ms and none: %+v", r.Gap, r.Refused, r.Outages)
	}
	t.Logf("gap %v, moves %v", probe.Now().Gap, c.Changes(since))
}

func TestAKilledVRRPRoleLeavesNoGap(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{Priorities: ranked}, all(lab.Herald))
	probe, err := c.Probe(lab.InsideVirtual)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Stop()
	if err := c.WaitQuiet(ctx, probe, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	kill9(t, c.Controller(0), " role vrrp")
	// Longer than another node would wait for advertisements.
	if err := c.WaitQuiet(ctx, probe, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if r := probe.Stop(); r.Gap > noise+r.Stall {
		t.Errorf("gap %v after a restart of the VRRP role: %+v", r.Gap, r.Outages)
	}
	if moves := c.Changes(since); len(moves) > 0 {
		t.Errorf("addresses moved: %v", moves)
	}
	for name, in := range instances(t, c.Controller(0)) {
		if in.State != "MASTER" {
			t.Errorf("instance %s is %s after the restart of its role, want MASTER", name, in.State)
		}
	}
}

func TestAKilledParentTakesItsRolesAndAddressesAlong(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{Priorities: ranked}, all(lab.Herald))
	n := c.Controller(0)
	parent := n.Proc("herald")
	if err := parent.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	if err := c.WaitFor(ctx, "the next controller to take the addresses", func() bool {
		return c.Holder(lab.InsideVirtual) == 1 && c.Holder(lab.OutsideVirtual) == 1
	}); err != nil {
		t.Fatal(err)
	}
	// The role resigns, so nobody waits for a master down interval.
	if took := time.Since(since); took > 2*time.Second {
		t.Errorf("the addresses moved after %v, want a resignation and the skew time", took)
	}
	if err := c.WaitFor(ctx, "the roles to end", func() bool { return len(n.Processes()) == 0 }); err != nil {
		t.Errorf("%v: %v", err, n.Processes())
	}
	// What the killed parent left (lock, sockets, pid file) blocks nothing.
	if err := c.StartController(0); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitFor(ctx, "the first controller to be back", func() bool {
		return c.Holder(lab.InsideVirtual) == 0 && c.Holder(lab.OutsideVirtual) == 0
	}); err != nil {
		t.Error(err)
	}
}

func TestSIGTERMEndsHeraldCleanly(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{}, []lab.Engine{lab.Herald})
	n := c.Controller(0)
	if err := c.Stop(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if err := n.Proc("herald").Wait(); err != nil {
		t.Errorf("herald ended with %v, want 0", err)
	}
	if left := n.Processes(); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
	for _, addr := range virtual {
		if h := c.Holders(addr); len(h) > 0 {
			t.Errorf("%s left on %v", addr, h)
		}
	}
}

func TestARoleThatCannotComeBackCostsTheAddresses(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{Priorities: ranked}, all(lab.Herald))
	n := c.Controller(0)
	// Whenever a VRRP role shows up on the node it is killed, until another
	// controller has the addresses.
	if err := c.WaitFor(ctx, "the next controller alone to have the addresses", func() bool {
		n.KillWhere(" role vrrp", syscall.SIGKILL)
		return c.Holder(lab.InsideVirtual) == 1 && c.Holder(lab.OutsideVirtual) == 1
	}); err != nil {
		t.Fatal(err)
	}
	if !n.Proc("herald").Running() {
		t.Error("the parent ended, and the proxy with it")
	}
	if err := c.WaitFor(ctx, "the first controller to recover", func() bool {
		return c.Holder(lab.InsideVirtual) == 0 && c.Holder(lab.OutsideVirtual) == 0
	}); err != nil {
		t.Error(err)
	}
}

func TestNothingAPredecessorLeftBlocksAStart(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{}, []lab.Engine{lab.Herald})
	n := c.Controller(0)
	second, err := n.Start("second", lab.Program(program), "run")
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-second.Done():
	case <-ctx.Done():
		t.Fatal("a second herald of the same run directory runs on")
	}
	if second.Wait() == nil {
		t.Errorf("a second herald ended without an error: %s", second.Output())
	}
	if h := c.Holder(lab.InsideVirtual); h != 0 {
		t.Errorf("the second herald cost the first its address: %v", c.Holders(lab.InsideVirtual))
	}
	if err := n.Kill9All(); err != nil {
		t.Fatal(err)
	}
	// The first process of the node is alive, and its number is 1.
	files, err := n.Exec("find", "/run/herald", "-name", "*.pid")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range strings.Fields(files) {
		if err := n.WriteFile(f, "1\n"); err != nil {
			t.Fatal(err)
		}
	}
	since := time.Now()
	if err := c.StartController(0); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitFor(ctx, "the killed herald's successor to serve", func() bool {
		status, _, err := c.Get(ctx, "http://"+lab.OutsideAddr(0)+"/stats", "admin", "openstack")
		return err == nil && status == 200
	}); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitFor(ctx, "the instances to be MASTER", func() bool {
		out, err := herald(n, "status", "--json")
		return err == nil && strings.Count(out, `"MASTER"`) > 0
	}); err != nil {
		t.Error(err)
	}
	if moves := c.Changes(since); len(moves) > 0 {
		t.Errorf("addresses left by the predecessor were dropped, not adopted: %v", moves)
	}
}
