package vrrp

import (
	"errors"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// virtualHost makes a fakeHost the port of virtual MAC interfaces, sysctls and
// the firewall.
type virtualHost struct {
	*fakeHost
	makeErr    error
	next       int // index of the last interface made
	values     map[string]string
	belongings settings.Belongings
}

// SetSysctl remembers values by device and name.
func (h *virtualHost) SetSysctl(v settings.Sysctl) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := v.Device + " " + path.Base(v.Name)
	before := h.values[key]
	if before == "" {
		before = "0"
	}
	h.values[key] = v.Value
	h.note("sysctl %s %s", key, v.Value)
	return before, nil
}

func newVirtualHost() *virtualHost {
	return &virtualHost{fakeHost: newHost(), next: 100, values: map[string]string{}}
}

func (h *virtualHost) MakeVirtualMAC(v settings.VirtualMAC) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("make %s", v.Name)
	if h.makeErr != nil {
		return h.makeErr
	}
	i, exists := h.snap[v.Name]
	if !exists {
		h.next++
		i = vip.Interface{Name: v.Name, Index: h.next}
	}
	i.Up, i.Hardware = h.snap[v.Parent].Up, v.Hardware
	h.snap[v.Name] = i
	h.tell()
	return nil
}

func (h *virtualHost) RemoveVirtualMAC(v settings.VirtualMAC) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("remove %s", v.Name)
	delete(h.snap, v.Name)
	h.tell()
	return nil
}

func (h *virtualHost) LowerReversePath(except []string) ([]settings.Sysctl, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("lower but %v", except)
	return []settings.Sysctl{{Device: "all", Name: "ipv4/conf/%s/rp_filter", Value: "1"}}, nil
}

func (h *virtualHost) begin(t *testing.T, cfg *settings.Config, blob []byte) *Server {
	t.Helper()
	ports := h.ports()
	ports.Virtual, ports.Sysctls, ports.Firewall = h, h, h.fakeHost
	ports.OnBelongings = func(b settings.Belongings) { h.belongings = b }
	return beginPorts(t, h.fakeHost, ports, cfg, blob)
}

// onVirtual puts the instance of seed on a virtual MAC interface.
func onVirtual() *settings.Config {
	cfg := seed()
	in := &cfg.Instances[0]
	in.VirtualMACs = []settings.VirtualMAC{{Name: "vrrp.1", Parent: "eth0", Hardware: settings.VirtualHardware(1, false)}}
	in.Sender = "vrrp.1"
	in.Addresses = []settings.Address{address("10.1.1.10/32", "vrrp.1")}
	return cfg
}

func TestAVirtualMACInterfaceIsThereFromFirstToLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newVirtualHost()
		s := h.begin(t, onVirtual(), nil)
		elapse(4 * time.Second)
		wantTrace(t, h.since(), "0.000 mute [vrrp.1]\n0.000 lower but [vrrp.1]\n0.000 make vrrp.1\n"+
			"0.000 sysctl eth0 arp_ignore 1\n0.000 sysctl eth0 arp_filter 1\n0.000 sysctl eth0 arp_announce 2\n0.000 silent []\n"+
			"3.610 send vrrp.1 1/100\n3.610 add 10.1.1.10/32\n3.610 arp 10.1.1.10")
		if got := wantState(t, s, "MASTER", 100); got.Master != "10.1.1.20" || got.Interface != "eth0" {
			t.Errorf("got %+v, want the parent's address as source", got)
		}
		if p := h.links["vrrp.1"].place; p.Under != 2 || p.Index != 101 || !p.Join {
			t.Errorf("the socket is %+v, want one joined on the parent too", p)
		}
		if b := h.belongings; len(b.VirtualMACs) != 1 || !b.Muted || !slices.ContainsFunc(b.Sysctls, func(v settings.Sysctl) bool { return v.Device == "all" && v.Value == "1" }) {
			t.Errorf("the parent is told %+v", b)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantTrace(t, h.since(), "4.000 send vrrp.1 1/0\n5.200 delete 10.1.1.10/32\n5.200 sysctl eth0 arp_ignore 0\n5.200 sysctl eth0 arp_filter 0\n5.200 sysctl eth0 arp_announce 0\n5.200 sysctl all rp_filter 1\n5.200 remove vrrp.1\n5.200 mute []")
		if b := h.belongings; len(b.VirtualMACs) > 0 || b.Muted || len(b.Sysctls) > 0 {
			t.Errorf("after the end the parent still has to take away %+v", b)
		}
	})
}

func TestAReloadThatAddsAVirtualMACInterfaceMovesTheAddressThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newVirtualHost()
		s := h.begin(t, seed(), nil)
		elapse(4 * time.Second)
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.since()
		next := h.begin(t, onVirtual(), blob)
		elapse(500 * time.Millisecond)
		got := h.since()
		if !strings.Contains(got, "4.000 send vrrp.1 1/100") || !strings.Contains(got, "4.000 add 10.1.1.10/32\n4.000 delete 10.1.1.10/32") ||
			!strings.Contains(got, "arp 10.1.1.10") || strings.Contains(got, "1/0") {
			t.Errorf("got\n%s", got)
		}
		if held := next.Held(); len(held) != 1 || held[0].Device != "vrrp.1" {
			t.Errorf("held: %v", held)
		}

		// And back: the interface goes after its address.
		if blob, err = next.Handover(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.since()
		last := h.begin(t, seed(), blob)
		elapse(500 * time.Millisecond)
		got = h.since()
		removed, deleted := strings.Index(got, "remove vrrp.1"), strings.Index(got, "delete 10.1.1.10/32")
		if deleted < 0 || removed < deleted || !strings.Contains(got, "sysctl all rp_filter 1") || !strings.Contains(got, "mute []") || strings.Contains(got, "make") {
			t.Errorf("got\n%s", got)
		}
		wantState(t, last, "MASTER", 100)
		if len(h.belongings.VirtualMACs) > 0 {
			t.Errorf("the parent still has to take away %+v", h.belongings)
		}
	})
}

func TestAnUnchangedReloadKeepsTheVirtualMACInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newVirtualHost()
		s := h.begin(t, onVirtual(), nil)
		elapse(4 * time.Second)
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.since()
		next := h.begin(t, onVirtual(), blob)
		elapse(500 * time.Millisecond)
		if got := h.since(); strings.Contains(got, "remove") || strings.Contains(got, "add") || strings.Contains(got, "delete") || strings.Contains(got, " 0\n") {
			t.Errorf("got\n%s", got)
		}
		wantState(t, next, "MASTER", 100)
		if err := next.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := h.since(); !strings.Contains(got, "sysctl all rp_filter 1") || !strings.Contains(got, "sysctl eth0 arp_ignore 0") {
			t.Errorf("sysctls are not as they were before the first process:\n%s", got)
		}
	})
}

func TestAVirtualMACInterfaceThatSomebodyTakesAwayIsMadeAgainAtOnce(t *testing.T) {
	for name, take := range map[string]func(*virtualHost){
		"removed": func(h *virtualHost) { delete(h.snap, "vrrp.1") },
		"down": func(h *virtualHost) {
			i := h.snap["vrrp.1"]
			i.Up, i.Addresses = false, nil
			h.snap["vrrp.1"] = i
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newVirtualHost()
				s := h.begin(t, onVirtual(), nil)
				elapse(4 * time.Second)
				h.since()
				h.change(func() { take(h) })
				elapse(100 * time.Millisecond)
				got := h.since()
				if !strings.Contains(got, "4.000 make vrrp.1") || !strings.Contains(got, "4.000 add 10.1.1.10/32") || !strings.Contains(got, "4.000 arp 10.1.1.10") {
					t.Errorf("got\n%s", got)
				}
				if st := wantState(t, s, "MASTER", 100); st.Counters.ReleaseMaster != 0 {
					t.Errorf("it was not master all the time: %+v", st.History)
				}
			})
		})
	}
}

func TestAVirtualMACInterfaceThatIsNotMadeAgainIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newVirtualHost()
		s := h.begin(t, onVirtual(), nil)
		elapse(4 * time.Second)
		h.change(func() { delete(h.snap, "vrrp.1"); h.makeErr = errors.New("no macvlan here") })
		elapse(100 * time.Millisecond)
		wantState(t, s, "FAULT", 100)
	})
}

func TestARenamedVirtualMACInterfaceTakesItsAddressesAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newVirtualHost()
		s := h.begin(t, onVirtual(), nil)
		elapse(4 * time.Second)
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.since()
		renamed := onVirtual()
		in := &renamed.Instances[0]
		in.VirtualMACs[0].Name, in.Sender, in.Addresses[0].Device = "vm9", "vm9", "vm9"
		next := h.begin(t, renamed, blob)
		elapse(500 * time.Millisecond)
		got := h.since()
		if !strings.Contains(got, "4.000 remove vrrp.1\n4.000 make vm9\n4.000 add 10.1.1.10/32") || !strings.Contains(got, "4.000 send vm9 1/100") {
			t.Errorf("got\n%s", got)
		}
		if st := wantState(t, next, "MASTER", 100); st.Counters.ReleaseMaster != 0 {
			t.Errorf("it was not master all the time: %+v", st.History)
		}
	})
}

func TestNeighboursAreToldOfAnotherVirtualMACAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newVirtualHost()
		s := h.begin(t, onVirtual(), nil)
		elapse(4 * time.Second)
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.since()
		other := onVirtual()
		other.Instances[0].VirtualMACs[0].Hardware = [6]byte{2, 0, 0, 0, 0, 9}
		h.begin(t, other, blob)
		elapse(500 * time.Millisecond)
		if got := h.since(); !strings.Contains(got, "arp 10.1.1.10") || strings.Contains(got, "remove") {
			t.Errorf("got\n%s", got)
		}
	})
}

func TestWhoSpeaksFromBelowHearsAlsoWhoDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newVirtualHost()
		cfg := onVirtual()
		cfg.Instances[0].Sender = ""
		s := h.begin(t, cfg, nil)
		elapse(4 * time.Second)
		if got := h.since(); !strings.Contains(got, "send eth0 1/100") || strings.Contains(got, "send vrrp.1") {
			t.Errorf("got\n%s", got)
		}
		if p := h.links["vrrp.1"].place; p.From != settings.VirtualHardware(1, false) || h.links["eth0"].place.From != [6]byte{} {
			t.Errorf("the second socket is %+v, want one that hears its own hardware address only", p)
		}
		h.packet("vrrp.1", advertPacket(t, "10.1.1.21", 200, nil))
		wantState(t, s, "BACKUP", 100)
	})
}

func TestAVirtualMACInterfaceThatCannotBeMadeIsAFaultAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newVirtualHost()
		h.makeErr = errors.New("no macvlan here")
		s := h.begin(t, onVirtual(), nil)
		elapse(100 * time.Millisecond)
		if got := wantState(t, s, "FAULT", 100); got.Why != "no socket on interface vrrp.1" {
			t.Errorf("why: %q", got.Why)
		}
		h.logged(t, "no macvlan here")
		elapse(3 * time.Second)
		if got := strings.Count(h.since(), "make vrrp.1"); got < 2 || got > 5 {
			t.Errorf("tried %d times in 3 s, want about one a second", got)
		}
		h.mu.Lock()
		h.makeErr = nil
		h.mu.Unlock()
		elapse(6 * time.Second)
		wantState(t, s, "MASTER", 100)
	})
}

func TestAVirtualMACInterfaceComesWithItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newVirtualHost()
		eth0 := h.snap["eth0"]
		delete(h.snap, "eth0")
		s := h.begin(t, onVirtual(), nil)
		elapse(2 * time.Second)
		if got := wantState(t, s, "FAULT", 100); got.Why != "interface eth0 does not exist" {
			t.Errorf("why: %q", got.Why)
		}
		if got := h.since(); strings.Contains(got, "make") {
			t.Errorf("got\n%s", got)
		}
		h.change(func() { h.snap["eth0"] = eth0 })
		elapse(5 * time.Second)
		wantState(t, s, "MASTER", 100)
		// The kernel takes it away with its parent.
		eth0.Index = 50
		h.change(func() { delete(h.snap, "eth0"); delete(h.snap, "vrrp.1") })
		elapse(time.Second)
		wantState(t, s, "FAULT", 100)
		h.change(func() { h.snap["eth0"] = eth0 })
		elapse(5 * time.Second)
		wantState(t, s, "MASTER", 100)
		if p := h.links["vrrp.1"].place; p.Under != 50 {
			t.Errorf("the socket is %+v, want one on the new parent", p)
		}
	})
}

func TestTheLinkOfTheParentIsWhatCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newVirtualHost()
		s := h.begin(t, onVirtual(), nil)
		elapse(4 * time.Second)
		both := func(up bool) {
			h.change(func() {
				for _, dev := range []string{"eth0", "vrrp.1"} {
					i := h.snap[dev]
					i.Up = up
					h.snap[dev] = i
				}
			})
		}
		both(false)
		synctest.Wait()
		if got := wantState(t, s, "FAULT", 100); got.Why != "interface eth0 is down" {
			t.Errorf("why: %q", got.Why)
		}
		both(true)
		elapse(4 * time.Second)
		wantState(t, s, "MASTER", 100)
	})
}

func TestExtraAnnouncementsGoOutOnVirtualMACInterfaces(t *testing.T) {
	cfg := onVirtual()
	in := &instance{cfg: cfg.Instances[0]}
	in.cfg.Garp.Extra = time.Minute
	in.cfg.Excluded = []settings.Address{address("10.2.2.10/32", "eth1")}
	if got := in.keepers(); !slices.Equal(got, []string{"vrrp.1"}) {
		t.Errorf("got %v, want vrrp.1 alone", got)
	}
	in.cfg.Garp.ExtraAll = true
	if got := in.keepers(); !slices.Equal(got, []string{"vrrp.1", "eth1"}) {
		t.Errorf("got %v, want both", got)
	}
}
