package proxy

import (
	"sync/atomic"
)

// tally counts for one proxy half, listener or server on one loop, so that
// counting never moves a cache line between processors; a snapshot adds the
// loops' tallies up. What every request counts stands together.
type tally struct {
	requests, sessions, conns  atomic.Uint64
	chosen, reuses             atomic.Uint64
	bytesIn, bytesOut          atomic.Uint64
	resp                       [6]atomic.Uint64
	queueTime, connectTime     average
	responseTime, totalTime    average
	connects                   atomic.Uint64
	errReq, errConn, errResp   atomic.Uint64
	deniedReq, deniedResp      atomic.Uint64
	deniedConn, deniedSess     atomic.Uint64
	retries, redispatches      atomic.Uint64
	clientAborts, serverAborts atomic.Uint64
	intercepted, internal      atomic.Uint64
	tlsSessions, tlsResumed    atomic.Uint64
	tlsFailed, analyses        atomic.Uint64 // analyses: errors of traffic were too many (observe)
	h2                         h2tally
	_                          [64]byte
}

// window is how many samples HAProxy's averages of times look back.
const window = 1024

// average is a sliding mean over about the last window samples, kept as their
// sum. One loop writes it, anyone reads it.
type average struct {
	sum     atomic.Uint64
	samples atomic.Uint64
	max     atomic.Uint64
}

func (a *average) add(ms int64) {
	if ms < 0 {
		return
	}
	v, sum, n := uint64(ms), a.sum.Load(), a.samples.Load()
	if n < window {
		a.samples.Store(n + 1)
	} else {
		sum -= sum / window
	}
	a.sum.Store(sum + v)
	if v > a.max.Load() {
		a.max.Store(v)
	}
}

// mean adds the loops' averages up to one.
func mean(tallies []tally, of func(*tally) *average) (avg, most uint64) {
	var sum, n uint64
	for i := range tallies {
		a := of(&tallies[i])
		sum += a.sum.Load()
		n += a.samples.Load()
		most = max(most, a.max.Load())
	}
	if n > 0 {
		avg = sum / n
	}
	return avg, most
}

// total adds one counter of the loops up.
func total(tallies []tally, of func(*tally) *atomic.Uint64) uint64 {
	var sum uint64
	for i := range tallies {
		sum += of(&tallies[i]).Load()
	}
	return sum
}

// gauge is a number that rises and falls, with the highest it reached.
type gauge struct {
	now, most atomic.Int64
}

func (g *gauge) up() int64 {
	n := g.now.Add(1)
	g.note(n)
	return n
}

func (g *gauge) note(n int64) {
	for {
		most := g.most.Load()
		if n <= most || g.most.CompareAndSwap(most, n) {
			return
		}
	}
}

func (g *gauge) down() int64 { return g.now.Add(-1) }

// upTo rises unless limit is reached; 0 is no limit.
func (g *gauge) upTo(limit int64) bool {
	for {
		n := g.now.Load()
		if limit > 0 && n >= limit {
			return false
		}
		if g.now.CompareAndSwap(n, n+1) {
			g.note(n + 1)
			return true
		}
	}
}

// rate is a count per second, sampled by the heartbeat.
type rate struct {
	last      uint64
	now, most atomic.Uint64
}

// sample is called once a second with the running count.
func (r *rate) sample(count uint64) {
	var n uint64
	if count > r.last {
		n = count - r.last
	}
	r.last = count
	r.now.Store(n)
	if n > r.most.Load() {
		r.most.Store(n)
	}
}

// clear resets the maxima, or with all every counter.
func (t *tally) clear(all bool) {
	for _, a := range t.averages() {
		a.max.Store(0)
	}
	if !all {
		return
	}
	for _, c := range t.counters() {
		c.Store(0)
	}
}

// counters are all counts of t, always in this order.
func (t *tally) counters() []*atomic.Uint64 {
	list := []*atomic.Uint64{&t.conns, &t.sessions, &t.requests, &t.bytesIn, &t.bytesOut, &t.errReq, &t.errConn, &t.errResp,
		&t.deniedReq, &t.deniedResp, &t.retries, &t.redispatches, &t.clientAborts, &t.serverAborts, &t.intercepted, &t.internal, &t.chosen, &t.connects, &t.reuses}
	for i := range t.resp {
		list = append(list, &t.resp[i])
	}
	list = append(list, &t.tlsSessions, &t.tlsResumed, &t.tlsFailed, &t.analyses)
	return append(list, t.h2.counters()...)
}

// averages are all times of t, always in this order.
func (t *tally) averages() []*average {
	return []*average{&t.queueTime, &t.connectTime, &t.responseTime, &t.totalTime}
}

// touch stores a time that is read rarely, without taking the cache line from
// the other loops more than once a second.
func touch(at *atomic.Int64, now int64) {
	if at.Load() != now {
		at.Store(now)
	}
}
