package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/syslog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"herald/cmd/herald/internal/control"
	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/personality"
	"herald/cmd/herald/internal/process"
)

// answering is the daemon's side of a run directory.
func answering(t *testing.T, answers map[string]control.Answer) (dir string) {
	t.Helper()
	dir = t.TempDir()
	l, err := control.Listen(socketPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(control.Serve(l, answers).Close)
	return dir
}

func TestWhatADaemonAnswersIsShown(t *testing.T) {
	status := `{"node":"n","version":"v","vrrp":[{"name":"VI_1","interface":"eth0","vrid":7,"state":"MASTER","history":[{"at":"2026-03-09T08:07:06Z","from":"BACKUP","to":"MASTER","why":"nobody heard"}]},
		{"name":"VI_2","interface":"eth0","vrid":8,"state":"FAULT","history":[{"at":"2026-03-09T08:07:05Z","from":"BACKUP","to":"FAULT","why":"link down"}]}]}`
	refused := errors.New("not now")
	told := 0
	dir := answering(t, map[string]control.Answer{
		"status":  func(context.Context) (any, error) { return json.RawMessage(status), nil },
		"drain":   func(context.Context) (any, error) { told++; return nil, nil },
		"undrain": func(context.Context) (any, error) { return nil, refused },
	})
	for _, tt := range []struct {
		args   []string
		code   int
		out    []string
		never  string
		stderr string
	}{
		{[]string{"drain"}, Done, []string{"drained\n"}, "", ""},
		{[]string{"undrain"}, Failed, nil, "undrained", "herald undrain: not now\n"},
		{[]string{"history"}, Done, []string{"BACKUP > FAULT", "BACKUP > MASTER", "nobody heard"}, "{", ""},
		{[]string{"history", "--instance", "VI_2"}, Done, []string{"link down"}, "nobody heard", ""},
		{[]string{"history", "--instance", "none"}, Done, []string{"no transition yet"}, "", ""},
		{[]string{"history", "--json", "--instance", "VI_1"}, Done, []string{`"why": "nobody heard"`, `"instance": "VI_1"`}, "link down", ""},
		{[]string{"history", "--json", "--instance", "none"}, Done, []string{"[]\n"}, "null", ""},
		{[]string{"metrics"}, Done, []string{`instance="VI_1"`, `instance="VI_2"`}, "haproxy_", ""},
		{[]string{"status"}, Done, []string{"VI_1", "MASTER"}, "", ""},
		{[]string{"status", "--json"}, Done, []string{`  "node": "n",`}, "", ""},
		{[]string{"history", "--bogus"}, Usage, nil, "", "bogus"}, {[]string{"metrics", "--bogus"}, Usage, nil, "", "bogus"}, {[]string{"drain", "--bogus"}, Usage, nil, "", "bogus"},
	} {
		code, out, stderr := said(t, Program{}, append(tt.args, "--run-dir", dir)...)
		ok := code == tt.code && strings.Contains(stderr, tt.stderr) && (stderr == "") == (tt.stderr == "") && (tt.never == "" || !strings.Contains(out, tt.never))
		for _, want := range tt.out {
			ok = ok && strings.Contains(out, want)
		}
		if !ok {
			t.Errorf("%v: got %d, %q, %q", tt.args, code, out, stderr)
		}
	}
	if told != 1 {
		t.Errorf("the daemon was told to drain %d times, want once", told)
	}
	status = `{"proxy":{},"vrrp":[{"name":"VI_1"}]}`
	if code, out, _ := said(t, Program{}, "metrics", "--run-dir", dir); code != Done || !strings.Contains(out, "haproxy_") || !strings.Contains(out, `instance="VI_1"`) {
		t.Errorf("metrics of both: got %d, %.300q", code, out)
	}
	// A daemon of another version.
	status = `"nonsense"`
	for _, command := range []string{"status", "history", "metrics"} {
		if code, out, stderr := said(t, Program{}, command, "--run-dir", dir); code != Failed || out != "" || !strings.HasPrefix(stderr, "herald "+command+": read status: ") {
			t.Errorf("%s of nonsense: got %d, %q, %q", command, code, out, stderr)
		}
	}
}

// keepalived runs a command line of keepalived's with toy roles.
func keepalived(ctx context.Context, p Program, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	if p.Getenv == nil {
		p.Getenv = func(string) string { return "" }
	}
	code = Keepalived(ctx, p, args, &out, &err)
	return code, out.String(), err.String()
}

func TestKeepalivedsCommandLineIsUnderstood(t *testing.T) {
	dir := t.TempDir()
	conf, findings, link := write(t, filepath.Join(dir, "k.conf"), "x"), filepath.Join(dir, "findings"), filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "victim"), link); err != nil {
		t.Fatal(err)
	}
	p := Program{Version: "v1",
		Test: func(o Options, w io.Writer) int {
			fmt.Fprintf(w, "found in %s of %q", filepath.Base(o.Keepalived), o.ConfigID)
			return 4
		},
		Place: func(Options) personality.Place { return personality.Place{NetNamespace: "never-there"} }}
	for _, tt := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"-v"}, Done, "", "Keepalived v2.2.7 (herald v1)"},
		{[]string{"--help"}, Done, "--use-file", ""},
		{[]string{"--signum=STOP"}, Done, strconv.Itoa(int(syscall.SIGTERM)), ""},
		{[]string{"--signum=NONE"}, Failed, "", "Unknown sigfunc NONE"},
		{[]string{"--bogus"}, Failed, "", "keepalived: "},
		{[]string{"-t", "-f", conf, "-i", "node"}, 4, "", `found in k.conf of "node"`},
		{[]string{"-t" + findings, "-f", conf}, 4, "", ""},
		{[]string{"-t" + link, "-f", conf}, Failed, "", "too many levels of symbolic links"},
		{[]string{"-C", "-f", conf}, Failed, "", "no LVS health checker"},
		{[]string{"-f", filepath.Join(dir, "none")}, noConfiguration, "", "Config files missing '" + filepath.Join(dir, "none") + "'."},
		{[]string{"-n", "-s", "not-there-either", "-f", conf}, Failed, "", "enter network namespace not-there-either: "},
		{[]string{"role"}, Usage, "", "started by `herald run`"},
	} {
		type result struct {
			code           int
			stdout, stderr string
		}
		done := make(chan result)
		go func() { // a thread that tries to enter a namespace ends with its goroutine
			code, stdout, stderr := keepalived(t.Context(), p, tt.args...)
			done <- result{code, stdout, stderr}
		}()
		if got := <-done; got.code != tt.code || !strings.Contains(got.stdout, tt.stdout) || !strings.Contains(got.stderr, tt.stderr) || tt.stdout == "" && got.stdout != "" || tt.stderr == "" && got.stderr != "" {
			t.Errorf("%v: got %+v, want %d, %q, %q", tt.args, got, tt.code, tt.stdout, tt.stderr)
		}
	}
	if text, _ := os.ReadFile(findings); string(text) != `found in k.conf of ""` {
		t.Errorf("the findings are %q", text)
	}
	if _, err := os.Lstat(filepath.Join(dir, "victim")); err == nil {
		t.Error("a link was followed")
	}
}

// until waits for what another process does.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// hasText waits for a growing file to have a text.
func hasText(t *testing.T, path, want string) {
	t.Helper()
	until(t, path+" with "+want, func() bool {
		text, _ := os.ReadFile(path)
		return strings.Contains(string(text), want)
	})
}

func TestKeepalivedServesWithItsFiles(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for /run/herald")
	}
	comm, _ := os.ReadFile("/proc/self/comm")
	t.Cleanup(func() { process.Rename(strings.TrimSpace(string(comm))) })
	dir := t.TempDir()
	t.Chdir(dir) // and back behind the daemon's own
	conf, began := write(t, filepath.Join(dir, "k.conf"), filepath.Join(dir, "began")), filepath.Join(dir, "began")
	parent, vrrp, logged := filepath.Join(dir, "pids", "parent.pid"), filepath.Join(dir, "pids", "vrrp.pid"), filepath.Join(dir, "log")
	p := Program{Version: "toy", Role: toyRole, Place: func(Options) personality.Place { return personality.Place{} }}
	t.Cleanup(func() { os.RemoveAll(runDirOf(parent)) })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan string, 1)
	go func() {
		code, stdout, stderr := keepalived(ctx, p, "-n", "-l", "-d", "-f", "k.conf", "-p", parent, "-r", vrrp, "-g"+logged, "--no-syslog")
		ended <- fmt.Sprint(code, " ", stdout, stderr)
	}()
	defer stop()
	eventually(t, began, "began")
	hasText(t, logged, "the whole of k.conf") // -d
	hasText(t, parent, strconv.Itoa(os.Getpid())+"\n")
	number, err := os.ReadFile(vrrp)
	if err != nil {
		t.Fatal(err)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(number)))
	if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); !strings.Contains(string(line), "role\x00vrrp\x00--keepalived\x00"+conf) {
		t.Errorf("%s holds %q, whose command line is %q", vrrp, number, line)
	}
	if name, _ := os.ReadFile("/proc/self/comm"); string(name) != "keepalived\n" {
		t.Errorf("the process is called %q", name)
	}
	// A second one with the same pid file is refused.
	if code, _, stderr := keepalived(t.Context(), p, "-n", "-D", "-f", conf, "-p", parent, "-r", filepath.Join(dir, "other.pid")); code != Failed || !strings.Contains(stderr, "keepalived: herald runs already") {
		t.Errorf("a second daemon: got %d, %q", code, stderr)
	}
	stop()
	if got := <-ended; !strings.HasPrefix(got, "0 ") {
		t.Errorf("it ended with %s", got)
	}
	eventually(t, began, "told")
	if left, _ := os.ReadDir(filepath.Join(dir, "pids")); len(left) != 0 {
		t.Errorf("pid files that are left: %v", left)
	}
	if code, _, stderr := keepalived(t.Context(), p, "-n", "-f", conf, "-g"+filepath.Join(dir, "no", "log"), "-p", parent); code != Failed || !strings.Contains(stderr, "log file: ") {
		t.Errorf("a log that cannot be opened: got %d, %q", code, stderr)
	}
}

// As by init: the start returns when the daemon serves, and its pid file names
// who that is; a start that fails says so.
func TestKeepalivedGoesIntoTheBackground(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for /run/herald")
	}
	dir := t.TempDir()
	began := filepath.Join(dir, "began")
	conf, parent := write(t, filepath.Join(dir, "k.conf"), began), filepath.Join(dir, "parent.pid")
	t.Cleanup(func() { os.RemoveAll(runDirOf(parent)) })
	t.Cleanup(func() { // whatever went wrong, no daemon stays
		text, _ := os.ReadFile(parent)
		if pid, _ := strconv.Atoi(strings.TrimSpace(string(text))); pid > 1 {
			syscall.Kill(pid, syscall.SIGTERM)
		}
	})
	start := func(conf string) error {
		cmd := exec.Command(os.Args[0], "-f", conf, "-p", parent, "-r", filepath.Join(dir, "vrrp.pid"), "--no-syslog")
		cmd.Env = append(os.Environ(), "TOY_KEEPALIVED=1")
		return cmd.Run()
	}
	if err := start(conf); err != nil {
		t.Fatalf("the start: %v", err)
	}
	text, err := os.ReadFile(parent)
	if err != nil {
		t.Fatalf("no pid file although the start has returned: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if sid, _ := syscall.Getpgid(pid); sid != pid {
		t.Errorf("process %d is in group %d, want one of its own", pid, sid)
	}
	syscall.Kill(pid, syscall.SIGTERM)
	eventually(t, began, "told")
	until(t, "the end of the pid file", func() bool { _, err := os.Stat(parent); return os.IsNotExist(err) })
	var failed *exec.ExitError // a configuration that cannot be read ends it before it serves
	if err := start(dir); !errors.As(err, &failed) || failed.ExitCode() != Failed {
		t.Errorf("a start that fails: got %v", err)
	}
}

func TestFacilitiesOfTheSystemLog(t *testing.T) {
	for name, want := range map[string]syslog.Priority{"": syslog.LOG_DAEMON, "0": syslog.LOG_LOCAL0, "7": syslog.LOG_LOCAL7, "local3": syslog.LOG_LOCAL3, "user": syslog.LOG_USER,
		"8": syslog.LOG_DAEMON, "-1": syslog.LOG_DAEMON, "local9": syslog.LOG_DAEMON, "localx": syslog.LOG_DAEMON} {
		if got := facility(name); got != want {
			t.Errorf("%q: got %d, want %d", name, got, want)
		}
	}
	if a, b, c := runDirOf("/run/keepalived.pid"), runDirOf("/run/a.pid"), runDirOf("/run/b.pid"); a != "/run/herald/keepalived" || b == c || b == a {
		t.Errorf("run directories %s, %s and %s", a, b, c)
	}
}

// dumps answers what it was given, or fails.
type dumps struct {
	text string
	err  error
}

func (d dumps) Dump(_ context.Context, what string) ([]byte, error) {
	return []byte(what + "\n" + d.text), d.err
}

func TestEachVRRPProcessTellsTheLogWhatItHasRead(t *testing.T) {
	begun, over := make(chan ipc.Name), make(chan struct{})
	var lines []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		dumpEach(begun, over, dumps{text: "a\n\nb"}, func(line string) { lines = append(lines, line) })
	}()
	begun <- ipc.Proxy
	begun <- ipc.VRRP
	close(over)
	<-done
	if got, want := strings.Join(lines, "|"), "data|a||b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	lines = nil
	dumpToLog(dumps{err: errors.New("no answer")}, func(line string) { lines = append(lines, line) })
	if got := strings.Join(lines, "|"); got != "herald: no answer" {
		t.Errorf("got %q", got)
	}
}
