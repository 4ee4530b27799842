package proxy

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"time"

	checks "herald/proxy/check/script"
	"herald/proxy/expr"
	"herald/proxy/settings"
	"herald/proxy/tlsconf"
	"herald/proxy/tlsconn"
)

// connector is the TLS towards one server at run time.
type connector struct {
	on     bool                       // the traffic is encrypted, not health checks alone
	alpn   []string                   // offered
	wanted *settings.ServerTLS        // what the files say; of who renews
	config atomic.Pointer[tls.Config] // asks for the fixed name, if there is one
	sni    *expr.Fetch                // the name, when it varies; nil: it is fixed, or there is none
	fixed  string
}

func newConnector(s *settings.ServerTLS) (*connector, error) {
	if s == nil {
		return nil, nil
	}
	c := &connector{on: s.On, alpn: s.ALPN, wanted: s}
	if s.SNI != nil {
		var is bool
		if c.fixed, is = s.SNI.Fixed(); !is {
			c.sni = s.SNI
		}
	}
	return c, c.use(s)
}

// use makes new connections as s says.
func (c *connector) use(s *settings.ServerTLS) error {
	config, err := tlsconf.ClientConfig(s, time.Now)
	if err != nil {
		return err
	}
	if name := hostOnly(c.fixed); name != "" {
		config = tlsconf.AskFor(config, name)
	}
	c.config.Store(config)
	return nil
}

// secureServer does the TLS handshake of a connection that stands.
func (x *stream) secureServer() answer {
	u := x.u
	switch t := tlsconn.On(&u.Socket); {
	case u.refused != nil:
		if m := (*tlsconf.Mismatch)(nil); errors.As(u.refused, &m) && m.Asked {
			x.tries = 0
		}
		return x.connectFailed('S')
	case t == nil:
		c := x.t.tls
		config := c.config.Load()
		if c.sni != nil {
			if u.name = x.serverName(); u.name != "" {
				config = tlsconf.AskFor(config, u.name)
			}
		}
		switch {
		case x.leavesH2():
			config = config.Clone()
			config.NextProtos = []string{"http/1.1"}
		case x.takesH2():
			config = config.Clone()
			config.NextProtos = []string{"h2"}
		}
		x.w.tls.Connect(&u.Socket, config, u)
		return wait
	case t.Shaking():
		return wait
	}
	return next
}

// Secured is the end of the handshake with the server.
func (u *upstream) Secured(err error) {
	n, b := &u.t.tallies[u.w.id], &u.t.be.tallies[u.w.id]
	if err != nil {
		u.refused = err
		n.tlsFailed.Add(1)
		b.tlsFailed.Add(1)
	} else {
		n.tlsSessions.Add(1)
		b.tlsSessions.Add(1)
		if tlsconn.On(&u.Socket).State().DidResume {
			n.tlsResumed.Add(1)
			b.tlsResumed.Add(1)
		}
	}
	if u.x != nil {
		u.x.drive()
	}
}

// suits reports whether an idle connection may carry the request: it must
// have been asked for the same name (RFC 9110 section 7.4).
func (x *stream) suits(u *upstream) bool {
	c := u.t.tls
	return c == nil || !c.on || c.sni == nil || u.name == x.serverName()
}

// serverName is the name to ask the server for, by the request as it is sent.
func (x *stream) serverName() string {
	if x.namedFor != x.t {
		v, _ := x.t.tls.sni.As(x.lookAtSent(), expr.Str)
		x.namedFor, x.serverAs = x.t, hostOnly(string(v.Str))
	}
	return x.serverAs
}

// hostOnly is a host without its port, an address without brackets.
func hostOnly(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
}

// checkTLS is how a check's connection is encrypted: as the traffic is, but
// for the name and the protocol that are of the check.
func (t *target) checkTLS(k *checks.Connect) *tls.Config {
	c := t.tls.config.Load().Clone()
	c.ClientSessionCache, c.NextProtos = nil, k.ALPN
	if len(k.ALPN) == 0 && t.cfg.Checks.ALPN != "" {
		c.NextProtos = strings.Split(t.cfg.Checks.ALPN, ",")
	}
	for _, name := range []string{t.cfg.Checks.SNI, k.SNI} {
		if name != "" {
			c.ServerName = name
		}
	}
	return c
}
