package e2e_test

import (
	"strings"
	"syscall"
	"testing"

	"herald/e2e/lab"
)

// held has what stays in the kernel when nobody is left to take it away: a
// virtual MAC interface, values of the interface below, a route, an address
// without a lifetime.
const held = `vrrp_instance V {
	interface e0
	virtual_router_id 9
	priority 100
	advert_int 0.1
	version 3
	use_vmac vrrp.9
	address_lifetime off
	virtual_ipaddress {
		192.0.2.9
	}
	virtual_routes {
		198.51.100.0/24 dev e0
	}
}
vrrp_instance W {
	interface e0
	virtual_router_id 10
	priority 100
	advert_int 0.1
	version 3
	address_lifetime off
	virtual_ipaddress {
		192.0.2.10
	}
}
`

// TestWhatAKilledDaemonLeftIsTakenAway kills herald with all its processes and
// starts it on a file that wants nothing of what it had.
func TestWhatAKilledDaemonLeftIsTakenAway(t *testing.T) {
	t.Parallel()
	ctx, c := build(t, lab.Setup{}, []lab.Engine{lab.Herald})
	n := c.Controller(0)
	sh := func(line string) string {
		t.Helper()
		out, err := n.Exec("sh", "-c", line)
		if err != nil {
			t.Fatalf("%s: %s, %v", line, out, err)
		}
		return strings.TrimSpace(out)
	}
	sh(`ip link add e0 type veth peer name e1 && ip link set e1 up && ip link set e0 up && ip addr add 192.0.2.1/24 dev e0`)
	look := func() string {
		return sh(`ip -o link show | grep -c vrrp.9; sysctl -n net.ipv4.conf.e0.arp_ignore net.ipv4.conf.e0.arp_filter net.ipv4.conf.e0.arp_announce
			ip route show 198.51.100.0/24 | wc -l; ip -o addr show | grep -c 'inet 192.0.2.\(9\|10\)/'; true`)
	}
	run := func(file string) *lab.Proc {
		t.Helper()
		if err := n.WriteFile("/etc/keepalived/left.conf", file); err != nil {
			t.Fatal(err)
		}
		p, err := n.Start("herald", lab.Program(program), "run", "--keepalived", "/etc/keepalived/left.conf")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const before, with = "0\n0\n0\n0\n0\n0", "1\n1\n1\n2\n1\n2"
	if got := look(); got != before {
		t.Fatalf("before: %q", got)
	}
	becomes := func(what, want string) {
		t.Helper()
		var got string
		if err := c.WaitFor(ctx, what, func() bool { got = look(); return got == want }); err != nil {
			t.Fatalf("%v: it is %q, want %q", err, got, want)
		}
	}
	run(held)
	becomes("everything to be there", with)
	if err := n.Kill9All(); err != nil {
		t.Fatal(err)
	}
	becomes("nobody to take it away", with)
	p := run(strings.NewReplacer("use_vmac vrrp.9", "", "9\n", "19\n", "10\n", "20\n", "198.51.100.0", "198.51.101.0").Replace(held))
	becomes("what the file does not name to be gone", before)
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.Done():
	case <-ctx.Done():
		t.Fatal("herald does not stop")
	}
	if out := sh("ls /run/herald"); strings.Contains(out, "held") {
		t.Errorf("what was held is kept after an orderly end: %s", out)
	}
}
