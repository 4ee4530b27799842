package directive

import (
	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// toTLS makes the row of a server option of TLS. The settings are copied
// before they change: those of default-server are shared.
func toTLS(name, syntax, example, doc string, read func(c *call, t *settings.ServerTLS, v string) error) config.Row[serverOption] {
	args := 0
	if syntax != "" {
		args = 1
	}
	return config.Row[serverOption]{Name: name, Syntax: syntax, Example: "server a 10.1.1.20:443 ssl verify none " + example, Doc: doc,
		Do: serverOption{args: args, ask: func(c *call, s *settings.Server, v line.Word) error {
			t := settings.ServerTLS{TLS: c.tls.server}
			if s.TLS != nil {
				t = *s.TLS
			}
			s.TLS = &t
			return read(c, &t, v.Text)
		}}}
}

func toVersion(name, syntax, example, doc string) config.Row[serverOption] {
	return toTLS(name, syntax, example, doc, func(c *call, t *settings.ServerTLS, v string) error {
		_, err := c.setVersion(&t.TLS, name, v)
		return err
	})
}

func plain(set func(t *settings.ServerTLS)) func(*call, *settings.ServerTLS, string) error {
	return func(_ *call, t *settings.ServerTLS, _ string) error { set(t); return nil }
}

var serverTLSRows = []config.Row[serverOption]{
	toTLS("ssl", "", "", "Encrypts the connections to the server with TLS.", plain(func(t *settings.ServerTLS) { t.On = true })),
	toTLS("no-ssl", "", "no-ssl", "Takes back an \"ssl\" of default-server.", plain(func(t *settings.ServerTLS) { t.On = false })),
	toTLS("verify", "none | required", "verify none", "Whether the server must show a certificate of an authority in ca-file; required unless ssl-server-verify says otherwise.",
		func(_ *call, t *settings.ServerTLS, v string) error { return setVerify(&t.Verify, v, false) }),
	toTLS("ca-file", "FILE | @system-ca", "ca-file /etc/haproxy/ca.pem verify required", "Authorities that sign the server's certificate.",
		func(c *call, t *settings.ServerTLS, v string) (err error) { t.CA, err = c.authorities(v); return err }),
	toTLS("crl-file", "FILE", "ca-file /etc/haproxy/ca.pem crl-file /etc/haproxy/crl.pem", "Lists of revoked certificates.",
		func(c *call, t *settings.ServerTLS, v string) (err error) { t.CRL, err = c.revocations(v); return err }),
	toTLS("crt", "FILE", "crt /etc/haproxy/site.pem", "Certificate to show when the server asks for one.",
		func(c *call, t *settings.ServerTLS, v string) error {
			cert, err := c.certificate(under(c.tls.crtBase, v))
			t.Certificate = &cert
			return err
		}),
	toTLS("verifyhost", "NAME", "verifyhost www.example.com", "Name the server's certificate must hold where it is not asked for one by sni.",
		func(_ *call, t *settings.ServerTLS, v string) error { t.VerifyHost = v; return nil }),
	toTLS("no-verifyhost", "", "no-verifyhost", "Takes back a \"verifyhost\" of default-server.", plain(func(t *settings.ServerTLS) { t.VerifyHost = "" })),
	toTLS("sni", "EXPRESSION", "sni req.hdr(host)", "Name to ask the server for, taken from the request or its connection.",
		func(c *call, t *settings.ServerTLS, v string) (err error) {
			t.SNI, err = c.expression(v, atServer)
			return err
		}),
	toTLS("no-sni", "", "no-sni", "Takes back an \"sni\" of default-server.", plain(func(t *settings.ServerTLS) { t.SNI = nil })),
	toTLS("alpn", "PROTOCOL[,...]", "alpn http/1.1", "Protocols to offer within TLS, in order of preference.",
		func(_ *call, t *settings.ServerTLS, v string) (err error) { t.ALPN, err = protocols(v); return err }),
	toTLS("ciphers", "CIPHERS", "ciphers ECDHE+AESGCM", "Cipher suites up to TLS 1.2 as a cipher string of OpenSSL.",
		func(c *call, t *settings.ServerTLS, v string) (err error) { t.Ciphers, err = c.ciphers(v); return err }),
	toTLS("ciphersuites", "SUITES", "ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
		"Cipher suites of TLS 1.3; all three are offered whatever is listed.",
		func(c *call, _ *settings.ServerTLS, v string) error { return c.suites(v) }),
	toTLS("curves", "GROUPS", "curves X25519:P-256", "Groups for the exchange of keys.",
		func(c *call, t *settings.ServerTLS, v string) (err error) { t.Curves, err = c.curves(v); return err }),
	toVersion("ssl-min-ver", "VERSION", "ssl-min-ver TLSv1.2", "Oldest version of TLS to speak; TLSv1.2 when unset."),
	toVersion("ssl-max-ver", "VERSION", "ssl-max-ver TLSv1.3", "Newest version of TLS to speak."),
	toVersion("no-tlsv10", "", "no-tlsv10", "Does not speak TLS 1.0; an older form of ssl-min-ver."),
	toVersion("no-tlsv11", "", "no-tlsv11", "Does not speak TLS 1.1; an older form of ssl-min-ver."),
	toVersion("no-tlsv12", "", "no-tlsv12", "Does not speak TLS 1.2; an older form of ssl-min-ver."),
	toVersion("no-tlsv13", "", "no-tlsv13", "Does not speak TLS 1.3; an older form of ssl-max-ver."),
	toVersion("force-tlsv10", "", "force-tlsv10", "Speaks only TLS 1.0."),
	toVersion("force-tlsv11", "", "force-tlsv11", "Speaks only TLS 1.1."),
	toVersion("force-tlsv12", "", "force-tlsv12", "Speaks only TLS 1.2."),
	toVersion("force-tlsv13", "", "force-tlsv13", "Speaks only TLS 1.3."),
	toVersion("no-tls-tickets", "", "no-tls-tickets", "Takes no tickets to go on with a session."),
	toVersion("tls-tickets", "", "tls-tickets", "Takes back a \"no-tls-tickets\" of default-server."),
	toTLS("no-sslv3", "", "no-sslv3", "Does not speak SSL 3, which is never spoken here.", plain(func(*settings.ServerTLS) {})),
	toTLS("no-ssl-reuse", "", "no-ssl-reuse", "Goes on with no earlier session: every handshake is a whole one.", plain(func(t *settings.ServerTLS) { t.NoReuse = true })),
	toTLS("ssl-reuse", "", "ssl-reuse", "Takes back a \"no-ssl-reuse\" of default-server.", plain(func(t *settings.ServerTLS) { t.NoReuse = false })),
}

// finishServerTLS settles what depends on the whole configuration. The
// settings stay where traffic or checks are encrypted.
func (b *builder) finishServerTLS(s *settings.Server, checks bool) {
	t := settings.ServerTLS{TLS: b.tls.server}
	if s.TLS != nil {
		t = *s.TLS
	}
	s.TLS = &t
	if !t.On && !checks {
		s.TLS = nil
		return
	}
	// A check goes where the traffic goes unless it is led elsewhere.
	t.Check = s.Checks.TLS || t.On && s.CheckPort == 0 && s.CheckAddr == ""
	if t.Verify == settings.VerifyUnset {
		t.Verify = settings.VerifyRequired
		if b.tls.unverifiedServers {
			t.Verify = settings.VerifyNone
		}
	}
	if t.Verify == settings.VerifyRequired && t.CA == nil {
		b.diags.Errorf(s.Pos, "verify", "server %q: verify is on and no ca-file says whose certificates are good; write \"ca-file FILE\", or \"verify none\" to trust anyone", s.Name)
	}
}
