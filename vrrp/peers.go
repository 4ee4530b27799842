package vrrp

import (
	"net/netip"
	"slices"
	"time"

	"herald/stats"
	"herald/vrrp/fsm"
)

// maxPeers bounds the routers remembered: the one heard longest ago goes.
const maxPeers = 16

// peers are the other routers an instance has heard, by address.
type peers []peer

type peer struct {
	address  netip.Addr
	priority uint8
	last     time.Time
	same     int       // its advertisements in a row that had our priority
	told     time.Time // when that was told
}

// heard notes an accepted advertisement.
func (p *peers) heard(from netip.Addr, priority uint8, now time.Time) {
	i, known := slices.BinarySearchFunc(*p, from, func(q peer, a netip.Addr) int { return q.address.Compare(a) })
	if known {
		(*p)[i].priority, (*p)[i].last = priority, now
		return
	}
	*p = slices.Insert(*p, i, peer{address: from, priority: priority, last: now})
	if len(*p) > maxPeers {
		oldest := 0
		for j, q := range *p {
			if q.last.Before((*p)[oldest].last) {
				oldest = j
			}
		}
		*p = slices.Delete(*p, oldest, oldest+1)
	}
}

// list is what statistics show.
func (p peers) list() []stats.Peer { return p.since(time.Time{}) }

// since are those heard at t or later.
func (p peers) since(t time.Time) []stats.Peer {
	var list []stats.Peer
	for _, q := range p {
		if !q.last.Before(t) {
			list = append(list, stats.Peer{Address: q.address.String(), Priority: q.priority, Last: q.last})
		}
	}
	return list
}

// remember adds a transition to the history, with the routers that are there:
// those heard within two master down intervals.
func (in *instance) remember(t fsm.Transition) {
	now := time.Now()
	tr := stats.Transition{At: now, From: shown(t.From), To: shown(t.To), Why: t.String(), Priority: t.Priority,
		Peers: in.peers.since(now.Add(-2 * in.fsm.MasterDown(t.Priority)))}
	if !in.entered.IsZero() {
		tr.Lasted = now.Sub(in.entered).Round(time.Millisecond)
	}
	in.entered = now
	in.note(tr)
}

// note adds a line to the history.
func (in *instance) note(t stats.Transition) {
	in.history = append(in.history, t)
	if extra := len(in.history) - historyLength; extra > 0 {
		in.history = slices.Delete(in.history, 0, extra)
	}
}

// tracked are the scripts of an instance with what is known of them.
func (s *Server) tracked(in *instance) []stats.Tracked {
	var list []stats.Tracked
	for _, t := range in.cfg.Tracks {
		i := slices.IndexFunc(s.scripts, func(sc *script) bool { return sc.cfg.Name == t.Source })
		if i >= 0 && !slices.ContainsFunc(list, func(k stats.Tracked) bool { return k.Name == t.Source }) {
			list = append(list, stats.Tracked{Name: t.Source, State: s.scripts[i].count.Verdict.String(), Running: s.scripts[i].running})
		}
	}
	return list
}
