package e2e_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"herald/e2e/lab"
)

// asKeepalived is the path of a link to herald under keepalived's name.
const asKeepalived = "/run/as/keepalived"

// link makes asKeepalived on a node.
func link(t *testing.T, n *lab.Node) {
	t.Helper()
	if out, err := n.Exec("sh", "-c", "mkdir -p /run/as && ln -s "+lab.Program(program)+" "+asKeepalived); err != nil {
		t.Fatalf("%s, %v", out, err)
	}
}

// number reads a pid file on a node.
func number(t *testing.T, n *lab.Node, file string) int {
	t.Helper()
	out, err := n.Exec("cat", file)
	pid, bad := strconv.Atoi(strings.TrimSpace(out))
	if err != nil || bad != nil {
		t.Fatalf("%s: %q, %v", file, out, err)
	}
	return pid
}

// TestUnderKeepalivedsNameItTakesItsCommandLineSignalsAndFiles runs the command
// of a container image on one node and the daemon that forks on another.
func TestUnderKeepalivedsNameItTakesItsCommandLineSignalsAndFiles(t *testing.T) {
	t.Parallel()
	ctx, c := build(t, lab.Setup{Priorities: ranked}, []lab.Engine{lab.Herald, lab.Herald})
	first, second := c.Controller(0), c.Controller(1)
	for i, n := range c.Controllers() {
		link(t, n)
		if err := c.Write(i); err != nil {
			t.Fatal(err)
		}
	}
	// A number of a dead daemon, or of a process that is no daemon, blocks
	// nothing.
	if out, err := first.Exec("sh", "-c", "echo 1 > /run/keepalived.pid"); err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	p, err := first.Start("herald", asKeepalived, "-nld", "-p", "/run/keepalived.pid")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := second.Exec(asKeepalived, "-D"); err != nil {
		t.Fatalf("the daemon that forks: %q, %v", out, err)
	}
	parent := number(t, second, "/run/keepalived.pid")
	if vrrp := number(t, second, "/run/vrrp.pid"); vrrp == parent {
		t.Errorf("both pid files tell %d", vrrp)
	}
	if out, err := second.Exec(asKeepalived, "-D"); err == nil {
		t.Errorf("a second daemon started: %q", out)
	}
	if err := c.WaitFor(ctx, "the first controller to hold both", func() bool {
		return c.Holder(virtual[0]) == 0 && c.Holder(virtual[1]) == 0
	}); err != nil {
		t.Fatal(err)
	}
	dumps(t, c, first, p)

	before := number(t, first, "/run/vrrp.pid")
	p.Signal(syscall.SIGHUP)
	if err := c.WaitFor(ctx, "another VRRP process", func() bool { return number(t, first, "/run/vrrp.pid") != before }); err != nil {
		t.Fatal(err)
	}
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.Done():
	case <-ctx.Done():
		t.Fatal("it does not stop")
	}
	if err := c.WaitFor(ctx, "the second controller to hold the address after the stop", func() bool { return c.Holder(virtual[0]) == 1 }); err != nil {
		t.Error(err)
	}
	if out, err := first.Exec("ls", "/run/keepalived.pid", "/run/vrrp.pid"); err == nil {
		t.Errorf("pid files are left: %s", out)
	}
	if out, err := second.Exec("kill", fmt.Sprint(parent)); err != nil {
		t.Errorf("%s, %v", out, err)
	}
	if err := c.WaitFor(ctx, "the daemon that forked to end", func() bool {
		_, err := second.Exec("ls", "/run/keepalived.pid")
		return err != nil
	}); err != nil {
		t.Error(err)
	}
}

// dumps asks for the files by signals, with the numbers --signum tells.
func dumps(t *testing.T, c *lab.Cluster, n *lab.Node, p *lab.Proc) {
	t.Helper()
	ask := func(name, file string) string {
		t.Helper()
		out, err := n.Exec(asKeepalived, "--signum="+name)
		sig, bad := strconv.Atoi(strings.TrimSpace(out))
		if err != nil || bad != nil {
			t.Fatalf("--signum=%s: %q, %v", name, out, err)
		}
		n.Exec("rm", "-f", file)
		p.Signal(syscall.Signal(sig))
		text := ""
		if err := c.WaitFor(t.Context(), file, func() bool {
			text, err = n.Exec("cat", file)
			return err == nil
		}); err != nil {
			t.Fatal(err)
		}
		if mode, err := n.Exec("stat", "-c", "%a", file); err != nil || mode != "600\n" {
			t.Errorf("%s has mode %s, %v, want 600", file, mode, err)
		}
		return text
	}
	if got := ask("DATA", "/tmp/keepalived.data"); !strings.Contains(got, " VRRP Instance = ") || !strings.Contains(got, "   State = MASTER\n") {
		t.Errorf("data: %s", got)
	}
	if got := ask("STATS_CLEAR", "/tmp/keepalived.stats"); !strings.Contains(got, "  Became master: 1\n") {
		t.Errorf("stats: %s", got)
	}
	if got := ask("STATS", "/tmp/keepalived.stats"); !strings.Contains(got, "  Became master: 0\n") {
		t.Errorf("stats after clearing: %s", got)
	}
	var list []struct {
		Data struct {
			Name  string `json:"iname"`
			State int    `json:"state"`
		}
		Stats map[string]uint64
	}
	if got := ask("JSON", "/tmp/keepalived.json"); json.Unmarshal([]byte(got), &list) != nil || len(list) != 2 || list[0].Data.State != 2 || len(list[0].Stats) != 14 {
		t.Errorf("json: %s", got)
	}
}

// TestTheTestOptionHasKeepalivedsExitCodes compares both on files that are
// fine and files that are not.
func TestTheTestOptionHasKeepalivedsExitCodes(t *testing.T) {
	t.Parallel()
	_, c := build(t, lab.Setup{}, []lab.Engine{lab.Packaged, lab.Packaged})
	n := c.Controller(0)
	link(t, n)
	good := "vrrp_instance A {\n interface eth0\n virtual_router_id 5\n virtual_ipaddress {\n 10.1.1.10\n }\n"
	for name, text := range map[string]string{
		"good":               good + "}\n",
		"unknown keyword":    good + " fooo bar\n}\n",
		"long password":      good + " authentication {\n auth_type PASS\n auth_pass 123456789\n }\n}\n",
		"same router twice":  good + "}\n" + strings.Replace(good, "A", "B", 1) + "}\n",
		"bad priority":       good + " priority 300\n}\n",
		"missing brace":      good,
		"script":             "vrrp_script s {\n script /bin/true\n}\n" + good + "}\n",
		"notify script":      good + " notify /bin/true\n}\n",
		"script with safety": "global_defs {\n enable_script_security\n script_user root\n}\nvrrp_script s {\n script /bin/true\n}\n" + good + " track_script {\n s\n }\n}\n",
		"undefined script":   good + " track_script {\n s\n }\n}\n",
		"state SLAVE":        good + " state SLAVE\n}\n",
		"snmp":               "global_defs {\n enable_snmp_vrrp\n}\n" + good + "}\n",
	} {
		if err := n.WriteFile("/run/t.conf", text); err != nil {
			t.Fatal(err)
		}
		code := func(program string) string {
			out, err := n.Exec("sh", "-c", program+" -t -f /run/t.conf >/run/t.out 2>&1; echo $?")
			if err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			return strings.TrimSpace(out)
		}
		if ours, theirs := code(asKeepalived), code("keepalived"); ours != theirs {
			t.Errorf("%s: exit code %s, keepalived's is %s", name, ours, theirs)
		}
	}
}
