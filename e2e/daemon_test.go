package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"herald/stats/render"
)

// daemon is herald with a proxy alone, on this machine, its files in a
// directory of its own.
type daemon struct {
	t   *testing.T
	cmd *exec.Cmd
	dir string
	run string // its run directory

	mu  sync.Mutex
	log bytes.Buffer
}

// Write implements io.Writer for what the daemon says.
func (d *daemon) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(p)
}

// said is what the daemon has said so far.
func (d *daemon) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// directory is one that every user may look into.
func directory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "herald-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// launch is how a daemon is started, other than with all it needs.
type launch struct {
	env []string
	// before is said to a shell that then becomes herald, in a mount namespace
	// of its own.
	before string
	// run is the run directory below that of the test.
	run string
	// log takes what the daemon says in place of the test.
	log *os.File
}

// serve starts herald in dir, which holds haproxy.cfg, and waits until it
// serves; the end of the test ends it.
func serve(t *testing.T, dir string, how launch) *daemon {
	t.Helper()
	if how.run == "" {
		how.run = "run"
	}
	d := &daemon{t: t, dir: dir, run: filepath.Join(dir, how.run)}
	argv := []string{program, "run", "--run-dir", d.run, "--haproxy", filepath.Join(dir, "haproxy.cfg")}
	attr := &syscall.SysProcAttr{Setpgid: true}
	if how.before != "" {
		argv = append([]string{"sh", "-ec", how.before + "\nexec \"$@\"", "sh"}, argv...)
		attr.Unshareflags = syscall.CLONE_NEWNS
	}
	d.cmd = exec.Command(argv[0], argv[1:]...)
	d.cmd.Env = append(os.Environ(), how.env...)
	d.cmd.SysProcAttr = attr
	d.cmd.Stdout, d.cmd.Stderr = d, d
	if how.log != nil {
		d.cmd.Stdout, d.cmd.Stderr = how.log, how.log
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.cmd.Wait() }()
	t.Cleanup(func() {
		d.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
			<-ended
			t.Error("herald did not end")
		}
		if t.Failed() {
			t.Logf("herald said:\n%s", tail(d.said(), 40))
		}
	})
	if how.before != "" { // its files are where it sees them
		d.run = fmt.Sprintf("/proc/%d/root%s", d.cmd.Process.Pid, d.run)
	}
	d.until("herald serves", func() bool {
		out, err := exec.Command(program, "status", "--json", "--run-dir", d.run).Output()
		return err == nil && slices.ContainsFunc(proxiesOf(t, out), func(p render.Role) bool { return p.State == "ready" })
	})
	return d
}

// until asks again and again whether something has come true.
func (d *daemon) until(what string, holds func() bool) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-ctx.Done():
			d.t.Fatalf("not true after a minute: %s", what)
		}
	}
}

// herald runs a command of herald's for this daemon.
func (d *daemon) herald(args ...string) string {
	d.t.Helper()
	out, err := exec.Command(program, append(args, "--run-dir", d.run)...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("herald %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// proxies are the processes of the proxy role, those that drain included.
func (d *daemon) proxies() []render.Role {
	d.t.Helper()
	return proxiesOf(d.t, []byte(d.herald("status", "--json")))
}

func proxiesOf(t *testing.T, status []byte) []render.Role {
	t.Helper()
	var r struct{ Roles []render.Role }
	if err := json.Unmarshal(status, &r); err != nil {
		t.Fatal(err)
	}
	var list []render.Role
	for _, role := range r.Roles {
		if role.Name == "proxy" {
			list = append(list, role)
		}
	}
	return list
}

// spent is the processor time of the daemon and its roles so far.
func (d *daemon) spent() time.Duration {
	d.t.Helper()
	var all time.Duration
	pids := []int{d.cmd.Process.Pid}
	for _, p := range d.proxies() {
		pids = append(pids, p.Pid)
	}
	for _, pid := range pids {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		// proc(5): utime and stime are fields 14 and 15, in hundredths of a
		// second; the state, the first behind the name, is field 3.
		f := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
		for _, ticks := range f[11:13] {
			n, _ := strconv.Atoi(ticks)
			all += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return all
}

// idles wants a second to pass with next to no processor time spent.
func (d *daemon) idles() {
	d.t.Helper()
	before := d.spent()
	<-time.After(time.Second) // what is measured is this second
	if spent := d.spent() - before; spent > 250*time.Millisecond {
		d.t.Errorf("%v of processor time in a second with nothing to do", spent)
	}
}

// ask sends one command to a stats socket.
func (d *daemon) ask(socket, command string) string {
	d.t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, command+"\n"); err != nil {
		d.t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(got)
}
