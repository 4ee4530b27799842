package tlsconn

import (
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// turns lets handshakes compute, as many at a time as there are loops: a flood
// of handshakes must not keep the loops from the processors. Who is in the
// middle of one goes on before another begins, so that few are under way.
// Those that have not begun have no goroutine yet, nor anything of crypto/tls.
type turns struct {
	mu    sync.Mutex
	most  int32
	free  atomic.Int32 // changed under mu
	again shakeLine    // have been given something to go on with
	fresh shakeLine    // have not begun
}

func (q *turns) open(n int) {
	q.most = int32(n)
	q.free.Store(q.most)
}

// begin runs h in the next turn. It is called by the loop.
func (q *turns) begin(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free.Load() == 0 {
		q.fresh.push(h)
		return
	}
	q.free.Add(-1)
	h.launch()
}

// take waits for a turn to go on with h.
func (q *turns) take(h *handshake) {
	q.mu.Lock()
	if q.free.Load() > 0 {
		q.free.Add(-1)
		q.mu.Unlock()
		return
	}
	h.granted = false
	q.again.push(h)
	for !h.granted {
		q.mu.Unlock()
		<-h.ready // what else it tells of, the next system call finds out
		q.mu.Lock()
	}
	q.mu.Unlock()
}

// give hands the caller's turn on.
func (q *turns) give() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if h := q.again.pop(); h != nil {
		h.granted = true
		h.poke()
		return
	}
	for h := q.fresh.pop(); h != nil; h = q.fresh.pop() {
		if !h.gone() { // else nobody is there to compute for
			h.launch()
			return
		}
	}
	q.free.Add(1)
}

// shakeLine is handshakes in the order they came.
type shakeLine struct{ first, last *handshake }

func (l *shakeLine) push(h *handshake) {
	if l.last == nil {
		l.first = h
	} else {
		l.last.behind = h
	}
	l.last = h
}

// pop takes the first out, nil when there is none.
func (l *shakeLine) pop() *handshake {
	h := l.first
	if h == nil {
		return nil
	}
	if l.first, h.behind = h.behind, nil; l.first == nil {
		l.last = nil
	}
	return h
}

// A handshake that waits for its client costs 18 KB, and a client needs a round
// trip for its next word. So beyond mostSilent on a loop the longest silent are
// ended: after longestSilence, which is enough to send one packet of either side
// again, with twice as many after half of it, and so on. What they hold grows
// with the square root of what a loop can answer, whatever maxconn is.
const (
	mostSilent     = 1000
	longestSilence = time.Second
)

// ErrSilent tells the user of who was silent for too long.
var ErrSilent = errors.New("no answer of the client, while many are waited for")

// silence is the handshakes of a loop whose clients have been answered and are
// waited for, in the order of the first answer. None that use it has a turn:
// thrift may have to wait for a collection.
type silence struct {
	thrift *thrift

	mu          sync.Mutex
	most        int           // mostSilent
	longest     time.Duration // longestSilence
	n           int
	first, last *handshake
	crowded     bool
}

// add puts h, which is answered now, at the end. It takes out who is to be
// given up for it.
func (q *silence) add(h *handshake, now int64) (over []*handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h.answered, h.listed, h.older = now, true, q.last
	if q.last == nil {
		q.first = h
	} else {
		q.last.newer = h
	}
	q.last = h
	if q.n++; q.n <= q.most {
		return nil
	}
	if !q.crowded {
		q.crowded = true
		q.thrift.begin()
	}
	for q.n > q.most && (now-q.first.answered)*int64(q.n) >= int64(q.longest)*int64(q.most) {
		over = append(over, q.first)
		q.unlink(q.first)
	}
	return over
}

// remove takes h out if it is in.
func (q *silence) remove(h *handshake) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !h.listed {
		return
	}
	q.unlink(h)
	if q.crowded && q.n < q.most/2 {
		q.crowded = false
		q.thrift.end()
	}
}

func (q *silence) unlink(h *handshake) {
	if h.older == nil {
		q.first = h.newer
	} else {
		h.older.newer = h.newer
	}
	if h.newer == nil {
		q.last = h.older
	} else {
		h.newer.older = h.older
	}
	h.older, h.newer, h.listed = nil, nil, false
	q.n--
}

// waits is told that h waits for an answer, which may be a client's. Any goroutine may call it.
func (l *Loop) waits(h *handshake) {
	if !h.client {
		return
	}
	for _, old := range l.silent.add(h, l.events.Clock()) {
		l.events.Post(old.giveUp)
	}
}

// giveUp ends a handshake as the timeout does.
func (h *handshake) giveUp() {
	if !h.ended && h.t.shake == h {
		h.fail(ErrSilent)
	}
}

// thriftyGC is how much the heap may grow between collections, in percent of
// what lives, while a loop is crowded. It costs some processor time.
const thriftyGC = 50

// thrift has the collector save memory while it is asked to.
type thrift struct {
	mu      sync.Mutex
	askers  int
	percent int // otherwise; -1 is never
}

func (t *thrift) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.askers++; t.askers > 1 {
		return
	}
	if t.percent = debug.SetGCPercent(thriftyGC); t.percent < thriftyGC {
		debug.SetGCPercent(t.percent) // somebody knows better
	}
}

func (t *thrift) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.askers--; t.askers == 0 {
		debug.SetGCPercent(t.percent)
	}
}
