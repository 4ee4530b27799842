package tlsconf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"herald/proxy/settings"
)

var update = flag.Bool("update", false, "ask the installed HAProxy again")

// signed is a certificate with its key.
type signed struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// issue makes a certificate; by is nil for one that signs itself.
func issue(t *testing.T, by *signed, change ...func(*x509.Certificate)) *signed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	c := &x509.Certificate{SerialNumber: serial, NotBefore: time.Now().Add(-100 * time.Hour), NotAfter: time.Now().Add(100 * time.Hour),
		Subject: pkix.Name{CommonName: "client"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, f := range change {
		f(c)
	}
	parent, with := c, key
	if by != nil {
		parent, with = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, with)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &signed{made, key}
}

func authorityNamed(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject, c.IsCA, c.BasicConstraintsValid, c.ExtKeyUsage = pkix.Name{CommonName: name}, true, true, nil
		c.KeyUsage, c.SubjectKeyId = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, []byte(name)
	}
}

func expired(c *x509.Certificate)    { c.NotAfter = time.Now().Add(-time.Hour) }
func notYet(c *x509.Certificate)     { c.NotBefore = time.Now().Add(time.Hour) }
func forServers(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }

// list is the revocation list of an authority, in PEM.
func (s *signed) list(t *testing.T, next time.Duration, revoked ...*signed) []byte {
	t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-50 * time.Hour), NextUpdate: time.Now().Add(next)}
	for _, r := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: r.SerialNumber, RevocationTime: time.Now().Add(-time.Hour)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, s.Certificate, s.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

func inPEM(list ...*signed) (b []byte) {
	for _, s := range list {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Raw})...)
	}
	return b
}

// shown is a client with a chain, and the bind line it meets.
type shown struct {
	name    string
	chain   []*signed
	ca      []*signed
	crl     []byte
	ca_, ee string // ca-ignore-err and crt-ignore-err; empty is all
}

func shownChains(t *testing.T) (list []shown) {
	root, other := issue(t, nil, authorityNamed("root")), issue(t, nil, authorityNamed("other"))
	twin := issue(t, nil, authorityNamed("root")) // another key
	oldRoot := issue(t, nil, authorityNamed("old root"), expired)
	middle := issue(t, root, authorityNamed("middle"))
	oldMiddle := issue(t, root, authorityNamed("old middle"), expired)
	otherMiddle := issue(t, other, authorityNamed("other middle"))
	noCA := issue(t, root, authorityNamed("no ca"), func(c *x509.Certificate) { c.IsCA = false })
	short := issue(t, root, authorityNamed("short"), func(c *x509.Certificate) { c.MaxPathLenZero = true })
	below := issue(t, short, authorityNamed("below"))
	one := func(s ...*signed) []*signed { return s }
	add := func(name string, chain []*signed, more ...func(*shown)) {
		s := shown{name: name, chain: chain, ca: one(root)}
		for _, f := range more {
			f(&s)
		}
		list = append(list, s)
	}
	trusts := func(ca ...*signed) func(*shown) { return func(s *shown) { s.ca = ca } }
	revokes := func(crl ...[]byte) func(*shown) {
		return func(s *shown) {
			for _, b := range crl {
				s.crl = append(s.crl, b...)
			}
		}
	}
	lets := func(ca, ee string) func(*shown) { return func(s *shown) { s.ca_, s.ee = ca, ee } }
	const week = 168 * time.Hour

	good := issue(t, root)
	add("none", nil)
	add("good", one(good))
	add("good, with the root", one(good, root))
	add("good, by a middle", one(issue(t, middle), middle))
	add("the middle is not shown", one(issue(t, middle)))
	add("the middle is trusted too", one(issue(t, middle)), trusts(root, middle))
	add("expired", one(issue(t, root, expired)))
	add("not yet", one(issue(t, root, notYet)))
	add("for servers", one(issue(t, root, forServers)))
	add("for servers, expired", one(issue(t, root, forServers, expired)))
	add("by an expired middle", one(issue(t, oldMiddle), oldMiddle))
	add("expired, by an expired middle", one(issue(t, oldMiddle, expired), oldMiddle))
	add("by an expired root", one(issue(t, oldRoot)), trusts(oldRoot))
	add("signs itself", one(issue(t, nil)))
	add("signs itself, expired", one(issue(t, nil, expired)))
	itself := issue(t, nil)
	add("signs itself, trusted", one(itself), trusts(itself))
	own := issue(t, nil, expired)
	add("signs itself, trusted, expired", one(own), trusts(own))
	add("a stranger", one(issue(t, other)))
	add("a stranger, expired", one(issue(t, other, expired)))
	add("a stranger for servers", one(issue(t, other, forServers)))
	add("a stranger with the root", one(issue(t, other), other))
	add("a stranger with the root, expired", one(issue(t, other, expired), other))
	add("a stranger with a middle", one(issue(t, otherMiddle), otherMiddle))
	add("a stranger with all", one(issue(t, otherMiddle), otherMiddle, other))
	add("a stranger with all, expired", one(issue(t, otherMiddle, expired), otherMiddle, other))
	add("by one of the same name", one(issue(t, twin)))
	add("by one of the same name, expired", one(issue(t, twin, expired)))
	add("by one of the same name, shown", one(issue(t, twin), twin))
	add("by no authority", one(issue(t, noCA), noCA))
	add("too long", one(issue(t, below), below, short))
	add("revoked", one(good), revokes(root.list(t, week, good)))
	late := issue(t, root, expired)
	add("revoked, expired", one(late), revokes(root.list(t, week, late)))
	add("another is revoked", one(good), revokes(root.list(t, week, late)))
	add("no list", one(good), revokes(other.list(t, week)))
	add("an old list", one(good), revokes(root.list(t, -time.Hour)))
	add("an old list, revoked", one(good), revokes(root.list(t, -time.Hour, good)))
	byMiddle := issue(t, middle)
	add("no list of the middle", one(byMiddle, middle), revokes(root.list(t, week)))
	add("no list of the root", one(byMiddle, middle), revokes(middle.list(t, week)))
	add("the middle is revoked", one(byMiddle, middle), revokes(root.list(t, week, middle), middle.list(t, week)))
	add("both are revoked", one(byMiddle, middle), revokes(root.list(t, week, middle), middle.list(t, week, byMiddle)))
	add("a stranger, with a list", one(issue(t, other)), revokes(root.list(t, week)))
	narrow := issue(t, root, authorityNamed("narrow"), func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.com"}
	})
	elsewhere := func(c *x509.Certificate) { c.DNSNames = []string{"example.net"} }
	add("outside the names of its authority, expired, 10 let pass", one(issue(t, narrow, elsewhere, expired), narrow), lets("all", "10"))
	add("within the names of its authority, expired, 10 let pass", one(issue(t, narrow, expired), narrow), lets("all", "10"))
	// What is let pass must be all there is.
	for _, numbers := range []string{"10", "20", "10,20", "20,21", "10,20,21", "18", "10,18", "7", "23", "26", "1"} {
		for _, s := range []struct {
			name string
			cert *signed
		}{{"a stranger, expired", issue(t, other, expired)}, {"signs itself, expired", issue(t, nil, expired)}, {"expired", late}, {"for servers, expired", issue(t, root, forServers, expired)},
			{"by one of the same name, expired", issue(t, twin, expired)}} {
			add(s.name+", "+numbers+" let pass", one(s.cert), lets("all", numbers))
		}
	}
	for _, numbers := range []string{"10", "19", "20", "10,19"} {
		add("a stranger with all, "+numbers+" of authorities let pass", one(issue(t, otherMiddle), otherMiddle, other), lets(numbers, "all"))
		add("a stranger with a middle, "+numbers+" of authorities let pass", one(issue(t, otherMiddle), otherMiddle), lets(numbers, "all"))
		add("by an expired middle, "+numbers+" of authorities let pass", one(issue(t, oldMiddle), oldMiddle), lets(numbers, "all"))
	}
	return list
}

// let is the settings of crt-ignore-err or ca-ignore-err.
func let(text string) (e settings.IgnoredErrors) {
	if text == "" || text == "all" {
		return settings.IgnoredErrors{All: true}
	}
	for w := range strings.SplitSeq(text, ",") {
		n, _ := strconv.Atoi(w)
		e.Numbers = append(e.Numbers, n)
	}
	return e
}

// A client's certificate has the errors OpenSSL finds: what HAProxy tells by
// ssl_c_verify, ssl_c_err, ssl_c_ca_err and ssl_c_ca_err_depth, or that it lets
// nobody in.
func TestCertificatesHaveTheErrorsOfOpenSSL(t *testing.T) {
	list := shownChains(t)
	if *update {
		askVerdicts(t, list)
	}
	text, err := os.ReadFile("testdata/verdicts.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != len(list) {
		t.Fatalf("%d lines, want %d: run with -update", len(lines), len(list))
	}
	for i, s := range list {
		b := &settings.BindTLS{TLS: settings.TLS{Verify: settings.VerifyOptional, CA: &settings.File{Path: "ca", Bytes: inPEM(s.ca...)}}, CAIgnore: let(s.ca_), CertIgnore: let(s.ee)}
		if s.crl != nil {
			b.CRL = &settings.File{Path: "crl", Bytes: s.crl}
		}
		a := &Acceptor{Bind: b, Table: NewTable(nil, false), Now: time.Now}
		c, err := a.Config()
		if err != nil {
			t.Fatal(err)
		}
		var state tls.ConnectionState
		for _, c := range s.chain {
			state.PeerCertificates = append(state.PeerCertificates, c.Certificate)
		}
		got := s.name + ": refused"
		if c.VerifyConnection(state) == nil {
			v := a.Passed(state)
			got = fmt.Sprintf("%s: %d %d %d %d", s.name, v.Verify, v.Certificate, v.Authority, v.Depth)
		}
		if got != lines[i] {
			t.Errorf("got  %s\nwant %s", got, lines[i])
		}
	}
}

// askVerdicts writes down what a real HAProxy says.
func askVerdicts(t *testing.T, list []shown) {
	bin, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("needs haproxy in the path")
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	site := issue(t, nil, forServers)
	key, _ := x509.MarshalPKCS8PrivateKey(site.key)
	bundle := write("site.pem", append(inPEM(site), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...))
	or := func(s string) string {
		if s == "" {
			return "all"
		}
		return s
	}
	config := "defaults\n mode http\n timeout client 10s\n timeout connect 10s\n timeout server 10s\nfrontend f\n" +
		" http-request return status 200 content-type text/plain lf-string \"%[ssl_c_verify] %[ssl_c_err] %[ssl_c_ca_err] %[ssl_c_ca_err_depth]\"\n"
	for i, s := range list {
		config += fmt.Sprintf(" bind unix@%s/%d ssl crt %s verify optional ca-file %s ca-ignore-err %s crt-ignore-err %s", dir, i, bundle, write(fmt.Sprintf("ca%d", i), inPEM(s.ca...)), or(s.ca_), or(s.ee))
		if s.crl != nil {
			config += " crl-file " + write(fmt.Sprintf("crl%d", i), s.crl)
		}
		config += "\n"
	}
	cmd := exec.Command(bin, "-db", "-f", write("haproxy.cfg", []byte(config)))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	var out strings.Builder
	for i, s := range list {
		fmt.Fprintf(&out, "%s: %s\n", s.name, s.visit(t, filepath.Join(dir, strconv.Itoa(i))))
	}
	if err := os.WriteFile("testdata/verdicts.txt", []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// visit is what a server says to the client.
func (s *shown) visit(t *testing.T, path string) string {
	var conn net.Conn
	for end := time.Now().Add(20 * time.Second); ; {
		var err error
		if conn, err = net.Dial("unix", path); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	defer conn.Close()
	c := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair := &tls.Certificate{}
		for i, x := range s.chain {
			if i == 0 {
				pair.PrivateKey = x.key
			}
			pair.Certificate = append(pair.Certificate, x.Raw)
		}
		return pair, nil
	}})
	io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	b, _ := io.ReadAll(c)
	_, said, ok := strings.Cut(string(b), "\r\n\r\n")
	if !ok {
		return "refused"
	}
	return said
}
