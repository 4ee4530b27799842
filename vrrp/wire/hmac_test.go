package wire

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	secret = func() (b []byte) {
		for i := range 32 {
			b = append(b, byte(i))
		}
		return b
	}()
	sender   = netip.MustParseAddr("192.0.2.1")
	sender6  = netip.MustParseAddr("fe80::1")
	signedAt = time.Unix(0x6745a1b2, 500_000_000)
)

// signed is an advertisement with a trailer as it is received.
func signed(t *testing.T, source netip.Addr, key Key, sequence uint64) Packet {
	t.Helper()
	to, addr := Group, netip.MustParseAddr("10.0.0.100")
	if source.Is6() {
		to, addr = Group6, netip.MustParseAddr("2001:db8::64")
	}
	m, err := Advert{Version: 3, VRID: 51, Priority: 100, Interval: time.Second, Addresses: []netip.Addr{addr}}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if source.Is4() {
		Seal(m, source, to)
	}
	m = Sign(m, source, key, sequence)
	if source.Is6() {
		Seal(m, source, to)
	}
	return Packet{Source: source, Destination: to, TTL: TTL, Payload: m}
}

// The bytes were made by another program from the description of the format.
func TestATrailerIsMadeOfTheseBytes(t *testing.T) {
	key := Key{7, secret}
	for want, source := range map[string]netip.Addr{
		"313364010064bd720a000064010700006745a1b280000000145b360c4dddd606c40e5753085178f0":                         sender,
		"313364010064000020010db8000000000000000000000064010700006745a1b28000000036078b44c83076644e95947a84c96e49": sender6,
	} {
		p := signed(t, source, key, Sequence(signedAt))
		got := bytes.Clone(p.Payload)
		if source.Is6() { // the checksum comes after the signature
			got[checksumAt], got[checksumAt+1] = 0, 0
		}
		if hex.EncodeToString(got) != want {
			t.Errorf("%v:\ngot  %x\nwant %s", source, got, want)
		}
		a, reason := Decode(p)
		if reason != Accepted || a.Trailer == nil || a.Trailer.Key != 7 || a.Trailer.Sequence != 0x6745a1b280000000 {
			t.Fatalf("%v: decoded %+v, %v", source, a, reason)
		}
	}
}

func TestWhatATrailerIsRefusedFor(t *testing.T) {
	now := signedAt
	demand := HMAC{Keys: []Key{{1, secret}, {2, bytes.Repeat([]byte("k"), 32)}}, Window: 5 * time.Second}
	sequence := Sequence(now)
	for name, tc := range map[string]struct {
		change func(p *Packet)
		at     time.Time
		want   Reason
	}{
		"good":              {func(*Packet) {}, now, Accepted},
		"the window's edge": {func(*Packet) {}, now.Add(5 * time.Second), Accepted},
		"too old":           {func(*Packet) {}, now.Add(7 * time.Second), StaleTrailer},
		"from the future":   {func(*Packet) {}, now.Add(-7 * time.Second), StaleTrailer},
		"no trailer":        {func(p *Packet) { p.Payload = p.Payload[:len(p.Payload)-TrailerSize] }, now, NoTrailer},
		"another scheme":    {func(p *Packet) { p.Payload[len(p.Payload)-TrailerSize] = 2 }, now, BadTrailer},
		"reserved bits":     {func(p *Packet) { p.Payload[len(p.Payload)-TrailerSize+3] = 1 }, now, BadTrailer},
		"unknown key":       {func(p *Packet) { p.Payload[len(p.Payload)-TrailerSize+1] = 9 }, now, UnknownKey},
		"another key":       {func(p *Packet) { p.Payload[len(p.Payload)-TrailerSize+1] = 2 }, now, BadTag},
		"another time":      {func(p *Packet) { p.Payload[len(p.Payload)-TrailerSize+7]++ }, now, BadTag},
		"another tag":       {func(p *Packet) { p.Payload[len(p.Payload)-1]++ }, now, BadTag},
		"another sender":    {func(p *Packet) { p.Source = netip.MustParseAddr("192.0.2.2") }, now, BadTag},
		"another VRID":      {func(p *Packet) { p.Payload[1]++ }, now, BadTag},
		"another priority":  {func(p *Packet) { p.Payload[2] = 255 }, now, BadTag},
	} {
		p := signed(t, sender, Key{1, secret}, sequence)
		tc.change(&p)
		a := Advert{Version: 3}
		if len(p.Payload) > 12 {
			a.Trailer = readTrailer(p.Payload)
		}
		var marks Marks
		if got := demand.Verify(a, p, tc.at, &marks); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
		if tc.want != Accepted && len(marks.Senders) > 0 {
			t.Errorf("%s: what was refused is remembered: %v", name, marks)
		}
	}
}

func TestNothingIsBelievedTwice(t *testing.T) {
	demand := HMAC{Keys: []Key{{1, secret}}}
	var marks Marks
	verify := func(source netip.Addr, sequence uint64) Reason {
		p := signed(t, source, Key{1, secret}, sequence)
		a, reason := Decode(p)
		if reason != Accepted {
			t.Fatal(reason)
		}
		return demand.Verify(a, p, signedAt, &marks)
	}
	top := ^uint64(0)
	for i, tc := range []struct {
		source   netip.Addr
		sequence uint64
		want     Reason
	}{
		{sender, 100, Accepted}, {sender, 100, Replayed}, {sender, 99, Replayed}, {sender, 101, Accepted},
		{sender6, 5, Accepted}, {sender, 102, Accepted}, {sender6, 5, Replayed},
		{sender6, top>>1 + 4, Accepted}, {sender6, top, Accepted}, {sender6, 3, Accepted}, {sender6, top, Replayed}, // over the end of the field
	} {
		if got := verify(tc.source, tc.sequence); got != tc.want {
			t.Errorf("step %d: %v, want %v", i, got, tc.want)
		}
	}
}

func TestTheSendersHeardLastAreRemembered(t *testing.T) {
	m := Marks{Most: 2}
	a, b, c := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	for _, s := range []netip.Addr{a, b, a, c} { // a was heard after b, so c takes b's place
		m.raise(s, uint64(len(m.Senders)+100+int(m.sequenceOf(s))))
	}
	if len(m.Senders) != 2 || m.sequenceOf(a) == 0 || m.sequenceOf(b) != 0 || m.sequenceOf(c) == 0 {
		t.Errorf("%+v", m)
	}
}

func (m *Marks) sequenceOf(a netip.Addr) uint64 {
	for _, k := range m.Senders {
		if k.Sender == a {
			return k.Sequence
		}
	}
	return 0
}

func TestNumbersGrowWhateverTheClockDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(0, 1<<34).Draw(t, "begin"), 0)
		last := Sequence(now)
		for range 20 {
			now = now.Add(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(t, "step")))
			next := NextSequence(last, now)
			if !after(next, last) {
				t.Fatalf("%x after %x at %v", next, last, now)
			}
			last = next
		}
	})
}

// Without the extension a packet with a trailer is too long, with it one
// without is only accepted while the group migrates.
func TestWithAndWithoutTheExtension(t *testing.T) {
	p := signed(t, sender, Key{1, secret}, Sequence(signedAt))
	a, _ := Decode(p)
	e := Expect{Version: 3, VRID: 51, Interval: time.Second, Own: netip.MustParseAddr("192.0.2.9")}
	if reason, _ := e.Check(a, p); reason != BadLength {
		t.Errorf("without: %v", reason)
	}
	e.HMAC = &HMAC{Keys: []Key{{1, secret}}, Bare: true}
	if reason, _ := e.Check(a, p); reason != Accepted {
		t.Errorf("with: %v", reason)
	}
	var marks Marks
	if r := e.HMAC.Verify(Advert{}, Packet{}, signedAt, &marks); r != Accepted {
		t.Errorf("migrating, without a trailer: %v", r)
	}
	for _, p.Payload = range [][]byte{p.Payload[:len(p.Payload)-1], append(bytes.Clone(p.Payload), 0), p.Payload[:20]} {
		if _, reason := Decode(p); reason != BadLength {
			t.Errorf("%d bytes: %v", len(p.Payload), reason)
		}
	}
}
