package e2e_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"

	"herald/e2e/lab"
)

// twoNetworks has two servers at one address, each in a network of its own.
const twoNetworks = `global
 stats socket /run/admin.sock level admin
 MORE
defaults
 mode http
 timeout connect 5s
 timeout client 20s
 timeout server 20s
listen web
 bind 127.0.0.1:8080
 option httpchk
 default-server check inter 100ms
 server red 127.0.0.1:8774 namespace red
 server blue 127.0.0.1:8774 namespace blue
`

// TestServersOfOtherNetworkNamespacesAreServed runs one file with HAProxy and
// with `herald run`, whose proxy has no right to enter a namespace: requests and
// health checks reach either server, and one that ends is seen.
func TestServersOfOtherNetworkNamespacesAreServed(t *testing.T) {
	t.Parallel()
	ctx, c := build(t, lab.Setup{Priorities: ranked[:1]}, []lab.Engine{lab.Packaged})
	n := c.Controller(0)
	if out, err := n.Exec("sh", "-c", "for n in red blue; do ip netns add $n && ip -n $n link set lo up; done"); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	for name, tc := range map[string]struct {
		argv []string
		more string
	}{
		"haproxy": {[]string{"haproxy", "-f", "/etc/haproxy/two.cfg", "-db"}, ""},
		"herald":  {[]string{lab.Program(program), "run", "--haproxy", "/etc/haproxy/two.cfg"}, "uid 65534\n gid 65534"},
	} {
		origins := map[string]*lab.Proc{}
		for _, ns := range []string{"red", "blue"} {
			p, err := n.Start("origin-"+ns, "ip", "netns", "exec", ns, "/proc/1/exe", "lab", "origin", "-name", ns)
			if err != nil {
				t.Fatal(err)
			}
			origins[ns] = p
		}
		if err := n.WriteFile("/etc/haproxy/two.cfg", strings.ReplaceAll(twoNetworks, "MORE", tc.more)); err != nil {
			t.Fatal(err)
		}
		p, err := n.Start(name, tc.argv...)
		if err != nil {
			t.Fatal(err)
		}
		serves := func(want ...string) {
			t.Helper()
			if err := c.WaitFor(ctx, fmt.Sprintf("%s to serve from %v", name, want), func() bool {
				var got []string
				for range 4 {
					got = append(got, fetchFrom(n))
				}
				slices.Sort(got)
				return slices.Equal(slices.Compact(got), want)
			}); err != nil {
				t.Fatal(err)
			}
		}
		serves("blue", "red")
		if name == "herald" {
			p.Signal(syscall.SIGHUP) // a successor gets sockets of its own
			if err := c.WaitFor(ctx, "the reload", func() bool { return strings.Contains(p.Output(), "reload done") }); err != nil {
				t.Fatal(err)
			}
			serves("blue", "red")
		}
		origins["red"].Signal(syscall.SIGTERM)
		serves("blue")
		if err := c.WaitFor(ctx, name+" to say that red is down", func() bool {
			return strings.Contains(ask(n, "show servers state web"), " red 127.0.0.1 0 ")
		}); err != nil {
			t.Fatal(err)
		}
		for _, q := range []*lab.Proc{p, origins["blue"]} {
			q.Signal(syscall.SIGTERM)
			select {
			case <-q.Done():
			case <-ctx.Done():
				t.Fatalf("%s or its server does not stop", name)
			}
		}
	}
}

// fetchFrom is what the proxy on the node answers, or the error.
func fetchFrom(n *lab.Node) string {
	resp, err := n.HTTP(false).Get("http://127.0.0.1:8080/")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return strings.TrimSpace(string(b))
}

// ask is the answer of the runtime API on the node.
func ask(n *lab.Node, command string) string {
	conn, err := n.DialUnix("/run/admin.sock")
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	io.WriteString(conn, command+"\n")
	b, _ := io.ReadAll(conn)
	return string(b)
}
