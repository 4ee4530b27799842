package directive

import (
	"time"

	"herald/config/block"
	"herald/vrrp/settings"
)

// garpDraft holds the announcement keywords given so far; nil is not given.
type garpDraft struct {
	repeat, refreshRepeat, lowerRepeat *int
	delay, refresh, lowerDelay, pace   *time.Duration
	pace6                              *time.Duration // gna_interval
	extra                              *extraGarp
	form                               *settings.GarpForm
	once                               bool // vrrp_min_garp
}

// garp completes the schedule of an instance: its own keywords, else the
// global ones, else keepalived's defaults. What follows a lower-priority
// advertisement follows what is set for becoming master.
func garp(own, global garpDraft) settings.Garp {
	repeat, delay := 5, 5*time.Second
	if global.once {
		repeat, delay = 1, 0
	}
	g := settings.Garp{
		Repeat:        pick(own.repeat, global.repeat, repeat),
		Delay:         pick(own.delay, global.delay, delay),
		Refresh:       pick(own.refresh, global.refresh, 0),
		RefreshRepeat: pick(own.refreshRepeat, global.refreshRepeat, 1),
		Interval:      pick(own.pace, global.pace, 0),
		Form:          pick(own.form, global.form, settings.GarpRequest),
		NAInterval:    pick(own.pace6, global.pace6, 0),
	}
	extra := pick(own.extra, global.extra, extraGarp{})
	g.Extra, g.ExtraAll = extra.every, extra.all
	g.LowerPrioDelay = pick(own.lowerDelay, global.lowerDelay, g.Delay)
	g.LowerPrioRepeat = pick(own.lowerRepeat, global.lowerRepeat, g.Repeat)
	return g
}

func pick[V any](own, global *V, otherwise V) V {
	switch {
	case own != nil:
		return *own
	case global != nil:
		return *global
	}
	return otherwise
}

// maxBurst bounds the announcements of one burst; each costs a frame per
// address.
const maxBurst = 1000

// garpCount makes the action of a keyword that sets a number of
// announcements, at least lo.
func garpCount[T any](field func(*T) **int, lo int) func(*build, *T, block.Statement) {
	return func(b *build, t *T, st block.Statement) {
		n := b.number(st, 1, lo, maxBurst, max(lo, 1))
		*field(t) = &n
	}
}

// garpTime makes the action of a keyword that sets a time, in seconds.
func garpTime[T any](field func(*T) **time.Duration, otherwise time.Duration) func(*build, *T, block.Statement) {
	return func(b *build, t *T, st block.Statement) {
		d := b.seconds(st, 1, 0, 24*time.Hour, otherwise)
		*field(t) = &d
	}
}
