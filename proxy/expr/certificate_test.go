package expr

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"herald/proxy/reference"
)

// certified are expressions on the certificate of a client.
var certified = []string{
	"ssl_fc", "ssl_c_used", "ssl_c_verify", "ssl_c_err", "ssl_c_ca_err", "ssl_c_ca_err_depth", "ssl_fc_has_crt", "ssl_fc_has_sni", "ssl_fc_sni", "ssl_fc_alpn", "ssl_fc_protocol", "ssl_fc_cipher",
	"ssl_fc_alg_keysize", "ssl_fc_use_keysize", "ssl_fc_is_resumed", "ssl_fc_has_early",
	"ssl_c_s_dn", "ssl_c_s_dn(CN)", "ssl_c_s_dn(OU)", "ssl_c_s_dn(OU,2)", "ssl_c_s_dn(OU,-1)", "ssl_c_s_dn(OU,3)", "ssl_c_s_dn(emailAddress)", "ssl_c_s_dn(C)", "ssl_c_s_dn(X)", "ssl_c_s_dn(,0,rfc2253)",
	"ssl_c_s_dn(serialNumber)", "ssl_c_s_dn(DC)", "ssl_c_s_dn(UID)", "ssl_c_i_dn", "ssl_c_i_dn(CN)", "ssl_c_i_dn(,0,rfc2253)",
	"ssl_c_serial", "ssl_c_sha1", "ssl_c_sha1,hex", "ssl_c_version", "ssl_c_sig_alg", "ssl_c_key_alg", "ssl_c_notafter", "ssl_c_notbefore", "ssl_c_der,sha1", "ssl_c_chain_der,sha1", "ssl_c_der,length",
}

// stated is a World of one TLS connection.
type stated struct{ s Security }

func (*stated) Now() time.Time                          { return time.Time{} }
func (*stated) Chance() uint64                          { return 0 }
func (*stated) Number(Measure, Reference) (int64, bool) { return 0, false }
func (*stated) Name(Name) string                        { return "" }
func (*stated) Link(Side) (Link, bool)                  { return Link{}, false }
func (*stated) TCP(Side) (TCP, bool)                    { return TCP{RTT: 1500}, true }
func (w *stated) TLS(s Side) *Security {
	if s == ServerSide {
		return nil
	}
	return &w.s
}

// A certificate is described as OpenSSL and HAProxy describe it.
func TestCertificatesHaveTheValuesOfHAProxy(t *testing.T) {
	chain, values := filepath.Join("testdata", "client.pem"), filepath.Join("testdata", "certificate.txt")
	if *update {
		askForCertificate(t, chain, values)
	}
	text, err := os.ReadFile(chain)
	if err != nil {
		t.Fatal(err)
	}
	w := &stated{Security{State: &tls.ConnectionState{ServerName: "www.example.com", NegotiatedProtocol: "http/1.1"}, Version: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256", KeySize: 128}}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		w.s.State.PeerCertificates = append(w.s.State.PeerCertificates, c)
	}
	want, err := os.ReadFile(values)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(want)), "\n")
	if len(lines) != len(certified) {
		t.Fatalf("%d lines in %s, want %d: run with -update", len(lines), values, len(certified))
	}
	in := Input{World: w, Source: netip.MustParseAddrPort("127.0.0.1:4")}
	for i, e := range certified {
		f, err := Parse(e)
		if err != nil {
			t.Errorf("%s: %v", e, err)
			continue
		}
		got := e + " -"
		if v, out := f.Get(&in); out == Found {
			in.cast(&v, Bin)
			got = fmt.Sprintf("%s %s %q", e, hex.EncodeToString(v.Str), v.Str)
		}
		if got != lines[i] {
			t.Errorf("%s\nwant %s", got, lines[i])
		}
	}
}

// askForCertificate makes a client's certificate, and writes down what a real
// HAProxy says of it.
func askForCertificate(t *testing.T, chain, values string) {
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	begin := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)
	issue := func(template, parent *x509.Certificate, k, by *ecdsa.PrivateKey) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &k.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	authority := func(name string, serial int64) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{Country: []string{"FR"}, Organization: []string{"Acme, Inc."}, CommonName: name},
			NotBefore: begin, NotAfter: begin.AddDate(30, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	}
	rootKey, middleKey, leafKey := key(), key(), key()
	root := issue(authority("root", 1), authority("root", 1), rootKey, rootKey)
	middle := issue(authority("middle", 2), root, middleKey, rootKey)
	at := func(oid asn1.ObjectIdentifier, v string) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: oid, Value: v}
	}
	subject := pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
		at(asn1.ObjectIdentifier{2, 5, 4, 6}, "DE"), at(asn1.ObjectIdentifier{2, 5, 4, 8}, "Some State"), at(asn1.ObjectIdentifier{2, 5, 4, 10}, `A "b" + C, D`),
		at(asn1.ObjectIdentifier{2, 5, 4, 11}, "unit one"), at(asn1.ObjectIdentifier{2, 5, 4, 11}, "unit/two"), at(asn1.ObjectIdentifier{2, 5, 4, 5}, "42"),
		at(asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, "example"), at(asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, "joe"),
		at(asn1.ObjectIdentifier{2, 5, 4, 3}, "Joe Müller"), at(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, "joe@example.com")}}
	serial, _ := new(big.Int).SetString("8f00112233445566778899aa", 16)
	leaf := issue(&x509.Certificate{SerialNumber: serial, Subject: subject, NotBefore: begin, NotAfter: begin.AddDate(30, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, DNSNames: []string{"www.example.com"}}, middle, leafKey, middleKey)
	block := func(c *x509.Certificate) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	raw, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write(chain, block(leaf)+block(middle))
	pair := write(filepath.Join(dir, "pair.pem"), block(leaf)+block(middle)+string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})))
	ca := write(filepath.Join(dir, "ca.pem"), block(root))
	addr := reference.Address(t)
	cfg := fmt.Sprintf("global\n tune.bufsize 65536\ndefaults\n mode http\n timeout client 5s\nfrontend f\n bind %s ssl crt %s ca-file %s verify required alpn http/1.1 ciphersuites TLS_AES_128_GCM_SHA256\n", addr, pair, ca)
	format := ""
	for i, e := range certified {
		cfg += fmt.Sprintf(" http-request set-var(txn.v%d) %s\n http-request set-var(txn.f%d) int(1) if { var(txn.v%d) -m found }\n", i, quoteWord(e), i, i)
		format += fmt.Sprintf("%%[var(txn.f%d)]:%%[var(txn.v%d),hex,lower];", i, i)
	}
	reference.Run(t, cfg+" http-request return status 200 content-type text/plain lf-string "+format+"\n")
	reference.Dial(t, addr).Close()
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "www.example.com", NextProtos: []string{"http/1.1"},
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, middle.Raw}, PrivateKey: leafKey}}}}}
	answer, err := client.Get("https://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(body), ";")
	var out []string
	for i, e := range certified {
		is, value, _ := strings.Cut(parts[i], ":")
		if is != "1" {
			out = append(out, e+" -")
			continue
		}
		b, _ := hex.DecodeString(value)
		out = append(out, fmt.Sprintf("%s %s %q", e, value, b))
	}
	write(values, strings.Join(out, "\n")+"\n")
}

// Without a certificate there is nothing to tell about it.
func TestConnectionsWithoutCertificate(t *testing.T) {
	w := &stated{s: Security{State: &tls.ConnectionState{TLSUnique: []byte("ab"), DidResume: true}, Version: "TLSv1.2", KeySize: 128}}
	for text, want := range map[string]string{
		"ssl_fc_unique_id": "ab", "ssl_fc_is_resumed": "1", "ssl_fc_protocol": "TLSv1.2", "ssl_fc_alg_keysize": "128", "ssl_fc_alpn": "-", "ssl_fc_sni": "-", "ssl_c_used": "0",
		"ssl_c_der": "-", "ssl_c_s_dn": "-", "ssl_c_s_dn(CN)": "-", "ssl_c_version": "-", "ssl_c_chain_der": "-", "ssl_bc": "0", "ssl_bc_protocol": "-",
	} {
		if got := valueIn(t, &Input{World: w, Final: true}, text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	w.s.State.PeerCertificates = []*x509.Certificate{{RawSubject: []byte{0x30, 0x03, 0x31}}}
	if got := valueIn(t, &Input{World: w, Final: true}, "ssl_c_s_dn"); got != "-" {
		t.Errorf("a name that cannot be read: %q", got)
	}
}
