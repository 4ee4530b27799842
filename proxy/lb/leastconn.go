package lb

import "herald/config"

var leastConnRow = config.Row[Algorithm]{
	Name:    "leastconn",
	Doc:     "the server with the fewest sessions and waiting requests for its weight; those with the same number in turn",
	Syntax:  "balance leastconn",
	Example: "balance leastconn",
	Do:      Algorithm{make: newLeastConn, Loads: true, Turns: true},
}

// leastConn keeps the servers ordered by their load, and those of one load by
// when they came to it. A pick costs O(1), a change of load O(log n).
type leastConn struct {
	c      Config
	weight []int
	load   []int // the rank; see rank
	seq    []int // arrival at it
	order  heap
	full   []int32 // passed over by the pick under way
	known  []bool  // full until moved
	last   int
}

func newLeastConn(c Config, servers []Server) order {
	n := len(servers)
	l := &leastConn{c: c, weight: make([]int, n), load: make([]int, n), seq: make([]int, n), known: make([]bool, n)}
	l.order = newHeap(n, func(i, j int) bool {
		if l.load[i] != l.load[j] {
			return l.load[i] < l.load[j]
		}
		return l.seq[i] < l.seq[j]
	})
	return l
}

func (l *leastConn) set(i, weight int) {
	l.order.remove(i)
	l.weight[i], l.known[i] = weight, false
	if weight > 0 {
		l.enter(i, l.rank(i))
	}
}

func (l *leastConn) enter(i, rank int) {
	l.last++
	l.load[i], l.seq[i] = rank, l.last
	l.order.add(i)
}

// rank compares loads of servers of different weights: the load there will be
// with one session more, in parts of the weight, rounded down as HAProxy does.
// A server without any load comes first, whatever its weight.
func (l *leastConn) rank(i int) int {
	n := l.c.Served(i) + l.c.Waiting(i)
	if n <= 0 {
		return 0
	}
	return (n + 1) * MaxWeight * weightScale / l.weight[i]
}

func (l *leastConn) moved(i int) {
	if l.weight[i] == 0 {
		return
	}
	rank := l.rank(i)
	switch {
	case l.known[i]:
		l.known[i] = false
		l.enter(i, rank)
	case rank != l.load[i]:
		l.last++
		l.load[i], l.seq[i] = rank, l.last
		l.order.fix(i)
	}
}

func (l *leastConn) next(avoid int, full func(i int) bool) int {
	picked, avoided := None, None
	for picked == None {
		i := l.order.top()
		if i == None {
			break
		}
		isFull := full != nil && full(i)
		switch {
		case isFull && l.c.FixedLimits:
			l.order.remove(i)
			l.known[i] = true
			continue
		case isFull:
		case i == avoid:
			avoided = i
		default:
			picked = i
			continue
		}
		l.order.remove(i)
		l.full = append(l.full, int32(i))
	}
	for _, i := range l.full {
		l.order.add(int(i)) // at the rank and arrival it had
	}
	l.full = l.full[:0]
	if picked == None {
		return avoided
	}
	return picked
}
