package vrrp

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
)

func TestAnInstanceWaitsForThePeersNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].Tracks, cfg.Instances[0].Unicast = nil, true
		cfg.Instances[0].Peers = []settings.Peer{{Name: "node2"}, {Name: "node3"}}
		s := begin(t, h, cfg, nil)
		elapse(4 * time.Second)
		if got := wantState(t, s, "FAULT", 100).Why; got != "none of the names in unicast_peer has an address" {
			t.Errorf("why: got %q", got)
		}
		s.SetPeer("node2", []netip.Addr{netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("127.0.0.1")})
		wantState(t, s, "FAULT", 100)
		s.SetPeer("node2", []netip.Addr{netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("10.1.1.30")})
		elapse(4 * time.Second)
		wantState(t, s, "MASTER", 100)
		h.logged(t, "unicast_peer: the name node2 is 10.1.1.30")
		if cfg.Instances[0].Peers[0].Address.IsValid() {
			t.Error("the configuration itself was changed")
		}
	})
}
