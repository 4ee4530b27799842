package group

import (
	"time"

	"herald/vrrp/settings"
)

// Link is what is believed of an interface's link. The zero value has seen
// nothing.
type Link struct {
	Known, Up bool
	// Due is when a change that is seen counts; zero when none waits.
	Due time.Time
}

// Step tells how the link is now: a change has to last for the delay, and
// what is seen first counts at once.
func (l Link) Step(d settings.LinkDelay, now time.Time, up bool) Link {
	delay := d.Down
	if up {
		delay = d.Up
	}
	switch {
	case !l.Known || up == l.Up:
		return Link{Known: true, Up: up}
	case l.Due.IsZero():
		l.Due = now.Add(delay)
	}
	if !now.Before(l.Due) {
		return Link{Known: true, Up: up}
	}
	return l
}
