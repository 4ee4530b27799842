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

// follow tells a proxy role what its files have now, whenever they change;
// like watch it is asked for once and before the role is ready.
func (s *Supervisor) follow(r *role, files ipc.Follow) {
	if r.ready != nil || r.unwatch != nil || r.name != ipc.Proxy || s.sys.Follow == nil {
		return
	}
	stop, err := s.sys.Follow(files, r.process.Peer().Contents)
	if err != nil {
		s.log("role %s: certificates are not watched: %v", r.name, err)
		return
	}
	r.unwatch = stop
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
