package supervise

import (
	"maps"
	"slices"
	"time"

	"herald/cmd/herald/internal/ipc"
)

// lastCount is how long a proxy that is ready waits at most for what the one
// before has counted until it drains. That takes a millisecond; only one that is
// stuck, and serves nobody, takes longer.
const lastCount = time.Second

// tallied keeps what a proxy process has counted, and tells the one that
// serves. One that tells for the first time has what it took over among it.
func (s *Supervisor) tallied(r *role, m ipc.Tally) {
	if r.name != ipc.Proxy || !r.serving {
		return
	}
	s.tallies[r.id] = m.Counted
	for _, id := range r.took {
		delete(s.tallies, id)
	}
	r.took = nil
	if serves := s.roles[s.newest]; serves != nil && serves != r {
		serves.process.Peer().Tally(ipc.OtherTally{Generation: int(r.id), Counted: m.Counted})
	}
	if m.Draining {
		s.succeed(r)
	}
}

// talliesFor are the counts that a proxy process begins with. Those of
// processes that have ended are kept until it tells them as its own: it
// might crash before.
func (s *Supervisor) talliesFor(r *role) []ipc.OtherTally {
	var list []ipc.OtherTally
	for _, id := range slices.Sorted(maps.Keys(s.tallies)) {
		ended := s.roles[id] == nil
		if ended {
			r.took = append(r.took, id)
		}
		list = append(list, ipc.OtherTally{Generation: int(id), Counted: s.tallies[id], Ended: ended})
	}
	return list
}

// beginProxy lets a proxy begin as soon as the one before, which is told to
// drain at the same time, has told what it counted: totals would go back
// otherwise.
func (s *Supervisor) beginProxy(r *role) {
	former := s.roles[s.newest]
	if former == nil {
		s.begin(r, false)
		return
	}
	former.successor = r.id
	time.AfterFunc(lastCount, func() { s.call(func() { s.succeed(former) }) })
}

// succeed lets the one begin that waits for r.
func (s *Supervisor) succeed(r *role) {
	next := s.roles[r.successor]
	if r.successor = 0; next != nil {
		s.begin(next, false)
	}
}
