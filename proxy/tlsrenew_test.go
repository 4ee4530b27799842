package proxy

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"herald/proxy/settings"
	"herald/proxy/testcert"
)

func TestCertificatesAreExchangedWhileItRuns(t *testing.T) {
	old, young := authority().Issue(testcert.Request{Names: []string{"a.example"}}), authority().Issue(testcert.Request{Names: []string{"a.example"}})
	p := encrypted(section(origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, "hello") })), func(b *settings.BindTLS) {
		b.Certificates = []settings.Certificate{{Files: []settings.File{{Path: "/a.pem", Bytes: old.Cert}, {Path: "/a.pem.key", Bytes: old.Key}}}}
	})
	r := serve(t, 1, p)
	if got := r.TLSFiles(); got["/a.pem"] == nil || got["/a.pem.ocsp"] != nil || len(got) != 5 {
		t.Errorf("to be watched: %v", got)
	}
	config := trusting()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	config.MaxVersion = tls.VersionTLS12 // whose tickets may be used again
	serial := func() string {
		t.Helper()
		c := r.secure(config)
		defer c.Close()
		if _, got := fetch(t, c, bufio.NewReader(c), get); got != "hello" {
			t.Fatalf("got %q", got)
		}
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	standing := r.secure(trusting())
	in := bufio.NewReader(standing)
	fetch(t, standing, in, get)
	first := serial()

	// The key of the new certificate has not come yet.
	if renewed, err := r.Renew(map[string][]byte{"/a.pem": young.Cert}); err == nil || len(renewed) > 0 || !strings.Contains(err.Error(), "does not belong to") {
		t.Errorf("half of it: %v, %v", renewed, err)
	}
	if serial() != first {
		t.Error("half a certificate is used")
	}
	if renewed, err := r.Renew(map[string][]byte{"/a.pem.key": young.Key, "/other": nil}); err != nil || len(renewed) != 1 {
		t.Fatalf("the other half: %v, %v", renewed, err)
	}
	fetch(t, standing, in, get)
	if n := r.frontends[0].tallies[0].tlsResumed.Load(); n != 1 {
		t.Errorf("%d sessions were resumed so far, want 1", n)
	}
	serial()
	if n := r.frontends[0].tallies[0].tlsResumed.Load(); n != 2 {
		t.Errorf("a ticket is worth nothing after the exchange: %d resumed, want 2", n)
	}
	config.ClientSessionCache = nil
	if got := serial(); got != young.Leaf.SerialNumber.String() {
		t.Errorf("serial %s, want %s", got, young.Leaf.SerialNumber)
	}
	if renewed, err := r.Renew(map[string][]byte{"/b.pem": nil}); err != nil || renewed != nil {
		t.Errorf("a stranger's file: %v, %v", renewed, err)
	}
}

// A client whose certificate is revoked now does not come back with a ticket
// of before.
func TestANewRevocationListHoldsForOldTickets(t *testing.T) {
	client := authority().Issue(testcert.Request{Name: "client"})
	pair, _ := tls.X509KeyPair(client.Cert, client.Key)
	p := encrypted(section(origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, "hello") })), func(b *settings.BindTLS) {
		b.Verify, b.CA = settings.VerifyRequired, &settings.File{Path: "/ca", Bytes: authority().PEM}
		b.CRL = &settings.File{Path: "/crl", Bytes: authority().Revoke()}
	})
	r := serve(t, 1, p)
	config := trusting()
	config.Certificates = []tls.Certificate{pair}
	config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	for range 2 {
		c := r.secure(config)
		fetch(t, c, bufio.NewReader(c), get)
		c.Close()
	}
	if n := r.frontends[0].tallies[0].tlsResumed.Load(); n != 1 {
		t.Fatalf("%d sessions were resumed, want 1", n)
	}
	if _, err := r.Renew(map[string][]byte{"/crl": authority().Revoke(client)}); err != nil {
		t.Fatal(err)
	}
	c := r.secure(config)
	io.WriteString(c, get)
	if b, err := io.ReadAll(c); err == nil || len(b) > 0 {
		t.Errorf("the revoked client gets %q, %v", b, err)
	}
}

// Nodes with the same keys take one another's tickets.
func TestTicketsAreGoodOnAnotherNode(t *testing.T) {
	keys := &settings.File{Path: "/keys", Bytes: []byte(strings.Repeat(strings.Repeat("AAAA", 16)+"\n", 3))}
	config := trusting()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	for i, want := range []uint64{0, 1} {
		p := encrypted(section(origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, "hello") })), func(b *settings.BindTLS) { b.TicketKeys = keys })
		r := serve(t, 1, p)
		c := r.secure(config)
		fetch(t, c, bufio.NewReader(c), get)
		c.Close()
		if n := r.frontends[0].tallies[0].tlsResumed.Load(); n != want {
			t.Errorf("node %d: %d sessions were resumed, want %d", i+1, n, want)
		}
	}
}

func TestADirectoryOfCertificatesGrowsAndShrinks(t *testing.T) {
	first, second := authority().Issue(testcert.Request{Names: []string{"a.example"}}), authority().Issue(testcert.Request{Names: []string{"b.example"}})
	p := encrypted(section("127.0.0.1:1"), func(b *settings.BindTLS) {
		b.Certificates = []settings.Certificate{{Files: []settings.File{{Path: "/certs/a.pem", Bytes: first.Bundle}}}}
		b.Sources = []settings.CertificateSource{{Path: "/certs", Dir: true}}
	})
	r := serve(t, 1, p)
	if _, told := r.TLSFiles()["/certs/"]; !told {
		t.Errorf("to be watched: %v", r.TLSFiles())
	}
	shown := func(name string) string {
		t.Helper()
		config := trusting()
		config.ServerName, config.InsecureSkipVerify = name, true
		c := r.secure(config)
		defer c.Close()
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		return c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	for _, step := range []struct {
		files map[string][]byte
		fails bool
		shown string // to who asks for b.example
	}{
		{map[string][]byte{"/certs/.hidden": []byte("x"), "/certs/sub/b.pem": second.Bundle, "/other/b.pem": second.Bundle}, false, "a.example"},
		{map[string][]byte{"/certs/b.pem": second.Cert}, true, "a.example"},
		{map[string][]byte{"/certs/b.pem.key": second.Key}, false, "b.example"},
		{map[string][]byte{"/certs/a.pem": nil}, false, "b.example"},
		{map[string][]byte{"/certs/b.pem": nil}, true, "b.example"},
		{map[string][]byte{"/certs/a.pem": first.Bundle}, false, "a.example"},
	} {
		if _, err := r.Renew(step.files); (err != nil) != step.fails {
			t.Errorf("%q: %v", step.files, err)
		}
		if got := shown("b.example"); got != step.shown {
			t.Errorf("shown %s, want %s", got, step.shown)
		}
	}
}
