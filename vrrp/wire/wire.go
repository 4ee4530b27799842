// Package wire turns VRRP version 2 advertisements into bytes and back, and
// says why a packet is refused.
//
// It knows the layout (RFC 3768 section 5, with the authentication data of RFC
// 2338 section 5.3.10 that keepalived still sends) and the checks of RFC 3768
// section 7.1. It opens no socket, keeps no counter and knows no state: whoever
// calls it counts the Reason. A packet with a Reason must never reach the
// state machine.
//
//	b, err := wire.Advert{VRID: 51, Priority: 100, Interval: time.Second,
//		Addresses: addrs}.Append(nil)
//
//	adv, reason := wire.Decode(wire.Packet{Source: src, Destination: dst, TTL: ttl, Payload: b})
//	if reason == wire.Accepted {
//		reason, remark = expect.Check(adv, src)
//	}
package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

const (
	// Protocol is the IP protocol number of VRRP (RFC 3768 section 5.2.4).
	Protocol = 112
	// TTL is the only time to live an advertisement may have (RFC 3768
	// section 5.2.3): one that crossed a router has less.
	TTL = 255
	// MaxAddresses is what the one-byte count can tell (RFC 3768 section
	// 5.3.5).
	MaxAddresses = 255
	// AuthSize is the length of the authentication data in bytes (RFC 2338
	// section 5.3.10). It is sent even without authentication.
	AuthSize = 8

	headerSize = 8
	version    = 2
	typeAdvert = 1
)

// Group is the IPv4 multicast group of VRRP (RFC 3768 section 5.2.2).
var Group = netip.AddrFrom4([4]byte{224, 0, 0, 18})

// Authentication types (RFC 2338 section 5.3.6).
const (
	AuthNone uint8 = 0
	AuthPass uint8 = 1
	AuthAH   uint8 = 2
)

// Advert is one VRRPv2 advertisement.
type Advert struct {
	VRID     uint8
	Priority uint8 // 0 says the sender stops being master
	// Interval is sent in whole seconds, 1 to 255 (RFC 3768 section 5.3.7).
	Interval time.Duration
	AuthType uint8
	AuthData [AuthSize]byte
	// Addresses stand in configuration order; the order is never changed.
	Addresses []netip.Addr
}

// Append appends the advertisement, with its checksum, to b. It fails when a
// field does not fit the format.
func (a Advert) Append(b []byte) ([]byte, error) {
	seconds := a.Interval / time.Second
	if seconds < 1 || seconds > 255 || a.Interval%time.Second != 0 {
		return b, fmt.Errorf("advertisement interval %v: version 2 sends whole seconds from 1 to 255", a.Interval)
	}
	if len(a.Addresses) > MaxAddresses {
		return b, fmt.Errorf("%d addresses in one advertisement: at most %d fit", len(a.Addresses), MaxAddresses)
	}
	start := len(b)
	b = append(b, version<<4|typeAdvert, a.VRID, a.Priority, byte(len(a.Addresses)), a.AuthType, byte(seconds), 0, 0)
	for _, addr := range a.Addresses {
		if !addr.Is4() {
			return b[:start], fmt.Errorf("address %v in an IPv4 advertisement", addr)
		}
		four := addr.As4()
		b = append(b, four[:]...)
	}
	b = append(b, a.AuthData[:]...)
	binary.BigEndian.PutUint16(b[start+6:], ^sum(b[start:]))
	return b, nil
}

// Packet is a received VRRP packet with what its IP header said.
type Packet struct {
	Source, Destination netip.Addr
	TTL                 uint8
	Payload             []byte // after the IP header
}

// Decode reads a packet and checks what needs no instance to be known: time to
// live, destination, version, type, length and checksum. The Advert is filled
// as far as the packet could be read, so that a refused packet can still be
// counted against its VRID.
func Decode(p Packet) (Advert, Reason) {
	var a Advert
	b := p.Payload
	if len(b) >= 2 {
		a.VRID = b[1]
	}
	switch {
	case p.TTL != TTL:
		return a, BadTTL
	case p.Destination != Group:
		return a, BadDestination
	case len(b) < headerSize:
		return a, BadLength
	case b[0]>>4 != version:
		return a, BadVersion
	case b[0]&0x0f != typeAdvert:
		return a, BadType
	}
	count := int(b[3])
	if len(b) != headerSize+4*count+AuthSize {
		return a, BadLength
	}
	if sum(b) != 0xffff {
		return a, BadChecksum
	}
	a.Priority = b[2]
	a.AuthType = b[4]
	a.Interval = time.Duration(b[5]) * time.Second
	if count > 0 {
		a.Addresses = make([]netip.Addr, count)
	}
	for i := range a.Addresses {
		a.Addresses[i] = netip.AddrFrom4([4]byte(b[headerSize+4*i:]))
	}
	copy(a.AuthData[:], b[headerSize+4*count:])
	return a, Accepted
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
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
