package proxyproto

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// pair makes both addresses one family's: IPv4 if both are, else IPv6. ok is
// false when one is missing.
func pair(source, destination netip.AddrPort) (src, dst netip.AddrPort, four, ok bool) {
	s, d := source.Addr().Unmap(), destination.Addr().Unmap()
	if !s.IsValid() || !d.IsValid() {
		return source, destination, false, false
	}
	four = s.Is4() && d.Is4()
	if !four {
		s, d = netip.AddrFrom16(s.As16()), netip.AddrFrom16(d.As16())
	}
	return netip.AddrPortFrom(s.WithZone(""), source.Port()), netip.AddrPortFrom(d.WithZone(""), destination.Port()), four, true
}

// AppendV1 appends a header of version 1; "UNKNOWN" when an address is
// missing, as that of a unix socket.
func AppendV1(dst []byte, source, destination netip.AddrPort) []byte {
	s, d, four, ok := pair(source, destination)
	if !ok {
		return append(dst, "PROXY UNKNOWN\r\n"...)
	}
	if four {
		dst = append(dst, "PROXY TCP4 "...)
	} else {
		dst = append(dst, "PROXY TCP6 "...)
	}
	dst = append(s.Addr().AppendTo(dst), ' ')
	dst = append(d.Addr().AppendTo(dst), ' ')
	dst = append(strconv.AppendUint(dst, uint64(s.Port()), 10), ' ')
	dst = strconv.AppendUint(dst, uint64(d.Port()), 10)
	return append(dst, '\r', '\n')
}

// AppendV2 appends a header of version 2 with these fields behind the
// addresses; LOCAL and no fields when an address is missing. A field
// TypeCRC32C of four bytes is filled in.
func AppendV2(dst []byte, source, destination netip.AddrPort, tlvs []byte) []byte {
	start := len(dst)
	dst = append(dst, signature...)
	s, d, four, ok := pair(source, destination)
	if !ok {
		return append(dst, 0x20, unspecified, 0, 0)
	}
	family, size := byte(tcp6), 36
	if four {
		family, size = tcp4, 12
	}
	dst = append(dst, 0x21, family)
	dst = binary.BigEndian.AppendUint16(dst, uint16(size+len(tlvs)))
	dst = append(dst, s.Addr().AsSlice()...)
	dst = append(dst, d.Addr().AsSlice()...)
	dst = binary.BigEndian.AppendUint16(dst, s.Port())
	dst = binary.BigEndian.AppendUint16(dst, d.Port())
	at := len(dst)
	dst = append(dst, tlvs...)
	if value, ok := Find(dst[at:], TypeCRC32C); ok && len(value) == 4 {
		copy(value, []byte{0, 0, 0, 0})
		header := dst[start:]
		where := cap(header) - cap(value) // both end where their array does
		binary.BigEndian.PutUint32(value, checksum(header, where))
	}
	return dst
}

// AppendLocal appends a header of version 2 that speaks of the connection it
// is sent on, as health checks do.
func AppendLocal(dst []byte) []byte {
	dst = append(dst, signature...)
	return append(dst, 0x20, unspecified, 0, 0)
}

// AppendTLV appends one field. A value over 65,535 bytes is cut.
func AppendTLV(dst []byte, kind byte, value []byte) []byte {
	value = value[:min(len(value), 1<<16-1)]
	dst = append(dst, kind)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(value)))
	return append(dst, value...)
}

// SSL is what TypeSSL tells of the client's TLS (section 2.2.6). Empty texts
// are left out; the zero value says that there was none.
type SSL struct {
	Encrypted   bool
	ConnCert    bool   // the client sent a certificate on this connection
	SessionCert bool   // or once in the session it goes on with
	Verify      uint32 // 0: the certificate is good, or there is none
	Version     string // "TLSv1.3"
	CommonName  string // of the client's certificate
	KeyAlg      string // of our certificate: "EC256"
	SigAlg      string // of our certificate: "ecdsa-with-SHA256"
	Cipher      string // "TLS_AES_128_GCM_SHA256"
}

// AppendSSL appends the field, what it holds in HAProxy's order.
func AppendSSL(dst []byte, s SSL) []byte {
	var client byte
	for i, set := range []bool{s.Encrypted, s.ConnCert, s.SessionCert || s.ConnCert} {
		if set {
			client |= 1 << i
		}
	}
	value := binary.BigEndian.AppendUint32([]byte{client}, s.Verify)
	for _, f := range []struct {
		kind byte
		text string
	}{{TypeVersion, s.Version}, {TypeCN, s.CommonName}, {TypeKeyAlg, s.KeyAlg}, {TypeSigAlg, s.SigAlg}, {TypeCipher, s.Cipher}} {
		if f.text != "" {
			value = AppendTLV(value, f.kind, []byte(f.text))
		}
	}
	return AppendTLV(dst, TypeSSL, value)
}
