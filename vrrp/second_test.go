package vrrp

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/vip"
	"herald/vrrp/wire"
)

const (
	ourSix = "fe80::20"
	vipSix = "2001:db8::10"
)

// mixed is an instance with addresses of both families, on a host with a
// link-local address.
func mixed(h *fakeHost) *settings.Config {
	i := h.snap["eth0"]
	i.Addresses = append(i.Addresses, vip.Present{Prefix: netip.MustParsePrefix(ourSix + "/64")})
	h.snap["eth0"] = i
	cfg := seed()
	in := &cfg.Instances[0]
	in.Tracks = nil
	in.Excluded = []settings.Address{address(vipSix+"/128", "eth0")}
	in.Second = []netip.Addr{netip.MustParseAddr(vipSix)}
	return cfg
}

// advert6 lets a router advertise the second family.
func (h *fakeHost) advert6(t *testing.T, from string, priority uint8) {
	t.Helper()
	a := wire.Advert{Version: 3, VRID: 1, Priority: priority, Interval: time.Second, Addresses: []netip.Addr{netip.MustParseAddr(vipSix)}}
	b, err := a.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	source := netip.MustParseAddr(from)
	wire.Seal(b, source, wire.Group6)
	h.packet("eth0/6", wire.Packet{Source: source, Destination: wire.Group6, TTL: 255, Payload: b})
}

// every calls f once a second, n times.
func every(n int, f func()) {
	for range n {
		f()
		elapse(time.Second)
	}
}

func count(trace, what string) int { return strings.Count(trace, what) }

const sentSix = "send eth0 1/100 from " + ourSix + " to ff02::12 ttl 255"

func TestTheSecondFamilySpeaksWithTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, mixed(h), nil)
		elapse(3 * time.Second)
		if got := h.since(); count(got, "send") != 0 {
			t.Errorf("a backup speaks:\n%s", got)
		}
		elapse(3 * time.Second)
		got := h.since()
		if four, six := count(got, "send eth0 1/100\n"), count(got, sentSix); four < 2 || four != six {
			t.Errorf("%d advertisements of IPv4, %d of IPv6:\n%s", four, six, got)
		}
		if count(got, "add "+vipSix) != 1 {
			t.Errorf("the address of the second family was not added:\n%s", got)
		}
		go s.Stop(t.Context())
		elapse(time.Millisecond)
		if got := h.since(); count(got, "send eth0 1/0\n") != 1 || count(got, "send eth0 1/0 from "+ourSix) != 1 {
			t.Errorf("the resignation:\n%s", got)
		}
	})
}

func TestTheSecondFamilysSilenceMeansNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, mixed(h), nil)
		// Another node that advertises IPv4 alone, as keepalived does; then one
		// whose IPv6 falls silent.
		every(10, func() { h.advert(t, "10.1.1.21", 150) })
		every(5, func() { h.advert(t, "10.1.1.21", 150); h.advert6(t, "fe80::21", 150) })
		every(20, func() { h.advert(t, "10.1.1.21", 150) })
		if got := h.since(); count(got, "send") != 0 {
			t.Errorf("it spoke:\n%s", got)
		}
		wantState(t, s, "BACKUP", 100)
	})
}

func TestAMasterHeardInTheSecondFamilyIsAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, mixed(h), nil)
		every(5, func() { h.advert(t, "10.1.1.21", 150); h.advert6(t, "fe80::21", 150) })
		every(20, func() { h.advert6(t, "fe80::21", 150) }) // IPv4 is broken
		wantState(t, s, "BACKUP", 100)
		h.logged(t, "is heard in IPv6: only one family is broken")
		began := time.Now()
		for wantedMaster := false; !wantedMaster; wantedMaster = s.Status()[0].State == "MASTER" {
			elapse(10 * time.Millisecond)
			if time.Since(began) > 10*time.Second {
				t.Fatal("nobody takes over from a master that is dead")
			}
		}
		// One interval has passed since the last word.
		if took := time.Since(began) + time.Second; took > 3700*time.Millisecond {
			t.Errorf("took over after %v", took)
		}
	})
}

func TestALesserOrResigningMasterOfTheSecondFamilyHoldsNobodyBack(t *testing.T) {
	for priority, who := range map[uint8]string{50: "a lesser one", 0: "one that resigns"} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost()
			s := begin(t, h, mixed(h), nil)
			every(5, func() { h.advert6(t, "fe80::21", priority) })
			if got := s.Status()[0].State; got != "MASTER" {
				t.Errorf("%s: %s", who, got)
			}
		})
	}
}

func TestABetterMasterOfTheSecondFamilyIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, mixed(h), nil)
		elapse(5 * time.Second)
		wantState(t, s, "MASTER", 100)
		every(10, func() { h.advert6(t, "fe80::21", 150) }) // IPv4 is broken from there to here
		wantState(t, s, "BACKUP", 100)
		if n := s.Status()[0].Counters.BecomeMaster; n != 1 {
			t.Errorf("became master %d times", n)
		}
	})
}

func TestBetweenEqualsTheFirstFamilyDecidesUnlessItIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, mixed(h), nil)
		elapse(5 * time.Second)
		h.advert6(t, "fe80::21", 100) // would win by IPv6
		h.advert(t, "10.1.1.19", 100) // loses by IPv4, and steps back
		elapse(5 * time.Second)
		if n := s.Status()[0].Counters.ReleaseMaster; n != 0 {
			t.Fatal("it stepped back from one that loses by the first family")
		}
		every(5, func() { h.advert6(t, "fe80::19", 100) }) // loses by IPv6
		wantState(t, s, "MASTER", 100)
		every(5, func() { h.advert6(t, "fe80::21", 100) }) // wins, and goes on
		wantState(t, s, "BACKUP", 100)
	})
}

func TestALesserMasterOfTheSecondFamilyIsAnsweredOnceAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, mixed(h), nil)
		elapse(5 * time.Second)
		h.since()
		for range 50 { // one that advertises far too often
			h.advert6(t, "fe80::21", 50)
			elapse(20 * time.Millisecond)
		}
		got := h.since()
		if n := count(got, sentSix); n < 1 || n > 3 {
			t.Errorf("%d advertisements in a second:\n%s", n, got)
		}
		wantState(t, s, "MASTER", 100)
	})
}

func TestAForgedAdvertisementOfTheSecondFamilyIsCountedAndIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, mixed(h), nil)
		elapse(5 * time.Second)
		a := wire.Advert{Version: 3, VRID: 1, Priority: 200, Interval: time.Second}
		b, _ := a.Append(nil)
		wire.Seal(b, netip.MustParseAddr("fe80::66"), wire.Group6)
		h.packet("eth0/6", wire.Packet{Source: netip.MustParseAddr("fe80::66"), Destination: wire.Group6, TTL: 64, Payload: b})
		elapse(time.Second)
		if got := wantState(t, s, "MASTER", 100); got.Counters.IPTTLErrors != 1 || !strings.Contains(got.Counters.LastRejected, "fe80::66") {
			t.Errorf("counters %+v", got.Counters)
		}
	})
}

func TestWithoutAnAddressOfTheSecondFamilyTheFirstGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := mixed(h)
		i := h.snap["eth0"]
		i.Addresses = i.Addresses[:1] // IPv6 is off
		h.snap["eth0"] = i
		s := begin(t, h, cfg, nil)
		elapse(5 * time.Second)
		wantState(t, s, "MASTER", 100)
		if got := h.since(); count(got, "to ff02::12") != 0 || count(got, "send eth0 1/100\n") == 0 {
			t.Errorf("got\n%s", got)
		}
	})
}
