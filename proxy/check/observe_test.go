package check

import (
	"testing"
	"time"
)

// Health, lines and the time of the next check, as HAProxy 2.6.12 has them.
func TestErrorsOfTrafficDoWhatOnErrorSays(t *testing.T) {
	for _, row := range []struct {
		on     OnError
		health []int // after each event
		last   string
	}{
		{FastInter, []int{4, 4, 4, 4}, ""},
		{FailCheck, []int{3, 2, 0, 0}, `Server be/srv is DOWN, reason: Health analyze, info: "Detected 2 consecutive errors, last one was: Wrong http response". 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`},
		{SuddenDeath, []int{2, 0, 0, 0}, `Server be/srv is DOWN, reason: Health analyze, info: "Detected 2 consecutive errors, last one was: Wrong http response". 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`},
		{MarkDown, []int{0, 0, 0, 0}, `Server be/srv is DOWN, reason: Health analyze, info: "Detected 2 consecutive errors, last one was: Wrong http response". 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`},
	} {
		c := Config{Backend: "be", Server: "srv", Enabled: true, Rise: 2, Fall: 3, Inter: 20 * time.Second, Fast: time.Second, OnError: row.on}
		s := Start(c, noon, 0)
		s, _ = Step(c, s, noon, Event{Kind: Checked, Chance: 0.5, Result: Result{Status: L4OK}})
		last := ""
		for i, want := range row.health {
			var acts []Action
			s, acts = Step(c, s, noon, Errors(2, WrongStatus))
			for _, text := range texts(c, acts) {
				last = text
			}
			if s.Health != want {
				t.Errorf("mode %d, event %d: health %d, want %d", row.on, i+1, s.Health, want)
			}
			if got := s.Next.Sub(noon); got != time.Second {
				t.Errorf("mode %d, event %d: next check in %v, want fastinter", row.on, i+1, got)
			}
		}
		if last != row.last {
			t.Errorf("mode %d: want %q, got %q", row.on, row.last, last)
		}
	}
}

func TestLayersSeeDifferentErrors(t *testing.T) {
	for s, want := range map[Seen][2]string{Connected: {"good", "-"}, NotConnected: {"bad", "bad"}, GoodResponse: {"-", "good"}, WrongStatus: {"-", "bad"}, TimedOut: {"-", "bad"}} {
		for i, layer7 := range []bool{false, true} {
			got := "-"
			if s.Good(layer7) {
				got = "good"
			} else if s.Bad(layer7) {
				got = "bad"
			}
			if got != want[i] {
				t.Errorf("%s, layer 7 %v: want %s, got %s", seen[s].text, layer7, want[i], got)
			}
		}
	}
}
