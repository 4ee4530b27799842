package vrrp

import (
	"fmt"
	"slices"
	"time"

	"herald/vrrp/settings"
)

// believed reports whether an interface's link counts as up: a change has to
// last where interface_up_down_delays says so. An interface that does not
// exist is down at once.
func (s *Server) believed(name string) bool {
	i, exists := s.snap[name]
	l, delayed := s.debounce[name]
	if !exists || !delayed {
		return i.Up
	}
	return l.Up
}

// debounceLinks follows the links whose changes have to last.
func (s *Server) debounceLinks(now time.Time) {
	for _, d := range s.cfg.LinkDelays {
		i, exists := s.snap[d.Interface]
		if !exists {
			delete(s.debounce, d.Interface)
			continue
		}
		before := s.debounce[d.Interface]
		l := before.Step(d, now, i.Up)
		s.debounce[d.Interface] = l
		if before.Due.IsZero() && !l.Due.IsZero() {
			s.log.Info(fmt.Sprintf("interface %s is %s: believed in %v", d.Interface, upOrDown(i.Up), l.Due.Sub(now)))
		}
	}
}

// believeLinks lets link changes count that have lasted long enough.
func (s *Server) believeLinks(now time.Time) {
	due := func(d settings.LinkDelay) bool {
		l := s.debounce[d.Interface]
		return !l.Due.IsZero() && !now.Before(l.Due)
	}
	if slices.ContainsFunc(s.cfg.LinkDelays, due) {
		s.debounceLinks(now)
		s.weighAll()
	}
}

func upOrDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}
