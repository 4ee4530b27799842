package assemble

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/netns"
	"herald/cmd/herald/internal/privilege"
	"herald/cmd/herald/internal/process"
	"herald/stats"
)

// TestMain lets the test binary be a role: what it gives up does not come back.
func TestMain(m *testing.M) {
	if len(os.Args) != 4 || os.Args[1] != "role" {
		os.Exit(m.Run())
	}
	role, err := ipc.Inherit()
	if err != nil {
		os.Exit(9)
	}
	if os.Args[2] == "proxy" {
		err = RunProxyRole(context.Background(), role, Options{HAProxy: []string{os.Args[3]}, Version: "toy"})
	} else {
		err = RunVRRPRole(context.Background(), role, Options{Keepalived: os.Args[3]})
	}
	if err != nil {
		role.Failed(err)
	}
	role.Close()
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// child starts a role as a process of its own, in a network namespace, with
// its filter of system calls off: behind that it could not say what it covered.
func child(t *testing.T, namespace, role, file string) *process.Process {
	t.Helper()
	var p *process.Process
	err := netns.Do(namespace, func() (err error) {
		p, err = process.Start([]string{"role", role, file}, append(os.Environ(), privilege.Switch+"=off"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill(); p.Peer().Close() })
	return p
}

// prepared waits until a role is ready.
func prepared(t *testing.T, p *ipc.Peer) *ipc.ReadyRequest {
	t.Helper()
	for {
		switch r, err := p.Receive(); r := r.(type) {
		case *ipc.ReadyRequest:
			return r
		case ipc.Failed:
			if strings.Contains(string(r), "cgo") {
				t.Skip("needs a build without cgo")
			}
			t.Fatal(r)
		default:
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAProxyRoleIsAProcess(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, "h.cfg", "global\n maxconn 100\n pidfile /no/pid\ndefaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\nlisten web\n bind "+l.Addr().String()+"\n monitor-uri /\n")
	p := child(t, "", "proxy", file)
	parent := p.Peer()
	if found := await[ipc.Findings](t, parent); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	q := await[*ipc.ListenRequest](t, parent)
	if len(q.Sockets) != 1 || q.Sockets[0].Address != l.Addr().String() {
		t.Errorf("asked for %+v", q.Sockets)
	}
	raw.Control(func(fd uintptr) { parent.Lend(q, [][]int{{int(fd)}}, nil) })
	ready := prepared(t, parent)
	if note := ready.Prepared.Note; ready.Prepared.PidFile != "/no/pid" || !strings.Contains(note, "not confined: HERALD_CONFINE is off") && !strings.Contains(note, "race detector") {
		t.Errorf("prepared %+v", ready.Prepared)
	}
	parent.Go(ready, ipc.Go{State: []byte("nonsense"), Instances: json.RawMessage(`[{"name":"VI_1"}]`)})
	if line := string(await[ipc.LogLine](t, parent)); !strings.Contains(line, "cannot be used, starting afresh") {
		t.Errorf("of a state that is none it says %q", line)
	}
	if h := await[ipc.Health](t, parent); !h.Serving {
		t.Errorf("the health is %+v", h)
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if b, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 200 ") {
		t.Errorf("got %q, %v", b, err)
	}
	parent.Stop()
	if how := p.Wait(); how != "exit status 0" {
		t.Errorf("it ends with %s", how)
	}
	bad := child(t, "", "proxy", write(t, "h.cfg", "nonsense\n"))
	if found := await[ipc.Findings](t, bad.Peer()); len(found) == 0 || found[0].Severity != "error" {
		t.Errorf("of nonsense it finds %v", found)
	}
	if why := await[ipc.Failed](t, bad.Peer()); !strings.Contains(string(why), "has errors") || bad.Wait() != "exit status 1" {
		t.Errorf("of nonsense it says %q", why)
	}
	refused := child(t, "", "proxy", file)
	r := await[*ipc.ListenRequest](t, refused.Peer())
	refused.Peer().Lend(r, nil, unix.EADDRINUSE)
	if why := await[ipc.Failed](t, refused.Peer()); string(why) != unix.EADDRINUSE.Error() || refused.Wait() != "exit status 1" {
		t.Errorf("without its port it says %q", why)
	}
}

// A VRRP role alone in its network becomes master, and hands that over to the
// process behind it.
func TestAVRRPRoleIsAProcess(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for a network namespace")
	}
	name := fmt.Sprintf("heraldassemble%d", os.Getpid())
	ip := func(args ...string) error {
		out, err := exec.Command("ip", args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %v: %s, %w", args, out, err)
		}
		return nil
	}
	if err := ip("netns", "add", name); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { ip("netns", "del", name) })
	for _, args := range [][]string{{"link", "add", "d0", "type", "veth", "peer", "name", "d1"}, {"link", "set", "d0", "up"}, {"link", "set", "d1", "up"}, {"addr", "add", "192.0.2.2/24", "dev", "d0"}} {
		if err := ip(append([]string{"-n", name}, args...)...); err != nil {
			t.Skip(err)
		}
	}
	openCoverage()
	file := write(t, "k.conf", "vrrp_instance VI_1 {\n interface d0\n virtual_router_id 7\n priority 100\n advert_int 0.1\n virtual_ipaddress {\n 192.0.2.77/32\n }\n}\n")
	held := func() bool {
		out, _ := exec.Command("ip", "-n", name, "-4", "addr", "show", "dev", "d0").Output()
		return strings.Contains(string(out), "192.0.2.77/32")
	}
	first := child(t, name, "vrrp", file)
	ready := prepared(t, first.Peer())
	first.Peer().Go(ready, ipc.Go{First: true, Left: json.RawMessage(`{"net_namespace":"elsewhere"}`)})
	for len(await[ipc.Held](t, first.Peer())) == 0 {
	}
	if !held() {
		t.Error("the address it says it holds is not there")
	}
	first.Peer().AskStatus(5)
	var list []stats.Instance
	if reply := await[ipc.StatusReply](t, first.Peer()); json.Unmarshal(reply.Raw, &list) != nil || len(list) != 1 || list[0].State != "MASTER" {
		t.Errorf("its status is %s", reply.Raw)
	}
	first.Peer().Handover()
	left := await[ipc.Handed](t, first.Peer())
	if how := first.Wait(); how != "exit status 0" || !held() {
		t.Errorf("it ends with %s; the address is there: %v", how, held())
	}
	second := child(t, name, "vrrp", file)
	ready = prepared(t, second.Peer())
	second.Peer().Go(ready, ipc.Go{State: left, Proxy: ipc.ProxyFact{Known: true, Serving: true}, Parts: &ipc.Parts{}})
	for list[0].State = "INIT"; list[0].State == "INIT"; { // what was left is read in the loop's first turn
		second.Peer().AskStatus(6)
		if reply := await[ipc.StatusReply](t, second.Peer()); json.Unmarshal(reply.Raw, &list) != nil || len(list) != 1 {
			t.Fatalf("the status of its successor is %s", reply.Raw)
		}
	}
	if list[0].State != "MASTER" || list[0].Counters.BecomeMaster > 1 {
		t.Errorf("its successor is %+v, want it to go on as master", list[0])
	}
	second.Peer().Stop()
	for {
		if _, err := second.Peer().Receive(); err != nil {
			break
		}
	}
	if how := second.Wait(); how != "exit status 0" || held() {
		t.Errorf("it ends with %s; the address is there: %v", how, held())
	}
}

// openCoverage lets a role without rights leave what it covered, when that is
// asked for (go test -cover).
func openCoverage() {
	dir := os.Getenv("GOCOVERDIR")
	if dir == "" {
		return
	}
	os.Chmod(dir, 0o777)
	for range 2 { // what go test made, below the directory for all
		dir = dir[:max(strings.LastIndexByte(dir, '/'), 0)]
		os.Chmod(dir, 0o711)
	}
}
