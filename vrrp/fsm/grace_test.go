package fsm

import (
	"net/netip"
	"testing"
	"time"
)

// TestALeavingMasterWithAVirtualMACAddressLetsGoSoon: the first frame of the
// successor moves the traffic, and one of ours would move it back.
func TestALeavingMasterWithAVirtualMACAddressLetsGoSoon(t *testing.T) {
	own, peer := netip.MustParseAddr("10.1.1.20"), netip.MustParseAddr("10.1.1.21")
	for virtual, want := range map[bool]time.Duration{false: 50 * time.Millisecond, true: 5 * time.Millisecond} {
		c := Config{Own: own, Interval: time.Second, VirtualMAC: virtual}
		now := time.Unix(1000, 0)
		s, _ := Step(c, State{}, now, Start{Priority: 100})
		now = s.Deadline
		s, _ = Step(c, s, now, Timer{})
		s, _ = Step(c, s, now, Stop{})
		if s.Kind != Leaving {
			t.Fatalf("got %v, want it leaving", s.Kind)
		}
		now = now.Add(100 * time.Millisecond)
		s, _ = Step(c, s, now, Advert{Peer: peer, Priority: 90})
		if got := s.Deadline.Sub(now); got != want {
			t.Errorf("virtual %t: it lets go after %v, want %v", virtual, got, want)
		}
	}
}
