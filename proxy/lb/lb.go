// Package lb chooses a server of a backend.
//
// It knows weights, backups and which servers may be used; it knows no
// connection, no health check and no clock. An algorithm is one file and one
// row of Algorithms; the hash functions are rows of Functions.
//
//	g, err := lb.New(lb.Config{Algorithm: "roundrobin"}, []lb.Server{
//		{ID: 1, Weight: 10, Usable: true},
//		{ID: 2, Weight: 20, Usable: true},
//		{ID: 3, Weight: 1, Usable: true, Backup: true},
//	})
//	i := g.Pick(lb.None, nil) // 1
//	g.Set(1, lb.Server{ID: 2, Weight: 20}) // its check failed
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

// weightScale is HAProxy's unit of weight: orders work with sixteenths, so
// that a server that warms up may have less than a weight of 1.
const weightScale = 16

// Warm is the Server.Warm of a server that has its whole weight.
const Warm = weightScale

// Server is what a choice depends on. The index of a server in its Group is
// its place in the configuration file, from 0.
type Server struct {
	// ID is the server's number, which first orders by and consistent hashing
	// places it by. It does not change.
	ID     int
	Weight int  // 0..256; 0 takes no new sessions
	Backup bool // used only while no active server is
	Usable bool // up or not checked, and neither in maintenance nor drained
	// Warm is how many sixteenths of the weight are in force during
	// slowstart; 0 means all. Static algorithms do not heed it.
	Warm int
}

// scaled is the weight in force in sixteenths.
func (s Server) scaled() int {
	if s.Warm > 0 && s.Warm < Warm {
		return s.Weight * s.Warm
	}
	return s.Weight * weightScale
}

// Config is how a group balances. The functions are called under the group's
// lock, from whatever goroutine picks: they must not block. One that is nil
// answers 0.
type Config struct {
	Algorithm  string // a row of Algorithms; empty means roundrobin
	AllBackups bool   // option allbackups
	Hash       Hash
	// Factor is hash-balance-factor in percent; 0 is off.
	Factor int
	// Draws is how many servers balance random compares, 2 when 0.
	Draws int
	// FixedLimits promises that a server once found full stays so until Moved
	// tells otherwise, so that it need not be asked again before.
	FixedLimits bool

	Served  func(i int) int // sessions on server i now
	Waiting func(i int) int // requests in its own queue
	Total   func() int      // sessions on all servers
	Chance  func() uint32   // uniform over all values
}

// Group is the servers of one backend and the state of its algorithm. Its
// methods may be called from any goroutine: one mutex guards all fields, held
// for a few tens of nanoseconds, and Pick does not allocate.
type Group struct {
	mu      sync.Mutex
	cfg     Config
	kind    Algorithm
	servers []Server
	order   order
	keyed   keyed  // order, when it answers keys
	loaded  loaded // order, when it follows loads
	// inUse marks the servers that may be picked now: the usable active ones,
	// else the first usable backup, else (option allbackups) all of those.
	inUse    []bool
	activeN  int
	backupN  int
	totalUse int // sum of the weights in use, in sixteenths
}

// order is one algorithm's state over the servers in use.
type order interface {
	// set tells that server i has this weight, in sixteenths, from now on; 0
	// takes it out.
	set(i, weight int)
	// next answers the server whose turn it is, passing over the full ones; see
	// Pick.
	next(avoid int, full func(i int) bool) int
}

// keyed is an order that finds a server for the hash of a key, full or not.
type keyed interface {
	at(hash uint32, avoid int) int
}

// loaded is an order that is to be told when a server's load changes.
type loaded interface {
	moved(i int)
}

// Algorithm is what a balance algorithm is made of.
type Algorithm struct {
	make func(c Config, servers []Server) order
	key  func(a Args) (Key, error) // nil when not Keyed
	// Keyed says that a key of the request chooses, when it has one.
	Keyed bool
	// Static algorithms do not follow weights: a server has its weight of the
	// file or none.
	Static bool
	// Turns says that any other server will do for a second attempt: no key
	// leads to one.
	Turns bool
	// Loads says that the servers' loads decide: the group is to be told of
	// every change by Moved.
	Loads bool
	// Drains says that a queue of the backend means that all servers are full.
	Drains bool
}

// Algorithms are the balance algorithms (Configuration manual 4.2,
// "balance").
var Algorithms = config.NewRegistry(
	roundRobinRow, staticRow, leastConnRow, firstRow, randomRow,
	sourceRow, uriRow, urlParamRow, headerRow, rdpCookieRow, hashRow,
)

// New makes a group. It fails on an unknown algorithm or hash function, and
// on a weight outside 0..256.
func New(cfg Config, servers []Server) (*Group, error) {
	if cfg.Algorithm == "" {
		cfg.Algorithm = "roundrobin"
	}
	row, ok := Algorithms.Lookup(cfg.Algorithm)
	if !ok {
		return nil, fmt.Errorf("balance %s: unknown algorithm", cfg.Algorithm)
	}
	if _, ok := Functions.Lookup(cfg.Hash.Function); !ok && cfg.Hash.Function != "" {
		return nil, fmt.Errorf("hash-type: unknown function %s", cfg.Hash.Function)
	}
	for i, s := range servers {
		if s.Weight < 0 || s.Weight > MaxWeight {
			return nil, fmt.Errorf("server %d: weight %d is outside 0..%d", i+1, s.Weight, MaxWeight)
		}
	}
	cfg.fill()
	g := &Group{cfg: cfg, kind: row.Do, servers: append([]Server(nil), servers...), inUse: make([]bool, len(servers))}
	if g.kind.Keyed && cfg.Hash.Consistent {
		g.kind.Static = false
	}
	g.order = row.Do.make(cfg, g.servers)
	g.keyed, _ = g.order.(keyed)
	g.loaded, _ = g.order.(loaded)
	g.refresh(None)
	if r, ok := g.order.(interface{ renew() }); ok {
		r.renew() // not while the first request waits
	}
	return g, nil
}

// fill replaces the functions that are missing.
func (c *Config) fill() {
	if c.Served == nil {
		c.Served = func(int) int { return 0 }
	}
	if c.Waiting == nil {
		c.Waiting = func(int) int { return 0 }
	}
	if c.Total == nil {
		c.Total = func() int { return 0 }
	}
	if c.Chance == nil {
		c.Chance = func() uint32 { return 0 }
	}
}

// Kind answers what the group's algorithm is like.
func (g *Group) Kind() Algorithm { return g.kind }

// Set replaces what is known of server i: after a health transition, a weight
// or an administrative change.
func (g *Group) Set(i int, s Server) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.ID = g.servers[i].ID
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
// there is no other. An algorithm that wants a key takes turns.
func (g *Group) Pick(avoid int, full func(i int) bool) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.order.next(avoid, full)
}

// PickHash answers the server that the hash of a key leads to, full or not,
// None when no server is usable. The algorithm must be Keyed. Avoid is heeded
// by consistent hashing alone.
func (g *Group) PickHash(hash uint32, avoid int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.keyed.at(hash, avoid)
}

// Moved tells that the load of server i, its limit or its queue has changed.
func (g *Group) Moved(i int) {
	if g.loaded == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.loaded.moved(i)
}

// Counts answers how many active and backup servers are usable with a weight,
// and the weight of those in use: the "act", "bck" and "weight" of the
// backend's row, and the numbers of HAProxy's "servers left" log lines.
func (g *Group) Counts() (active, backup, weight int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.activeN, g.backupN, (g.totalUse + weightScale - 1) / weightScale
}

// InUse reports whether server i may be picked now.
func (g *Group) InUse(i int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inUse[i]
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
			use = use && g.activeN == 0 && (g.cfg.AllBackups || i == firstBackup)
		}
		w := 0
		if use {
			if w = s.scaled(); g.kind.Static {
				w = s.Weight * weightScale
			}
			g.totalUse += w
		}
		if use != g.inUse[i] || i == changed {
			g.inUse[i] = use
			g.order.set(i, w)
		}
	}
}
