package directive

import (
	"fmt"
	"strings"

	"herald/config"
	"herald/proxy/settings"
	"herald/proxy/tlsconf"
)

// tlsDefaults is what global says for the lines below it.
type tlsDefaults struct {
	bind, server      settings.TLS
	crtBase, caBase   string
	extra             map[string]bool // kinds of files read beside a certificate; nil is all
	replaceExtension  bool            // ssl-load-extra-del-ext
	unverifiedServers bool            // ssl-server-verify none
	rsa               map[string]bool // files read, and whether their keys are RSA keys
}

// set reads a word that bind, server and the default options have alike; ok
// is false for another word.
func (c *call) setVersion(t *settings.TLS, word, value string) (ok bool, err error) {
	only, forced := strings.CutPrefix(word, "force-")
	without, refused := strings.CutPrefix(word, "no-")
	switch {
	case word == "ssl-min-ver":
		t.MinVersion, err = tlsconf.Version(value)
	case word == "ssl-max-ver":
		t.MaxVersion, err = tlsconf.Version(value)
	case word == "no-tls-tickets":
		t.NoTickets = true
	case word == "tls-tickets":
		t.NoTickets = false
	case forced && oldVersions[only] != "":
		t.MinVersion, err = tlsconf.Version(oldVersions[only])
		t.MaxVersion = t.MinVersion
	case refused && oldVersions[without] != "":
		id, _ := tlsconf.Version(oldVersions[without])
		tlsconf.Refuse(t, id)
	default:
		return false, nil
	}
	return true, err
}

// oldVersions are the versions as no-tlsv12 and force-tlsv12 spell them.
// SSLv3 is what is never spoken here.
var oldVersions = map[string]string{"tlsv10": "TLSv1.0", "tlsv11": "TLSv1.1", "tlsv12": "TLSv1.2", "tlsv13": "TLSv1.3"}

// ciphers reads a cipher string, naming what cannot be had.
func (c *call) ciphers(text string) ([]uint16, error) {
	got, err := tlsconf.ParseCiphers(text)
	if err != nil {
		return nil, err
	}
	c.nameMissing("cipher suites", got.Missing)
	if len(got.Unknown) > 0 {
		c.diags.Warnf(c.line.Pos, got.Unknown[0], "%s: not known in a cipher string and skipped: %s", c.name, strings.Join(got.Unknown, ", "))
	}
	return got.Suites, nil
}

func (c *call) nameMissing(what string, names []string) {
	if len(names) > 0 {
		c.diags.Noticef(c.line.Pos, names[0], "%s: %s of OpenSSL that this program does not have, left out: %s", c.name, what, strings.Join(names, ", "))
	}
}

// suites reads ciphersuites, whose choice this program cannot follow.
func (c *call) suites(text string) error {
	missing, left, err := tlsconf.ParseSuites(text)
	if err != nil {
		return err
	}
	c.nameMissing("cipher suites", missing)
	if len(left) > 0 {
		c.diags.Warnf(c.line.Pos, text, "%s: the three suites of TLS 1.3 are always offered; not left out: %s", c.name, strings.Join(left, ", "))
	}
	return nil
}

func (c *call) curves(text string) ([]uint16, error) {
	got, missing, err := tlsconf.ParseCurves(text)
	c.nameMissing("groups", missing)
	return got, err
}

// protocols reads the list of alpn.
func protocols(text string) ([]string, error) {
	var list []string
	for p := range strings.SplitSeq(text, ",") {
		if p == "" || len(p) > 255 {
			return nil, fmt.Errorf("%q holds a name that is empty or longer than 255 bytes", text)
		}
		list = append(list, p)
	}
	return list, nil
}

// ignored reads the numbers of ca-ignore-err and crt-ignore-err.
func ignored(text string) (settings.IgnoredErrors, error) {
	var e settings.IgnoredErrors
	for word := range strings.SplitSeq(text, ",") {
		if word == "all" {
			e.All = true
			continue
		}
		n, err := config.Int(word, 1, 127)
		if err != nil {
			return e, err
		}
		e.Numbers = append(e.Numbers, n)
	}
	return e, nil
}

// under puts a relative path below a base.
func under(base, path string) string {
	if base == "" || strings.HasPrefix(path, "/") || strings.HasPrefix(path, "@") {
		return path
	}
	return strings.TrimSuffix(base, "/") + "/" + path
}

// systemAuthorities are where systems keep the authorities they trust; the
// first that is there is read for "@system-ca".
var systemAuthorities = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"}

// authorities reads ca-file and its like.
func (c *call) authorities(path string) (*settings.File, error) {
	if path == "@system-ca" {
		for _, name := range systemAuthorities {
			if f, err := c.file(name); err == nil {
				return f, nil
			}
		}
		return nil, fmt.Errorf("@system-ca: none of %s is there", strings.Join(systemAuthorities, ", "))
	}
	f, err := c.file(under(c.tls.caBase, path))
	if err != nil {
		return &settings.File{Path: path}, err // the missing file is fault enough
	}
	return f, tlsconf.CheckFile(f)
}

func (c *call) revocations(path string) (*settings.File, error) {
	f, err := c.file(under(c.tls.caBase, path))
	if err != nil {
		return nil, err
	}
	return f, tlsconf.CheckRevocations(f)
}

func (c *call) file(path string) (*settings.File, error) {
	f, err := c.readFile(path)
	if err != nil {
		return nil, err
	}
	return &settings.File{Path: f.Path, Bytes: f.Bytes}, nil
}
