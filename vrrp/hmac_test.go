package vrrp

import (
	"bytes"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/wire"
)

var sharedSecret = bytes.Repeat([]byte("s"), 32)

func signing(mode settings.HMACMode) *settings.HMAC {
	return &settings.HMAC{Keys: []settings.HMACKey{{ID: 1, Secret: sharedSecret}}, Active: 1, Window: 5 * time.Second, Mode: mode}
}

// trailed is an advertisement of 10.1.1.21 signed now.
func trailed(t *testing.T, priority uint8) wire.Packet {
	p := advertPacket(t, "10.1.1.21", priority, nil)
	p.Payload = wire.Sign(p.Payload, netip.MustParseAddr("10.1.1.21"), wire.Key{ID: 1, Secret: sharedSecret}, wire.Sequence(time.Now()))
	return p
}

func TestOnlySignedAdvertisementsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].HMAC = signing(settings.HMACEnforce)
		s := begin(t, h, cfg, nil)
		for range 6 {
			h.packet("eth0", trailed(t, 200))
			h.packet("eth0", advertPacket(t, "10.1.1.66", 254, nil)) // forged
			elapse(time.Second)
		}
		c := wantState(t, s, "BACKUP", 100).Counters
		if c.AdvertiseRcvd != 6 || c.AuthFailures != 6 {
			t.Errorf("%d received, %d refused", c.AdvertiseRcvd, c.AuthFailures)
		}
		if c.LastRejected != "no authentication trailer from 10.1.1.66" {
			t.Errorf("last rejected: %q", c.LastRejected)
		}
		recorded := trailed(t, 200)
		h.packet("eth0", recorded)
		for range 40 { // a recording keeps nobody down
			elapse(100 * time.Millisecond)
			h.packet("eth0", recorded)
		}
		c = wantState(t, s, "MASTER", 100).Counters
		if c.LastRejected != "replayed from 10.1.1.21" {
			t.Errorf("last rejected: %q", c.LastRejected)
		}
	})
}

// What a master sends is accepted by another instance with the key, and its
// numbers grow.
func TestWhatIsSignedHereIsBelievedThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].HMAC = signing(settings.HMACEnforce)
		s := begin(t, h, cfg, nil)
		elapse(6 * time.Second)
		wantState(t, s, "MASTER", 100)
		demand := demand(cfg.Instances[0])
		var marks wire.Marks
		n := 0
		for _, p := range h.sent {
			p.Source = netip.MustParseAddr("10.1.1.20")
			a, reason := wire.Decode(p)
			if reason != wire.Accepted {
				t.Fatalf("%v: %x", reason, p.Payload)
			}
			if r := demand.Verify(a, p, time.Unix(int64(a.Trailer.Sequence>>32), 0), &marks); r != wire.Accepted {
				t.Errorf("%v", r)
			}
			n++
		}
		if n < 2 {
			t.Errorf("%d advertisements", n)
		}
	})
}

// A group migrates without a gap: receive-only signs nothing and hears both,
// permissive signs and hears both.
func TestMigration(t *testing.T) {
	for mode, signs := range map[settings.HMACMode]bool{settings.HMACReceiveOnly: false, settings.HMACPermissive: true} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost()
			cfg := seed()
			cfg.Instances[0].HMAC = signing(mode)
			s := begin(t, h, cfg, nil)
			for i := range 8 {
				if i%2 == 0 {
					h.packet("eth0", trailed(t, 200))
				} else {
					h.packet("eth0", advertPacket(t, "10.1.1.21", 200, nil))
				}
				elapse(time.Second)
			}
			if c := wantState(t, s, "BACKUP", 100).Counters; c.AdvertiseRcvd != 8 || c.RejectedPkts != 0 {
				t.Errorf("mode %d: %+v", mode, c)
			}
			elapse(5 * time.Second)
			wantState(t, s, "MASTER", 100)
			for _, p := range h.sent {
				if a, _ := wire.Decode(p); (a.Trailer != nil) != signs {
					t.Errorf("mode %d: trailer %v", mode, a.Trailer)
				}
			}
		})
	}
}

// The next process knows what was heard: a recording is not believed by it
// either.
func TestMarksOutliveAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].HMAC = signing(settings.HMACEnforce)
		s := begin(t, h, cfg, nil)
		p := trailed(t, 200)
		h.packet("eth0", p)
		elapse(100 * time.Millisecond)
		data, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		next := begin(t, h, cfg, data)
		h.packet("eth0", p)
		elapse(100 * time.Millisecond)
		if c := next.Status()[0].Counters; c.LastRejected != "replayed from 10.1.1.21" {
			t.Errorf("last rejected: %q", c.LastRejected)
		}
	})
}
