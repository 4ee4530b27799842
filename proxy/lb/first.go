package lb

import (
	"cmp"
	"slices"

	"herald/config"
)

var firstRow = config.Row[Algorithm]{
	Name:    "first",
	Doc:     "the server with the lowest id that has room below its maxconn, whatever its weight",
	Syntax:  "balance first",
	Example: "balance first",
	Do:      Algorithm{make: newFirst, Turns: true, Drains: true},
}

// first keeps a bit for every server that may have room, in the order of the
// ids. With fixed limits a server that was found full has none until it moves.
type first struct {
	byID  []int // servers in the order of their ids
	place []int // of server i in byID
	inUse set   // by place, as is room
	room  set
	fixed bool
}

func newFirst(c Config, servers []Server) order {
	n := len(servers)
	f := &first{byID: make([]int, n), place: make([]int, n), inUse: newSet(n), room: newSet(n), fixed: c.FixedLimits}
	for i := range f.byID {
		f.byID[i] = i
	}
	slices.SortStableFunc(f.byID, func(a, b int) int { return cmp.Compare(servers[a].ID, servers[b].ID) })
	for p, i := range f.byID {
		f.place[i] = p
	}
	return f
}

func (f *first) set(i, weight int) {
	p := f.place[i]
	if weight == 0 {
		f.inUse.clear(p)
		f.room.clear(p)
		return
	}
	f.inUse.add(p)
	f.room.add(p)
}

func (f *first) moved(i int) {
	if p := f.place[i]; f.inUse.has(p) {
		f.room.add(p)
	}
}

func (f *first) next(avoid int, full func(i int) bool) int {
	avoided := None
	for p := f.room.first(); p != None; p = f.room.from(p + 1) {
		i := f.byID[p]
		switch {
		case full != nil && full(i):
			if f.fixed {
				f.room.clear(p)
			}
		case i == avoid:
			avoided = i
		default:
			return i
		}
	}
	return avoided
}
