package lb

import "herald/config"

var randomRow = config.Row[Algorithm]{
	Name:    "random",
	Doc:     "the least loaded of so many servers drawn by chance and weight, two by default",
	Syntax:  "balance random[(DRAWS)]",
	Example: "balance random(2)",
	Do:      Algorithm{make: newRandom, Turns: true},
}

// defaultDraws are enough to avoid the most loaded server, which takes away
// most of the unfairness of chance (Mitzenmacher, the power of two choices).
const defaultDraws = 2

// random draws places on the ring of consistent hashing.
type random struct {
	ring  *ring
	draws int
}

func newRandom(c Config, servers []Server) order {
	if c.Draws <= 0 {
		c.Draws = defaultDraws
	}
	return &random{ring: newRing(c, servers), draws: c.Draws}
}

func (r *random) renew() { r.ring.renew() }

func (r *random) set(i, weight int) { r.ring.set(i, weight) }

// next answers None when the server drawn is full: the request waits for
// whichever has room first.
func (r *random) next(avoid int, full func(i int) bool) int {
	best := None
	for range r.draws {
		i := r.ring.at(r.ring.c.Chance(), avoid)
		if best == None || i != None && r.lighter(i, best) {
			best = i
		}
	}
	if best != None && full != nil && full(best) {
		return None
	}
	return best
}

// lighter reports that server i has no more sessions for its weight than j.
func (r *random) lighter(i, j int) bool {
	return r.ring.c.Served(i)*r.ring.weight[j] <= r.ring.c.Served(j)*r.ring.weight[i]
}
