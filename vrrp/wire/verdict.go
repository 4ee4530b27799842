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
	BadDestination        // not the multicast group; no counter in the MIB
	BadVersion            // vrrpRouterVersionErrors
	BadType               // vrrpStatsInvalidTypePktsRcvd
	BadLength             // vrrpStatsPacketLengthErrors; CARP looks like this
	BadChecksum           // vrrpRouterChecksumErrors
	UnknownVRID           // vrrpRouterVrIdErrors
	OwnPacket             // our own advertisement came back; no counter in the MIB
	InvalidAuth           // vrrpStatsInvalidAuthType: a type RFC 2338 does not have
	AuthMismatch          // vrrpStatsAuthTypeMismatch: a type other than ours
	AuthFailure           // vrrpStatsAuthFailures: another password
	reasons
)

// Reasons is the number of reasons, for arrays indexed by Reason.
const Reasons = int(reasons)

var reasonNames = [...]string{
	Accepted:       "accepted",
	BadTTL:         "time to live is not 255",
	BadDestination: "not sent to 224.0.0.18",
	BadVersion:     "version is not 2",
	BadType:        "type is not advertisement",
	BadLength:      "wrong length",
	BadChecksum:    "wrong checksum",
	UnknownVRID:    "unknown virtual router id",
	OwnPacket:      "our own packet came back",
	InvalidAuth:    "invalid authentication type",
	AuthMismatch:   "another authentication type",
	AuthFailure:    "wrong password",
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
	VRID      uint8
	Interval  time.Duration
	AuthType  uint8
	AuthData  [AuthSize]byte
	Addresses []netip.Addr
	Own       netip.Addr // our source address
}

// Check judges an advertisement that Decode accepted and that came from
// source (RFC 3768 section 7.1, RFC 9568 section 7.1 for the remarks). The
// password is compared in constant time.
func (e Expect) Check(a Advert, source netip.Addr) (Reason, Remark) {
	switch {
	case a.VRID != e.VRID:
		return UnknownVRID, 0
	case source == e.Own:
		return OwnPacket, 0
	case a.AuthType > AuthAH:
		return InvalidAuth, 0
	case a.AuthType != e.AuthType:
		return AuthMismatch, 0
	case e.AuthType == AuthPass && subtle.ConstantTimeCompare(a.AuthData[:], e.AuthData[:]) != 1:
		return AuthFailure, 0
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
