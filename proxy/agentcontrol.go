package proxy

import (
	"net/netip"

	"herald/proxy/admin"
	"herald/proxy/check"
)

// SetServerAgentCheck switches the agent checks of a server.
func (s *Server) SetServerAgentCheck(backend, server string, on bool) error {
	t, err := s.find(backend, server)
	if err != nil {
		return err
	}
	if !t.cfg.Agent.Enabled {
		if on {
			return admin.NoAgentCheck
		}
		return nil
	}
	if on {
		return s.change(backend, server, check.EnableAgent)
	}
	return s.change(backend, server, check.DisableAgent)
}

// SetServerAgent forces what the agent of a server says, until it says
// something itself.
func (s *Server) SetServerAgent(backend, server string, up bool) error {
	if up {
		return s.change(backend, server, check.ForceAgentUp)
	}
	return s.change(backend, server, check.ForceAgentDown)
}

// SetServerCheckAddr sets where the health checks of a server go: an empty
// host and a negative port leave what is there, port 0 is the server's.
func (s *Server) SetServerCheckAddr(backend, server, host string, port int) error {
	return s.aimAt(backend, server, host, func(a *aim) {
		if host != "" {
			a.checkAddr = host
		}
		if port >= 0 {
			a.checkPort = port
		}
	})
}

// SetServerAgentAddr does the same for the agent of a server.
func (s *Server) SetServerAgentAddr(backend, server, host string, port int) error {
	return s.aimAt(backend, server, host, func(a *aim) {
		if host != "" {
			a.agent.Addr = host
		}
		if port >= 0 {
			a.agent.Port = port
		}
	})
}

// SetServerAgentSend sets what the agent of a server is sent.
func (s *Server) SetServerAgentSend(backend, server, text string) error {
	return s.aimAt(backend, server, "", func(a *aim) { a.agent.Send = text })
}

func (s *Server) aimAt(backend, server, host string, set func(*aim)) error {
	t, err := s.find(backend, server)
	if err != nil {
		return err
	}
	if host != "" {
		if _, err := netip.ParseAddr(host); err != nil {
			return admin.InvalidAddr(host)
		}
	}
	t.be.mu.Lock()
	set(&t.aim)
	t.be.mu.Unlock()
	return nil
}
