package script

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"herald/cmd/herald/internal/ipc"
)

func prepare(t *testing.T, s ipc.Script) *Command {
	t.Helper()
	if os.Geteuid() != 0 {
		s.User = strconv.Itoa(os.Geteuid())
	}
	c, err := Prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheExitStatusIsTheAnswer(t *testing.T) {
	for argument, want := range map[string]int{"exit 0": 0, "exit 7": 7} {
		r := prepare(t, ipc.Script{Argv: []string{"sh", "-c", argument}, Timeout: 5 * time.Second}).Run(context.Background())
		if r.Exit != want || r.OK() != (want == 0) || r.TimedOut || r.Signal != "" || r.Error != "" {
			t.Errorf("%s: got %+v", argument, r)
		}
	}
	r := prepare(t, ipc.Script{Argv: []string{"sh", "-c", "kill -KILL $$"}}).Run(context.Background())
	if r.OK() || r.Signal != "killed" {
		t.Errorf("want a script ended by a signal, got %+v", r)
	}
}

func TestAScriptPastItsTimeIsTerminatedWithItsChildren(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	os.Chmod(filepath.Dir(pidFile), 0o777)
	c := prepare(t, ipc.Script{Argv: []string{"sh", "-c", "sleep 60 & echo $! >" + pidFile + "; wait"}, Timeout: 300 * time.Millisecond})
	r := c.Run(context.Background())
	if !r.TimedOut || r.OK() || r.Took > grace {
		t.Errorf("want the time to end it at once, got %+v", r)
	}
	raw, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	child, _ := strconv.Atoi(strings.TrimSpace(string(raw)))
	// The signal was sent; the kernel ends the child when it next runs.
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(5 * time.Second); ; <-tick.C {
		state := processState(child)
		if state == "" || state == "Z" {
			return
		}
		if time.Now().After(end) {
			syscall.Kill(child, syscall.SIGKILL)
			t.Fatalf("the script's child %d lives on (state %s)", child, state)
		}
	}
}

// processState is the state letter of a process, empty when there is none.
func processState(pid int) string {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	return rest[:1]
}

func TestAScriptThatIgnoresSIGTERMIsKilled(t *testing.T) {
	c := prepare(t, ipc.Script{Argv: []string{"sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"}, Timeout: 200 * time.Millisecond})
	r := c.Run(context.Background())
	if r.Signal != "killed" || !r.TimedOut || r.Took < grace {
		t.Errorf("want SIGKILL after %v, got %+v", grace, r)
	}
}

func TestTheEndOfTheParentEndsAScript(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := prepare(t, ipc.Script{Argv: []string{"sleep", "60"}}).Run(ctx)
	if r.OK() || r.Signal != "terminated" {
		t.Errorf("want SIGTERM, got %+v", r)
	}
}

func TestAScriptRunsAsItsUserAndGroups(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	out := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(out, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	os.Chmod(out, 0o666)
	openPath(t, out)
	c := prepare(t, ipc.Script{Argv: []string{"sh", "-c", "echo $(id -u) $(id -g) $(id -G) $PATH >" + out}, User: "daemon", Group: "nogroup", Timeout: 5 * time.Second})
	if r := c.Run(context.Background()); !r.OK() {
		t.Fatalf("got %+v", r)
	}
	got, _ := os.ReadFile(out)
	if !strings.HasPrefix(string(got), "1 65534 65534 1 ") && !strings.HasPrefix(string(got), "1 65534 1 65534 ") {
		t.Errorf("want user 1, group 65534 and the groups of both, got %q", got)
	}
	if !strings.Contains(string(got), searchPath) {
		t.Errorf("want the fixed PATH, got %q", got)
	}
}

// openPath lets every user through the test's directories.
func openPath(t *testing.T, path string) {
	t.Helper()
	for dir := filepath.Dir(path); strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755)
	}
}

func TestWhatMustNotRunIsRefusedWithTheReason(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	script := filepath.Join(dir, "script")
	os.WriteFile(plain, nil, 0o644)
	os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755)
	me := strconv.Itoa(os.Geteuid())
	for _, c := range []struct {
		s    ipc.Script
		want string
	}{
		{ipc.Script{}, "no command"},
		{ipc.Script{Argv: []string{"/no/such"}, User: me}, "/no/such is not found"},
		{ipc.Script{Argv: []string{"no-such-command-x"}, User: me}, "is not found"},
		{ipc.Script{Argv: []string{"bin/true"}, User: me}, "not absolute"},
		{ipc.Script{Argv: []string{plain}, User: me}, "not executable"},
		{ipc.Script{Argv: []string{"/tmp"}, User: me}, "not a regular file"},
		{ipc.Script{Argv: []string{"true"}, User: "no-such-user"}, "user no-such-user does not exist"},
		{ipc.Script{Argv: []string{"true"}, User: me, Group: "no-such-group"}, "group no-such-group does not exist"},
		{ipc.Script{Argv: []string{script}, User: "root"}, "it would run as root"},
	} {
		if _, err := Prepare(c.s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v as %q: want %q, got %v", c.s.Argv, c.s.User, c.want, err)
		}
	}
}
