package vrrp

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnEqualPriorityIsToldOncePerPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		s := begin(t, h, cfg, nil)
		s.SetProxyServing(true, "")
		equal := "10.1.1.30 has our priority, 102: which node holds the addresses is left to chance, and when both do, to the higher address, 10.1.1.30; give every node a priority of its own"
		for range 10 {
			h.advert(t, "10.1.1.30", 102)
			elapse(time.Second)
		}
		got := wantState(t, s, "BACKUP", 102)
		if n := strings.Count(h.log.String(), "has our priority"); n != 1 {
			t.Errorf("told %d times, want once:\n%s", n, h.log.String())
		}
		h.logged(t, equal)
		if last := got.History[len(got.History)-1]; last.From != "BACKUP" || last.To != "BACKUP" || last.Why != equal || len(last.Peers) != 1 {
			t.Errorf("history: got %+v", last)
		}
		h.advert(t, "10.1.1.31", 102) // once may be on the way
		elapse(time.Second / 2)
		h.advert(t, "10.1.1.31", 103)
		elapse(time.Second / 2)
		if n := strings.Count(h.log.String(), "has our priority"); n != 1 {
			t.Errorf("told %d times, want once:\n%s", n, h.log.String())
		}
	})
}

func TestTwoOwnersAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].Priority, cfg.Instances[0].Tracks = 255, nil
		s := begin(t, h, cfg, nil)
		elapse(4 * time.Second)
		wantState(t, s, "MASTER", 255)
		for range 3 {
			h.advert(t, "10.1.1.10", 255)
			elapse(time.Second)
		}
		wantState(t, s, "MASTER", 255)
		h.logged(t, "10.1.1.10 says as we do that it owns the addresses (priority 255): only one node may; the higher address, 10.1.1.20, keeps them")
		h.advert(t, "10.1.1.40", 255)
		elapse(time.Second)
		h.advert(t, "10.1.1.40", 255)
		elapse(time.Second)
		wantState(t, s, "BACKUP", 255)
		h.logged(t, "10.1.1.40 says as we do")
	})
}
