package wire

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	linkLocal = netip.MustParseAddr("fe80::1062:23ff:fe42:381b")
	hundred   = netip.MustParseAddr("10.1.1.100")
	six       = []netip.Addr{netip.MustParseAddr("fe80::10"), netip.MustParseAddr("2001:db8::10")}
)

// sealed3 are advertisements captured from keepalived 2.2.7 whose checksum
// depends on the addresses in the IP header.
var sealed3 = []struct {
	name, hex      string
	source, toward netip.Addr
	advert         Advert
}{
	{"version 3", "31336401 0032 73ea 0a01010a", own, Group,
		Advert{Version: 3, VRID: 51, Priority: 100, Interval: 500 * time.Millisecond, Addresses: []netip.Addr{ten}}},
	{"version 3, unicast", "31336401 0032 4898 0a01010a", own, hundred,
		Advert{Version: 3, VRID: 51, Priority: 100, Interval: 500 * time.Millisecond, Addresses: []netip.Addr{ten}}},
	{"IPv6", "31336402 0032 d550 fe800000000000000000000000000010 20010db8000000000000000000000010", linkLocal, Group6,
		Advert{Version: 3, VRID: 51, Priority: 100, Interval: 500 * time.Millisecond, Addresses: six}},
	{"version 2 over IPv6", "2133ff01 0001 9916 fe800000000000000000000000000010", netip.MustParseAddr("fe80::9864:73ff:fe62:3f3d"), Group6,
		Advert{VRID: 51, Priority: 255, Interval: time.Second, Addresses: six[:1]}},
	{"version 2 is not touched", "21336401 0001 6fbf 0a01010a 0000000000000000", own, Group,
		Advert{VRID: 51, Priority: 100, Interval: time.Second, Addresses: []netip.Addr{ten}}},
}

func TestSealedAdvertisementsAreKeepalivedsBytes(t *testing.T) {
	for _, g := range sealed3 {
		want := unhex(t, g.hex)
		got, err := g.advert.Append(nil)
		Seal(got, g.source, g.toward)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, %v, want %x", g.name, got, err, want)
		}
		p := Packet{Source: g.source, Destination: g.toward, TTL: TTL, Payload: want}
		adv, reason := Decode(p)
		if reason != Accepted || !equal(adv, g.advert) {
			t.Errorf("%s: decoded %+v, %v, want %+v", g.name, adv, reason, g.advert)
		}
		want[len(want)-1] ^= 1
		if _, reason := Decode(p); reason != BadChecksum {
			t.Errorf("%s: a flipped bit is %v, want %v", g.name, reason, BadChecksum)
		}
	}
}

// TestEveryChecksumOfVersion3IsAccepted: RFC 9568 sums without the
// pseudo-header, old keepalived named the group in that of unicast.
func TestEveryChecksumOfVersion3IsAccepted(t *testing.T) {
	a := Advert{Version: 3, VRID: 51, Priority: 100, Interval: 500 * time.Millisecond, Addresses: []netip.Addr{ten}}
	plain, err := a.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	old := bytes.Clone(plain)
	Seal(old, own, Group)
	sealed := bytes.Clone(plain)
	Seal(sealed, own, hundred)
	if bytes.Equal(old, plain) || bytes.Equal(old, sealed) || bytes.Equal(plain, sealed) {
		t.Fatal("the three forms are not three")
	}
	for name, b := range map[string][]byte{"with pseudo-header": sealed, "without": plain, "old unicast": old} {
		if _, reason := Decode(Packet{Source: own, Destination: hundred, TTL: TTL, Payload: b}); reason != Accepted {
			t.Errorf("%s: got %v, want accepted", name, reason)
		}
	}
}

// goldenAH is a whole packet captured from keepalived 2.2.7 with auth_pass
// secret12; the IP checksum is the kernel's to fill in.
const goldenAH = "45c0004000010000ff33cfa20a010114e0000012 700400000a01011400000001759f60d5f72d81d866480772 2133640102016dbf0a01010a0000000000000000"

func TestTheAuthenticationHeaderIsKeepaliveds(t *testing.T) {
	want := unhex(t, goldenAH)
	message, err := Advert{VRID: 51, Priority: 100, Interval: time.Second, AuthType: AuthAH, Addresses: []netip.Addr{ten}}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := SealAH(message, own, Group, TTL, 1, auth("secret12"))
	got := append(bytes.Clone(p.Header), p.Payload...)
	got[10], got[11] = want[10], want[11]
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestTheAuthenticationHeaderIsVerified(t *testing.T) {
	e := Expect{VRID: 51, Interval: time.Second, AuthType: AuthAH, AuthData: auth("secret12"), Addresses: []netip.Addr{ten}, Own: peer}
	for _, c := range []struct {
		name   string
		at     int // byte to change; -1 is none
		expect func(*Expect)
		want   Reason
	}{
		{"as captured", -1, nil, Accepted},
		{"service changed on the way", 1, nil, Accepted},
		{"identification", 5, nil, AuthFailure},
		{"sequence number", 31, nil, AuthFailure},
		{"value", 32, nil, AuthFailure},
		{"not VRRP behind it", 20, nil, BadLength},
		{"another size", 21, nil, BadLength},
		{"another key", -1, func(e *Expect) { e.AuthData = auth("secret13") }, AuthFailure},
		{"nothing is expected", -1, func(e *Expect) { e.AuthType = AuthNone }, AuthMismatch},
	} {
		b, e := unhex(t, goldenAH), e
		if c.at >= 0 {
			b[c.at] ^= 1
		}
		if c.expect != nil {
			c.expect(&e)
		}
		p := Packet{Source: own, Destination: Group, TTL: TTL, Header: b[:20], Payload: b[20:]}
		a, got := Decode(p)
		if got == Accepted {
			got, _ = e.Check(a, p)
		}
		if got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		if c.want == Accepted && a.Sequence != 1 {
			t.Errorf("%s: sequence %d, want 1", c.name, a.Sequence)
		}
	}
	b := unhex(t, goldenAH)
	bare := Packet{Source: own, Destination: Group, TTL: TTL, Payload: b[44:]}
	a, _ := Decode(bare)
	if got, _ := e.Check(a, bare); got != AuthMismatch {
		t.Errorf("type AH without a header: got %v, want %v", got, AuthMismatch)
	}
	p := SealAH(b[44:], own, hundred, 64, 7, auth("secret12"))
	p.TTL, p.Header[8] = 60, 60
	e.Unicast = true
	a, _ = Decode(p)
	if got, _ := e.Check(a, p); got != Accepted {
		t.Errorf("unicast over some hops: got %v, want accepted", got)
	}
}

// TestTheWayOfAPacketIsChecked is RFC 9568 section 7.1 and keepalived's
// options of unicast.
func TestTheWayOfAPacketIsChecked(t *testing.T) {
	a := Advert{VRID: 51, Interval: time.Second, Addresses: []netip.Addr{ten}}
	multicast := Expect{VRID: 51, Interval: time.Second, Addresses: a.Addresses, Own: own}
	other := multicast
	other.Group = netip.MustParseAddr("224.0.0.19")
	unicast := multicast
	unicast.Unicast, unicast.Peers = true, []Peer{{Address: peer, MinTTL: 10, MaxTTL: 20}}
	only := unicast
	only.OnlyPeers = true
	stranger := netip.MustParseAddr("10.1.1.99")
	for _, c := range []struct {
		name           string
		e              Expect
		source, toward netip.Addr
		ttl            uint8
		want           Reason
	}{
		{"multicast", multicast, peer, Group, 255, Accepted},
		{"over a router", multicast, peer, Group, 254, BadTTL},
		{"TTL 1", multicast, peer, Group, 1, BadTTL},
		{"unicast to a multicast router", multicast, peer, own, 255, BadDestination},
		{"another group", multicast, peer, other.Group, 255, BadDestination},
		{"the configured group", other, peer, other.Group, 255, Accepted},
		{"the usual group", other, peer, Group, 255, BadDestination},
		{"multicast to a unicast router", unicast, peer, Group, 255, BadDestination},
		{"too far", unicast, peer, own, 9, BadTTL},
		{"too near", unicast, peer, own, 21, BadTTL},
		{"just right", unicast, peer, own, 20, Accepted},
		{"from a stranger", unicast, stranger, own, 1, Accepted},
		{"strangers are refused", only, stranger, own, 255, UnknownPeer},
	} {
		if got, _ := c.e.Check(a, Packet{Source: c.source, Destination: c.toward, TTL: c.ttl}); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	six := multicast
	six.Own = linkLocal
	if got, _ := six.Check(a, Packet{Source: netip.MustParseAddr("fe80::2"), Destination: Group6, TTL: 255}); got != Accepted {
		t.Errorf("IPv6: got %v, want accepted", got)
	}
}

func TestAnyAdvertisementOfVersion3SurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Advert{Version: 3, VRID: rapid.Byte().Draw(t, "vrid"), Priority: rapid.Byte().Draw(t, "priority"),
			Interval: time.Duration(rapid.IntRange(1, 4095).Draw(t, "interval")) * 10 * time.Millisecond}
		source, toward := peer, own
		bytes := 4
		if rapid.Bool().Draw(t, "IPv6") {
			source, toward, bytes = linkLocal, Group6, 16
		}
		for range rapid.IntRange(0, 30).Draw(t, "addresses") {
			addr, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), bytes, bytes).Draw(t, "address"))
			a.Addresses = append(a.Addresses, addr)
		}
		b, err := a.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		Seal(b, source, toward)
		got, reason := Decode(Packet{Source: source, Destination: toward, TTL: TTL, Payload: b})
		if reason != Accepted || !equal(got, a) {
			t.Fatalf("got %+v, %v, want %+v", got, reason, a)
		}
	})
}
