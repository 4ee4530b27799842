package vrrp

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestADrainedMasterAnswersUntilItsSuccessorIsHeardAndStaysBackup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		h.since()
		s.SetDrained(true)
		elapse(600 * time.Millisecond)
		if got := wantState(t, s, "BACKUP", 100); got.Why != "drained" {
			t.Errorf("why: got %q, want drained", got.Why)
		}
		h.advert(t, "10.1.1.21", 90)
		elapse(time.Minute)
		wantTrace(t, h.since(), "4.000 send eth0 1/0\n4.650 delete 10.1.1.10/32")
		s.SetDrained(true)
		wantTrace(t, h.since(), "")
		s.SetDrained(false)
		elapse(4 * time.Second)
		wantTrace(t, h.since(), "68.210 send eth0 1/100\n68.210 add 10.1.1.10/32\n68.210 arp 10.1.1.10")
		wantState(t, s, "MASTER", 100)
	})
}

func TestADrainLastsThroughAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		s.SetDrained(true)
		elapse(600 * time.Millisecond)
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.since()
		next, err := New(seed(), h.ports())
		if err != nil {
			t.Fatal(err)
		}
		if err := next.Resume(blob); err != nil {
			t.Fatal(err)
		}
		next.SetDrained(true)
		go next.Run(t.Context())
		elapse(time.Minute)
		wantTrace(t, h.since(), "5.200 delete 10.1.1.10/32")
		wantState(t, next, "BACKUP", 100)
		if err := next.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoStartsDrainedTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s, err := New(seed(), h.ports())
		if err != nil {
			t.Fatal(err)
		}
		s.SetDrained(true)
		go s.Run(t.Context())
		elapse(time.Minute)
		wantTrace(t, h.since(), "")
		wantState(t, s, "BACKUP", 100)
		s.SetDrained(false)
		elapse(4 * time.Second)
		wantState(t, s, "MASTER", 100)
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestASyncGroupIsDrainedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, pair(), nil)
		elapse(4 * time.Second)
		h.since()
		s.SetDrained(true)
		elapse(600 * time.Millisecond)
		h.advert(t, "10.1.1.21", 90)
		h.advertB(t, "10.1.2.21", 90)
		elapse(time.Minute)
		wantTrace(t, h.since(), "4.000 send eth0 1/0\n4.000 send eth1 2/0\n4.650 delete 10.1.1.10/32\n4.650 delete 10.1.2.10/32")
		wantStates(t, s, "BACKUP", "BACKUP")
		s.SetDrained(false)
		elapse(4 * time.Second)
		wantStates(t, s, "MASTER", "MASTER")
	})
}
