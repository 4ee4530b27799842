package proxy

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"herald/proxy/admin"
	"herald/proxy/expr"
	"herald/proxy/rule"
	"herald/proxy/settings"
)

// when compiles a condition.
func when(t *testing.T, cond string) rule.Condition {
	t.Helper()
	c, err := new(rule.Names).Condition(strings.Fields(cond))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// backendOf is a backend section with one server.
func backendOf(name, server string, mode settings.Mode) *settings.Proxy {
	p := section(server)
	p.Name, p.ID, p.Frontend, p.Mode = name, 3, false, mode
	return p
}

// banner is a server that says who it is as soon as somebody connects.
func banner(t *testing.T, name string) string {
	return script(t, func(c net.Conn) { fmt.Fprintf(c, "this is %s\n", name); io.Copy(io.Discard, c) })
}

// helloFor is the first flight of a TLS client.
func helloFor(t *testing.T, name string) []byte {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	go tls.Client(b, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
	buf := make([]byte, 16<<10)
	n, err := a.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// TLS that is not ended here is routed by the name the client asks for.
func TestConnectionsGoWhereTheirNameLeads(t *testing.T) {
	fe := section(banner(t, "default"))
	fe.Mode, fe.LogFormat = settings.TCP, settings.LogTCP
	fe.Rules.InspectDelay = 2 * time.Second
	fe.Rules.Content = rule.Gates{{If: when(t, "{ req.ssl_hello_type 1 }")}, {If: when(t, "WAIT_END")}}
	fe.Rules.Backends = []rule.Choice{{Name: "one", If: when(t, "{ req.ssl_sni -i one.example }")}, {Name: "two", If: when(t, "{ req_ssl_sni -m end .two.example }")}}
	r := serve(t, 1, fe, backendOf("one", banner(t, "one"), settings.TCP), backendOf("two", banner(t, "two"), settings.TCP))
	for name, want := range map[string]string{"ONE.example": "one", "www.two.example": "two", "three.example": "default", "": "default"} {
		hello := helloFor(t, name)
		for _, parts := range [][][]byte{{hello}, {hello[:3], hello[3:60], hello[60:]}} {
			c := r.dial()
			for _, p := range parts {
				c.Write(p)
			}
			got := make([]byte, 64)
			n, err := c.Read(got)
			if err != nil || string(got[:n]) != "this is "+want+"\n" {
				t.Errorf("%q in %d parts: %q, %v", name, len(parts), got[:n], err)
			}
			c.Close()
		}
	}
	r.log.wait(t, ` web one/s1 `)
}

func TestInspectionWaitsNoLongerThanItsDelay(t *testing.T) {
	fe := section(banner(t, "default"))
	fe.Mode, fe.LogFormat = settings.TCP, settings.LogTCP
	fe.Rules.InspectDelay = 50 * time.Millisecond
	fe.Rules.Content = rule.Gates{{If: when(t, "{ req.ssl_hello_type 1 }")}, {Reject: true, If: when(t, "REQ_CONTENT")}}
	r := serve(t, 1, fe)
	silent := r.dial() // may go on once the delay has passed
	got := make([]byte, 64)
	if n, err := silent.Read(got); err != nil || string(got[:n]) != "this is default\n" {
		t.Errorf("a silent client: %q, %v", got[:n], err)
	}
	ssh := r.dial()
	io.WriteString(ssh, "SSH-2.0-x\r\n")
	if b, _ := io.ReadAll(ssh); len(b) > 0 {
		t.Errorf("a refused client got %q", b)
	}
	r.log.wait(t, `web/<NOSRV> -1/-1/[0-9]+ 0 PR `)
	if n := r.Snapshot().Proxies[0].Rows[0].DeniedReq; n != 1 {
		t.Errorf("%d refused", n)
	}
}

func TestConnectionsAndSessionsAreRefused(t *testing.T) {
	p := section(script(t, says(five)))
	p.Binds = []settings.Bind{{AcceptProxy: true}}
	p.Rules.Connection = rule.Gates{{Reject: true, If: when(t, "{ src 127.0.0.9 }")}}
	p.Rules.Session = rule.Gates{{Reject: true, If: when(t, "{ src 192.0.2.0/24 }")}}
	r := serve(t, 1, p)
	from := func(local, header string) string {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}, Timeout: 5 * time.Second}
		c, err := d.Dial("tcp", r.addr)
		if errors.Is(err, syscall.ECONNRESET) { // refused while Dial was about to return
			return ""
		}
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(c, header+"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		b, _ := io.ReadAll(c)
		return string(b)
	}
	if got := from("127.0.0.1", "PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n"); !strings.HasSuffix(got, "hello") {
		t.Errorf("got %q", got)
	}
	if got := from("127.0.0.1", "PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n"); got != "" {
		t.Errorf("a refused session got %q", got)
	}
	if got := from("127.0.0.9", "PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n"); got != "" {
		t.Errorf("a refused connection got %q", got)
	}
	row := r.Snapshot().Proxies[0].Rows[0]
	if row.DeniedConn != 1 || row.DeniedSess != 1 || row.ConnTotal != 3 || row.SessTotal != 1 {
		t.Errorf("refused: %d of %d connections, %d sessions beside %d, want 1 of 3, 1 beside 1", row.DeniedConn, row.ConnTotal, row.DeniedSess, row.SessTotal)
	}
}

func TestRequestsGoToTheBackendOfTheirRule(t *testing.T) {
	answers := func(name string) string {
		return script(t, says(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(name), name)))
	}
	fe := section(answers("default"))
	fe.Rules.Content = rule.Gates{{Reject: true, If: when(t, "{ path /never }")}}
	fe.Rules.Backends = []rule.Choice{{Name: "api", If: when(t, "{ path_beg /api/ }")}, {Name: "img", If: when(t, "{ hdr(host) img.example } { nbsrv(img) gt 0 }")}}
	r := serve(t, 1, fe, backendOf("api", answers("api"), settings.HTTP), backendOf("img", answers("img"), settings.HTTP))
	v := r.visitor()
	for request, want := range map[string]string{
		"GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n":      "api",
		"GET / HTTP/1.1\r\nHost: img.example\r\n\r\n": "img",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n":           "default",
	} {
		if _, got := fetch(t, v.Conn, v.in, request); got != want {
			t.Errorf("%q: %s, want %s", request, got, want)
		}
	}
	if got := r.exchange("GET /never HTTP/1.1\r\nHost: a\r\n\r\n"); got != "" {
		t.Errorf("a refused request got %q", got)
	}
	r.log.wait(t, ` web api/s1 .*"GET /api/x`)
	r.log.wait(t, `web/<NOSRV> -1/-1/-1/-1/[0-9]+ -1 [0-9]+ - - PR-- .*"<BADREQ>"`)
}

// A backend inspects what was sent, and sends it where it wants.
func TestBackendsInspectAndUseAServer(t *testing.T) {
	fe := section()
	fe.Backend, fe.DefaultBackend, fe.Mode, fe.LogFormat = false, "app", settings.TCP, settings.LogTCP
	be := section(banner(t, "one"), banner(t, "two"))
	be.Name, be.Frontend, be.Mode, be.ID = "app", false, settings.TCP, 3
	be.Balance = "first"
	be.Rules = settings.Rules{InspectDelay: 5 * time.Second,
		Content: rule.Gates{{Reject: true, If: when(t, "{ req.payload(0,3) -m str BAD }")}, {If: when(t, "{ req.len gt 3 }")}, {If: when(t, "WAIT_END")}},
		Servers: []rule.Choice{{Name: "s2", If: when(t, "{ req.payload(0,1) -m str B }")}, {Format: format(t, "s%[req.payload(1,1)]"), If: when(t, "{ req.payload(0,1) -m str X }")}}}
	r := serve(t, 1, fe, be)
	for sent, want := range map[string]string{"Axyz": "one", "Bxyz": "two", "X2yz": "two", "X1yz": "one", "X9yz": "one", "BAD!": ""} {
		c := r.dial()
		io.WriteString(c, sent)
		got, _ := bufio.NewReader(c).ReadString('\n')
		c.Close()
		if got = strings.TrimPrefix(strings.TrimSpace(got), "this is "); got != want {
			t.Errorf("%s: %q, want %q", sent, got, want)
		}
	}
	r.log.wait(t, ` app/<NOSRV> .* PR `)
}

func format(t testing.TB, text string) *expr.Format {
	t.Helper()
	f, err := expr.Loader{}.ParseFormat(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What a server sends first is looked at before a client gets it.
func TestAnswersAreInspected(t *testing.T) {
	slow := script(t, func(c net.Conn) { // the second half when the first has arrived at a client that said so
		io.WriteString(c, "th")
		if n, _ := c.Read(make([]byte, 1)); n == 1 {
			io.WriteString(c, "is is slow\n")
		}
		io.Copy(io.Discard, c)
	})
	for name, tc := range map[string]struct {
		server string
		gates  rule.Gates
		want   string
		log    string
	}{
		"accepted": {banner(t, "ssh"), rule.Gates{{If: when(t, "{ res.payload(0,4) -m str this }")}, {Reject: true}}, "this is ssh", ` web/s1 .* -- `},
		"refused":  {banner(t, "smtp"), rule.Gates{{Reject: true, If: when(t, "{ res.payload(8,4) -m str smtp }")}}, "", ` web/s1 .* PD `},
		"cut off":  {banner(t, "one"), rule.Gates{{Close: true, If: when(t, "{ res.len gt 3 }")}}, "this is one", ` web/s1 .* -- `},
		"in parts": {slow, rule.Gates{{Reject: true, If: when(t, "{ res.payload(0,4) -m str that }")}}, "this is slow", ` web/s1 .* -- `},
	} {
		t.Run(name, func(t *testing.T) {
			p := section(tc.server)
			p.Mode, p.LogFormat = settings.TCP, settings.LogTCP
			p.Rules.AnswerDelay, p.Rules.Answer = 5*time.Second, tc.gates
			r := serve(t, 1, p)
			c := r.dial()
			io.WriteString(c, "x")
			got, _ := bufio.NewReader(c).ReadString('\n')
			c.Close()
			if strings.TrimSpace(got) != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			r.log.wait(t, tc.log)
		})
	}
	p := section(origin(t, func(w http.ResponseWriter, q *http.Request) { w.Header().Set("X-Name", q.URL.Path[1:]) }))
	p.Rules.Answer = rule.Gates{{Reject: true, If: when(t, "{ res.hdr(x-name) bad }")}, {Reject: true, If: when(t, "{ status 404 }")}}
	r := serve(t, 1, p)
	if got := r.exchange("GET /good HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("a good answer: %q", got)
	}
	if got := r.exchange("GET /bad HTTP/1.1\r\nHost: a\r\n\r\n"); got != "" {
		t.Errorf("a refused answer: %q", got)
	}
	r.log.wait(t, ` web/s1 .* 200 [0-9]+ - - PD-- `)
}

// The server that is wanted is passed by when it is down, and left when it
// cannot be reached and option redispatch says so.
func TestAServerThatIsWanted(t *testing.T) {
	named := func(name string) string {
		return origin(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })
	}
	p := section(named("one"), named("two"), "127.0.0.1:1")
	p.Balance, p.Retries, p.Redispatch, p.RedispatchInterval = "first", 1, true, -1
	p.Rules.Servers = []rule.Choice{{Name: "s3", If: when(t, "{ path /dead }")}, {Name: "s2", If: when(t, "{ path /two }")}, {Name: "s1", If: when(t, "{ path /two }")},
		{Format: format(t, "s%[path,field(3,/)]"), If: when(t, "{ path_beg /any/ }")}}
	r := serve(t, 1, p)
	ask := func(path, want string) {
		t.Helper()
		got := r.exchange("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if !strings.HasSuffix(got, "\n"+want) {
			t.Errorf("%s: %q, want %s", path, got, want)
		}
	}
	ask("/", "one")
	ask("/two", "two")
	ask("/dead", "one")
	ask("/any/2", "two")
	ask("/any/7", "one")
	if err := r.SetServerState("web", "s2", admin.StateMaint); err != nil {
		t.Fatal(err)
	}
	ask("/two", "one")
	r.log.wait(t, ` web/s1 .*/\+1 .*"GET /dead`)
}
