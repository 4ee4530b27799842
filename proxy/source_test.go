package proxy

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"herald/proxy/h1"
	"herald/proxy/settings"
)

// seen is a server that answers with the address it sees.
func seen(t *testing.T) string {
	return script(t, func(c net.Conn) {
		for readHeadOf(c) {
			text := c.RemoteAddr().String()
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		}
	})
}

func TestConnectionsComeFromTheSource(t *testing.T) {
	for name, tc := range map[string]struct {
		section, server settings.Source
		want            string // begins with
	}{
		"none":            {want: "127.0.0.1:"},
		"the section's":   {section: settings.Source{Host: "127.0.0.3"}, want: "127.0.0.3:"},
		"the server's":    {section: settings.Source{Host: "127.0.0.3"}, server: settings.Source{Host: "127.0.0.4"}, want: "127.0.0.4:"},
		"a port":          {server: settings.Source{Host: "127.0.0.5", Port: 31234, LastPort: 31234}, want: "127.0.0.5:31234"},
		"a range":         {server: settings.Source{Host: "127.0.0.6", Port: 41000, LastPort: 41009}, want: "127.0.0.6:4100"},
		"an interface":    {server: settings.Source{Interface: "lo"}, want: "127.0.0.1:"},
		"both of a place": {server: settings.Source{Host: "127.0.0.7", Interface: "lo"}, want: "127.0.0.7:"},
	} {
		t.Run(name, func(t *testing.T) {
			p := section(seen(t))
			p.Source, p.Servers[0].Source = tc.section, tc.server
			r := serve(t, 1, p)
			v := r.visitor()
			if got := v.ask(t); !strings.HasPrefix(got, tc.want) {
				t.Errorf("the server saw %q, want %q", got, tc.want)
			}
		})
	}
}

func TestARangeOfPortsIsUsedUpAndFreed(t *testing.T) {
	p := section(seen(t))
	p.Retries = 0
	p.Reuse = settings.ReuseNever // every client keeps its own
	p.Servers[0].Source = settings.Source{Host: "127.0.0.8", Port: 42000, LastPort: 42002}
	r := serve(t, 1, p)
	ports := map[string]bool{}
	var all []visitor
	for range 3 {
		v := r.visitor()
		all = append(all, v)
		got := v.ask(t)
		if !strings.HasPrefix(got, "127.0.0.8:4200") {
			t.Errorf("the server saw %q", got)
		}
		ports[got] = true
	}
	if len(ports) != 3 {
		t.Errorf("ports: %v", ports)
	}
	if got := r.exchange(get); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("a fourth: %q", got)
	}
	if got := all[1].ask(t); !strings.HasPrefix(got, "127.0.0.8:4200") {
		t.Errorf("an old one: %q", got)
	}
}

// With usesrc the server sees the client, or whom a header names; without the
// right to, the request is refused.
func TestAServerSeesSomebodyElse(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	allowed := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1) == nil
	unix.Close(fd)
	if !allowed {
		t.Skip("needs CAP_NET_RAW")
	}
	for name, tc := range map[string]struct {
		use  settings.Source
		send string
		want string
	}{
		"an address":      {settings.Source{Use: settings.UseAddress, UseHost: "127.9.9.9"}, get, "127.9.9.9:"},
		"client":          {settings.Source{Use: settings.UseClient}, "PROXY TCP4 127.5.5.5 127.0.0.1 35555 80\r\n" + get, "127.5.5.5:35555"},
		"clientip":        {settings.Source{Use: settings.UseClientIP}, get, "127.0.0.1:"},
		"a header":        {settings.Source{Use: settings.UseHeader, Header: "x-forwarded-for", Occurrence: -1}, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 127.1.1.1, 127.2.2.2\r\n\r\n", "127.2.2.2:"},
		"a header, first": {settings.Source{Use: settings.UseHeader, Header: "x-forwarded-for", Occurrence: 1}, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 127.1.1.1, 127.2.2.2\r\n\r\n", "127.1.1.1:"},
		"no header":       {settings.Source{Host: "127.0.0.9", Use: settings.UseHeader, Header: "x-forwarded-for", Occurrence: -1}, get, "127.0.0.9:"},
	} {
		t.Run(name, func(t *testing.T) {
			p := section(seen(t))
			p.Servers[0].Source = tc.use
			p.Binds = []settings.Bind{{AcceptProxy: strings.HasPrefix(tc.send, "PROXY")}}
			r := serve(t, 1, p)
			if !r.Impersonates() {
				t.Error("no capability is asked for")
			}
			c := r.dial()
			io.WriteString(c, tc.send)
			c.CloseWrite()
			all, _ := io.ReadAll(c)
			if _, body, _ := strings.Cut(string(all), "\r\n\r\n"); !strings.HasPrefix(body, tc.want) {
				t.Errorf("the server saw %q, want %q", body, tc.want)
			}
		})
	}
}

func TestWhichHeaderNamesAnAddress(t *testing.T) {
	text := []byte("GET / HTTP/1.1\r\nA: 1.1.1.1, 2.2.2.2\r\nB: x\r\nA: 3.3.3.3:80\r\nC: [2001:db8::1]:7\r\nD: 2001:db8::2\r\n\r\n")
	var h h1.Head
	h.ParseRequest(text)
	for key, want := range map[headerKey]string{
		{"a", 1}: "1.1.1.1", {"a", 2}: "2.2.2.2", {"a", 3}: "3.3.3.3", {"a", -1}: "3.3.3.3", {"a", -3}: "1.1.1.1", {"a", 4}: "invalid IP",
		{"a", -4}: "invalid IP", {"b", 1}: "invalid IP", {"c", 1}: "2001:db8::1", {"d", -1}: "2001:db8::2", {"e", 1}: "invalid IP",
	} {
		if got := headerAddress(&h, text, key).String(); got != want {
			t.Errorf("%v: got %s, want %s", key, got, want)
		}
	}
}

func TestAServerOnAnAbstractSocket(t *testing.T) {
	name := fmt.Sprintf("herald-server-%d", unix.Getpid())
	l := listenAbstract(t, name)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			saysAndCloses(five)(c)
			c.Close()
		}
	}()
	p := section("127.0.0.1:1")
	p.Servers[0].Host, p.Servers[0].Port, p.Servers[0].Path, p.Servers[0].Abstract = "", 0, name, true
	p.Servers[0].Check = true
	r := serve(t, 1, p)
	if got := r.exchange(get); !strings.HasSuffix(got, "hello") {
		t.Errorf("got %q", got)
	}
	r.log.wait(t, `web/s1 `)
}

// listenAbstract listens on an abstract name padded as HAProxy's are.
func listenAbstract(t *testing.T, name string) net.Listener {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	a := unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	for i := range len(name) {
		a.Path[1+i] = int8(name[i])
	}
	if _, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&a)), unsafe.Sizeof(a)); errno != 0 {
		t.Fatal(errno)
	}
	if err := unix.Listen(fd, 16); err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// "server s 127.0.0.1:+N" and "server s *" go where the client went.
func TestAServerThatFollowsTheClient(t *testing.T) {
	p := section("127.0.0.1:1")
	p.Servers[0].Port, p.Servers[0].PortOffset = 0, 7
	r := serve(t, 1, p)
	front := netip.MustParseAddrPort(r.addr)
	l, err := net.Listen("tcp", netip.AddrPortFrom(front.Addr(), front.Port()+7).String())
	if err != nil {
		t.Skip(err) // somebody else's port
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			saysAndCloses(five)(c)
			c.Close()
		}
	}()
	if got := r.exchange(get); !strings.HasSuffix(got, "hello") {
		t.Errorf("relative port: %q", got)
	}

	o := seen(t)
	p = section(o)
	p.Servers[0].Host, p.Servers[0].Transparent = "", true
	r = serve(t, 1, p)
	if got := r.exchange(get); !strings.Contains(got, "\r\n\r\n127.0.0.1:") {
		t.Errorf("the client's address: %q", got)
	}
}

func TestABindLineHasItsOwnLimit(t *testing.T) {
	p := section(script(t, says(five)))
	p.Binds = []settings.Bind{{MaxConn: 1}}
	r := serve(t, 2, p)
	a := r.visitor()
	a.ask(t)
	b := r.dial()
	io.WriteString(b, get)
	waitFor(t, func() bool { return r.frontends[0].ports[0].line.paused.Load() })
	if n := r.conns.now.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	a.Close()
	if !readHeadOf(b) {
		t.Error("the second was never served")
	}
}

// A health check comes from where the traffic does.
func TestChecksComeFromTheSourceToo(t *testing.T) {
	from := make(chan string, 16)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case from <- c.RemoteAddr().String():
			default:
			}
			c.Close()
		}
	}()
	p := section(l.Addr().String())
	p.Source = settings.Source{Host: "127.0.0.11"}
	p.Servers[0].Check = true
	serve(t, 1, p)
	if got := <-from; !strings.HasPrefix(got, "127.0.0.11:") {
		t.Errorf("the check came from %s", got)
	}
}
