// Package lb chooses a server of a backend.
//
// It knows weights, backups and which servers may be used; it knows no
// connection, no health check and no clock. An algorithm is one file and one
// row of Algorithms.
//
//	g, err := lb.New("roundrobin", []lb.Server{
//		{Weight: 10, Usable: true},
//		{Weight: 20, Usable: true},
//		{Weight: 1, Usable: true, Backup: true},
//	}, false)
//	i := g.Pick(lb.None, nil) // 1
//	g.Set(1, lb.Server{Weight: 20}) // its check failed
package lb

import (
	"fmt"
	"sync"

	"herald/config"
)

// None is no server: the answer of Pick when there is none to use, and the
// avoid of a first attempt.
const None = -1

// MaxWeight is the greatest weight of a server (Configuration manual 5.2).
const MaxWeight = 256

// Server is what a choice depends on. The index of a server in its Group is
// its place in the configuration file, from 0.
type Server struct {
	Weight int  // 0..256; 0 takes no new sessions
	Backup bool // used only while no active server is
	Usable bool // up or not checked, and neither in maintenance nor drained
}

// Group is the servers of one backend and the state of its algorithm. Its
// methods may be called from any goroutine: one mutex guards all fields, held
// for a few tens of nanoseconds, and Pick does not allocate.
type Group struct {
	mu         sync.Mutex
	servers    []Server
	allBackups bool
	order      order
	// inUse marks the servers that may be picked now: the usable active ones,
	// else the first usable backup, else (option allbackups) all of those.
	inUse    []bool
	activeN  int
	backupN  int
	totalUse int // sum of the weights in use
}

// order is one algorithm's state over the servers in use.
type order interface {
	// set tells that server i has this weight from now on; 0 takes it out.
	set(i, weight int)
	// next answers the server whose turn it is, passing over the full ones; see
	// Pick.
	next(avoid int, full func(i int) bool) int
}

// Algorithms are the balance algorithms built so far (Configuration manual
// 4.2, "balance").
var Algorithms = config.NewRegistry(
	config.Row[func(n int) order]{
		Name:    "roundrobin",
		Doc:     "each server in turn, as often as its weight says, the turns of a heavy server spread out",
		Syntax:  "balance roundrobin",
		Example: "balance roundrobin",
		Do:      newRoundRobin,
	},
)

// New makes a group that balances by the algorithm called name; allBackups is
// option allbackups. It fails on an unknown algorithm or a weight outside
// 0..256.
func New(name string, servers []Server, allBackups bool) (*Group, error) {
	row, ok := Algorithms.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("balance %s: unknown algorithm", name)
	}
	for i, s := range servers {
		if s.Weight < 0 || s.Weight > MaxWeight {
			return nil, fmt.Errorf("server %d: weight %d is outside 0..%d", i+1, s.Weight, MaxWeight)
		}
	}
	g := &Group{
		servers:    append([]Server(nil), servers...),
		allBackups: allBackups,
		order:      row.Do(len(servers)),
		inUse:      make([]bool, len(servers)),
	}
	g.refresh(None)
	return g, nil
}

// Set replaces what is known of server i: after a health transition, a weight
// or an administrative change.
func (g *Group) Set(i int, s Server) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.Weight = min(max(s.Weight, 0), MaxWeight)
	if g.servers[i] == s {
		return
	}
	g.servers[i] = s
	g.refresh(i)
}

// Pick answers the index of the server for a new session, or None when no
// server is usable or full holds for every one that is. Full may be nil; it is
// called under the group's lock and must not block. Avoid is the server a
// previous attempt failed on: another is preferred, but it is answered when
// there is no other.
func (g *Group) Pick(avoid int, full func(i int) bool) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.order.next(avoid, full)
}

// Counts answers how many active and backup servers are usable with a weight,
// and the weight of those in use: the "act", "bck" and "weight" of the
// backend's row, and the numbers of HAProxy's "servers left" log lines.
func (g *Group) Counts() (active, backup, weight int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.activeN, g.backupN, g.totalUse
}

// refresh works out anew which servers are in use and tells the order. The
// server that changed, if any, is changed.
func (g *Group) refresh(changed int) {
	g.activeN, g.backupN, g.totalUse = 0, 0, 0
	firstBackup := None
	for i, s := range g.servers {
		if !s.Usable || s.Weight == 0 {
			continue
		}
		if !s.Backup {
			g.activeN++
			continue
		}
		g.backupN++
		if firstBackup == None {
			firstBackup = i
		}
	}
	for i, s := range g.servers {
		use := s.Usable && s.Weight > 0
		if s.Backup {
			use = use && g.activeN == 0 && (g.allBackups || i == firstBackup)
		}
		w := 0
		if use {
			w = s.Weight
			g.totalUse += w
		}
		if use != g.inUse[i] || i == changed {
			g.inUse[i] = use
			g.order.set(i, w)
		}
	}
}
