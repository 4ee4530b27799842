package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"herald/proxy/logline"
	"herald/proxy/loop"
	"herald/proxy/settings"
	"herald/proxy/tlsconf"
	"herald/proxy/tlsconn"
)

// acceptor is the TLS of one bind line at run time. Its certificates may be
// exchanged while it works.
type acceptor struct {
	config *tls.Config // keeps the keys of tickets through every exchange
	state  atomic.Pointer[accepting]
	// wanted is what the files say, which may not fit together yet. It
	// belongs to who renews.
	wanted *settings.BindTLS
}

// accepting is an acceptor's certificates and what was made of them. It is
// immutable.
type accepting struct {
	table    *tlsconf.Table
	acceptor *tlsconf.Acceptor
	config   *tls.Config
}

// buildAcceptors makes the TLS of the bind lines of f.
func (f *frontend) buildAcceptors() error {
	f.acceptors = make([]*acceptor, len(f.cfg.Binds))
	var problems []error
	for i := range f.cfg.Binds {
		b := &f.cfg.Binds[i]
		if b.TLS == nil {
			continue
		}
		a, err := newAcceptor(b.TLS)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: bind %s: %w", f.cfg.Name, b.Name, err))
			continue
		}
		f.acceptors[i] = a
	}
	return errors.Join(problems...)
}

func newAcceptor(b *settings.BindTLS) (*acceptor, error) {
	now, err := accept(b)
	if err != nil {
		return nil, err
	}
	a := &acceptor{wanted: b}
	a.config = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		c := a.state.Load().config
		if c.GetConfigForClient != nil {
			if own, err := c.GetConfigForClient(hello); err != nil {
				return nil, err
			} else if own != nil {
				c = own
			}
		}
		return tlsconf.Agreeing(c, hello), nil
	}}
	return a, a.use(b, now)
}

// use takes new handshakes as b says, which is ready in now.
func (a *acceptor) use(b *settings.BindTLS, now *accepting) error {
	if b.TicketKeys != nil {
		keys, err := tlsconf.TicketKeys(b.TicketKeys)
		if err != nil {
			return err
		}
		a.config.SetSessionTicketKeys(keys)
	}
	a.state.Store(now)
	return nil
}

// accept makes what b says ready for handshakes.
func accept(b *settings.BindTLS) (*accepting, error) {
	now := &accepting{}
	pairs := make([]*tlsconf.Pair, 0, len(b.Certificates))
	for _, c := range b.Certificates {
		p, err := tlsconf.Load(c)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	if len(pairs) == 0 && !b.StrictSNI {
		return nil, errors.New("no certificate is left")
	}
	now.table = tlsconf.NewTable(pairs, b.StrictSNI)
	var err error
	now.acceptor = &tlsconf.Acceptor{Bind: b, Table: now.table, Now: time.Now, Showed: func(hello *tls.ClientHelloInfo, p *tlsconf.Pair) {
		tlsconn.Of(hello.Conn).Shown = p.TLS.Leaf
	}}
	now.config, err = now.acceptor.Config()
	return now, err
}

// encrypt begins the TLS handshake; the client has timeout client for it.
func (c *client) encrypt() {
	c.w.s.tls.conns.Add(1)
	c.encrypted = true
	c.w.tls.Accept(&c.Socket, c.port.tls.config, c)
	c.arm(c.port.fe.cfg.Timeouts.Client)
	if c.Can()&loop.Readable != 0 { // it came behind a PROXY header
		tlsconn.On(&c.Socket).Begin()
	}
}

// shaking reports whether the handshake is under way.
func (c *client) shaking() bool {
	t := tlsconn.On(&c.Socket)
	return t != nil && t.Shaking()
}

// Secured is the end of the handshake.
func (c *client) Secured(err error) {
	if err != nil {
		c.handshakeLost(handshakeTrouble(err))
		return
	}
	state := tlsconn.On(&c.Socket).State()
	n := &c.port.fe.tallies[c.w.id]
	n.tlsSessions.Add(1)
	if state.DidResume {
		n.tlsResumed.Add(1)
	}
	c.startProtocol(state.NegotiatedProtocol)
	if c.Open() && c.x == nil && c.h2 == nil {
		c.pump() // a request may have come with the last message of the handshake
	}
}

// handshakeLost logs why there is no connection, and ends it. What TLS has
// to say about it has been sent.
func (c *client) handshakeLost(why string) {
	f := c.port.fe
	f.tallies[c.w.id].tlsFailed.Add(1)
	if !f.cfg.DontLogNull || why != closedInHandshake && why != lateInHandshake {
		c.logFailure(why)
	}
	tlsconn.On(&c.Socket).Close(&c.Socket)
	c.Put(nil)
	c.served = 1 // nothing more is to be logged
	c.finish()
}

// What HAProxy's log says of handshakes that fail.
const (
	closedInHandshake = "Connection closed during SSL handshake"
	lateInHandshake   = "Timeout during SSL handshake"
	notTrusted        = "SSL client certificate not trusted"
	authorityUnknown  = "SSL client CA chain cannot be verified"
	failedHandshake   = "SSL handshake failure"
)

// handshakeTrouble is the text for an error.
func handshakeTrouble(err error) string {
	var trust *tlsconf.Failure
	switch {
	case errors.As(err, &trust) && trust.Depth > 0:
		return authorityUnknown
	case errors.As(err, &trust):
		return notTrusted
	case errors.Is(err, io.EOF):
		return closedInHandshake
	case errors.Is(err, tlsconn.ErrSilent):
		return lateInHandshake
	}
	return failedHandshake
}

// security is what TLS made of a connection, for the log and for rules.
type security struct {
	version, cipher string
	serverName      string
	alpn            string
	resumed         bool
	certificate     *x509.Certificate // the client's own, nil without
}

// tls is the layer of a client whose handshake is done, nil without.
func (c *client) tls() *tlsconn.Conn {
	if c.via != nil { // a stream has the TLS of its connection
		if c = c.via.carrier(); c == nil {
			return nil
		}
	}
	if t := tlsconn.On(&c.Socket); t != nil && t.Stands() {
		return t
	}
	return nil
}

// security answers the TLS of a client, and whether there is any.
func (c *client) security() (security, bool) {
	t := c.tls()
	if t == nil {
		return security{}, false
	}
	s := t.State()
	out := security{version: tlsconf.VersionName(s.Version), cipher: tlsconf.CipherName(s.CipherSuite), serverName: s.ServerName,
		alpn: s.NegotiatedProtocol, resumed: s.DidResume}
	if len(s.PeerCertificates) > 0 {
		out.certificate = s.PeerCertificates[0]
	}
	return out, true
}

// shown is the certificate of ours that a client was shown, nil when that is not
// known any more.
func (a *acceptor) shown(t *tlsconn.Conn) *x509.Certificate {
	if t.Shown == nil {
		if p := a.state.Load().acceptor.Shows(t.State()); p != nil {
			t.Shown = p.TLS.Leaf
		}
	}
	return t.Shown
}

// fillTLS writes down what the log line can tell of TLS.
func (x *stream) fillTLS(r *logline.Record) {
	r.TLS = true
	if !x.fe.log.secure {
		return
	}
	s, ok := x.c.security()
	if !ok {
		return
	}
	r.TLSVersion, r.TLSCipher, r.ServerName, r.TLSResumed = s.version, s.cipher, s.serverName, s.resumed
	v := x.c.port.tls.passed(x.c.tls())
	r.CertError, r.AuthorityError = v.Certificate, v.Authority
}

// passed is what is wrong with the certificate of the client, though the bind
// line let it pass. It is worked out when somebody asks, once a connection.
func (a *acceptor) passed(t *tlsconn.Conn) tlsconf.Verdict {
	v, known := t.Note.(tlsconf.Verdict)
	if !known {
		v = a.state.Load().acceptor.Passed(t.State())
		t.Note = v
	}
	return v
}

// handshakeTime takes the time of the handshake apart from the wait for the
// first request behind it.
func (x *stream) handshakeTime(r *logline.Record) {
	t := tlsconn.On(&x.c.Socket)
	if t == nil || t.Since() <= x.accept {
		return
	}
	r.Times.Handshake = x.millis(t.Since())
	if r.Times.Idle >= 0 {
		r.Times.Idle -= r.Times.Handshake
	}
}
