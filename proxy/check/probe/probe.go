// Package probe carries a health check out: it opens the connections a script
// asks for, sends, receives, and keeps the time. What the bytes mean is decided
// by proxy/check/script.
//
//	r := probe.Run(ctx, script.Start(s, world, 16384), probe.Options{
//		Inter: 2 * time.Second,
//		Locate: func(w script.Want) (probe.Place, error) {
//			return probe.Place{Network: "tcp", Address: "10.1.1.20:80"}, nil
//		},
//	})
package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"herald/proxy/check"
	"herald/proxy/check/script"
	"herald/proxy/loop"
)

// Place is where and how one connection of a check goes.
type Place struct {
	Network string // "tcp" or "unix"
	Address string // "10.1.1.20:80", or a path
	// TLS encrypts the connection; nil leaves it plain.
	TLS *tls.Config
	// Ask is a request to a SOCKS4 proxy at Address, whose answer comes before
	// all else and that Granted reads; nil without one.
	Ask     []byte
	Granted func(reply [8]byte) error
	// Header is a PROXY header in front of everything: version 1 or 2, 0 none.
	Header int
	// HTTP says that the script speaks HTTP, so that HTTP/2 may be agreed on;
	// H2 speaks HTTP/2 without asking.
	HTTP, H2 bool
	// Control prepares the socket before it connects; nil does not. How is the
	// same for a Flight.
	Control func(network, address string, c syscall.RawConn) error
	How     *loop.How
}

// Options of a run.
type Options struct {
	// Locate answers where a connection goes. An error becomes the text of a
	// socket error.
	Locate func(w script.Want) (Place, error)
	// Inter bounds a whole check without Timeout; with it min(Inter, Connect)
	// bounds the connecting, and the check ends at that moment or Timeout after
	// the connection stands, whichever is later, as HAProxy's does.
	Inter, Connect, Timeout time.Duration
}

// Run drives m to its end. The answer of a context that ends is a socket error
// that nobody looks at.
func Run(ctx context.Context, m *script.Machine, o Options) check.Result {
	p := &run{ctx: ctx, m: m, o: o, start: time.Now()}
	defer p.close()
	for {
		w := m.Next()
		switch w.Kind {
		case script.Dial:
			p.dial(w)
		case script.Write:
			p.write(w.Bytes)
		case script.Read:
			p.read()
		default:
			w.Result.Duration = time.Since(p.start)
			return w.Result
		}
	}
}

// run is a check under way. It owns its connection.
type run struct {
	ctx    context.Context
	m      *script.Machine
	o      Options
	start  time.Time
	limit  time.Time
	raw    net.Conn // as dialled
	conn   net.Conn // with what was put on it
	linger bool
	buf    [4096]byte
}

// dial opens a connection, with its PROXY header and its encryption.
func (p *run) dial(w script.Want) {
	p.close()
	p.linger = w.Connect.Linger
	place, err := p.o.Locate(w)
	if err != nil {
		p.m.Failed(script.Broken, 4, err.Error())
		return
	}
	begun := time.Now()
	p.limit = begun.Add(p.o.Inter)
	if p.o.Timeout > 0 && p.o.Connect > 0 {
		p.limit = begun.Add(min(p.o.Inter, p.o.Connect))
	}
	d := net.Dialer{Deadline: p.limit, KeepAlive: -1, Control: place.Control}
	if d.Control == nil && place.Network == "tcp" && w.Last && place.TLS == nil && place.Header == 0 && place.Ask == nil {
		d.Control = noQuickAck
	}
	if place.Network == Abstract {
		p.conn, err = dialAbstract(place.Address)
	} else {
		p.conn, err = d.DialContext(p.ctx, place.Network, place.Address)
	}
	if err != nil {
		if timedOut(err) {
			p.m.Failed(script.TimedOut, 4, "")
		} else {
			p.m.Failed(place.failure(err), 4, reason(err))
		}
		return
	}
	if p.o.Timeout > 0 {
		if later := time.Now().Add(p.o.Timeout); later.After(p.limit) {
			p.limit = later
		}
	}
	p.conn.SetDeadline(p.limit)
	p.raw = p.conn
	if !p.ask(&place) || !p.header(place.Header) || !p.encrypt(place.TLS) || !p.second(place) {
		return
	}
	p.m.Dialed(place.TLS != nil)
}

// noQuickAck keeps the kernel from acknowledging the handshake at once: the
// reset that follows is then all a server hears, and no connection reaches it.
func noQuickAck(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		// Without it the check costs one packet more, that is all.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 0)
	})
}

func (p *run) ask(place *Place) bool {
	if place.Ask == nil {
		return true
	}
	var reply [8]byte
	_, err := p.conn.Write(place.Ask)
	if err == nil {
		_, err = io.ReadFull(p.conn, reply[:])
	}
	switch {
	case err != nil && timedOut(err):
		p.m.Failed(script.TimedOut, 4, "")
		return false
	case err != nil:
		p.m.Failed(script.Broken, 4, "SOCKS4 Proxy read error during handshake")
		return false
	}
	if err = place.Granted(reply); err != nil {
		p.m.Failed(script.Broken, 4, err.Error())
	}
	return err == nil
}

func (p *run) header(version int) bool {
	if version == 0 {
		return true
	}
	if _, err := p.conn.Write(proxyHeader(version, p.conn.LocalAddr(), p.conn.RemoteAddr())); err != nil {
		p.broken(err, 4)
		return false
	}
	return true
}

func (p *run) encrypt(c *tls.Config) bool {
	if c == nil {
		return true
	}
	t := tls.Client(p.conn, c)
	p.conn = encrypted{t}
	err := t.HandshakeContext(p.ctx)
	switch {
	case err == nil:
		return true
	case timedOut(err):
		p.m.Failed(script.TimedOut, 6, "")
	default:
		p.m.Failed(script.Handshake, 6, "SSL handshake failure")
	}
	return false
}

// encrypted closes as its plain connection does: without close_notify.
type encrypted struct{ *tls.Conn }

func (e encrypted) Close() error { return e.NetConn().Close() }

func (p *run) write(b []byte) {
	if _, err := p.conn.Write(b); err != nil {
		if errors.Is(err, errForeign) {
			p.m.Failed(script.Foreign, 7, "")
			return
		}
		p.broken(err, 7)
		return
	}
	p.m.Written()
}

func (p *run) read() {
	n, err := p.conn.Read(p.buf[:])
	if n > 0 {
		p.m.Received(p.buf[:n])
		return
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		p.m.Ended()
	default:
		p.broken(err, 7)
	}
}

func (p *run) broken(err error, layer int) {
	if timedOut(err) {
		p.m.Failed(script.TimedOut, layer, "")
		return
	}
	p.m.Failed(script.Broken, layer, reason(err))
}

// close ends the connection, by a reset unless the script says otherwise, so
// that no address is kept from use after thousands of checks.
func (p *run) close() {
	if p.conn == nil {
		return
	}
	if tc, ok := p.raw.(*net.TCPConn); ok && !p.linger {
		tc.SetLinger(0)
	}
	p.conn.Close()
	p.conn, p.raw = nil, nil
}

// failure tells how a connection failed, but for its time.
func (p *Place) failure(err error) script.Failure {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return script.Refused
	}
	switch errno {
	case syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ECONNRESET:
		if p.Network == "tcp" {
			return script.Refused // the network said it, later
		}
	}
	return p.unmade(errno)
}

// unmade tells how a connection failed that the system did not begin.
func (p *Place) unmade(errno syscall.Errno) script.Failure {
	switch {
	case p.Network != "tcp":
		return script.Unlinked
	case errno == syscall.EADDRNOTAVAIL && p.How != nil && p.How.From.IsValid():
		return script.Sourceless
	}
	return script.Unmade
}

func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT)
}

// reason is the system's text of an error, with its capital.
func reason(err error) string {
	var errno syscall.Errno
	text := err.Error()
	if errors.As(err, &errno) {
		text = errno.Error()
	}
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
