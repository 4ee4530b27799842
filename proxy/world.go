package proxy

import (
	"crypto/tls"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"herald/proxy/check"
	"herald/proxy/expr"
	"herald/proxy/loop"
	"herald/proxy/proxyproto"
	"herald/proxy/tlsconf"
	"herald/proxy/tlsconn"
)

// view is the world of expressions: what they can ask about a client, its
// stream and the server. Each loop has one.
type view struct {
	w      *worker
	c      *client
	x      *stream // nil before there is one
	secure expr.Security
	state  tls.ConnectionState
}

// introduction is what a PROXY header said of a client.
type introduction struct {
	to                  netip.AddrPort // the zero value: nothing
	authority, uniqueID []byte
}

// introduced is what h says, kept.
func newIntroduction(h *proxyproto.Header) *introduction {
	said := &introduction{}
	if h.Proxied {
		said.to = h.Destination
	}
	for kind, to := range map[byte]*[]byte{proxyproto.TypeAuthority: &said.authority, proxyproto.TypeUniqueID: &said.uniqueID} {
		if v, ok := proxyproto.Find(h.TLVs, kind); ok {
			*to = append([]byte(nil), v...)
		}
	}
	return said
}

// Now is the time on the wall.
func (v *view) Now() time.Time { return v.w.l.Wall() }

// Chance is a random number.
func (v *view) Chance() uint64 { return rand.Uint64() }

// Name answers a name; "" when there is none.
func (v *view) Name(n expr.Name) string {
	f := v.c.port.fe
	switch n {
	case expr.FrontendName:
		return f.cfg.Name
	case expr.FrontendDefault:
		if f.backend != nil {
			return f.backend.cfg.Name
		}
	case expr.ListenerName:
		if name := v.c.port.bind.Name; !strings.Contains(name, ":") { // else it was made of the line
			return name
		}
	case expr.BackendName:
		if b := v.backend(""); b != nil {
			return b.cfg.Name
		}
	case expr.ServerName:
		if t := v.target(); t != nil {
			return t.cfg.Name
		}
	case expr.HostName:
		return v.w.s.opts.Node
	case expr.UniqueID:
		if v.x != nil {
			return string(v.x.makeID(&v.w.look))
		}
	}
	return ""
}

// backend is the one of a name; without a name the stream's, or that of a
// listen section.
func (v *view) backend(name string) *backend {
	if name == "" {
		if v.x != nil && v.x.be != nil {
			return v.x.be
		}
		name = v.c.port.fe.cfg.Name
	}
	return v.w.s.byName[name]
}

// target is the server of the stream.
func (v *view) target() *target {
	if v.x == nil {
		return nil
	}
	return v.x.assigned
}

// Number answers a measure.
func (v *view) Number(m expr.Measure, of expr.Reference) (int64, bool) {
	switch {
	case m <= expr.FrontendClientTimeout:
		f := v.c.port.fe
		if of.Name != "" {
			f = v.w.s.frontendNamed(of.Name)
		}
		if f == nil {
			return 0, false
		}
		return f.number(m), true
	case m >= expr.BackendConnections && m <= expr.BackendTunnelTimeout:
		if b := v.backend(of.Name); b != nil {
			return b.number(m), true
		}
		return 0, false
	case m >= expr.ServerConnections && m < expr.ServerID:
		b := v.backend(of.Name)
		if b == nil {
			return 0, false
		}
		t := b.server(of.Of)
		if t == nil {
			return 0, false
		}
		return t.number(m), true
	}
	switch m {
	case expr.ListenerConnections:
		return v.c.port.line.conns.now.Load(), true
	case expr.ListenerID:
		return int64(v.c.port.id), true
	case expr.ServerID:
		if t := v.target(); t != nil {
			return int64(t.cfg.ID), true
		}
		return 0, false
	case expr.Stopping:
		return one(v.w.s.draining.Load()), true
	case expr.Thread:
		return int64(v.w.id), true
	case expr.FirstRequest:
		return one(v.c.served == 0), true
	}
	return 0, false
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// frontendNamed finds a frontend.
func (s *Server) frontendNamed(name string) *frontend {
	for _, f := range s.frontends {
		if f.cfg.Name == name {
			return f
		}
	}
	return nil
}

func (f *frontend) number(m expr.Measure) int64 {
	switch m {
	case expr.FrontendConnections:
		return f.conns.now.Load()
	case expr.FrontendRequestRate:
		return int64(f.reqRate.now.Load())
	case expr.FrontendSessionRate:
		return int64(f.connRate.now.Load())
	case expr.FrontendID:
		return int64(f.cfg.ID)
	}
	return f.cfg.Timeouts.Client.Milliseconds()
}

// server finds a server by its name.
func (b *backend) server(name string) *target {
	if i, ok := b.places[name]; ok {
		return b.targets[i]
	}
	return nil
}

// waiting counts who waits for b or one of its servers.
func (b *backend) waiting() int64 {
	n := b.line.n.now.Load()
	for _, t := range b.targets {
		n += t.line.n.now.Load()
	}
	return n
}

// usable counts the servers that requests may go to: the active ones, else of
// the backups one, or all with option allbackups.
func (b *backend) usable() int64 {
	active, backup, _ := b.group.Counts()
	switch {
	case active > 0 || backup == 0:
		return int64(active)
	case b.cfg.AllBackups:
		return int64(backup)
	}
	return 1
}

func (b *backend) number(m expr.Measure) int64 {
	switch m {
	case expr.BackendConnections:
		return b.sessions.now.Load()
	case expr.BackendConnectionsFree:
		return b.free(false)
	case expr.BackendSessionRate:
		return int64(b.sessRate.now.Load())
	case expr.BackendID:
		return int64(b.cfg.ID)
	case expr.BackendSlots:
		return b.free(true)
	case expr.BackendQueue:
		return b.waiting()
	case expr.BackendQueueShare:
		n, servers := b.waiting(), b.usable()
		if servers == 0 { // one is expected back soon
			return 2 * n
		}
		return (n + servers - 1) / servers
	case expr.BackendServersUp:
		return b.usable()
	case expr.BackendServerTimeout:
		return b.cfg.Timeouts.Server.Milliseconds()
	}
	return b.cfg.Timeouts.Tunnel.Milliseconds()
}

// free counts the places left on the servers in use, or with queues on all that
// are up and in their queues; -1 when there is no limit to one.
func (b *backend) free(queues bool) (n int64) {
	for i, t := range b.targets {
		if queues {
			if !t.up() {
				continue
			}
			most := t.maxConn.Load()
			if most <= 0 || t.cfg.MaxQueue <= 0 {
				return -1
			}
			n += most - t.sessions.now.Load() + int64(t.cfg.MaxQueue) - t.line.n.now.Load()
			continue
		}
		if !b.group.InUse(i) {
			continue
		}
		limit := t.limit()
		if limit <= 0 {
			return -1
		}
		n += max(limit-t.sessions.now.Load(), 0)
	}
	return n
}

// up reports that t is neither down nor in maintenance.
func (t *target) up() bool {
	t.be.mu.Lock()
	defer t.be.mu.Unlock()
	return t.state.Op != check.Stopped && t.state.Admin&(check.Maint|check.MaintByLead|check.NoAddress) == 0
}

func (t *target) number(m expr.Measure) int64 {
	switch m {
	case expr.ServerConnections:
		return t.sessions.now.Load()
	case expr.ServerConnectionsFree:
		if limit := t.limit(); limit > 0 {
			return max(limit-t.sessions.now.Load(), 0)
		}
		return -1
	case expr.ServerUp:
		return one(t.up())
	case expr.ServerQueue:
		return t.line.n.now.Load()
	case expr.ServerSessionRate:
		return int64(t.sessRate.now.Load())
	case expr.ServerInitialWeight:
		return int64(t.cfg.Weight)
	}
	t.be.mu.Lock()
	defer t.be.mu.Unlock()
	if m == expr.ServerWeight && t.warmth > 0 {
		return int64((t.weight*t.warmth + 15) / 16)
	}
	return int64(t.weight)
}

// Link tells about a connection.
func (v *view) Link(s expr.Side) (expr.Link, bool) {
	c := v.c
	if s == expr.ClientSide {
		l := expr.Link{Source: c.peer, Destination: c.local()}
		switch {
		case c.via != nil:
			l.Major = 2
		case c.port.fe.http:
			l.Major = 1
		}
		if c.said != nil {
			l.Proxied, l.Authority, l.UniqueID = true, c.said.authority, c.said.uniqueID
		}
		return l, true
	}
	u := v.upstream()
	if u == nil {
		return expr.Link{}, false
	}
	l := expr.Link{Source: loop.LocalAddr(u.wire().FD()), Major: int(one(u.t.be.http))}
	if a := u.t.addr.Load(); a != nil {
		l.Destination = a.ip
	}
	if u.virtual() {
		l.Major = 2
	}
	return l, true
}

// upstream is the connection to the server.
func (v *view) upstream() *upstream {
	if v.x == nil || v.x.u == nil || !v.x.u.connected {
		return nil
	}
	return v.x.u
}

// TLS tells what TLS made of a connection; nil without.
func (v *view) TLS(s expr.Side) *expr.Security {
	var sock *loop.Socket
	switch c := v.c; {
	case s == expr.ServerSide:
		u := v.upstream()
		if u == nil {
			return nil
		}
		sock = u.wire()
	case c.via != nil: // a stream has the TLS of its connection
		if c = c.via.carrier(); c == nil {
			return nil
		}
		sock = &c.Socket
	default:
		sock = &c.Socket
	}
	t := tlsconn.On(sock)
	if t == nil || !t.Stands() {
		return nil
	}
	v.state = t.State()
	v.secure = expr.Security{State: &v.state, Version: tlsconf.VersionName(v.state.Version), Cipher: tlsconf.CipherName(v.state.CipherSuite),
		KeySize: tlsconf.KeySize(v.state.CipherSuite)}
	if s == expr.ClientSide && len(v.state.PeerCertificates) > 0 {
		p := v.c.port.tls.passed(t)
		v.secure.VerifyError, v.secure.CertificateError, v.secure.AuthorityError, v.secure.AuthorityDepth = p.Verify, p.Certificate, p.Authority, p.Depth
	}
	return &v.secure
}

// TCP tells what the system knows of a connection.
func (v *view) TCP(s expr.Side) (expr.TCP, bool) {
	fd := v.c.descriptor()
	if s == expr.ServerSide {
		u := v.upstream()
		if u == nil {
			return expr.TCP{}, false
		}
		fd = u.wire().FD()
	}
	i, ok := loop.TCPInfo(fd)
	if !ok {
		return expr.TCP{}, false
	}
	return expr.TCP{RTT: i.Rtt, RTTVariance: i.Rttvar, Unacked: i.Unacked, Sacked: i.Sacked, Lost: i.Lost, Retransmitted: i.Retrans,
		Fackets: i.Fackets, Reordering: i.Reordering}, true
}
