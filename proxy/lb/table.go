package lb

// table is HAProxy's static map of servers: as many places as the weights in
// use come to, divided by what they have in common, and on each place a
// server. A hash modulo the places finds one; turns go through them.
type table struct {
	weight []int // of server i in the table's units; 0 is out
	unit   int   // of a weight of the file
	places []int32
	stale  bool
	turn   int // the place whose turn is next
}

func newTable(_ Config, servers []Server) order {
	t := &table{weight: make([]int, len(servers)), unit: 0}
	for _, s := range servers {
		t.unit = divisor(t.unit, s.Weight)
	}
	return t
}

func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (t *table) set(i, weight int) {
	t.weight[i] = 0
	if t.unit > 0 {
		t.weight[i] = weight / weightScale / t.unit
	}
	t.stale = true
}

func (t *table) at(hash uint32, _ int) int {
	t.renew()
	if len(t.places) == 0 {
		return None
	}
	return int(t.places[hash%uint32(len(t.places))])
}

// next takes the places in turn, the full servers' aside.
func (t *table) next(avoid int, full func(i int) bool) int {
	t.renew()
	n := len(t.places)
	if t.turn >= n {
		t.turn = 0
	}
	avoided, after := None, 0
	for k := range n {
		p := (t.turn + k) % n
		i := int(t.places[p])
		if full != nil && full(i) {
			continue
		}
		if i != avoid {
			t.turn = (p + 1) % n
			return i
		}
		avoided, after = i, (p+1)%n
	}
	if avoided != None {
		t.turn = after
	}
	return avoided
}

// renew lays the table out anew after a change.
//
// Every server gains its weight with each place and pays the total for a place
// it gets. The place goes to the first in the file among those who have gained
// most whole totals. A server's gains reach whole totals at places known
// beforehand, so the servers are kept in sets by how many they are ahead.
func (t *table) renew() {
	if !t.stale {
		return
	}
	t.stale = false
	total := 0
	for _, w := range t.weight {
		total += w
	}
	t.places = make([]int32, total)
	if total == 0 {
		return
	}
	// gains[o] heads the list of servers that reach a whole total at place o.
	gains, after := make([]int32, total), make([]int32, len(t.weight))
	for o := range gains {
		gains[o] = None
	}
	reached := make([]int, len(t.weight))
	wait := func(i int) { // for the next whole total of server i
		reached[i]++
		w := t.weight[i]
		if o := (reached[i]*total+w-1)/w - 1; o < total {
			after[i], gains[o] = gains[o], int32(i)
		}
	}
	ahead := sets{nil, newSet(len(t.weight))}
	level := make([]int8, len(t.weight))
	for i, w := range t.weight {
		if w > 0 {
			ahead.add(1, i)
			level[i] = 1
			wait(i)
		}
	}
	for o := range t.places {
		for i := gains[o]; i != None; {
			next := after[i]
			if level[i] > 0 {
				ahead[level[i]].clear(int(i))
			}
			level[i]++
			ahead.add(int(level[i]), int(i))
			wait(int(i))
			i = next
		}
		i := ahead.best() // there is one: all gain as much as one pays
		t.places[o] = int32(i)
		ahead[level[i]].clear(i)
		if level[i]--; level[i] > 0 {
			ahead.add(int(level[i]), i)
		}
	}
}

// sets are sets of servers by level, from 1.
type sets []set

func (s *sets) add(level, i int) {
	for level >= len(*s) {
		*s = append(*s, make(set, len((*s)[1])))
	}
	(*s)[level].add(i)
}

// best answers the first member of the highest level that has one.
func (s sets) best() int {
	for level := len(s) - 1; level > 0; level-- {
		if i := s[level].first(); i != None {
			return i
		}
	}
	return None
}
