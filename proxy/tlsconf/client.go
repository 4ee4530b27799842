package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"herald/proxy/settings"
)

// sessions is how many sessions are kept for each server.
const sessions = 64

// ClientConfig makes the crypto/tls configuration of a server line; now is
// the clock. AskFor has it ask for a name.
func ClientConfig(s *settings.ServerTLS, now func() time.Time) (*tls.Config, error) {
	c := common(&s.TLS, now)
	// crypto/tls would insist on a host name; HAProxy verifies one only where
	// it is told which. What is verified is verified below.
	c.InsecureSkipVerify = true
	if !s.NoTickets && !s.NoReuse {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(sessions)
	}
	if s.Certificate != nil {
		p, err := Load(*s.Certificate)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{p.TLS}
	}
	if s.Verify != settings.VerifyRequired {
		return c, nil
	}
	v, err := newVerifier(&s.TLS)
	if err != nil {
		return nil, err
	}
	host := s.VerifyHost
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if f := v.Check(state.PeerCertificates, now(), x509.ExtKeyUsageServerAuth); f != nil {
			return f
		}
		name := state.ServerName
		if name == "" {
			name = host
		}
		if name != "" && !Matches(state.PeerCertificates[0], name) {
			return &Mismatch{Holds: Holds(state.PeerCertificates[0]), Name: name, Asked: name == state.ServerName}
		}
		return nil
	}
	return c, nil
}

// AskFor is c for connections that ask for a name. An address is verified like
// one, but not asked for: it is no name (RFC 6066 section 3).
func AskFor(c *tls.Config, name string) *tls.Config {
	c = c.Clone()
	c.ServerName = name
	if verify := c.VerifyConnection; verify != nil {
		c.VerifyConnection = func(state tls.ConnectionState) error {
			if state.ServerName == "" {
				state.ServerName = name
			}
			return verify(state)
		}
	}
	return c
}

// Mismatch is a server that showed the certificate of another. Who was asked
// by name has said what it has, and would say so again.
type Mismatch struct {
	Holds []string // the names it is for
	Name  string   // the one that was wanted
	Asked bool     // the server was asked for it
}

func (m *Mismatch) Error() string {
	return fmt.Sprintf("the server's certificate is for %v, not for %s", m.Holds, m.Name)
}

// Matches reports whether a certificate is for a host: by its DNS names and
// addresses (RFC 9525), or its common name when it has no other.
func Matches(c *x509.Certificate, host string) bool {
	if c.VerifyHostname(host) == nil {
		return true
	}
	if len(c.DNSNames)+len(c.IPAddresses) > 0 || c.Subject.CommonName == "" {
		return false
	}
	named := x509.Certificate{DNSNames: []string{c.Subject.CommonName}, Raw: c.Raw}
	return named.VerifyHostname(host) == nil
}
