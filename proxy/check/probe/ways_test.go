package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/http2"
	"golang.org/x/sys/unix"

	"herald/proxy/check"
	"herald/proxy/check/script"
	"herald/proxy/loop"
	"herald/proxy/proxyproto"
)

var quiet = log.New(io.Discard, "", 0)

// both is the outcome on a goroutine and on a loop, which must be the same.
func both(t *testing.T, name string, s *script.Script, o Options) check.Result {
	t.Helper()
	on := outcome(s, o)
	got, taken := aloft(t, s, o)
	got.Duration, on.Duration = 0, 0
	if !taken || got != on {
		t.Errorf("%s: on a loop %+v (taken: %v), on a goroutine %+v", name, got, taken, on)
	}
	return on
}

func TestUnixSocketsAreChecked(t *testing.T) {
	dir := t.TempDir()
	pong := func(c net.Conn) { c.Read(make([]byte, 99)); io.WriteString(c, "+PONG\r\n"); c.Read(make([]byte, 1)) }
	listen := func(name string) {
		t.Helper()
		l, err := net.Listen("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				pong(c)
				c.Close()
			}
		}()
		t.Cleanup(func() { l.Close(); <-done })
	}
	listen(filepath.Join(dir, "here"))
	// HAProxy pads the name with zeros to all of sun_path; net leaves the last byte out.
	abstract := "herald-probe-" + filepath.Base(filepath.Dir(dir))
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	a := unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	for i := range len(abstract) {
		a.Path[1+i] = int8(abstract[i])
	}
	if _, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&a)), unsafe.Sizeof(a)); errno != 0 {
		t.Fatal(errno)
	}
	if err := unix.Listen(fd, 8); err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for range 2 {
			c, _, err := unix.Accept(fd)
			if err != nil {
				return
			}
			unix.Read(c, make([]byte, 99))
			unix.Write(c, []byte("+PONG\r\n"))
			unix.Read(c, make([]byte, 1))
			unix.Close(c)
		}
	}()
	defer func() { <-served }()
	for _, tt := range []struct {
		network, address string
		want             check.Status
		info             string
	}{
		{"tcp", "255.255.255.255:1", check.L4CON, "General socket error (Network is unreachable)"},
		{"unix", filepath.Join(dir, "here"), check.L7OK, "Redis server is ok"},
		{"unix", filepath.Join(dir, "none"), check.SOCKERR, "General socket error (No such file or directory)"},
		{Abstract, abstract, check.L7OK, "Redis server is ok"},
		{Abstract, "herald-nobody", check.SOCKERR, "General socket error (Connection refused)"},
	} {
		o := Options{Inter: 5 * time.Second, Locate: func(script.Want) (Place, error) { return Place{Network: tt.network, Address: tt.address}, nil }}
		if r := both(t, tt.address, script.Redis(), o); r.Status != tt.want || r.Info != tt.info {
			t.Errorf("%s %s: got %+v, want %v %q", tt.network, tt.address, r, tt.want, tt.info)
		}
	}
	long := Options{Inter: time.Second, Locate: func(script.Want) (Place, error) {
		return Place{Network: Abstract, Address: strings.Repeat("a", 200)}, nil
	}}
	r, taken := aloft(t, script.Redis(), long)
	if on := outcome(script.Redis(), long); on.Status != check.L4CON || !taken || r.Status != check.L4CON {
		t.Errorf("a name too long: got %+v and %+v, want no connection", on, r)
	}
}

func TestPlacesThatAreNone(t *testing.T) {
	nowhere := Options{Inter: time.Second, Locate: func(script.Want) (Place, error) { return Place{}, errors.New("No port") }}
	if r := both(t, "nowhere", script.Redis(), nowhere); r.Status != check.SOCKERR || r.Info != "No port" {
		t.Errorf("nowhere: got %+v, want the reason", r)
	}
	text := to(Place{Address: "a.name:80"})
	if r, taken := aloft(t, script.Redis(), text); !taken || r.Status != check.L4CON {
		t.Errorf("a name: got %+v, want no connection", r)
	}
	// A script that only sets variables opens nothing at all.
	s := &script.Script{Kind: script.TCP, Steps: []script.Step{{Action: script.ActUnset, Variable: "proc.x"}}}
	if r := both(t, "no connection", s, nowhere); !r.Status.Passed() {
		t.Errorf("no connection: got %+v, want it to pass", r)
	}
	// A second connection that goes nowhere, on either.
	twice := &script.Script{Kind: script.TCP, Steps: []script.Step{{Action: script.ActConnect, Connect: &script.Connect{}}, {Action: script.ActConnect, Connect: &script.Connect{Addr: "x"}}}}
	addr := peers(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	second := Options{Inter: time.Second, Locate: func(w script.Want) (Place, error) {
		if w.Connect.Addr != "" {
			return Place{}, errors.New("No port")
		}
		return Place{Network: "tcp", Address: addr}, nil
	}}
	if r := both(t, "the second", twice, second); r.Status != check.SOCKERR || !strings.HasPrefix(r.Info, "No port") {
		t.Errorf("the second: got %+v, want the reason", r)
	}
}

// Nobody accepts and the queue is full: the handshake is never answered.
func TestConnectingHasATimeOfItsOwn(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, _ := unix.Getsockname(fd)
	addr := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*unix.SockaddrInet4).Port}).String()
	full := false
	for range 5 {
		c, err := net.DialTimeout("tcp", addr, 100*time.Millisecond)
		if full = err != nil; full {
			break
		}
		defer c.Close()
	}
	if !full {
		t.Skip("needs a queue of connections that fills")
	}
	for name, o := range map[string]Options{
		"inter":   {Inter: 40 * time.Millisecond},
		"connect": {Inter: time.Hour, Connect: 40 * time.Millisecond, Timeout: time.Hour},
	} {
		o.Locate = to(Place{Address: addr}).Locate
		if r := both(t, name, script.Redis(), o); r.Status != check.L4TOUT {
			t.Errorf("%s: got %+v, want %v", name, r, check.L4TOUT)
		}
	}
}

// What is sent may be more than a socket takes at once, and the peer slow, or
// gone, or not interested.
func TestLongRequests(t *testing.T) {
	const size = 8 << 20
	s := &script.Script{Kind: script.TCP, Steps: []script.Step{{Action: script.ActSend, Send: &script.Send{Data: script.Literal(strings.Repeat("x", size))}},
		{Action: script.ActSend, Send: &script.Send{Data: script.Literal("end")}},
		{Action: script.ActExpect, Expect: &script.Expect{Match: script.String, Pattern: []byte("done"), MinRecv: -1}}}}
	s.Finish()
	for _, tt := range []struct {
		name  string
		serve func(net.Conn)
		want  check.Status
	}{
		{"read to its end", func(c net.Conn) {
			if n, _ := io.CopyN(io.Discard, c, size+3); n == size+3 {
				io.WriteString(c, "done")
				c.Read(make([]byte, 1))
			}
		}, check.L7OK},
		{"reset", func(c net.Conn) { c.Read(make([]byte, 1)); c.(*net.TCPConn).SetLinger(0) }, check.SOCKERR},
	} {
		if r := both(t, tt.name, s, to(Place{Address: peers(t, tt.serve)})); r.Status != tt.want {
			t.Errorf("%s: got %+v, want %v", tt.name, r, tt.want)
		}
	}
	over := make(chan struct{})
	deaf := to(Place{Address: peers(t, func(net.Conn) { <-over })})
	deaf.Inter = 100 * time.Millisecond
	if r := both(t, "never read", s, deaf); r.Status != check.L7TOUT {
		t.Errorf("never read: got %+v, want %v", r, check.L7TOUT)
	}
	close(over)
}

func TestASOCKS4ProxyOnTheWay(t *testing.T) {
	through := func(serve func(net.Conn)) check.Result {
		o := to(Place{Address: peers(t, serve), Ask: []byte("\x04\x01\x00\x50\xc0\x00\x02\x01HAProxy\x00"),
			Granted: func(reply [8]byte) error { return proxyproto.CheckSOCKS4(reply[:]) }})
		o.Inter = 200 * time.Millisecond
		return outcome(script.Redis(), o)
	}
	asked := make(chan string, 1)
	for _, tt := range []struct {
		name  string
		serve func(net.Conn)
		want  check.Status
		info  string
	}{
		{"granted", func(c net.Conn) {
			b := make([]byte, 16)
			io.ReadFull(c, b)
			asked <- string(b)
			io.WriteString(c, "\x00\x5a\x00\x00\x00\x00\x00\x00")
			c.Read(b)
			io.WriteString(c, "+PONG\r\n")
			c.Read(b)
		}, check.L7OK, "Redis server is ok"},
		{"denied", func(c net.Conn) { io.WriteString(c, "\x00\x5b\x00\x00\x00\x00\x00\x00"); io.Copy(io.Discard, c) }, check.SOCKERR, "SOCKS4 Proxy deny the request"},
		{"cut off", func(c net.Conn) { c.Read(make([]byte, 16)); io.WriteString(c, "\x00\x5a") }, check.SOCKERR, "SOCKS4 Proxy read error during handshake"},
		{"silent", func(c net.Conn) { io.Copy(io.Discard, c) }, check.L4TOUT, ""},
	} {
		if r := through(tt.serve); r.Status != tt.want || r.Info != tt.info {
			t.Errorf("%s: got %+v, want %v %q", tt.name, r, tt.want, tt.info)
		}
	}
	if got, want := <-asked, "\x04\x01\x00\x50\xc0\x00\x02\x01HAProxy\x00"; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func TestEncryptedServersAreChecked(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = quiet
	server.StartTLS()
	defer server.Close()
	known := server.Client().Transport.(*http.Transport).TLSClientConfig
	http := &script.Script{Kind: script.HTTP}
	http.Finish()
	plain := &script.Script{}
	plain.Finish()
	here := server.Listener.Addr().String()
	trusting := &tls.Config{RootCAs: known.RootCAs, ServerName: "example.com"}
	for _, tt := range []struct {
		name   string
		script *script.Script
		addr   string
		tls    *tls.Config
		want   check.Status
	}{
		{"the handshake alone", plain, here, trusting, check.L6OK},
		{"a request", http, here, trusting, check.L7STS},
		{"nobody knows the certificate", plain, here, &tls.Config{ServerName: "example.com"}, check.L6RSP},
		{"another name", plain, here, &tls.Config{RootCAs: known.RootCAs, ServerName: "other.test"}, check.L6RSP},
		{"no TLS", plain, peers(t, func(c net.Conn) { io.WriteString(c, "220 hello\r\n"); io.Copy(io.Discard, c) }), trusting, check.L6RSP},
		{"silence", plain, peers(t, func(c net.Conn) { io.Copy(io.Discard, c) }), trusting, check.L6TOUT},
	} {
		o := to(Place{Address: tt.addr, TLS: tt.tls})
		if tt.want == check.L6TOUT {
			o.Inter = 50 * time.Millisecond
		}
		if r := outcome(tt.script, o); r.Status != tt.want {
			t.Errorf("%s: got %+v, want %v", tt.name, r, tt.want)
		}
	}
}

func TestHTTP2ServersAreChecked(t *testing.T) {
	asked := make(chan string, 8)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Proto + " " + r.Method + " " + r.Host + r.URL.Path
		w.Header().Set("X-A", "b")
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, strings.Repeat("y", 10000)+"needle")
	})
	clear := peers(t, func(c net.Conn) { (&http2.Server{}).ServeConn(c, &http2.ServeConnOpts{Handler: h}) })
	over := httptest.NewUnstartedServer(h)
	over.EnableHTTP2, over.Config.ErrorLog = true, quiet
	over.StartTLS()
	defer over.Close()
	known := over.Client().Transport.(*http.Transport).TLSClientConfig
	trusting := &tls.Config{RootCAs: known.RootCAs, ServerName: "example.com", NextProtos: []string{"h2", "http/1.1"}}
	request := func(host, expect string) *script.Script {
		x := &script.Expect{Match: script.String, Pattern: []byte(expect), MinRecv: -1}
		var headers []script.HeaderText
		if host != "" {
			headers = []script.HeaderText{{Name: "Host", Text: script.Literal(host)}}
		}
		s := &script.Script{Kind: script.HTTP, Request: &script.Send{HTTP: &script.Request{Method: "GET", URI: script.Literal("/p"), Version: "HTTP/1.1", Headers: headers}},
			Steps: []script.Step{{Action: script.ActExpect, Expect: x}}}
		s.Finish()
		return s
	}
	first := &script.Script{Kind: script.TCP, Steps: []script.Step{{Action: script.ActExpect, Expect: &script.Expect{Match: script.String, Pattern: []byte("x"), MinRecv: -1}}}}
	first.Finish()
	for _, tt := range []struct {
		name   string
		script *script.Script
		p      Place
		want   check.Status
		asked  string
	}{
		{"without asking", request("a.test", "needle"), Place{Address: clear, H2: true}, check.L7OK, "HTTP/2.0 GET a.test/p"},
		{"without a host", request("", "needle"), Place{Address: clear, H2: true}, check.L7OK, "HTTP/2.0 GET " + clear + "/p"},
		{"not what is expected", request("a.test", "nothing"), Place{Address: clear, H2: true}, check.L7RSP, "HTTP/2.0 GET a.test/p"},
		{"agreed on", request("a.test", "needle"), Place{Address: over.Listener.Addr().String(), HTTP: true, TLS: trusting}, check.L7OK, "HTTP/2.0 GET a.test/p"},
		{"not agreed on", request("a.test", "needle"), Place{Address: over.Listener.Addr().String(), TLS: &tls.Config{RootCAs: known.RootCAs, ServerName: "example.com"}}, check.L7OK, "HTTP/1.1 GET a.test/p"},
		{"a server of HTTP/1", request("a.test", "x"), Place{Address: peers(t, func(c net.Conn) { c.Read(make([]byte, 9)); io.WriteString(c, "HTTP/1.1 400 Bad\r\n\r\n") }), H2: true}, check.L7RSP, ""},
		{"a server that leaves", request("a.test", "x"), Place{Address: peers(t, func(c net.Conn) { io.CopyN(io.Discard, c, 24) }), H2: true}, check.L7RSP, ""},
		{"silence", request("a.test", "x"), Place{Address: peers(t, func(c net.Conn) { io.Copy(io.Discard, c) }), H2: true}, check.L7TOUT, ""},
		{"what is no request", &script.Script{Kind: script.TCP, Steps: []script.Step{{Action: script.ActConnect, Connect: &script.Connect{}}, {Action: script.ActSend, Send: &script.Send{Data: script.Literal("PING\r\n")}}}},
			Place{Address: clear, H2: true}, check.L7RSP, ""},
		{"an answer before the request", first, Place{Address: clear, H2: true}, check.L7RSP, ""},
	} {
		o := to(tt.p)
		if tt.want == check.L7TOUT {
			o.Inter = 50 * time.Millisecond
		}
		r := outcome(tt.script, o)
		if r.Status != tt.want {
			t.Errorf("%s: got %+v, want %v", tt.name, r, tt.want)
		}
		if tt.asked != "" {
			if got := <-asked; got != tt.asked {
				t.Errorf("%s: asked %q, want %q", tt.name, got, tt.asked)
			}
		}
	}
}

// A check that is dropped is nobody's: no answer, no descriptor left.
func TestADroppedFlightEndsItsConnection(t *testing.T) {
	ended := make(chan error, 1)
	addr := peer(t, func(c net.Conn) {
		_, err := io.Copy(io.Discard, c)
		ended <- err
	})
	l, err := loop.New(loop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var f Flight
	l.Post(func() {
		o := to(Place{Address: addr})
		o.Connect, o.Timeout = time.Minute, time.Minute
		f.Launch(l, script.Start(script.Redis(), &script.World{}, 100), o, func(r check.Result) { t.Errorf("told %+v", r) })
		l.Post(func() {
			f.Drop()
			f.Drop() // again is nothing
			l.Stop()
		})
	})
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	if f.Busy() || f.sock.Open() {
		t.Error("busy, or open, after Drop")
	}
	if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil { // when nobody has been accepted
		c.Close()
	}
	<-ended
	if r := Run(context.Background(), script.Start(script.Redis(), &script.World{}, 100), to(Place{Address: "127.0.0.1:1"})); r.Info != "Connection refused" {
		t.Errorf("after it: got %+v", r)
	}
}

func TestASourceThatIsNotHereIsNamed(t *testing.T) {
	how := &loop.How{From: netip.MustParseAddrPort("192.0.2.77:0")}
	o := Options{Inter: 5 * time.Second, Locate: func(script.Want) (Place, error) {
		return Place{Network: "tcp", Address: "127.0.0.1:1", How: how, Control: how.Control}, nil
	}}
	if r := both(t, "the source", script.Redis(), o); r.Status != check.L4CON || r.Info != "Can't bind to source address (Cannot assign requested address)" {
		t.Errorf("got %+v", r)
	}
}
