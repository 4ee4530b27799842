package check

import "time"

// Sixteenths is the whole of a server's weight in the unit slowstart counts
// in, as HAProxy's does.
const Sixteenths = 16

// Warmth answers how much of a server's weight is in force at now, in
// sixteenths, and how much of its maxconn, in percent. Both are whole but
// during slowstart (Configuration manual 5.2), whose steps are seconds.
func (s State) Warmth(c Config, now time.Time) (weight, percent int) {
	if s.Op != Starting || c.SlowStart <= 0 {
		return Sixteenths, 100
	}
	whole := int((c.SlowStart + time.Second - 1) / time.Second)
	since := int(max(now.Sub(s.Since), 0) / time.Second)
	return min((Sixteenths*since+whole)/whole, Sixteenths), min(100*since/whole, 100)
}

// WarmingPause is how long after a step of slowstart the next one is due.
func (c Config) WarmingPause() time.Duration { return max(c.SlowStart/20, time.Second) }

// rise is the operational state of a server that comes up: it warms up first
// when it is to.
func (m *move) rise(op Op) Op {
	if op == Running && m.c.SlowStart > 0 && m.s.Op != Running {
		return Starting
	}
	return op
}

// warmed ends the warming when its time is over.
func (m *move) warmed() {
	if m.s.Op == Starting && m.now.Sub(m.s.Since) >= m.c.SlowStart {
		m.become(Running)
		m.log(notice, lineUp, fromWarming)
	}
}
