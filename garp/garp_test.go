package garp

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var (
	epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ten   = Target{"eth0", netip.MustParseAddr("10.1.1.10")}
	elev  = Target{"eth0", netip.MustParseAddr("10.1.1.11")}
	other = Target{"eth1", netip.MustParseAddr("192.168.243.10")}
)

// keepalivedPlan is the schedule of an instance without garp_ keywords.
var keepalivedPlan = Plan{Repeat: 5, Delay: 5 * time.Second, RefreshRepeat: 1, LowerPrioDelay: 5 * time.Second, LowerPrioRepeat: 5}

// play asks for what is due until limit and returns "time: addresses" for each
// moment, an address by its last byte.
func play(q *Queue, limit time.Duration) string {
	var moments []string
	for range 1000 {
		next := q.Next()
		if next.IsZero() || next.Sub(epoch) > limit {
			break
		}
		if next.Before(epoch) {
			next = epoch
		}
		var sent []string
		for _, a := range q.Due(next) {
			b := a.Target.Address.As4()
			sent = append(sent, fmt.Sprintf("%d.%d", a.Owner, b[3]))
		}
		moments = append(moments, fmt.Sprintf("%v: %s", next.Sub(epoch), strings.Join(sent, " ")))
	}
	return strings.Join(moments, "\n")
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestANewMasterAnnouncesFiveTimesAndAgainAfterFiveSeconds(t *testing.T) {
	var q Queue
	q.Master(epoch, 1, keepalivedPlan, []Target{ten, elev})
	check(t, play(&q, time.Hour), `0s: 1.10 1.11 1.10 1.11 1.10 1.11 1.10 1.11 1.10 1.11
5s: 1.10 1.11 1.10 1.11 1.10 1.11 1.10 1.11 1.10 1.11`)
}

func TestNoDelayMeansNoSecondBurst(t *testing.T) {
	var q Queue
	q.Master(epoch, 1, Plan{Repeat: 1}, []Target{ten})
	check(t, play(&q, time.Hour), `0s: 1.10`)
}

func TestRefreshGoesOn(t *testing.T) {
	var q Queue
	q.Master(epoch, 1, Plan{Repeat: 2, Delay: 2 * time.Second, Refresh: 3 * time.Second, RefreshRepeat: 1}, []Target{ten})
	check(t, play(&q, 10*time.Second), `0s: 1.10 1.10
2s: 1.10 1.10
3s: 1.10
6s: 1.10
9s: 1.10`)
}

func TestARivalIsAnsweredSoonAndAgain(t *testing.T) {
	var q Queue
	q.Master(epoch, 1, keepalivedPlan, []Target{ten})
	q.Due(epoch)
	q.Rival(epoch, 1, keepalivedPlan, []Target{ten})
	check(t, play(&q, time.Hour), `0s: 1.10 1.10 1.10 1.10 1.10
50ms: 1.10
250ms: 1.10
1.1s: 1.10
5s: 1.10 1.10 1.10 1.10 1.10`)
}

func TestAFloodOfRivalsIsPacedLikeOne(t *testing.T) {
	var q Queue
	p := keepalivedPlan
	p.Interval = 100 * time.Millisecond
	for range 1000 {
		q.Rival(epoch, 1, p, []Target{ten})
		q.Due(epoch) // begins the burst; pacing keeps the rest of it back
	}
	if got := strings.Count(play(&q, time.Hour), "1.10"); got > 15 {
		t.Errorf("got %d announcements, want those of one rival", got)
	}
}

func TestPacingIsPerInterface(t *testing.T) {
	var q Queue
	p := Plan{Repeat: 2, Interval: 100 * time.Millisecond}
	q.Master(epoch, 1, p, []Target{ten, elev})
	q.Master(epoch, 2, p, []Target{other})
	check(t, play(&q, time.Hour), `0s: 1.10 2.10
100ms: 1.11 2.10
200ms: 1.10
300ms: 1.11`)
}

func TestAfterAStallOneBurstIsEnough(t *testing.T) {
	var q Queue
	q.Master(epoch, 1, Plan{Repeat: 5, Delay: time.Second, Refresh: 100 * time.Millisecond, RefreshRepeat: 1}, []Target{ten})
	if got := len(q.Due(epoch.Add(time.Minute))); got != 5 {
		t.Errorf("got %d announcements after a minute's stall, want 5", got)
	}
}

func TestAnOwnerThatLetGoIsSilent(t *testing.T) {
	var q Queue
	p := keepalivedPlan
	p.Interval = time.Second
	q.Master(epoch, 1, p, []Target{ten})
	q.Master(epoch, 2, Plan{Repeat: 1}, []Target{other})
	first := q.Due(epoch)
	q.Retry(epoch, first[0])
	q.Drop(1)
	if next := q.Next(); !next.IsZero() {
		t.Errorf("something is due at %v, want nothing", next)
	}
}

func TestARefusedFrameIsTriedAgainAFewTimes(t *testing.T) {
	var q Queue
	q.Master(epoch, 1, Plan{Repeat: 1}, []Target{ten})
	now, tries := epoch, 0
	for {
		due := q.Due(now)
		if len(due) != 1 {
			t.Fatalf("try %d: %d frames due, want 1", tries, len(due))
		}
		if !q.Retry(now, due[0]) {
			break
		}
		tries++
		if next := q.Next(); !next.After(now) {
			t.Fatalf("try %d is due at once", tries)
		}
		now = q.Next()
	}
	if tries != maxTries || !q.Next().IsZero() {
		t.Errorf("got %d tries and next %v, want %d and nothing", tries, q.Next(), maxTries)
	}
	if d := now.Sub(epoch); d > time.Second {
		t.Errorf("the last try came after %v, want within a second", d)
	}
}
