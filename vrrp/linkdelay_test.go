package vrrp

import (
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
)

func TestAShortLossOfTheLinkIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.LinkDelays = []settings.LinkDelay{{Interface: "eth0", Down: 1500 * time.Millisecond, Up: 500 * time.Millisecond}}
		s := begin(t, h, cfg, nil)
		s.SetProxyServing(true, "")
		elapse(4 * time.Second)
		wantState(t, s, "MASTER", 102)
		h.setUp("eth0", false)
		elapse(time.Second)
		h.setUp("eth0", true)
		elapse(3 * time.Second)
		if got := wantState(t, s, "MASTER", 102).Counters.BecomeMaster; got != 1 {
			t.Errorf("became master %d times, want once", got)
		}
		h.logged(t, "interface eth0 is down: believed in 1.5s")
		h.setUp("eth0", false)
		elapse(1400 * time.Millisecond)
		wantState(t, s, "MASTER", 102)
		elapse(200 * time.Millisecond)
		wantState(t, s, "FAULT", 102)
		h.setUp("eth0", true)
		elapse(400 * time.Millisecond)
		wantState(t, s, "FAULT", 102)
		elapse(200 * time.Millisecond)
		wantState(t, s, "BACKUP", 102)
	})
}
