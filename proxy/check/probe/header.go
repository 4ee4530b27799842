package probe

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"

	"herald/proxy/check/script"
)

// proxyHeader is what announces a check to a server that expects the PROXY
// protocol: the addresses of the connection itself in version 1, LOCAL in
// version 2 (proxy-protocol.txt sections 2.1 and 2.2).
func proxyHeader(version int, from, to net.Addr) []byte {
	if version == 2 {
		return []byte("\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00")
	}
	a, okA := from.(*net.TCPAddr)
	b, okB := to.(*net.TCPAddr)
	if !okA || !okB {
		return []byte("PROXY UNKNOWN\r\n")
	}
	src, dst := a.AddrPort(), b.AddrPort()
	family := "TCP4"
	if dst.Addr().Unmap().Is6() {
		family = "TCP6"
	}
	return fmt.Appendf(nil, "PROXY %s %s %s %d %d\r\n", family, src.Addr().Unmap(), dst.Addr().Unmap(), src.Port(), dst.Port())
}

// socks asks a SOCKS4 server for the way to address (SOCKS4.protocol.txt).
func (p *run) socks(address string) bool {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !to.Addr().Unmap().Is4() {
		p.m.Failed(script.Broken, 4, "SOCKS4 needs an IPv4 address")
		return false
	}
	ip := to.Addr().Unmap().As4()
	ask := binary.BigEndian.AppendUint16([]byte{4, 1}, to.Port())
	ask = append(append(ask, ip[:]...), "HAProxy\x00"...)
	if _, err := p.conn.Write(ask); err != nil {
		p.broken(err, 4)
		return false
	}
	var answer [8]byte
	if _, err := io.ReadFull(p.conn, answer[:]); err != nil {
		p.broken(err, 4)
		return false
	}
	if answer[1] != 90 {
		p.m.Failed(script.Refused, 4, "SOCKS4 proxy deny the request")
		return false
	}
	return true
}
