package supervise

import "herald/cmd/herald/internal/ipc"

// count counts the processes a VRRP role tracks, declared once and before it
// is ready.
func (s *Supervisor) count(r *role, m *ipc.CountRequest) {
	peer := r.process.Peer()
	if r.ready != nil || r.uncount != nil || r.name != ipc.VRRP || s.sys.Count == nil {
		peer.Counted(m, nil)
		return
	}
	now, stop, err := s.sys.Count(m.Programs, peer.Counts)
	if err != nil {
		s.log("role %s: %v", r.name, err)
	}
	r.uncount = stop
	peer.Counted(m, now)
}
