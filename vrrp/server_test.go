package vrrp

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/wire"
)

// elapse lets time pass on the bubble's clock; nothing waits in the world.
func elapse(d time.Duration) { time.Sleep(d) }

func TestAMasterAdvertisesThenHasTheAddressThenAnnouncesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(3700 * time.Millisecond)
		wantTrace(t, h.since(), "3.610 send eth0 1/100\n3.610 add 10.1.1.10/32\n3.610 arp 10.1.1.10")
		got := wantState(t, s, "MASTER", 100)
		if got.Why != "no master heard for 3.61s" || got.Master != "10.1.1.20" || got.Counters.BecomeMaster != 1 || got.Counters.GratuitousSent != 1 {
			t.Errorf("got %+v", got)
		}
		elapse(2 * time.Second)
		wantTrace(t, h.since(), "4.610 send eth0 1/100\n5.610 send eth0 1/100")
		h.logged(t, "(1) master: no master heard for 3.61s, holding 10.1.1.10/32 dev eth0")
		synctest.Wait()
		if len(h.held) != 1 || h.held[0].Prefix.String() != "10.1.1.10/32" {
			t.Errorf("OnHeld: got %v", h.held)
		}
	})
}

func TestTheProxysHealthChangesThePriorityAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		s.SetProxyServing(true, "")
		elapse(4 * time.Second)
		wantState(t, s, "MASTER", 102)
		h.since()
		s.SetProxyServing(false, "proxy process 4711 died")
		wantTrace(t, h.since(), "4.000 send eth0 1/0\n4.000 send eth0 1/100")
		h.logged(t, "script haproxy is bad: proxy process 4711 died")
		h.logged(t, "(1) priority 100, was 102")
		// The other node has 102 and takes over.
		h.advert(t, "10.1.1.21", 102)
		wantTrace(t, h.since(), "4.000 delete 10.1.1.10/32")
		got := wantState(t, s, "BACKUP", 100)
		if got.Master != "10.1.1.21" || got.MasterPriority != 102 || got.Why != "10.1.1.21 has priority 102, ours 100" {
			t.Errorf("got %+v", got)
		}
		s.SetProxyServing(true, "")
		wantState(t, s, "BACKUP", 102)
	})
}

func TestHealthToldBeforeTheStartCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s, err := New(seed(), h.ports())
		if err != nil {
			t.Fatal(err)
		}
		s.SetProxyServing(true, "")
		if got := s.Status()[0]; got.State != "INIT" {
			t.Errorf("before Run: got %s, want INIT", got.State)
		}
		go s.Run(t.Context())
		synctest.Wait()
		wantState(t, s, "BACKUP", 102)
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWithoutWeightTheProxyHasToBeKnownFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].Tracks[0].Weight = 0
		s := begin(t, h, cfg, nil)
		elapse(10 * time.Second)
		if got := wantState(t, s, "INIT", 100); got.Why != "waiting for haproxy" {
			t.Errorf("why: got %q", got.Why)
		}
		s.SetProxyServing(true, "")
		wantState(t, s, "BACKUP", 100)
		s.SetProxyServing(false, "")
		if got := wantState(t, s, "FAULT", 100); got.Why != "script haproxy fails" {
			t.Errorf("why: got %q", got.Why)
		}
	})
}

func TestRefusedPacketsAreCountedByReasonAndTouchNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].Auth = settings.Auth{Type: settings.AuthPass, Pass: "secret12"}
		s := begin(t, h, cfg, nil)
		pass := func(a *wire.Advert) { a.AuthType = wire.AuthPass; copy(a.AuthData[:], "secret12") }
		bad := func(change func(*wire.Packet)) {
			p := advertPacket(t, "10.1.1.66", 254, pass)
			change(&p)
			h.packet("eth0", p)
		}
		for range 36 { // one set every 100 ms: any accepted one would restart the timer
			bad(func(p *wire.Packet) { p.TTL = 254 })
			bad(func(p *wire.Packet) { p.Destination = p.Source })
			bad(func(p *wire.Packet) { p.Payload[0] = 0x41 })
			bad(func(p *wire.Packet) { p.Payload[0] = 0x22 })
			bad(func(p *wire.Packet) { p.Payload = p.Payload[:10] })
			bad(func(p *wire.Packet) { p.Payload[6]++ })
			h.packet("eth0", advertPacket(t, "10.1.1.66", 254, func(a *wire.Advert) { a.VRID = 9 }))
			h.packet("eth0", advertPacket(t, "10.1.1.66", 254, func(a *wire.Advert) { a.AuthType = 7 }))
			h.packet("eth0", advertPacket(t, "10.1.1.66", 254, nil))
			h.packet("eth0", advertPacket(t, "10.1.1.20", 254, pass))
			h.packet("eth0", advertPacket(t, "10.1.1.66", 254, func(a *wire.Advert) { pass(a); a.AuthData[0]++ }))
			elapse(100 * time.Millisecond)
		}
		elapse(100 * time.Millisecond)
		c := wantState(t, s, "MASTER", 100).Counters
		for name, got := range map[string]uint64{
			"ttl": c.IPTTLErrors, "version": c.VersionErrors, "type": c.InvalidTypePktsRcvd, "length": c.PacketLengthErrors,
			"checksum": c.ChecksumErrors, "vrid": c.VRIDErrors, "invalid auth": c.InvalidAuthType, "auth mismatch": c.AuthTypeMismatch,
			"auth failure": c.AuthFailures,
		} {
			if got != 36 {
				t.Errorf("%s: counted %d, want 36", name, got)
			}
		}
		if c.RejectedPkts != 36*11 || c.AdvertiseRcvd != 0 {
			t.Errorf("rejected %d and received %d, want %d and 0", c.RejectedPkts, c.AdvertiseRcvd, 36*11)
		}
		if c.LastRejected != "wrong password from 10.1.1.66" {
			t.Errorf("last rejected: got %q", c.LastRejected)
		}
		if n := strings.Count(h.log.String(), "wrong password"); n != 1 {
			t.Errorf("told %d times of wrong passwords, want once a minute", n)
		}
	})
}

func TestDifferencesAreCountedAndAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		for range 5 {
			elapse(time.Second)
			h.packet("eth0", advertPacket(t, "10.1.1.21", 101, func(a *wire.Advert) { a.Interval = 2 * time.Second; a.Addresses = nil }))
		}
		c := wantState(t, s, "BACKUP", 100).Counters
		if c.AddressListErrors != 5 || c.AdvertiseIntervalErrors != 5 || c.AdvertiseRcvd != 5 || c.RejectedPkts != 0 {
			t.Errorf("got %+v", c)
		}
		h.logged(t, "10.1.1.21 advertises every 2s, we every 1s")
	})
}

func TestWhatWaitsInTheSocketIsReadBeforeClaiming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(3600 * time.Millisecond)
		// A master's advertisement arrives, but nobody rings: only the look
		// before the claim can find it.
		h.mu.Lock()
		h.links["eth0"].waiting = append(h.links["eth0"].waiting, advertPacket(t, "10.1.1.21", 100, nil))
		h.mu.Unlock()
		elapse(time.Second)
		wantTrace(t, h.since(), "")
		wantState(t, s, "BACKUP", 100)
	})
}

func TestWhatWaitsInTheSocketIsReadBeforeAnnouncing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.slow = 20 * time.Millisecond
		s := begin(t, h, seed(), nil)
		elapse(3620 * time.Millisecond) // claimed, the address is being added
		h.mu.Lock()
		h.links["eth0"].waiting = append(h.links["eth0"].waiting, advertPacket(t, "10.1.1.21", 101, nil))
		h.mu.Unlock()
		elapse(time.Second)
		if got := h.since(); strings.Contains(got, "arp") || !strings.HasSuffix(got, "delete 10.1.1.10/32") {
			t.Errorf("got\n%s\nwant no announcement and the address gone", got)
		}
		wantState(t, s, "BACKUP", 100)
	})
}

func TestABacklogCountsOnceForEachRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		h.since()
		h.mu.Lock()
		for range 50 {
			h.links["eth0"].waiting = append(h.links["eth0"].waiting, advertPacket(t, "10.1.1.19", 99, nil))
		}
		h.mu.Unlock()
		h.links["eth0"].ready()
		wantTrace(t, h.since(), "4.000 send eth0 1/100\n4.000 arp 10.1.1.10")
		if c := s.Status()[0].Counters; c.AdvertiseRcvd != 50 {
			t.Errorf("counted %d received, want 50", c.AdvertiseRcvd)
		}
		elapse(1200 * time.Millisecond)
		if n := strings.Count(h.since(), "arp"); n != 3 {
			t.Errorf("announced %d times after the rival, want at 50, 250 and 1100 ms", n)
		}
	})
}

func TestStopResignsAndKeepsAnsweringUntilTheSuccessorIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		h.since()
		go func() {
			elapse(600 * time.Millisecond)
			h.advert(t, "10.1.1.21", 100)
		}()
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantTrace(t, h.since(), "4.000 send eth0 1/0\n4.650 delete 10.1.1.10/32")
		if len(h.held) != 0 {
			t.Errorf("OnHeld: got %v, want none", h.held)
		}
	})
}

func TestStopDoesNotWaitLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		h.since()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		wantTrace(t, h.since(), "4.000 send eth0 1/0\n4.100 delete 10.1.1.10/32")
	})
}

func TestARefusedAdvertisementIsTriedAgainAndIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		h.mu.Lock()
		h.sendErr = syscall.EPERM
		h.mu.Unlock()
		elapse(3750 * time.Millisecond)
		h.mu.Lock()
		h.sendErr = nil
		h.mu.Unlock()
		elapse(100 * time.Millisecond)
		wantTrace(t, h.since(), "3.610 refused 1/100\n3.610 add 10.1.1.10/32\n3.610 arp 10.1.1.10\n3.710 refused 1/100\n3.810 send eth0 1/100")
		wantState(t, s, "MASTER", 100)
		h.logged(t, "advertisement not sent (1 so far): operation not permitted")
	})
}

func TestARefusedAnnouncementIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.announceErr = syscall.ENOBUFS
		begin(t, h, seed(), nil)
		elapse(3615 * time.Millisecond)
		h.mu.Lock()
		h.announceErr = nil
		h.mu.Unlock()
		elapse(10 * time.Millisecond)
		wantTrace(t, h.since(), "3.610 send eth0 1/100\n3.610 add 10.1.1.10/32\n3.620 arp 10.1.1.10")
	})
}

func TestAnAddressThatCannotBeAddedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		h.addErr = syscall.ENOMEM
		begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		h.mu.Lock()
		h.addErr = nil
		h.mu.Unlock()
		h.since()
		elapse(700 * time.Millisecond)
		wantTrace(t, h.since(), "4.610 send eth0 1/100\n4.610 add 10.1.1.10/32\n4.610 arp 10.1.1.10")
	})
}

func TestASinkingPriorityIsUnderstoodFromOneRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		s.SetProxyServing(true, "")
		h.advert(t, "10.1.1.21", 102)
		synctest.Wait()
		// The master says 0 and 100 in one breath: we have 102 and take over
		// after the skew time of 102, (256-102)/256 s.
		h.mu.Lock()
		h.links["eth0"].waiting = append(h.links["eth0"].waiting, advertPacket(t, "10.1.1.21", 0, nil), advertPacket(t, "10.1.1.21", 100, nil))
		h.mu.Unlock()
		h.links["eth0"].ready()
		elapse(610 * time.Millisecond)
		wantState(t, s, "MASTER", 102)
	})
}
