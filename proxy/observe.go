package proxy

import (
	"herald/proxy/check"
	"herald/proxy/settings"
)

// defaultErrorLimit is error-limit when it is unset.
const defaultErrorLimit = 10

// saw notes what the stream met at its server, when the server's health is to
// be told by that.
func (x *stream) saw(what check.Seen) {
	t := x.t
	if t == nil || !t.watched {
		return
	}
	layer7 := t.cfg.Observe == settings.ObserveLayer7
	switch {
	case what.Good(layer7):
		if t.errors.Load() > 0 {
			t.errors.Store(0)
		}
	case what.Bad(layer7):
		limit := t.cfg.ErrorLimit
		if limit == 0 {
			limit = defaultErrorLimit
		}
		if n := t.errors.Add(1); n >= int64(limit) {
			t.errors.Store(0)
			t.tallies[x.w.id].analyses.Add(1)
			x.w.s.step(t, check.Errors(int(n), what))
		}
	}
}

// sawStatus is saw for a response with this status.
func (x *stream) sawStatus(status int) {
	if status >= 100 && status < 500 || status == 501 || status == 505 {
		x.saw(check.GoodResponse)
		return
	}
	x.saw(check.WrongStatus)
}
