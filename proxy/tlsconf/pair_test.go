package tlsconf

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"herald/proxy/settings"
)

func (s *signed) keyInPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

// bundle is what lies in one file: certificates, and the key of the first.
func bundle(t *testing.T, list ...*signed) []byte {
	return append(inPEM(list...), list[0].keyInPEM(t)...)
}

func named(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject, c.DNSNames, c.ExtKeyUsage = pkix.Name{CommonName: names[0]}, names, nil
	}
}

func text(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// staple is an OCSP response by the signer of a certificate.
func (s *signed) staple(t *testing.T, of *signed, status int) []byte {
	t.Helper()
	der, err := ocsp.CreateResponse(s.Certificate, s.Certificate, ocsp.Response{Status: status, SerialNumber: of.SerialNumber, ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour), RevokedAt: time.Now()}, s.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// What is wrong with the files of a certificate is named with the file.
func TestFilesThatAreNoPairAreNamed(t *testing.T) {
	root, other := issue(t, nil, authorityNamed("root")), issue(t, nil, authorityNamed("other"))
	a, b := issue(t, root, named("a.example")), issue(t, root, named("b.example"))
	whole := bundle(t, a)
	exchange, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	mute, err := x509.MarshalPKCS8PrivateKey(exchange)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files map[string][]byte // by what stands behind a.pem
		want  string
	}{
		"nothing in PEM":        {map[string][]byte{"": []byte("hello")}, "a.pem: no certificate found in PEM format"},
		"no key":                {map[string][]byte{"": inPEM(a)}, "a.pem: no private key, neither in the file nor in a.pem.key"},
		"another's key":         {map[string][]byte{"": append(inPEM(a), b.keyInPEM(t)...)}, "a.pem: the private key does not belong to the certificate"},
		"another's key beside":  {map[string][]byte{"": inPEM(a), ".key": b.keyInPEM(t)}, "a.pem: the private key does not belong to the certificate"},
		"a key with a password": {map[string][]byte{"": append(inPEM(a), text("ENCRYPTED PRIVATE KEY", []byte{1})...)}, "a.pem: the private key is encrypted; nobody could type its password"},
		"a broken key":          {map[string][]byte{"": append(inPEM(a), text("PRIVATE KEY", []byte{1})...)}, "a.pem: the private key is in no form that is known: PKCS #8, PKCS #1 or SEC 1"},
		"a broken key beside":   {map[string][]byte{"": inPEM(a), ".key": text("PRIVATE KEY", []byte{1})}, "a.pem.key: the private key is in no form that is known: PKCS #8, PKCS #1 or SEC 1"},
		"a key that signs not":  {map[string][]byte{"": append(inPEM(a), text("PRIVATE KEY", mute)...)}, "a.pem: the private key (*ecdh.PrivateKey) cannot sign"},
		"a broken certificate":  {map[string][]byte{"": append(text("CERTIFICATE", []byte{1}), a.keyInPEM(t)...)}, "a.pem: x509: malformed certificate"},
		"a broken response":     {map[string][]byte{"": whole, ".ocsp": []byte("x")}, "a.pem.ocsp: OCSP response: "},
		"a revoked certificate": {map[string][]byte{"": whole, ".ocsp": root.staple(t, a, ocsp.Revoked)}, "a.pem.ocsp: OCSP response: the certificate is not good"},
		"another's response":    {map[string][]byte{"": whole, ".ocsp": root.staple(t, b, ocsp.Good)}, "a.pem.ocsp: OCSP response: "},
		"a stranger's response": {map[string][]byte{"": whole, ".ocsp": other.staple(t, a, ocsp.Good), ".issuer": inPEM(root)}, "a.pem.ocsp: OCSP response: "},
		"a broken issuer":       {map[string][]byte{"": whole, ".issuer": text("PRIVATE KEY", nil)}, "a.pem.issuer: the private key is in no form that is known"},
		"timestamps cut off":    {map[string][]byte{"": whole, ".sctl": {0, 5, 0, 3, 1}}, "a.pem.sctl: no list of signed certificate timestamps"},
		"half a length":         {map[string][]byte{"": whole, ".sctl": {0, 1, 0}}, "a.pem.sctl: no list of signed certificate timestamps"},
		"an empty timestamp":    {map[string][]byte{"": whole, ".sctl": {0, 2, 0, 0}}, "a.pem.sctl: no list of signed certificate timestamps"},
	} {
		cert := settings.Certificate{Files: []settings.File{{Path: "a.pem", Bytes: c.files[""]}}}
		for _, ext := range []string{".key", ".issuer", ".ocsp", ".sctl"} {
			if b, ok := c.files[ext]; ok {
				cert.Files = append(cert.Files, settings.File{Path: "a.pem" + ext, Bytes: b})
			}
		}
		if _, err := Load(cert); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := Load(settings.Certificate{}); err == nil || err.Error() != "no certificate file" {
		t.Errorf("no files: %v", err)
	}
	for _, b := range [][]byte{[]byte("hello"), append(inPEM(a), text("PRIVATE KEY", []byte{1})...)} {
		if _, err := Leaf(settings.Certificate{Files: []settings.File{{Path: "a.pem", Bytes: b}}}); err == nil {
			t.Errorf("%q has a certificate", b)
		}
	}
}

// A pair is whole with what lies beside it, and is for the names of the list it
// stands in, or those it holds.
func TestPairsAreReadWhole(t *testing.T) {
	root := issue(t, nil, authorityNamed("root"))
	a := issue(t, root, named("A.example", "b.example"))
	good := root.staple(t, a, ocsp.Good)
	p, err := Load(settings.Certificate{Filters: []string{"X.example", "!Y.example"}, Files: []settings.File{{Path: "a.pem", Bytes: inPEM(a)}, {Path: "a.pem.key", Bytes: a.keyInPEM(t)},
		{Path: "a.pem.issuer", Bytes: inPEM(root)}, {Path: "a.pem.ocsp", Bytes: good}, {Path: "a.pem.sctl", Bytes: []byte{0, 7, 0, 2, 1, 2, 0, 1, 3}}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.TLS.Certificate) != 1 || string(p.TLS.OCSPStaple) != string(good) || len(p.TLS.SignedCertificateTimestamps) != 2 || string(p.TLS.SignedCertificateTimestamps[0]) != "\x01\x02" {
		t.Errorf("%d certificates, %d bytes of OCSP, timestamps %v", len(p.TLS.Certificate), len(p.TLS.OCSPStaple), p.TLS.SignedCertificateTimestamps)
	}
	if got := strings.Join(p.Names, " ") + " ! " + strings.Join(p.Exclude, " "); got != "x.example ! y.example" {
		t.Errorf("it is for %s", got)
	}
	if p, err = Load(settings.Certificate{Files: []settings.File{{Path: "a.pem", Bytes: bundle(t, a, root)}, {Path: "a.pem.key", Bytes: root.keyInPEM(t)}, {Path: "a.pem.ocsp", Bytes: good}}}); err != nil {
		t.Fatal(err) // the key of the file itself comes first
	}
	if got := strings.Join(p.Names, " "); got != "a.example b.example" || len(p.TLS.Certificate) != 2 {
		t.Errorf("it is for %s, with %d certificates", got, len(p.TLS.Certificate))
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := parseKey(x509.MarshalPKCS1PrivateKey(rsaKey)); err != nil || !rsaKey.Equal(k) {
		t.Errorf("PKCS #1: %v", err)
	}
}

func TestKeysAndSuitesHaveNames(t *testing.T) {
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]*x509.Certificate{"RSA1024": {PublicKey: &rsaKey.PublicKey}, "EC256": {PublicKey: &p256.PublicKey}, "ED25519": {PublicKey: edwards}, "DSA": {PublicKeyAlgorithm: x509.DSA}} {
		if got := Algorithm(c); got != want {
			t.Errorf("%s: %s", want, got)
		}
	}
	for id, want := range map[uint16]int{tls.TLS_AES_128_GCM_SHA256: 128, tls.TLS_RSA_WITH_RC4_128_SHA: 128, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA: 168, tls.TLS_CHACHA20_POLY1305_SHA256: 256, tls.TLS_AES_256_GCM_SHA384: 256} {
		if got := KeySize(id); got != want {
			t.Errorf("%s: %d bits, want %d", CipherName(id), got, want)
		}
	}
	if got := CipherName(0xfefe); got != "0xFEFE" {
		t.Errorf("a suite nobody knows: %s", got)
	}
	for name, want := range map[string]uint16{"SSLv3": 0x301, "TLSv1.0": 0x301, "TLSv1.1": 0x302, "TLSv1.2": 0x303, "TLSv1.3": 0x304} {
		if got, err := Version(name); got != want || err != nil {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	if _, err := Version("TLSv1.4"); err == nil || err.Error() != `"TLSv1.4" is not SSLv3, TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3` {
		t.Errorf("TLSv1.4: %v", err)
	}
	for id, want := range map[uint16]string{0x301: "TLSv1", 0x302: "TLSv1.1", 0x304: "TLSv1.3", 0x305: ""} {
		if got := VersionName(id); got != want {
			t.Errorf("%x: %q, want %q", id, got, want)
		}
	}
	if _, _, err := ParseSuites("TLS_AES_128_GCM_SHA256:NOPE"); err == nil || err.Error() != `"NOPE" is no cipher suite of TLS 1.3` {
		t.Errorf("NOPE: %v", err)
	}
	if missing, _, err := ParseSuites("TLS_AES_128_CCM_SHA256"); err != nil || strings.Join(missing, " ") != "TLS_AES_128_CCM_SHA256" {
		t.Errorf("missing: %v, %v", missing, err)
	}
	if _, _, err := ParseCurves("X448:foo"); err == nil || err.Error() != `"X448:foo" leaves no group that this program has` {
		t.Errorf("X448:foo: %v", err)
	}
}

// meet lets a client and a server shake hands, and answers what either says.
func meet(t *testing.T, client, server *tls.Config) (byClient, byServer error, seen tls.ConnectionState) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // a net.Pipe holds nothing: both would wait for the other to read
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{near, far} {
		c.SetDeadline(time.Now().Add(30 * time.Second))
	}
	done := make(chan error, 1)
	go func() {
		s := tls.Server(far, server)
		err := s.Handshake()
		if err == nil {
			_, err = io.WriteString(s, "x")
		}
		far.Close()
		done <- err
	}()
	c := tls.Client(near, client)
	byClient = c.Handshake()
	if byClient == nil {
		seen = c.ConnectionState()
		_, byClient = io.ReadFull(c, make([]byte, 1))
	}
	near.Close()
	return byClient, <-done, seen
}

// A server line verifies by its authorities and the name it is told, a bind
// line by those of the name the client asks for.
func TestBothSidesAreVerified(t *testing.T) {
	root, other := issue(t, nil, authorityNamed("root")), issue(t, nil, authorityNamed("other"))
	file := func(path string, b []byte) *settings.File { return &settings.File{Path: path, Bytes: b} }
	ca := file("ca.pem", inPEM(root))
	cert := func(path string, own *settings.BindTLS, s *signed) *Pair {
		p, err := Load(settings.Certificate{Own: own, Files: []settings.File{{Path: path, Bytes: bundle(t, s)}}})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	joe, eve, old := issue(t, root, named("joe")), issue(t, other, named("eve")), issue(t, root, named("old"))
	strict := &settings.BindTLS{NoCANames: true, TLS: settings.TLS{Verify: settings.VerifyRequired, CA: ca, CRL: file("crl.pem", append([]byte("# lists\n"), root.list(t, time.Hour, old)...))}}
	again := cert("again.pem", strict, issue(t, root, named("again.example")))
	wrong := cert("a.pem", nil, issue(t, root, named("a.example")))
	wrong.Names = []string{"b.example"}
	pairs := []*Pair{wrong, cert("a.pem", nil, issue(t, root, named("a.example"))), cert("mtls.pem", strict, issue(t, root, named("mtls.example"))), again}
	acceptor := &Acceptor{Bind: &settings.BindTLS{TLS: settings.TLS{ALPN: []string{"h2"}, Curves: []uint16{uint16(tls.CurveP256)}}}, Table: NewTable(pairs, true), Now: time.Now}
	server, err := acceptor.Config()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, ask, host    string
		own                *signed
		ca                 *settings.File
		byClient, byServer string
	}{
		{"a good name", "a.example", "", nil, ca, "", ""},
		{"the name asked for is the one", "a.example", "b.example", nil, ca, "", ""},
		{"another name", "b.example", "a.example", nil, ca, "the server's certificate is for [a.example], not for b.example", "bad certificate"},
		{"another authority", "a.example", "", nil, file("other.pem", inPEM(other)), "certificate not trusted (20): ", "bad certificate"},
		{"nobody's name", "nobody.example", "", nil, ca, "unrecognized name", "no certificates configured"},
		{"a client without a certificate", "mtls.example", "", nil, ca, "certificate required", "didn't provide a certificate"},
		{"a client with one", "mtls.example", "", joe, ca, "", ""},
		{"a client of another authority", "mtls.example", "", eve, ca, "bad certificate", "certificate not trusted (20): "},
		{"a client that was revoked", "again.example", "", old, ca, "bad certificate", "certificate not trusted (23): "},
	} {
		line := &settings.ServerTLS{TLS: settings.TLS{Verify: settings.VerifyRequired, CA: c.ca, ALPN: []string{"h2"}}, VerifyHost: c.host}
		if c.own != nil {
			line.Certificate = &settings.Certificate{Files: []settings.File{{Path: "own.pem", Bytes: bundle(t, c.own)}}}
		}
		client, err := ClientConfig(line, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		client.ServerName = c.ask
		byClient, byServer, seen := meet(t, client, server)
		for who, is := range map[string]struct {
			err  error
			want string
		}{"client": {byClient, c.byClient}, "server": {byServer, c.byServer}} {
			if is.want == "" && is.err != nil || is.want != "" && (is.err == nil || !strings.Contains(is.err.Error(), is.want)) {
				t.Errorf("%s: the %s says %v, want %q", c.name, who, is.err, is.want)
			}
		}
		if c.ask == "a.example" && c.byClient == "" && (seen.NegotiatedProtocol != "h2" || seen.CurveID != tls.CurveP256) {
			t.Errorf("%s: protocol %q, group %v", c.name, seen.NegotiatedProtocol, seen.CurveID)
		}
	}
	anyone, err := ClientConfig(&settings.ServerTLS{TLS: settings.TLS{Verify: settings.VerifyNone, NoTickets: true}}, time.Now)
	if err != nil || anyone.ClientSessionCache != nil {
		t.Fatalf("verify none, no tickets: %v, a cache %t", err, anyone.ClientSessionCache != nil)
	}
	anyone.ServerName = "a.example"
	if byClient, byServer, _ := meet(t, anyone, server); byClient != nil || byServer != nil {
		t.Errorf("verify none: %v and %v", byClient, byServer)
	}
}

// Files that say nothing are named, before anybody shakes hands.
func TestFilesOfVerificationAreNamed(t *testing.T) {
	root := issue(t, nil, authorityNamed("root"))
	file := func(path string, b []byte) *settings.File { return &settings.File{Path: path, Bytes: b} }
	good, empty := file("ca.pem", inPEM(root)), file("empty.pem", append(text("CERTIFICATE", []byte{1}), root.keyInPEM(t)...))
	for want, try := range map[string]func() error{
		"empty.pem: no certificate in PEM form": func() error { return CheckFile(empty) },
		"crl.pem: no revocation list in PEM form": func() error {
			return CheckRevocations(file("crl.pem", inPEM(root)))
		},
		"crl.pem: x509: ": func() error { return CheckRevocations(file("crl.pem", text("X509 CRL", []byte{1}))) },
		"own.pem: no certificate found in PEM format": func() error {
			_, err := ClientConfig(&settings.ServerTLS{Certificate: &settings.Certificate{Files: []settings.File{{Path: "own.pem"}}}}, time.Now)
			return err
		},
	} {
		if err := try(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := CheckFile(good); err != nil {
		t.Errorf("good: %v", err)
	}
	if err := CheckRevocations(file("crl.pem", root.list(t, time.Hour))); err != nil {
		t.Errorf("good lists: %v", err)
	}
	if _, err := ClientConfig(&settings.ServerTLS{TLS: settings.TLS{Verify: settings.VerifyRequired, CA: empty}}, time.Now); err == nil {
		t.Error("a server line without authorities is taken")
	}
	for _, b := range []*settings.BindTLS{{TLS: settings.TLS{Verify: settings.VerifyRequired, CA: empty}}, {TLS: settings.TLS{Verify: settings.VerifyOptional, CA: good}, CAVerify: empty}} {
		if _, err := (&Acceptor{Bind: b, Table: NewTable(nil, false), Now: time.Now}).Config(); err == nil || err.Error() != "empty.pem: no certificate in PEM form" {
			t.Errorf("a bind line without authorities: %v", err)
		}
		own := NewTable([]*Pair{{Own: b}}, false)
		if _, err := (&Acceptor{Bind: &settings.BindTLS{}, Table: own, Now: time.Now}).Config(); err == nil || err.Error() != "empty.pem: no certificate in PEM form" {
			t.Errorf("a certificate's own authorities: %v", err)
		}
	}
}

func TestHostsOfCertificates(t *testing.T) {
	for _, c := range []struct {
		cert *x509.Certificate
		host string
		want bool
	}{
		{&x509.Certificate{DNSNames: []string{"*.example"}}, "a.example", true},
		{&x509.Certificate{DNSNames: []string{"*.example"}, Subject: pkix.Name{CommonName: "b.test"}}, "b.test", false},
		{&x509.Certificate{Subject: pkix.Name{CommonName: "b.test"}}, "b.test", true},
		{&x509.Certificate{Subject: pkix.Name{CommonName: "b.test"}}, "c.test", false},
		{&x509.Certificate{IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)}}, "10.0.0.1", true},
		{&x509.Certificate{}, "a.example", false},
	} {
		if got := Matches(c.cert, c.host); got != c.want {
			t.Errorf("%v %q is for %s: %t", c.cert.DNSNames, c.cert.Subject.CommonName, c.host, got)
		}
	}
}
