package vrrp

import (
	"testing"
	"testing/synctest"
	"time"
)

func (h *fakeHost) lives() (lifetime time.Duration, renewals int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lifetime, h.renewals
}

func TestEveryAdvertisementRenewsTheLifetimeOfTheAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.AddressLifetime = true
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
		cfg.AddressLifetime = true
		cfg.Instances[0].Priority, cfg.Instances[0].Tracks = ownerPriority, nil
		s := begin(t, h, cfg, nil)
		elapse(3 * time.Second)
		wantState(t, s, "MASTER", 255)
		if mortal, lasting := s.instances[0].mortal(); len(mortal) != 0 || len(lasting) != 1 {
			t.Errorf("an owner's addresses: %v live for a while, %v stay", mortal, lasting)
		}
	})
}

func TestWithoutTheWordTheAddressesStayForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		begin(t, h, seed(), nil)
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
		cfg.AddressLifetime = true
		s := begin(t, h, cfg, nil)
		elapse(4 * time.Second)
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		begin(t, h, seed(), blob)
		elapse(time.Second)
		if d, n := h.lives(); d != 0 || n != 2 {
			t.Errorf("lifetime %v set %d times, want forever by the second", d, n)
		}
	})
}
