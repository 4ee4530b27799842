package proxy

import (
	"net/netip"
	"strings"

	"herald/proxy/h1"
	"herald/proxy/loop"
	"herald/proxy/settings"
)

// Where connections to a server come from.

// source is what the server line says, else its section.
func (t *target) source() *settings.Source {
	if t.cfg.Source.IsZero() {
		return &t.be.cfg.Source
	}
	return &t.cfg.Source
}

// setWays makes the ways to a server, of requests and of checks; nil is the
// system's.
func (t *target) setWays(s *Server) {
	t.checkHow = t.newWay(s)
	t.how = t.checkHow
	if t.be.http && t.cfg.Socks4 == "" && t.tls == nil && !t.introduces() && !t.mayH2() && t.cfg.WebSockets != settings.WebSocketsH2 {
		how := loop.How{}
		if t.checkHow != nil {
			how = *t.checkHow
		}
		how.AsksOnce = true
		t.how = &how
	}
}

func (t *target) newWay(s *Server) *loop.How {
	src := t.source()
	buffers := loop.Buffers{Receive: s.cfg.Global.ReceiveBufferServer, Send: s.cfg.Global.SendBufferServer}
	if src.IsZero() && !t.cfg.FastOpen && t.cfg.UserTimeout == 0 && buffers == (loop.Buffers{}) && t.cfg.Namespace == "" {
		return nil
	}
	how := &loop.How{Buffers: buffers, Interface: src.Interface, FastOpen: t.cfg.FastOpen, UserTimeout: int(t.cfg.UserTimeout.Milliseconds())}
	if t.cfg.Namespace != "" {
		how.Sockets = s.outletsOf(t.cfg.Namespace)
	}
	if ip, err := netip.ParseAddr(src.Host); err == nil {
		how.From, how.LastPort = netip.AddrPortFrom(ip, uint16(src.Port)), uint16(src.LastPort)
	}
	if ip, err := netip.ParseAddr(src.UseHost); err == nil && src.Use == settings.UseAddress {
		how.From, how.LastPort, how.Foreign = netip.AddrPortFrom(ip, uint16(src.UsePort)), 0, true
	}
	return how
}

// private reports that connections to t are one client's alone: they speak in
// its name.
func (t *target) private() bool {
	if t.introduces() {
		return true
	}
	switch t.source().Use {
	case settings.UseClient, settings.UseClientIP, settings.UseHeader:
		return true
	}
	return false
}

// way is how the stream's connection to t leaves.
func (x *stream) way(t *target) *loop.How {
	src := t.source()
	var from netip.AddrPort
	switch src.Use {
	case settings.UseClient:
		from = x.c.peer
	case settings.UseClientIP:
		from = netip.AddrPortFrom(x.c.peer.Addr(), 0)
	case settings.UseHeader:
		from = netip.AddrPortFrom(x.speaksFor[t.sourceHeader()], 0)
	default:
		return t.how
	}
	if !from.Addr().IsValid() {
		return t.how
	}
	how := *t.how
	how.From, how.LastPort, how.Foreign = from, 0, true
	return &how
}

// sourceHeader names the header and the occurrence t wants, as a key.
func (t *target) sourceHeader() headerKey {
	src := t.source()
	return headerKey{src.Header, src.Occurrence}
}

type headerKey struct {
	name       string
	occurrence int
}

// noteSources takes down the addresses that headers of the request name, for
// servers that want to see them.
func (x *stream) noteSources(buf []byte) {
	if x.be == nil || len(x.be.sourceHeaders) == 0 {
		return
	}
	x.speaksFor = make(map[headerKey]netip.Addr, len(x.be.sourceHeaders))
	for _, key := range x.be.sourceHeaders {
		x.speaksFor[key] = headerAddress(&x.w.head, buf, key)
	}
}

// headerAddress is the address in one occurrence of a header; each element of
// a list counts as one (Configuration manual 7.3.6, "hdr_ip"). The zero value
// when there is none.
func headerAddress(h *h1.Head, buf []byte, key headerKey) netip.Addr {
	var all []string
	for i := range h.Headers {
		if f := &h.Headers[i]; string(f.Name.In(buf)) == key.name {
			all = append(all, strings.Split(string(f.Value.In(buf)), ",")...)
		}
	}
	i := key.occurrence - 1
	if key.occurrence < 0 {
		i = len(all) + key.occurrence
	}
	if i < 0 || i >= len(all) {
		return netip.Addr{}
	}
	text := strings.TrimSpace(all[i])
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Unmap()
	}
	if ap, err := netip.ParseAddrPort(text); err == nil { // "1.2.3.4:567"
		return ap.Addr().Unmap()
	}
	return netip.Addr{}
}

// Impersonates reports that some server is to see addresses of others, which
// takes CAP_NET_RAW.
func (s *Server) Impersonates() bool {
	for _, b := range s.backends {
		for _, t := range b.targets {
			if t.source().Use != settings.UseOwn {
				return true
			}
		}
	}
	return false
}
