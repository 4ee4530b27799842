package vrrp

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
)

func (h *fakeHost) has(prefix string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.snap.Has(address(prefix, "eth0"))
}

func (h *fakeHost) lives() (lifetime time.Duration, renewals int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lifetime, h.renewals
}

func TestEveryAdvertisementRenewsTheLifetimeOfTheAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		s := begin(t, h, cfg, nil)
		elapse(4 * time.Second)
		if d, n := h.lives(); d != 4*time.Second || n != 1 {
			t.Errorf("after the claim: lifetime %v set %d times, want 4s once", d, n)
		}
		elapse(5 * time.Second)
		if _, n := h.lives(); n != 6 {
			t.Errorf("after five advertisements: set %d times, want 6", n)
		}
		h.advert(t, "10.1.1.21", 200)
		elapse(time.Second)
		wantState(t, s, "BACKUP", 100)
		_, before := h.lives()
		h.advert(t, "10.1.1.21", 200)
		elapse(2 * time.Second)
		if _, n := h.lives(); n != before {
			t.Errorf("a backup renewed %d times", n-before)
		}
	})
}

func TestNobodysLifetimeIsTouchedThatIsNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].Priority, cfg.Instances[0].Tracks = ownerPriority, nil
		s := begin(t, h, cfg, nil)
		elapse(3 * time.Second)
		wantState(t, s, "MASTER", 255)
		if mortal, lasting := s.instances[0].mortal(); len(mortal) != 0 || len(lasting) != 1 {
			t.Errorf("an owner's addresses: %v live for a while, %v stay", mortal, lasting)
		}
	})
}

func TestSwitchedOffTheAddressesStayForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.LastingAddresses = true
		begin(t, h, cfg, nil)
		elapse(8 * time.Second)
		if d, n := h.lives(); d != 0 || n != 0 {
			t.Errorf("lifetime %v set %d times, want forever, never set", d, n)
		}
	})
}

func TestAReloadMakesThemLastAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		s := begin(t, h, cfg, nil)
		elapse(4 * time.Second)
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cfg = seed()
		cfg.LastingAddresses = true
		begin(t, h, cfg, blob)
		elapse(time.Second)
		if d, n := h.lives(); d != 0 || n != 2 {
			t.Errorf("lifetime %v set %d times, want forever by the second", d, n)
		}
	})
}

func TestInstancesAreRenewedTogetherAndAtMostFiveTimesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		for i := range 9 {
			in := cfg.Instances[0]
			in.Name, in.VRID, in.Version, in.AdvertInt = string(rune('a'+i)), uint8(10+i), 3, 10*time.Millisecond
			in.Addresses = []settings.Address{address(netip.AddrFrom4([4]byte{10, 1, 1, byte(100 + i)}).String()+"/32", "eth0")}
			cfg.Instances = append(cfg.Instances, in)
		}
		begin(t, h, cfg, nil)
		elapse(3 * time.Second) // the instance of the seed still waits
		_, before := h.lives()
		elapse(time.Second)
		if d, n := h.lives(); n-before < 5 || n-before > 6 || d != time.Second {
			t.Errorf("nine instances at 10 ms: %d renewals in a second to %v, want 5 or 6 to 1s", n-before, d)
		}
	})
}

func TestTwoInstancesThatSpeakSoonAfterOneAnotherAreRenewedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		second := cfg.Instances[0]
		second.Name, second.VRID, second.Priority = "2", 2, 90 // 39 ms later
		second.Addresses = []settings.Address{address("10.1.1.11/32", "eth0")}
		cfg.Instances = append(cfg.Instances, second)
		begin(t, h, cfg, nil)
		elapse(8 * time.Second)
		_, before := h.lives()
		elapse(time.Second)
		if _, n := h.lives(); n-before != 2 {
			t.Errorf("%d renewals in a second, want one behind each advertisement: one that waits is lost with the process", n-before)
		}
	})
}

func TestABusyKernelIsNotAskedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		h.mu.Lock()
		h.renewing = 10 * time.Second
		h.mu.Unlock()
		_, before := h.lives()
		elapse(19 * time.Second)
		if _, n := h.lives(); n-before != 1 {
			t.Errorf("%d renewals while each took 10 s, want the first", n-before)
		}
		h.mu.Lock()
		h.renewing = 0
		h.mu.Unlock()
		elapse(4 * time.Second)
		if _, n := h.lives(); n-before < 3 {
			t.Errorf("%d renewals, want them to go on", n-before)
		}
	})
}

func TestStaticAddressesHaveNoLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances = nil
		cfg.StaticAddresses = []settings.Address{address("10.1.1.77/32", "eth0")}
		begin(t, h, cfg, nil)
		elapse(time.Second)
		if d, n := h.lives(); d != 0 || n != 0 {
			t.Errorf("lifetime %v set %d times, want forever", d, n)
		}
		if !h.has("10.1.1.77/32") {
			t.Error("it is not there")
		}
	})
}

func TestWhatAPredecessorLeftLivesUntilItIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		if err := h.Add(address("10.1.1.10/32", "eth0")); err != nil {
			t.Fatal(err)
		}
		cfg := seed()
		cfg.StartupDelay = 20 * time.Second
		s := begin(t, h, cfg, nil)
		elapse(time.Second)
		wantState(t, s, "BACKUP", 100)
		if d, n := h.lives(); d != 21*time.Second || n != 1 {
			t.Errorf("lifetime %v set %d times, want it to last a second longer than the startup delay", d, n)
		}
	})
}

func TestAnAddressThatOutlivedAStallIsPutBackAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(5 * time.Second)
		h.mu.Lock()
		h.renewing = 6 * time.Second // the kernel's lock is held by others
		h.mu.Unlock()
		elapse(5 * time.Second)
		h.mu.Lock()
		h.renewing = 0
		h.drop(address("10.1.1.10/32", "eth0"))
		h.mu.Unlock()
		elapse(3 * time.Second)
		if !h.has("10.1.1.10/32") {
			t.Error("it is gone")
		}
		wantState(t, s, "MASTER", 100)
	})
}
