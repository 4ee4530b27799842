package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// The authentication extension of keepalived 2.4 (draft-cassen-vrrp-auth-hmac):
// a trailer behind the message, whose own checksum does not count it in IPv4.
//
//	0: scheme (1: HMAC-SHA256-128)   1: key id   2: zero (2 bytes)
//	4: sequence: seconds of Unix time (4), 2^-16 s (2), counter (2)
//	12: the first 16 bytes of the HMAC
//
// The HMAC is over a pseudo-header (family 4 or 6, version, VRID, zero, the
// source address padded to 16 bytes), the message, and the trailer with zeros
// for the HMAC.

// TrailerSize is the length of the trailer in bytes.
const TrailerSize = 28

const (
	schemeSHA256 = 1
	tagAt        = 12
	tagSize      = TrailerSize - tagAt
	pseudoSize   = 20
)

// Key is one secret of the extension.
type Key struct {
	ID     uint8 // 1 to 255
	Secret []byte
}

// Trailer is what a received trailer says, before it is believed.
type Trailer struct {
	Scheme, Key uint8
	Reserved    uint16
	Sequence    uint64
	tag         [tagSize]byte
}

// HMAC is what an instance demands of trailers.
type HMAC struct {
	Keys []Key
	// Window is how far a sender's clock may be from ours; 0 does not look at
	// it.
	Window time.Duration
	// Bare accepts advertisements without a trailer, while a group migrates.
	Bare bool
}

// Sequence packs a time of day into a sequence number with a counter of zero.
func Sequence(t time.Time) uint64 {
	return uint64(uint32(t.Unix()))<<32 | uint64(t.Nanosecond())<<16/uint64(time.Second)<<16
}

// NextSequence is the number after last at now: the clock's, or one more while
// the clock has not moved on. It grows over the end of the field too (RFC
// 1982).
func NextSequence(last uint64, now time.Time) uint64 {
	if s := Sequence(now); after(s, last) {
		return s
	}
	return last + 1
}

// after is serial number arithmetic (RFC 1982 section 3.2).
func after(a, b uint64) bool { return int64(a-b) > 0 }

// Sign appends the trailer to a message that is complete but for it: sealed,
// over IPv4. Over IPv6 the checksum counts the trailer and comes afterwards,
// so it is zero in what is signed.
func Sign(message []byte, source netip.Addr, key Key, sequence uint64) []byte {
	if source.Is6() {
		message[checksumAt], message[checksumAt+1] = 0, 0
	}
	t := Trailer{Scheme: schemeSHA256, Key: key.ID, Sequence: sequence}
	tag := t.compute(message, source, key)
	return append(t.append(message), tag...)
}

// append appends the trailer without its HMAC.
func (t Trailer) append(b []byte) []byte {
	b = append(b, t.Scheme, t.Key)
	b = binary.BigEndian.AppendUint16(b, t.Reserved)
	return binary.BigEndian.AppendUint64(b, t.Sequence)
}

func (t Trailer) compute(message []byte, source netip.Addr, key Key) []byte {
	var pseudo [pseudoSize]byte
	pseudo[0] = 4
	if source.Is6() {
		pseudo[0] = 6
	}
	pseudo[1], pseudo[2] = message[0]>>4, message[1]
	copy(pseudo[4:], source.AsSlice())
	mac := hmac.New(sha256.New, key.Secret)
	mac.Write(pseudo[:])
	mac.Write(message)
	mac.Write(t.append(nil))
	mac.Write(make([]byte, tagSize))
	return mac.Sum(nil)[:tagSize]
}

// readTrailer reads the trailer at the end of b.
func readTrailer(b []byte) *Trailer {
	b = b[len(b)-TrailerSize:]
	t := &Trailer{Scheme: b[0], Key: b[1], Reserved: binary.BigEndian.Uint16(b[2:]), Sequence: binary.BigEndian.Uint64(b[4:])}
	copy(t.tag[:], b[tagAt:])
	return t
}

// Verify judges the trailer of an advertisement, or the lack of one, at now.
// marks are the highest numbers heard; they rise only for what is believed.
func (h *HMAC) Verify(a Advert, p Packet, now time.Time, marks *Marks) Reason {
	t := a.Trailer
	switch {
	case t == nil && h.Bare:
		return Accepted
	case t == nil:
		return NoTrailer
	case t.Scheme != schemeSHA256 || t.Reserved != 0:
		return BadTrailer
	}
	// What is too old is refused before the cost of a hash; nothing is believed
	// of it.
	if h.Window > 0 {
		skew := time.Duration(int32(uint32(now.Unix())-uint32(t.Sequence>>32))) * time.Second
		if skew > h.Window || -skew > h.Window {
			return StaleTrailer
		}
	}
	i := slices.IndexFunc(h.Keys, func(k Key) bool { return k.ID == t.Key })
	if i < 0 {
		return UnknownKey
	}
	if !t.authentic(p, h.Keys[i]) {
		return BadTag
	}
	if !marks.raise(p.Source, t.Sequence) {
		return Replayed
	}
	return Accepted
}

// authentic compares in constant time. Over IPv6 the kernel writes the
// checksum after the sender signed; whether that counts it is left open.
func (t Trailer) authentic(p Packet, key Key) bool {
	message := slices.Clone(p.Payload[:len(p.Payload)-TrailerSize])
	if hmac.Equal(t.compute(message, p.Source, key), t.tag[:]) {
		return true
	}
	if !p.Source.Is6() {
		return false
	}
	message[checksumAt], message[checksumAt+1] = 0, 0
	return hmac.Equal(t.compute(message, p.Source, key), t.tag[:])
}

// Mark is the highest number heard from one sender.
type Mark struct {
	Sender   netip.Addr `json:"sender"`
	Sequence uint64     `json:"sequence"`
}

// Marks are those of the senders heard last. The zero value knows nobody.
type Marks struct {
	// Senders stand in the order they were heard in, the last at the end.
	Senders []Mark
	// Most is how many are kept: the unicast peers, or DefaultMarks when 0.
	Most int
}

// DefaultMarks is enough for a multicast group: several senders at a time
// there are only while they contend.
const DefaultMarks = 4

// raise notes a number of an authentic trailer; false when it is not higher
// than the last.
func (m *Marks) raise(sender netip.Addr, sequence uint64) bool {
	if i := slices.IndexFunc(m.Senders, func(k Mark) bool { return k.Sender == sender }); i >= 0 {
		if !after(sequence, m.Senders[i].Sequence) {
			return false
		}
		m.Senders = slices.Delete(m.Senders, i, i+1)
	}
	most := m.Most
	if most == 0 {
		most = DefaultMarks
	}
	if len(m.Senders) >= most {
		m.Senders = slices.Delete(m.Senders, 0, len(m.Senders)-most+1)
	}
	m.Senders = append(m.Senders, Mark{sender, sequence})
	return true
}
