package proxyproto

import (
	"errors"
	"net/netip"
)

// SOCKS4Reply is the length of a SOCKS4 proxy's answer.
const SOCKS4Reply = 8

// AppendSOCKS4 appends the request for a connection to an IPv4 address, by the
// user HAProxy calls itself (SOCKS: A protocol for TCP proxy across firewalls,
// CONNECT).
func AppendSOCKS4(dst []byte, to netip.AddrPort) []byte {
	ip := to.Addr().Unmap().As4()
	dst = append(dst, 4, 1, byte(to.Port()>>8), byte(to.Port()))
	dst = append(dst, ip[:]...)
	return append(dst, "HAProxy\x00"...)
}

// ErrSOCKS4 is the answer of a SOCKS4 proxy that does not connect, in
// HAProxy's words.
var ErrSOCKS4 = errors.New("SOCKS4 Proxy deny the request")

// CheckSOCKS4 reads the answer.
func CheckSOCKS4(p []byte) error {
	if len(p) < SOCKS4Reply || p[0] != 0 || p[1] != 90 {
		return ErrSOCKS4
	}
	return nil
}
