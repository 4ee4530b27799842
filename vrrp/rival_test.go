package vrrp

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// Probe notes a probe in the trace.
func (h *fakeHost) Probe(dev string, _ int, _ [6]byte, addr netip.Addr) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("probe %s %v", dev, addr)
	return nil
}

func TestAMasterAsksWhoElseHasItsAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.probing = true
		s := begin(t, h, seed(), nil)
		vip := netip.MustParseAddr("10.1.1.10")
		s.Answered("eth0", vip, [6]byte{2, 0, 0, 9, 9, 9}) // while backup: nobody's business
		elapse(8700 * time.Millisecond)
		wantTrace(t, h.since(), "3.610 send eth0 1/100\n3.610 add 10.1.1.10/32\n3.610 arp 10.1.1.10\n"+
			"4.610 send eth0 1/100\n5.610 send eth0 1/100\n6.610 send eth0 1/100\n7.610 send eth0 1/100\n8.610 send eth0 1/100\n8.610 probe eth0 10.1.1.10")
		if st := wantState(t, s, "MASTER", 100); st.Rival != nil {
			t.Errorf("alone, got %+v", st.Rival)
		}
		s.Answered("eth0", vip, [6]byte{2, 0, 0, 0, 0, 0}) // our own
		s.Answered("eth0", netip.MustParseAddr("10.1.1.99"), [6]byte{2, 0, 0, 9, 9, 9})
		if st := wantState(t, s, "MASTER", 100); st.Rival != nil {
			t.Errorf("alone, got %+v", st.Rival)
		}
		s.Answered("eth0", vip, [6]byte{2, 0, 0, 9, 9, 9})
		st := wantState(t, s, "MASTER", 100)
		if st.Rival == nil || st.Rival.Text() != "02:00:00:09:09:09 answers for 10.1.1.10" || st.Counters.SecondHolder != 1 {
			t.Fatalf("got %+v", st.Rival)
		}
		h.logged(t, "(1) second holder: 02:00:00:09:09:09 answers for 10.1.1.10")
		elapse(17 * time.Second)
		if st := wantState(t, s, "MASTER", 100); st.Rival != nil {
			t.Errorf("not seen any more, got %+v", st.Rival)
		}
		h.logged(t, "(1) no second holder is seen any more")
	})
}

func TestASecondMasterThatGoesOnIsASecondHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		h.advert(t, "10.1.1.19", 90) // was on its way
		if st := wantState(t, s, "MASTER", 100); st.Rival != nil {
			t.Errorf("after one advertisement: %+v", st.Rival)
		}
		elapse(time.Second)
		h.advert(t, "10.1.1.19", 90)
		if st := wantState(t, s, "MASTER", 100); st.Rival == nil || st.Rival.Text() != "10.1.1.19 advertises as master with priority 90" {
			t.Fatalf("got %+v", st.Rival)
		}
		h.advert(t, "10.1.1.21", 200)
		elapse(time.Millisecond)
		if st := wantState(t, s, "BACKUP", 100); st.Rival != nil {
			t.Errorf("a backup has none, got %+v", st.Rival)
		}
	})
}
