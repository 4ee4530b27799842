package proxy

import (
	"time"

	"herald/proxy/check"
	"herald/proxy/settings"
)

// linkFollowers makes every server that tracks another its follower, and
// follow at once.
func (s *Server) linkFollowers() {
	byName := map[settings.Track]*target{}
	for _, b := range s.backends {
		for _, t := range b.targets {
			byName[settings.Track{Backend: b.cfg.Name, Server: t.cfg.Name}] = t
		}
	}
	for _, t := range byName {
		lead := byName[t.cfg.Track]
		if t.cfg.Track.Server == "" || lead == nil {
			continue
		}
		t.lead = lead
		lead.followers = append(lead.followers, t)
		t.check.Via = lead.be.cfg.Name + "/" + lead.cfg.Name
	}
	for _, t := range byName {
		root := t
		for steps := 0; root.lead != nil && steps < len(byName); steps++ {
			root = root.lead
		}
		if root != t {
			t.check.Rise, t.check.Fall, t.check.FollowsCheck = root.cfg.Rise, root.cfg.Fall, root.cfg.Check
		}
	}
	s.followAll(s.start)
}

// followAll lets every follower take over what its lead is, without a word:
// it comes before the start.
func (s *Server) followAll(now time.Time) {
	var follow func(t *target)
	follow = func(t *target) {
		for _, f := range t.followers {
			f.state, _ = check.Step(f.check, f.state, now, check.Event{Kind: check.Followed, Lead: t.state.Lead()})
			f.be.group.Set(f.index, f.member())
			follow(f)
		}
	}
	for _, b := range s.backends {
		for _, t := range b.targets {
			if t.lead == nil {
				follow(t)
			}
		}
	}
}

// pass lets those who follow t take over what t is now.
func (s *Server) pass(t *target) {
	for _, f := range t.followers {
		f.following.Lock() // what is read first is taken over first
		t.be.mu.Lock()
		lead := t.state.Lead()
		t.be.mu.Unlock()
		s.step(f, check.Event{Kind: check.Followed, Lead: lead, Chance: 0.5})
		f.following.Unlock()
	}
}
