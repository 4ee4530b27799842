package supervise

import (
	"fmt"

	"herald/cmd/herald/internal/ipc"
)

// moved reports a VRRP role that wants another network namespace than the
// one before it, and ends it: what that one holds would stay behind, as
// nobody hands addresses over between namespaces.
func (s *Supervisor) moved(r *role, place string) bool {
	if r.name != ipc.VRRP {
		return false
	}
	if s.place == nil {
		s.place = &place
	}
	if *s.place == place {
		return false
	}
	r.failed = fmt.Sprintf("net_namespace was %s and is %s now: that takes a restart", named(*s.place), named(place))
	r.process.Kill()
	return true
}

func named(place string) string {
	if place == "" {
		return "none"
	}
	return place
}
