package e2e_test

import (
	"strings"
	"syscall"
	"testing"

	"herald/e2e/lab"
)

// trackedConf tracks a process by its name and by its command line. The name
// is in no path, so that a process of another test is never taken for it.
const trackedConf = `
vrrp_track_process name { process heralde2etrack weight 20 }
vrrp_track_process line { process /run/heralde2etrack 86399 weight 5 }
vrrp_instance A {
    interface eth0
    virtual_router_id 61
    priority 100
    virtual_ipaddress { 10.1.1.61/24 }
    track_process { name line }
}
`

// TestAProcessMovesThePriorityInANamespace starts and kills a process where
// the kernel's process connector does not answer, and keepalived is blind.
func TestAProcessMovesThePriorityInANamespace(t *testing.T) {
	t.Parallel()
	ctx, c := build(t, lab.Setup{}, []lab.Engine{lab.Herald})
	n := c.Controller(0)
	if err := n.WriteFile("/etc/keepalived/tracked.conf", trackedConf); err != nil {
		t.Fatal(err)
	}
	if out, err := n.Exec("sh", "-c", `cp "$(command -v sleep)" /run/heralde2etrack`); err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	p, err := n.Start("herald", lab.Program(program), "run", "--keepalived", "/etc/keepalived/tracked.conf")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WaitFor(ctx, "herald to begin", func() bool { return strings.Contains(p.Output(), "role vrrp (pid") }); err != nil {
		t.Fatal(err)
	}
	becomes := func(priority uint8) {
		t.Helper()
		if err := c.WaitFor(ctx, "another priority", func() bool {
			return instances(t, n)["A"].Priority == priority
		}); err != nil {
			t.Fatal(err)
		}
	}
	becomes(100)
	first, err := n.Start("first", "/run/heralde2etrack", "86399")
	if err != nil {
		t.Fatal(err)
	}
	becomes(125)
	second, err := n.Start("second", "/run/heralde2etrack", "86398")
	if err != nil {
		t.Fatal(err)
	}
	first.Signal(syscall.SIGKILL)
	becomes(120)
	second.Signal(syscall.SIGTERM)
	becomes(100)
}
