package proxy

import (
	"slices"
	"syscall"

	"herald/proxy/h2"
	"herald/proxy/loop"
	"herald/proxy/settings"
	"herald/proxy/tlsconn"
)

// h2up is a connection to a server that speaks HTTP/2. Each of its streams is
// an upstream with a virtual socket. Its loop owns it.
type h2up struct {
	h2pipe
	own       loop.Socket
	under     *upstream // whose socket it is, when not its own
	timer     loop.Timer
	t         *target
	name      string // the server was asked for it within TLS
	connected bool
	answered  bool // to one stream at least
	retired   bool // no new streams: the server is elsewhere now
}

// streamsFor is how many streams a connection to a server carries at most.
func (w *worker) streamsFor() int {
	if n := w.s.cfg.Global.H2.MaxStreams; n > 0 {
		return n
	}
	return 100
}

// join puts the stream on a connection to its server that has room, where
// http-reuse lets it; connecting asks for one that is being made.
func (x *stream) join(connecting bool) bool {
	w, t := x.w, x.t
	if t.slot >= len(w.mux.ups) || !t.shares() {
		return false
	}
	proven := false // only where a server has answered
	if x.c.served == 0 {
		switch x.be.cfg.Reuse {
		case settings.ReuseSafe:
			return false
		case settings.ReuseAggressive:
			proven = true
		}
	}
	for _, m := range w.mux.ups[t.slot] {
		if m.connected != connecting && m.room() && (m.answered || !proven) && x.suitsName(m.name) {
			x.ride(m)
			return true
		}
	}
	return false
}

// room reports that another stream may begin.
func (m *h2up) room() bool {
	return !m.ending && !m.retired && !m.eof && m.Len() < m.w.streamsFor() && m.Free()
}

// retireH2 closes the connections to t as their last streams end.
func (w *worker) retireH2(t *target) {
	if t.slot < len(w.mux.ups) {
		for _, m := range slices.Clone(w.mux.ups[t.slot]) {
			m.retired = true
			m.rest()
		}
	}
}

// ride makes a stream of m the upstream of x.
func (x *stream) ride(m *h2up) {
	w := x.w
	u := w.upstreams.take()
	h := w.mux.take()
	u.w, u.t, u.x = w, m.t, x
	w.l.Virtual(&u.Socket, h, u)
	h.m, h.s, h.sock = &m.h2pipe, m.Conn.Open(), &u.Socket
	h.s.Owner = h
	h.patient = x.upgrade
	if m.connected && (m.Settled() || !h.patient) {
		u.Allow(loop.Writable)
	}
	w.l.Disarm(&m.timer)
	x.u = u
}

// dialH2 begins a stream on a connection that is being made, or makes one to
// that address.
func (w *worker) dialH2(t *target, x *stream, to *loop.Addr) syscall.Errno {
	if !x.freshOnly && (x.join(false) || x.join(true)) {
		return 0
	}
	m := &h2up{t: t}
	if errno := w.l.DialBy(&m.own, to, t.how, m); errno != 0 {
		return errno
	}
	if t.be.cfg.TCPKeepAliveServer {
		keepAlive(m.own.FD(), &t.be.cfg.ProbesServer)
	}
	m.begin(w, &m.own)
	x.ride(m)
	return 0
}

// becomeH2 makes a carrier of the upstream that stands, and its first stream
// the upstream of x.
func (x *stream) becomeH2() {
	u := x.u
	m := &h2up{t: x.t, under: u, name: u.name, connected: true}
	u.x = nil
	u.rest()
	x.w.l.Disarm(&u.timer)
	u.Handle(m)
	m.begin(x.w, &u.Socket)
	x.ride(m)
}

// begin starts HTTP/2 on a socket, and offers it to the loop's requests.
func (m *h2up) begin(w *worker, s *loop.Socket) {
	for m.t.slot >= len(w.mux.ups) {
		w.mux.ups = append(w.mux.ups, nil)
	}
	w.mux.ups[m.t.slot] = append(w.mux.ups[m.t.slot], m)
	window := w.s.cfg.Global.H2.Window
	if window == 0 {
		window = 1<<16 - 1
	}
	// A client that is slow with its response must not hold up the others.
	m.start(w, s, m, &m.t.be.tallies[w.id], h2.Config{Role: h2.Client, ConnWindow: min(w.streamsFor()*window, 1<<30)})
}

// Ready is called by the loop.
func (m *h2up) Ready(loop.Event) {
	switch {
	case m.sock == nil:
	case m.connected:
		m.ready()
	case m.sock.Can()&loop.Failed != 0:
		m.lost()
	case m.sock.Can()&loop.Writable != 0:
		m.connected = true
		m.Each(func(s *h2.Stream) { owner(s).wake() })
		if m.sock != nil {
			m.touch()
			m.ready()
		}
	}
}

// head hands a response to its stream, with what follows at once.
func (m *h2up) head(ev *h2.Event) {
	h := owner(ev.Stream)
	m.answered = true
	h.keepHead(ev.Text)
	m.late = h
	if ev.End {
		h.s.In.End(nil)
		m.tellLate()
	}
}

func (m *h2up) malformed() {} // a server makes no requests

// rest keeps an idle connection for a while.
func (m *h2up) rest() {
	if m.Len() > 0 || m.ending || m.sock == nil {
		return
	}
	if m.Leaving() || m.retired || m.eof || m.PeerLeft() || !m.connected || !m.t.shares() || m.w.s.draining.Load() {
		m.Leave()
		m.ending = true
		m.touch()
		if !m.connected {
			m.finish(false)
		}
		return
	}
	life := m.t.cfg.Pool.Purge
	if life == 0 {
		life = idleLife
	}
	m.w.l.Arm(&m.timer, m.w.l.Now()+int64(life), m)
}

// Expired is called by the loop: nobody has used the connection for a while,
// or it does not take our last words.
func (m *h2up) Expired(*loop.Timer) {
	switch {
	case m.ending:
		m.finish(false)
	case m.Len() == 0:
		m.Leave()
		m.ending = true
		m.touch()
	}
}

func (m *h2up) stuck() { m.w.l.Arm(&m.timer, m.w.l.Now()+int64(idleLife), m) }

func (m *h2up) done(bool) {
	list := m.w.mux.ups[m.t.slot]
	if i := slices.Index(list, m); i >= 0 {
		m.w.mux.ups[m.t.slot] = slices.Delete(list, i, i+1)
	}
	m.w.l.Drop(&m.timer)
	if m.under != nil {
		m.under.close()
		return
	}
	m.own.Close()
}

// wire is the socket bytes of u travel by.
func (u *upstream) wire() *loop.Socket {
	if h, ok := u.Layer().(*h2stream); ok && h.m.sock != nil {
		return h.m.sock
	}
	return &u.Socket
}

// shares reports that one connection to t may carry streams of several
// clients.
func (t *target) shares() bool { return !t.introduces() && t.be.cfg.Reuse != settings.ReuseNever }

// mayH2 reports a server that is, or may turn out to be, spoken to in HTTP/2.
func (t *target) mayH2() bool {
	return t.be.http && (t.cfg.Proto == "h2" || t.cfg.Proto == "" && t.tls != nil && t.tls.on && slices.Contains(t.tls.alpn, "h2"))
}

// agreedH2 reports that the connection, which stands, is to carry streams.
func (x *stream) agreedH2() bool {
	u := x.u
	if u.virtual() || !x.mayH2() {
		return false
	}
	if x.t.cfg.Proto == "h2" {
		return true
	}
	s := tlsconn.On(&u.Socket)
	return s != nil && s.State().NegotiatedProtocol == "h2"
}

// mayH2 is t.mayH2 for the request.
func (x *stream) mayH2() bool { return x.takesH2() || x.t.mayH2() && !x.leavesH2() }

// leavesH2 reports a WebSocket to a server that takes those in HTTP/1 alone, or
// that may choose: then it is asked for what all of them know.
func (x *stream) leavesH2() bool {
	if !x.upgrade {
		return false
	}
	cfg := x.t.cfg
	chooses := cfg.Proto == "" && x.t.tls != nil && slices.Contains(x.t.tls.alpn, "http/1.1")
	return cfg.WebSockets == settings.WebSocketsH1 || cfg.WebSockets == settings.WebSocketsAuto && chooses
}

// takesH2 reports a WebSocket to a server that takes those in HTTP/2 alone.
func (x *stream) takesH2() bool { return x.upgrade && x.t.cfg.WebSockets == settings.WebSocketsH2 }

// virtual reports that u is a stream.
func (u *upstream) virtual() bool {
	_, is := u.Layer().(*h2stream)
	return is
}

// unseen reports a stream that its server says it has not begun (RFC 9113
// section 8.7): the request may go elsewhere, whatever it asks for.
func (u *upstream) unseen() bool {
	h, ok := u.Layer().(*h2stream)
	return ok && h.unseen
}

// suitsName reports whether a connection that asked for name may carry the
// request.
func (x *stream) suitsName(name string) bool {
	c := x.t.tls
	return c == nil || !c.on || c.sni == nil || name == x.serverName()
}
