package lab

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Reexec()
	os.Exit(m.Run())
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func up(t *testing.T, s Spec) *Lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for namespaces")
	}
	t.Parallel()
	l, err := Up(within(t, 20*time.Second), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(); err != nil {
			t.Error(err)
		}
		if pids := leftovers(l.name); len(pids) > 0 {
			t.Errorf("first processes left after Down: %v", pids)
		}
	})
	return l
}

func TestControllersHaveThePublishedInterfaces(t *testing.T) {
	l := up(t, Spec{})
	for i, want := range [][2]string{{"10.1.1.20/24", "192.168.243.11/24"}, {"10.1.1.21/24", "192.168.243.12/24"}, {"10.1.1.22/24", "192.168.243.13/24"}} {
		for k, iface := range []string{"eth0", "eth1"} {
			got, err := l.Controller(i).Addrs(iface)
			if err != nil || !slices.Equal(got, []string{want[k]}) {
				t.Errorf("controller %d %s: got %v, %v, want %s", i, iface, got, err, want[k])
			}
		}
	}
	out, err := l.Controller(0).Exec("ip", "-4", "-o", "addr", "show", "dev", "eth1")
	if want := "3: eth1    inet 192.168.243.11/24 brd 192.168.243.255 scope global eth1"; err != nil || !strings.HasPrefix(out, want) {
		t.Errorf("got %q, %v, want it to begin %q", out, err, want)
	}
}

func TestANodeHasItsOwnFilesProcessesAndLog(t *testing.T) {
	l := up(t, Spec{Controllers: 2})
	a, b := l.Controller(0), l.Controller(1)
	for _, file := range []string{"/etc/lab.mine", "/run/lab.mine", "/tmp/lab.mine"} {
		if err := a.WriteFile(file, "a"); err != nil {
			t.Fatal(err)
		}
		if out, err := a.Exec("cat", file); err != nil || out != "a" {
			t.Errorf("%s on its node: %q, %v", file, out, err)
		}
		if _, err := b.ReadFile(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is seen on the other node: %v", file, err)
		}
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is seen on the machine: %v", file, err)
		}
	}
	if err := a.WriteFile("/usr/lab.mine", "a"); err == nil {
		t.Error("a file of the machine's own was written")
	}
	p, err := a.Start("sleeper", "sleep", "1000")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Exec("pidof", "sleep"); err != nil {
		t.Errorf("a process is not seen on its node: %v", err)
	}
	if _, err := b.Exec("pidof", "sleep"); err == nil {
		t.Error("a process is seen on the other node")
	}
	if out, err := a.Exec("hostname"); err != nil || out != "controller-0\n" {
		t.Errorf("host name %q, %v", out, err)
	}
	if err := a.Kill9All(); err != nil || p.Running() {
		t.Errorf("kill all: %v, running %v", err, p.Running())
	}
	if _, err := a.Exec("logger", "-s", "a line of", "controller-0"); err != nil {
		t.Fatal(err)
	}
	ctx := within(t, 5*time.Second)
	if err := l.WaitFor(ctx, "the log line", func() bool { return len(a.Grep("a line of controller-0")) == 1 }); err != nil {
		t.Error(err)
	}
	if lines := b.Log(); len(lines) > 0 {
		t.Errorf("the other node has log lines: %v", lines)
	}
}

func TestProgramsAreSeenAlthoughTmpIsCovered(t *testing.T) {
	program := filepath.Join(t.TempDir(), "hello")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho hello\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	l := up(t, Spec{Controllers: 1, Programs: []string{program}})
	if out, err := l.Controller(0).Exec(Program(program)); err != nil || out != "hello\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

// gapAfter probes the own address of controller 0 while f happens, and once
// more after heal.
func gapAfter(t *testing.T, l *Lab, fail, heal func() error) Report {
	t.Helper()
	ctx := within(t, 15*time.Second)
	p, err := l.Probe(InsideAddr(0))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if err := errors.Join(l.WaitQuiet(ctx, p, 50*time.Millisecond), fail()); err != nil {
		t.Fatal(err)
	}
	if err := l.WaitFor(ctx, "lost probes", func() bool { return p.Now().Lost > 20 }); err != nil {
		t.Error(err)
	}
	if err := errors.Join(heal(), l.WaitQuiet(ctx, p, 50*time.Millisecond)); err != nil {
		t.Error(err)
	}
	return p.Stop()
}

func TestACutLosesPacketsWhileTheCarrierStays(t *testing.T) {
	l := up(t, Spec{Controllers: 1})
	n := l.Controller(0)
	carrier := func() string {
		out, err := n.Exec("cat", "/sys/class/net/eth0/carrier")
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	r := gapAfter(t, l, func() error { return n.Cut("eth0") }, func() error {
		if c := carrier(); c != "1" {
			t.Errorf("carrier %s while cut, want 1", c)
		}
		return n.Heal()
	})
	if r.Gap < 20*time.Millisecond || len(r.Outages) == 0 {
		t.Errorf("no gap was measured: %+v", r)
	}
	gapAfter(t, l, func() error { return n.Unplug("eth0") }, func() error {
		if c := carrier(); c != "0" {
			t.Errorf("carrier %s while unplugged, want 0", c)
		}
		return n.Heal()
	})
	gapAfter(t, l, func() error { return n.LinkDown("eth0") }, n.Heal)
}

func TestHoldersFollowTheKernel(t *testing.T) {
	l := up(t, Spec{Controllers: 2})
	ctx := within(t, 10*time.Second)
	start := time.Now()
	for i, want := range [][]string{{"controller-0"}, {"controller-0", "controller-1"}} {
		if _, err := l.Controller(i).Exec("ip", "addr", "add", InsideVirtual+"/32", "dev", "eth0"); err != nil {
			t.Fatal(err)
		}
		if err := l.WaitFor(ctx, "the address", func() bool { return slices.Equal(l.Holders(InsideVirtual), want) }); err != nil {
			t.Errorf("%v, holders %v", err, l.Holders(InsideVirtual))
		}
	}
	owners, err := l.Owners(InsideVirtual, 200*time.Millisecond)
	if err != nil || len(owners) != 2 {
		t.Errorf("%v answer for the address, %v, want both controllers", owners, err)
	}
	mac, err := l.Controller(1).MAC("eth0")
	if err != nil || !slices.ContainsFunc(owners, func(m net.HardwareAddr) bool { return bytes.Equal(m, mac) }) {
		t.Errorf("controller-1 (%v, %v) is not among %v", mac, err, owners)
	}
	if _, err := l.Controller(0).Exec("ip", "addr", "del", InsideVirtual+"/32", "dev", "eth0"); err != nil {
		t.Fatal(err)
	}
	if err := l.WaitFor(ctx, "one holder", func() bool { return len(l.Holders(InsideVirtual)) == 1 }); err != nil {
		t.Error(err)
	}
	if over := l.Overlap(InsideVirtual, start); over < 200*time.Millisecond {
		t.Errorf("overlap %v, want at least the 200ms of the question", over)
	}
	if n := len(l.Changes(start)); n != 3 {
		t.Errorf("%d changes, want 3: %v", n, l.Changes(start))
	}
}

func TestTheTapSeesWhatAControllerSends(t *testing.T) {
	l := up(t, Spec{Controllers: 2})
	w, err := l.Tap()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	start := time.Now()
	err = l.Controller(1).InNetwork(func() error {
		c, err := net.Dial("ip4:112", ClientInside)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte{0x21, 7, 100, 1, 0, 1, 0, 0})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := within(t, 5*time.Second)
	if err := l.WaitFor(ctx, "the packet", func() bool { return len(w.Adverts(start)) > 0 }); err != nil {
		t.Fatal(err)
	}
	if a := w.Adverts(start)[0]; a.Source != InsideAddr(1) || a.VRID != 7 || a.Priority != 100 || a.Iface != "eth0" || len(a.Packet) != 28 {
		t.Errorf("got %+v", a)
	}
}

func TestOriginsAnswerOverBothServices(t *testing.T) {
	l := up(t, Spec{Controllers: 1, Servers: 2})
	ctx := within(t, 10*time.Second)
	for i := range l.Servers() {
		if _, err := l.StartOrigin(i); err != nil {
			t.Fatal(err)
		}
		if err := l.WaitBehind(ctx, ServerAddr(i), l.Server(i).name); err != nil {
			t.Error(err)
		}
	}
	p, err := l.ProbeService(ServerAddr(1), HTTPPort)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if err := l.WaitQuiet(ctx, p, 200*time.Millisecond); err != nil {
		t.Error(err)
	}
	if err := l.Server(1).Kill9All(); err != nil {
		t.Fatal(err)
	}
	if err := l.WaitFor(ctx, "failed requests", func() bool { return p.Now().Lost > 3 }); err != nil {
		t.Error(err)
	}
	if r := p.Stop(); r.Refused == 0 {
		t.Errorf("no connection to a killed server was refused: %+v", r)
	}
	load := l.Load(4, "http://"+ServerAddr(0)+":8774/")
	if err := l.WaitFor(ctx, "requests", func() bool { return load.OK.Load() > 50 }); err != nil {
		t.Error(err)
	}
	if err := load.Stop(); err != nil {
		t.Errorf("load on a good server: %v", err)
	}
}

func TestALabDoesNotSurviveItsBuilder(t *testing.T) {
	if os.Getenv("LAB_TEST_CRASH") != "" {
		if _, err := Up(t.Context(), Spec{Name: os.Getenv("LAB_TEST_CRASH"), Controllers: 1}); err != nil {
			t.Fatal(err)
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	l := up(t, Spec{Controllers: 1}) // for its event waits
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := l.name + ".crash"
	cmd := exec.Command(exe, "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "LAB_TEST_CRASH="+name)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the builder ended with %v, want a kill: %s", err, out)
	}
	ctx := within(t, 5*time.Second)
	if err := l.WaitFor(ctx, "the crashed lab to vanish", func() bool { return len(leftovers(name)) == 0 }); err != nil {
		t.Errorf("%v: %v", err, leftovers(name))
	}
}
