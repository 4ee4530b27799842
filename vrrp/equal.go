package vrrp

import (
	"slices"
	"strconv"
	"time"

	"herald/stats"
	"herald/vrrp/fsm"
)

// equalSure is how many advertisements in a row have to have our priority:
// while two nodes follow one event, one may pass the other's for a moment.
// equalAgain is how long a peer is not spoken of again.
const (
	equalSure  = 2
	equalAgain = time.Minute
)

// equal tells, once for each peer, that another router has our priority: then
// not the file but the higher address decides (RFC 3768 section 6.4.3), and
// among backups chance.
func (s *Server) equal(h heard, now time.Time) {
	in := h.in
	i := slices.IndexFunc(in.peers, func(p peer) bool { return p.address == h.Peer })
	if i < 0 || h.Priority == 0 || h.Peer == in.source || in.state.Kind != fsm.Master && in.state.Kind != fsm.Backup {
		return
	}
	p := &in.peers[i]
	if h.Priority != in.state.Priority {
		p.same = 0
		return
	}
	if p.same = min(p.same+1, equalSure+1); p.same != equalSure || !p.told.IsZero() && now.Sub(p.told) < equalAgain {
		return
	}
	p.told = now
	why := in.equalText(h)
	if h.Priority == ownerPriority {
		s.log.Error(in.prefix("%s", why))
	} else {
		s.log.Warn(in.prefix("%s", why))
	}
	state := shown(in.state.Kind)
	in.note(stats.Transition{At: now, From: state, To: state, Why: why, Priority: in.state.Priority, Peers: []stats.Peer{
		{Address: h.Peer.String(), Priority: h.Priority, Last: now}}})
	s.changed = true
}

func (in *instance) equalText(h heard) string {
	higher := h.Peer
	if in.source.IsValid() && in.source.Compare(higher) > 0 {
		higher = in.source
	}
	if h.Priority == ownerPriority {
		return h.Peer.String() + " says as we do that it owns the addresses (priority 255): only one node may; the higher address, " +
			higher.String() + ", keeps them"
	}
	return h.Peer.String() + " has our priority, " + strconv.Itoa(int(h.Priority)) + ": which node holds the addresses is left to chance, and when both do, to the higher address, " +
		higher.String() + "; give every node a priority of its own"
}
