package proxy

import (
	"fmt"
	"net"
	"testing"
	"time"

	"herald/proxy/settings"
)

func TestBackendsWithTheSameServerShareOneCheck(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	defer func() { l.Close() }()
	backend := func(name string, share bool) *settings.Proxy {
		p := section(addr)
		p.Name, p.Frontend, p.Binds = name, name == "web", nil
		p.Servers[0].Check, p.Servers[0].Inter, p.Servers[0].Rise, p.Servers[0].Fall = true, 40*time.Millisecond, 1, 2
		p.Check.Share, p.LogHealthChecks = share, true
		return p
	}
	first := section(addr)
	first.Servers[0].Check, first.Servers[0].Inter, first.Servers[0].Rise, first.Servers[0].Fall = true, 40*time.Millisecond, 1, 2
	first.Check.Share, first.LogHealthChecks = true, true
	list := []*settings.Proxy{first}
	for i := range 5 {
		list = append(list, backend(fmt.Sprintf("b%d", i), true))
	}
	list = append(list, backend("alone", false))
	r := serve(t, 1, list...)
	r.log.wait(t, `Health check for server b4/s1 succeeded`)
	l.Close()
	for _, b := range []string{"web", "b0", "b4", "alone"} {
		r.log.wait(t, `Server `+b+`/s1 is DOWN`)
	}
	checks := func(name string) (n uint64) {
		for _, b := range r.backends {
			if b.cfg.Name == name {
				b.mu.Lock()
				defer b.mu.Unlock()
				return b.targets[0].state.Checks
			}
		}
		return 0
	}
	n := checks("b0")
	if m := checks("b3"); m+1 < n || n+1 < m {
		t.Errorf("b0 has had %d outcomes and b3 %d: want the same", n, m)
	}
	var groups int
	for _, b := range r.backends {
		if g := b.targets[0].shared; g != nil {
			groups++
			if len(g.members) != 6 {
				t.Errorf("%s shares with %d, want 6", b.cfg.Name, len(g.members))
			}
		} else if b.cfg.Name != "alone" {
			t.Errorf("%s shares with nobody", b.cfg.Name)
		}
	}
	if groups != 6 {
		t.Errorf("%d targets share, want 6", groups)
	}
}

// What reaches a server another way may end otherwise.
func TestChecksOverDifferentWaysAreNotShared(t *testing.T) {
	server := func(change func(*settings.Server)) string {
		p := section("127.0.0.1:1")
		p.Check.Share, p.Servers[0].Check = true, true
		change(&p.Servers[0])
		s, err := New(&settings.Config{Proxies: []*settings.Proxy{p}}, Options{Loops: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		key, ok := s.backends[0].targets[0].checkKey()
		if !ok {
			t.Fatal("the check is never shared")
		}
		return key
	}
	plain := server(func(s *settings.Server) { s.Weight = 7 })
	if again := server(func(*settings.Server) {}); again != plain {
		t.Errorf("the weight alone differs: keys %q and %q, want one", plain, again)
	}
	for name, change := range map[string]func(*settings.Server){
		"a source":    func(s *settings.Server) { s.Source.Host = "127.0.0.2" },
		"a device":    func(s *settings.Server) { s.Source.Interface = "lo" },
		"a namespace": func(s *settings.Server) { s.Namespace = "blue" },
		"a port":      func(s *settings.Server) { s.CheckPort = 2 },
		"a header":    func(s *settings.Server) { s.SendProxy.Version = 2 },
		"a SOCKS4":    func(s *settings.Server) { s.Socks4 = "127.0.0.1:1080" },
	} {
		if server(change) == plain {
			t.Errorf("%s is not in the key", name)
		}
	}
}

func TestChecksOfManyBackendsAreSpreadOverTheInterval(t *testing.T) {
	var list []*settings.Proxy
	for i := range 10 {
		p := section("127.0.0.1:1")
		p.Name, p.Frontend, p.Binds = fmt.Sprintf("b%d", i), false, nil
		p.Servers[0].Check, p.Servers[0].Inter = true, 10*time.Second
		list = append(list, p)
	}
	s, err := New(&settings.Config{Proxies: list}, Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, b := range s.backends {
		if got, want := b.targets[0].state.Next.Sub(s.start), time.Duration(i)*time.Second; got != want {
			t.Errorf("%s: first check after %v, want %v", b.cfg.Name, got, want)
		}
	}
}
