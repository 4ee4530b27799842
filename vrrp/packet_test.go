package vrrp

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/fsm"
	"herald/vrrp/settings"
	"herald/vrrp/vip"
	"herald/vrrp/wire"
)

// unicast is the seed with peers; our own address is among them.
func unicast() *settings.Config {
	cfg := seed()
	in := &cfg.Instances[0]
	in.Tracks, in.Unicast, in.UnicastTTL = nil, true, 64
	for _, p := range []string{"10.1.1.20", "10.1.1.21", "10.1.1.22"} {
		in.Peers = append(in.Peers, settings.Peer{Address: netip.MustParseAddr(p)})
	}
	return cfg
}

func TestUnicastGoesToEveryPeerButUs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, unicast(), nil)
		elapse(3700 * time.Millisecond)
		wantTrace(t, h.since(), strings.Join([]string{
			"3.610 send eth0 1/100 from 10.1.1.20 to 10.1.1.21 ttl 64",
			"3.610 send eth0 1/100 from 10.1.1.20 to 10.1.1.22 ttl 64",
			"3.610 add 10.1.1.10/32",
			"3.610 arp 10.1.1.10"}, "\n"))
		if got := s.Status()[0].Counters.AdvertiseSent; got != 1 {
			t.Errorf("counted %d advertisements, want one for all peers", got)
		}
		if h.links["eth0"].place.Join {
			t.Error("a socket of unicast instances only joined the group")
		}
		p := advertPacket(t, "10.1.1.21", 101, nil)
		h.packet("eth0", p)
		wantState(t, s, "MASTER", 100) // multicast is refused
		p = advertPacket(t, "10.1.1.21", 101, nil)
		p.Destination, p.TTL = netip.MustParseAddr("10.1.1.20"), 60
		h.packet("eth0", p)
		wantState(t, s, "BACKUP", 100)
	})
}

func TestOnePeerOutOfReachDoesNotMatterToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.unreachable = netip.MustParseAddr("10.1.1.21")
		s := begin(t, h, unicast(), nil)
		elapse(3700 * time.Millisecond)
		wantState(t, s, "MASTER", 100)
		if got := h.since(); !strings.Contains(got, "to 10.1.1.22") || strings.Count(got, "send") != 1 {
			t.Errorf("got\n%s\nwant one packet, to 10.1.1.22", got)
		}
		h.logged(t, "to 10.1.1.21")
		if got := s.Status()[0].Counters.AdvertiseSent; got != 1 {
			t.Errorf("counted %d advertisements, want 1", got)
		}
	})
}

func TestAMasterOfVersion3TeachesItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		in := &cfg.Instances[0]
		in.Tracks, in.Version = nil, 3
		s := begin(t, h, cfg, nil)
		p := advertPacket(t, "10.1.1.21", 150, func(a *wire.Advert) { a.Version, a.Interval = 3, 100*time.Millisecond })
		h.packet("eth0", p)
		wantState(t, s, "BACKUP", 100)
		h.logged(t, "advertises every 100ms, we every 1s")
		elapse(355 * time.Millisecond)
		wantState(t, s, "BACKUP", 100)
		elapse(10 * time.Millisecond)
		wantState(t, s, "MASTER", 100)
	})
}

func TestIPv6SpeaksFromTheLinkLocalAddressAndIsAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		in := &cfg.Instances[0]
		in.Tracks, in.Version, in.IPv6 = nil, 3, true
		in.Addresses = []settings.Address{address("fe80::10/64", "eth0"), address("2001:db8::10/128", "eth0")}
		s := begin(t, h, cfg, nil)
		wantState(t, s, "FAULT", 100)
		own := vip.Present{Prefix: netip.MustParsePrefix("fe80::20/64"), Tentative: true}
		put := func() {
			h.change(func() {
				i := h.snap["eth0"]
				i.Addresses = []vip.Present{{Prefix: netip.MustParsePrefix("fe80::10/64")}, own}
				h.snap["eth0"] = i
			})
		}
		put()
		synctest.Wait()
		if got := s.Status()[0]; !strings.Contains(got.Why, "no IPv6 link-local address") {
			t.Errorf("with a tentative address: %s (%s)", got.State, got.Why)
		}
		own.Tentative = false
		put()
		elapse(3700 * time.Millisecond)
		got := h.since()
		for _, want := range []string{"open eth0 ff02::12 join true", "from fe80::20 to ff02::12 ttl 255", "arp fe80::10", "arp 2001:db8::10"} {
			if !strings.Contains(got, want) {
				t.Errorf("trace lacks %q:\n%s", want, got)
			}
		}
	})
}

func TestTheSameNumberInBothFamiliesIsTwoRouters(t *testing.T) {
	four, six := seed().Instances[0], seed().Instances[0]
	six.IPv6 = true
	cfg := &settings.Config{Instances: []settings.Instance{four, six}}
	s := &Server{instances: []*instance{newInstance(0, cfg), newInstance(1, cfg)}}
	v := savedInstance{Interface: "eth0", VRID: 1, IPv6: true}
	v.State.Kind = fsm.Backup
	if got := s.heir(v); got != s.instances[1] {
		t.Errorf("the heir of the IPv6 router is %+v", got)
	}
}

// TestTheNumberOfTheAuthenticationHeaderOnlyGrows: keepalived drops a packet
// whose number is not newer than what it has seen of anybody.
func TestTheNumberOfTheAuthenticationHeaderOnlyGrows(t *testing.T) {
	cfg := seed()
	cfg.Instances[0].Auth = settings.Auth{Type: settings.AuthAH, Pass: "secret12"}
	in := newInstance(0, &settings.Config{Instances: cfg.Instances})
	in.source = netip.MustParseAddr("10.1.1.20")
	now := time.Unix(1000, 0)
	number := func(now time.Time) uint32 {
		p, err := in.packets(100, now)
		if err != nil || len(p) != 1 {
			t.Fatalf("got %v, %v", p, err)
		}
		a, reason := wire.Decode(p[0])
		if reason != wire.Accepted {
			t.Fatal(reason)
		}
		other := in.expect
		other.Own, other.Addresses = netip.MustParseAddr("10.1.1.21"), in.expect.Addresses
		if got, _ := other.Check(a, p[0]); got != wire.Accepted {
			t.Fatalf("the other side: %v", got)
		}
		return a.Sequence
	}
	if a, b := number(now), number(now); a != 1000 || b != 1001 {
		t.Errorf("got %d and %d, want 1000 and 1001", a, b)
	}
	in.sequence = 5000 // heard
	if got := number(now.Add(time.Hour)); got != 5001 {
		t.Errorf("after hearing 5000: got %d, want 5001", got)
	}
}

func TestAResignationTravelsWithItsSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, unicast(), nil)
		elapse(3700 * time.Millisecond)
		h.since()
		blob, err := s.Handover(t.Context())
		if err != nil || !json.Valid(blob) {
			t.Fatal(err)
		}
		begin(t, h, &settings.Config{}, blob)
		elapse(time.Second)
		got := h.since()
		for _, want := range []string{"1/0 from 10.1.1.20 to 10.1.1.21 ttl 64", "1/0 from 10.1.1.20 to 10.1.1.22 ttl 64", "delete 10.1.1.10/32"} {
			if !strings.Contains(got, want) {
				t.Errorf("trace lacks %q:\n%s", want, got)
			}
		}
	})
}
