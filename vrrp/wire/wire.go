// Package wire turns VRRP advertisements into bytes and back, and says why a
// packet is refused.
//
// It knows version 2 (RFC 3768 section 5, with the authentication data of RFC
// 2338 section 5.3.10 that keepalived still sends) and version 3 (RFC 5798 and
// RFC 9568 section 5), over IPv4 and IPv6, with and without the authentication
// header of RFC 2402, and the checks of RFC 9568 section 7.1. It opens no
// socket, keeps no counter and knows no state: whoever calls it counts the
// Reason. A packet with a Reason must never reach the state machine.
//
//	b, err := wire.Advert{Version: 3, VRID: 51, Priority: 100,
//		Interval: 500 * time.Millisecond, Addresses: addrs}.Append(nil)
//	wire.Seal(b, src, dst)
//
//	p := wire.Packet{Source: src, Destination: dst, TTL: ttl, Payload: b}
//	adv, reason := wire.Decode(p)
//	if reason == wire.Accepted {
//		reason, remark = expect.Check(adv, p)
//	}
package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

const (
	// Protocol is the IP protocol number of VRRP (RFC 9568 section 5.1.1.4).
	Protocol = 112
	// TTL is the only time to live, or hop limit, a multicast advertisement
	// may have (RFC 9568 section 5.1.1.3): one that crossed a router has less.
	TTL = 255
	// MaxAddresses is what the one-byte count can tell (RFC 9568 section
	// 5.2.5).
	MaxAddresses = 255
	// AuthSize is the length of the authentication data in bytes (RFC 2338
	// section 5.3.10). Version 2 over IPv4 sends it even without
	// authentication.
	AuthSize = 8
	// MaxInterval3 is the longest interval of version 3, whose field has 12
	// bits of centiseconds (RFC 9568 section 5.2.7).
	MaxInterval3 = 4095 * centisecond

	headerSize  = 8
	typeAdvert  = 1
	centisecond = 10 * time.Millisecond
	checksumAt  = 6
)

// Group is the IPv4 multicast group of VRRP (RFC 9568 section 5.1.1.2), Group6
// the IPv6 one (section 5.1.2.2).
var (
	Group  = netip.AddrFrom4([4]byte{224, 0, 0, 18})
	Group6 = netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 15: 0x12})
)

// Authentication types (RFC 2338 section 5.3.6).
const (
	AuthNone uint8 = 0
	AuthPass uint8 = 1
	AuthAH   uint8 = 2
)

// Advert is one advertisement.
type Advert struct {
	Version  uint8 // 2 or 3; 0 means 2
	VRID     uint8
	Priority uint8 // 0 says the sender stops being master
	// Interval is sent in whole seconds, 1 to 255, in version 2 (RFC 3768
	// section 5.3.7) and in hundredths, 0.01 to 40.95 s, in version 3.
	Interval time.Duration
	// AuthType and AuthData are of version 2.
	AuthType uint8
	AuthData [AuthSize]byte
	// Addresses stand in configuration order; the order is never changed.
	// They are all IPv4 or all IPv6.
	Addresses []netip.Addr
	// Sequence is the number in the authentication header of a received
	// packet, 0 without one.
	Sequence uint32
	// Trailer is the authentication extension of a received packet, nil without
	// one.
	Trailer *Trailer
}

// Append appends the advertisement to b. It fails when a field does not fit
// the format. The checksum is that of the message alone, which is what version
// 2 over IPv4 wants; Seal makes the others.
func (a Advert) Append(b []byte) ([]byte, error) {
	start := len(b)
	fields, err := a.fields()
	if err != nil {
		return b, err
	}
	if len(a.Addresses) > MaxAddresses {
		return b, fmt.Errorf("%d addresses in one advertisement: at most %d fit", len(a.Addresses), MaxAddresses)
	}
	b = append(b, a.version()<<4|typeAdvert, a.VRID, a.Priority, byte(len(a.Addresses)), fields[0], fields[1], 0, 0)
	for _, addr := range a.Addresses {
		if addr.Is4() != a.Addresses[0].Is4() || !addr.IsValid() {
			return b[:start], fmt.Errorf("addresses %v and %v in one advertisement", a.Addresses[0], addr)
		}
		b = append(b, addr.AsSlice()...)
	}
	if a.version() == 2 && !a.six() {
		b = append(b, a.AuthData[:]...)
	}
	binary.BigEndian.PutUint16(b[start+checksumAt:], ^sum(b[start:]))
	return b, nil
}

// fields are the two bytes that differ between the versions: type of
// authentication and interval, or interval.
func (a Advert) fields() (f [2]byte, err error) {
	unit, most, name := time.Second, 255*time.Second, "version 2 sends whole seconds from 1 to 255"
	if a.version() == 3 {
		unit, most, name = centisecond, MaxInterval3, "version 3 sends hundredths of a second from 0.01 to 40.95"
	}
	n := a.Interval / unit
	if n < 1 || a.Interval > most || a.Interval%unit != 0 {
		return f, fmt.Errorf("advertisement interval %v: %s", a.Interval, name)
	}
	if a.version() == 3 {
		binary.BigEndian.PutUint16(f[:], uint16(n))
		return f, nil
	}
	return [2]byte{a.AuthType, byte(n)}, nil
}

func (a Advert) version() uint8 {
	if a.Version == 0 {
		return 2
	}
	return a.Version
}

func (a Advert) six() bool { return len(a.Addresses) > 0 && a.Addresses[0].Is6() }

// Seal writes the checksum of a message on its way between two addresses: of
// version 3, and of every version over IPv6, it counts the pseudo-header (RFC
// 5798 section 5.2.8, RFC 8200 section 8.1).
func Seal(message []byte, source, destination netip.Addr) {
	if len(message) < headerSize || message[0]>>4 == 2 && source.Is4() {
		return
	}
	message[checksumAt], message[checksumAt+1] = 0, 0
	binary.BigEndian.PutUint16(message[checksumAt:], ^fold(pseudo(source, destination, len(message))+uint32(sum(message))))
}

// Packet is a VRRP packet with what its IP header says.
type Packet struct {
	Source, Destination netip.Addr
	TTL                 uint8 // hop limit in IPv6
	// Header is the IPv4 header in front of an authentication header, nil
	// otherwise.
	Header  []byte
	Payload []byte // after the IP header
}

// Decode reads a packet and checks what needs no instance to be known:
// version, type, length and checksum. The Advert is filled as far as the
// packet could be read, so that a refused packet can still be counted against
// its VRID.
func Decode(p Packet) (Advert, Reason) {
	var a Advert
	b := p.Payload
	if p.Header != nil {
		inner, sequence, ok := splitAH(b)
		if !ok {
			return a, BadLength
		}
		b, a.Sequence = inner, sequence
	}
	if len(b) >= 2 {
		a.Version, a.VRID = b[0]>>4, b[1]
	}
	switch {
	case len(b) < headerSize:
		return a, BadLength
	case a.Version != 2 && a.Version != 3:
		return a, BadVersion
	case b[0]&0x0f != typeAdvert:
		return a, BadType
	}
	count, size, trailer := int(b[3]), 4, 0
	if p.Source.Is6() {
		size = 16
	} else if a.Version == 2 {
		trailer = AuthSize
	}
	whole := b
	switch n := headerSize + size*count + trailer; {
	case len(b) == n+TrailerSize && p.Header == nil:
		a.Trailer, b = readTrailer(b), b[:n]
	case len(b) != n:
		return a, BadLength
	}
	if p.Source.Is4() {
		whole = b
	}
	if !sealed(whole, p) {
		return a, BadChecksum
	}
	a.Priority = b[2]
	if a.Version == 3 {
		// The upper four bits are reserved and ignored (RFC 9568 section 5.2.6).
		a.Interval = time.Duration(binary.BigEndian.Uint16(b[4:])&0x0fff) * centisecond
	} else {
		a.AuthType, a.Interval = b[4], time.Duration(b[5])*time.Second
	}
	for i := range count {
		addr, _ := netip.AddrFromSlice(b[headerSize+size*i : headerSize+size*(i+1)])
		a.Addresses = append(a.Addresses, addr)
	}
	copy(a.AuthData[:], b[len(b)-trailer:])
	return a, Accepted
}

// sealed verifies the checksum. For version 3 over IPv4 there are three in the
// world: with the pseudo-header (RFC 5798 as keepalived and FRR read it),
// without it (RFC 9568 section 5.2.8), and keepalived's until 1.3.6, whose
// pseudo-header of a unicast packet named the multicast group.
func sealed(b []byte, p Packet) bool {
	body := uint32(sum(b))
	with := func(destination netip.Addr) bool {
		return fold(body+pseudo(p.Source, destination, len(b))) == 0xffff
	}
	switch {
	case p.Source.Is6():
		return with(p.Destination)
	case b[0]>>4 == 2:
		return body == 0xffff
	}
	return with(p.Destination) || body == 0xffff || with(Group)
}

// pseudo sums the pseudo-header of RFC 5798 section 5.2.8, which is that of
// RFC 8200 section 8.1 in IPv6 and of RFC 793 in IPv4.
func pseudo(source, destination netip.Addr, length int) uint32 {
	return uint32(sum(source.AsSlice())) + uint32(sum(destination.AsSlice())) + Protocol + uint32(length)
}

// sum is the one's complement sum of RFC 1071 over b; a valid message sums to
// 0xffff.
func sum(b []byte) uint16 {
	var s uint32
	for ; len(b) >= 2; b = b[2:] {
		s += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return fold(s)
}

func fold(s uint32) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
