package proxy

import (
	"net/netip"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"herald/proxy/loop"
	"herald/proxy/settings"
	"herald/proxy/tlsconn"
)

const eagain = unix.EAGAIN

// upstream is a connection to a server. Its loop owns it.
type upstream struct {
	loop.Socket
	timer     loop.Timer
	w         *worker
	t         *target
	x         *stream // nil while idle
	in        []byte  // a partial response head
	connected bool
	asked     bool      // a SOCKS4 proxy was asked for the server
	uses      int       // responses so far
	name      string    // the server was asked for in TLS
	refused   error     // why the TLS handshake failed
	counted   bool      // among its loop's connections in use
	owner     *client   // the only one who may use it while idle; nil: anyone
	older     *upstream // the next of its owner's
	private   bool      // the server has authenticated its client
	once      bool      // set up for one send (loop.How.AsksOnce)
	mute      bool      // and to acknowledge nothing by itself
}

type upstreamSlab struct {
	free []*upstream
}

func (s *upstreamSlab) take() *upstream {
	if len(s.free) == 0 {
		block := make([]upstream, slabSize)
		for i := range block {
			s.free = append(s.free, &block[i])
		}
	}
	u := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	return u
}

func (s *upstreamSlab) give(u *upstream) {
	*u = upstream{}
	s.free = append(s.free, u)
}

// idleLife is the default of pool-purge-delay: how long an unused connection
// to a server is kept.
const idleLife = 5 * time.Second

// follow is where a connection goes that depends on where the client's went.
func (a *address) follow(client netip.AddrPort, offset int) (netip.AddrPort, syscall.Errno) {
	at := a.ip
	if a.follows {
		at = netip.AddrPortFrom(client.Addr(), at.Port())
	}
	if at.Port() == 0 {
		port := int(client.Port()) + offset
		if port < 1 || port > 65535 {
			return at, unix.EADDRNOTAVAIL
		}
		at = netip.AddrPortFrom(at.Addr(), uint16(port))
	}
	if !at.Addr().IsValid() { // a client on a unix socket
		return at, unix.EADDRNOTAVAIL
	}
	return at, 0
}

// dial starts a connection to t for x.
func (w *worker) dial(t *target, x *stream) syscall.Errno {
	a := t.addr.Load()
	if a == nil {
		return unix.EADDRNOTAVAIL
	}
	to := &a.at
	x.through = a.ip
	var same loop.Addr
	if a.unix == "" && (a.follows || a.ip.Port() == 0) { // something of where the client connected to
		at, errno := a.follow(x.c.local(), t.cfg.PortOffset)
		if errno != 0 {
			return errno
		}
		same = loop.TCP(at)
		to, x.through = &same, at
	}
	if t.socks != nil {
		if !x.through.Addr().Unmap().Is4() {
			return unix.EAFNOSUPPORT
		}
		to = t.socks
	}
	if x.mayH2() && t.socks == nil && (t.tls == nil || !t.tls.on) {
		return w.dialH2(t, x, to)
	}
	u := w.upstreams.take()
	u.w, u.t, u.x = w, t, x
	how := x.way(t)
	if errno := w.l.DialBy(&u.Socket, to, how, u); errno != 0 {
		w.upstreams.give(u)
		return errno
	}
	if a.unix == "" && t.be.cfg.TCPKeepAliveServer {
		keepAlive(u.FD(), &t.be.cfg.ProbesServer)
	}
	u.once = how != nil && how.AsksOnce
	u.mute = u.once
	u.busy()
	x.u = u
	return 0
}

// sayMore sets the connection up for more than the one send.
func (u *upstream) sayMore() {
	if u.once {
		u.once = false
		loop.NoDelay(u.FD())
	}
}

// hearMore acknowledges the part of the answer that has come: the server may
// wait for that with the rest.
func (u *upstream) hearMore() {
	if u.mute {
		u.mute = false
		loop.AckNow(u.FD())
	}
}

// reuse takes an idle connection to the stream's server, if http-reuse allows
// it one and there is one: the client's own, else the one used last.
func (x *stream) reuse() bool {
	w, t := x.w, x.t
	if x.mayH2() && x.join(false) {
		return true
	}
	if x.takesH2() {
		return false
	}
	if own := x.ownTo(t); own != nil {
		x.c.disown(own)
		w.l.Disarm(&own.timer)
		own.x, x.u = x, own
		own.sayMore()
		own.busy()
		return true
	}
	least := 0 // uses so far
	switch mode := x.be.cfg.Reuse; {
	case mode == settings.ReuseNever, t.private(), mode == settings.ReuseSafe && x.c.served == 0:
		return false
	case mode == settings.ReuseAggressive && x.c.served == 0:
		least = 2
	}
	if t.slot >= len(w.idle) {
		return false
	}
	list := w.idle[t.slot]
	for i := len(list) - 1; i >= 0; i-- {
		u := list[i]
		if u.uses < least || !x.suits(u) {
			continue
		}
		w.idle[t.slot] = slices.Delete(list, i, i+1)
		t.idle.Add(-1)
		w.l.Disarm(&u.timer)
		u.x, x.u = x, u
		u.sayMore()
		u.busy()
		return true
	}
	return false
}

// park keeps u for the next request, within the limits of the server's pool:
// for any client's, or with http-reuse never for its own.
func (u *upstream) park() {
	if u.virtual() {
		u.close()
		return
	}
	w, pool, c := u.w, &u.t.cfg.Pool, u.x.c
	u.x = nil
	u.uses++
	if t := tlsconn.On(&u.Socket); t != nil {
		t.Rest(u.uses == 1)
	}
	if pool.MaxReuse > 0 && u.uses >= pool.MaxReuse || pool.MaxConn > 0 && u.t.idle.Load() >= int64(pool.MaxConn-1) {
		u.drop()
		return
	}
	if u.private || u.t.be.cfg.Reuse == settings.ReuseNever || u.t.private() {
		if !c.keepOwn(u) {
			u.drop()
			return
		}
		u.rest()
		u.arm(u.life())
		if u.spoke() {
			u.unpark()
		}
		return
	}
	for u.t.slot >= len(w.idle) {
		w.idle = append(w.idle, nil)
	}
	if u.spare() {
		u.drop()
		return
	}
	u.rest()
	w.idle[u.t.slot] = append(w.idle[u.t.slot], u)
	u.t.idle.Add(1)
	u.arm(u.life())
	if u.spoke() {
		u.unpark()
	}
}

// life is how long u may be idle.
func (u *upstream) life() time.Duration {
	if d := u.t.cfg.Pool.Purge; d != 0 {
		return d
	}
	return idleLife
}

// spoke reports whether an idle connection has ended or said something.
func (u *upstream) spoke() bool {
	switch can := u.Can(); {
	case can&(loop.Hangup|loop.Failed) != 0:
		return true
	case can&loop.Readable == 0:
		return false
	}
	t := tlsconn.On(&u.Socket)
	return t == nil || !t.Quiet()
}

// unpark closes an idle connection.
func (u *upstream) unpark() {
	if u.owner != nil {
		u.owner.disown(u)
		u.drop()
		return
	}
	list := u.w.idle[u.t.slot]
	if i := slices.Index(list, u); i >= 0 {
		u.w.idle[u.t.slot] = slices.Delete(list, i, i+1)
		u.t.idle.Add(-1)
	}
	u.drop()
}

// arm sets the deadline of the connection from now; 0 is none.
func (u *upstream) arm(d time.Duration) { u.armSince(u.w.l.Now(), d) }

// armSince is arm from another moment on.
func (u *upstream) armSince(since int64, d time.Duration) {
	if d <= 0 {
		u.w.l.Disarm(&u.timer)
		return
	}
	u.w.l.Arm(&u.timer, since+int64(d), u)
}

// Ready is called by the loop. An idle connection has nothing to say: the end
// of the stream, or bytes nobody asked for, end it.
func (u *upstream) Ready(loop.Event) {
	switch {
	case !u.Open():
	case u.x != nil:
		u.x.drive()
	case u.spoke():
		u.unpark()
	}
}

// Expired is called by the loop when the deadline has come.
func (u *upstream) Expired(*loop.Timer) {
	if u.x != nil {
		u.x.late |= serverLate
		u.x.drive()
		return
	}
	u.unpark()
}

// close ends the connection and gives back what it holds.
func (u *upstream) close() {
	w := u.w
	u.rest()
	w.l.Drop(&u.timer)
	if u.t.be.cfg.HTTP.NoLinger {
		u.Reset()
	}
	u.Close()
	if u.in != nil {
		w.buffers.Give(u.in)
	}
	w.upstreams.give(u)
}
