package proxy

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"herald/proxy/admin"
	"herald/proxy/settings"
)

// generation is the section every generation of these tests has: four
// servers, of which the second refuses its checks.
func generation(addrs ...string) *settings.Proxy {
	p := section(addrs...)
	p.Servers[1].Check, p.Servers[1].Fall, p.Servers[1].Inter = true, 1, time.Hour
	return p
}

// checkNow has the next check made at once.
func (r *rig) checkNow(backend, server string) {
	r.t.Helper()
	if err := r.SetServerCheck(backend, server, true); err != nil {
		r.t.Fatal(err)
	}
}

// counted is a server that counts its connections.
func counted(t *testing.T, n *atomic.Int64) string {
	return script(t, func(c net.Conn) { n.Add(1); says(five)(c) })
}

func TestWhatIsKnownOfServersOutlivesAReload(t *testing.T) {
	var taken [4]atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	addrs := []string{counted(t, &taken[0]), l.Addr().String(), counted(t, &taken[2]), counted(t, &taken[3])}
	old := serve(t, 2, generation(addrs...))
	old.checkNow("web", "s2")
	old.log.wait(t, "Server web/s2 is DOWN")
	old.SetServerState("web", "s3", admin.StateMaint)
	old.SetServerState("web", "s4", admin.StateDrain)
	old.SetServerWeight("web", "s1", 7)
	for range 5 {
		old.exchange("GET / HTTP/1.0\r\n\r\n")
	}
	memory, err := old.Memory()
	if err != nil {
		t.Fatal(err)
	}
	old.Close()
	counted, err := old.Counted()
	if err != nil {
		t.Fatal(err)
	}
	// The server would answer by now, but only a check may find that out.
	if l, err = net.Listen("tcp", addrs[1]); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	before := taken[2].Load() + taken[3].Load()
	next := follow(t, memory, 2, generation(addrs...))
	if err := next.TakeOver(counted); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ server, status string }{{"s1", "no check"}, {"s2", "DOWN"}, {"s3", "MAINT"}, {"s4", "DRAIN"}} {
		if got := next.rowOf("web", tc.server).Status; got != tc.status {
			t.Errorf("%s: got %s, want %s", tc.server, got, tc.status)
		}
	}
	for range 5 {
		if got := next.exchange("GET / HTTP/1.0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Errorf("got %q, want 200", got)
		}
	}
	if after := taken[2].Load() + taken[3].Load(); after != before {
		t.Errorf("servers out of service got %d connections", after-before)
	}
	if got := next.rowOf("web", "s2").SessTotal; got != 0 {
		t.Errorf("the server that was down got %d requests", got)
	}
	front, server, back := next.rowOf("web", "FRONTEND"), next.rowOf("web", "s1"), next.rowOf("web", "BACKEND")
	if front.ReqTotal != 10 || front.Resp[1] != 10 || server.SessTotal != 10 || server.Weight != 7 || back.Active != 1 {
		t.Errorf("requests %d, 2xx %d, server's %d, weight %d, active %d; want 10, 10, 10, 7, 1",
			front.ReqTotal, front.Resp[1], server.SessTotal, server.Weight, back.Active)
	}
	if got := next.rowOf("web", "s2").CheckDowns; got != 1 {
		t.Errorf("times down: got %d, want 1", got)
	}
	if got := next.Snapshot().Info.ConnRate; got > 10 {
		t.Errorf("connections of before count as of this second: %d", got)
	}
}

func TestABackendThatWasDownStaysDownWithoutSayingSoAgain(t *testing.T) {
	old := serve(t, 1, generation("127.0.0.1:1", "127.0.0.1:1"))
	old.checkNow("web", "s2")
	old.SetServerState("web", "s1", admin.StateMaint)
	old.log.wait(t, "has no server available")
	memory, err := old.Memory()
	if err != nil {
		t.Fatal(err)
	}
	next := follow(t, memory, 1, generation("127.0.0.1:1", "127.0.0.1:1"))
	if got := next.exchange(get); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q, want 503", got)
	}
	if line := next.log.wait(t, "."); !strings.Contains(line, " SC-- ") {
		t.Errorf("first line: got %q, want the request's", line)
	}
	row := next.rowOf("web", "BACKEND")
	if row.Status != "DOWN" || row.CheckDowns != 1 {
		t.Errorf("got %s after %d losses, want DOWN after 1", row.Status, row.CheckDowns)
	}
	next.SetServerState("web", "s1", admin.StateReady)
	if got := next.rowOf("web", "BACKEND").Status; got != "UP" {
		t.Errorf("with a server again: got %s, want UP", got)
	}
}

func TestTheFileWinsOverMemoryWhereItHasChanged(t *testing.T) {
	old := serve(t, 1, generation("127.0.0.1:1", "127.0.0.1:1"))
	old.checkNow("web", "s2")
	old.log.wait(t, "Server web/s2 is DOWN")
	old.SetServerWeight("web", "s1", 7)
	memory, err := old.Memory()
	if err != nil {
		t.Fatal(err)
	}
	p := generation("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3")
	p.Servers[0].Weight = 3
	p.Servers[1].Inter = time.Hour
	s, err := New(&settings.Config{Proxies: []*settings.Proxy{p}}, Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Recall(memory); err != nil {
		t.Fatal(err)
	}
	rows := s.Snapshot().Proxies[0].Rows
	if rows[1].Weight != 3 || !strings.HasPrefix(rows[2].Status, "UP") || rows[3].Status != "no check" {
		t.Errorf("got weight %d, %s, %s; want 3, UP, no check", rows[1].Weight, rows[2].Status, rows[3].Status)
	}
}

func TestAMemoryThatIsNoneIsRefused(t *testing.T) {
	s, err := New(&settings.Config{Proxies: []*settings.Proxy{section("127.0.0.1:1")}}, Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, raw := range []string{"", "x", `{"backends":3}`} {
		if err := s.Recall([]byte(raw)); err == nil {
			t.Errorf("%q: taken", raw)
		}
	}
	if err := s.Recall([]byte(`{"backends":{"web":{"times":[[1,2,3]]}}}`)); err != nil {
		t.Errorf("lists of another length: %v", err)
	}
	if got := fmt.Sprint(s.Snapshot().Proxies[0].Rows[1].QueueTimeMax); got != "0" {
		t.Errorf("got %s ms, want 0", got)
	}
}

func TestAnOperatorsWordIsToldAtOnce(t *testing.T) {
	told := make(chan struct{}, 100)
	s, err := New(&settings.Config{Proxies: []*settings.Proxy{section("127.0.0.1:1")}}, Options{Loops: 1, Changed: func() { told <- struct{}{} }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, do := range map[string]func() error{
		"state":  func() error { return s.SetServerState("web", "s1", admin.StateMaint) },
		"weight": func() error { return s.SetServerWeight("web", "s1", 9) },
	} {
		if err := do(); err != nil || len(told) != 1 {
			t.Errorf("%s: %v, told %d times, want once", name, err, len(told))
		}
		for len(told) > 0 {
			<-told
		}
	}
}
