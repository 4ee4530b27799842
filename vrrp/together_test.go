package vrrp

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/wire"
)

// pair is two virtual routers on two networks in one sync group.
func pair() *settings.Config {
	cfg := seed()
	a := cfg.Instances[0]
	a.Name, a.Tracks = "A", nil
	b := a
	b.Name, b.Interface, b.VRID, b.Addresses = "B", "eth1", 2, []settings.Address{address("10.1.2.10/32", "eth1")}
	cfg.Instances = []settings.Instance{a, b}
	cfg.Groups = []settings.Group{{Name: "G", Members: []string{"A", "B"}}}
	return cfg
}

// advertB lets a router advertise B's virtual router on eth1.
func (h *fakeHost) advertB(t *testing.T, from string, priority uint8) {
	t.Helper()
	h.packet("eth1", advertPacket(t, from, priority, func(a *wire.Advert) {
		a.VRID, a.Addresses = 2, []netip.Addr{netip.MustParseAddr("10.1.2.10")}
	}))
}

func wantStates(t *testing.T, s *Server, want ...string) {
	t.Helper()
	synctest.Wait()
	for i, in := range s.Status() {
		if in.State != want[i] {
			t.Errorf("%s: got %s (%s), want %s", in.Name, in.State, in.Why, want[i])
		}
		if in.Group != "G" {
			t.Errorf("%s: group %q, want G", in.Name, in.Group)
		}
	}
}

// wantTogether compares traces of several instances at one moment: addresses
// are set on a goroutine of their own, so one instance's packet and another's
// address come in either order.
func wantTogether(t *testing.T, got, want string) {
	t.Helper()
	sorted := func(trace string) string {
		lines := strings.Split(strings.TrimSpace(trace), "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	wantTrace(t, sorted(got), sorted(want))
}

func TestASyncGroupGoesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, pair(), nil)
		elapse(4 * time.Second)
		wantTogether(t, h.since(), "3.610 send eth0 1/100\n3.610 send eth1 2/100\n3.610 add 10.1.1.10/32\n3.610 arp 10.1.1.10\n3.610 add 10.1.2.10/32\n3.610 arp 10.1.2.10")
		wantStates(t, s, "MASTER", "MASTER")
		h.logged(t, "sync group G: MASTER")
		// A better master on one network takes both.
		h.advertB(t, "10.1.2.21", 101)
		wantTogether(t, h.since(), "4.000 send eth0 1/0\n4.000 delete 10.1.2.10/32\n4.000 delete 10.1.1.10/32")
		wantStates(t, s, "BACKUP", "BACKUP")
		if got := s.Status()[0].Why; got != "B of its sync group is master no more" {
			t.Errorf("why: got %q", got)
		}
		h.logged(t, "sync group G: BACKUP")
	})
}

func TestAFaultOfOneIsAFaultOfTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, pair(), nil)
		elapse(4 * time.Second)
		h.since()
		h.setUp("eth1", false)
		synctest.Wait()
		wantStates(t, s, "FAULT", "FAULT")
		if got := s.Status()[0].Why; got != "B of its sync group: interface eth1 is down" {
			t.Errorf("why: got %q", got)
		}
		elapse(10 * time.Second)
		h.setUp("eth1", true)
		elapse(time.Second)
		wantStates(t, s, "BACKUP", "BACKUP")
		elapse(4 * time.Second)
		wantStates(t, s, "MASTER", "MASTER")
	})
}

func TestARivalOfOneIsAnsweredByTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, pair(), nil)
		elapse(4 * time.Second)
		h.since()
		h.advert(t, "10.1.1.21", 90)
		wantTrace(t, h.since(), "4.000 send eth0 1/100\n4.000 send eth1 2/100\n4.000 arp 10.1.1.10\n4.000 arp 10.1.2.10")
		wantStates(t, s, "MASTER", "MASTER")
	})
}

func TestAReloadThatMakesAGroupOfAMasterAndABackupMakesBothMaster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := pair()
		cfg.Groups = nil
		s := begin(t, h, cfg, nil)
		for range 8 {
			elapse(500 * time.Millisecond)
			h.advertB(t, "10.1.2.21", 110)
		}
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.since()
		s = begin(t, h, pair(), blob)
		synctest.Wait()
		wantStates(t, s, "MASTER", "MASTER")
	})
}

func TestAMasterThatOneMemberHearsIsNotReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, pair(), nil)
		for range 20 { // A hears nothing
			elapse(500 * time.Millisecond)
			h.advertB(t, "10.1.2.21", 110)
		}
		wantStates(t, s, "BACKUP", "BACKUP")
		h.logged(t, "(A) no advertisement of the master that B of its sync group hears")
		wantTrace(t, h.since(), "")
		elapse(4 * time.Second)
		wantStates(t, s, "MASTER", "MASTER")
	})
}
