// Package e2e_test runs the real binary in the laboratory: three controllers
// and a client in network namespaces, on the published files, beside the
// distribution's keepalived and HAProxy.
package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/e2e/lab"
)

// program is the command under test, built once.
var program string

var given = flag.String("herald", "", "test this binary instead of building one")

func TestMain(m *testing.M) {
	lab.Reexec()
	flag.Parse()
	// Tests wait much more than they compute.
	if f := flag.Lookup("test.parallel"); f != nil && f.Value.String() == f.DefValue {
		flag.Set("test.parallel", "4")
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if *given != "" {
		program = *given
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "herald-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "herald")
	build := exec.Command("go", append(append([]string{"build"}, raceFlags...), "-o", program, "herald/cmd/herald")...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if len(raceFlags) > 0 { // the detector is written in C
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build herald: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// need skips a test where it cannot run, and says why.
func need(t *testing.T, engines ...lab.Engine) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for namespaces")
	}
	if slices.Contains(engines, lab.Packaged) {
		for _, p := range []string{"keepalived", "haproxy", "killall"} {
			if _, err := exec.LookPath(p); err != nil {
				t.Skipf("needs %s", p)
			}
		}
	}
}

// all is an engine on every controller.
func all(e lab.Engine) []lab.Engine { return []lab.Engine{e, e, e} }

// ranked are the priorities the operator recommends: one for each node.
var ranked = []int{102, 101, 100}

// build makes a lab with a cluster in it and does not start its programs.
func build(t *testing.T, s lab.Setup, engines []lab.Engine) (context.Context, *lab.Cluster) {
	t.Helper()
	need(t, engines...)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	t.Cleanup(cancel)
	spec := lab.Spec{Controllers: len(engines), Programs: []string{program}}
	if s.Services {
		spec.Servers = 2
	}
	l, err := lab.Up(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(); err != nil {
			t.Error(err)
		}
	})
	c := lab.NewCluster(l, engines[0], s)
	c.Engines = engines
	t.Cleanup(func() {
		if t.Failed() {
			tell(t, c)
		}
	})
	return ctx, c
}

// start is build, then every program started and the addresses settled.
func start(t *testing.T, s lab.Setup, engines []lab.Engine) (context.Context, *lab.Cluster) {
	t.Helper()
	ctx, c := build(t, s, engines)
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx, c
}

// tell prints what the controllers said, for a test that failed.
func tell(t *testing.T, c *lab.Cluster) {
	for _, n := range c.Controllers() {
		for _, name := range []string{"herald", "keepalived", "haproxy"} {
			if p := n.Proc(name); p != nil {
				t.Logf("%s: %s, running %v, printed:\n%s", n.Name(), name, p.Running(), tail(p.Output(), 40))
			}
		}
		var lines []string
		for _, l := range n.Log() {
			if !strings.Contains(l.Text, "compute-api") {
				lines = append(lines, l.At.Format("15:04:05.000 ")+l.Text)
			}
		}
		t.Logf("%s: /dev/log:\n%s", n.Name(), tail(strings.Join(lines, "\n"), 40))
	}
	for _, ch := range c.Changes(time.Time{}.Add(1)) {
		t.Logf("%s %s %s added=%v", ch.At.Format("15:04:05.000"), ch.Node, ch.Addr, ch.Added)
	}
}

func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// said is everything herald said on a node, printed or logged.
func said(n *lab.Node) string {
	text := ""
	if p := n.Proc("herald"); p != nil {
		text = p.Output()
	}
	for _, l := range n.Log() {
		text += l.Text + "\n"
	}
	return text
}

// herald runs a subcommand of herald on a node.
func herald(n *lab.Node, args ...string) (string, error) {
	return n.Exec(append([]string{lab.Program(program)}, args...)...)
}
