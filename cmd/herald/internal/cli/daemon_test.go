package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/personality"
	"herald/cmd/herald/internal/supervise"
)

// TestMain makes the test binary a whole herald with toy roles when it is
// called with a command: a proxy configuration is an address to listen on, the
// first line of its file, and a VRRP configuration a path that is written when
// the role resigns.
func TestMain(m *testing.M) {
	if os.Getenv("TOY_KEEPALIVED") != "" {
		p := Program{Version: "toy", Getenv: os.Getenv, Role: toyRole, Place: func(Options) personality.Place { return personality.Place{} }}
		os.Exit(Keepalived(context.Background(), p, os.Args[1:], os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && (os.Args[1] == "run" || os.Args[1] == "role") {
		p := Program{Version: "toy", Getenv: os.Getenv, Role: toyRole}
		if os.Args[1] == "run" && os.Getenv("TOY_LEASH") != "" {
			go endWithTheTest()
		}
		os.Exit(Main(context.Background(), p, os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// endWithTheTest keeps a daemon from outliving a test process that died: its
// standard input ends then.
func endWithTheTest() {
	io.Copy(io.Discard, os.Stdin)
	os.Exit(3)
}

func toyRole(ctx context.Context, name ipc.Name, role *ipc.Role, o Options) error {
	if name == ipc.VRRP {
		return toyVRRP(ctx, role, o)
	}
	text, err := os.ReadFile(o.HAProxy[0])
	if err != nil {
		return err
	}
	address, word, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if word == "error" {
		role.Diagnostics([]ipc.Finding{{Severity: "error", Text: o.HAProxy[0] + ":1: error: toy"}})
		return errors.New("the toy configuration has errors")
	}
	spec := ipc.Socket{Network: "tcp", Address: address}
	lent, err := role.Listen(ctx, []ipc.Socket{spec})
	if err != nil {
		return err
	}
	if _, err := role.Ready(ctx, ipc.Prepared{}); err != nil {
		return err
	}
	l, err := net.FileListener(os.NewFile(uintptr(lent[spec.Name()][0]), "lent"))
	if err != nil {
		return err
	}
	go answer(l, word)
	role.Health(true, "toy")
	for c := range role.Commands() {
		switch c := c.(type) {
		case ipc.Drain, ipc.Stop:
			l.Close()
			return nil
		case *ipc.StatusRequest:
			c.Answer(json.RawMessage(`null`))
		}
	}
	return ipc.ErrParentGone
}

// answer says the configuration's word and the process to who connects.
func answer(l net.Listener, word string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		fmt.Fprintf(c, "%s %d\n", word, os.Getpid())
		c.Close()
	}
}

func toyVRRP(ctx context.Context, role *ipc.Role, o Options) error {
	path, err := os.ReadFile(o.Keepalived)
	if err != nil {
		return err
	}
	if _, err := role.Ready(ctx, ipc.Prepared{}); err != nil {
		return err
	}
	if err := os.WriteFile(string(path), []byte("began"), 0o600); err != nil {
		return err
	}
	for c := range role.Commands() {
		switch c := c.(type) {
		case *ipc.StatusRequest:
			if c.Dump == "" {
				c.Answer(json.RawMessage(`null`))
				break
			}
			text, _ := json.Marshal("the whole of " + filepath.Base(o.Keepalived) + "\n")
			c.Answer(text)
		case ipc.Handover:
			role.HandOver([]byte("{}"))
			return nil
		case ipc.Stop:
			return os.WriteFile(string(path), []byte("told"), 0o600)
		}
	}
	return os.WriteFile(string(path), []byte("parent gone"), 0o600)
}

// herald is a toy daemon that runs.
type herald struct {
	t        *testing.T
	cmd      *exec.Cmd
	dir      string
	address  string
	cfg      string
	resigned string // the file the VRRP role writes when it begins and ends

	mu  sync.Mutex
	log bytes.Buffer
}

// startHerald starts a daemon and waits until it is ready.
func startHerald(t *testing.T) *herald {
	t.Helper()
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &herald{t: t, dir: dir, address: l.Addr().String(), resigned: filepath.Join(dir, "resigned")}
	l.Close()
	h.cfg = write(t, filepath.Join(dir, "toy.cfg"), h.address+" one\n")
	conf := write(t, filepath.Join(dir, "toy.conf"), h.resigned)
	h.run("--haproxy", h.cfg, "--keepalived", conf)
	return h
}

// run starts the daemon's process and waits until it is ready.
func (h *herald) run(args ...string) {
	h.t.Helper()
	h.cmd = exec.Command(os.Args[0], append([]string{"run", "--run-dir", h.dir}, args...)...)
	h.cmd.Env = append(os.Environ(), "TOY_LEASH=1")
	if _, err := h.cmd.StdinPipe(); err != nil {
		h.t.Fatal(err)
	}
	out, err := h.cmd.StderrPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	go h.read(out, ready, ended)
	h.t.Cleanup(func() {
		h.cmd.Process.Kill()
		<-ended
		h.cmd.Wait()
		if h.t.Failed() {
			h.t.Log(h.logged())
		}
	})
	select {
	case <-ready:
	case <-ended:
		h.t.Fatalf("the daemon ends: %s", h.logged())
	case <-time.After(10 * time.Second):
		h.t.Fatalf("the daemon is not ready: %s", h.logged())
	}
}

func (h *herald) read(out io.Reader, ready, ended chan struct{}) {
	defer close(ended)
	for s := bufio.NewScanner(out); s.Scan(); {
		h.mu.Lock()
		fmt.Fprintln(&h.log, s.Text())
		h.mu.Unlock()
		if strings.HasSuffix(s.Text(), "herald: ready") {
			close(ready)
		}
	}
}

func (h *herald) logged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

// ask connects and returns the word and the process that answered.
func (h *herald) ask() (word string, pid int) {
	h.t.Helper()
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatalf("nobody listens: %v", err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fscan(c, &word, &pid); err != nil {
		h.t.Fatalf("no answer: %v", err)
	}
	return word, pid
}

// command runs a command of herald's against the daemon.
func (h *herald) command(args ...string) (code int, stdout, stderr string) {
	return said(h.t, Program{}, append(args, "--run-dir", h.dir)...)
}

// proxy returns the process that serves, by the daemon's own status: an older
// one may answer a last connection.
func (h *herald) proxy() int {
	h.t.Helper()
	code, out, stderr := h.command("status", "--json")
	var s supervise.Status
	if err := json.Unmarshal([]byte(out), &s); code != Done || err != nil {
		h.t.Fatalf("status: %d, %v, %s", code, err, stderr)
	}
	for _, r := range s.Roles {
		if r.Name == "proxy" && r.State == "ready" {
			return r.Pid
		}
	}
	h.t.Fatalf("no proxy serves: %s", out)
	return 0
}

// eventually waits for a file to have the given text.
func eventually(t *testing.T, path, want string) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); ; <-tick.C {
		raw, _ := os.ReadFile(path)
		if string(raw) == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: want %q, got %q", path, want, raw)
		}
	}
}

func TestADaemonServesReloadsAndStops(t *testing.T) {
	h := startHerald(t)
	if word, _ := h.ask(); word != "one" {
		t.Errorf("want one, got %s", word)
	}
	write(t, h.cfg, h.address+" two\n")
	if code, out, err := h.command("reload"); code != Done || out != "reloaded\n" {
		t.Errorf("reload: got %d, %q, %q", code, out, err)
	}
	for end := time.Now().Add(5 * time.Second); ; {
		// Until the old process is gone either may answer, but one does.
		if word, _ := h.ask(); word == "two" {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the old process goes on answering")
		}
	}
	if code, out, _ := h.command("status"); code != Done || !strings.Contains(out, "herald toy on ") || !strings.Contains(out, "proxy") {
		t.Errorf("status: got %d, %q", code, out)
	}
	var s supervise.Status
	if code, out, _ := h.command("status", "--json"); code != Done || json.Unmarshal([]byte(out), &s) != nil || s.Pid != h.cmd.Process.Pid {
		t.Errorf("status --json: got %d, %q", code, out)
	}
	h.cmd.Process.Signal(syscall.SIGTERM)
	eventually(t, h.resigned, "told")
	if err := h.cmd.Wait(); err != nil {
		t.Errorf("want exit code 0, got %v", err)
	}
	if _, err := os.Stat(filepath.Join(h.dir, "herald.sock")); !os.IsNotExist(err) {
		t.Errorf("the control socket is still there: %v", err)
	}
}

func TestAReloadWithAnErrorTellsWhoAskedAndTheOldGoesOn(t *testing.T) {
	h := startHerald(t)
	_, before := h.ask()
	write(t, h.cfg, h.address+" error\n")
	code, _, stderr := h.command("reload")
	if code != Failed || !strings.Contains(stderr, "toy.cfg:1: error: toy") || !strings.Contains(stderr, "the old configuration goes on") {
		t.Errorf("want the finding and the outcome, got %d, %q", code, stderr)
	}
	if word, pid := h.ask(); word != "one" || pid != before {
		t.Errorf("want process %d to go on with one, got %d with %s", before, pid, word)
	}
	h.says("reload failed")
}

// says waits until the daemon's log has a text: its lines come through a pipe,
// later than an answer does.
func (h *herald) says(text string) {
	h.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(h.logged(), text); <-tick.C {
		if time.Now().After(end) {
			h.t.Fatalf("the log does not say %q", text)
		}
	}
}

func TestAKilledProxyAnswersAgainAndRefusesNobody(t *testing.T) {
	h := startHerald(t)
	_, pid := h.ask()
	killed := time.Now()
	syscall.Kill(pid, syscall.SIGKILL)
	for {
		// The parent holds the sockets, so nobody is refused; a connection the
		// dying process had accepted is cut.
		c, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		var word string
		var now int
		_, err = fmt.Fscan(c, &word, &now)
		c.Close()
		if err == nil && now != pid {
			break
		}
	}
	if took := time.Since(killed); took > 500*time.Millisecond {
		t.Errorf("want an answer within 500 ms, got %v", took)
	}
}

func TestAKilledParentIsNoticedByTheRolesAndBlocksNoStart(t *testing.T) {
	h := startHerald(t)
	eventually(t, h.resigned, "began") // a role that never began has nothing to give up
	h.cmd.Process.Kill()
	eventually(t, h.resigned, "parent gone")
	h.cmd.Wait()
	again := &herald{t: t, dir: h.dir, address: h.address, cfg: h.cfg}
	again.startWhenFree()
	if word, _ := again.ask(); word != "one" {
		t.Errorf("want one, got %s", word)
	}
}

// startWhenFree starts a daemon once the port of the one before is free: its
// proxy sees the end of the parent a moment after it.
func (h *herald) startWhenFree() {
	h.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); ; <-tick.C {
		l, err := net.Listen("tcp", h.address)
		if err == nil {
			l.Close()
			break
		}
		if time.Now().After(end) {
			h.t.Fatal(err)
		}
	}
	h.run("--haproxy", h.cfg)
}

func TestASecondDaemonIsRefused(t *testing.T) {
	h := startHerald(t)
	code, _, stderr := h.command("run", "--haproxy", h.cfg)
	if code != Failed || !strings.Contains(stderr, fmt.Sprintf("pid %d", h.cmd.Process.Pid)) {
		t.Errorf("want the running one named, got %d, %q", code, stderr)
	}
	if word, _ := h.ask(); word != "one" {
		t.Error("the first was disturbed")
	}
}

func TestAListenerKeepsNonBlockingThroughEveryHandover(t *testing.T) {
	h := startHerald(t)
	for range 2 {
		if code, _, stderr := h.command("reload"); code != Done {
			t.Fatal(stderr)
		}
	}
	for _, of := range []int{h.cmd.Process.Pid, h.proxy()} {
		found := false
		infos, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", of))
		for _, info := range infos {
			link, _ := os.Readlink(strings.Replace(info, "fdinfo", "fd", 1))
			if !listens(h.address, link) {
				continue
			}
			found = true
			var pos, flags int
			raw, _ := os.ReadFile(info)
			fmt.Sscanf(string(raw), "pos:\t%d\nflags:\t%o", &pos, &flags)
			if flags&unix.O_NONBLOCK == 0 {
				t.Errorf("process %d: the listening socket blocks (flags %#o)", of, flags)
			}
		}
		if !found {
			t.Errorf("process %d does not hold the listening socket", of)
		}
	}
}

// listens reports whether link ("socket:[INODE]") listens on address, by
// /proc/net/tcp.
func listens(address, link string) bool {
	raw, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return false
	}
	_, port, _ := net.SplitHostPort(address)
	var n int
	fmt.Sscan(port, &n)
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) && link == "socket:["+f[9]+"]" {
			return true
		}
	}
	return false
}

func TestAFailedStartEndsWithOneAndSaysWhy(t *testing.T) {
	dir := t.TempDir()
	cfg := write(t, filepath.Join(dir, "toy.cfg"), "127.0.0.1:1 error\n")
	cmd := exec.Command(os.Args[0], "run", "--run-dir", dir, "--haproxy", cfg)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != Failed || !strings.Contains(string(out), "toy.cfg:1: error: toy") || !strings.Contains(string(out), "start failed") {
		t.Errorf("got %v, %s", err, out)
	}
}

func TestNoDaemonIsSaidSo(t *testing.T) {
	for _, command := range []string{"status", "reload"} {
		code, _, stderr := said(t, Program{}, command, "--run-dir", t.TempDir())
		if code != Failed || !strings.Contains(stderr, "herald does not run") {
			t.Errorf("%s: got %d, %q", command, code, stderr)
		}
	}
}

func TestWatchShowsTheStatusUntilInterrupted(t *testing.T) {
	h := startHerald(t)
	ctx, cancel := context.WithCancel(context.Background())
	out := &firstWrite{then: cancel}
	code := Main(ctx, Program{Getenv: os.Getenv}, []string{"status", "--watch", "--run-dir", h.dir}, out, io.Discard)
	if code != Done || !strings.Contains(out.text.String(), "herald toy on") {
		t.Errorf("got %d, %q", code, out.text.String())
	}
}

// firstWrite calls then once a status was written.
type firstWrite struct {
	text bytes.Buffer
	then func()
}

func (f *firstWrite) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("herald toy")) {
		defer f.then()
	}
	return f.text.Write(b)
}
