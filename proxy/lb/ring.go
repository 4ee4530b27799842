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
	all    []point // in the order of the circle
	points []point // those of all that are in use
	stale  bool
	total  int
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
	r := &ring{c: c, ids: make([]int, n), weight: make([]int, n), below: make([]int, n), built: make([]int, n)}
	for i, s := range servers {
		r.ids[i] = s.ID
	}
	return r
}

// maxPoints is how many points a server may have.
const maxPoints = MaxWeight * weightScale

func (r *ring) set(i, weight int) {
	r.total += weight - r.weight[i]
	r.weight[i] = weight
	r.stale = true
}

// renew lays out the points in use after a change. Points once placed are
// only left out, so that a server's coming and going costs no sorting.
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
			r.all = append(r.all, point{key, int32(i), int32(n)})
			grown = true
		}
		r.built[i] = max(r.built[i], w)
	}
	if grown {
		slices.SortFunc(r.all, point.compare)
	}
	r.points = r.points[:0]
	for _, p := range r.all {
		if int(p.n) < r.weight[p.server] {
			r.points = append(r.points, p)
		}
	}
}

// at answers the server nearest to hash. With a balance factor one that has
// more than its share is passed over, clockwise.
func (r *ring) at(hash uint32, avoid int) int {
	r.renew()
	n := len(r.points)
	if n == 0 {
		return None
	}
	p, _ := slices.BinarySearchFunc(r.points, hash, func(x point, h uint32) int { return cmp.Compare(x.key, h) })
	if p == n {
		p = 0
	}
	before := (p + n - 1) % n
	if hash-r.points[before].key <= r.points[p].key-hash { // both modulo 2^32
		p = before
	}
	for range n {
		i := int(r.points[p].server)
		if i != avoid && (r.c.Factor == 0 || r.within(i)) {
			return i
		}
		p = (p + 1) % n
	}
	return int(r.points[p].server)
}

// within reports that server i is below its share of all sessions, this one
// included, times the balance factor. Shares are whole sessions: what the
// division leaves over goes to the servers by their place in the file.
func (r *ring) within(i int) bool {
	slots := ((r.c.Total()+1)*r.c.Factor + 99) / 100
	rest := slots % r.total
	below := r.below[i]
	share := r.weight[i] * (slots / r.total)
	share += (below+r.weight[i])*rest/r.total - below*rest/r.total
	return r.c.Served(i) < max(share, 1)
}

// next goes round the circle, a point a turn, for a request without a key.
func (r *ring) next(avoid int, full func(i int) bool) int {
	r.renew()
	n := len(r.points)
	if n == 0 {
		return None
	}
	p := 0
	if r.begun {
		at, found := slices.BinarySearchFunc(r.points, r.last, point.compare)
		if p = at; found {
			p++
		}
	}
	avoided, where := None, 0
	for range n {
		p %= n
		i := int(r.points[p].server)
		if full == nil || !full(i) {
			if i != avoid {
				r.last, r.begun = r.points[p], true
				return i
			}
			avoided, where = i, p
		}
		p++
	}
	if avoided != None {
		r.last, r.begun = r.points[where], true
	}
	return avoided
}
