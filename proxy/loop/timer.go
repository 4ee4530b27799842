package loop

// Expirer is called when a timer's time has come. The timer is disarmed by
// then and may be armed again.
type Expirer interface {
	Expired(*Timer)
}

// Timer is one deadline of one thing, such as a connection. Embed it; it
// belongs to one loop and must not move in memory while armed.
//
// Arming it later than it stands costs one store: the heap learns of it only
// when the old time comes. That makes a deadline that moves with every
// request almost free.
type Timer struct {
	handler Expirer
	when    int64 // the deadline; 0 when disarmed
	key     int64 // where it stands in the heap, never after when
	index   int32 // in the heap, from 1; 0 when outside
}

// Arm sets t to expire at when (like Now), through h.
func (l *Loop) Arm(t *Timer, when int64, h Expirer) {
	t.handler = h
	t.when = when
	switch {
	case t.index == 0:
		t.key = when
		l.timers.push(t)
	case when < t.key:
		t.key = when
		l.timers.up(int(t.index) - 1)
	}
}

// Disarm keeps t from expiring. It stays in the heap until its old time.
func (l *Loop) Disarm(t *Timer) { t.when = 0 }

// Drop disarms t and takes it out of the heap: the loop holds no reference
// to it any more.
func (l *Loop) Drop(t *Timer) {
	t.when = 0
	if t.index != 0 {
		l.timers.remove(int(t.index) - 1)
	}
}

// Armed reports whether t will expire.
func (t *Timer) Armed() bool { return t.when != 0 }

// When is the deadline, or 0.
func (t *Timer) When() int64 { return t.when }

// heap is a binary heap by key; every timer knows its place.
type heap []*Timer

// next is the earliest key, which is no later than the earliest deadline.
func (h heap) next() (int64, bool) {
	if len(h) == 0 {
		return 0, false
	}
	return h[0].key, true
}

// due takes out a timer whose deadline is not after now, moving those that
// were armed again to their new place and dropping the disarmed.
func (h *heap) due(now int64) *Timer {
	for len(*h) > 0 {
		t := (*h)[0]
		switch {
		case t.key > now:
			return nil
		case t.when == 0:
			h.remove(0)
		case t.when > now:
			t.key = t.when
			h.down(0)
		default:
			h.remove(0)
			t.when = 0
			return t
		}
	}
	return nil
}

func (h *heap) push(t *Timer) {
	*h = append(doubled(*h), t)
	t.index = int32(len(*h))
	h.up(len(*h) - 1)
}

func (h *heap) remove(i int) {
	q := *h
	last := len(q) - 1
	q[i].index = 0
	if i != last {
		q[i] = q[last]
		q[i].index = int32(i + 1)
	}
	q[last] = nil
	*h = q[:last]
	if i != last {
		h.down(i)
		h.up(i)
	}
}

func (h *heap) up(i int) {
	q := *h
	for i > 0 {
		parent := (i - 1) / 2
		if q[parent].key <= q[i].key {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *heap) down(i int) {
	q := *h
	for {
		least, left, right := i, 2*i+1, 2*i+2
		if left < len(q) && q[left].key < q[least].key {
			least = left
		}
		if right < len(q) && q[right].key < q[least].key {
			least = right
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

func (h *heap) swap(i, j int) {
	q := *h
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = int32(i+1), int32(j+1)
}
