package directive

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
	"herald/proxy/tlsconf"
)

// certificates reads what crt names: a file, a directory of them, or FILE
// for FILE.rsa, FILE.dsa and FILE.ecdsa.
func (c *call) certificates(name string) ([]settings.Certificate, error) {
	if c.opt.ReadDir != nil {
		if names, err := c.opt.ReadDir(name); err == nil {
			return c.directory(name, names)
		}
	}
	cert, err := c.certificate(name)
	switch {
	case err == nil:
		return []settings.Certificate{cert}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	var list []settings.Certificate
	for _, kind := range []string{".rsa", ".dsa", ".ecdsa"} {
		c, other := c.certificate(name + kind)
		switch {
		case other == nil:
			list = append(list, c)
		case !errors.Is(other, fs.ErrNotExist):
			return list, other
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	return nil, err
}

func (c *call) isDirectory(name string) bool {
	if c.opt.ReadDir == nil {
		return false
	}
	_, err := c.opt.ReadDir(name)
	return err == nil
}

// beside are the files that stand beside a certificate.
var beside = []string{".key", ".issuer", ".ocsp", ".sctl"}

func (c *call) directory(dir string, names []string) ([]settings.Certificate, error) {
	var list []settings.Certificate
	for _, name := range names {
		if strings.HasPrefix(name, ".") || slices.Contains(beside, path.Ext(name)) {
			continue
		}
		cert, err := c.certificate(dir + "/" + name)
		if err != nil {
			return list, err
		}
		list = append(list, cert)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: a directory without certificates", dir)
	}
	return list, nil
}

// certificate reads one certificate and what stands beside it.
func (c *call) certificate(name string) (settings.Certificate, error) {
	var cert settings.Certificate
	main, err := c.file(name)
	if err != nil {
		return cert, err
	}
	cert.Files = []settings.File{*main}
	stem := name
	if c.tls.replaceExtension {
		stem = strings.TrimSuffix(name, ".crt")
	}
	for _, ext := range beside {
		if c.tls.extra != nil && !c.tls.extra[ext[1:]] {
			continue
		}
		if f, err := c.file(stem + ext); err == nil {
			cert.Files = append(cert.Files, *f)
		}
	}
	pair, err := tlsconf.Load(cert)
	if err == nil {
		if c.tls.rsa == nil {
			c.tls.rsa = map[string]bool{}
		}
		c.tls.rsa[name] = pair.RSA()
	}
	return cert, err
}

// listed reads the certificates of a crt-list, whose options begin from
// those of the bind line.
func (c *call) listed(t *settings.BindTLS, source *settings.CertificateSource) ([]settings.Certificate, error) {
	name := source.Path
	f, err := c.file(name)
	if err != nil {
		return nil, err
	}
	entries, err := tlsconf.ParseList(string(f.Bytes))
	if err != nil {
		return nil, fmt.Errorf("%s%w", name, err)
	}
	var list []settings.Certificate
	for _, e := range entries {
		path := under(c.tls.crtBase, e.Path)
		source.Lines = append(source.Lines, settings.ListLine{Number: e.Line, Path: path, Options: e.Options, Filters: e.Filters})
		found, err := c.certificates(path)
		if err != nil {
			return list, fmt.Errorf("%s:%d: %w", name, e.Line, err)
		}
		var own *settings.BindTLS
		if len(e.Options) > 0 {
			if own, err = c.own(t, e.Options); err != nil {
				return list, fmt.Errorf("%s:%d: %w", name, e.Line, err)
			}
		}
		for i := range found {
			found[i].Filters, found[i].Own = e.Filters, own
		}
		list = append(list, found...)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: a list without certificates", name)
	}
	return list, nil
}

// inList are the options a line of a crt-list may have.
var inList = []string{"alpn", "ca-file", "ca-verify-file", "ciphers", "ciphersuites", "crl-file", "curves", "ecdhe", "no-alpn", "no-ca-names",
	"ssl-max-ver", "ssl-min-ver", "verify"}

// own reads the options of a line of a crt-list.
func (c *call) own(t *settings.BindTLS, words []string) (*settings.BindTLS, error) {
	own := *t
	own.Certificates, own.Sources = nil, nil
	b := settings.Bind{TLS: &own}
	for i := 0; i < len(words); i++ {
		at := slices.IndexFunc(bindTLSRows, func(r config.Row[bindOption]) bool { return r.Name == words[i] && slices.Contains(inList, r.Name) })
		if at < 0 {
			return nil, fmt.Errorf("%q is no option of a line, expected one of %s", words[i], strings.Join(inList, ", "))
		}
		row := bindTLSRows[at]
		var value line.Word
		if row.Do.args > 0 {
			if i++; i == len(words) {
				return nil, fmt.Errorf("%s: missing %s", row.Name, row.Syntax)
			}
			value.Text = words[i]
		}
		if err := row.Do.read(c, &b, nil, value); err != nil {
			return nil, fmt.Errorf("%s: %w", row.Name, err)
		}
	}
	c.checkVerify(&own)
	return &own, nil
}
