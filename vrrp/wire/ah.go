package wire

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"net/netip"
)

// ProtocolAH is the IP protocol number of the authentication header (RFC 2402
// section 2).
const ProtocolAH = 51

// Sizes of an authentication header with HMAC-MD5-96 (RFC 2402 section 2, RFC
// 2403 section 2).
const (
	ahSize   = 24
	icvSize  = 12
	icvAt    = ahSize - icvSize
	ipv4Size = 20
	// ahWords is the length in words of four bytes, minus two.
	ahWords = ahSize/4 - 2
)

// tos is class selector 6, internetwork control, as keepalived sends.
const tos = 0xc0

// SealAH puts an authentication header before a VRRP message and returns the
// whole packet: an IPv4 header, without its checksum, and what follows. The
// number must grow from packet to packet; keepalived drops one that does not.
func SealAH(message []byte, source, destination netip.Addr, ttl uint8, number uint32, key [AuthSize]byte) Packet {
	p := Packet{Source: source, Destination: destination, TTL: ttl}
	p.Payload = make([]byte, 0, ahSize+len(message))
	p.Payload = append(p.Payload, Protocol, ahWords, 0, 0)
	from, to := source.As4(), destination.As4()
	p.Payload = append(p.Payload, from[:]...) // keepalived's security parameters index
	p.Payload = binary.BigEndian.AppendUint32(p.Payload, number)
	p.Payload = append(p.Payload, make([]byte, icvSize)...)
	p.Payload = append(p.Payload, message...)

	h := make([]byte, ipv4Size)
	h[0], h[1], h[8], h[9] = 0x45, tos, ttl, ProtocolAH
	binary.BigEndian.PutUint16(h[2:], uint16(ipv4Size+len(p.Payload)))
	// The value counts the identification, and the kernel would fill in a 0.
	binary.BigEndian.PutUint16(h[4:], uint16(max(number&0xffff, 1)))
	copy(h[12:], from[:])
	copy(h[16:], to[:])
	p.Header = h
	copy(p.Payload[icvAt:], p.icv(key))
	return p
}

// authentic verifies the integrity check value in constant time.
func (p Packet) authentic(key [AuthSize]byte) bool {
	return len(p.Header) >= ipv4Size && len(p.Payload) >= ahSize && hmac.Equal(p.icv(key), p.Payload[icvAt:ahSize])
}

// icv is the integrity check value (RFC 2402 section 3.3.3). What changes on
// the way counts as zero; the time to live of a multicast packet does not
// change, as keepalived sees it.
func (p Packet) icv(key [AuthSize]byte) []byte {
	h := append(make([]byte, 0, len(p.Header)), p.Header...)
	for _, at := range [...]int{1, 6, 7, 10, 11} { // service, fragment, checksum
		h[at] = 0
	}
	if !p.Destination.IsMulticast() {
		h[8] = 0
	}
	mac := hmac.New(md5.New, key[:])
	mac.Write(h)
	mac.Write(p.Payload[:icvAt])
	mac.Write(make([]byte, icvSize))
	mac.Write(p.Payload[ahSize:])
	return mac.Sum(nil)[:icvSize]
}

// splitAH takes the authentication header off.
func splitAH(b []byte) (message []byte, number uint32, ok bool) {
	if len(b) < ahSize || b[0] != Protocol || b[1] != ahWords {
		return nil, 0, false
	}
	return b[ahSize:], binary.BigEndian.Uint32(b[8:]), true
}
