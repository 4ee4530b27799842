package e2e_test

import (
	"strings"
	"syscall"
	"testing"

	"herald/e2e/lab"
)

const inRed = `net_namespace red
global_defs {
	script_user root
}
vrrp_instance A {
	interface e0
	virtual_router_id 7
	priority 150
	advert_int 0.1
	version 3
	virtual_ipaddress {
		192.0.2.9
	}
	notify "/bin/sh -c 'readlink /proc/self/ns/net >> /run/told'"
}
`

// TestANetworkNamespaceIsFollowedAsKeepalivedDoes runs one file with keepalived
// and with `herald run`: addresses and scripts are in the namespace, and go.
func TestANetworkNamespaceIsFollowedAsKeepalivedDoes(t *testing.T) {
	t.Parallel()
	ctx, c := build(t, lab.Setup{Priorities: ranked[:1]}, []lab.Engine{lab.Packaged})
	n := c.Controller(0)
	sh := func(line string) string {
		t.Helper()
		out, err := n.Exec("sh", "-c", line)
		if err != nil {
			t.Fatalf("%s: %s, %v", line, out, err)
		}
		return strings.TrimSpace(out)
	}
	sh(`ip netns add red && ip -n red link add e0 type veth peer name e1 && ip -n red link set e1 up &&
		ip -n red link set e0 up && ip -n red addr add 192.0.2.1/24 dev e0`)
	red := sh("ip netns exec red readlink /proc/self/ns/net")
	if err := n.WriteFile("/etc/keepalived/keepalived.conf", inRed); err != nil {
		t.Fatal(err)
	}
	held := func() bool { return strings.Contains(sh("ip -n red addr show e0"), "192.0.2.9/32") }
	for name, argv := range map[string][]string{
		"keepalived": {"keepalived", "-n", "-l"},
		"herald":     {lab.Program(program), "run", "--keepalived", "/etc/keepalived/keepalived.conf"},
	} {
		sh("rm -f /run/told")
		p, err := n.Start(name, argv...)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.WaitFor(ctx, name+" to hold the address", held); err != nil {
			t.Fatal(err)
		}
		if err := c.WaitFor(ctx, name+" to run a script", func() bool { return sh("touch /run/told; cat /run/told") != "" }); err != nil {
			t.Fatal(err)
		}
		if out := sh("ip addr"); strings.Contains(out, "192.0.2.9") {
			t.Errorf("%s: the address is outside the namespace:\n%s", name, out)
		}
		p.Signal(syscall.SIGTERM)
		select {
		case <-p.Done():
		case <-ctx.Done():
			t.Fatalf("%s does not stop", name)
		}
		if held() {
			t.Errorf("%s leaves the address", name)
		}
		if out := strings.Fields(sh("sort -u /run/told")); len(out) != 1 || out[0] != red {
			t.Errorf("%s: scripts ran in %q, want %q", name, out, red)
		}
	}
}
