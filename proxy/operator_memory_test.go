package proxy

import (
	"fmt"
	"net"
	"testing"

	"herald/proxy/settings"
)

// succeed serves a section as the successor of r.
func (r *rig) succeed(p *settings.Proxy) *rig {
	r.t.Helper()
	memory, err := r.Memory()
	if err != nil {
		r.t.Fatal(err)
	}
	r.Close()
	return follow(r.t, memory, 2, p)
}

func TestWhatAnOperatorSetOutlivesAReloadUnlessTheFileChanged(t *testing.T) {
	a, b := script(t, says(five)), script(t, says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"))
	made := func() *settings.Proxy {
		p := section(a)
		p.Servers[0].MaxConn, p.MaxConn = 50, 100
		return p
	}
	r := serve(t, 2, made())
	_, text, _ := net.SplitHostPort(b)
	var port int
	fmt.Sscan(text, &port)
	for _, err := range []error{r.SetServerAddr("web", "s1", "127.0.0.1", port), r.SetServerMaxConn("web", "s1", 7), r.SetFrontendMaxConn("web", 30), r.SetMaxConn(300)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	is := func(what string, r *rig, answer string, server, front, all int64) {
		t.Helper()
		if got := r.exchange("GET / HTTP/1.0\r\n\r\n"); got[len(got)-5:] != answer {
			t.Errorf("%s: got %q, want %s", what, got, answer)
		}
		x := r.backends[0].targets[0]
		if s, f, p := x.maxConn.Load(), r.frontends[0].maxConn.Load(), r.maxConn.Load(); s != server || f != front || p != all {
			t.Errorf("%s: limits %d, %d, %d, want %d, %d, %d", what, s, f, p, server, front, all)
		}
	}
	is("set", r, "other", 7, 30, 300)
	r = r.succeed(made())
	is("after a reload", r, "other", 7, 30, 300)
	r = r.succeed(made())
	is("after another", r, "other", 7, 30, 300)
	p := made()
	p.Servers[0].MaxConn, p.MaxConn, p.Servers[0].Host = 60, 110, "127.0.0.2" // which is the same machine
	r = r.succeed(p)
	x := r.backends[0].targets[0]
	if x.maxConn.Load() != 60 || r.frontends[0].maxConn.Load() != 110 || x.addr.Load().ip.Addr().String() != "127.0.0.2" {
		t.Errorf("with another file: server %d at %s, frontend %d, want what the file says", x.maxConn.Load(), x.addr.Load().text, r.frontends[0].maxConn.Load())
	}
}

func TestADisabledFrontendStaysSoOverAReload(t *testing.T) {
	o := script(t, says(five))
	r := serve(t, 2, section(o))
	if err := r.SetFrontend("web", false); err != nil {
		t.Fatal(err)
	}
	r = r.succeed(section(o))
	if got := r.Snapshot().Proxies[0].Rows[0].Status; got != "PAUSED" {
		t.Errorf("status: got %s, want PAUSED", got)
	}
	c := r.dial() // the kernel takes it
	fmt.Fprint(c, get)
	if n := r.frontends[0].conns.now.Load(); n != 0 {
		t.Errorf("%d connections accepted", n)
	}
	if err := r.SetFrontend("web", true); err != nil {
		t.Fatal(err)
	}
	if !readHeadOf(c) {
		t.Error("not served after it was enabled again")
	}
}
