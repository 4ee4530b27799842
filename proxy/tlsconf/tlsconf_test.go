package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/proxy/settings"
	"herald/proxy/testcert"
)

// stringsOfCiphers are those people use, and the corners of the grammar.
var stringsOfCiphers = []string{
	"ALL", "DEFAULT", "HIGH:!aNULL:!MD5", "ECDHE+AESGCM", "ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES256:!aNULL:!SHA1:!AESCCM",
	"kEECDH+aRSA+AES:kRSA+AES:!aNULL:!eNULL:!LOW", "EECDH+AESGCM:EDH+AESGCM", "AES128-SHA,AES256-SHA", "ALL:-RSA:AES128-SHA", "ALL:!RSA:AES128-SHA",
	"ALL:+RSA", "DEFAULT:!MEDIUM", "TLSv1.2:!kRSA", "SHA256", "ECDHE:!ECDSA", "AESGCM@STRENGTH:CHACHA20",
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" +
		"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384",
	"ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!MD5:!DSS",
	"ALL:!COMPLEMENTOFDEFAULT:!eNULL",
}

// openssl answers the suites up to TLS 1.2 that OpenSSL makes of a string,
// of those crypto/tls has.
func openssl(t *testing.T, text string) []string {
	out, err := exec.Command("openssl", "ciphers", strings.ReplaceAll(text, "@STRENGTH", ":@STRENGTH")+":@SECLEVEL=0").Output()
	if err != nil {
		t.Fatalf("openssl ciphers %s: %v", text, err)
	}
	var names []string
	for name := range strings.SplitSeq(strings.TrimSpace(string(out)), ":") {
		if known(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestCipherStringsMeanWhatTheyMeanToOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	for _, text := range stringsOfCiphers {
		c, err := ParseCiphers(strings.ReplaceAll(text, "@STRENGTH", ":@STRENGTH"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var names []string
		for _, id := range c.Suites {
			names = append(names, CipherName(id))
		}
		slices.Sort(names)
		if want := openssl(t, text); !slices.Equal(names, want) {
			t.Errorf("%s:\n got %v\nwant %v", text, names, want)
		}
	}
}

func TestWhatCannotBeMappedIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"AESGCM:DHE-RSA-AES128-GCM-SHA256:ARIA128":           "[DHE-RSA-AES128-GCM-SHA256] []",
		"AESGCM:!DHE-RSA-AES128-GCM-SHA256":                  "[] []",
		"AESGCM:FOO:ECDHE+BAR":                               "[] [FOO BAR]",
		"AESGCM:TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-CCM": "[] [ECDHE-RSA-AES128-CCM]",
	} {
		c, err := ParseCiphers(text)
		if got := fmt.Sprint(c.Missing, " ", c.Unknown); err != nil || strings.ReplaceAll(got, "  ", " ") != want {
			t.Errorf("%s: got %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "FOO", "aNULL", "DHE-RSA-AES128-SHA", "ALL:!ALL", "ALL:@SECLEVEL=9", "@SECLEVEL=x"} {
		if c, err := ParseCiphers(text); err == nil {
			t.Errorf("%q leaves %v, want an error", text, c.Suites)
		}
	}
	if _, left, err := ParseSuites("TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"); err != nil || !slices.Equal(left, []string{"TLS_CHACHA20_POLY1305_SHA256"}) {
		t.Errorf("left out: %v, %v", left, err)
	}
	if got, missing, err := ParseCurves("X25519:prime256v1:X448"); err != nil || !slices.Equal(got, []uint16{29, 23}) || !slices.Equal(missing, []string{"X448"}) {
		t.Errorf("groups %v, missing %v, %v", got, missing, err)
	}
}

func TestEverySuiteIsOneOfCryptoTLS(t *testing.T) {
	have := map[uint16]bool{}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		have[s.ID] = true
	}
	for _, s := range suites {
		if !have[s.id] {
			t.Errorf("crypto/tls has no %s", s.name)
		}
	}
}

func pair(name string, rsa bool, names ...string) *Pair {
	p := &Pair{Path: name}
	for _, n := range names {
		if out, ok := strings.CutPrefix(n, "!"); ok {
			p.Exclude = append(p.Exclude, out)
		} else {
			p.Names = append(p.Names, n)
		}
	}
	if rsa {
		p.TLS.PrivateKey = rsaKey()
	}
	return p
}

func TestTheNameChoosesTheCertificate(t *testing.T) {
	pairs := []*Pair{
		pair("first", false, "a.example"), pair("rsa", true, "a.example", "b.example"), pair("star", false, "*.example", "!not.example"),
		pair("deep", false, "*.w.example"), pair("elder", false, "dup.test"), pair("younger", false, "dup.test"),
	}
	for _, tc := range []struct{ name, lax, strict string }{
		{"a.example", "first", "first"}, {"A.Example.", "first", "first"}, {"b.example", "star", "star"}, {"c.example", "star", "star"},
		{"x.c.example", "first", ""}, {"x.w.example", "deep", "deep"}, {"w.example", "star", "star"}, {"not.example", "first", ""},
		{"", "first", ""}, {"other", "first", ""}, {"dup.test", "elder", "elder"}, {".example", "first", ""}, {"*.example", "star", "star"},
	} {
		for strict, want := range map[bool]string{false: tc.lax, true: tc.strict} {
			got := ""
			if p := NewTable(pairs, strict).Choose(tc.name, func(*Pair) bool { return true }); p != nil {
				got = p.Path
			}
			if got != want {
				t.Errorf("%q, strict %v: got %q, want %q", tc.name, strict, got, want)
			}
		}
	}
	// The kind of key counts for more than how well the name fits.
	mixed := NewTable([]*Pair{pair("wide", true, "*.example"), pair("own", true, "a.example"), pair("other", false, "*.example"), pair("own2", false, "b.example"), pair("star", false, "*")}, true)
	for _, tc := range []struct{ name, both, rsa string }{{"a.example", "other", "own"}, {"b.example", "own2", "wide"}, {"c.example", "other", "wide"}, {"c.test", "", ""}} {
		both, rsa := mixed.Choose(tc.name, func(*Pair) bool { return true }), mixed.Choose(tc.name, (*Pair).RSA)
		if both == nil != (tc.both == "") || both != nil && (both.Path != tc.both || rsa.Path != tc.rsa) {
			t.Errorf("%s: got %v and for a client without ECDSA %v, want %q and %q", tc.name, both, rsa, tc.both, tc.rsa)
		}
	}
	if p := NewTable(pairs, false).Choose("a.example", func(p *Pair) bool { return p.RSA() }); p.Path != "rsa" {
		t.Errorf("a client without ECDSA gets %s", p.Path)
	}
	if p := NewTable(pairs, false).Choose("", func(p *Pair) bool { return p.RSA() }); p.Path != "rsa" {
		t.Errorf("a client without ECDSA and a name gets %s", p.Path)
	}
}

func TestACertificateListIsRead(t *testing.T) {
	got, err := ParseList("# comment\n\n/a.pem\n  b.pem [alpn h2,http/1.1  verify none] *.b !x.b # rest\nc.pem []\nd.pem d.example\n")
	if want := "[{3 /a.pem [] []} {4 b.pem [alpn h2,http/1.1 verify none] [*.b !x.b]} {5 c.pem [] []} {6 d.pem [] [d.example]}]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v\nwant %s", got, err, want)
	}
	for _, text := range []string{"a [b", "a b]", "a ]b[", "[a] b", "a [b [c]]", "a b [c]"} {
		if got, err := ParseList("x\n" + text); err == nil || !strings.HasPrefix(err.Error(), ":2: ") {
			t.Errorf("%q: %v, %v; want an error of line 2", text, got, err)
		}
	}
}

func FuzzParseList(f *testing.F) {
	f.Add("a.pem [alpn h2] *.b # c\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseList(text)
		if err != nil {
			return
		}
		for _, e := range list {
			if e.Path == "" || e.Line == 0 {
				t.Errorf("%q: %+v", text, e)
			}
		}
	})
}

func FuzzParseCiphers(f *testing.F) {
	for _, s := range stringsOfCiphers {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseCiphers(text); err == nil && len(c.Suites) == 0 {
			t.Errorf("%q leaves nothing and is no error", text)
		}
	})
}

func TestWhatVerificationFindsHasOpenSSLsNumber(t *testing.T) {
	ca, other := testcert.NewAuthority("CA"), testcert.NewAuthority("Other")
	good, late := ca.Issue(testcert.Request{Name: "good"}), ca.Issue(testcert.Request{Name: "late", NotAfter: time.Now().Add(-time.Hour)})
	file := func(b []byte) *settings.File { return &settings.File{Path: "f", Bytes: b} }
	for name, tc := range map[string]struct {
		t    settings.TLS
		cert *x509.Certificate
		at   time.Duration
		code int
	}{
		"good":               {settings.TLS{CA: file(ca.PEM)}, good.Leaf, 0, 0},
		"expired":            {settings.TLS{CA: file(ca.PEM)}, late.Leaf, 0, 10},
		"not yet":            {settings.TLS{CA: file(ca.PEM)}, good.Leaf, -100 * time.Hour, 9},
		"unknown issuer":     {settings.TLS{CA: file(other.PEM)}, good.Leaf, 0, 20},
		"revoked":            {settings.TLS{CA: file(ca.PEM), CRL: file(ca.Revoke(good))}, good.Leaf, 0, 23},
		"another is revoked": {settings.TLS{CA: file(ca.PEM), CRL: file(ca.Revoke(late))}, good.Leaf, 0, 0},
		"no list":            {settings.TLS{CA: file(ca.PEM), CRL: file(other.Revoke())}, good.Leaf, 0, 3},
		"an old list":        {settings.TLS{CA: file(ca.PEM), CRL: file(ca.Revoke())}, good.Leaf, 2 * time.Hour, 12},
	} {
		v, err := NewVerifier(&settings.BindTLS{TLS: tc.t})
		if err != nil {
			t.Fatal(err)
		}
		code := 0
		f := v.Check([]*x509.Certificate{tc.cert}, time.Now().Add(tc.at), x509.ExtKeyUsageClientAuth)
		if f != nil {
			code = f.Code
		}
		if code != tc.code {
			t.Errorf("%s: %v, want code %d", name, f, tc.code)
		}
		if f != nil && (!f.ignored(&settings.BindTLS{CertIgnore: settings.IgnoredErrors{Numbers: []int{tc.code}}, CAIgnore: settings.IgnoredErrors{All: true}}) || f.ignored(&settings.BindTLS{})) {
			t.Errorf("%s: %v is let pass wrongly", name, f)
		}
	}
}

func TestVersionsAreTakenOutAtTheEnds(t *testing.T) {
	for _, tc := range []struct {
		out      []uint16
		min, max uint16
	}{
		{nil, 0, 0}, {[]uint16{tls.VersionTLS10, tls.VersionTLS11}, 0, 0}, {[]uint16{tls.VersionTLS13}, 0, tls.VersionTLS12},
		{[]uint16{tls.VersionTLS12}, tls.VersionTLS13, 0},
	} {
		var s settings.TLS
		for _, id := range tc.out {
			Refuse(&s, id)
		}
		if s.MinVersion != tc.min || s.MaxVersion != tc.max {
			t.Errorf("without %x: %x to %x, want %x to %x", tc.out, s.MinVersion, s.MaxVersion, tc.min, tc.max)
		}
	}
}
