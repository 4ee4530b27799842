package proxy

import (
	"net/netip"

	"herald/proxy/loop"
	"herald/proxy/proxyproto"
)

// socksAddr is where the SOCKS4 proxy on the way to t is, nil without one.
func (t *target) socksAddr() *loop.Addr {
	at, err := netip.ParseAddrPort(t.cfg.Socks4)
	if err != nil || t.cfg.Path != "" {
		return nil
	}
	a := loop.TCP(at)
	return &a
}

// throughSocks asks the SOCKS4 proxy that the connection goes to for the
// server, and waits for its leave: before a PROXY header and TLS.
func (x *stream) throughSocks() answer {
	u, w := x.u, x.w
	if !u.asked {
		u.asked = true
		w.text = proxyproto.AppendSOCKS4(w.text[:0], x.through)
		if n, errno := u.RawSend(w.text); errno != 0 || n != len(w.text) {
			return x.connectFailed('S')
		}
	}
	if u.Can()&loop.Readable == 0 {
		return wait
	}
	reply := w.l.Buffer()[:proxyproto.SOCKS4Reply]
	n, errno := u.Peek(reply)
	switch {
	case errno == eagain:
		return wait
	case errno != 0 || n == 0:
		return x.connectFailed('S')
	case n < len(reply):
		if u.Can()&loop.Hangup != 0 {
			return x.connectFailed('S')
		}
		u.Withhold(loop.Readable) // more bytes are another event
		return wait
	}
	u.RawRecv(reply)
	if proxyproto.CheckSOCKS4(reply) != nil {
		return x.connectFailed('S')
	}
	return next
}
