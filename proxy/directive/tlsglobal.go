package directive

import (
	"fmt"
	"strings"

	"herald/config"
)

// tlsDefault makes the row of a global keyword of TLS with one argument.
func tlsDefault(name, syntax, example, doc string, read func(c *call, v string) error) config.Row[keyword] {
	return config.Row[keyword]{Name: name, Syntax: syntax, Example: name + " " + example, Doc: doc,
		Do: keyword{in: inGlobal, min: 1, max: 1, read: func(c *call) {
			if err := read(c, c.arg(0)); err != nil {
				c.reject(0, "%v", err)
			}
		}}}
}

var globalTLSRows = []config.Row[keyword]{
	tlsDefault("ca-base", "DIRECTORY", "/etc/haproxy/ca", "Directory that relative names of ca-file and crl-file are below.",
		func(c *call, v string) error { c.tls.caBase = v; return nil }),
	tlsDefault("crt-base", "DIRECTORY", "/etc/haproxy/certs", "Directory that relative names of crt are below.",
		func(c *call, v string) error { c.tls.crtBase = v; return nil }),
	tlsDefault("ssl-default-bind-ciphers", "CIPHERS", "ECDHE+AESGCM:ECDHE+CHACHA20", "Cipher string of bind lines without ciphers.",
		func(c *call, v string) (err error) { c.tls.bind.Ciphers, err = c.ciphers(v); return err }),
	tlsDefault("ssl-default-server-ciphers", "CIPHERS", "ECDHE+AESGCM", "Cipher string of server lines without ciphers.",
		func(c *call, v string) (err error) { c.tls.server.Ciphers, err = c.ciphers(v); return err }),
	tlsDefault("ssl-default-bind-ciphersuites", "SUITES", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
		"Cipher suites of TLS 1.3 of bind lines; all three are offered whatever is listed.", func(c *call, v string) error { return c.suites(v) }),
	tlsDefault("ssl-default-server-ciphersuites", "SUITES", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
		"Cipher suites of TLS 1.3 of server lines; all three are offered whatever is listed.", func(c *call, v string) error { return c.suites(v) }),
	tlsDefault("ssl-default-bind-curves", "GROUPS", "X25519:P-256", "Groups of bind lines without curves.",
		func(c *call, v string) (err error) { c.tls.bind.Curves, err = c.curves(v); return err }),
	{Name: "ssl-default-bind-options", Syntax: "OPTION ...", Example: "ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
		Doc: "Options of TLS of every bind line.",
		Do:  keyword{in: inGlobal, min: 1, max: many, read: func(c *call) { c.defaultOptions(true) }}},
	{Name: "ssl-default-server-options", Syntax: "OPTION ...", Example: "ssl-default-server-options ssl-min-ver TLSv1.2",
		Doc: "Options of TLS of every server line.",
		Do:  keyword{in: inGlobal, min: 1, max: many, read: func(c *call) { c.defaultOptions(false) }}},
	tlsDefault("ssl-dh-param-file", "FILE", "/etc/haproxy/dhparam.pem", "Accepted; key exchanges that need such parameters are not had here.",
		func(*call, string) error { return nil }),
	{Name: "ssl-load-extra-del-ext", Example: "ssl-load-extra-del-ext",
		Doc: "Looks for SITE.key and its like beside SITE.crt, instead of SITE.crt.key.",
		Do:  keyword{in: inGlobal, read: func(c *call) { c.tls.replaceExtension = true }}},
	{Name: "ssl-load-extra-files", Syntax: "all | none | KIND ...", Example: "ssl-load-extra-files key ocsp",
		Doc: "Kinds of files read beside a certificate: key, issuer, ocsp, sctl, bundle.",
		Do:  keyword{in: inGlobal, min: 1, max: many, read: readExtraFiles}},
	tlsDefault("tune.ssl.cachesize", "N", "20000", "Accepted; sessions are kept by the clients, in tickets, and cost nothing here.", wholeNumber),
	tlsDefault("tune.ssl.default-dh-param", "BITS", "2048", "Accepted; key exchanges that need such parameters are not had here.", wholeNumber),
	tlsDefault("ssl-server-verify", "none | required", "required", "Whether servers must show a good certificate where server says nothing of it.",
		func(c *call, v string) error {
			if v != "none" && v != "required" {
				return fmt.Errorf("%q is not none or required", v)
			}
			c.tls.unverifiedServers = v == "none"
			return nil
		}),
}

func wholeNumber(_ *call, v string) error {
	_, err := config.Int(v, 0, maxCount)
	return err
}

// defaultOptions reads the words of ssl-default-bind-options or its like.
func (c *call) defaultOptions(bind bool) {
	t := &c.tls.server
	if bind {
		t = &c.tls.bind
	}
	for i := 0; i < len(c.args); i++ {
		word, value := c.arg(i), ""
		if word == "ssl-min-ver" || word == "ssl-max-ver" {
			i++
			value = c.arg(i)
		}
		if word == "no-sslv3" || bind && (word == "prefer-client-ciphers" || word == "allow-0rtt") {
			continue
		}
		known, err := c.setVersion(t, word, value)
		switch {
		case err != nil:
			c.reject(i, "%s: %v", word, err)
		case !known:
			c.reject(i, "unknown option %q", word)
		}
	}
}

func readExtraFiles(c *call) {
	c.tls.extra = map[string]bool{}
	for i := range c.args {
		switch kind := c.arg(i); kind {
		case "all":
			c.tls.extra = nil
			return
		case "none", "bundle":
		case "key", "issuer", "ocsp", "sctl":
			c.tls.extra[kind] = true
		default:
			c.reject(i, "%q is not all, none, %s", kind, strings.Join([]string{"key", "issuer", "ocsp", "sctl", "bundle"}, ", "))
		}
	}
}
