package main

import (
	"regexp"
	"time"
)

// traceLine is what Go's runtime says of a collection with GODEBUG=gctrace=1.
var traceLine = regexp.MustCompile(`(?m)^gc \d+ @`)

// collections counts the garbage collections of a minute of saturated
// keep-alive, in all of herald's processes; a short run counts for what it
// would be in a minute.
func collections(b *bench, s *subject) (sample, error) {
	if _, err := b.wrk("http", "/1k", 1, nil); err != nil {
		return sample{}, err
	}
	seconds := 60
	if b.quick {
		seconds = 15
	}
	before := s.collections.Load()
	r, err := b.wrk("http", "/1k", seconds, nil)
	if err != nil {
		return sample{}, err
	}
	n := s.collections.Load() - before
	return sample{float64(n) * time.Minute.Seconds() / float64(seconds), r.perSecond}, nil
}
