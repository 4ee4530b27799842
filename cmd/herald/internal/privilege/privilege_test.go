package privilege

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestMain lets the test binary be the process that gives up its privileges;
// they do not come back, so no test can do it itself.
func TestMain(m *testing.M) {
	if bounds := os.Getenv("PRIVILEGE_TEST_BOUNDS"); bounds != "" {
		os.Exit(tryEverything(bounds))
	}
	if role := os.Getenv("PRIVILEGE_TEST_ROLE"); role != "" {
		os.Exit(giveUp(role))
	}
	os.Exit(m.Run())
}

// giveUp drops, says so, tries what must fail now, and waits for the end of
// its standard input.
func giveUp(role string) int {
	var ready sync.WaitGroup
	hold := make(chan struct{})
	for range 4 { // threads there before the change
		ready.Add(1)
		go func() {
			runtime.LockOSThread()
			ready.Done()
			<-hold
		}()
	}
	ready.Wait()
	var note string
	var err error
	if role == "proxy" {
		note, err = Proxy(Identity{UID: 65534, GID: 65534, Chroot: os.Getenv("PRIVILEGE_TEST_ROOT"), Files: 5000})
	} else {
		note, err = VRRP()
	}
	for range 4 { // and threads made after it
		ready.Add(1)
		go func() {
			runtime.LockOSThread()
			ready.Done()
			<-hold
		}()
	}
	ready.Wait()
	_, statErr := os.Stat("/etc/passwd")
	fmt.Printf("note=%q err=%v passwd=%t back=%v\n", note, err, statErr == nil, syscall.Setuid(0))
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// dropped starts a process that gave up its privileges as role and returns its
// id and what it said.
func dropped(t *testing.T, role, root string) (pid int, said string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: privileges can only be given up by who has them")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PRIVILEGE_TEST_ROLE="+role, "PRIVILEGE_TEST_ROOT="+root)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	said, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the process said %q: %v", said, err)
	}
	if strings.Contains(said, "cgo") || strings.Contains(said, "race detector") {
		t.Skip("needs a build without cgo: ", said)
	}
	return cmd.Process.Pid, said
}

// everyThread checks /proc/PID/task/*/status for lines of the form "Name:
// value", white space apart.
func everyThread(t *testing.T, pid int, want map[string]string) {
	t.Helper()
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if len(files) < 8 {
		t.Fatalf("want at least 8 threads, got %d", len(files))
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		for line := range strings.Lines(string(raw)) {
			name, value, _ := strings.Cut(line, ":")
			if w, ok := want[name]; ok && strings.Join(strings.Fields(value), " ") != w {
				t.Errorf("%s: want %s %q, got %q", f, name, w, strings.TrimSpace(value))
			}
		}
	}
}

const none = "0000000000000000"

func TestAProxyKeepsNothingOnAnyThread(t *testing.T) {
	root := t.TempDir()
	pid, said := dropped(t, "proxy", root)
	if !strings.Contains(said, "err=<nil>") || !strings.Contains(said, "passwd=false") || strings.Contains(said, "back=<nil>") {
		t.Errorf("want a chrooted process that cannot become root again, got %s", said)
	}
	everyThread(t, pid, map[string]string{
		"Uid": "65534 65534 65534 65534", "Gid": "65534 65534 65534 65534", "Groups": "",
		"CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none, "NoNewPrivs": "1",
	})
	if got, _ := os.Readlink(fmt.Sprintf("/proc/%d/root", pid)); got != root {
		t.Errorf("root directory: want %s, got %s", root, got)
	}
	if got, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); got != root {
		t.Errorf("working directory: want %s, got %s", root, got)
	}
}

func TestAVRRPRoleKeepsTwoCapabilitiesOnEveryThread(t *testing.T) {
	pid, said := dropped(t, "vrrp", "")
	if !strings.Contains(said, "err=<nil>") || strings.Contains(said, "back=<nil>") {
		t.Errorf("want a process that cannot become root again, got %s", said)
	}
	uid, gid := account()
	net := fmt.Sprintf("%016x", uint64(netCapabilities))
	everyThread(t, pid, map[string]string{
		"Uid": fmt.Sprintf("%[1]d %[1]d %[1]d %[1]d", uid), "Gid": fmt.Sprintf("%[1]d %[1]d %[1]d %[1]d", gid), "Groups": "",
		"CapInh": none, "CapPrm": net, "CapEff": net, "CapBnd": none, "CapAmb": none, "NoNewPrivs": "1",
	})
	if strings.Contains(said, "SCHED_RR") {
		t.Log("no real-time scheduling here: ", said)
		return
	}
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, f := range files {
		raw, _ := os.ReadFile(f)
		_, rest, _ := strings.Cut(string(raw), ") ")
		// proc(5): rt_priority is field 40 and policy 41; state, the first of
		// rest, is field 3.
		if fields := strings.Fields(rest); len(fields) > 38 && (fields[37] != "1" || fields[38] != "2") {
			t.Errorf("%s: want real-time priority 1 and policy 2 (SCHED_RR), got %s and %s", f, fields[37], fields[38])
		}
	}
}

func TestAVRRPRoleHasItsMemoryLocked(t *testing.T) {
	pid, said := dropped(t, "vrrp", "")
	if strings.Contains(said, "memory is not locked") {
		t.Skip("the system does not allow it: ", said)
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, "VmLck:"); ok && strings.Fields(value)[0] == "0" {
			t.Error("no memory is locked")
		}
	}
}

func TestAChrootThatIsNotThereIsNamed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if kept != "" {
		t.Skip(kept)
	}
	if _, err := Proxy(Identity{UID: -1, GID: -1, Chroot: "/no/such/root"}); err == nil || !strings.Contains(err.Error(), "/no/such/root") {
		t.Errorf("want the directory named, got %v", err)
	}
}
