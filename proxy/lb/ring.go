package lb

import (
	"cmp"
	"slices"
)

// ring is HAProxy's consistent hashing: every server stands on a circle of
// 2^32 places as often as its weight has sixteenths, at places its id alone
// decides, and a hash leads to the nearest. A server that comes or goes moves
// the keys of its own neighbourhood only.
type ring struct {
	c      Config
	ids    []int
	weight []int   // in sixteenths; 0 is out
	below  []int   // sum of the weights before server i
	built  []int   // points of server i in all
	points []point // of all servers, in use or not, in the order of the circle
	stale  bool
	total  int
	used   int   // servers in use
	asked  set   // of the turn under way
	last   point // the point the last turn fell on, for requests without a key
	begun  bool
}

// point is one place of a server.
type point struct {
	key    uint32
	server int32
	n      int32 // which of the server's points
}

func (p point) compare(o point) int {
	return cmp.Or(cmp.Compare(p.key, o.key), cmp.Compare(p.server, o.server), cmp.Compare(p.n, o.n))
}

func newRing(c Config, servers []Server) *ring {
	n := len(servers)
	r := &ring{c: c, ids: make([]int, n), weight: make([]int, n), below: make([]int, n), built: make([]int, n), asked: newSet(n)}
	for i, s := range servers {
		r.ids[i] = s.ID
	}
	return r
}

// maxPoints is how many points a server may have.
const maxPoints = MaxWeight * weightScale

func (r *ring) set(i, weight int) {
	if r.weight[i] > 0 {
		r.used--
	}
	if weight > 0 {
		r.used++
	}
	r.total += weight - r.weight[i]
	r.weight[i] = weight
	r.stale = true
}

// renew places the points of servers that have more weight than ever before.
// A point once placed stays: what is not in use is passed over, so that a
// server's coming and going costs nothing.
func (r *ring) renew() {
	if !r.stale {
		return
	}
	r.stale = false
	grown, below := false, 0
	for i, w := range r.weight {
		r.below[i] = below
		below += w
		for n := r.built[i]; n < w; n++ {
			key := avalanche(uint32(r.ids[i])*maxPoints + uint32(n))
			r.points = append(r.points, point{key, int32(i), int32(n)})
			grown = true
		}
		r.built[i] = max(r.built[i], w)
	}
	if grown {
		slices.SortFunc(r.points, point.compare)
	}
}

// seek answers the first point in use from p on, step by step round the
// circle. There is one.
func (r *ring) seek(p, step int) int {
	n := len(r.points)
	for {
		if p = (p + n) % n; int(r.points[p].n) < r.weight[r.points[p].server] {
			return p
		}
		p += step
	}
}

// at answers the server nearest to hash. With a balance factor one that has
// more than its share is passed over, clockwise.
func (r *ring) at(hash uint32, avoid int) int {
	switch {
	case r.total == 0:
		return None
	case avoid != None && r.weight[avoid] == r.total:
		return avoid // there is no other
	}
	r.renew()
	p, _ := slices.BinarySearchFunc(r.points, hash, func(x point, h uint32) int { return cmp.Compare(x.key, h) })
	before := r.seek(p-1, -1)
	p = r.seek(p, 1)
	if hash-r.points[before].key <= r.points[p].key-hash { // both modulo 2^32
		p = before
	}
	slots := 0
	if r.c.Factor > 0 {
		slots = ((r.c.Total()+1)*r.c.Factor + 99) / 100
	}
	for range r.total { // the number of points in use
		i := int(r.points[p].server)
		if i != avoid && (r.c.Factor == 0 || r.within(i, slots)) {
			return i
		}
		p = r.seek(p+1, 1)
	}
	return int(r.points[p].server)
}

// within reports that server i is below its share of the slots, which are all
// sessions, this one included, times the balance factor. Shares are whole
// sessions: what the division leaves over goes to the servers by their place
// in the file.
func (r *ring) within(i, slots int) bool {
	rest, below := slots%r.total, r.below[i]
	share := r.weight[i] * (slots / r.total)
	share += (below+r.weight[i])*rest/r.total - below*rest/r.total
	return r.c.Served(i) < max(share, 1)
}

// next goes round the circle, a point a turn, for a request without a key.
func (r *ring) next(avoid int, full func(i int) bool) int {
	if r.total == 0 {
		return None
	}
	r.renew()
	p := 0
	if r.begun {
		at, found := slices.BinarySearchFunc(r.points, r.last, point.compare)
		if p = at; found {
			p++
		}
	}
	avoided, where, left := None, 0, r.used
	clear(r.asked)
	for ; left > 0; p++ {
		p = r.seek(p, 1)
		i := int(r.points[p].server)
		if r.asked.has(i) {
			continue
		}
		r.asked.add(i)
		left--
		if full == nil || !full(i) {
			if i != avoid {
				r.last, r.begun = r.points[p], true
				return i
			}
			avoided, where = i, p
		}
	}
	if avoided != None {
		r.last, r.begun = r.points[where], true
	}
	return avoided
}
