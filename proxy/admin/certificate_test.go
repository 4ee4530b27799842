package admin

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A fake has one certificate at /site.pem, in one list.
func (f *fake) Certificates() []Certificate {
	at := time.Date(2026, 11, 2, 18, 39, 33, 0, time.UTC)
	return []Certificate{{Path: "/site.pem", Serial: "2702E3", NotBefore: at, NotAfter: at.AddDate(1, 0, 0), Names: []string{"DNS:a.example", "DNS:b.example"},
		Algorithm: "EC256", SHA1: "EF87", Subject: "/CN=a.example", Issuer: "/CN=CA"}}
}

func (f *fake) TryCertificate(path string, files map[string][]byte) (Certificate, error) {
	text := ""
	for _, b := range files {
		text += string(b)
	}
	switch {
	case path != "/site.pem":
		return Certificate{}, ErrNotReferenced
	case strings.Contains(text, "bad"):
		return Certificate{}, errors.New("unable to load certificate from file '/site.pem'.")
	case !strings.Contains(text, "key"):
		return Certificate{Path: path, Serial: "1"}, ErrIncomplete
	}
	return Certificate{Path: path, Serial: "1"}, nil
}

func (f *fake) ReplaceCertificate(files map[string][]byte) error {
	return f.note("replaces %v", fmt.Sprintf("%q", files))
}

func (f *fake) CertificateLists() []CertificateList {
	return []CertificateList{{Path: "/l", Lines: []CertificateLine{{2, "/site.pem", []string{"alpn", "h2"}, []string{"*.a", "!b.a"}}}}}
}

// The answers are HAProxy 2.6.12's.
func TestACertificateIsChangedInATransaction(t *testing.T) {
	f := &fake{}
	s := New(f, Options{})
	say := func(line, payload string) string {
		x := &session{server: s, level: Admin, payload: payload}
		x.line(line)
		return string(x.out)
	}
	for _, step := range []struct{ line, payload, want string }{
		{"show ssl cert", "", "# filename\n/site.pem\n\n"},
		{"show ssl cert /site.pem", "", "Filename: /site.pem\nStatus: Used\nSerial: 2702E3\nnotBefore: Nov  2 18:39:33 2026 GMT\nnotAfter: Nov  2 18:39:33 2027 GMT\n" +
			"Subject Alternative Name: DNS:a.example, DNS:b.example\nAlgorithm: EC256\nSHA1 FingerPrint: EF87\nSubject: /CN=a.example\nIssuer: /CN=CA\nOCSP Response Key: \n\n"},
		{"show ssl cert /other", "", "Can't display the certificate: Not found or the certificate is a bundle!\n\n"},
		{"set ssl cert /site.pem", "", "'set ssl cert expects a filename and a certificate as a payload\n\n"},
		{"set ssl cert /other", "cert key", "Can't replace a certificate which is not referenced by the configuration!\nCan't update /other!\n\n"},
		{"set ssl cert /site.pem", "bad", "unable to load certificate from file '/site.pem'.\nCan't update /site.pem!\n\n"},
		{"commit ssl cert /site.pem", "", "No ongoing transaction! !\nCan't commit /site.pem!\n\n"},
		{"abort ssl cert /site.pem", "", "No ongoing transaction!\n\n"},
		{"set ssl cert /site.pem", "cert", "Transaction created for certificate /site.pem!\n\n"},
		{"show ssl cert", "", "# transaction\n*/site.pem\n# filename\n/site.pem\n\n"},
		{"commit ssl cert /site.pem", "", "The transaction must contain at least a certificate and a private key!\nCan't commit /site.pem!\n\n"},
		{"abort ssl cert /other", "", "The ongoing transaction is about '/site.pem' but you are trying to abort a transaction for '/other'\n\n"},
		{"abort ssl cert /site.pem", "", "Transaction aborted for certificate '/site.pem'!\n\n"},
		{"set ssl cert /site.pem", "cert", "Transaction created for certificate /site.pem!\n\n"},
		{"set ssl cert /site.pem.key", "key", "Transaction updated for certificate /site.pem!\n\n"},
		{"commit ssl cert /other", "", "The ongoing transaction is about '/site.pem' but you are trying to set '/other'\nCan't commit /other!\n\n"},
		{"commit ssl cert /site.pem", "", "Committing /site.pem.\nSuccess!\n\n"},
		{"commit ssl cert /site.pem", "", "No ongoing transaction! !\nCan't commit /site.pem!\n\n"},
		{"show ssl crt-list", "", "/l\n\n"},
		{"show ssl crt-list /l", "", "# /l\n/site.pem [alpn h2 ] *.a !b.a\n\n"},
		{"show ssl crt-list -n /l", "", "# /l\n/site.pem:2 [alpn h2 ] *.a !b.a\n\n"},
		{"show ssl crt-list /x", "", "didn't find the specified filename\n\n"},
	} {
		if got := say(step.line, step.payload); got != step.want {
			t.Errorf("%s:\n got %q\nwant %q", step.line, got, step.want)
		}
	}
}
