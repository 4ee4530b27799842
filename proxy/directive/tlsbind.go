package directive

import (
	"fmt"
	"strings"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
	"herald/proxy/tlsconf"
)

// onTLS makes the row of a bind option of TLS.
func onTLS(name, syntax, example, doc string, read func(c *call, t *settings.BindTLS, v string) error) config.Row[bindOption] {
	args := 0
	if syntax != "" {
		args = 1
	}
	return config.Row[bindOption]{Name: name, Syntax: syntax, Example: "bind :443 " + strings.TrimSpace("ssl crt /etc/haproxy/site.pem "+example), Doc: doc,
		Do: bindOption{args, func(c *call, b *settings.Bind, _ *settings.StatsSocket, v line.Word) error {
			if b.TLS == nil {
				b.TLS = &settings.BindTLS{TLS: c.tls.bind}
			}
			return read(c, b.TLS, v.Text)
		}}}
}

// version makes the row of an option that limits the versions.
func version(name, syntax, example, doc string) config.Row[bindOption] {
	return onTLS(name, syntax, example, doc, func(c *call, t *settings.BindTLS, v string) error {
		_, err := c.setVersion(&t.TLS, name, v)
		return err
	})
}

var bindTLSRows = []config.Row[bindOption]{
	onTLS("ssl", "", "", "Encrypts the connections with TLS.", func(_ *call, t *settings.BindTLS, _ string) error { t.On = true; return nil }),
	onTLS("crt", "FILE | DIRECTORY", "", "Certificate with its chain and key in PEM, or a directory of such files. The first is for clients that name no known host.",
		func(c *call, t *settings.BindTLS, v string) error {
			t.Sources = append(t.Sources, settings.CertificateSource{Path: under(c.tls.crtBase, v)})
			return nil
		}),
	onTLS("crt-list", "FILE", "crt-list /etc/haproxy/sites.list", "File with a certificate a line, each with options in brackets and names it is for.",
		func(_ *call, t *settings.BindTLS, v string) error {
			t.Sources = append(t.Sources, settings.CertificateSource{Path: v, List: true})
			return nil
		}),
	onTLS("strict-sni", "", "strict-sni", "Refuses clients that name no host of a certificate, instead of showing them the first.",
		func(_ *call, t *settings.BindTLS, _ string) error { t.StrictSNI = true; return nil }),
	onTLS("verify", "none | optional | required", "ca-file /etc/haproxy/ca.pem verify required", "Whether clients must show a certificate of an authority in ca-file.",
		func(_ *call, t *settings.BindTLS, v string) error { return setVerify(&t.Verify, v, true) }),
	onTLS("ca-file", "FILE", "ca-file /etc/haproxy/ca.pem verify required", "Authorities that sign the certificates of clients; clients are told their names.",
		func(c *call, t *settings.BindTLS, v string) (err error) { t.CA, err = c.authorities(v); return err }),
	onTLS("ca-verify-file", "FILE", "ca-file /etc/haproxy/ca.pem ca-verify-file /etc/haproxy/ca.pem verify required",
		"More authorities that sign the certificates of clients, which clients are not told of.",
		func(c *call, t *settings.BindTLS, v string) (err error) {
			t.CAVerify, err = c.authorities(v)
			return err
		}),
	onTLS("crl-file", "FILE", "ca-file /etc/haproxy/ca.pem crl-file /etc/haproxy/crl.pem verify required",
		"Lists of revoked certificates; every authority of a chain needs one.",
		func(c *call, t *settings.BindTLS, v string) (err error) { t.CRL, err = c.revocations(v); return err }),
	onTLS("ca-ignore-err", "all | NUMBER[,...]", "ca-file /etc/haproxy/ca.pem verify required ca-ignore-err 10",
		"Errors of verification that are let pass in certificates of authorities (numbers of openssl-verify).",
		func(_ *call, t *settings.BindTLS, v string) (err error) { t.CAIgnore, err = ignored(v); return err }),
	onTLS("crt-ignore-err", "all | NUMBER[,...]", "ca-file /etc/haproxy/ca.pem verify required crt-ignore-err 10",
		"Errors of verification that are let pass in the certificate of the client.",
		func(_ *call, t *settings.BindTLS, v string) (err error) { t.CertIgnore, err = ignored(v); return err }),
	onTLS("ciphers", "CIPHERS", "ciphers ECDHE+AESGCM:ECDHE+CHACHA20", "Cipher suites up to TLS 1.2 as a cipher string of OpenSSL; their order is this program's.",
		func(c *call, t *settings.BindTLS, v string) (err error) { t.Ciphers, err = c.ciphers(v); return err }),
	onTLS("ciphersuites", "SUITES", "ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
		"Cipher suites of TLS 1.3; all three are offered whatever is listed.",
		func(c *call, _ *settings.BindTLS, v string) error { return c.suites(v) }),
	onTLS("curves", "GROUPS", "curves X25519:P-256", "Groups for the exchange of keys; their order is this program's.",
		func(c *call, t *settings.BindTLS, v string) (err error) { t.Curves, err = c.curves(v); return err }),
	onTLS("ecdhe", "GROUP", "ecdhe P-256", "The group for the exchange of keys; an older word for curves.",
		func(c *call, t *settings.BindTLS, v string) (err error) { t.Curves, err = c.curves(v); return err }),
	onTLS("alpn", "PROTOCOL[,...]", "alpn http/1.1", "Protocols to agree on within TLS, in order of preference.",
		func(_ *call, t *settings.BindTLS, v string) (err error) { t.ALPN, err = protocols(v); return err }),
	onTLS("no-alpn", "", "no-alpn", "Agrees on no protocol within TLS.", func(_ *call, t *settings.BindTLS, _ string) error { t.ALPN = nil; return nil }),
	version("ssl-min-ver", "VERSION", "ssl-min-ver TLSv1.2", "Oldest version of TLS to speak; TLSv1.2 when unset."),
	version("ssl-max-ver", "VERSION", "ssl-max-ver TLSv1.3", "Newest version of TLS to speak."),
	version("no-tlsv10", "", "no-tlsv10", "Does not speak TLS 1.0; an older form of ssl-min-ver."),
	version("no-tlsv11", "", "no-tlsv11", "Does not speak TLS 1.1; an older form of ssl-min-ver."),
	version("no-tlsv12", "", "no-tlsv12", "Does not speak TLS 1.2; an older form of ssl-min-ver."),
	version("no-tlsv13", "", "no-tlsv13", "Does not speak TLS 1.3; an older form of ssl-max-ver."),
	version("force-tlsv10", "", "force-tlsv10", "Speaks only TLS 1.0."),
	version("force-tlsv11", "", "force-tlsv11", "Speaks only TLS 1.1."),
	version("force-tlsv12", "", "force-tlsv12", "Speaks only TLS 1.2."),
	version("force-tlsv13", "", "force-tlsv13", "Speaks only TLS 1.3."),
	version("no-tls-tickets", "", "no-tls-tickets", "Gives clients no tickets to go on with a session; every handshake is a whole one."),
	onTLS("tls-ticket-keys", "FILE", "tls-ticket-keys /etc/haproxy/tickets", "Keys for session tickets, the same on every node, so that sessions survive a failover: 48 or 80 bytes a line in base64; the last but one is used.",
		func(c *call, t *settings.BindTLS, v string) (err error) {
			if t.TicketKeys, err = c.file(v); err == nil {
				_, err = tlsconf.TicketKeys(t.TicketKeys)
			}
			return err
		}),
	onTLS("no-sslv3", "", "no-sslv3", "Does not speak SSL 3, which is never spoken here.", func(*call, *settings.BindTLS, string) error { return nil }),
	onTLS("no-ca-names", "", "ca-file /etc/haproxy/ca.pem verify optional no-ca-names", "Does not tell clients the names of the authorities.",
		func(_ *call, t *settings.BindTLS, _ string) error { t.NoCANames = true; return nil }),
	onTLS("prefer-client-ciphers", "", "prefer-client-ciphers", "Takes the client's order of cipher suites; the order is this program's either way, which looks at the client's hardware.",
		func(*call, *settings.BindTLS, string) error { return nil }),
}

func setVerify(to *settings.Verify, word string, optional bool) error {
	switch {
	case word == "none":
		*to = settings.VerifyNone
	case word == "optional" && optional:
		*to = settings.VerifyOptional
	case word == "required":
		*to = settings.VerifyRequired
	case optional:
		return fmt.Errorf("%q is not none, optional or required", word)
	default:
		return fmt.Errorf("%q is not none or required", word)
	}
	return nil
}

// finishBindTLS reads the certificates of a bind line; nil without "ssl".
func (c *call) finishBindTLS(t *settings.BindTLS) *settings.BindTLS {
	if t == nil || !t.On {
		return nil
	}
	sound := true
	for i := range t.Sources {
		s := &t.Sources[i]
		var found []settings.Certificate
		var err error
		if s.List {
			found, err = c.listed(t, s)
		} else {
			found, err = c.certificates(s.Path)
			s.Dir = c.isDirectory(s.Path)
		}
		if err != nil {
			c.diags.Errorf(c.line.Pos, s.Path, "%s: %v", c.name, err)
			sound = false
		}
		t.Certificates = append(t.Certificates, found...)
	}
	if sound && len(t.Certificates) == 0 && !t.StrictSNI {
		c.diags.Errorf(c.line.Pos, "ssl", "%s: ssl needs a certificate: \"crt FILE\"", c.name)
	}
	c.checkVerify(t)
	c.recommendECDSA(t)
	return t
}

// recommendECDSA: with an RSA key alone a handshake costs three times as much
// of the processor as with a P-256 one beside it.
func (c *call) recommendECDSA(t *settings.BindTLS) {
	if len(t.Certificates) == 0 {
		return
	}
	for _, cert := range t.Certificates {
		if !c.tls.rsa[cert.Files[0].Path] {
			return
		}
	}
	c.diags.Noticef(c.line.Pos, t.Certificates[0].Files[0].Path, "%s: all certificates have RSA keys; one with a P-256 key beside them (FILE.ecdsa) makes handshakes cost a third", c.name)
}

// checkVerify: without an authority no client would pass.
func (c *call) checkVerify(t *settings.BindTLS) {
	if t.Verify > settings.VerifyNone && t.CA == nil && t.CAVerify == nil {
		c.diags.Errorf(c.line.Pos, "verify", "%s: verify is on and no ca-file says whose certificates are good", c.name)
	}
}
