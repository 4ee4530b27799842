package proxy

import (
	"sync/atomic"

	"herald/stats"
)

// tlsGauges are what the whole process tells of TLS.
type tlsGauges struct {
	conns                  atomic.Int64 // connections of clients now, handshakes included
	rate, keys, serverKeys rate
}

// sample is called once a second.
func (g *tlsGauges) sample(s *Server) {
	var all, resumed, server uint64
	for _, f := range s.frontends {
		tallies := own(f.tallies)
		all += total(tallies, func(t *tally) *atomic.Uint64 { return &t.tlsSessions })
		resumed += total(tallies, func(t *tally) *atomic.Uint64 { return &t.tlsResumed })
	}
	for _, b := range s.backends {
		tallies := own(b.tallies)
		server += total(tallies, func(t *tally) *atomic.Uint64 { return &t.tlsSessions }) - total(tallies, func(t *tally) *atomic.Uint64 { return &t.tlsResumed })
	}
	g.rate.sample(all)
	g.keys.sample(all - resumed)
	g.serverKeys.sample(server)
}

func (g *tlsGauges) fill(i *stats.Info) {
	i.CurrTLS = uint64(max(g.conns.Load(), 0))
	i.TLSRate, i.MaxTLSRate = g.rate.now.Load(), g.rate.most.Load()
	i.KeyRate, i.MaxKeyRate = g.keys.now.Load(), g.keys.most.Load()
	i.ServerKeyRate, i.MaxServerKeys = g.serverKeys.now.Load(), g.serverKeys.most.Load()
}
