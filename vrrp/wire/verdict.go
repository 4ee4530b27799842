package wire

import (
	"crypto/subtle"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// Reason says why a packet is refused; Accepted is the zero value.
type Reason uint8

// Reasons, in the order of the checks. The RFC 2787 counter each belongs to
// stands behind it.
const (
	Accepted       Reason = iota
	BadTTL                // vrrpStatsIpTtlErrors
	BadDestination        // multicast instead of unicast or the reverse; no counter in the MIB
	BadVersion            // vrrpRouterVersionErrors
	BadType               // vrrpStatsInvalidTypePktsRcvd
	BadLength             // vrrpStatsPacketLengthErrors; CARP looks like this
	BadChecksum           // vrrpRouterChecksumErrors
	UnknownVRID           // vrrpRouterVrIdErrors
	OwnPacket             // our own advertisement came back; no counter in the MIB
	InvalidAuth           // vrrpStatsInvalidAuthType: a type RFC 2338 does not have
	AuthMismatch          // vrrpStatsAuthTypeMismatch: a type other than ours
	AuthFailure           // vrrpStatsAuthFailures: another password
	UnknownPeer           // not in unicast_peer; no counter in the MIB
	NoTrailer             // an authentication trailer is missing; this and those below have no counter in the MIB
	BadTrailer            // not a trailer of a known scheme
	StaleTrailer          // its time is outside the window
	UnknownKey            // signed with a key we do not have
	BadTag                // the HMAC is wrong
	Replayed              // its number is not higher than the sender's last
	reasons
)

// Reasons is the number of reasons, for arrays indexed by Reason.
const Reasons = int(reasons)

var reasonNames = [...]string{
	Accepted:       "accepted",
	BadTTL:         "wrong time to live",
	BadDestination: "unicast where multicast is expected, or the reverse",
	BadVersion:     "another version",
	BadType:        "type is not advertisement",
	BadLength:      "wrong length",
	BadChecksum:    "wrong checksum",
	UnknownVRID:    "unknown virtual router id",
	OwnPacket:      "our own packet came back",
	InvalidAuth:    "invalid authentication type",
	AuthMismatch:   "another authentication type",
	AuthFailure:    "wrong password",
	UnknownPeer:    "not from a unicast peer",
	NoTrailer:      "no authentication trailer",
	BadTrailer:     "malformed authentication trailer",
	StaleTrailer:   "authentication trailer outside the time window",
	UnknownKey:     "unknown authentication key",
	BadTag:         "wrong HMAC",
	Replayed:       "replayed",
}

// String returns the reason in words, for logs.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "reason " + strconv.Itoa(int(r))
}

// Remark tells what an accepted advertisement disagrees with. Such a packet
// counts and is worth an alarm, but it restarts timers: refusing it would make
// two masters for ever (RFC 9568 section 7.1).
type Remark uint8

// Remarks.
const (
	OtherInterval  Remark = 1 << iota // vrrpStatsAdvertiseIntervalErrors
	OtherAddresses                    // vrrpStatsAddressListErrors
)

// Expect is what one instance demands of an advertisement.
type Expect struct {
	Version   uint8 // 0 means 2
	VRID      uint8
	Interval  time.Duration
	AuthType  uint8
	AuthData  [AuthSize]byte // the password; the key of AH
	Addresses []netip.Addr
	Own       netip.Addr // our source address
	Group     netip.Addr // of multicast; Group or Group6 when invalid
	// Unicast says that advertisements come from Peers, to our own address.
	Unicast bool
	Peers   []Peer
	// HMAC is the authentication extension, nil without it; see Verify.
	HMAC *HMAC
	// OnlyPeers refuses unicast advertisements from anybody else.
	OnlyPeers bool
}

// Peer is a router that advertises to us by unicast.
type Peer struct {
	Address        netip.Addr
	MinTTL, MaxTTL uint8 // MaxTTL 0 is no limit
}

// Check judges an advertisement that Decode made of a packet (RFC 9568 section
// 7.1). Secrets are compared in constant time.
func (e Expect) Check(a Advert, p Packet) (Reason, Remark) {
	switch {
	case a.VRID != e.VRID:
		return UnknownVRID, 0
	case p.Source == e.Own:
		return OwnPacket, 0
	}
	if r := e.way(p); r != Accepted {
		return r, 0
	}
	if a.version() != (Advert{Version: e.Version}).version() {
		return BadVersion, 0
	}
	if a.Trailer != nil && e.HMAC == nil {
		return BadLength, 0
	}
	if r := e.authenticate(a, p); r != Accepted {
		return r, 0
	}
	var remark Remark
	if a.Interval != e.Interval {
		remark |= OtherInterval
	}
	if !sameSet(a.Addresses, e.Addresses) {
		remark |= OtherAddresses
	}
	return Accepted, remark
}

// way checks how the packet came here.
func (e Expect) way(p Packet) Reason {
	if !e.Unicast {
		group := e.Group
		if !group.IsValid() {
			if group = Group; p.Destination.Is6() {
				group = Group6
			}
		}
		switch {
		case p.TTL != TTL:
			return BadTTL
		case p.Destination != group:
			return BadDestination
		}
		return Accepted
	}
	if p.Destination.IsMulticast() {
		return BadDestination
	}
	for _, peer := range e.Peers {
		if peer.Address != p.Source {
			continue
		}
		if p.TTL < peer.MinTTL || peer.MaxTTL != 0 && p.TTL > peer.MaxTTL {
			return BadTTL
		}
		return Accepted
	}
	if e.OnlyPeers {
		return UnknownPeer
	}
	return Accepted
}

// authenticate checks what version 2 knows of authentication.
func (e Expect) authenticate(a Advert, p Packet) Reason {
	switch {
	case a.version() == 3 || p.Source.Is6():
		return Accepted
	case a.AuthType > AuthAH:
		return InvalidAuth
	case a.AuthType != e.AuthType || (e.AuthType == AuthAH) != (p.Header != nil):
		return AuthMismatch
	case e.AuthType == AuthPass && subtle.ConstantTimeCompare(a.AuthData[:], e.AuthData[:]) != 1,
		e.AuthType == AuthAH && !p.authentic(e.AuthData):
		return AuthFailure
	}
	return Accepted
}

// sameSet compares address lists without regard to order: nodes may list the
// same addresses differently.
func sameSet(a, b []netip.Addr) bool {
	if len(a) != len(b) {
		return false
	}
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}
