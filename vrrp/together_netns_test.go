package vrrp_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// groupFile is two virtual routers on two networks in one sync group.
func groupFile(priority int) string {
	text := "vrrp_sync_group G {\n group {\n A\n B\n }\n}\n"
	for i, name := range []string{"A", "B"} {
		text += fmt.Sprintf("vrrp_instance %s {\n interface eth%d\n virtual_router_id %d\n priority %d\n virtual_ipaddress {\n 10.1.%d.10\n }\n}\n", name, i, i+1, priority, i+1)
	}
	return text
}

// holdsBoth reports whether a namespace has both addresses or none; ok is
// false between.
func holdsBoth(ns string) (both, none bool) {
	out, _ := exec.Command("ip", "-n", ns, "-4", "addr").CombinedOutput()
	n := strings.Count(string(out), "10.1.1.10/32") + strings.Count(string(out), "10.1.2.10/32")
	return n == 2, n == 0
}

// moves waits until one namespace has both addresses and the other none, and
// returns how long that took. A start and a preemption may be in it.
func moves(t *testing.T, what, to, from string) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		both, _ := holdsBoth(to)
		_, none := holdsBoth(from)
		if both && none {
			return time.Since(began)
		}
		if time.Since(began) > 30*time.Second {
			t.Fatalf("%s: did not happen in 30 s", what)
		}
		<-tick.C
	}
}

func TestASyncGroupMovesAsOneBesideKeepalived(t *testing.T) {
	p := newNetwork(t)
	for i, ns := range []string{p.a, p.b} {
		if i == 0 {
			run(t, "ip", "-n", ns, "link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns", p.b)
		}
		run(t, "ip", "-n", ns, "addr", "add", fmt.Sprintf("10.1.2.%d/24", 20+i), "dev", "eth1")
		run(t, "ip", "-n", ns, "link", "set", "eth1", "up")
	}
	_, stop := startKeepalivedWith(t, p.a, groupFile(110))
	defer stop()
	startNode(t, p.b, load(t, groupFile(100)), nil)
	moves(t, "keepalived, the better one, has both", p.a, p.b)
	run(t, "ip", "-n", p.a, "link", "set", "eth0", "down")
	took := moves(t, "one link of keepalived is down, herald has both", p.b, p.a)
	// keepalived resigns on the network that works, which is enough for us.
	if took > 3*time.Second {
		t.Errorf("herald took the group after %v, want a skew time", took)
	}
	run(t, "ip", "-n", p.a, "link", "set", "eth0", "up")
	moves(t, "the link is back, keepalived preempts both", p.a, p.b)
}
