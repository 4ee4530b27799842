package proxy

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"herald/proxy/admin"
	"herald/proxy/settings"
)

func TestServersFollowTheOneTheyTrackOverSeveral(t *testing.T) {
	p := section("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3")
	p.Servers[1].Track = settings.Track{Backend: "web", Server: "s1"}
	p.Servers[2].Track = settings.Track{Backend: "web", Server: "s2"}
	r := serve(t, 1, p)
	if err := r.SetServerState("web", "s1", admin.StateMaint); err != nil {
		t.Fatal(err)
	}
	rows := r.Snapshot().Proxies[0].Rows
	for i, want := range []string{"MAINT ", "MAINT (via web/s1) web/s1", "MAINT (via web/s2) web/s2"} {
		if got := rows[i+1].Status + " " + rows[i+1].Tracked; got != want {
			t.Errorf("server %d: want %q, got %q", i+1, want, got)
		}
	}
	r.log.wait(t, "Server web/s3 is going DOWN for maintenance via web/s2. 0 active and 0 backup servers left.")
	if got := r.exchange(get + "x"); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q, want 503", got)
	}
	memory, err := r.Memory()
	if err != nil {
		t.Fatal(err)
	}
	q := section("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3") // one of them no longer tracks
	q.Servers[1].Track = settings.Track{Backend: "web", Server: "s1"}
	next := follow(t, memory, 1, q)
	rows = next.Snapshot().Proxies[0].Rows
	for i, want := range []string{"MAINT", "MAINT (via web/s1)", "no check"} {
		if got := rows[i+1].Status; got != want {
			t.Errorf("after a reload, server %d: want %q, got %q", i+1, want, got)
		}
	}
	if err := next.SetServerState("web", "s1", admin.StateReady); err != nil {
		t.Fatal(err)
	}
	if got := next.Snapshot().Proxies[0].Rows[2].Status; got != "no check" {
		t.Errorf("after the end of the maintenance: %q", got)
	}
}

func TestAFollowerTakesNoHealthOfItsOwn(t *testing.T) {
	p := section("127.0.0.1:1", "127.0.0.1:2")
	p.Servers[1].Track = settings.Track{Backend: "web", Server: "s1"}
	r := serve(t, 1, p)
	if err := r.SetServerHealth("web", "s2", admin.HealthDown); err == nil || err.Error() != "cannot change health on a tracking server." {
		t.Errorf("got %v", err)
	}
}

// The lines were seen on HAProxy 2.6.12.
func TestErrorsOfTrafficTakeAnObservedServerDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	good := l.Addr().(*net.TCPAddr).Port
	t.Cleanup(func() { l.Close() })
	p := section("127.0.0.1:1")
	s := &p.Servers[0]
	s.Check, s.CheckPort, s.Inter = true, good, time.Hour
	s.Observe, s.ErrorLimit, s.OnError = settings.ObserveLayer4, 2, settings.OnErrorMarkDown
	p.Retries = 0
	r := serve(t, 1, p)
	for range 2 {
		r.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	}
	r.log.wait(t, `Server web/s1 is DOWN, reason: Health analyze, info: "Detected 2 consecutive errors, last one was: L4 unsuccessful connection". 0 active and 0 backup servers left.`)
}

func TestWrongStatusesInARowAreErrorsOnLayer7(t *testing.T) {
	status := "500 Oops"
	origin := script(t, func(c net.Conn) {
		for readHeadOf(c) {
			io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
		}
	})
	p := section(origin)
	s := &p.Servers[0]
	s.Check, s.Inter = true, time.Hour
	s.Observe, s.ErrorLimit, s.OnError = settings.ObserveLayer7, 2, settings.OnErrorMarkDown
	r := serve(t, 1, p)
	x := r.backends[0].targets[0]
	c := r.dial()
	ask := func(want int64) {
		t.Helper()
		io.WriteString(c, get)
		readHeadOf(c)
		if got := x.errors.Load(); got != want {
			t.Errorf("after %s: %d errors in a row, want %d", status, got, want)
		}
	}
	ask(1)
	status = "501 Not Implemented"
	ask(0)
	status = "599 Strange"
	ask(1)
	ask(0)
	r.log.wait(t, `Server web/s1 is DOWN, reason: Health analyze, info: "Detected 2 consecutive errors, last one was: Wrong http response".`)
	if row := r.rowOf("web", "s1"); !row.Observed || row.Analyses != 1 {
		t.Errorf("hanafail: %v %d, want 1", row.Observed, row.Analyses)
	}
}
