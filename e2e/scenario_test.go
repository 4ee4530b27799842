package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/e2e/lab"
)

var virtual = []string{lab.InsideVirtual, lab.OutsideVirtual}

func TestThePublishedFilesServeAsTheyStand(t *testing.T) {
	t.Parallel()
	began := time.Now()
	ctx, c := start(t, lab.Setup{}, all(lab.Herald))
	for _, addr := range virtual {
		if over := c.Overlap(addr, began); over > 1100*time.Millisecond {
			t.Errorf("several controllers had %s for %v, want at most an advertisement interval", addr, over)
		}
	}
	for i, n := range c.Controllers() {
		text := said(n)
		for _, want := range []string{"contimeout", "timeout connect", "quote"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s did not warn with %q", n.Name(), want)
			}
		}
		url := "http://" + lab.OutsideAddr(i) + "/stats"
		if status, _, err := c.Get(ctx, url, "", ""); err != nil || status != http.StatusUnauthorized {
			t.Errorf("%s without a password: %d, %v, want 401", url, status, err)
		}
		if status, _, err := c.Get(ctx, url, "admin", "wrong"); err != nil || status != http.StatusUnauthorized {
			t.Errorf("%s with a wrong password: %d, %v, want 401", url, status, err)
		}
		status, body, err := c.Get(ctx, url, "admin", "openstack")
		if err != nil || status != http.StatusOK || !strings.Contains(body, "10.1.1.10") {
			t.Errorf("%s with its password: %d, %v, want 200 with the VRRP instances in %.200q", url, status, err, body)
		}
		if status, body, err = c.Get(ctx, url+";csv", "admin", "openstack"); err != nil || status != http.StatusOK || !strings.HasPrefix(body, "# pxname,svname,qcur,qmax,") {
			t.Errorf("%s;csv: %d, %v, %.80q", url, status, err, body)
		}
	}
	checkListing(t, c)
}

// checkListing compares `ip -4 addr show` on the holders with the published
// one.
func checkListing(t *testing.T, c *lab.Cluster) {
	t.Helper()
	in, out := c.Holder(lab.InsideVirtual), c.Holder(lab.OutsideVirtual)
	if in < 0 || out < 0 {
		t.Fatalf("holders %v and %v", c.Holders(lab.InsideVirtual), c.Holders(lab.OutsideVirtual))
	}
	for _, want := range []struct {
		i          int
		iface      string
		own, added string
	}{
		{in, "eth0", "inet " + lab.InsideAddr(in) + "/24 brd 10.1.1.255 scope global eth0", "inet 10.1.1.10/32 scope global dynamic eth0"},
		{out, "eth1", "inet " + lab.OutsideAddr(out) + "/24 brd 192.168.243.255 scope global eth1", "inet 192.168.243.10/32 scope global dynamic eth1"},
	} {
		text, err := c.Controller(want.i).Exec("ip", "-4", "addr", "show", "dev", want.iface)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "inet ") {
				got = append(got, line)
			}
		}
		if !slices.Equal(got, []string{want.own, want.added}) {
			t.Errorf("%s of the holder: got %q, want %q and %q", want.iface, got, want.own, want.added)
		}
	}
}

// TestAddressesMoveNoLaterThanKeepaliveds causes each failure in a cluster of
// herald and in one of the packaged programs at the same time, right after an
// advertisement of the holder. Where the machine stood still meanwhile, the
// two are compared once more, three times at most.
func TestAddressesMoveNoLaterThanKeepaliveds(t *testing.T) {
	for _, f := range lab.Failures {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			for try := 1; ; try++ {
				var ours, theirs *lab.Outcome
				t.Run(fmt.Sprint("both", try), func(t *testing.T) {
					t.Run("keepalived", func(t *testing.T) { t.Parallel(); theirs = fail(t, lab.Packaged, f) })
					t.Run("herald", func(t *testing.T) { t.Parallel(); ours = fail(t, lab.Herald, f) })
				})
				if ours == nil || theirs == nil { // told already
					return
				}
				later := noLater(*ours, *theirs)
				if len(later) == 0 {
					return
				}
				stood := max(ours.Stall(), theirs.Stall())
				if try == 3 || stood < stall {
					t.Error(strings.Join(later, "\n"))
					return
				}
				t.Logf("once more, the machine stood still for %v: %s", stood, strings.Join(later, "; "))
			}
		})
	}
}

// fail fails the holder in a cluster of one engine and checks what does not
// need a comparison. The outcome is nil when the test is over.
func fail(t *testing.T, e lab.Engine, f lab.Failure) *lab.Outcome {
	ctx, c := start(t, lab.Setup{Services: true, Priorities: ranked}, all(e))
	for _, addr := range virtual {
		if h := c.Holder(addr); h != 0 {
			t.Fatalf("%s is on %v, want it on the controller with the highest priority", addr, c.Holders(addr))
		}
	}
	o, err := c.Failover(ctx, 0, f)
	t.Log(o)
	if err != nil {
		t.Error(err)
		return nil
	}
	for _, addr := range o.Moved {
		switch {
		case o.By[addr] == "controller-1":
		case e == lab.Herald:
			t.Errorf("%s moved to %s, want the next priority's", addr, o.By[addr])
		default: // a busy machine delays their ordinary processes: it is no fault of ours
			t.Logf("%s moved to %s, not to the next priority's", addr, o.By[addr])
		}
	}
	for _, addr := range virtual {
		if !slices.Contains(o.Moved, addr) && (o.Probes[addr].Gap > noise+o.Stall() || !slices.Equal(c.Holders(addr), []string{o.Failed})) {
			t.Errorf("%s should not move: %d probes lost, holders %v", addr, o.Probes[addr].Lost, c.Holders(addr))
		}
	}
	return &o
}

// noise is what a single echo may be late by on a busy machine without an
// address having been gone: far below anything an election takes.
const noise = 20 * time.Millisecond

// slack is what two measurements of the same arithmetic may differ by where
// many labs share two processors.
const slack = 80 * time.Millisecond

// stall is the pause of the whole machine from which on a comparison of two
// labs says nothing.
const stall = 100 * time.Millisecond

// noLater tells in what herald was slower than the packaged programs, or than
// the arithmetic allows.
func noLater(ours, theirs lab.Outcome) (later []string) {
	slack := slack + ours.Stall() + theirs.Late()
	if ours.Gap() > theirs.Gap()+slack {
		later = append(later, fmt.Sprintf("addresses gone for %v, keepalived's for %v", ours.Gap(), theirs.Gap()))
	}
	if ours.ServiceGap() > theirs.ServiceGap()+slack {
		later = append(later, fmt.Sprintf("service gone for %v, keepalived's and HAProxy's for %v", ours.ServiceGap(), theirs.ServiceGap()))
	}
	// RFC 3768 section 6.1: Master_Down_Interval with the priority of the
	// node that took over, 101 and 2 for the tracked proxy.
	skew := time.Duration(256-103) * time.Second / 256
	if limit := 3*time.Second + skew + slack; ours.Gap() > limit {
		later = append(later, fmt.Sprintf("addresses gone for %v, want at most 3 intervals and the skew time, %v", ours.Gap(), limit))
	}
	return later
}

func TestTrafficFlowsThroughBothAddressesWhileServersComeAndGo(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{Services: true, Priorities: ranked}, all(lab.Herald))
	both := []string{"server-0", "server-1"}
	for _, addr := range virtual {
		if err := c.WaitBehind(ctx, addr, both...); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Server(1).Kill9All(); err != nil {
		t.Fatal(err)
	}
	for _, addr := range virtual {
		if err := c.WaitBehind(ctx, addr, "server-0"); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.Controller(0).Grep("Server compute-api/server-1 is DOWN")) == 0 {
		t.Error("the log does not say that compute-api/server-1 is DOWN")
	}
	if _, err := c.StartOrigin(1); err != nil {
		t.Fatal(err)
	}
	for _, addr := range virtual {
		if err := c.WaitBehind(ctx, addr, both...); err != nil {
			t.Fatal(err)
		}
	}
	// option httplog: client, frontend, backend/server, times, status, bytes,
	// cookies, termination, connections, queues, request.
	if len(c.Controller(0).Grep("compute-api compute-api/server-1 ")) == 0 {
		t.Error("no request to compute-api/server-1 in the log")
	}
}

// TestAMixedClusterAgrees puts herald and the packaged programs in one
// cluster, moves the addresses from one to the other and back, and looks for
// complaints about each other's packets.
func TestAMixedClusterAgrees(t *testing.T) {
	for _, engines := range [][]lab.Engine{
		{lab.Herald, lab.Packaged, lab.Packaged},
		{lab.Packaged, lab.Herald, lab.Herald},
	} {
		t.Run(fmt.Sprintf("%s first", engines[0]), func(t *testing.T) {
			t.Parallel()
			ctx, c := start(t, lab.Setup{Services: true, Priorities: ranked}, engines)
			for _, f := range []lab.Failure{lab.Reboot, lab.ProxyDead} {
				if in, out := c.Holder(lab.InsideVirtual), c.Holder(lab.OutsideVirtual); in != 0 || out != 0 {
					t.Fatalf("addresses on controllers %d and %d, want the first", in, out)
				}
				o, err := c.Failover(ctx, 0, f)
				t.Log(o)
				if err != nil {
					t.Fatal(err)
				}
				for _, addr := range virtual {
					if o.By[addr] != "controller-1" {
						t.Errorf("%s after %s: on %s, want controller-1", addr, f, o.By[addr])
					}
				}
				if err := c.Heal(0); err != nil {
					t.Fatal(err)
				}
				if err := c.WaitFor(ctx, "the first to come back", func() bool {
					return c.Holder(lab.InsideVirtual) == 0 && c.Holder(lab.OutsideVirtual) == 0
				}); err != nil {
					t.Fatal(err)
				}
				if err := c.Settle(ctx); err != nil {
					t.Fatal(err)
				}
			}
			noComplaints(t, c)
		})
	}
}

// noComplaints fails when a node refused a packet of another.
func noComplaints(t *testing.T, c *lab.Cluster) {
	t.Helper()
	for i, n := range c.Controllers() {
		if c.Engines[i] == lab.Packaged {
			for _, word := range []string{"ignoring", "mismatch", "invalid", "bogus", "unexpected ip number", "not present in MASTER advert", "Dropping received"} {
				if text := n.Proc("keepalived").Output(); strings.Contains(text, word) {
					t.Errorf("keepalived of %s complains (%q)", n.Name(), word)
				}
			}
			continue
		}
		for _, in := range instances(t, n) {
			for name, count := range in.rejected() {
				if count > 0 {
					t.Errorf("%s instance %s: %s = %d", n.Name(), in.Name, name, count)
				}
			}
		}
	}
}
