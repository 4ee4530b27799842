package proxy

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"herald/proxy/reference"
	"herald/proxy/settings"
	"herald/proxy/testcert"
)

// tlsEnding is one way in which a connection with TLS on one side ends.
type tlsEnding struct {
	name   string
	client func(*net.TCPConn) string // nothing: asks without TLS
	server func(*net.TCPConn)        // nothing: is silent
	front  bool                      // the TLS is the client's, else the server's
	tcp    bool
	late   bool // a timeout is to come
	// The server's certificate is verified, if there is any of these.
	retries         int
	verify          bool
	sni, verifyHost string
}

// ours are the endings that are other than HAProxy's on purpose
// (docs/design/engine.md): what the log says, and what the client saw.
var ours = map[string]string{
	"http: client in its body, close_notify":                      `-1 CD 0 | "" close_notify`,
	"http: client in its body, close_notify alone":                `-1 CD 0 | "" close_notify`,
	"http: client in its body, fin":                               `-1 CD 0 | "" close_notify`,
	"http: client in its body, reset":                             `-1 CD 0 | `,
	"http: server before its head, an upload, reset":              `502 SH 0 | 502 "page" fin`,
	"http: server with another's certificate":                     `503 SC 0 | 503 "page" fin`,
	"http: server with the certificate of no address":             `503 SC 0 | 503 "page" fin`,
	"tcp: server with the certificate of no address":              `SC 0 | "" fin`,
	"http: server with the certificate of no address that varies": `503 SC 0 | 503 "page" fin`,
	"tcp: server with the certificate of no address that varies":  `SC 0 | "" fin`,
	"tcp: server with another's certificate":                      `SC 0 | "" fin`,
	"http: client that said nothing, fin in a record":             `400 CR 0 | "" fin`,
	"http: client in its head, fin in a record":                   `400 CR 0 | "" fin`,
	"http: client in its body, fin in a record":                   `-1 CD 0 | "" fin`,
	"http: client with a whole request, fin in a record":          `504 sH 0 | 504 "page" fin`,
	"http: client behind the response, fin in a record":           `200 -- 0 | "hello" fin`,
	"tcp: client that said nothing, fin in a record":              `CD 0 | "" fin`,
	"tcp: client while both talk, fin in a record":                `CD 0 | "hello" fin`,
	"http: server that may, fin in a record":                      `200 SD 0 | 200 "hello" fin`,
	"tcp: server at once, fin in a record":                        `SD 0 | "" fin`,
	"tcp: server behind its answer, fin in a record":              `SD 0 | 200 "hello" fin`,
}

func tlsEndings() (list []tlsEnding) {
	const whole, head, chunked, open = five, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 200 OK\r\n\r\nhello"
	says := func(text string) func(*net.TCPConn) {
		return func(c *net.TCPConn) { says(text)(c) }
	}
	good := &tls.Config{Certificates: []tls.Certificate{ownPair()}}
	hello := string(testcert.ClientHello())
	add := func(mode, suffix string, rows ...tlsEnding) {
		for _, e := range rows {
			e.name, e.tcp = mode+": "+e.name+suffix, mode == "tcp"
			if e.client == nil {
				e.client = plainClient("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			}
			list = append(list, e)
		}
	}
	for _, how := range breakOffs {
		if how == "fin" || how == "reset" {
			for _, mode := range []string{"http", "tcp"} {
				add(mode, ", "+how,
					tlsEnding{name: "client before its hello", front: true, client: halfHello("", false, how)},
					tlsEnding{name: "client in its hello", front: true, client: halfHello(hello[:50], false, how)},
					tlsEnding{name: "client behind its hello", front: true, client: halfHello(hello, true, how)},
					tlsEnding{name: "server before the handshake", retries: 1, server: shutServer(false, how)},
					tlsEnding{name: "server in the handshake", retries: 1, server: shutServer(true, how)},
				)
			}
		}
		if how != "reset" { // which may be there before the end of the handshake is noticed
			add("http", ", "+how,
				tlsEnding{name: "client that said nothing", front: true, client: breakingClient("", false, how)},
				tlsEnding{name: "client in its head", front: true, client: breakingClient("GET / HT", false, how)},
			)
			add("tcp", ", "+how, tlsEnding{name: "client that said nothing", front: true, client: breakingClient("", false, how)})
		}
		add("http", ", "+how,
			tlsEnding{name: "client in its body", front: true, server: says("HTTP/1.1 100 Continue\r\n\r\n"), client: breakingClient(upload, true, how)},
			tlsEnding{name: "client with a whole request", late: true, front: true, server: says("HTTP/1.1 100 Continue\r\n\r\n"), client: breakingClient(get, true, how)},
			tlsEnding{name: "client in the response", late: true, front: true, server: says(head), client: breakingClient(get, true, how)},
			tlsEnding{name: "client behind the response", front: true, server: says(whole), client: breakingClient(get, true, how)},
			tlsEnding{name: "server before its head", server: breakingServer(good, "", how)},
			tlsEnding{name: "server before its head, an upload", server: breakingServer(good, "", how), client: plainClient(upload)},
			tlsEnding{name: "server in its head", server: breakingServer(good, "HTTP/1.1 200 OK\r\nConte", how)},
			tlsEnding{name: "server in its body", server: breakingServer(good, head, how)},
			tlsEnding{name: "server in its chunks", server: breakingServer(good, chunked, how)},
			tlsEnding{name: "server that may", server: breakingServer(good, open, how)},
			tlsEnding{name: "server behind its body", server: breakingServer(good, whole, how)},
		)
		add("tcp", ", "+how,
			tlsEnding{name: "client while both talk", front: true, server: says(head), client: breakingClient(get, true, how)},
			tlsEnding{name: "server at once", server: breakingServer(good, "", how)},
			tlsEnding{name: "server behind its answer", server: breakingServer(good, whole, how)},
		)
	}
	alert := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("none for you") }}
	mutual := &tls.Config{MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert, Certificates: good.Certificates}
	foreign := &tls.Config{Certificates: []tls.Certificate{pairFrom(stranger())}}
	for _, mode := range []string{"http", "tcp"} {
		add(mode, "",
			tlsEnding{name: "server that refuses by an alert", retries: 1, server: breakingServer(alert, "", "fin")},
			tlsEnding{name: "server that wants a certificate", retries: 1, server: breakingServer(mutual, whole, "close_notify")},
			tlsEnding{name: "server that knows no TLS", retries: 1, server: func(c *net.TCPConn) { c.Read(make([]byte, 1000)); c.Write([]byte("220 hello\r\n")); mute(c) }},
			tlsEnding{name: "server that is silent", late: true, retries: 1},
			tlsEnding{name: "server of an unknown authority", verify: true, retries: 1, server: breakingServer(foreign, whole, "close_notify")},
			tlsEnding{name: "server with a good certificate", sni: "str(a.example)", server: breakingServer(good, whole, "close_notify")},
			tlsEnding{name: "server with another's certificate", sni: "str(b.example)", retries: 2, server: breakingServer(good, whole, "close_notify")},
			tlsEnding{name: "server with the certificate of no address", sni: "str(127.0.0.1)", retries: 1, server: breakingServer(good, whole, "close_notify")},
			tlsEnding{name: "server with the certificate of no address that varies", sni: "src", retries: 1, server: breakingServer(good, whole, "close_notify")},
			tlsEnding{name: "server without the host's certificate", verifyHost: "b.example", retries: 1, server: breakingServer(good, whole, "close_notify")},
			tlsEnding{name: "server without the host's certificate, but the name's", sni: "str(a.example)", verifyHost: "b.example", server: breakingServer(good, whole, "close_notify")},
			tlsEnding{name: "server without the host's certificate, and no name", sni: "str()", verifyHost: "b.example", retries: 1, server: breakingServer(good, whole, "close_notify")},
		)
	}
	return list
}

// at is the address of the row's server.
func (e *tlsEnding) at(t *testing.T) string {
	if e.server == nil {
		return script(t, mute)
	}
	return script(t, func(c net.Conn) { e.server(c.(*net.TCPConn)) })
}

// logs is what a line of the log is to tell.
func (e *tlsEnding) logs() string {
	if e.tcp {
		return "row=%f= %ts %rc"
	}
	return "row=%f= %ST %ts %rc"
}

// play is the row played with the proxy at addr, whose section is called name:
// what the log has, and what the client saw.
func (e *tlsEnding) play(t *testing.T, addr, name string, log *lines) string {
	c := reference.Dial(t, addr).(*net.TCPConn)
	saw := e.client(c)
	c.Close()
	m := log.find(`(?:row=`+name+`~?= (.*)|`+name+`/[^:]*: (.*))`, 10*time.Second)
	if m == nil {
		return "no line | " + saw
	}
	return strings.TrimSpace(m[1]+m[2]) + " | " + saw
}

// timeouts are short where one is to come.
func (e *tlsEnding) timeouts() settings.Timeouts {
	if e.late {
		return settings.Timeouts{Connect: 300 * time.Millisecond, Client: 600 * time.Millisecond, Server: 900 * time.Millisecond}
	}
	if e.retries > 0 { // each waits for as long, up to a second
		return settings.Timeouts{Connect: 500 * time.Millisecond, Client: 10 * time.Second, Server: 10 * time.Second}
	}
	return settings.Timeouts{Connect: 10 * time.Second, Client: 10 * time.Second, Server: 10 * time.Second}
}

// tlsEndingsFile has HAProxy 2.6.12's, written with -update.
var tlsEndingsFile = filepath.Join("testdata", "tls-endings.txt")

// wantedTLSEndings are HAProxy's, by name.
func wantedTLSEndings(t *testing.T) map[string]string {
	b, err := os.ReadFile(tlsEndingsFile)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		all[name] = want
	}
	return all
}

// Every connection ends as it does in HAProxy, unless ours says otherwise.
func TestEveryTLSEndingIsFlagged(t *testing.T) {
	want := wantedTLSEndings(t)
	for name, own := range ours {
		if _, is := want[name]; !is {
			t.Errorf("no ending is called %q", name)
		}
		want[name] = own
	}
	compareTLSEndings(t, want, playWithHerald)
}

// compareTLSEndings plays all rows. A row that a loaded machine played out of
// time is played again.
func compareTLSEndings(t *testing.T, want map[string]string, play func(*testing.T, []tlsEnding) []string) {
	rest := tlsEndings()
	for chance := 3; len(rest) > 0; chance-- {
		var again []tlsEnding
		for i, got := range play(t, rest) {
			switch e := rest[i]; {
			case got == want[e.name]:
			case chance > 1:
				again = append(again, e)
			default:
				t.Errorf("%s: got %s, want %s", e.name, got, want[e.name])
			}
		}
		rest = again
	}
}

// playWithHerald plays rows with one engine, all at once.
func playWithHerald(t *testing.T, list []tlsEnding) []string {
	sections := make([]*settings.Proxy, len(list))
	for i := range list {
		e, p := &list[i], section(list[i].at(t))
		p.Name, p.ID = rowName(i), i+2
		p.Retries, p.Timeouts = e.retries, e.timeouts()
		p.LogFormat, p.LogFormatText = settings.LogCustom, e.logs()
		if e.tcp {
			p.Mode = settings.TCP
		}
		if e.front {
			encrypted(p)
		} else {
			line := &settings.ServerTLS{TLS: settings.TLS{On: true, Verify: settings.VerifyNone}, VerifyHost: e.verifyHost}
			if e.verifies() {
				line.Verify, line.CA = settings.VerifyRequired, &settings.File{Path: "ca.pem", Bytes: authority().PEM}
			}
			if e.sni != "" {
				line.SNI = expression(t, e.sni)
			}
			p.Servers[0].TLS = line
		}
		sections[i] = p
	}
	r := serve(t, 1, sections...)
	return playAll(t, list, r.log, func(i int) string {
		return net.JoinHostPort(sections[i].Binds[0].Host, fmt.Sprint(sections[i].Binds[0].Port))
	})
}

func rowName(i int) string { return fmt.Sprintf("row%d", i) }

// playAll plays rows all at once, each with its own address.
func playAll(t *testing.T, list []tlsEnding, log *lines, addr func(int) string) []string {
	got := make([]string, len(list))
	var players sync.WaitGroup
	for i := range list {
		players.Go(func() { got[i] = list[i].play(t, addr(i), rowName(i), log) })
	}
	players.Wait()
	return got
}

func (e *tlsEnding) verifies() bool { return e.verify || e.sni != "" || e.verifyHost != "" }

// What is written down is what HAProxy does, where one is installed.
func TestEveryTLSEndingIsHAProxys(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("needs haproxy in the path")
	}
	if !*update {
		compareTLSEndings(t, wantedTLSEndings(t), playWithHAProxy)
		return
	}
	list := tlsEndings()
	var b strings.Builder
	for i, got := range playWithHAProxy(t, list) {
		fmt.Fprintf(&b, "%s\t%s\n", list[i].name, got)
	}
	if err := os.WriteFile(tlsEndingsFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// playWithHAProxy plays rows with one HAProxy, all at once.
func playWithHAProxy(t *testing.T, list []tlsEnding) []string {
	dir, log := t.TempDir(), newLines()
	for name, b := range map[string][]byte{"site.pem": authority().Issue(testcert.Request{Names: []string{"a.example"}}).Bundle, "ca.pem": authority().PEM} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sock, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		for buf := make([]byte, 4096); ; {
			n, _, err := sock.ReadFrom(buf)
			if err != nil {
				return
			}
			log.Send(buf[:n])
		}
	})
	defer reader.Wait()
	defer sock.Close()
	servers := make([]string, len(list))
	for i := range list {
		servers[i] = list[i].at(t)
	}
	ports := freePorts(t, len(list)+1) // the last one tells when HAProxy is there
	addr := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", ports[i]) }
	var b strings.Builder
	fmt.Fprintf(&b, "global\n log %s local0\n", sock.LocalAddr())
	for i := range list {
		e, bind, server, mode := &list[i], addr(i), servers[i], "http"
		if e.tcp {
			mode = "tcp"
		}
		switch {
		case e.front:
			bind += " ssl crt " + dir + "/site.pem"
		case e.verifies():
			server += " ssl verify required ca-file " + dir + "/ca.pem"
		default:
			server += " ssl verify none"
		}
		if e.sni != "" {
			server += " sni " + e.sni
		}
		if e.verifyHost != "" {
			server += " verifyhost " + e.verifyHost
		}
		limit := e.timeouts()
		fmt.Fprintf(&b, "listen %s\n mode %s\n log global\n log-format \"%s\"\n retries %d\n timeout connect %d\n timeout client %d\n timeout server %d\n bind %s\n server s %s\n",
			rowName(i), mode, e.logs(), e.retries, limit.Connect.Milliseconds(), limit.Client.Milliseconds(), limit.Server.Milliseconds(), bind, server)
	}
	fmt.Fprintf(&b, "listen ready\n mode tcp\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n bind %s\n", addr(len(list)))
	reference.Run(t, b.String())
	reference.Dial(t, addr(len(list))).Close()
	return playAll(t, list, log, addr)
}

// In mode tcp a server must not take what a client sent before it broke off for
// all there is. But for a client in TLS that is cut off in a record, the ends are
// HAProxy 2.6.12's.
func TestAServerSeesThatItsClientBrokeOff(t *testing.T) {
	const say = "x\r\n\r\n"
	plainly := func(how string) func(*net.TCPConn) string {
		return func(c *net.TCPConn) string {
			io.WriteString(c, say)
			readHeadOf(c)
			breakOffBelow(c, how)
			return ""
		}
	}
	for _, tc := range []struct {
		name        string
		front, back bool // where TLS is
		client      func(*net.TCPConn) string
		want        string // what the server sees
	}{
		{"fin", false, false, plainly("fin"), "fin"},
		{"reset", false, false, plainly("reset"), "reset"},
		{"fin, a server in TLS", false, true, plainly("fin"), "close_notify"},
		{"reset, a server in TLS", false, true, plainly("reset"), "reset"},
		{"fin of TLS", true, true, breakingClient(say, true, "fin"), "close_notify"},
		{"fin in a record", true, true, breakingClient(say, true, "fin in a record"), "reset"},
		{"reset of TLS", true, false, breakingClient(say, true, "reset"), "reset"},
	} {
		saw := make(chan string, 1)
		p := section(script(t, func(raw net.Conn) {
			below := &overhears{TCPConn: raw.(*net.TCPConn)}
			c := net.Conn(below)
			if tc.back {
				c = tls.Server(below, &tls.Config{Certificates: []tls.Certificate{ownPair()}})
			}
			readHeadOf(c)
			io.WriteString(c, "y\r\n\r\n")
			_, err := io.ReadAll(c)
			saw <- below.ending(err)
		}))
		p.Mode = settings.TCP
		if tc.front {
			encrypted(p)
		}
		if tc.back {
			p.Servers[0].TLS = &settings.ServerTLS{TLS: settings.TLS{On: true, Verify: settings.VerifyNone}}
		}
		tc.client(serve(t, 1, p).dial())
		if got := <-saw; got != tc.want {
			t.Errorf("%s: the server sees %q, want %q", tc.name, got, tc.want)
		}
	}
}
