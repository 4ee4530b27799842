package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
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

	"herald/stats/render"
)

// daemon is herald with a proxy alone, on this machine, its files in a
// directory of its own.
type daemon struct {
	t   *testing.T
	cmd *exec.Cmd
	dir string

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

// serve starts herald in dir, which holds haproxy.cfg, and waits until it
// serves; the end of the test ends it.
func serve(t *testing.T, dir string, env ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, dir: dir}
	d.cmd = exec.Command(program, "run", "--run-dir", filepath.Join(dir, "run"), "--haproxy", filepath.Join(dir, "haproxy.cfg"))
	d.cmd.Env = append(os.Environ(), env...)
	d.cmd.Stdout, d.cmd.Stderr = d, d
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
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
	d.until("herald serves", func() bool { return strings.Contains(d.said(), "ready\n") })
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
	out, err := exec.Command(program, append(args, "--run-dir", filepath.Join(d.dir, "run"))...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("herald %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// proxies are the processes of the proxy role, those that drain included.
func (d *daemon) proxies() []render.Role {
	d.t.Helper()
	var r struct{ Roles []render.Role }
	if err := json.Unmarshal([]byte(d.herald("status", "--json")), &r); err != nil {
		d.t.Fatal(err)
	}
	var list []render.Role
	for _, role := range r.Roles {
		if role.Name == "proxy" {
			list = append(list, role)
		}
	}
	return list
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
