package proxy

import "herald/proxy/lb"

// This file is who gets a place on a server, and who waits. A backend has a
// queue of those for whom any server will do, and every server one of those who
// want it alone: the hash of their request leads there. Who leaves a place
// gives it to the one that has waited longest in either.

// waitline is a queue. The backend's mutex guards it; n may be read without.
type waitline struct {
	first, last *ticket
	n           gauge
	served      uint64 // who got a place from it
}

// ticket is a stream's place in a queue. The backend's mutex guards its
// fields, once it has been taken out of its queue the stream's loop owns them.
type ticket struct {
	x             *stream
	line          *waitline // nil when it has been taken out
	of            *target   // whose queue it is in; nil: the backend's
	before, after *ticket
	number        uint64  // order of arrival at the backend
	since         uint64  // line.served then
	t             *target // the server it was granted a place on; nil: to choose anew
	ahead         int     // who got a place from the queue meanwhile, itself included
}

func (l *waitline) add(k *ticket) {
	k.line, k.since, k.before = l, l.served, l.last
	if l.last == nil {
		l.first = k
	} else {
		l.last.after = k
	}
	l.last = k
	l.n.up()
}

// take removes a ticket.
func (l *waitline) take(k *ticket) {
	if k.before == nil {
		l.first = k.after
	} else {
		k.before.after = k.after
	}
	if k.after == nil {
		l.last = k.before
	} else {
		k.after.before = k.before
	}
	k.line, k.before, k.after = nil, nil, nil
	k.ahead = int(l.served-k.since) + 1
	l.n.down()
}

// limit is the highest number of sessions on t now, 0 for no limit: maxconn,
// between minconn and that while the backend is less than full, and less while
// t warms up (Configuration manual 5.2, "minconn", "slowstart").
func (t *target) limit() int64 {
	most := t.maxConn.Load()
	if most <= 0 {
		return 0
	}
	if least, now := t.minConn.Load(), t.be.sessions.now.Load(); least < most && now < t.be.full {
		most = max(least, now*most/t.be.full)
	}
	if warm := t.warm.Load(); warm > 0 {
		most = max(1, most*(warm-1)/100)
	}
	return most
}

// isFull reports that server i can take no session now.
func (b *backend) isFull(i int) bool {
	t := b.targets[i]
	limit := t.limit()
	if limit <= 0 {
		return false
	}
	if b.byLoad { // leastconn fills the servers' queues up to their maxqueue too
		return t.sessions.now.Load()+t.line.n.now.Load() >= limit+int64(t.cfg.MaxQueue)
	}
	return t.line.n.now.Load() > 0 || t.sessions.now.Load() >= limit
}

// moved tells the balancing algorithm of a change of t's load or limit.
func (t *target) moved() {
	if b := t.be; t.index != lb.None && (b.byLoad || b.limited.Load()) {
		b.group.Moved(t.index)
	}
}

// enter takes a place on t, if there is one that nobody waits for.
func (t *target) enter() bool {
	limit := t.limit()
	if limit > 0 && t.line.n.now.Load() > 0 || !t.sessions.upTo(limit) {
		return false
	}
	t.moved()
	return true
}

// leave gives a place on t back, to who waits for it.
func (t *target) leave() {
	t.sessions.down()
	t.moved()
	if b := t.be; b.limited.Load() {
		b.changes.Add(1) // before looking, as who enters a queue looks after it
		if b.line.n.now.Load() > 0 || t.line.n.now.Load() > 0 {
			t.grant()
		}
	}
}

// found is what choose came to.
type found uint8

const (
	nobody  found = iota // no server is usable
	place                // a place on the server was taken
	crowded              // the request has to wait: for the server, or any
	shut                 // the server's queue is full
)

// last is the server that the client has a connection of its own to, when that
// is where it is to go on: because the server has authenticated the connection,
// or by option prefer-last-server while few enough would wait in front.
func (b *backend) last(x *stream) *target {
	u := x.c.own
	if x.c.bound {
		u = x.c.ownPrivate()
	}
	if u == nil || !x.c.bound && !b.cfg.PreferLast || u.t.be != b || x.avoid != lb.None || b.group.Kind().Keyed || !b.group.InUse(u.t.index) {
		return nil
	}
	t, most := u.t, int64(b.cfg.KeepAliveQueue)
	if x.c.bound || most == 0 || t.limit() == 0 || t.sessions.now.Load() < t.limit() || t.line.n.now.Load()+1 < most {
		return t
	}
	return nil
}

// choose finds the server for x and takes a place on it. Seen is for enqueue.
func (b *backend) choose(x *stream) (t *target, f found, seen uint64) {
	if b.dispatch != nil {
		b.dispatch.sessions.up()
		return b.dispatch, place, 0
	}
	x.takeBodyKey()
	x.takeHash()
	seen = b.changes.Load()
	if t = x.wanted; t != nil && x.avoid == lb.None {
		return t, t.admit(), seen
	}
	kind := b.group.Kind()
	if kind.Drains && b.line.n.now.Load() > 0 {
		return nil, crowded, seen
	}
	i := lb.None
	last := b.last(x)
	switch {
	case last != nil:
		i = last.index
	case x.hashed:
		i = b.group.PickHash(x.hash, x.avoid)
	case b.limited.Load():
		i = b.group.Pick(x.avoid, b.isFull)
	default:
		i = b.group.Pick(x.avoid, nil)
	}
	if i == lb.None {
		if active, backup, _ := b.group.Counts(); active+backup == 0 {
			return nil, nobody, seen
		}
		return nil, crowded, seen
	}
	t = b.targets[i]
	if i != x.avoid && last == nil { // a second attempt on one server is not another choice
		t.tallies[x.w.id].chosen.Add(1)
		b.tallies[x.w.id].chosen.Add(1)
	}
	return t, t.admit(), seen
}

// admit takes a place on t, or tells why there is none.
func (t *target) admit() found {
	switch {
	case t.enter():
		return place
	case t.cfg.MaxQueue > 0 && t.line.n.now.Load() >= int64(t.cfg.MaxQueue):
		return shut
	}
	return crowded
}

// enqueue takes a place in the queue of t, or of the backend when t is nil,
// behind the others. Seen is what choose said: when a place may have been left
// since then, it is looked for at once.
func (x *stream) enqueue(t *target, seen uint64) answer {
	b := x.be
	line := &b.line
	if x.assigned = t; t != nil {
		line = &t.line
	}
	k := &ticket{x: x, of: t}
	x.ticket = k
	b.mu.Lock()
	b.arrivals++
	k.number = b.arrivals
	line.add(k)
	b.mu.Unlock()
	d := b.cfg.Timeouts.Queue
	if d == 0 {
		d = b.cfg.Timeouts.Connect
	}
	x.late = 0
	x.c.arm(d)
	switch {
	case t != nil:
		t.moved()
		if t.sessions.now.Load() < t.limit() || t.limit() == 0 {
			t.grant()
		}
	case b.changes.Load() != seen:
		b.grant()
	}
	return x.to(stepQueue)
}

// leaveQueue gives the place in the queue up. It reports false when the ticket
// has been taken out already: what follows from that is in the mailbox.
func (x *stream) leaveQueue() bool {
	b, k := x.be, x.ticket
	b.mu.Lock()
	if k.line == nil {
		b.mu.Unlock()
		return false
	}
	k.line.take(k)
	b.mu.Unlock()
	if k.of != nil {
		k.of.moved()
	}
	x.ticket = nil
	x.queuedAt = x.now() // HAProxy logs the wait of those who got no place too
	x.waited(k)
	return true
}

// waited notes for the log how many were served before.
func (x *stream) waited(k *ticket) {
	if k.of != nil {
		x.serverAhead += k.ahead
	} else {
		x.queuedAhead += k.ahead
	}
}

// ahead is how many got a place from the queues x was in, itself included.
func (x *stream) ahead() int { return x.serverAhead + x.queuedAhead }

// turnedAway answers that the queue of t, the only server for the request, is
// full.
func (x *stream) turnedAway(t *target) answer {
	x.assigned = t
	x.flag('S', 'Q')
	x.notServed()
	return x.answer(503)
}

// notServed counts a request that got no connection.
func (x *stream) notServed() {
	if x.assigned != nil {
		x.assigned.tallies[x.w.id].errConn.Add(1)
	}
	x.be.tallies[x.w.id].errConn.Add(1)
}

// grant gives the room on all servers to those who wait.
func (b *backend) grant() {
	for _, t := range b.targets {
		t.grant()
	}
}

// grant gives the room on t to those who wait, and answers to how many.
func (t *target) grant() (n int) {
	b := t.be
	b.changes.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := t.next(); k != nil && t.sessions.upTo(t.limit()); k = t.next() {
		line := k.line
		line.take(k)
		line.served++
		k.t = t
		n++
		if !k.x.w.l.Post(k.granted) {
			t.sessions.down()
		}
	}
	if n > 0 {
		t.moved()
	}
	return n
}

// next answers who has waited longest for t: in its own queue or, when t is in
// use, in the backend's.
func (t *target) next() *ticket {
	b := t.be
	own, any := t.line.first, b.line.first
	switch {
	case any == nil || !b.group.InUse(t.index):
		return own
	case own == nil || any.number < own.number:
		return any
	}
	return own
}

// scatter makes those who wait for t choose anew, when option redispatch lets
// them, and answers how many they are: t is down.
func (t *target) scatter() (n int) {
	b := t.be
	if !b.cfg.Redispatch {
		return 0
	}
	b.mu.Lock()
	for k := t.line.first; k != nil; k = t.line.first {
		t.line.take(k)
		k.x.w.l.Post(k.granted)
		n++
	}
	b.mu.Unlock()
	if n > 0 {
		t.moved()
	}
	return n
}

// granted runs on the stream's loop. The stream has waited for it: a ticket
// that was taken out cannot be given up.
func (k *ticket) granted() {
	x := k.x
	x.ticket = nil
	x.waited(k)
	if k.t == nil {
		x.assigned, x.avoid = nil, k.of.index
		x.w.l.Disarm(&x.c.timer)
		x.late = 0
		x.step = stepPick
	} else {
		x.assign(k.t)
	}
	x.drive()
}
