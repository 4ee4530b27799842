package probe

import (
	"fmt"
	"net"
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
