package proxy

import (
	"slices"

	"herald/proxy/loop"
	"herald/proxy/tlsconn"
)

// demand is how many connections to one server the requests of one loop have
// needed at a time, lately. Its loop owns it.
type demand struct {
	used         int   // now
	peak, before int   // the most since turned, and in the time before
	turned       int64 // the loop's time
}

// begin counts a connection in use from now; life is how far back lately goes.
func (d *demand) begin(now, life int64) {
	if since := now - d.turned; since >= life {
		d.before, d.peak, d.turned = d.peak, d.used, now
		if since >= 2*life {
			d.before = d.used
		}
	}
	d.used++
	d.peak = max(d.peak, d.used)
}

// end counts one no more in use.
func (d *demand) end() { d.used-- }

// most is how many were in use at a time at the most.
func (d *demand) most() int { return max(d.peak, d.before) }

// demandFor is the demand of w's requests for connections to t.
func (w *worker) demandFor(t *target) *demand {
	for t.slot >= len(w.demands) {
		w.demands = append(w.demands, demand{})
	}
	return &w.demands[t.slot]
}

// busy counts u among the connections in use.
func (u *upstream) busy() {
	if !u.counted {
		u.counted = true
		u.w.demandFor(u.t).begin(u.w.l.Now(), int64(u.life()))
	}
}

// rest takes u out of that count.
func (u *upstream) rest() {
	if u.counted {
		u.counted = false
		u.w.demandFor(u.t).end()
	}
}

// spare reports that there would be more connections to the server with u
// than lately were in use at a time: its like would come with every client
// that asks once, and be of no use to anyone. One idle connection is always
// kept: of each name that the server is asked for in TLS, up to a number of
// names, as clients may make them up.
func (u *upstream) spare() bool {
	idle := u.w.idle[u.t.slot]
	d := u.w.demandFor(u.t)
	if len(idle) == 0 || len(idle)+d.used <= d.most() {
		return false
	}
	named := func(o *upstream) bool { return o.name == u.name }
	return len(idle)+d.used > d.most()+mostNames || slices.ContainsFunc(idle, named)
}

// mostNames is how many idle connections of different names are kept beyond
// the demand.
const mostNames = 32

// drop ends a connection that has nothing under way. When the server has not
// ended it already that is by a reset, as HAProxy does: after an orderly end of
// ours the system would keep the port for a minute (TIME_WAIT, RFC 9293 section
// 3.6.1), and there are 28,000 of them towards each server.
func (u *upstream) drop() {
	if u.Can()&(loop.Hangup|loop.Failed) == 0 && tlsconn.On(&u.Socket) == nil && !u.virtual() {
		u.Reset()
	}
	u.close()
}
