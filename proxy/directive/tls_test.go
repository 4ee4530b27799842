package directive

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"herald/proxy/settings"
	"herald/proxy/testcert"
)

// tlsFiles are the certificates of the tests' system.
var tlsFiles = sync.OnceValue(func() map[string][]byte {
	ca := testcert.NewAuthority("Test CA")
	site := ca.Issue(testcert.Request{Names: []string{"site.example"}})
	other := ca.Issue(testcert.Request{Names: []string{"other.example"}})
	return map[string][]byte{
		"/etc/haproxy/site.pem":      site.Bundle,
		"/etc/haproxy/other.pem":     other.Cert,
		"/etc/haproxy/other.pem.key": other.Key,
		"/etc/haproxy/nokey.pem":     site.Cert,
		"/etc/haproxy/wrong.pem":     append(slices.Clone(site.Cert), other.Key...),
		"/etc/haproxy/ca.pem":        ca.PEM,
		"/etc/haproxy/crl.pem":       ca.Revoke(),
		"/etc/haproxy/tickets":       []byte(strings.Repeat(strings.Repeat("AAAA", 16)+"\n", 3)),
		"/etc/haproxy/empty.pem":     nil,
		"/etc/haproxy/two.rsa":       site.Bundle,
		"/etc/haproxy/two.ecdsa":     other.Bundle,
		"/etc/haproxy/sites.list":    []byte("# sites\n/etc/haproxy/site.pem\n/etc/haproxy/other.pem [alpn http/1.1 ssl-min-ver TLSv1.3] *.other.example !mail.other.example\n"),
		"/etc/haproxy/bad.list":      []byte("/etc/haproxy/site.pem\n\n/etc/haproxy/other.pem [name x]\n"),
		"/etc/haproxy/torn.list":     []byte("/etc/haproxy/site.pem [alpn h2\n"),
		"/certs/b.pem":               site.Bundle,
		"/certs/a.pem":               other.Cert,
		"/certs/a.pem.key":           other.Key,
		"/etc/haproxy/split.crt":     other.Cert,
		"/etc/haproxy/split.key":     other.Key,
	}
})

// withDirectory is world with the directory /certs.
func withDirectory() Options {
	w := world
	read := w.ReadFile
	w.ReadFile = func(name string) ([]byte, error) {
		content, err := read(name)
		if err != nil {
			err = &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return content, err
	}
	w.ReadDir = func(dir string) ([]string, error) {
		var names []string
		for _, name := range slices.Sorted(maps.Keys(tlsFiles())) {
			if rest, ok := strings.CutPrefix(name, dir+"/"); ok && dir == "/certs" {
				names = append(names, rest)
			}
		}
		if names == nil {
			return nil, fs.ErrNotExist
		}
		return names, nil
	}
	return w
}

func certificates(list []settings.Certificate) string {
	var names []string
	for _, c := range list {
		var files []string
		for _, f := range c.Files {
			files = append(files, strings.TrimPrefix(f.Path, "/etc/haproxy/"))
		}
		names = append(names, strings.Join(append(files, c.Filters...), "+"))
	}
	return strings.Join(names, " ")
}

func TestBindReadsItsCertificates(t *testing.T) {
	for text, want := range map[string]string{
		"bind :443 ssl crt /etc/haproxy/site.pem":                            "site.pem",
		"bind :443 ssl crt /etc/haproxy/other.pem":                           "other.pem+other.pem.key",
		"bind :443 ssl crt /etc/haproxy/site.pem crt /etc/haproxy/other.pem": "site.pem other.pem+other.pem.key",
		"bind :443 ssl crt /certs":                                           "/certs/a.pem+/certs/a.pem.key /certs/b.pem",
		"bind :443 ssl crt /etc/haproxy/two":                                 "two.rsa two.ecdsa",
		"bind :443 ssl crt-list /etc/haproxy/sites.list":                     "site.pem other.pem+other.pem.key+*.other.example+!mail.other.example",
		"bind :443 ssl strict-sni":                                           "",
		"bind :443 crt /etc/haproxy/missing":                                 "in the clear",
	} {
		cfg, diags := build(quiet+" "+text+"\n", withDirectory())
		for _, d := range diags {
			t.Errorf("%s: %v", text, d)
		}
		b := cfg.Proxies[0].Binds[1]
		got := "in the clear"
		if b.TLS != nil {
			got = certificates(b.TLS.Certificates)
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestCertificateFaultsAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"bind :443 ssl crt /etc/haproxy/missing.pem":                                     "missing.pem: file does not exist",
		"bind :443 ssl crt /etc/haproxy/nokey.pem":                                       "nokey.pem: no private key",
		"bind :443 ssl crt /etc/haproxy/wrong.pem":                                       "wrong.pem: the private key does not belong to the certificate",
		"bind :443 ssl crt /etc/haproxy/empty.pem":                                       "empty.pem: no certificate found",
		"bind :443 ssl crt-list /etc/haproxy/bad.list":                                   `bad.list:3: "name" is no option of a line`,
		"bind :443 ssl crt-list /etc/haproxy/torn.list":                                  "torn.list:1: a bracket stands alone",
		"bind :443 ssl crt /etc/haproxy/site.pem verify required":                        "no ca-file says",
		"bind :443 ssl crt /etc/haproxy/site.pem ciphers NONE":                           "leaves no cipher suite",
		"bind :443 ssl crt /etc/haproxy/site.pem ciphers AESGCM:X:DHE-RSA-AES128-SHA":    "left out: DHE-RSA-AES128-SHA",
		"bind :443 ssl crt /etc/haproxy/site.pem ssl-min-ver TLS12":                      `"TLS12" is not SSLv3`,
		"bind :443 ssl crt /etc/haproxy/site.pem ca-file /etc/haproxy/nokey verify none": "nokey: file does not exist",
		"server a 10.0.0.1:1 ssl":                                                        "no ca-file says whose certificates are good",
		"server a 10.0.0.1:1 ssl verify optional":                                        `"optional" is not none or required`,
		"server a 10.0.0.1:1 ssl verify none sni status":                                 "sni: status looks at what is not there yet",
	} {
		_, diags := build(quiet+" "+text+"\n", withDirectory())
		found := false
		for _, d := range diags {
			found = found || strings.Contains(d.String(), want)
		}
		if !found {
			t.Errorf("%s: got %v, want %q", text, diags, want)
		}
	}
}

func TestTLSDefaultsOfGlobalReachTheLinesBelow(t *testing.T) {
	head := "global\n crt-base /etc/haproxy\n ca-base /etc/haproxy\n ssl-default-bind-ciphers ECDHE+AESGCM\n ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets\n" +
		" ssl-default-server-options ssl-max-ver TLSv1.2\n ssl-server-verify none\n ssl-load-extra-del-ext\n"
	cfg, diags := build(head+quiet+" bind :443 ssl crt split.crt ca-file ca.pem verify optional\n default-server ssl\n server a 10.0.0.1:1\n server b 10.0.0.2:1 no-ssl\n server c 10.0.0.3:1 verify required ca-file ca.pem check port 80\n", withDirectory())
	if len(diags) != 0 {
		t.Fatal(diags)
	}
	b, servers := cfg.Proxies[0].Binds[1].TLS, cfg.Proxies[0].Servers
	if b.MinVersion != 0x304 || !b.NoTickets || len(b.Ciphers) != 4 || certificates(b.Certificates) != "split.crt+split.key" || b.CA.Path != "/etc/haproxy/ca.pem" {
		t.Errorf("bind: %+v, %s", b.TLS, certificates(b.Certificates))
	}
	a, c := servers[0].TLS, servers[2].TLS
	if a == nil || a.Verify != settings.VerifyNone || a.MaxVersion != 0x303 || !a.Check {
		t.Errorf("server a: %+v", a)
	}
	if servers[1].TLS != nil {
		t.Errorf("server b is encrypted: %+v", servers[1].TLS)
	}
	if c == nil || c.Verify != settings.VerifyRequired || c.Check {
		t.Errorf("server c: %+v", c)
	}
}
