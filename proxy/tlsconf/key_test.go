package tlsconf

import (
	"crypto/rsa"
	"testing"

	"herald/proxy/settings"
	"herald/proxy/testcert"
)

func rsaKey() *rsa.PrivateKey { return &rsa.PrivateKey{} }

func TestAPairIsReadFromItsFiles(t *testing.T) {
	ca := testcert.NewAuthority("CA")
	for _, rsa := range []bool{false, true} {
		i := ca.Issue(testcert.Request{Names: []string{"A.example", "*.b.example"}, Name: "c.example", RSA: rsa})
		for name, c := range map[string]settings.Certificate{
			"bundle":    {Files: []settings.File{{Path: "s", Bytes: append(i.Bundle, ca.PEM...)}}},
			"key first": {Files: []settings.File{{Path: "s", Bytes: append(append(append([]byte("text\n"), i.Key...), i.Cert...), ca.PEM...)}}},
			"own key":   {Files: []settings.File{{Path: "s", Bytes: append(i.Cert, ca.PEM...)}, {Path: "s.key", Bytes: i.Key}}},
		} {
			p, err := Load(c)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if len(p.Names) != 3 || p.Names[0] != "a.example" || p.Names[2] != "c.example" || len(p.TLS.Certificate) != 2 || p.RSA() != rsa {
				t.Errorf("%s: names %v, chain of %d, RSA %v", name, p.Names, len(p.TLS.Certificate), p.RSA())
			}
		}
	}
}

func FuzzLoad(f *testing.F) {
	i := testcert.NewAuthority("CA").Issue(testcert.Request{Names: []string{"a.example"}})
	f.Add(i.Bundle, []byte{})
	f.Add(i.Cert, i.Key)
	f.Fuzz(func(t *testing.T, bundle, key []byte) {
		p, err := Load(settings.Certificate{Files: []settings.File{{Path: "s", Bytes: bundle}, {Path: "s.key", Bytes: key}}})
		if err == nil && (p.TLS.PrivateKey == nil || p.TLS.Leaf == nil) {
			t.Error("a pair without its parts")
		}
	})
}
