package checks_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The daemon runs the commands of a proxy that is in a chroot and has no
// rights, as HAProxy runs those of one without a chroot.
func TestCommandsCheckServersOfAChrootedProxy(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if _, err := user.Lookup("nobody"); err != nil {
		t.Skip("there is no user nobody")
	}
	dir := home(t, "")
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "herald")
	build := exec.Command("go", "build", "-o", bin, "herald/cmd/herald")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	script := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	commands := map[string]string{
		"good": "/bin/true", "bad": "/bin/false", "missing": "/no/such/command",
		"three":   script("three", `test "$HAPROXY_SERVER_NAME $1 $4 $(id -un)" = "s NOT_USED 81 nobody" && exit 3; exit 9`),
		"killed":  script("killed", `kill -9 $$`),
		"endless": script("endless", `/bin/sleep 30`),
	}
	config := func(name, chroot string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "global\n external-check\n insecure-fork-wanted\n user nobody\n%sdefaults\n mode tcp\n option log-health-checks\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"+
			"frontend f\n bind unix@%s/%s.sock\n", chroot, dir, name)
		for name, command := range commands {
			fmt.Fprintf(&b, "backend %s\n option external-check\n external-check command %s\n external-check path /usr/bin:/bin\n server s 127.0.0.1:81 check inter 1500ms\n", name, command)
		}
		file := filepath.Join(dir, name+".cfg")
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	jail := filepath.Join(dir, "jail")
	if err := os.Mkdir(jail, 0o755); err != nil {
		t.Fatal(err)
	}
	ours := listenTo(t, len(commands), bin, "run", "--run-dir", filepath.Join(dir, "run"), "--haproxy", config("herald", " chroot "+jail+"\n"))
	want := map[string]string{
		"good": "succeeded, reason: External check passed, code: 0", "bad": "failed, reason: External check error, code: 1", "three": "failed, reason: External check error, code: 3",
		"missing": "failed, reason: External check error, code: 255", "killed": "failed, reason: External check error, code: -1", "endless": "failed, reason: External check timeout, code: 0",
	}
	compare := func(who string, got *heard) {
		for name, w := range want {
			if line := got.got(name); !strings.HasPrefix(line, w+",") {
				t.Errorf("%s: %s: got %q, want %q", who, name, line, w)
			}
		}
	}
	compare("herald", ours)
	if _, err := exec.LookPath("haproxy"); err == nil {
		compare("haproxy", listenTo(t, len(commands), "haproxy", "-db", "-f", config("haproxy", "")))
	}
}

// listenTo runs a proxy until its standard error has told of n servers.
func listenTo(t *testing.T, n int, argv ...string) *heard {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := newHeard(n)
	read := make(chan struct{})
	line := regexp.MustCompile(`Health check for server .*`)
	go func() {
		defer close(read)
		for s := bufio.NewScanner(out); s.Scan(); {
			if m := line.FindString(s.Text()); m != "" {
				h.Send([]byte(m))
			}
		}
	}()
	h.wait(15 * time.Second)
	cmd.Process.Signal(syscall.SIGTERM)
	limit := time.AfterFunc(3*time.Second, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	<-read
	limit.Stop()
	cmd.Wait()
	return h
}
