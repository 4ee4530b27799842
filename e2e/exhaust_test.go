package e2e_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// site is a configuration with a server on a unix socket behind one, and more
// for its global section.
func site(t *testing.T, global string) (dir string) {
	t.Helper()
	dir = directory(t)
	unixOrigin(t, filepath.Join(dir, "origin.sock"))
	config := strings.NewReplacer("MORE", global).Replace(`global
 stats socket DIR/admin.sock level admin
 MORE
defaults
 mode http
 log global
 option httplog
 timeout connect 20s
 timeout client 20s
 timeout server 20s
frontend f
 bind unix@DIR/front.sock
 default_backend b
backend b
 server s unix@DIR/origin.sock
`)
	config = strings.ReplaceAll(config, "DIR", dir)
	if err := os.WriteFile(filepath.Join(dir, "haproxy.cfg"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// get asks the daemon's site for a page.
func (d *daemon) get() {
	d.t.Helper()
	c, err := net.Dial("unix", filepath.Join(d.dir, "front.sock"))
	if err != nil {
		d.t.Error(err)
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 200 {
		d.t.Errorf("request: %v, %v", resp, err)
	}
}

// info is one line of "show info".
func (d *daemon) info(name string) int {
	d.t.Helper()
	for line := range strings.Lines(d.ask(filepath.Join(d.dir, "admin.sock"), "show info")) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil {
				d.t.Fatal(err)
			}
			return n
		}
	}
	d.t.Fatalf("show info has no %s", name)
	return 0
}

// TestAFullDiskStopsNothing has the lock, the control socket, the pid file and
// the log on a disk of one page, which is taken.
func TestAFullDiskStopsNothing(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount a small disk")
	}
	dir := site(t, "pidfile DIR/full/herald.pid\n log stderr format raw local0")
	if err := os.Mkdir(filepath.Join(dir, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	d := serve(t, dir, launch{run: "full/run", before: fmt.Sprintf(
		"cd %s/full; mount -t tmpfs -o size=4k none .; cd ../full; head -c 4096 /dev/zero >taken; exec >>log 2>&1", dir)})
	inside := func(name string) string { return filepath.Join(filepath.Dir(d.run), name) }
	if err := os.WriteFile(inside("more"), []byte("x"), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	for range 20 {
		d.get()
	}
	d.herald("reload")
	for range 20 {
		d.get()
	}
	d.idles()
	// There is room again: what is said now is there, and how much was lost.
	if err := os.Remove(inside("taken")); err != nil {
		t.Fatal(err)
	}
	d.herald("reload")
	d.get()
	d.until("the log goes on", func() bool {
		log, err := os.ReadFile(inside("log"))
		return err == nil && strings.Contains(string(log), "lines of the log were dropped")
	})
}

// TestALogReaderThatStopsDelaysNothing has the daemon's log and the proxy's go
// to a pipe that is full and not read.
func TestALogReaderThatStopsDelaysNothing(t *testing.T) {
	t.Parallel()
	dir := site(t, "log stderr format raw local0")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	// Through an open file of its own: O_NONBLOCK would be the daemon's too.
	filler, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", writer.Fd()), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(filler)
	for err == nil {
		_, err = unix.Write(filler, make([]byte, 1024))
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
	d := serve(t, dir, launch{log: writer})
	const requests = 50
	for range requests {
		d.get()
	}
	d.until("lost lines are counted", func() bool { return d.info("DroppedLogs") >= requests })
	d.herald("reload")
	d.get()
	d.idles()
	// Somebody reads again.
	said := make(chan string)
	go func() {
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			said <- lines.Text()
		}
		close(said)
	}()
	defer func() { // let the rest go
		go func() {
			for range said {
			}
		}()
	}()
	for line := range said {
		if strings.Contains(line, "ready") {
			break
		}
	}
	d.get()
	for line := range said {
		if strings.Contains(line, "GET / HTTP/1.1") {
			break
		}
	}
}

// TestTooFewDescriptorsMakeClientsWait has more clients than there are
// descriptors: those wait, the proxy idles, and all are served when others go.
func TestTooFewDescriptorsMakeClientsWait(t *testing.T) {
	t.Parallel()
	dir := site(t, "")
	d := serve(t, dir, launch{before: "ulimit -n 60"})
	d.run = filepath.Join(dir, "run") // no mount hides it
	var idle []net.Conn
	for range 100 {
		c, err := net.Dial("unix", filepath.Join(dir, "front.sock"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	d.until("the proxy has as many as it can", func() bool { return d.sockets() > 20 })
	d.idles()
	for _, c := range idle {
		c.Close()
	}
	for range 20 {
		d.get()
	}
	d.until("nothing is left", func() bool { return d.sockets() < 20 })
	d.idles()
}

// sockets is how many descriptors the newest proxy has open.
func (d *daemon) sockets() int {
	list := d.proxies()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", list[len(list)-1].Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	return len(open)
}
