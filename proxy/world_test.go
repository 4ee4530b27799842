package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"herald/proxy/admin"
	"herald/proxy/expr"
)

// What expressions can ask about the proxy, in each state of its servers.
func TestNumbersOfTheProxy(t *testing.T) {
	p := section("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3")
	p.Name, p.ID = "web", 7
	p.Timeouts.Client, p.Timeouts.Server, p.Timeouts.Tunnel = 1_000_000_000, 2_000_000_000, 3_000_000_000
	for i := range p.Servers {
		p.Servers[i].MaxConn, p.Servers[i].MaxQueue, p.Servers[i].Weight, p.Servers[i].ID = 10, 5, i+1, i+1
	}
	p.Servers[2].Backup = true
	r := serve(t, 1, p)
	f, b := r.frontends[0], r.backends[0]
	v := &view{w: r.workers[0], c: &client{w: r.workers[0], port: f.ports[0]}}
	number := func(m expr.Measure, of ...string) int64 {
		t.Helper()
		var ref expr.Reference
		if len(of) > 0 {
			ref.Name = of[0]
		}
		if len(of) > 1 {
			ref.Of = of[1]
		}
		n, ok := v.Number(m, ref)
		if !ok {
			return -99
		}
		return n
	}
	want := func(what string, got, want int64) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	name := p.Servers[1].Name
	want("fe_id", number(expr.FrontendID), 7)
	want("fe_conn of nobody", number(expr.FrontendConnections, "none"), -99)
	want("fe_client_timeout", number(expr.FrontendClientTimeout, "web"), 1000)
	want("be_server_timeout", number(expr.BackendServerTimeout), 2000)
	want("be_tunnel_timeout", number(expr.BackendTunnelTimeout), 3000)
	want("nbsrv of nobody", number(expr.BackendServersUp, "none"), -99)
	want("nbsrv", number(expr.BackendServersUp, "web"), 2)
	want("connslots", number(expr.BackendSlots), 45)
	want("be_conn_free", number(expr.BackendConnectionsFree), 20)
	want("srv_conn_free", number(expr.ServerConnectionsFree, "web", name), 10)
	want("srv_conn of nobody", number(expr.ServerConnections, "web", "none"), -99)
	want("srv_iweight", number(expr.ServerInitialWeight, "", name), 2)
	want("srv_weight", number(expr.ServerWeight, "", name), 2)
	want("srv_is_up", number(expr.ServerUp, "", name), 1)
	want("so_id", number(expr.ListenerID), 1)
	want("srv_id without one", number(expr.ServerID), -99)
	want("stopping", number(expr.Stopping), 0)
	want("http_first_req", number(expr.FirstRequest), 1)
	v.x = &stream{assigned: b.targets[1], be: b}
	want("srv_id", number(expr.ServerID), 2)
	if got := v.Name(expr.ServerName) + " " + v.Name(expr.BackendName) + " " + v.Name(expr.FrontendName) + " " + v.Name(expr.FrontendDefault); got != name+" web web web" {
		t.Errorf("names: %s", got)
	}
	b.targets[0].sessions.now.Store(10)
	b.targets[1].sessions.now.Store(4)
	b.line.n.now.Store(3)
	b.targets[1].line.n.now.Store(2)
	want("srv_conn", number(expr.ServerConnections, "", name), 4)
	want("srv_queue", number(expr.ServerQueue, "", name), 2)
	want("queue", number(expr.BackendQueue), 5)
	want("avg_queue", number(expr.BackendQueueShare), 3)
	want("be_conn_free", number(expr.BackendConnectionsFree), 6)
	want("connslots", number(expr.BackendSlots), 29)
	for i := range 2 {
		if err := r.SetServerState("web", p.Servers[i].Name, admin.StateMaint); err != nil {
			t.Fatal(err)
		}
	}
	want("srv_is_up in maintenance", number(expr.ServerUp, "", name), 0)
	want("nbsrv of the backup", number(expr.BackendServersUp), 1)
	want("be_conn_free of the backup", number(expr.BackendConnectionsFree), 10)
	if err := r.SetServerState("web", p.Servers[2].Name, admin.StateMaint); err != nil {
		t.Fatal(err)
	}
	want("nbsrv of none", number(expr.BackendServersUp), 0)
	want("avg_queue of none", number(expr.BackendQueueShare), 10)
	b.line.n.now.Store(0)
	b.targets[1].line.n.now.Store(0)
	for i := range 2 {
		b.targets[i].sessions.now.Store(0)
	}
	if _, ok := v.Link(expr.ServerSide); ok || v.TLS(expr.ServerSide) != nil {
		t.Error("there is a connection to a server before one was made")
	}
}

// The same value of any expression leads to the same server.
func TestHashOfAnyExpression(t *testing.T) {
	named := func(name string) string {
		return origin(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })
	}
	p := section(named("a"), named("b"))
	p.Balance, p.HashOf = "hash", expression(t, "req.hdr(x-key),lower,crc32")
	r := serve(t, 1, p)
	ask := func(key string) string {
		answer := r.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Key: " + key + "\r\n\r\n")
		return answer[strings.LastIndex(answer, "\n")+1:]
	}
	seen := map[string]bool{}
	for _, key := range []string{"Abc", "abcd", "x", "yz", "Q", "rst", "UVW", "X1"} {
		one := ask(key)
		if other := ask(strings.ToUpper(key)); one != other || one == "" {
			t.Errorf("%s: %q and %q", key, one, other)
		}
		seen[one] = true
	}
	if len(seen) != 2 {
		t.Errorf("all keys lead to %v", seen)
	}
}
