package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"herald/proxy/admin"
	"herald/proxy/rule"
	"herald/proxy/settings"
	"herald/stats"
)

func TestThePageNeedsItsPasswordAndShowsEveryServer(t *testing.T) {
	p := section(script(t, says(five)))
	p.Stats = &settings.Stats{URI: "/stats", Realm: "HAProxy Statistics", Users: []settings.StatsUser{{Name: "admin", Password: "openstack"}}}
	r := serve(t, 1, p)
	r.SetInstances([]stats.Instance{{Name: "inside <&>", State: "MASTER", VRID: 51, Since: time.Unix(0, 0)}})
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	fetch := func(uri, password string) (int, string, http.Header) {
		q, _ := http.NewRequest("GET", "http://"+r.addr+uri, nil)
		if password != "" {
			q.SetBasicAuth("admin", password)
		}
		resp, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b), resp.Header
	}
	if status, _, h := fetch("/stats", ""); status != 401 || !strings.Contains(h.Get("WWW-Authenticate"), "HAProxy Statistics") {
		t.Errorf("without a password: got %d, %v", status, h)
	}
	if status, _, _ := fetch("/stats", "wrong"); status != 401 {
		t.Errorf("with a wrong password: got %d, want 401", status)
	}
	status, body, _ := fetch("/stats", "openstack")
	if status != 200 || !strings.Contains(body, "inside &lt;&amp;&gt;") || !strings.Contains(body, "s1") {
		t.Errorf("page: got %d and %d bytes without the instance or the server", status, len(body))
	}
	status, body, _ = fetch("/stats;csv", "openstack")
	if status != 200 || !strings.HasPrefix(body, "# pxname,svname,") || !strings.Contains(body, "\nweb,s1,") {
		t.Errorf("csv: got %d %.80q", status, body)
	}
	r.log.wait(t, `web/<STATS> \d+/\d+/\d+/\d+/\d+ 200 \d+ - - LR-- `)
	if status, body, _ := fetch("/other", ""); status != 200 || body != "hello" {
		t.Errorf("another path: got %d %q", status, body)
	}
}

func TestAFormPostedToThePageChangesAServer(t *testing.T) {
	p := section(script(t, says(five)))
	p.Stats = &settings.Stats{URI: "/stats", Admin: []rule.Condition{{}}}
	r := serve(t, 1, p)
	form := "s=s1&action=maint&b=%232"
	c := r.dial()
	fmt.Fprintf(c, "POST /stats HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", r.addr, len(form))
	io.WriteString(c, form[:4]) // the body comes in pieces
	io.WriteString(c, form[4:])
	b, _ := io.ReadAll(c)
	if !strings.HasPrefix(string(b), "HTTP/1.1 303 ") {
		t.Errorf("got %q, want 303", b)
	}
	if got := r.Snapshot().Proxies[0].Rows[1].Status; got != "MAINT" {
		t.Errorf("server: got %s, want MAINT", got)
	}
}

func TestMonitorURIIsAnsweredHereAndNotLogged(t *testing.T) {
	p := section("127.0.0.1:1")
	p.MonitorURI = "/alive"
	p.Connection = settings.Close
	p.Timeouts.Connect = 50 * time.Millisecond
	p.Retries = 0
	r := serve(t, 1, p)
	if got := r.exchange("GET /alive HTTP/1.1\r\nHost: a\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
		t.Errorf("got %q", got)
	}
	r.exchange(get)
	line := r.log.wait(t, "GET ")
	if strings.Contains(line, "/alive") {
		t.Errorf("logged: %s", line)
	}
}

func TestTheRuntimeAPIReachesTheEngine(t *testing.T) {
	held := make(chan struct{})
	o := script(t, func(c net.Conn) { readHeadOf(c); close(held); mute(c) })
	p := section(o, "127.0.0.1:1")
	p.Servers[1].Disabled = true
	r := serve(t, 2, p)
	cli := admin.New(r.Server, admin.Options{})
	defer cli.Close()
	c := r.dial()
	io.WriteString(c, get)
	<-held
	for _, tc := range []struct{ command, want string }{
		{"show stat", "web,s1,"},
		{"show info", "CurrConns: 1"},
		{"show servers state web", "web 1 s1 "},
		{"show sess", "fe=web be=web srv=s1"},
		{"set server web/s1 state maint", ""},
		{"show stat", "MAINT"},
		{"set server web/s1 state ready", ""},
		{"set weight web/s1 2", ""},
		{"get weight web/s1", "2 (initial 1)"},
		{"set server web/none state ready", "No such server."},
		{"set server none/s1 state ready", "No such backend."},
		{"set server web/s2 health down", ""}, // not checked: taken all the same
		{"enable health web/s1", "Health check was not configured on this server, cannot enable."},
		{"disable health web/s1", ""},
		{"set maxconn frontend web 100", ""},
		{"set maxconn frontend none 100", "No such frontend."},
		{"set maxconn server web/s1 7", ""},
		{"set maxconn global 0", ""},
		{"disable frontend web", ""},
		{"enable frontend web", ""},
		{"clear counters all", ""},
		{"shutdown sessions server web/s1", ""},
	} {
		got := cli.Do(tc.command, admin.Admin)
		if !strings.Contains(got, tc.want) {
			t.Errorf("%s: got %q, want %q in it", tc.command, got, tc.want)
		}
	}
	b, _ := io.ReadAll(c)
	if !strings.HasPrefix(string(b), "HTTP/1.1 502 ") {
		t.Errorf("the session shut down: got %q, want 502", b)
	}
	r.log.wait(t, " KH-- ")
	if r.ShutdownSession(1 << 60) {
		t.Error("a session that does not exist was shut down")
	}
}

func TestAServerMovesToAnotherAddress(t *testing.T) {
	a, b := script(t, says(five)), script(t, says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"))
	r := serve(t, 1, section(a))
	c := r.dial()
	in := bufio.NewReader(c)
	ask := func() string {
		io.WriteString(c, get)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		return string(body)
	}
	if got := ask(); got != "hello" {
		t.Errorf("before: got %q", got)
	}
	var port int
	_, text, _ := net.SplitHostPort(b)
	fmt.Sscan(text, &port)
	if err := r.SetServerAddr("web", "s1", "127.0.0.1", port); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != "other" {
		t.Errorf("after: got %q, want other", got)
	}
	if err := r.SetServerAddr("web", "s1", "not an address", 0); err == nil {
		t.Error("a bad address was taken")
	}
}

func TestAFullFrontendAcceptsAgainWhenOneLeaves(t *testing.T) {
	p := section(script(t, says(five)))
	p.MaxConn = 2
	r := serve(t, 2, p)
	a, b := r.dial(), r.dial()
	waitFor(t, func() bool { return r.frontends[0].conns.now.Load() == 2 })
	third := r.dial()
	io.WriteString(third, get)
	waitFor(t, func() bool { return r.frontends[0].paused.Load() })
	if got := r.Snapshot().Proxies[0].Rows[0].Status; got != "FULL" {
		t.Errorf("status: got %s, want FULL", got)
	}
	a.Close()
	if !readHeadOf(third) {
		t.Error("the third connection was never served")
	}
	b.Close()
	if most := r.frontends[0].conns.most.Load(); most > 2 {
		t.Errorf("connections: got %d at once, want 2 at most", most)
	}
}

func TestAnIdleConnectionIsClosedWithoutALine(t *testing.T) {
	p := section(script(t, says(five)))
	p.Timeouts.HTTPKeepAlive = 50 * time.Millisecond
	r := serve(t, 1, p)
	c := r.dial()
	io.WriteString(c, get)
	b, err := io.ReadAll(c)
	if err != nil || !strings.HasSuffix(string(b), "hello") {
		t.Errorf("got %q, %v", b, err)
	}
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	if len(r.log.all) != 1 {
		t.Errorf("got %d lines, want the request's alone: %q", len(r.log.all), r.log.all)
	}
}

func TestALaterHeadSentByteByByteMeetsItsDeadline(t *testing.T) {
	p := section(script(t, says(five)))
	p.Timeouts.HTTPRequest = 150 * time.Millisecond
	r := serve(t, 1, p)
	c := r.dial()
	io.WriteString(c, get)
	if !readHeadOf(c) {
		t.Fatal("no response")
	}
	start := time.Now()
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range 200 {
			if _, err := io.WriteString(c, "x"); err != nil {
				return
			}
			<-tick.C
		}
	}()
	io.Copy(io.Discard, c)
	if took := time.Since(start); took > time.Second {
		t.Errorf("closed after %v, want about 150 ms", took)
	}
	r.log.wait(t, ` 408 \d+ - - cR-- `)
}

func TestAServerComesAndGoesWithItsChecks(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	p := section(addr)
	p.Servers[0].Check, p.Servers[0].Inter, p.Servers[0].Rise, p.Servers[0].Fall = true, 20*time.Millisecond, 1, 1
	r := serve(t, 1, p)
	r.log.wait(t, "Server web/s1 is DOWN")
	if got := r.exchange(get); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("with its only server down: got %q", got)
	}
	row := r.Snapshot().Proxies[0].Rows[2]
	if row.Status != "DOWN" || row.Name != "BACKEND" {
		t.Errorf("got %s %s, want BACKEND DOWN", row.Name, row.Status)
	}
	if l, err = net.Listen("tcp", addr); err != nil {
		t.Skipf("the port was taken by another program: %v", err)
	}
	defer l.Close()
	r.log.wait(t, "Server web/s1 is UP, reason: Layer4 check passed")
}

func TestNewReportsEveryProblemAtOnce(t *testing.T) {
	p := section("127.0.0.1:1")
	p.Backend, p.DefaultBackend = false, "nowhere"
	q := section("127.0.0.1:1")
	q.Name, q.Frontend = "b", false
	q.Servers[0].Host = "no.such.name.invalid"
	_, err := New(&settings.Config{Proxies: []*settings.Proxy{p, q}}, Options{Loops: 1})
	for _, want := range []string{"web: default_backend nowhere: no such backend", "b/s1: could not resolve address \"no.such.name.invalid\""} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func TestServeRefusesToStartWithoutItsSockets(t *testing.T) {
	p := section("127.0.0.1:1")
	p.Binds = []settings.Bind{{Network: "tcp", Host: "192.0.2.1", Port: 80}, {Network: "unix", Path: "/run/x", UID: 5, GID: 6}, {Network: "tcp", Host: "::", Port: 81, V6Only: true}}
	cfg := &settings.Config{Proxies: []*settings.Proxy{p}, Global: settings.Global{
		StatsSockets: []settings.StatsSocket{{Bind: settings.Bind{Network: "unix", Path: "/run/s"}, Level: settings.LevelAdmin}}}}
	s, err := New(cfg, Options{Loops: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	needs := s.Needs()
	if len(needs) != 4 || needs[0].Sockets != 3 || needs[1].Sockets != 1 || !needs[2].V6Only || !needs[3].Stats {
		t.Errorf("needs: got %+v", needs)
	}
	if got := s.StatsSockets(); len(got) != 1 || got[0].Key != needs[3].Key() || got[0].Name != "unix@/run/s" {
		t.Errorf("stats sockets: got %+v", got)
	}
	if err := s.Serve(nil); err == nil || !strings.Contains(err.Error(), "no socket lent") {
		t.Errorf("serve: got %v", err)
	}
	if ok, why := s.Serving(); ok || why != "not started" {
		t.Errorf("serving: got %v, %q", ok, why)
	}
}

func TestNoDescriptorIsLeftBehind(t *testing.T) {
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc")
		}
		return len(fds)
	}
	before := count()
	t.Run("traffic", func(t *testing.T) {
		r := serve(t, 2, section(script(t, says(five))))
		for range 20 {
			c := r.dial()
			io.WriteString(c, get)
			readHeadOf(c)
			c.Close()
		}
		waitFor(t, func() bool { return r.conns.now.Load() == 0 })
		if ok, why := r.Serving(); !ok {
			t.Errorf("serving: got %v, %q", ok, why)
		}
	})
	if after := count(); after > before {
		t.Errorf("descriptors: got %d, want %d", after, before)
	}
}
