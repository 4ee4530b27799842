package wire

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	peer = netip.MustParseAddr("10.1.1.21")
	own  = netip.MustParseAddr("10.1.1.20")
	ten  = netip.MustParseAddr("10.1.1.10")
	elev = netip.MustParseAddr("10.1.1.11")
)

func auth(s string) (a [AuthSize]byte) {
	copy(a[:], s)
	return a
}

// golden are advertisements captured from keepalived 2.2.7.
var golden = []struct {
	name, hex string
	advert    Advert
}{
	{"one address", "21336401 0001 6fbf 0a01010a 0000000000000000",
		Advert{VRID: 51, Priority: 100, Interval: time.Second, Addresses: []netip.Addr{ten}}},
	{"resignation", "21330001 0001 d3bf 0a01010a 0000000000000000",
		Advert{VRID: 51, Priority: 0, Interval: time.Second, Addresses: []netip.Addr{ten}}},
	{"two addresses", "21336402 0001 64b2 0a01010a 0a01010b 0000000000000000",
		Advert{VRID: 51, Priority: 100, Interval: time.Second, Addresses: []netip.Addr{ten, elev}}},
	{"short password", "21336401 0101 0c5d 0a01010a 3131313100000000",
		Advert{VRID: 51, Priority: 100, Interval: time.Second, AuthType: AuthPass, AuthData: auth("1111"), Addresses: []netip.Addr{ten}}},
	{"password of eight", "21336401 0101 0141 0a01010a 7365637265743132",
		Advert{VRID: 51, Priority: 100, Interval: time.Second, AuthType: AuthPass, AuthData: auth("secret12"), Addresses: []netip.Addr{ten}}},
	{"owner", "2133ff01 0001 d4be 0a01010a 0000000000000000",
		Advert{VRID: 51, Priority: 255, Interval: time.Second, Addresses: []netip.Addr{ten}}},
	{"AH's inner message", "21336401 0201 6dbf 0a01010a 0000000000000000",
		Advert{VRID: 51, Priority: 100, Interval: time.Second, AuthType: AuthAH, Addresses: []netip.Addr{ten}}},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func packet(payload []byte) Packet {
	return Packet{Source: peer, Destination: Group, TTL: TTL, Payload: payload}
}

func equal(a, b Advert) bool {
	if len(a.Addresses) != len(b.Addresses) {
		return false
	}
	for i := range a.Addresses {
		if a.Addresses[i] != b.Addresses[i] {
			return false
		}
	}
	return a.version() == b.version() && a.VRID == b.VRID && a.Priority == b.Priority && a.Interval == b.Interval && a.AuthType == b.AuthType && a.AuthData == b.AuthData
}

func TestAdvertisementsAreKeepalivedsBytes(t *testing.T) {
	for _, g := range golden {
		want := unhex(t, g.hex)
		got, err := g.advert.Append([]byte("before"))
		if err != nil || !bytes.Equal(got, append([]byte("before"), want...)) {
			t.Errorf("%s: got %x, %v, want %x", g.name, got, err, want)
		}
		adv, reason := Decode(packet(want))
		if reason != Accepted || !equal(adv, g.advert) {
			t.Errorf("%s: decoded %+v, %v, want %+v", g.name, adv, reason, g.advert)
		}
	}
}

func TestWhatDoesNotFitIsNotSent(t *testing.T) {
	for name, a := range map[string]Advert{
		"fraction of a second": {Interval: 1500 * time.Millisecond},
		"no interval":          {},
		"long interval":        {Interval: 256 * time.Second},
		"IPv4 and IPv6":        {Interval: time.Second, Addresses: []netip.Addr{netip.MustParseAddr("fe80::1"), ten}},
		"version 3, 41 s":      {Version: 3, Interval: 41 * time.Second},
		"version 3, 5 ms":      {Version: 3, Interval: 5 * time.Millisecond},
		"too many addresses":   {Interval: time.Second, Addresses: make([]netip.Addr, 256)},
	} {
		if b, err := a.Append([]byte{1}); err == nil || len(b) != 1 {
			t.Errorf("%s: got %x, %v, want an error and nothing appended", name, b, err)
		}
	}
}

func TestRefusedPacketsNameTheirReason(t *testing.T) {
	good := unhex(t, golden[0].hex)
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for _, c := range []struct {
		name string
		p    Packet
		want Reason
	}{
		{"empty", packet(nil), BadLength},
		{"seven bytes", packet(good[:7]), BadLength},
		{"header only", packet(good[:8]), BadLength},
		{"one byte short", packet(good[:19]), BadLength},
		{"one byte long", packet(append(bytes.Clone(good), 0)), BadLength},
		{"count too high", packet(change(3, 2)), BadLength},
		{"count too low", packet(change(3, 0)), BadLength},
		{"CARP", packet(unhex(t, "21330000 0701 0000 0000000000000000 0000000000000000000000000000000000000000")), BadLength},
		{"version 4", packet(change(0, 0x41)), BadVersion},
		{"version 3 with the length of version 2", packet(change(0, 0x31)), BadLength},
		{"version 0", packet(change(0, 0x01)), BadVersion},
		{"type 2", packet(change(0, 0x22)), BadType},
		{"checksum off by one", packet(change(7, 0xbe)), BadChecksum},
		{"another priority, old checksum", packet(change(2, 101)), BadChecksum},
		{"good", packet(good), Accepted},
	} {
		adv, got := Decode(c.p)
		if got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		if len(c.p.Payload) >= 2 && adv.VRID != 51 {
			t.Errorf("%s: VRID %d lost, want 51 even when refused", c.name, adv.VRID)
		}
	}
}

func TestAnInstanceChecksWhatItExpects(t *testing.T) {
	want := Expect{VRID: 51, Interval: time.Second, AuthType: AuthPass, AuthData: auth("secret12"), Addresses: []netip.Addr{ten, elev}, Own: own}
	good := Advert{VRID: 51, Priority: 100, Interval: time.Second, AuthType: AuthPass, AuthData: auth("secret12"), Addresses: []netip.Addr{elev, ten}}
	with := func(change func(*Advert)) Advert {
		a := good
		change(&a)
		return a
	}
	for _, c := range []struct {
		name   string
		a      Advert
		source netip.Addr
		reason Reason
		remark Remark
	}{
		{"equal, in another order", good, peer, Accepted, 0},
		{"another VRID", with(func(a *Advert) { a.VRID = 52 }), peer, UnknownVRID, 0},
		{"from ourselves", good, own, OwnPacket, 0},
		{"version 3", with(func(a *Advert) { a.Version = 3 }), peer, BadVersion, 0},
		{"authentication 3", with(func(a *Advert) { a.AuthType = 3 }), peer, InvalidAuth, 0},
		{"no authentication", with(func(a *Advert) { a.AuthType = AuthNone }), peer, AuthMismatch, 0},
		{"AH", with(func(a *Advert) { a.AuthType = AuthAH }), peer, AuthMismatch, 0},
		{"another password", with(func(a *Advert) { a.AuthData = auth("secret13") }), peer, AuthFailure, 0},
		{"a prefix of the password", with(func(a *Advert) { a.AuthData = auth("secret") }), peer, AuthFailure, 0},
		{"another interval", with(func(a *Advert) { a.Interval = 2 * time.Second }), peer, Accepted, OtherInterval},
		{"fewer addresses", with(func(a *Advert) { a.Addresses = []netip.Addr{ten} }), peer, Accepted, OtherAddresses},
		{"other addresses, other interval", with(func(a *Advert) { a.Addresses = []netip.Addr{ten, own}; a.Interval = 0 }), peer, Accepted, OtherAddresses | OtherInterval},
	} {
		if reason, remark := want.Check(c.a, Packet{Source: c.source, Destination: Group, TTL: TTL}); reason != c.reason || remark != c.remark {
			t.Errorf("%s: got %v, %d, want %v, %d", c.name, reason, remark, c.reason, c.remark)
		}
	}
}

func TestWithoutAuthenticationTheDataIsIgnored(t *testing.T) {
	e := Expect{VRID: 51, Interval: time.Second, Addresses: []netip.Addr{ten}, Own: own}
	a := Advert{VRID: 51, Interval: time.Second, AuthData: auth("rubbish"), Addresses: []netip.Addr{ten}}
	if reason, _ := e.Check(a, packet(nil)); reason != Accepted {
		t.Errorf("got %v, want accepted", reason)
	}
}

func TestEveryReasonHasWords(t *testing.T) {
	for r := Accepted; r < reasons; r++ {
		if r.String() == "" {
			t.Errorf("reason %d has no words", r)
		}
	}
	if got := Reason(200).String(); got != "reason 200" {
		t.Errorf("got %q", got)
	}
}

func TestAnyAdvertisementSurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Advert{
			VRID:     rapid.Byte().Draw(t, "vrid"),
			Priority: rapid.Byte().Draw(t, "priority"),
			Interval: time.Duration(rapid.IntRange(1, 255).Draw(t, "interval")) * time.Second,
			AuthType: rapid.Byte().Draw(t, "auth"),
		}
		copy(a.AuthData[:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "data"))
		for _, n := range rapid.SliceOfN(rapid.Uint32(), 0, 255).Draw(t, "addresses") {
			a.Addresses = append(a.Addresses, netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}))
		}
		b, err := a.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, reason := Decode(packet(b))
		if reason != Accepted || !equal(got, a) {
			t.Fatalf("got %+v, %v, want %+v", got, reason, a)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, g := range golden {
		f.Add(unhex(f, g.hex), false, false)
	}
	f.Add(unhex(f, "31336401003273ea0a01010a"), false, false)
	f.Add(unhex(f, "700400000a01011400000001759f60d5f72d81d8664807722133640102016dbf0a01010a0000000000000000"), false, true)
	f.Add(unhex(f, "3133ff010064e5c9fe800000000000000000000000000010"), true, false)
	f.Add([]byte{0x21}, false, false)
	f.Add(unhex(f, "2133ff010001d4be0a01010a00000000000000000000"+"6969696969696969696969696969696969696969696969"+"000000"), false, false) // with a trailer
	f.Fuzz(func(t *testing.T, b []byte, six, ah bool) {
		p := packet(b)
		if six {
			p.Source, p.Destination = linkLocal, Group6
		} else if ah {
			p.Header = make([]byte, 20)
		}
		a, reason := Decode(p)
		if reason != Accepted {
			return
		}
		if ah && !six {
			b = b[24:]
		}
		if a.Trailer != nil {
			b = b[:len(b)-TrailerSize]
		}
		if a.Interval == 0 || len(a.Addresses) == 0 && six {
			return // accepted with a remark, but not ours to send
		}
		again, err := a.Append(nil)
		if err != nil {
			t.Fatalf("accepted %x, cannot send it: %v", b, err)
		}
		// 0 and 0xffff are the same sum in one's complement, and version 3 has
		// three sums and four reserved bits.
		again[6], again[7] = b[6], b[7]
		if b[0]>>4 == 3 {
			again[4] |= b[4] & 0xf0
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("accepted %x, sends %x", b, again)
		}
	})
}
