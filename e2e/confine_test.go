package e2e_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"herald/proxy/testcert"
)

// long is how many bytes a unixOrigin answers for /long: far more than
// sockets hold.
const long = 8 << 20

// origin serves HTTP on a unix socket until the test ends.
func unixOrigin(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := []byte("origin")
		if r.URL.Path == "/long" {
			body = make([]byte, long)
		}
		w.Write(body)
	})}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
}

// threads are the lines of /proc/PID/task/*/status that begin with name.
func threads(t *testing.T, pid int, name string) map[string]int {
	t.Helper()
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	found := map[string]int{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		for line := range strings.Lines(string(raw)) {
			if value, ok := strings.CutPrefix(line, name+":"); ok {
				found[strings.TrimSpace(value)]++
			}
		}
	}
	return found
}

// TestAConfinedProxyDoesAllItsWork has a proxy in a chroot, without rights,
// files and most system calls, do everything that touches the system: unix
// sockets on both sides, log and runtime API; certificates replaced on disk and
// by command; commands of external checks; reloads.
func TestAConfinedProxyDoesAllItsWork(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give it up")
	}
	if _, err := user.Lookup("nobody"); err != nil {
		t.Skip("there is no user nobody")
	}
	dir := directory(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Mkdir(at("jail"), 0o755); err != nil {
		t.Fatal(err)
	}
	unixOrigin(t, at("jail/origin.sock"))
	lines, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at("log.sock"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	ca := testcert.NewAuthority("Example CA")
	write := func(name string, text []byte) {
		t.Helper()
		// Beside it, then renamed, as deployment tools do.
		if err := os.WriteFile(at(name+".new"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(at(name+".new"), at(name)); err != nil {
			t.Fatal(err)
		}
	}
	first := ca.Issue(testcert.Request{Names: []string{"a.example"}})
	write("site.pem", first.Bundle)
	write("check.sh", []byte("#!/bin/sh\nexit 0\n"))
	if err := os.Chmod(at("check.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	server := "/origin.sock"
	if raceFlags != nil { // such a build stays where it is
		server = at("jail/origin.sock")
	}
	config := strings.NewReplacer("DIR", dir, "ORIGIN", server).Replace(`global
 user nobody
 chroot DIR/jail
 external-check
 insecure-fork-wanted
 log DIR/log.sock local0
 stats socket DIR/admin.sock level admin
defaults
 mode http
 log global
 option httplog
 timeout connect 5s
 timeout client 5s
 timeout server 5s
frontend f
 bind unix@DIR/front.sock ssl crt DIR/site.pem
 default_backend b
backend b
 server s unix@ORIGIN check
backend checked
 option external-check
 external-check path /usr/bin:/bin
 external-check command DIR/check.sh
 server x 127.0.0.1:9 check inter 100ms
`)
	write("haproxy.cfg", []byte(config))
	d := serve(t, dir, launch{})

	// request returns the serial number of the certificate that was shown.
	request := func() string {
		t.Helper()
		raw, err := net.Dial("unix", at("front.sock"))
		if err != nil {
			t.Fatal(err)
		}
		c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
		defer c.Close()
		if _, err := fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || answer.StatusCode != 200 {
			t.Fatalf("request: %v, %v", answer, err)
		}
		buf := make([]byte, 4096)
		if n, err := lines.Read(buf); err != nil || !strings.Contains(string(buf[:n]), "GET / HTTP/1.1") {
			t.Errorf("log line: %q, %v", buf[:n], err)
		}
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	// works is true of every generation.
	works := func() {
		t.Helper()
		list := d.proxies()
		p := list[len(list)-1]
		if raceFlags == nil {
			if got := threads(t, p.Pid, "Seccomp"); len(got) != 1 || got["2"] == 0 {
				t.Errorf("threads by filter: got %v, want all with mode 2", got)
			}
			if got := threads(t, p.Pid, "NoNewPrivs"); len(got) != 1 || got["1"] == 0 {
				t.Errorf("threads by no_new_privs: got %v, want 1 on all", got)
			}
			if !strings.Contains(p.Confined, "seccomp") {
				t.Errorf("the status says %q", p.Confined)
			}
		}
		d.until("the external check passes", func() bool {
			return strings.Contains(d.ask(at("admin.sock"), "show stat"), "External check passed")
		})
	}
	if got := request(); got != first.Leaf.SerialNumber.String() {
		t.Errorf("certificate %s, want %s", got, first.Leaf.SerialNumber)
	}
	works()

	replaced := ca.Issue(testcert.Request{Names: []string{"a.example"}})
	write("site.pem", replaced.Bundle)
	d.until("the new file is used", func() bool { return request() == replaced.Leaf.SerialNumber.String() })

	set := ca.Issue(testcert.Request{Names: []string{"a.example"}})
	if got := d.ask(at("admin.sock"), "set ssl cert "+at("site.pem")+" <<\n"+string(set.Bundle)+"\n"); !strings.Contains(got, "ransaction") {
		t.Errorf("set ssl cert: %s", got)
	}
	if got := d.ask(at("admin.sock"), "commit ssl cert "+at("site.pem")); !strings.Contains(got, "Success") {
		t.Errorf("commit ssl cert: %s", got)
	}
	if got := request(); got != set.Leaf.SerialNumber.String() {
		t.Errorf("certificate %s, want %s", got, set.Leaf.SerialNumber)
	}

	before := d.proxies()
	d.herald("reload")
	if after := d.proxies(); after[len(after)-1].Pid == before[len(before)-1].Pid {
		t.Errorf("no new process: %v, then %v", before, after)
	}
	request()
	works()

	// A crash: the successor is started by the parent alone.
	list := d.proxies()
	pid := list[len(list)-1].Pid
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	d.until("another proxy serves", func() bool {
		list := d.proxies()
		p := list[len(list)-1]
		return p.Pid != pid && p.State == "ready"
	})
	request()
	works()
}

// TestConfinementIsTurnedOffByTheEnvironment is for who suspects it.
func TestConfinementIsTurnedOffByTheEnvironment(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	config := fmt.Sprintf("defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nfrontend f\n bind unix@%s/front.sock\n", dir)
	if err := os.WriteFile(filepath.Join(dir, "haproxy.cfg"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	d := serve(t, dir, launch{env: []string{"HERALD_CONFINE=off"}})
	p := d.proxies()[0]
	if got := threads(t, p.Pid, "Seccomp"); got["0"] == 0 || got["2"] != 0 {
		t.Errorf("threads by filter: got %v, want none filtered", got)
	}
	if raceFlags == nil && !strings.Contains(d.said(), "HERALD_CONFINE is off") {
		t.Error("the log does not say it")
	}
}
