package privilege

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
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
	if caps := os.Getenv("PRIVILEGE_TEST_CAPS"); caps != "" { // a container gave it no more
		mask, err := strconv.ParseUint(caps, 16, 64)
		if err == nil {
			err = keepCapabilities(mask)
		}
		if err != nil {
			fmt.Println(err)
			return 1
		}
	}
	var note string
	var err error
	switch role {
	case "raw":
		note, err = Proxy(Identity{UID: 65534, GID: -1, Raw: true})
	case "proxy":
		note, err = Proxy(Identity{UID: 65534, GID: 65534, Chroot: os.Getenv("PRIVILEGE_TEST_ROOT"), Files: 5000})
	default:
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
	return droppedBy(t, 0, role, root)
}

// openCoverage lets a process without rights leave what it covered, when that
// is asked for (go test -cover).
func openCoverage() {
	dir := os.Getenv("GOCOVERDIR")
	if dir == "" {
		return
	}
	os.Chmod(dir, 0o777)
	for dir = filepath.Dir(dir); strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o711)
	}
}

// droppedBy is dropped for a process that another user starts.
func droppedBy(t *testing.T, uid uint32, role, root string) (pid int, said string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: privileges can only be given up by who has them")
	}
	openCoverage()
	cmd := exec.Command("/proc/self/exe") // which any user may start, wherever it lies
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
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

// Sockets with addresses of others (usesrc) need one right, and it is the only
// one.
func TestAProxyThatImpersonatesKeepsOneCapability(t *testing.T) {
	pid, said := dropped(t, "raw", "")
	if !strings.Contains(said, "err=<nil>") || strings.Contains(said, "back=<nil>") {
		t.Errorf("want a process that cannot become root again, got %s", said)
	}
	raw := fmt.Sprintf("%016x", 1<<unix.CAP_NET_RAW)
	everyThread(t, pid, map[string]string{"Uid": "65534 65534 65534 65534", "Gid": "0 0 0 0", "Groups": "",
		"CapInh": none, "CapPrm": raw, "CapEff": raw, "CapBnd": none, "CapAmb": none, "NoNewPrivs": "1"})
}

// Who is not root has nothing to give up but what it could still get.
func TestARoleThatIsNotRootStaysWhoItIs(t *testing.T) {
	for role, want := range map[string]string{"proxy": "not started as root: user, group and chroot are left as they are", "vrrp": "not started as root: the user is left as it is"} {
		pid, said := droppedBy(t, 65534, role, "/no/such/root")
		if !strings.Contains(said, want) || !strings.Contains(said, "err=<nil>") || !strings.Contains(said, "passwd=true") {
			t.Errorf("%s: got %s, want %q", role, said, want)
		}
		if role == "vrrp" && (!strings.Contains(said, "memory is not locked") && !strings.Contains(said, "only memory of the start is locked") || !strings.Contains(said, "SCHED_RR: operation not permitted")) {
			t.Errorf("%s: got %s, want what it goes without", role, said)
		}
		everyThread(t, pid, map[string]string{"Uid": "65534 65534 65534 65534", "CapPrm": none, "CapEff": none, "NoNewPrivs": "1"})
	}
}

// In a container root may lack what giving up takes: the role says what failed
// and does not go on as root with rights, but VRRP's, which can stay root
// without any but its two.
func TestRightsThatAreMissingAreNamed(t *testing.T) {
	const setPCap, setGID, net = 1 << unix.CAP_SETPCAP, 1 << unix.CAP_SETGID, netCapabilities
	for _, tt := range []struct {
		name, role string
		caps       uint64
		want       string
	}{
		{"nothing", "raw", 0, "err=drop capability 0 from the bounding set: operation not permitted"},
		{"not other groups", "raw", setPCap, "err=leave supplementary groups: operation not permitted"},
		{"not another user", "raw", setPCap | setGID, "err=set user 65534: operation not permitted"},
		{"no chroot", "proxy", setPCap | setGID, "err=chroot /tmp: operation not permitted"},
		{"VRRP, nothing", "vrrp", 0, "err=drop capability 0 from the bounding set: operation not permitted"},
		{"VRRP, not its own", "vrrp", setPCap, "err=set capabilities: operation not permitted"},
		{"VRRP, not another user", "vrrp", setPCap | net, "leave supplementary groups: operation not permitted: the role stays user 0\" err=<nil>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PRIVILEGE_TEST_CAPS", fmt.Sprintf("%x", tt.caps|1<<unix.CAP_DAC_OVERRIDE)) // the latter to leave what it covered
			pid, said := dropped(t, tt.role, "/tmp")
			if !strings.Contains(said, tt.want) {
				t.Errorf("got %s, want %s", said, tt.want)
			}
			if strings.HasSuffix(tt.want, "<nil>") {
				both := fmt.Sprintf("%016x", uint64(net))
				everyThread(t, pid, map[string]string{"Uid": "0 0 0 0", "CapPrm": both, "CapEff": both, "CapBnd": none, "NoNewPrivs": "1"})
			}
		})
	}
}

func TestDescriptorsAreRaisedWhereTheyAreTooFew(t *testing.T) {
	var old, now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
	unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 200, Max: old.Max})
	for _, tt := range []struct{ wanted, want uint64 }{{100, 200}, {200, 200}, {201, 201}} {
		note := raiseFiles(tt.wanted)
		if unix.Getrlimit(unix.RLIMIT_NOFILE, &now); note != "" || now.Cur != tt.want || now.Max != old.Max {
			t.Errorf("%d wanted: got %+v, %q, want %d", tt.wanted, now, note, tt.want)
		}
	}
	raw, err := os.ReadFile("/proc/sys/fs/nr_open") // beyond it not even root may go
	if err != nil {
		t.Skip(err)
	}
	most, _ := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 64)
	if note, want := raiseFiles(most+1), fmt.Sprintf("%d descriptors wanted, 201 available: operation not permitted", most+1); note != want {
		t.Errorf("got %q, want %q", note, want)
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
