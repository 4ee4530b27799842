package garp

import (
	"net/netip"
	"testing"
	"time"
)

func TestExtraAnnouncementsAreOnePerDevice(t *testing.T) {
	var q Queue
	p := Plan{Repeat: 1, Extra: time.Second, Keepers: []string{"eth0", "eth1", "eth2"}}
	q.Master(epoch, 1, p, []Target{ten, elev, other})
	check(t, play(&q, 2*time.Second), "0s: 1.10 1.11 1.10\n1s: 1.10 1.10\n2s: 1.10 1.10")
	q.Drop(1)
	check(t, play(&q, time.Hour), "")
}

func TestABurstStandsInForTheExtra(t *testing.T) {
	var q Queue
	p := Plan{Repeat: 2, Delay: time.Second, Extra: time.Second, Keepers: []string{"eth0"}}
	q.Master(epoch, 1, p, []Target{ten})
	check(t, play(&q, 2*time.Second), "0s: 1.10 1.10\n1s: 1.10 1.10\n2s: 1.10")
}

func TestAGroupOfDevicesIsPacedTogether(t *testing.T) {
	group := Pace{Group: "g", ARP: 100 * time.Millisecond}
	paces := map[string]Pace{"eth0": group, "eth1": group}
	third := Target{"eth2", netip.MustParseAddr("192.0.2.30")}
	var q Queue
	q.Master(epoch, 1, Plan{Repeat: 1, Interval: time.Second, Paces: paces}, []Target{ten, third})
	q.Master(epoch, 2, Plan{Repeat: 1, Paces: paces}, []Target{other})
	check(t, play(&q, time.Hour), "0s: 1.10 1.30\n100ms: 2.10")
}

func TestTheFamiliesArePacedApart(t *testing.T) {
	six := Target{"eth0", netip.MustParseAddr("2001:db8::1")}
	var q Queue
	q.Master(epoch, 1, Plan{Repeat: 2, Interval: 100 * time.Millisecond, NAInterval: 30 * time.Millisecond}, []Target{ten, six})
	var got []string
	for range 20 {
		next := q.Next()
		if next.IsZero() {
			break
		}
		if next.Before(epoch) {
			next = epoch
		}
		for _, a := range q.Due(next) {
			got = append(got, next.Sub(epoch).String()+" "+a.Target.Address.String())
		}
	}
	want := []string{"0s 10.1.1.10", "0s 2001:db8::1", "30ms 2001:db8::1", "100ms 10.1.1.10"}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
