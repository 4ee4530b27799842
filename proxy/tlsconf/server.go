package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"herald/proxy/settings"
)

// Acceptor makes the crypto/tls configuration of one bind line. Now is the
// clock.
type Acceptor struct {
	Bind  *settings.BindTLS
	Table *Table
	Now   func() time.Time
	// Showed, if set, is told on the handshake's goroutine which pair is shown:
	// in a session resumed by TLS 1.3 none is.
	Showed func(*tls.ClientHelloInfo, *Pair)

	verifiers map[*settings.BindTLS]*Verifier // made by Config
}

// Passed is what is wrong with the client's certificate, where the settings for
// the name it asked for let it pass all the same. It comes after Config.
func (a *Acceptor) Passed(state tls.ConnectionState) Verdict {
	b := a.Bind
	for _, p := range a.Table.Find(state.ServerName) {
		if p.Own != nil {
			b = p.Own
			break
		}
	}
	v := a.verifiers[b]
	if len(state.PeerCertificates) == 0 || !lenient(b) || v == nil {
		return Verdict{}
	}
	return verdict(v.Faults(state.PeerCertificates, a.Now(), x509.ExtKeyUsageClientAuth))
}

// Shows is the pair for a client that was shown none: nil when there is none
// for its name any more.
func (a *Acceptor) Shows(state tls.ConnectionState) *Pair {
	return a.Table.Choose(state.ServerName, func(*Pair) bool { return true })
}

// Config is the configuration every handshake on the bind line begins with.
func (a *Acceptor) Config() (*tls.Config, error) {
	base, err := a.config(a.Bind)
	if err != nil {
		return nil, err
	}
	own := map[*settings.BindTLS]*tls.Config{}
	for _, p := range a.Table.Pairs() {
		if p.Own == nil || own[p.Own] != nil {
			continue
		}
		if own[p.Own], err = a.config(p.Own); err != nil {
			return nil, err
		}
	}
	if len(own) == 0 {
		return base, nil
	}
	base.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		for _, p := range a.Table.Find(hello.ServerName) {
			if c := own[p.Own]; c != nil {
				return c, nil
			}
		}
		return nil, nil
	}
	return base, nil
}

// config is the configuration for one set of settings.
func (a *Acceptor) config(b *settings.BindTLS) (*tls.Config, error) {
	c := common(&b.TLS, a.Now)
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		nameless := *hello // crt-list may give a certificate names it does not have
		nameless.ServerName = ""
		p := a.Table.Choose(hello.ServerName, func(p *Pair) bool { return nameless.SupportsCertificate(&p.TLS) == nil })
		if p == nil {
			return nil, nil // unrecognized_name (RFC 6066 section 3)
		}
		if a.Showed != nil {
			a.Showed(hello, p)
		}
		return &p.TLS, nil
	}
	return c, a.authenticate(c, b)
}

// Agreeing is c for a client that may speak none of its protocols. crypto/tls
// ends the handshake of such a one (RFC 7301 section 3.2); HAProxy goes on as
// with a client that named none.
func Agreeing(c *tls.Config, hello *tls.ClientHelloInfo) *tls.Config {
	for _, p := range hello.SupportedProtos {
		if slices.Contains(c.NextProtos, p) {
			return c
		}
	}
	if len(hello.SupportedProtos) == 0 || len(c.NextProtos) == 0 {
		return c
	}
	c = c.Clone()
	c.NextProtos = nil
	return c
}

// common is what both sides have alike.
func common(t *settings.TLS, now func() time.Time) *tls.Config {
	c := &tls.Config{
		Time:                   now,
		MinVersion:             t.MinVersion,
		MaxVersion:             t.MaxVersion,
		CipherSuites:           t.Ciphers,
		NextProtos:             t.ALPN,
		SessionTicketsDisabled: t.NoTickets,
		// Whole records: the loops send responses in one call each.
		DynamicRecordSizingDisabled: true,
	}
	if c.MinVersion == 0 {
		c.MinVersion = tls.VersionTLS12
	}
	for _, id := range t.Curves {
		c.CurvePreferences = append(c.CurvePreferences, tls.CurveID(id))
	}
	return c
}

// authenticate asks clients for certificates as b says. crypto/tls only
// collects them: they are verified here, for resumed sessions as well, by the
// settings of the name the client asks for now.
func (a *Acceptor) authenticate(c *tls.Config, b *settings.BindTLS) error {
	switch b.Verify {
	case settings.VerifyOptional:
		c.ClientAuth = tls.RequestClientCert
	case settings.VerifyRequired:
		c.ClientAuth = tls.RequireAnyClientCert
	default:
		return nil
	}
	v, err := NewVerifier(b)
	if err != nil {
		return err
	}
	if a.verifiers == nil {
		a.verifiers = map[*settings.BindTLS]*Verifier{}
	}
	a.verifiers[b] = v
	if !b.NoCANames {
		c.ClientCAs = v.named
	}
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return nil
		}
		if !lenient(b) {
			if f := v.Check(state.PeerCertificates, a.Now(), x509.ExtKeyUsageClientAuth); f != nil {
				return f
			}
			return nil
		}
		for _, f := range v.Faults(state.PeerCertificates, a.Now(), x509.ExtKeyUsageClientAuth) {
			if !f.ignored(b) {
				return &f
			}
		}
		return nil
	}
	return nil
}
