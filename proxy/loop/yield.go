package loop

// Sockets that yield are all told of their events in a turn while they are
// few, and a few of them when they are many: the fewer begin at a time, the
// more of what they work on stays in the processor's cache.
const (
	yieldAll = 64
	yieldFew = 16
)

// yields are the sockets whose events wait, the oldest first.
type yields struct {
	queue []ticket
	at    int
}

// ticket names a socket; it is void when the slot has another generation.
type ticket struct{ slot, gen uint32 }

func (y *yields) waiting() bool { return y.at < len(y.queue) }

// Yield makes the events of s wait for those of all sockets that do not
// yield: what has begun ends before more begins. A loop with thousands of
// requests in front of it would else have all of them under way at once, each
// with a connection to a server and memory that is cold when its answer comes.
func (s *Socket) Yield() { s.loop.slots[s.slot].yields = true }

// hold keeps an event of a socket that yields.
func (l *Loop) hold(s *slot, mask uint32, t ticket) {
	if s.held == 0 {
		l.yields.queue = append(l.yields.queue, t)
	}
	s.held |= uint16(mask)
}

// resume tells some of the sockets that yielded; the others have their turn
// after the next events.
func (l *Loop) resume() {
	y := &l.yields
	n := len(y.queue) - y.at
	if n > yieldAll {
		n = yieldFew
	}
	for range n {
		t := y.queue[y.at]
		y.at++
		s := &l.slots[t.slot]
		if s.gen != t.gen {
			continue // closed meanwhile
		}
		mask := s.held
		s.held = 0
		s.socket.deliver(uint32(mask))
	}
	if y.at > len(y.queue)/2 {
		y.queue = y.queue[:copy(y.queue, y.queue[y.at:])]
		y.at = 0
	}
}
