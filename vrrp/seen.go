package vrrp

import (
	"fmt"
	"maps"

	"herald/vrrp/group"
)

// SetFile tells the number in a tracked file.
func (s *Server) SetFile(name string, number int) {
	s.box.post(func() {
		if s.seen.Files[name] == number {
			return
		}
		if s.seen.Files == nil {
			s.seen.Files = map[string]int{}
		}
		s.seen.Files[name] = number
		s.log.Info(fmt.Sprintf("file %s has %d", name, number))
		s.weighAll()
	})
}

// SetProxyParts tells which frontends of the proxy accept connections and how
// many servers each backend has. The maps must not be changed any more. Like
// SetProxyServing it acts at once.
func (s *Server) SetProxyParts(frontends map[string]bool, backends map[string]int) {
	s.box.post(func() {
		p := &s.seen.Proxy
		if maps.Equal(p.Frontends, frontends) && maps.Equal(p.Backends, backends) {
			return
		}
		p.Frontends, p.Backends = frontends, backends
		s.weighAll()
	})
}

// proxyVerdict keeps whether the proxy as a whole is there to have parts. It
// is good only once the parts are known too.
func (s *Server) proxyVerdict(v group.Verdict) {
	if s.seen.Proxy.Verdict != v {
		s.seen.Proxy.Verdict = v
		s.weighAll()
	}
}
