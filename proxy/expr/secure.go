package expr

import (
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"

	"herald/config"
)

// secureRows are fetches of TLS (Configuration manual 7.3.4): for the
// connection of a client (fc) and of a server (bc), and of the certificates
// either showed.
var secureRows = slices.Concat(connectionRows(ClientSide, "ssl_fc", "client"), connectionRows(ServerSide, "ssl_bc", "server"),
	certificateRows(ClientSide, "ssl_c", "client"), certificateRows(ServerSide, "ssl_s", "server"),
	[]config.Row[Kind]{
		row("ssl_c_ca_err", "The number of the first error of an authority of the client's certificate that was let pass (openssl-verify(1)), or 0.", "ssl_c_ca_err 10",
			letPass(func(s *Security) int { return s.AuthorityError })),
		row("ssl_c_ca_err_depth", "How far above the client's certificate that authority is.", "ssl_c_ca_err_depth 1", letPass(func(s *Security) int { return s.AuthorityDepth })),
		row("ssl_c_err", "The number of the first error of the client's certificate that was let pass (openssl-verify(1)), or 0.", "ssl_c_err 10",
			letPass(func(s *Security) int { return s.CertificateError })),
		row("ssl_c_used", "Whether the client showed a certificate.", "ssl_c_used", withTLS(ClientSide, Bool, func(_ *Input, v *Value, s *Security) Outcome {
			return v.boolean(len(s.State.PeerCertificates) > 0)
		})),
		row("ssl_c_verify", "The number of the last error in verifying the client that was let pass (openssl-verify(1)), or 0.", "ssl_c_verify 10",
			letPass(func(s *Security) int { return s.VerifyError })),
		row("ssl_fc_has_crt", "Whether the client showed a certificate.", "ssl_fc_has_crt", withTLS(ClientSide, Bool, func(_ *Input, v *Value, s *Security) Outcome {
			return v.boolean(len(s.State.PeerCertificates) > 0)
		})),
		row("ssl_fc_has_early", "Whether data came before the handshake was done: never.", "ssl_fc_has_early", withTLS(ClientSide, Bool, func(_ *Input, v *Value, _ *Security) Outcome { return v.boolean(false) })),
		row("ssl_fc_has_sni", "Whether the client asked for a name.", "ssl_fc_has_sni", withTLS(ClientSide, Bool, func(_ *Input, v *Value, s *Security) Outcome {
			return v.boolean(s.State.ServerName != "")
		})),
		row("ssl_fc_sni", "The name the client asked for in TLS that ends here.", "ssl_fc_sni -i www.example.com", withTLS(ClientSide, Str, func(in *Input, v *Value, s *Security) Outcome {
			return v.written(in, s.State.ServerName)
		})),
	}, cannotRows)

// cannotRows are the fetches whose answer crypto/tls keeps to itself.
var cannotRows = func() (rows []config.Row[Kind]) {
	for why, names := range map[string][]string{
		"crypto/tls keeps the keys of a session to itself": {"ssl_bc_client_random", "ssl_bc_server_random", "ssl_bc_session_key", "ssl_fc_client_early_traffic_secret",
			"ssl_fc_client_handshake_traffic_secret", "ssl_fc_client_random", "ssl_fc_client_traffic_secret_0", "ssl_fc_early_exporter_secret",
			"ssl_fc_exporter_secret", "ssl_fc_server_handshake_traffic_secret", "ssl_fc_server_random", "ssl_fc_server_traffic_secret_0", "ssl_fc_session_key"},
		"crypto/tls does not tell which session it is": {"ssl_bc_session_id", "ssl_fc_session_id"},
		"crypto/tls speaks ALPN alone":                 {"ssl_bc_npn", "ssl_fc_npn"},
		"crypto/tls does not tell which certificate it has shown": {"ssl_f_der", "ssl_f_i_dn", "ssl_f_key_alg", "ssl_f_notafter", "ssl_f_notbefore", "ssl_f_s_dn",
			"ssl_f_serial", "ssl_f_sha1", "ssl_f_sig_alg", "ssl_f_version"},
		"the ClientHello is not kept": {"ssl_fc_cipherlist_bin", "ssl_fc_cipherlist_hex", "ssl_fc_cipherlist_str", "ssl_fc_cipherlist_xxh", "ssl_fc_eclist_bin",
			"ssl_fc_ecformats_bin", "ssl_fc_extlist_bin", "ssl_fc_protocol_hello_id"},
		"a handshake that fails has no rules": {"ssl_bc_err", "ssl_bc_err_str", "ssl_fc_err", "ssl_fc_err_str", "ssl_fc_hsk_err", "ssl_fc_hsk_err_str"},
	} {
		for _, n := range names {
			rows = append(rows, row(n, "Not available: "+why+".", "", Kind{Cannot: why}))
		}
	}
	slices.SortFunc(rows, func(a, b config.Row[Kind]) int { return strings.Compare(a.Name, b.Name) })
	return rows
}()

// letPass is a number of what is wrong with the client's certificate.
func letPass(which func(*Security) int) Kind {
	return withTLS(ClientSide, Int, func(_ *Input, v *Value, s *Security) Outcome { return v.whole(int64(which(s))) })
}

// tlsPlace is when the TLS of a side is there.
func tlsPlace(s Side) Place {
	if s == ServerSide {
		return Server
	}
	return Session
}

// withTLS is a fetch that is missing in the clear.
func withTLS(s Side, t Type, get func(in *Input, v *Value, s *Security) Outcome) Kind {
	return Kind{Type: t, Needs: tlsPlace(s), Make: plain(func(in *Input, v *Value) Outcome {
		if in.World != nil {
			if tls := in.World.TLS(s); tls != nil {
				return get(in, v, tls)
			}
		}
		return Missing
	})}
}

// connectionRows are what both sides' connections are asked for.
func connectionRows(s Side, prefix, who string) []config.Row[Kind] {
	of := func(name, doc, example string, t Type, get func(in *Input, v *Value, s *Security) Outcome) config.Row[Kind] {
		return row(prefix+name, strings.ReplaceAll(doc, "WHO", who), prefix+name+example, withTLS(s, t, get))
	}
	size := func(_ *Input, v *Value, s *Security) Outcome { return v.whole(int64(s.KeySize)) }
	return []config.Row[Kind]{
		row(prefix, "Whether the connection of the "+who+" is encrypted here.", prefix, Kind{Type: Bool, Needs: tlsPlace(s), Make: plain(func(in *Input, v *Value) Outcome {
			return v.boolean(in.World != nil && in.World.TLS(s) != nil)
		})}),
		of("_alg_keysize", "The size of the cipher's key in bits, to the WHO.", " ge 256", Int, size),
		of("_alpn", "The protocol agreed on with the WHO.", " h2", Str, func(in *Input, v *Value, s *Security) Outcome { return v.written(in, s.State.NegotiatedProtocol) }),
		of("_cipher", "The cipher used with the WHO, by OpenSSL's name.", " TLS_AES_128_GCM_SHA256", Str, func(in *Input, v *Value, s *Security) Outcome { return v.written(in, s.Cipher) }),
		of("_is_resumed", "Whether the handshake went on with an earlier session of the WHO.", "", Bool, func(_ *Input, v *Value, s *Security) Outcome { return v.boolean(s.State.DidResume) }),
		of("_protocol", "The version of TLS spoken with the WHO.", " TLSv1.3", Str, func(in *Input, v *Value, s *Security) Outcome { return v.written(in, s.Version) }),
		of("_unique_id", "The identifier of the connection (RFC 5929); TLS 1.3 has none.", " -m found", Bin, func(_ *Input, v *Value, s *Security) Outcome {
			return v.binary(s.State.TLSUnique)
		}),
		of("_use_keysize", "The size of the cipher's key in use, to the WHO.", " ge 256", Int, size),
	}
}

// certificateRows are what a certificate is asked for.
func certificateRows(s Side, prefix, who string) []config.Row[Kind] {
	of := func(name, doc, example string, t Type, get func(in *Input, v *Value, c *x509.Certificate) Outcome) config.Row[Kind] {
		return row(prefix+name, strings.ReplaceAll(doc, "WHO", who), prefix+name+example, withTLS(s, t, func(in *Input, v *Value, s *Security) Outcome {
			if len(s.State.PeerCertificates) == 0 {
				return Missing
			}
			return get(in, v, s.State.PeerCertificates[0])
		}))
	}
	const utc = "060102150405Z"
	dn := func(name, doc string, which func(c *x509.Certificate) []byte) config.Row[Kind] {
		k := Kind{Type: Str, Needs: tlsPlace(s), Args: "?sis", Make: func(a *Arguments) (Get, error) {
			if f := a.at(2); f != "" && f != "rfc2253" {
				return nil, fmt.Errorf("%q is not rfc2253", f)
			}
			entry, nth, rfc := a.at(0), int(a.int(1, 1)), a.at(2) != ""
			return func(in *Input, v *Value) Outcome {
				if in.World == nil {
					return Missing
				}
				t := in.World.TLS(s)
				if t == nil || len(t.State.PeerCertificates) == 0 {
					return Missing
				}
				var seq pkix.RDNSequence
				if _, err := asn1.Unmarshal(which(t.State.PeerCertificates[0]), &seq); err != nil {
					return Missing
				}
				return in.distinguished(v, seq, entry, nth, rfc)
			}, nil
		}}
		return row(prefix+name, strings.ReplaceAll(doc, "WHO", who), prefix+name+"(CN) example", k)
	}
	return []config.Row[Kind]{
		row(prefix+"_chain_der", "The certificates the "+who+" showed with its own, as DER.", prefix+"_chain_der -m found", withTLS(s, Bin, func(in *Input, v *Value, t *Security) Outcome {
			return in.chain(v, t.State, s == ClientSide)
		})),
		of("_der", "The certificate of the WHO as DER.", " -m found", Bin, func(_ *Input, v *Value, c *x509.Certificate) Outcome { return v.binary(c.Raw) }),
		dn("_i_dn", "Who signed the certificate of the WHO: the whole name, or the nth of an entry.", func(c *x509.Certificate) []byte { return c.RawIssuer }),
		of("_key_alg", "The kind of key in the certificate of the WHO.", " rsaEncryption", Str, func(in *Input, v *Value, c *x509.Certificate) Outcome {
			return v.written(in, map[x509.PublicKeyAlgorithm]string{x509.RSA: "rsaEncryption", x509.ECDSA: "id-ecPublicKey", x509.Ed25519: "ED25519"}[c.PublicKeyAlgorithm])
		}),
		of("_notafter", "The end of the certificate of the WHO as YYMMDDhhmmssZ.", " -m beg 30", Str, func(in *Input, v *Value, c *x509.Certificate) Outcome {
			return v.bytes(Str, in.keep(c.NotAfter.UTC().AppendFormat(in.room(), utc)))
		}),
		of("_notbefore", "The beginning of the certificate of the WHO as YYMMDDhhmmssZ.", " -m beg 20", Str, func(in *Input, v *Value, c *x509.Certificate) Outcome {
			return v.bytes(Str, in.keep(c.NotBefore.UTC().AppendFormat(in.room(), utc)))
		}),
		dn("_s_dn", "Whom the certificate of the WHO is for: the whole name, or the nth of an entry.", func(c *x509.Certificate) []byte { return c.RawSubject }),
		of("_serial", "The serial number of the certificate of the WHO.", " -m bin 01", Bin, func(_ *Input, v *Value, c *x509.Certificate) Outcome {
			return v.binary(c.SerialNumber.Bytes())
		}),
		of("_sha1", "The SHA-1 of the certificate of the WHO.", " -m found", Bin, func(in *Input, v *Value, c *x509.Certificate) Outcome {
			sum := sha1.Sum(c.Raw)
			return v.bytes(Bin, in.keep(append(in.room(), sum[:]...)))
		}),
		of("_sig_alg", "How the certificate of the WHO is signed.", " RSA-SHA256", Str, func(in *Input, v *Value, c *x509.Certificate) Outcome {
			return v.written(in, signatures[c.SignatureAlgorithm])
		}),
		of("_version", "The version of the certificate of the WHO.", " 3", Int, func(_ *Input, v *Value, c *x509.Certificate) Outcome { return v.whole(int64(c.Version)) }),
	}
}

// SignatureName is OpenSSL's short name; nothing for those it does not know.
func SignatureName(a x509.SignatureAlgorithm) string { return signatures[a] }

// signatures are OpenSSL's short names.
var signatures = map[x509.SignatureAlgorithm]string{
	x509.SHA1WithRSA: "RSA-SHA1", x509.SHA256WithRSA: "RSA-SHA256", x509.SHA384WithRSA: "RSA-SHA384", x509.SHA512WithRSA: "RSA-SHA512",
	x509.SHA256WithRSAPSS: "RSASSA-PSS", x509.SHA384WithRSAPSS: "RSASSA-PSS", x509.SHA512WithRSAPSS: "RSASSA-PSS",
	x509.ECDSAWithSHA1: "ecdsa-with-SHA1", x509.ECDSAWithSHA256: "ecdsa-with-SHA256", x509.ECDSAWithSHA384: "ecdsa-with-SHA384",
	x509.ECDSAWithSHA512: "ecdsa-with-SHA512", x509.PureEd25519: "ED25519",
}

// chain writes the certificates one after the other; OpenSSL leaves a client's
// own out.
func (in *Input) chain(v *Value, s *tls.ConnectionState, rest bool) Outcome {
	list := s.PeerCertificates
	if rest && len(list) > 0 {
		list = list[1:]
	}
	b := in.room()
	for _, c := range list {
		b = append(b, c.Raw...)
	}
	return v.binary(in.keep(b))
}

// attributes are OpenSSL's short names of the parts of a name.
var attributes = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "street", "2.5.4.10": "O",
	"2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.17": "postalCode", "2.5.4.42": "GN", "2.5.4.43": "initials", "2.5.4.46": "dnQualifier",
	"1.2.840.113549.1.9.1": "emailAddress", "0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC",
}

// distinguished writes a whole name, or the value of the nth entry of a kind
// from the beginning or, when nth is negative, from the end.
func (in *Input) distinguished(v *Value, seq pkix.RDNSequence, entry string, nth int, rfc bool) Outcome {
	var parts [][2]string
	for _, set := range seq {
		for _, a := range set {
			id := a.Type.String()
			if short, ok := attributes[id]; ok {
				id = short
			}
			parts = append(parts, [2]string{id, fmt.Sprint(a.Value)})
		}
	}
	if entry == "" {
		b := in.room()
		if rfc {
			slices.Reverse(parts)
		}
		for i, p := range parts {
			switch {
			case !rfc:
				b = append(b, '/')
			case i > 0:
				b = append(b, ',')
			}
			b = append(append(b, p[0]...), '=')
			if rfc {
				b = appendEscaped(b, p[1])
			} else {
				b = append(b, p[1]...)
			}
		}
		return v.text(in.keep(b))
	}
	if nth < 0 {
		slices.Reverse(parts)
		nth = -nth
	}
	for _, p := range parts {
		if p[0] == entry {
			if nth--; nth <= 0 {
				return v.written(in, p[1])
			}
		}
	}
	return Missing
}

// appendEscaped writes a value as RFC 2253 section 2.4 does, and what is not
// ASCII as hexadecimal, as OpenSSL does.
func appendEscaped(b []byte, v string) []byte {
	for i := range len(v) {
		c := v[i]
		switch {
		case c < ' ' || c >= 0x7f:
			b = append(b, '\\', upperHex[c>>4], upperHex[c&15])
			continue
		case strings.IndexByte(`,+"\<>;`, c) >= 0, i == 0 && (c == '#' || c == ' '), i == len(v)-1 && c == ' ':
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return b
}

var errNoDigest = errors.New("is not a digest that is here: md5, sha1, sha224, sha256, sha384 or sha512")
