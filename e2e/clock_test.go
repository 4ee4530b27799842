package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"herald/e2e/lab"
)

// jumpyNow makes time.Now tell a wall clock that goes an hour ahead, back to
// the truth and an hour behind, every two seconds; the monotonic clock stays.
const (
	honestNow = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	jumpyNow  = honestNow + "\tsec += (mono/2e9%3 - 1) * 3600\n"
)

// buildJumpy builds herald with a library whose wall clock jumps: nothing but
// the machine has a clock that can be set, and that is not the test's to set.
func buildJumpy(t *testing.T) string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("needs the go command: %v", err)
	}
	original := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(original)
	if err != nil || strings.Count(string(text), honestNow) != 1 {
		t.Skipf("needs time.Now of Go 1.26 in %s: %v", original, err)
	}
	dir := t.TempDir()
	changed, overlay, binary := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "herald")
	raw, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{changed: []byte(strings.Replace(string(text), honestNow, jumpyNow, 1)), overlay: raw} {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-overlay", overlay, "-o", binary, "herald/cmd/herald")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// TestClockJumpsMoveNothing runs three nodes whose wall clocks jump by an hour
// or two every two seconds: no address moves, no request fails, and a failover
// takes as long as ever.
func TestClockJumpsMoveNothing(t *testing.T) {
	t.Parallel()
	need(t)
	jumpy := buildJumpy(t)
	ctx := t.Context()
	l, err := lab.Up(ctx, lab.Spec{Controllers: 3, Servers: 2, Programs: []string{jumpy}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(); err != nil {
			t.Error(err)
		}
	})
	c := lab.NewCluster(l, lab.Herald, lab.Setup{Priorities: ranked, Services: true})
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	service, err := c.ProbeService(lab.InsideVirtual, lab.HTTPPort)
	if err != nil {
		t.Fatal(err)
	}
	defer service.Stop()
	if err := c.WaitQuiet(ctx, service, 500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	if err := c.WaitFor(ctx, "six jumps", func() bool { return time.Since(at) > 12*time.Second }); err != nil {
		t.Fatal(err)
	}
	if list := c.Changes(at); len(list) > 0 {
		t.Errorf("addresses moved while clocks jumped: %+v", list)
	}
	if !c.Alive(0) || !strings.Contains(said(c.Controller(0)), "master:") {
		t.Errorf("the holder said:\n%s", tail(said(c.Controller(0)), 20))
	}
	hours := map[string]bool{}
	for line := range strings.Lines(c.Controller(0).Proc("herald").Output()) {
		if at, _, found := strings.Cut(line, ":"); found && strings.Contains(at, "T") {
			hours[at] = true
		}
	}
	if len(hours) < 2 {
		t.Errorf("its clock did not jump: lines of the hours %v", hours)
	}
	if err := c.WaitQuiet(ctx, service, time.Second); err != nil {
		t.Error(err)
	}
	o, err := c.Failover(ctx, 0, lab.Kill)
	if err != nil {
		t.Fatal(err)
	}
	if took := o.Taken[lab.InsideVirtual]; took > 6*time.Second {
		t.Errorf("taken over after %v, want 3.6s or a little more", took)
	}
}
