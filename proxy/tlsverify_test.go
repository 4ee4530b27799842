package proxy

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"herald/proxy/settings"
	"herald/proxy/testcert"
)

func TestClientsAreAskedForCertificatesAsTheBindLineSays(t *testing.T) {
	o := origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, "hello") })
	good, bad := authority().Issue(testcert.Request{Name: "good"}), stranger().Issue(testcert.Request{Name: "bad"})
	late := authority().Issue(testcert.Request{Name: "late", NotAfter: time.Now().Add(-time.Hour)})
	for name, tc := range map[string]struct {
		verify settings.Verify
		change func(*settings.BindTLS)
		cert   *testcert.Issued
		in     bool
		code   int // of what was let pass, in the log
	}{
		"nobody is asked":                 {settings.VerifyNone, nil, &bad, true, 0},
		"optional, none":                  {settings.VerifyOptional, nil, nil, true, 0},
		"optional, good":                  {settings.VerifyOptional, nil, &good, true, 0},
		"optional, bad":                   {settings.VerifyOptional, nil, &bad, false, 0},
		"required, none":                  {settings.VerifyRequired, nil, nil, false, 0},
		"required, good":                  {settings.VerifyRequired, nil, &good, true, 0},
		"required, expired":               {settings.VerifyRequired, nil, &late, false, 0},
		"required, expired and ignored":   {settings.VerifyRequired, func(b *settings.BindTLS) { b.CertIgnore.Numbers = []int{10} }, &late, true, 10},
		"required, another error ignored": {settings.VerifyRequired, func(b *settings.BindTLS) { b.CertIgnore.Numbers = []int{23} }, &late, false, 0},
		"required, all ignored":           {settings.VerifyRequired, func(b *settings.BindTLS) { b.CertIgnore.All = true }, &bad, true, 20},
		"required, of ca-verify-file": {settings.VerifyRequired, func(b *settings.BindTLS) {
			b.CAVerify = &settings.File{Path: "/other", Bytes: stranger().PEM}
		}, &bad, true, 0},
		"required, revoked":        {settings.VerifyRequired, func(b *settings.BindTLS) { b.CRL = &settings.File{Path: "/crl", Bytes: authority().Revoke(good)} }, &good, false, 0},
		"required, names not told": {settings.VerifyRequired, func(b *settings.BindTLS) { b.NoCANames = true }, &good, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := section(o)
			p.LogFormat = settings.LogHTTPS
			r := serve(t, 1, encrypted(p, func(b *settings.BindTLS) {
				b.Verify, b.CA = tc.verify, &settings.File{Path: "/ca", Bytes: authority().PEM}
				if tc.change != nil {
					tc.change(b)
				}
			}))
			config := trusting()
			if tc.cert != nil {
				pair, err := tls.X509KeyPair(tc.cert.Cert, tc.cert.Key)
				if err != nil {
					t.Fatal(err)
				}
				// Also to one who named other authorities.
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
			}
			c := r.secure(config)
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			b, _ := io.ReadAll(c)
			if tc.in {
				r.log.wait(t, fmt.Sprintf(`"GET / HTTP/1\.1" 0/0000000000000000/%d/0/0 a\.example/TLSv1\.3/TLS_[A-Z0-9_]+\s*$`, tc.code))
			}
			if in := strings.HasSuffix(string(b), "hello"); in != tc.in {
				t.Errorf("let in: %v, want %v (%q)", in, tc.in, b)
			}
		})
	}
}

func TestRulesKnowWhatOfACertificateWasLetPass(t *testing.T) {
	told := make(chan string, 1)
	p := section(origin(t, func(w http.ResponseWriter, q *http.Request) { told <- q.Header.Get("X-Unique-Id") }))
	p.UniqueID = identified(t, "%[ssl_c_verify]-%[ssl_c_err]-%[ssl_c_ca_err]-%[ssl_c_ca_err_depth]")
	r := serve(t, 1, encrypted(p, func(b *settings.BindTLS) {
		b.Verify, b.CA, b.CertIgnore.All, b.CAIgnore.All = settings.VerifyOptional, &settings.File{Path: "/ca", Bytes: authority().PEM}, true, true
	}))
	unknown := stranger().Issue(testcert.Request{Name: "unknown"})
	for _, tc := range []struct {
		cert *testcert.Issued
		more []byte
		want string
	}{{nil, nil, "0-0-0-0"}, {&unknown, nil, "21-20-0-0"}, {&unknown, stranger().PEM, "19-0-19-1"}} {
		config := trusting()
		if tc.cert != nil {
			pair, err := tls.X509KeyPair(append(append([]byte(nil), tc.cert.Cert...), tc.more...), tc.cert.Key)
			if err != nil {
				t.Fatal(err)
			}
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
		c := r.secure(config)
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if got := <-told; got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
		c.Close()
	}
}
