package proxy

import (
	"sync/atomic"

	"herald/stats"
)

// h2tally counts HTTP/2 for one proxy half on one loop.
type h2tally struct {
	headers, data, settings, resets, goaways atomic.Uint64 // frames received
	connErrors, streamErrors                 atomic.Uint64
	resetsSent, goawaysSent                  atomic.Uint64
	conns, streams                           atomic.Uint64
	openConns, openStreams                   atomic.Int64
}

// count adds what the connection has counted since the last time.
func (m *h2pipe) count() {
	s := m.Stats()
	n := &m.tally.h2
	for _, c := range [...]struct {
		to *atomic.Uint64
		n  uint64
	}{{&n.headers, s.Headers}, {&n.data, s.Data}, {&n.settings, s.Settings}, {&n.resets, s.Resets}, {&n.goaways, s.Goaways},
		{&n.connErrors, s.ConnErrors}, {&n.streamErrors, s.StreamErrors}, {&n.resetsSent, s.ResetsSent}, {&n.goawaysSent, s.GoawaysSent},
		{&n.streams, s.Streams}} {
		if c.n > 0 {
			c.to.Add(c.n)
		}
	}
	if open := m.Len(); open != m.counted {
		n.openStreams.Add(int64(open - m.counted))
		m.counted = open
	}
}

// counters are all counts of t, always in this order.
func (t *h2tally) counters() []*atomic.Uint64 {
	return []*atomic.Uint64{&t.headers, &t.data, &t.settings, &t.resets, &t.goaways, &t.connErrors, &t.streamErrors,
		&t.resetsSent, &t.goawaysSent, &t.conns, &t.streams}
}

// sumH2 adds the loops' counts up.
func sumH2(list []tally) (s stats.H2) {
	for i := range list {
		t := &list[i].h2
		s.Headers += t.headers.Load()
		s.Data += t.data.Load()
		s.Settings += t.settings.Load()
		s.Resets += t.resets.Load()
		s.Goaways += t.goaways.Load()
		s.ConnErrors += t.connErrors.Load()
		s.StreamErrors += t.streamErrors.Load()
		s.ResetsSent += t.resetsSent.Load()
		s.GoawaysSent += t.goawaysSent.Load()
		s.Conns += t.conns.Load()
		s.Streams += t.streams.Load()
		s.OpenConns += uint64(max(t.openConns.Load(), 0))
		s.OpenStreams += uint64(max(t.openStreams.Load(), 0))
	}
	return s
}
