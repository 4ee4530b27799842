package lb

import "herald/config"

var roundRobinRow = config.Row[Algorithm]{
	Name:    "roundrobin",
	Doc:     "each server in turn, as often as its weight says, the turns of a heavy server spread out",
	Syntax:  "balance roundrobin",
	Example: "balance roundrobin",
	Do:      Algorithm{make: newRoundRobin, Turns: true, Drains: true},
}

// roundRobin is HAProxy's dynamic round robin: picks are numbered in rounds as
// long as the total weight in sixteenths, and each server is due again
// total/weight picks after its last turn. The order is the same as HAProxy
// 2.6's for weights that stay as they are. Choosing costs O(log n).
//
// A pick takes the queued server that is due; else the heaviest that waits for
// its first turn of the round; else the queued one that is due next. A server
// whose next turn lies beyond the round waits for the next round.
type roundRobin struct {
	turns   []turn
	waiting heap // first turn of this round still to come
	queued  heap // due again in this round
	later   heap // done with this round
	aside   []int32
	parked  int  // servers that stay aside until they move
	fixed   bool // Config.FixedLimits, of many servers
	total   int  // sum of the weights
	now     int  // number of the pick within the round
	round   int
	last    int // sequence number given last
}

// parkFrom is the number of servers beyond which one that is full is left aside
// until it moves. Among fewer every pick passes it over and pushes its turn
// back, which is HAProxy's order.
const parkFrom = 32

// turn is one server's part in the round.
type turn struct {
	weight int // in sixteenths; 0 is out
	due    int // number of the pick it is due at
	rest   int // what the division total/weight has left over so far
	seq    int // order of arrival in its place
	begun  int // the round it had its first turn of
	parked bool
}

func newRoundRobin(c Config, servers []Server) order {
	r := &roundRobin{turns: make([]turn, len(servers)), fixed: c.FixedLimits && len(servers) > parkFrom, round: 1}
	r.waiting = newHeap(len(servers), r.heavier)
	r.queued = newHeap(len(servers), r.earlier)
	r.later = newHeap(len(servers), r.heavier)
	return r
}

func (r *roundRobin) set(i, weight int) {
	t := &r.turns[i]
	r.total += weight - t.weight
	if weight == 0 || t.weight == 0 {
		r.leave(i)
		*t = turn{seq: r.arrival()}
		if weight > 0 {
			t.weight = weight
			r.waiting.add(i)
		}
		return
	}
	t.weight = weight
	r.waiting.fix(i)
	r.queued.fix(i)
	r.later.fix(i)
}

func (r *roundRobin) leave(i int) {
	r.waiting.remove(i)
	r.queued.remove(i)
	r.later.remove(i)
	if r.turns[i].parked {
		r.parked--
	}
}

// moved brings a server back that was full.
func (r *roundRobin) moved(i int) {
	if t := &r.turns[i]; t.parked {
		t.parked = false
		r.parked--
		t.due = max(t.due, r.now)
		r.queue(i)
	}
}

func (r *roundRobin) next(avoid int, full func(i int) bool) int {
	picked, avoided, renewed := None, None, false
	for picked == None {
		i := r.first()
		if i == None {
			if renewed || !r.renew() {
				break
			}
			renewed = true
			continue
		}
		r.advance(i)
		switch {
		case full != nil && full(i):
			if r.fixed {
				r.turns[i].parked = true
				r.parked++
				continue
			}
		case i == avoid:
			avoided = i
		default:
			picked = i
			r.queue(i)
			continue
		}
		r.aside = append(r.aside, int32(i))
	}
	for _, i := range r.aside {
		r.queue(int(i))
	}
	r.aside = r.aside[:0]
	if picked == None {
		return avoided
	}
	return picked
}

// first takes the server whose turn it is out of its place; None when the
// round is over.
func (r *roundRobin) first() int {
	due, fresh := r.queued.top(), r.waiting.top()
	if fresh != None && (due == None || r.turns[due].due > r.now) {
		r.waiting.remove(fresh)
		return fresh
	}
	if due != None {
		r.queued.remove(due)
	}
	return due
}

// earlier orders queued servers: by the pick they are due at, then the one
// that is most behind its share.
func (r *roundRobin) earlier(i, j int) bool {
	t, o := &r.turns[i], &r.turns[j]
	if t.due != o.due {
		return t.due < o.due
	}
	a, b := t.lag(), o.lag()
	if a != b {
		return a < b
	}
	return t.seq < o.seq
}

func (t *turn) lag() int { return (MaxWeight*weightScale + t.rest - t.weight) / weightScale }

// heavier orders waiting servers.
func (r *roundRobin) heavier(i, j int) bool {
	t, o := &r.turns[i], &r.turns[j]
	if t.weight != o.weight {
		return t.weight > o.weight
	}
	return t.seq < o.seq
}

// advance spends server i's turn.
func (r *roundRobin) advance(i int) {
	t := &r.turns[i]
	if t.begun != r.round {
		t.due, t.begun = r.now, r.round
	}
	t.due += r.total / t.weight
	t.rest += r.total % t.weight
	if t.rest >= t.weight {
		t.rest -= t.weight
		t.due++
	}
	r.now++
}

// queue puts server i where its next turn is.
func (r *roundRobin) queue(i int) {
	t := &r.turns[i]
	t.seq = r.arrival()
	if t.due >= r.total {
		r.later.add(i)
	} else {
		r.queued.add(i)
	}
}

// renew begins a round; false when no server waits for one.
func (r *roundRobin) renew() bool {
	if r.later.len() == 0 {
		return false
	}
	r.waiting, r.later = r.later, r.waiting
	r.now = 0
	r.round++
	return true
}

func (r *roundRobin) arrival() int {
	r.last++
	return r.last
}
