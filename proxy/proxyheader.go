package proxy

import (
	"crypto/x509"
	"errors"
	"net/netip"

	"herald/proxy/expr"
	"herald/proxy/loop"
	"herald/proxy/proxyproto"
	"herald/proxy/settings"
	"herald/proxy/tlsconf"
)

// The PROXY protocol: who a client speaks for, and whom we speak for to a
// server.

// awaitHeader waits for the header every client of this bind line begins
// with.
func (c *client) awaitHeader() {
	c.introducing = true
	c.arm(c.port.fe.cfg.Timeouts.Client)
	c.readHeader()
}

// readHeader looks at what has come and takes the header alone: what follows
// it may be another protocol's.
func (c *client) readHeader() {
	if c.Can()&loop.Readable == 0 {
		return
	}
	buf := c.w.l.Buffer()[:proxyproto.MaxV2]
	n, errno := c.Peek(buf)
	if errno == eagain {
		return
	}
	h, size, err := proxyproto.Parse(buf[:n])
	switch {
	case errno != 0 || n == 0:
		c.headerLost(errNoProxyHeader)
	case errors.Is(err, proxyproto.ErrIncomplete) && c.Can()&(loop.Hangup|loop.Failed) == 0:
		c.Withhold(loop.Readable) // more bytes are another event
	case err != nil:
		c.headerLost(err)
	default:
		if c.said = newIntroduction(&h); h.Proxied {
			c.peer = h.Source
		}
		c.RawRecv(buf[:size])
		c.introducing = false
		c.w.l.Disarm(&c.timer)
		c.introduced()
		if c.Open() && c.x == nil && c.Layer() == nil { // what follows has come, and no event will tell
			c.pump()
		}
	}
}

// What HAProxy's log says when there is no header.
var (
	errNoProxyHeader   = errors.New("Connection closed while waiting for PROXY protocol header")
	errProxyHeaderLate = errors.New("Timeout while waiting for PROXY protocol header")
)

// headerLost logs why there is no connection, and ends it.
func (c *client) headerLost(why error) {
	c.introducing = false
	if f := c.port.fe; !f.cfg.DontLogNull || why != errNoProxyHeader && why != errProxyHeaderLate {
		c.logFailure(why.Error())
	}
	c.close()
}

// local is the address the client connected to, of the proxy in front if one
// says so; the zero value for a unix socket.
func (c *client) local() netip.AddrPort {
	if c.said != nil && c.said.to.IsValid() {
		return c.said.to
	}
	return loop.LocalAddr(c.descriptor())
}

// introduces reports whether connections to t begin with a header. They are
// one client's alone.
func (t *target) introduces() bool { return t.cfg.SendProxy.Version > 0 }

// introduce sends the header to the server, on a connection that has just
// been made. It reports false when it did not go.
func (x *stream) introduce() bool {
	w, c := x.w, x.c
	p := &x.t.cfg.SendProxy
	src, dst := c.peer, c.local()
	if p.Version == 1 {
		w.text = proxyproto.AppendV1(w.text[:0], src, dst)
	} else {
		w.text = proxyproto.AppendV2(w.text[:0], src, dst, x.proxyFields(p))
	}
	n, errno := x.u.wire().RawSend(w.text)
	return errno == 0 && n == len(w.text)
}

// proxyFields are the fields of version 2, in HAProxy's order.
func (x *stream) proxyFields(p *settings.ProxyHeader) []byte {
	var b []byte
	if p.CRC32C {
		b = proxyproto.AppendTLV(b, proxyproto.TypeCRC32C, make([]byte, 4))
	}
	ssl, alpn, sni := x.c.encryption(p)
	if alpn != "" {
		b = proxyproto.AppendTLV(b, proxyproto.TypeALPN, []byte(alpn))
	}
	if p.Authority && sni != "" {
		b = proxyproto.AppendTLV(b, proxyproto.TypeAuthority, []byte(sni))
	}
	if p.UniqueID {
		b = proxyproto.AppendTLV(b, proxyproto.TypeUniqueID, x.uniqueID())
	}
	if p.SSL {
		b = proxyproto.AppendSSL(b, ssl)
	}
	return b
}

// encryption tells of the client's TLS what p asks for.
func (c *client) encryption(p *settings.ProxyHeader) (ssl proxyproto.SSL, alpn, sni string) {
	s, ok := c.security()
	if !ok {
		return ssl, "", ""
	}
	ssl = proxyproto.SSL{Encrypted: true, Version: s.version, ConnCert: s.certificate != nil && !s.resumed, SessionCert: s.certificate != nil}
	if p.CN && s.certificate != nil {
		ssl.CommonName = s.certificate.Subject.CommonName
	}
	if p.Cipher {
		ssl.Cipher = s.cipher
	}
	if !p.KeyAlg && !p.SigAlg {
		return ssl, s.alpn, s.serverName
	}
	if own := c.port.tls.shown(c.tls()); own != nil {
		if p.KeyAlg && own.PublicKeyAlgorithm != x509.Ed25519 { // of which HAProxy tells nothing
			ssl.KeyAlg = tlsconf.Algorithm(own)
		}
		if p.SigAlg {
			ssl.SigAlg = expr.SignatureName(own.SignatureAlgorithm)
		}
	}
	return ssl, s.alpn, s.serverName
}
