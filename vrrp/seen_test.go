package vrrp

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
)

func TestATrackedFileMovesThePriorityAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].Tracks = nil
		cfg.Instances[0].Watched = []settings.Watched{{Kind: settings.AFile, Name: "m", Weight: -10}}
		s := begin(t, h, cfg, nil)
		elapse(4 * time.Second)
		h.since()
		s.SetFile("m", 3)
		wantTrace(t, h.since(), "4.000 send eth0 1/0\n4.000 send eth0 1/70")
		wantState(t, s, "MASTER", 70)
		h.logged(t, "file m has 3")
		s.SetFile("m", 0)
		wantTrace(t, h.since(), "4.000 send eth0 1/100")
		s.SetFile("m", 100)
		if got := wantState(t, s, "FAULT", 1).Why; got != "file m has 100" {
			t.Errorf("why: got %q", got)
		}
	})
}

func TestAPartOfTheProxyDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].Tracks = nil
		cfg.Instances[0].Watched = []settings.Watched{
			{Kind: settings.AFrontend, Name: "web"},
			{Kind: settings.ABackend, Name: "app", MinServers: 2, Weight: 20},
		}
		s := begin(t, h, cfg, nil)
		elapse(4 * time.Second)
		if got := wantState(t, s, "INIT", 100).Why; got != "waiting for web" {
			t.Errorf("why: got %q", got)
		}
		s.SetProxyServing(true, "")
		elapse(time.Second)
		wantState(t, s, "INIT", 100)
		s.SetProxyParts(map[string]bool{"web": true}, map[string]int{"app": 2})
		elapse(4 * time.Second)
		wantState(t, s, "MASTER", 120)
		s.SetProxyParts(map[string]bool{"web": true}, map[string]int{"app": 1})
		wantState(t, s, "MASTER", 100)
		s.SetProxyParts(map[string]bool{"web": false}, map[string]int{"app": 1})
		if got := wantState(t, s, "FAULT", 100).Why; got != "frontend web does not accept" {
			t.Errorf("why: got %q", got)
		}
		s.SetProxyParts(map[string]bool{"web": true}, map[string]int{"app": 1})
		wantState(t, s, "BACKUP", 100)
		s.SetProxyServing(false, "it died")
		wantState(t, s, "FAULT", 100)
	})
}

func TestATrackedSourceAddressThatIsGoneIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].Source, cfg.Instances[0].TrackSource = netip.MustParseAddr("10.1.1.20"), true
		s := begin(t, h, cfg, nil)
		s.SetProxyServing(true, "")
		elapse(4 * time.Second)
		wantState(t, s, "MASTER", 102)
		h.change(func() { h.drop(address("10.1.1.20/24", "eth0")) })
		if got := wantState(t, s, "FAULT", 102).Why; got != "interface eth0 has no address 10.1.1.20" {
			t.Errorf("why: got %q", got)
		}
	})
}
