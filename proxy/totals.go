package proxy

import (
	"encoding/json"
	"fmt"
	"sync"
)

// This file makes one of what several generations count. Each tells the
// parent what it has counted itself, with what it took over from those that
// had ended when it began; the one that serves shows its own and what the
// others told last. A telling replaces the one before, so that it may be told
// twice or get lost.

// sums are counts by what counted them, in the order of tally.counters and
// without the zeros at the end. They wrap around: where counters were
// cleared, one may be below zero that others make up for.
type sums map[string][]uint64

// plus adds up.
func plus(list ...sums) sums {
	all := sums{}
	for _, s := range list {
		for name, counts := range s {
			all[name] = added(all[name], counts)
		}
	}
	return all
}

// added answers a + b, in a where it is long enough.
func added(a, b []uint64) []uint64 {
	for len(a) < len(b) {
		a = append(a, 0)
	}
	for i, n := range b {
		a[i] += n
	}
	return a
}

// negative is what makes nothing of s by plus.
func (s sums) negative() sums {
	all := sums{}
	for name, counts := range s {
		less := make([]uint64, len(counts))
		for i, n := range counts {
			less[i] = -n
		}
		all[name] = less
	}
	return all
}

// totals are what other generations count. The zero value is ready.
type totals struct {
	mu     sync.Mutex
	taken  sums         // over from those that had ended, less what had been told when counters were cleared
	others map[int]sums // told last, by generation
}

// beside is what is shown beside the generation's own counts; t.mu is held.
func (t *totals) beside() sums {
	list := []sums{t.taken}
	for _, s := range t.others {
		list = append(list, s)
	}
	return plus(list...)
}

// counter is what counts under one name.
type counter struct {
	name    string
	tallies []tally // of the loops; the last is of other generations
}

// newTallies makes one for each loop, and one for other generations.
func (s *Server) newTallies() []tally { return make([]tally, len(s.workers)+1) }

// own are the tallies of the loops.
func own(tallies []tally) []tally { return tallies[:len(tallies)-1] }

// listCounters names what counts; the configuration has no spaces in names.
func (s *Server) listCounters() {
	for _, f := range s.frontends {
		s.counters = append(s.counters, counter{"frontend " + f.cfg.Name, f.tallies})
	}
	for _, b := range s.backends {
		s.counters = append(s.counters, counter{"backend " + b.cfg.Name, b.tallies})
		for _, t := range b.targets {
			s.counters = append(s.counters, counter{"server " + b.cfg.Name + " " + t.cfg.Name, t.tallies})
		}
	}
}

// Counted encodes what this generation has counted and taken over. Any
// goroutine may call it.
func (s *Server) Counted() ([]byte, error) {
	s.totals.mu.Lock()
	defer s.totals.mu.Unlock()
	all := sums{}
	for _, c := range s.counters {
		sum := added(count(own(c.tallies)), s.totals.taken[c.name])
		for len(sum) > 0 && sum[len(sum)-1] == 0 {
			sum = sum[:len(sum)-1]
		}
		if len(sum) > 0 {
			all[c.name] = sum
		}
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("encode what was counted: %w", err)
	}
	return raw, nil
}

// TakeOver makes what Counted gave in a generation that has ended a part of
// what this one counts.
func (s *Server) TakeOver(raw []byte) error {
	counted, err := parseSums(raw)
	if err != nil {
		return err
	}
	s.totals.mu.Lock()
	defer s.totals.mu.Unlock()
	s.totals.taken = plus(s.totals.taken, counted)
	s.showTotals()
	return nil
}

// Tally shows what Counted gave in another generation beside what this one
// counts, in place of what that one told before.
func (s *Server) Tally(generation int, raw []byte) error {
	counted, err := parseSums(raw)
	if err != nil {
		return err
	}
	s.totals.mu.Lock()
	defer s.totals.mu.Unlock()
	if s.totals.others == nil {
		s.totals.others = map[int]sums{}
	}
	s.totals.others[generation] = counted
	s.showTotals()
	return nil
}

func parseSums(raw []byte) (sums, error) {
	var s sums
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("decode what another process has counted: %w", err)
	}
	return s, nil
}

// showTotals puts the counts of others beside those of the loops; s.totals.mu is held.
func (s *Server) showTotals() {
	beside := s.totals.beside()
	for _, c := range s.counters {
		counts := beside[c.name]
		for i, to := range c.tallies[len(c.tallies)-1].counters() {
			if i < len(counts) {
				to.Store(counts[i])
			} else {
				to.Store(0)
			}
		}
	}
}

// count adds the counters of tallies up.
func count(tallies []tally) []uint64 {
	var sum []uint64
	for i := range tallies {
		list := tallies[i].counters()
		if sum == nil {
			sum = make([]uint64, len(list))
		}
		for j, c := range list {
			sum[j] += c.Load()
		}
	}
	return sum
}

// clearTallies resets the maxima, or with all every counter. Of what other
// generations have told until now nothing is left then, in the totals of
// later generations either.
func (s *Server) clearTallies(all bool) {
	s.totals.mu.Lock()
	defer s.totals.mu.Unlock()
	for _, c := range s.counters {
		for i := range c.tallies {
			c.tallies[i].clear(all)
		}
	}
	if all {
		s.totals.taken = nil
		s.totals.taken = s.totals.beside().negative()
	}
}
