package supervise

import "herald/cmd/herald/internal/ipc"

// watch watches the files of a VRRP role, declared once and before it is
// ready: from then on the process is not trusted with paths.
func (s *Supervisor) watch(r *role, m *ipc.WatchRequest) {
	peer := r.process.Peer()
	if r.ready != nil || r.unwatch != nil || r.name != ipc.VRRP || s.sys.Watch == nil {
		peer.Watched(m, nil)
		return
	}
	now, stop, err := s.sys.Watch(m.Files, peer.Files)
	if err != nil {
		s.log("role %s: %v", r.name, err)
	}
	r.unwatch = stop
	peer.Watched(m, now)
}

// hearParts passes on how the parts of the proxy are. A draining predecessor
// has no say: the process begun last counts.
func (s *Supervisor) hearParts(r *role, p ipc.Parts) {
	if r.name != ipc.Proxy || !r.serving || r.id < s.partsOf {
		return
	}
	s.partsOf, s.parts = r.id, &p
	for _, other := range s.roles {
		if other.name == ipc.VRRP && other.serving {
			other.process.Peer().Parts(p)
		}
	}
}
