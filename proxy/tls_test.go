package proxy

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"herald/proxy/expr"
	"herald/proxy/settings"
	"herald/proxy/testcert"
)

var (
	authority = sync.OnceValue(func() *testcert.Authority { return testcert.NewAuthority("Test CA") })
	stranger  = sync.OnceValue(func() *testcert.Authority { return testcert.NewAuthority("Other CA") })
)

// siteFor is a certificate as settings have it.
func siteFor(r testcert.Request) settings.Certificate {
	i := authority().Issue(r)
	return settings.Certificate{Files: []settings.File{{Path: "/" + r.Names[0] + ".pem", Bytes: i.Bundle}}}
}

// encrypted makes the bind line of p one with TLS.
func encrypted(p *settings.Proxy, change ...func(*settings.BindTLS)) *settings.Proxy {
	b := &settings.BindTLS{TLS: settings.TLS{On: true}, Certificates: []settings.Certificate{siteFor(testcert.Request{Names: []string{"a.example"}})}}
	for _, f := range change {
		f(b)
	}
	p.Binds = []settings.Bind{{TLS: b}}
	return p
}

// trusting is a client's configuration that trusts the tests' authority.
func trusting() *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority().PEM)
	return &tls.Config{RootCAs: pool, ServerName: "a.example"}
}

func (r *rig) secure(c *tls.Config) *tls.Conn {
	return tls.Client(r.dial(), c)
}

func fetch(t *testing.T, c net.Conn, in *bufio.Reader, request string) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestRequestsComeThroughTLS(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p := encrypted(section(origin(t, func(w http.ResponseWriter, q *http.Request) { fmt.Fprint(w, "you asked for ", q.URL) })))
		p.LogFormat, p.LogFormatText = settings.LogCustom, "%ft %sslv %sslc %ST"
		r := serve(t, 1, p)
		config := trusting()
		config.MaxVersion = version
		c := r.secure(config)
		in := bufio.NewReader(c)
		for i := range 3 {
			if _, got := fetch(t, c, in, fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i)); got != fmt.Sprintf("you asked for /%d", i) {
				t.Errorf("version %x, request %d: %q", version, i, got)
			}
		}
		name := map[uint16]string{tls.VersionTLS12: `TLSv1.2 ECDHE-ECDSA-[A-Z0-9-]+`, tls.VersionTLS13: `TLSv1.3 TLS_[A-Z0-9_]+`}[version]
		r.log.wait(t, `^web~ `+name+` 200\s*$`)
		if n := r.frontends[0].tallies[0].tlsSessions.Load(); n != 1 {
			t.Errorf("%d sessions are counted", n)
		}
	}
}

// Both sides are encrypted, and neither takes or gives everything at once.
func TestBulkPassesThroughTLSUnharmed(t *testing.T) {
	sum := func(b []byte) string { s := sha256.Sum256(b); return fmt.Sprintf("%x", s[:8]) }
	big := make([]byte, 3<<20)
	for i := range big {
		big[i] = byte(i * i >> 7)
	}
	o := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		w.Header().Set("X-Sum", sum(b))
		w.Write(big)
	}))
	t.Cleanup(o.Close)
	p := encrypted(section(o.Listener.Addr().String()))
	p.Servers[0].TLS = &settings.ServerTLS{TLS: settings.TLS{On: true, Verify: settings.VerifyNone}}
	r := serve(t, 1, p)
	c := r.secure(trusting())
	c.NetConn().(*net.TCPConn).SetReadBuffer(64 << 10)
	in := bufio.NewReader(c)
	for range 2 {
		go func() {
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(big))
			for rest := big; len(rest) > 0; { // writes of every size up to two records
				n := min(len(rest), 1+len(rest)%30011)
				c.Write(rest[:n])
				rest = rest[n:]
			}
		}()
		resp, body := fetch(t, c, in, "")
		if resp.Header.Get("X-Sum") != sum(big) || sum([]byte(body)) != sum(big) {
			t.Fatalf("sent %s, arrived %s; received %d bytes, %s", sum(big), resp.Header.Get("X-Sum"), len(body), sum([]byte(body)))
		}
	}
	if n := r.backends[0].targets[0].tallies[0].reuses.Load(); n != 1 {
		t.Errorf("the server's connection was used again %d times, want once", n)
	}
}

// The texts are those of HAProxy 2.6.12 for the same clients.
func TestAFailedHandshakeIsLogged(t *testing.T) {
	raw := func(text string, then func(*net.TCPConn)) func(*rig) {
		return func(r *rig) {
			c := r.dial()
			io.WriteString(c, text)
			then(c)
		}
	}
	reads := func(c *net.TCPConn) { io.ReadAll(c) }
	drips := func(c *net.TCPConn) { // into a record that is never whole
		go io.Copy(io.Discard, c)
		io.WriteString(c, "\x16\x03\x03\x3f\xff")
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := c.Write([]byte{0}); err != nil {
				return
			}
		}
	}
	deaf := func(r *rig) {
		c := r.dial()
		c.SetReadBuffer(1)
		c.Write(testcert.ClientHello())
		waitFor(t, func() bool { return r.conns.now.Load() == 1 })
	}
	longChain := func(b *settings.BindTLS) {
		f := &b.Certificates[0].Files[0]
		f.Bytes = append(slices.Clone(f.Bytes), bytes.Repeat(authority().PEM, 2000)...)
	}
	shake := func(change func(*tls.Config)) func(*rig) {
		return func(r *rig) {
			config := trusting()
			change(config)
			c := r.secure(config)
			if c.Handshake() == nil {
				c.Read(make([]byte, 1)) // TLS 1.3 tells of a refusal afterwards
			}
		}
	}
	mutual := func(b *settings.BindTLS) {
		b.Verify, b.CA = settings.VerifyRequired, &settings.File{Path: "ca", Bytes: authority().PEM}
	}
	for name, tc := range map[string]struct {
		bind   func(*settings.BindTLS)
		client func(*rig)
		log    string
	}{
		"closed at once":      {nil, raw("", func(c *net.TCPConn) { c.Close() }), "Connection closed during SSL handshake"},
		"closed in the hello": {nil, raw("\x16\x03\x01\x02\x00\x01", func(c *net.TCPConn) { c.CloseWrite(); reads(c) }), "Connection closed during SSL handshake"},
		"closed behind it":    {nil, raw(string(testcert.ClientHello()), func(c *net.TCPConn) { c.Read(make([]byte, 1)); c.CloseWrite(); reads(c) }), "SSL handshake failure"},
		"silence":             {nil, raw("", reads), "Timeout during SSL handshake"},
		"half a hello":        {nil, raw("\x16\x03\x01\x02\x00\x01", reads), "Timeout during SSL handshake"},
		"a hello, no more":    {nil, raw(string(testcert.ClientHello()), reads), "Timeout during SSL handshake"},
		"a hello, then drips": {nil, raw(string(testcert.ClientHello()), drips), "Timeout during SSL handshake"},
		"nothing is taken":    {longChain, deaf, "Timeout during SSL handshake"},
		"plain HTTP":          {nil, raw(get, reads), "SSL handshake failure"},
		"junk":                {nil, raw("abcdefghijklmnop", reads), "SSL handshake failure"},
		"client distrusts":    {nil, shake(func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }), "SSL handshake failure"},
		"old version":         {nil, shake(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), "SSL handshake failure"},
		"unknown name":        {func(b *settings.BindTLS) { b.StrictSNI = true }, shake(func(c *tls.Config) { c.ServerName = "b.example" }), "SSL handshake failure"},
		"no certificate":      {mutual, shake(func(*tls.Config) {}), "SSL handshake failure"},
		"a stranger's certificate": {mutual, shake(func(c *tls.Config) {
			i := stranger().Issue(testcert.Request{Name: "client"})
			pair, _ := tls.X509KeyPair(i.Cert, i.Key)
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}), "SSL client certificate not trusted"},
	} {
		t.Run(name, func(t *testing.T) {
			p := section("127.0.0.1:1")
			p.Timeouts.Client = 200 * time.Millisecond
			if tc.bind == nil {
				tc.bind = func(*settings.BindTLS) {}
			}
			r := serve(t, 1, encrypted(p, tc.bind))
			tc.client(r)
			r.log.wait(t, `^127.0.0.1:[0-9]+ \[[^]]+\] web/web: `+tc.log+`\s*$`)
			if n := r.frontends[0].tallies[0].tlsFailed.Load(); n != 1 {
				t.Errorf("%d failures are counted", n)
			}
		})
	}
}

// Who says nothing, or nothing in time, is not logged with option dontlognull.
func TestConnectionsThatCameToNothingNeedNoLine(t *testing.T) {
	for name, introduced := range map[string]bool{"TLS": false, "a PROXY header": true} {
		p := encrypted(section("127.0.0.1:1"))
		p.DontLogNull, p.Timeouts.Client = true, 200*time.Millisecond
		p.Binds[0].AcceptProxy = introduced
		r := serve(t, 1, p)
		for _, ends := range []bool{true, false} {
			c := r.dial()
			if ends {
				c.CloseWrite()
			}
			io.Copy(io.Discard, c) // until it is given up
		}
		io.WriteString(r.dial(), get)
		if got := r.log.wait(t, "."); !strings.Contains(got, "failure") && !strings.Contains(got, "does not look like") {
			t.Errorf("waiting for %s: the first line is %q", name, got)
		}
	}
}

func TestAHandshakeThatIsGivenUpLeavesNothing(t *testing.T) {
	p := encrypted(section(origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, "hello") })))
	r := serve(t, 2, p)
	before := runtime.NumGoroutine()
	// The hello of a client that then says nothing more.
	hello := testcert.ClientHello()
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			c := r.dial()
			c.Write(hello[:len(hello)-i%3])
			if i%2 == 0 {
				c.SetLinger(0)
			}
			if i%5 > 0 {
				c.Read(make([]byte, 100))
			}
			c.Close()
		})
	}
	wg.Wait()
	deadline := time.Now().Add(5 * time.Second)
	for r.conns.now.Load() > 0 || runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections and %d goroutines are left", r.conns.now.Load(), runtime.NumGoroutine()-before)
		}
		runtime.Gosched()
	}
	c := r.secure(trusting())
	if _, got := fetch(t, c, bufio.NewReader(c), get); got != "hello" {
		t.Errorf("then a good client gets %q", got)
	}
}

func TestATunnelThroughTLSEndsSideBySide(t *testing.T) {
	o := script(t, func(c net.Conn) {
		b, _ := io.ReadAll(c)
		fmt.Fprintf(c, "you said %s", b)
	})
	p := encrypted(section(o))
	p.Mode = settings.TCP
	r := serve(t, 1, p)
	c := r.secure(trusting())
	io.WriteString(c, "good bye")
	c.CloseWrite()
	b, err := io.ReadAll(c)
	if string(b) != "you said good bye" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestAServersConnectionIsVerified(t *testing.T) {
	pair := func(i testcert.Issued) tls.Certificate { c, _ := tls.X509KeyPair(i.Cert, i.Key); return c }
	known := authority().Issue(testcert.Request{Names: []string{"one.example"}})
	unknown := stranger().Issue(testcert.Request{Names: []string{"one.example"}})
	for name, tc := range map[string]struct {
		cert testcert.Issued
		set  func(*settings.ServerTLS)
		want string
	}{
		"nobody asks":       {unknown, func(s *settings.ServerTLS) { s.Verify = settings.VerifyNone }, "HTTP/1.1 200 "},
		"known":             {known, func(*settings.ServerTLS) {}, "HTTP/1.1 200 "},
		"unknown":           {unknown, func(*settings.ServerTLS) {}, "HTTP/1.1 503 "},
		"the right host":    {known, func(s *settings.ServerTLS) { s.VerifyHost = "one.example" }, "HTTP/1.1 200 "},
		"another host":      {known, func(s *settings.ServerTLS) { s.VerifyHost = "two.example" }, "HTTP/1.1 503 "},
		"the right name":    {known, func(s *settings.ServerTLS) { s.SNI = expression(t, "str(one.example)") }, "HTTP/1.1 200 "},
		"another name":      {known, func(s *settings.ServerTLS) { s.SNI = expression(t, "req.hdr(host)") }, "HTTP/1.1 503 "},
		"made of the host":  {known, func(s *settings.ServerTLS) { s.SNI = expression(t, "req.hdr(host),field(1,:),regsub(three,one)") }, "HTTP/1.1 200 "},
		"not the host then": {known, func(s *settings.ServerTLS) { s.SNI, s.VerifyHost = expression(t, "req.hdr(host)"), "one.example" }, "HTTP/1.1 503 "},
		"nor another":       {known, func(s *settings.ServerTLS) { s.SNI, s.VerifyHost = expression(t, "str(one.example)"), "two.example" }, "HTTP/1.1 200 "},
		"no name, the host": {known, func(s *settings.ServerTLS) { s.SNI, s.VerifyHost = expression(t, "req.hdr(none)"), "one.example" }, "HTTP/1.1 200 "},
		"revoked": {known, func(s *settings.ServerTLS) {
			s.CRL = &settings.File{Path: "crl", Bytes: authority().Revoke(known)}
		}, "HTTP/1.1 503 "},
		"not revoked": {known, func(s *settings.ServerTLS) {
			s.CRL = &settings.File{Path: "crl", Bytes: authority().Revoke(unknown)}
		}, "HTTP/1.1 200 "},
	} {
		t.Run(name, func(t *testing.T) {
			o := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, q.TLS.ServerName) }))
			o.TLS = &tls.Config{Certificates: []tls.Certificate{pair(tc.cert)}}
			o.Config.ErrorLog = log.New(io.Discard, "", 0)
			o.StartTLS()
			t.Cleanup(o.Close)
			p := section(o.Listener.Addr().String())
			p.Retries = 0
			s := &settings.ServerTLS{TLS: settings.TLS{On: true, Verify: settings.VerifyRequired, CA: &settings.File{Path: "ca", Bytes: authority().PEM}}}
			tc.set(s)
			p.Servers[0].TLS = s
			r := serve(t, 1, p)
			got := r.exchange("GET / HTTP/1.1\r\nHost: three.example:80\r\nConnection: close\r\n\r\n")
			if !strings.HasPrefix(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if strings.HasPrefix(tc.want, "HTTP/1.1 503") {
				r.log.wait(t, ` 503 [0-9]+ - - SC-- `)
			} else if s.SNI != nil && !strings.Contains(got, map[string]string{"str(one.example)": "one.example", "req.hdr(none)": "", "req.hdr(host)": "three.example", "req.hdr(host),field(1,:),regsub(three,one)": "one.example"}[s.SNI.Text]) {
				t.Errorf("the server was asked for another name: %q", got)
			}
		})
	}
}

// A session begun under one name must not carry a client past the check of
// another (as in nginx, CVE-2025-23419).
func TestAResumedSessionIsVerifiedForItsName(t *testing.T) {
	client := stranger().Issue(testcert.Request{Name: "client"})
	pair, _ := tls.X509KeyPair(client.Cert, client.Key)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p := encrypted(section(origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, "secret") })), func(b *settings.BindTLS) {
			lax, strict := *b, *b
			lax.Verify, lax.CA = settings.VerifyOptional, &settings.File{Path: "ca", Bytes: stranger().PEM}
			strict.Verify, strict.CA = settings.VerifyRequired, &settings.File{Path: "ca", Bytes: authority().PEM}
			open, shut := siteFor(testcert.Request{Names: []string{"open.example"}}), siteFor(testcert.Request{Names: []string{"shut.example"}})
			open.Own, shut.Own = &lax, &strict
			b.Certificates = append(b.Certificates, open, shut)
		})
		r := serve(t, 1, p)
		config := trusting()
		config.MaxVersion = version
		config.InsecureSkipVerify = true
		config.Certificates = []tls.Certificate{pair}
		config.ClientSessionCache = oneSession{tls.NewLRUClientSessionCache(1)}
		config.ServerName = "open.example"
		for range 2 {
			c := r.secure(config)
			if _, got := fetch(t, c, bufio.NewReader(c), get); got != "secret" {
				t.Fatalf("open.example: %q", got)
			}
			c.Close()
		}
		if n := r.frontends[0].tallies[0].tlsResumed.Load(); n != 1 {
			t.Fatalf("version %x: %d sessions were resumed, want 1", version, n)
		}
		config.ServerName = "shut.example"
		c := r.secure(config)
		io.WriteString(c, get)
		if b, err := io.ReadAll(c); len(b) > 0 || err == nil {
			t.Errorf("version %x: the ticket of open.example opens shut.example: %q", version, b)
		}
	}
}

// oneSession offers the last session whatever the name.
type oneSession struct{ tls.ClientSessionCache }

func (o oneSession) Get(string) (*tls.ClientSessionState, bool) { return o.ClientSessionCache.Get("") }

func (o oneSession) Put(_ string, s *tls.ClientSessionState) { o.ClientSessionCache.Put("", s) }

// keyUpdater is a TLS 1.3 client that updates its keys, which crypto/tls
// does not do by itself: it goes on where a tls.Conn stops writing.
type keyUpdater struct {
	t      *testing.T
	c      *tls.Conn
	secret []byte
	seq    uint64
}

// expand is HKDF-Expand-Label (RFC 8446 section 7.1).
func expand(t *testing.T, secret []byte, label string, n int) []byte {
	info := append([]byte{0, byte(n), byte(len("tls13 " + label))}, "tls13 "+label+"\x00"...)
	out, err := hkdf.Expand(sha256.New, secret, string(info), n)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// write sends one record of a kind.
func (k *keyUpdater) write(kind byte, p []byte) {
	block, _ := aes.NewCipher(expand(k.t, k.secret, "key", 16))
	aead, _ := cipher.NewGCM(block)
	nonce := expand(k.t, k.secret, "iv", 12)
	for i := range 8 {
		nonce[4+i] ^= byte(k.seq >> (56 - 8*i))
	}
	k.seq++
	plain := append(slices.Clone(p), kind)
	head := []byte{23, 3, 3, byte((len(plain) + 16) >> 8), byte(len(plain) + 16)}
	k.c.NetConn().Write(aead.Seal(head, nonce, plain, head))
}

func (k *keyUpdater) update() {
	k.write(22, []byte{24, 0, 0, 1, 1}) // key_update, update_requested
	k.secret, k.seq = expand(k.t, k.secret, "traffic upd", 32), 0
}

func TestKeyUpdatesAreAnswered(t *testing.T) {
	p := encrypted(section(origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, "body of "+q.URL.Path) })))
	r := serve(t, 1, p)
	config := trusting()
	var keys bytes.Buffer
	config.KeyLogWriter = &keys
	c := r.secure(config)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if id := c.ConnectionState().CipherSuite; id != tls.TLS_AES_128_GCM_SHA256 {
		t.Skipf("this machine prefers %s", tls.CipherSuiteName(id))
	}
	_, rest, _ := strings.Cut(keys.String(), "CLIENT_TRAFFIC_SECRET_0 ")
	secret, err := hex.DecodeString(strings.Fields(rest)[1])
	if err != nil {
		t.Fatal(err)
	}
	k := &keyUpdater{t: t, c: c, secret: secret}
	in := bufio.NewReader(c)
	for i := range 4 {
		k.update()
		k.write(23, fmt.Appendf(nil, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i))
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(resp.Body); string(b) != fmt.Sprintf("body of /%d", i) {
			t.Errorf("request %d: %q", i, b)
		}
	}
}

// Who asks for new keys again and again, and takes no answer, fills a bounded
// buffer and is then not read any more.
func TestAFloodOfKeyUpdatesIsBounded(t *testing.T) {
	p := encrypted(section("127.0.0.1:1"))
	p.Timeouts.Client, p.Timeouts.HTTPRequest = time.Second, time.Second
	r := serve(t, 1, p)
	config := trusting()
	var keys bytes.Buffer
	config.KeyLogWriter = &keys
	c := r.secure(config)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if id := c.ConnectionState().CipherSuite; id != tls.TLS_AES_128_GCM_SHA256 {
		t.Skipf("this machine prefers %s", tls.CipherSuiteName(id))
	}
	_, rest, _ := strings.Cut(keys.String(), "CLIENT_TRAFFIC_SECRET_0 ")
	secret, _ := hex.DecodeString(strings.Fields(rest)[1])
	k := &keyUpdater{t: t, c: c, secret: secret}
	for range 1000 {
		k.update() // more than 16 in a row without data end the connection
	}
	b := make([]byte, 1<<20)
	for err := error(nil); err == nil; {
		_, err = c.NetConn().Read(b)
	}
	deadline := time.Now().Add(5 * time.Second)
	for r.conns.now.Load() > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the connection stays")
		}
		runtime.Gosched()
	}
}

// expression compiles one.
func expression(t testing.TB, text string) *expr.Fetch {
	t.Helper()
	f, err := expr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &f
}
