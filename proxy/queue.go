package proxy

import (
	"slices"

	"herald/proxy/lb"
)

// ticket is a stream's place in the queue of a backend. Its fields are
// guarded by the backend's mutex.
type ticket struct {
	x *stream
	t *target // the server it was granted a place on
}

// pick asks the balancing algorithm for the server of x, preferring one with
// room.
func (b *backend) pick(x *stream) int {
	switch {
	case x.hashed:
		return b.group.PickHash(x.hash, x.avoid)
	case b.limited.Load():
		return b.group.Pick(x.avoid, b.isFull)
	}
	return b.group.Pick(x.avoid, nil)
}

func (b *backend) isFull(i int) bool {
	t := b.targets[i]
	limit := t.maxConn.Load()
	return limit > 0 && t.sessions.now.Load() >= limit
}

// enqueue takes a place in the queue, behind the others.
func (x *stream) enqueue() answer {
	b := x.be
	x.ticket = &ticket{x: x}
	b.mu.Lock()
	b.queue = append(b.queue, x.ticket)
	x.queuedAhead = len(b.queue)
	b.queued.up()
	b.mu.Unlock()
	d := b.cfg.Timeouts.Queue
	if d == 0 {
		d = b.cfg.Timeouts.Connect
	}
	x.late = 0
	x.c.arm(d)
	b.grant() // a place may have been left since pick looked
	return x.to(stepQueue)
}

// leaveQueue gives the place in the queue up. It reports false when a place
// on a server has been granted already.
func (x *stream) leaveQueue() bool {
	b := x.be
	b.mu.Lock()
	defer b.mu.Unlock()
	if x.ticket.t != nil {
		return false
	}
	if i := slices.Index(b.queue, x.ticket); i >= 0 {
		b.queue = slices.Delete(b.queue, i, i+1)
		b.queued.down()
	}
	x.ticket = nil
	return true
}

// grant gives free places on servers to those who wait, first come first
// served.
func (b *backend) grant() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) > 0 {
		i := b.group.Pick(lb.None, b.isFull)
		if i == lb.None {
			return
		}
		t := b.targets[i]
		if !t.sessions.upTo(t.maxConn.Load()) {
			return
		}
		b.group.Moved(i)
		k := b.queue[0]
		b.queue = slices.Delete(b.queue, 0, 1)
		b.queued.down()
		k.t = t
		if !k.x.w.l.Post(k.granted) {
			t.sessions.down()
			b.group.Moved(i)
		}
	}
}

// granted runs on the stream's loop. The stream has waited for it: a granted
// ticket cannot be given up.
func (k *ticket) granted() {
	x := k.x
	x.ticket = nil
	x.assign(k.t)
	x.drive()
}
