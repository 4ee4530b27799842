package lb

// weightScale is HAProxy's unit of weight. It makes a round sixteen times as
// long as the sum of the weights, which shows in the order of the picks.
const weightScale = 16

// roundRobin is HAProxy's dynamic round robin: picks are numbered in rounds as
// long as the total weight, and each server is due again total/weight picks
// after its last turn. The order is the same as HAProxy 2.6's for weights that
// stay as they are. Choosing scans the servers: some nanoseconds for each.
//
// A pick takes the queued server that is due; else the heaviest that waits for
// its first turn of the round; else the queued one that is due next. A server
// whose next turn lies beyond the round waits for the next round.
type roundRobin struct {
	turns []turn
	total int // sum of the weights
	now   int // number of the pick within the round
	last  int // sequence number given last
}

// turn is one server's part in the round.
type turn struct {
	weight int // scaled; 0 is out
	place  place
	due    int // number of the pick it is due at
	rest   int // what the division total/weight has left over so far
	seq    int // order of arrival in its place
	begun  bool
}

// place is where a server stands between its turns.
type place int8

const (
	waiting   place = iota // first turn of this round still to come
	queued                 // due again in this round
	nextRound              // done with this round
	aside                  // passed over by the pick under way
)

func newRoundRobin(n int) order { return &roundRobin{turns: make([]turn, n)} }

func (r *roundRobin) set(i, weight int) {
	t := &r.turns[i]
	r.total += weight*weightScale - t.weight
	if weight == 0 || t.weight == 0 {
		*t = turn{seq: r.arrival()}
	}
	t.weight = weight * weightScale
}

func (r *roundRobin) next(avoid int, full func(i int) bool) int {
	picked, avoided, skipped, renewed := None, None, false, false
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
		case i == avoid:
			avoided = i
		default:
			picked = i
			r.queue(i)
			continue
		}
		r.turns[i].place = aside
		skipped = true
	}
	if skipped {
		r.restore()
	}
	if picked == None {
		return avoided
	}
	return picked
}

// first answers whose turn it is, None when the round is over.
func (r *roundRobin) first() int {
	due, fresh := None, None
	for i := range r.turns {
		t := &r.turns[i]
		if t.weight == 0 {
			continue
		}
		switch t.place {
		case queued:
			if due == None || t.before(&r.turns[due]) {
				due = i
			}
		case waiting:
			if fresh == None || t.heavier(&r.turns[fresh]) {
				fresh = i
			}
		}
	}
	if fresh != None && (due == None || r.turns[due].due > r.now) {
		return fresh
	}
	return due
}

// before orders queued servers: by the pick they are due at, then the one that
// is most behind its share.
func (t *turn) before(o *turn) bool {
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
func (t *turn) heavier(o *turn) bool {
	if t.weight != o.weight {
		return t.weight > o.weight
	}
	return t.seq < o.seq
}

// advance spends server i's turn.
func (r *roundRobin) advance(i int) {
	t := &r.turns[i]
	if !t.begun {
		t.due, t.begun = r.now, true
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
	t.place = queued
	if t.due >= r.total {
		t.place = nextRound
	}
}

// restore puts back the servers passed over.
func (r *roundRobin) restore() {
	for i := range r.turns {
		if r.turns[i].place == aside {
			r.queue(i)
		}
	}
}

// renew begins a round; false when no server waits for one.
func (r *roundRobin) renew() bool {
	some := false
	for i := range r.turns {
		t := &r.turns[i]
		if t.weight == 0 || t.place == aside {
			continue
		}
		t.place, t.begun = waiting, false
		some = true
	}
	if some {
		r.now = 0
	}
	return some
}

func (r *roundRobin) arrival() int {
	r.last++
	return r.last
}
