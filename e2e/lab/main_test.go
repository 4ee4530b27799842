package lab

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func needPackaged(t *testing.T) {
	t.Helper()
	for _, p := range []string{"keepalived", "haproxy", "killall"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs %s", p)
		}
	}
}

func TestWrongUsageIsToldWithExitCodeTwo(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{"fly", `unknown command "fly"`},
		{"up --engine pacemaker", `unknown engine "pacemaker"`},
		{"up --priorities 1,x", `priority "x"`},
		{"up --priorities 300", `priority "300"`},
		{"up --nonsense", "nonsense"},
	} {
		var out, errs bytes.Buffer
		if code := Main(t.Context(), strings.Fields(row.args), "/nowhere/herald", &out, &errs); code != 2 || !strings.Contains(errs.String(), row.want) {
			t.Errorf("lab %s: code %d, %q, want 2 and %q", row.args, code, errs.String(), row.want)
		}
	}
}

func TestHelpNamesEveryFailure(t *testing.T) {
	var out bytes.Buffer
	if code := Main(t.Context(), nil, "herald", &out, &out); code != 0 {
		t.Errorf("code %d", code)
	}
	for _, f := range Failures {
		if !strings.Contains(out.String(), string(f)) {
			t.Errorf("no %q in\n%s", f, out.String())
		}
	}
}

func TestALabThatIsNotUpIsNamed(t *testing.T) {
	var out, errs bytes.Buffer
	if code := Main(t.Context(), []string{"status", "--name", "nosuch"}, "herald", &out, &errs); code != 1 || !strings.Contains(errs.String(), `no lab "nosuch"`) {
		t.Errorf("code %d, %q", code, errs.String())
	}
}

// TestAPackagedClusterLivesThroughTheCommands runs the whole command on the
// distribution's programs: what the comparison rests on.
func TestAPackagedClusterLivesThroughTheCommands(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for namespaces")
	}
	needPackaged(t)
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := "cli." + strings.ToLower(strings.TrimPrefix(t.Name(), "Test"))[:8]
	lab := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		args = slices.Insert(args, 1, "--name", name)
		if code := Main(t.Context(), args, exe, &out, &out); code != want {
			t.Fatalf("lab %v: code %d, want %d:\n%s", args, code, want, out.String())
		}
		return out.String()
	}
	defer Remove(name)
	lab(0, "up", "--engine", string(Packaged), "--priorities", "102,101,100")
	if out := lab(1, "up"); !strings.Contains(out, "is up already") {
		t.Errorf("a second lab of one name: %s", out)
	}
	c, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer c.ledger.stop()
	ctx := within(t, 40*time.Second)
	if err := c.WaitFor(ctx, "the first controller to hold both", func() bool {
		return c.Holder(InsideVirtual) == 0 && c.Holder(OutsideVirtual) == 0
	}); err != nil {
		t.Fatal(err)
	}
	if out := lab(0, "status"); !strings.Contains(out, "controller-0 eth0 keepalived+haproxy 10.1.1.20/24 10.1.1.10/32") {
		t.Errorf("status:\n%s", out)
	}
	if out := lab(0, "exec", "controller-1", "hostname"); out != "controller-1\n" {
		t.Errorf("exec: %q", out)
	}
	lab(2, "exec", "nowhere", "true")
	lab(2, "fail", "client", "kill")
	lab(2, "fail", "controller-0", "gently")
	status, _, err := c.Get(ctx, "http://"+OutsideAddr(0)+"/stats", "", "")
	if err != nil || status != http.StatusUnauthorized {
		t.Errorf("statistics without a password: %d, %v, want 401", status, err)
	}
	lab(0, "fail", "controller-0", "reboot")
	if err := c.WaitFor(ctx, "another holder", func() bool { return c.Holder(InsideVirtual) == 1 }); err != nil {
		t.Error(err)
	}
	lab(0, "heal", "controller-0")
	if err := c.WaitFor(ctx, "the first to come back", func() bool { return c.Holder(InsideVirtual) == 0 }); err != nil {
		t.Error(err)
	}
	lab(0, "down")
	if pids := leftovers(name); len(pids) > 0 {
		t.Errorf("left after down: %v", pids)
	}
	if _, err := os.Stat(stateFile(name)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("state file after down: %v", err)
	}
}
