package vrrp

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/wire"
)

// two is the seed twice, without what it tracks.
func two() *settings.Config {
	cfg := seed()
	cfg.Scripts, cfg.Instances[0].Tracks = nil, nil
	other := cfg.Instances[0]
	other.Name, other.VRID, other.Addresses = "2", 2, []settings.Address{address("10.1.1.11/32", "eth0")}
	cfg.Instances = append(cfg.Instances, other)
	return cfg
}

// dated notes when packets of each router are sent.
type dated struct {
	Link
	sent *[256][]time.Time
}

func (d dated) Send(p wire.Packet) error {
	vrid := p.Payload[1]
	d.sent[vrid] = append(d.sent[vrid], time.Now())
	return d.Link.Send(p)
}

func datedPorts(h *fakeHost) (Ports, *[256][]time.Time) {
	sent := &[256][]time.Time{}
	ports := h.ports()
	ports.Open = func(p Place, ready func()) (Link, error) {
		l, err := h.open(p, ready)
		return dated{l, sent}, err
	}
	return ports, sent
}

func TestMastersWhoseMomentsAreCloseSpeakTogetherAndKeepTheirBeat(t *testing.T) {
	for apart, together := range map[time.Duration]bool{15 * time.Millisecond: true, 16 * time.Millisecond: false} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost()
			ports, sent := datedPorts(h)
			beginPorts(t, h, ports, two(), nil)
			elapse(3800 * time.Millisecond)
			// An answer to a lesser master is the beginning of a new beat.
			lesser := func(vrid uint8) {
				h.packet("eth0", advertPacket(t, "10.1.1.30", 50, func(a *wire.Advert) { a.VRID = vrid }))
				synctest.Wait()
			}
			lesser(1)
			elapse(apart)
			lesser(2)
			elapse(5500 * time.Millisecond)
			synctest.Wait()
			for k := range 5 {
				one, two := sent[1][len(sent[1])-5+k], sent[2][len(sent[2])-5+k]
				if got := two.Sub(one); together && got != 0 || !together && got != apart {
					t.Errorf("moments %v apart: beat %d was %v apart", apart, k, got)
				}
			}
			for i, list := range [][]time.Time{sent[1][len(sent[1])-5:], sent[2][len(sent[2])-5:]} {
				if got := list[4].Sub(list[0]); got != 4*time.Second {
					t.Errorf("moments %v apart: four intervals of router %d took %v", apart, i+1, got)
				}
			}
		})
	}
}

// counted is an Alarm that counts.
type counted struct {
	*bell
	waits, rests int
}

func (c *counted) Wait(until time.Time) { c.waits++; c.bell.Wait(until) }

func (c *counted) Rest(d time.Duration) { c.rests++; c.bell.Rest(d) }

func TestPacketsThatFollowOneAnotherCloselyAreHeardTogether(t *testing.T) {
	for between, rests := range map[time.Duration]bool{50 * time.Microsecond: true, 5 * time.Millisecond: false} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost()
			ports, alarm := h.ports(), &counted{bell: newBell()}
			ports.Alarm = alarm
			s := beginPorts(t, h, ports, two(), nil)
			elapse(time.Second)
			synctest.Wait()
			alarm.waits, alarm.rests = 0, 0
			const many = 60
			for range many {
				h.advert(t, "10.1.1.21", 110)
				elapse(between)
			}
			elapse(time.Second)
			synctest.Wait()
			if rests && (alarm.waits > many/4 || alarm.rests == 0) || !rests && alarm.rests != 0 {
				t.Errorf("%d packets each %v: waited %d times, rested %d times", many, between, alarm.waits, alarm.rests)
			}
			if got := s.Status()[0].Counters; got.AdvertiseRcvd != many {
				t.Errorf("heard %d of %d", got.AdvertiseRcvd, many)
			}
		})
	}
}

func TestARestEndsBeforeTheNextMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		ports, sent := datedPorts(h)
		beginPorts(t, h, ports, two(), nil)
		elapse(3609900 * time.Microsecond) // 0.1 ms before both take over
		for range 2 {
			h.packet("eth0", advertPacket(t, "10.1.1.21", 110, func(a *wire.Advert) { a.VRID = 3 })) // of nobody here
			synctest.Wait()
		}
		elapse(10 * time.Millisecond)
		synctest.Wait()
		for vrid := 1; vrid <= 2; vrid++ {
			if got := sent[vrid]; len(got) != 1 || got[0].Sub(h.start) > 3610*time.Millisecond {
				t.Errorf("router %d: spoke %v after the start, want once, within 3.61 s", vrid, got)
			}
		}
	})
}

func TestTheSamePacketIsJudgedByWhatItCameWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, two(), nil)
		elapse(100 * time.Millisecond)
		p := advertPacket(t, "10.1.1.21", 110, nil)
		for range 3 {
			h.packet("eth0", p)
			elapse(time.Second)
		}
		if got := wantState(t, s, "BACKUP", 100); got.Counters.AdvertiseRcvd != 3 || got.Counters.RejectedPkts != 0 {
			t.Errorf("got %+v, want 3 heard", got.Counters)
		}
		far := p
		far.TTL = 254
		h.packet("eth0", far)
		elsewhere := p
		elsewhere.Destination = netip.MustParseAddr("10.1.1.20")
		h.packet("eth0", elsewhere)
		damaged := p
		damaged.Payload = slices.Clone(p.Payload)
		damaged.Payload[8] ^= 1
		h.packet("eth0", damaged)
		if got := wantState(t, s, "BACKUP", 100); got.Counters.AdvertiseRcvd != 3 || got.Counters.RejectedPkts != 3 {
			t.Errorf("got %+v, want 3 refused", got.Counters)
		}
		other := p
		other.Source = netip.MustParseAddr("10.1.1.22")
		h.packet("eth0", other)
		if got := wantState(t, s, "BACKUP", 100); got.Counters.AdvertiseRcvd != 4 || got.Master != "10.1.1.22" {
			t.Errorf("got %+v, want the other router as master", got)
		}
		// Our own address may become the one it came from.
		h.change(func() {
			i := h.snap["eth0"]
			i.Addresses[0].Prefix = netip.MustParsePrefix("10.1.1.22/24")
			h.snap["eth0"] = i
		})
		elapse(10 * time.Millisecond)
		h.packet("eth0", other)
		if got := wantState(t, s, "BACKUP", 100); got.Counters.AdvertiseRcvd != 4 {
			t.Errorf("got %+v, want our own packet refused", got)
		}
	})
}
