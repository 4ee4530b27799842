package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
)

// TestMain lets the test binary be a role, and a parent to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "role" {
		os.Exit(role(os.Args[2]))
	}
	if path := os.Getenv("PROCESS_TEST_PARENT"); path != "" {
		os.Exit(parent(path))
	}
	os.Exit(m.Run())
}

// role says who it is, and writes to path when its parent has gone.
func role(path string) int {
	r, err := ipc.Inherit()
	if err != nil {
		return 9
	}
	fds, _ := filepath.Glob("/proc/self/fd/*")
	var open []string
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && !strings.HasPrefix(to, "anon_inode:") && !strings.HasPrefix(to, "/proc/") {
			open = append(open, filepath.Base(fd)+"="+to)
		}
	}
	r.Log(fmt.Sprint(os.Getpid(), " ", strings.Join(open, " ")))
	select {
	case <-r.Done():
		os.WriteFile(path, []byte("gone"), 0o600)
		return 7
	case <-time.After(20 * time.Second):
		return 8
	}
}

// parent starts a role and says its pid when it runs.
func parent(path string) int {
	p, err := Start([]string{"role", path}, os.Environ())
	if err != nil {
		fmt.Println(err)
		return 1
	}
	if _, err := p.Peer().Receive(); err != nil {
		return 1
	}
	fmt.Println(p.Pid())
	p.Wait()
	return 0
}

func TestARoleHasItsSocketAndNothingElse(t *testing.T) {
	extra, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer extra.Close()
	p, err := Start([]string{"role", filepath.Join(t.TempDir(), "x")}, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Peer().Receive()
	if err != nil {
		t.Fatal(err)
	}
	line := string(r.(ipc.LogLine))
	if !strings.HasPrefix(line, strconv.Itoa(p.Pid())+" ") || strings.Contains(line, "/dev/zero") || strings.Count(line, "socket:") > 3 {
		t.Errorf("want pid %d and no descriptor of ours, got %s", p.Pid(), line)
	}
	p.Peer().Close()
	if got := p.Wait(); got != "exit status 7" {
		t.Errorf("want the end of a role that saw its parent go, got %s", got)
	}
}

func TestAKilledRoleIsToldAsKilled(t *testing.T) {
	p, err := Start([]string{"role", filepath.Join(t.TempDir(), "x")}, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if got := p.Wait(); got != "signal: killed" {
		t.Errorf("want killed, got %s", got)
	}
	for {
		if _, err := p.Peer().Receive(); err != nil {
			if err != io.EOF {
				t.Errorf("want io.EOF, got %v", err)
			}
			break
		}
	}
	p.Peer().Close()
}

// TestARoleSeesTheKillOfItsParent kills a parent process as an operator
// would.
func TestARoleSeesTheKillOfItsParent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gone")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PROCESS_TEST_PARENT="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 32)
	n, _ := out.Read(line)
	pid, err := strconv.Atoi(string(bytes.TrimSpace(line[:n])))
	if err != nil {
		t.Fatalf("the parent says %q", line[:n])
	}
	cmd.Process.Kill()
	cmd.Wait()
	for end := time.Now().Add(10 * time.Second); ; <-time.After(5 * time.Millisecond) {
		if raw, _ := os.ReadFile(path); string(raw) == "gone" {
			return
		}
		if time.Now().After(end) {
			p, _ := os.FindProcess(pid)
			p.Kill()
			t.Fatal("the role does not notice")
		}
	}
}

func TestAProcessIsCalledWhatItSaysCutAtWhatTheKernelKeeps(t *testing.T) {
	before, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Rename(string(bytes.TrimSpace(before))) })
	for _, tc := range []struct{ name, want string }{
		{"herald-proxy", "herald-proxy\n"},
		{"herald-with-a-long-name", "herald-with-a-l\n"},
	} {
		if err := Rename(tc.name); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile("/proc/self/comm"); string(got) != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

// A start that fails is told, and leaves no descriptor behind.
func TestARoleThatCannotBeStartedIsTold(t *testing.T) {
	open := func() int { fds, _ := os.ReadDir("/proc/self/fd"); return len(fds) }
	Start([]string{strings.Repeat("x", 1<<18)}, nil) // the runtime's own descriptors
	before := open()
	if p, err := Start([]string{strings.Repeat("x", 1<<18)}, nil); p != nil || !errors.Is(err, unix.E2BIG) || !strings.Contains(err.Error(), self) {
		t.Errorf("arguments too long: got %v, %v, want %v", p, err, unix.E2BIG)
	}
	if after := open(); after != before {
		t.Errorf("%d descriptors are open, before %d", after, before)
	}
	var old unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &old)
	unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max})
	p, err := Start(nil, nil)
	unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
	if p != nil || !errors.Is(err, unix.EMFILE) {
		t.Errorf("no descriptors: got %v, %v, want %v", p, err, unix.EMFILE)
	}
}
