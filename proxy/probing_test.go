package proxy

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	checks "herald/proxy/check/script"
	"herald/proxy/settings"
)

// Where a check goes is what its rule says, else what the server line says of
// checks, else the server: the address and the port each for itself.
func TestWhereChecksGo(t *testing.T) {
	addr := func(host string, port int) func(*settings.Server) {
		return func(s *settings.Server) { s.CheckAddr, s.CheckPort = host, port }
	}
	unix := func(s *settings.Server) { s.Host, s.Port, s.Path = "", 0, "/s" }
	port := func(n int) *checks.Expr {
		x, err := checks.CompileExpr(fmt.Sprintf("int(%d)", n), false)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, c := range []struct {
		name string
		edit func(*settings.Server)
		rule checks.Connect
		want string
	}{
		{"the server", addr("", 0), checks.Connect{}, "tcp 127.0.0.1:1"},
		{"its port for checks", addr("", 2), checks.Connect{}, "tcp 127.0.0.1:2"},
		{"its address for checks", addr("::1", 0), checks.Connect{}, "tcp [::1]:1"},
		{"a name", addr("checked", 2), checks.Connect{}, "tcp 192.0.2.7:2"},
		{"a unix socket for checks", addr("/c", 0), checks.Connect{}, "unix /c"},
		{"an abstract one", addr("@c", 0), checks.Connect{}, "abns c"},
		{"the rule's address", addr("127.0.0.2", 2), checks.Connect{Addr: "127.0.0.3"}, "tcp 127.0.0.3:2"},
		{"with a port", addr("127.0.0.2", 2), checks.Connect{Addr: "127.0.0.3", AddrPort: 3}, "tcp 127.0.0.3:3"},
		{"and another", addr("", 2), checks.Connect{Addr: "127.0.0.3", AddrPort: 3, Port: port(4)}, "tcp 127.0.0.3:4"},
		{"the rule's port", addr("127.0.0.2", 2), checks.Connect{Port: port(4)}, "tcp 127.0.0.2:4"},
		{"the rule's name", addr("", 0), checks.Connect{Addr: "ruled"}, "tcp 192.0.2.8:1"},
		{"the rule's socket", addr("", 0), checks.Connect{Addr: "/r"}, "unix /r"},
		{"a unix server", unix, checks.Connect{}, "unix /s"},
		{"a unix server checked elsewhere", func(s *settings.Server) { unix(s); addr("127.0.0.2", 2)(s) }, checks.Connect{}, "tcp 127.0.0.2:2"},
		{"the client's address", func(s *settings.Server) { s.Host, s.Transparent = "", true }, checks.Connect{}, "tcp 0.0.0.0:1"},
		{"no port", func(s *settings.Server) { s.Port = 0 }, checks.Connect{}, "No port"},
	} {
		cfg := settings.Server{Name: "s", Host: "127.0.0.1", Port: 1}
		c.edit(&cfg)
		s := &Server{looked: map[string]looked{}}
		a, err := s.locate(&backend{}, &cfg)
		if err != nil {
			t.Fatal(err)
		}
		target := &target{cfg: &cfg, be: &backend{cfg: &settings.Proxy{}}, aim: newAim(&cfg),
			hosts: probed{"checked": netip.MustParseAddr("192.0.2.7"), "ruled": netip.MustParseAddr("192.0.2.8")}}
		w := checks.Want{Connect: &c.rule}
		if c.rule.Port != nil {
			w.Port = 4
		}
		p, err := target.place(a, w)
		got := p.Network + " " + p.Address
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestNamesOfChecksAreLookedUpAtStart(t *testing.T) {
	s := &Server{looked: map[string]looked{"a": {ip: netip.MustParseAddr("192.0.2.1")}, "b": {ip: netip.MustParseAddr("192.0.2.2")},
		"c": {ip: netip.MustParseAddr("192.0.2.3")}, "none": {err: errors.New("none")}}}
	rules := &checks.Script{Steps: []checks.Step{{Action: checks.ActConnect, Connect: &checks.Connect{Addr: "c"}}, {Action: checks.ActSend}}}
	b := &backend{cfg: &settings.Proxy{Check: settings.Check{Script: rules}}}
	cfg := settings.Server{CheckAddr: "a", Agent: settings.Agent{Addr: "b"}}
	found, err := s.hostsOf(b, &cfg)
	if err != nil || fmt.Sprint(found) != "map[a:192.0.2.1 b:192.0.2.2 c:192.0.2.3]" {
		t.Errorf("got %v, %v", found, err)
	}
	cfg.CheckAddr = "none"
	if _, err := s.hostsOf(b, &cfg); err == nil {
		t.Error("a name without an address was let pass")
	}
}

// A check sends a PROXY header where the server line has it for requests, but
// not elsewhere than to the server, where nobody may expect it: there
// check-send-proxy asks for one, of version 1 where requests have none.
func TestWhichChecksBeginWithAHeader(t *testing.T) {
	v2 := settings.ProxyHeader{Version: 2}
	for _, c := range []struct {
		name string
		cfg  settings.Server
		rule checks.Connect
		want int
	}{
		{"none", settings.Server{}, checks.Connect{Default: true}, 0},
		{"send-proxy-v2", settings.Server{SendProxy: v2}, checks.Connect{Default: true}, 2},
		{"elsewhere", settings.Server{SendProxy: v2, CheckPort: 2}, checks.Connect{Default: true}, 0},
		{"elsewhere, check-send-proxy", settings.Server{SendProxy: v2, CheckPort: 2, Checks: settings.ServerCheck{SendProxy: true}}, checks.Connect{Default: true}, 2},
		{"check-send-proxy", settings.Server{Checks: settings.ServerCheck{SendProxy: true}}, checks.Connect{Default: true}, 1},
		{"a rule", settings.Server{SendProxy: v2, Checks: settings.ServerCheck{SendProxy: true}}, checks.Connect{}, 0},
		{"a rule with send-proxy", settings.Server{}, checks.Connect{SendProxy: true}, 1},
	} {
		c.cfg.Host, c.cfg.Port = "127.0.0.1", 1
		a := newAddress(netip.MustParseAddrPort("127.0.0.1:1"))
		target := &target{cfg: &c.cfg, be: &backend{cfg: &settings.Proxy{}}, aim: newAim(&c.cfg)}
		p, err := target.place(a, checks.Want{Connect: &c.rule})
		if err != nil || p.Header != c.want {
			t.Errorf("%s: version %d, %v, want %d", c.name, p.Header, err, c.want)
		}
	}
}
