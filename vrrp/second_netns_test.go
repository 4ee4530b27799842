package vrrp_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/directive"
	"herald/vrrp/settings"
)

const (
	vip4 = "10.1.1.10"
	vip6 = "2001:db8::10"
)

// mixedFile is one instance with addresses of both families.
func mixedFile(priority int) string {
	return fmt.Sprintf("vrrp_instance 1 {\n interface eth0\n virtual_router_id 1\n priority %d\n advert_int 1\n virtual_ipaddress {\n %s\n %s\n }\n}\n", priority, vip4, vip6)
}

const syncGroup = "vrrp_sync_group G {\n group {\n FOUR\n SIX\n }\n}\n"

// apartFile says the same by two instances, in a sync group when text is one,
// which is how keepalived does it. It drops advertisements that name other
// addresses than its own, so the lists are the same.
func apartFile(text string, priority int) string {
	for name, lines := range map[string]string{"FOUR": "virtual_ipaddress {\n " + vip4 + "\n }", "SIX": "version 3\n virtual_ipaddress {\n " + vip6 + "\n }"} {
		text += fmt.Sprintf("vrrp_instance %s {\n interface eth0\n virtual_router_id 1\n priority %d\n advert_int 1\n %s\n}\n", name, priority, lines)
	}
	return text
}

// families reports whether a node has each address.
func families(ns string) (four, six bool) {
	out, _ := exec.Command("ip", "-n", ns, "addr", "show", "dev", "eth0").CombinedOutput()
	return strings.Contains(string(out), " "+vip4+"/"), strings.Contains(string(out), " "+vip6+"/")
}

func hasFamilies(ns string, want bool) bool {
	four, six := families(ns)
	return four == want && six == want
}

// dualStack makes the link-local addresses of a network ready: keepalived
// cannot send before, and says so.
func dualStack(t *testing.T) network {
	t.Helper()
	p := newNetwork(t)
	eventually(t, "link-local addresses that are ready", func() bool {
		return !strings.Contains(run(t, "ip", "-n", p.a, "addr")+run(t, "ip", "-n", p.b, "addr"), "tentative")
	})
	return p
}

// quiet fails when the node gains an address of either family within d.
func quiet(t *testing.T, what, ns string, d time.Duration) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < d; <-tick.C {
		if four, six := families(ns); four || six {
			t.Fatalf("%s: an address after %v (IPv4 %t, IPv6 %t)", what, time.Since(began), four, six)
		}
	}
}

func TestBothFamiliesMoveTogetherBetweenTwoNodes(t *testing.T) {
	p := dualStack(t)
	better := startNode(t, p.a, loadMixed(t, mixedFile(110)), nil)
	better.until(t, "MASTER", state("MASTER"))
	lesser := startNode(t, p.b, loadMixed(t, mixedFile(100)), nil)
	eventually(t, "both addresses on the better", func() bool { return hasFamilies(p.a, true) && hasFamilies(p.b, false) })
	// IPv6 between them breaks: nothing moves.
	run(t, "ip", "-n", p.client, "link", "set", "br0", "type", "bridge", "mcast_snooping", "0")
	drop6(t, p.a)
	quiet(t, "IPv6 is broken", p.b, 6*time.Second)
	better.stop(t)
	eventually(t, "both addresses on the other", func() bool { return hasFamilies(p.b, true) && hasFamilies(p.a, false) })
	lesser.stop(t)
	if !hasFamilies(p.b, false) {
		t.Error("an address is left")
	}
}

// drop6 drops every IPv6 advertisement a node sends.
func drop6(t *testing.T, ns string) {
	t.Helper()
	cmd := exec.Command("ip", "netns", "exec", ns, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader("table ip6 t {\n chain o {\n type filter hook output priority 0;\n ip6 nexthdr 112 drop\n }\n}\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("needs nft: %s, %v", out, err)
	}
}

// TestBothFamiliesBesideKeepalivedThatIgnoresTheSecond runs one file on both
// sides: keepalived advertises IPv4 alone and never holds the IPv6 address.
func TestBothFamiliesBesideKeepalivedThatIgnoresTheSecond(t *testing.T) {
	p := dualStack(t)
	log, stop := startKeepalivedWith(t, p.b, mixedFile(100))
	eventually(t, "keepalived MASTER", func() bool { four, _ := families(p.b); return four })
	lesser := startNode(t, p.a, loadMixed(t, mixedFile(90)), nil)
	quiet(t, "keepalived is the better", p.a, 8*time.Second)
	lesser.stop(t)
	better := startNode(t, p.a, loadMixed(t, mixedFile(110)), nil)
	better.until(t, "MASTER", state("MASTER"))
	eventually(t, "both addresses on ours", func() bool { return hasFamilies(p.a, true) && hasFamilies(p.b, false) })
	quiet(t, "ours is the better", p.b, 5*time.Second)
	better.stop(t)
	stop()
	said, _ := os.ReadFile(log)
	if n := strings.Count(string(said), "Entering MASTER STATE"); n != 2 {
		t.Errorf("keepalived became master %d times, want at its start and after ours stopped:\n%s", n, said)
	}
}

// TestBothFamiliesBesideKeepalivedWithTwoInstances is the other way to write
// it: two routers in a sync group there, one instance here.
func TestBothFamiliesBesideKeepalivedWithTwoInstances(t *testing.T) {
	p := dualStack(t)
	log, stop := startKeepalivedWith(t, p.b, apartFile(syncGroup, 100))
	eventually(t, "keepalived MASTER of both", func() bool { return hasFamilies(p.b, true) })
	lesser := startNode(t, p.a, loadMixed(t, mixedFile(90)), nil)
	quiet(t, "keepalived is the better", p.a, 8*time.Second)
	if c := lesser.Status()[0].Counters; c.RejectedPkts != 0 {
		t.Errorf("refused: %+v", c)
	}
	lesser.stop(t)
	before, _ := os.ReadFile(log)
	if n := strings.Count(string(before), "Entering MASTER STATE"); n != 2 {
		t.Errorf("two instances became master %d times beside a lesser node:\n%s", n, before)
	}
	better := startNode(t, p.a, loadMixed(t, mixedFile(110)), nil)
	better.until(t, "MASTER", state("MASTER"))
	eventually(t, "both addresses on ours", func() bool { return hasFamilies(p.a, true) && hasFamilies(p.b, false) })
	quiet(t, "ours is the better, in both families", p.b, 8*time.Second)
	better.stop(t)
	eventually(t, "both addresses on keepalived again", func() bool { return hasFamilies(p.b, true) && hasFamilies(p.a, false) })
	stop()
	said, _ := os.ReadFile(log)
	if n := strings.Count(string(said), "Entering MASTER STATE"); n != 4 {
		t.Errorf("two instances became master %d times, want twice each:\n%s", n, said)
	}
}

// TestTwoInstancesOfKeepalivedWithoutAGroupGiveWayToo is where the second
// family has to be heard: keepalived's own IPv6 router would hold the address
// beside ours for ever.
func TestTwoInstancesOfKeepalivedWithoutAGroupGiveWayToo(t *testing.T) {
	p := dualStack(t)
	_, stop := startKeepalivedWith(t, p.b, apartFile("", 100))
	eventually(t, "keepalived MASTER of both", func() bool { return hasFamilies(p.b, true) })
	better := startNode(t, p.a, loadMixed(t, mixedFile(110)), nil)
	better.until(t, "MASTER", state("MASTER"))
	eventually(t, "both addresses on ours", func() bool { return hasFamilies(p.a, true) && hasFamilies(p.b, false) })
	quiet(t, "ours is the better, in both families", p.b, 6*time.Second)
	better.stop(t)
	eventually(t, "both addresses on keepalived again", func() bool { return hasFamilies(p.b, true) && hasFamilies(p.a, false) })
	stop()
}

// loadMixed reads a configuration whose one finding is that it lists both
// families.
func loadMixed(t *testing.T, file string) *settings.Config {
	t.Helper()
	var diags config.Diagnostics
	cfg := directive.Build(block.Parse(text(file), block.Options{Path: "keepalived.conf"}, &diags), directive.Options{HostName: "test"}, &diags)
	if len(diags.List()) != 1 || len(cfg.Instances) != 1 || len(cfg.Instances[0].Second) != 1 {
		t.Fatalf("findings %v, instances %+v", diags.List(), cfg.Instances)
	}
	return cfg
}
