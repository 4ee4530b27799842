package vrrp

import (
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
)

func TestATrackedProcessMovesThePriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Processes = []settings.TrackedProcess{{Name: "web", Quorum: 1, QuorumMax: -1, TerminateDelay: time.Second}, {Name: "must", Quorum: 1, QuorumMax: -1},
			{Name: "own", InProcess: true}}
		cfg.Instances[0].Tracks = nil
		cfg.Instances[0].Watched = []settings.Watched{{Kind: settings.AProcess, Name: "web", Weight: 10}, {Kind: settings.AProcess, Name: "must"},
			{Kind: settings.AProcess, Name: "own", Weight: -5}}
		s := begin(t, h, cfg, nil)
		elapse(4 * time.Second)
		if got := wantState(t, s, "INIT", 100).Why; got != "waiting for must" {
			t.Errorf("why: got %q", got)
		}
		s.SetProcess("web", 1)
		s.SetProcess("must", 2)
		s.SetProcess("nobody", 2)
		elapse(4 * time.Second)
		if got := wantState(t, s, "MASTER", 110).Tracked; len(got) != 3 || got[0].State != "good" {
			t.Errorf("tracked: got %+v", got)
		}
		s.SetProxyServing(false, "")
		wantState(t, s, "MASTER", 105)
		s.SetProxyServing(true, "")
		wantState(t, s, "MASTER", 110)
		h.logged(t, "process web is good: 1 run")
		s.SetProcess("web", 0) // and its successor comes in time
		elapse(time.Second / 2)
		s.SetProcess("web", 1)
		elapse(2 * time.Second)
		wantState(t, s, "MASTER", 110)
		s.SetProcess("web", 0)
		elapse(1100 * time.Millisecond)
		wantState(t, s, "MASTER", 100)
		s.SetProcess("must", 0)
		if got := wantState(t, s, "FAULT", 100).Why; got != "process must is bad: 0 run" {
			t.Errorf("why: got %q", got)
		}
	})
}
