package vrrp

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheHistoryTellsPeersDurationAndPriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(time.Second)
		h.advert(t, "10.1.1.22", 150)
		elapse(4 * time.Second)
		h.advert(t, "10.1.1.21", 200)
		got := wantState(t, s, "BACKUP", 100)
		if len(got.Peers) != 2 || got.Peers[0].Address != "10.1.1.21" || got.Peers[0].Priority != 200 || got.Peers[1].Address != "10.1.1.22" {
			t.Errorf("peers %+v", got.Peers)
		}
		if got.Counters.ReleaseMaster != 1 {
			t.Errorf("released %d times, want once", got.Counters.ReleaseMaster)
		}
		if len(got.Tracked) != 1 || got.Tracked[0].Name != "haproxy" || got.Tracked[0].State != "unknown" {
			t.Errorf("tracked %+v", got.Tracked)
		}
		if len(got.History) != 3 {
			t.Fatalf("history %+v", got.History)
		}
		master := got.History[1]
		if master.To != "MASTER" || master.Lasted != 4610*time.Millisecond || master.Priority != 100 || len(master.Peers) != 1 || master.Peers[0].Address != "10.1.1.22" {
			t.Errorf("want MASTER after 4.61 s beside 10.1.1.22, got %+v", master)
		}
	})
}

func TestPeersAreBoundedAndTheOldestGoes(t *testing.T) {
	var p peers
	at := time.Unix(1000, 0)
	for i := range 40 {
		p.heard(netip.AddrFrom4([4]byte{10, 0, 0, byte(200 - i)}), 1, at.Add(time.Duration(i)*time.Second))
	}
	if len(p) != maxPeers || p[0].address.String() != "10.0.0.161" || p[maxPeers-1].address.String() != "10.0.0.176" {
		t.Errorf("got %v", p)
	}
}
