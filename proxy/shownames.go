package proxy

import (
	"net/netip"

	"herald/proxy/admin"
	"herald/proxy/check"
	"herald/stats"
)

// fillName writes what names have to do with t into its row.
func (t *target) fillName(r *stats.Row) {
	if t.addr.Load() == nil && !t.cfg.ByService() {
		r.Server.Port = t.cfg.Port
	}
	if t.naming == nil {
		if _, err := netip.ParseAddr(t.cfg.Host); err != nil {
			r.Server.FQDN = t.cfg.Host
		}
		return
	}
	r.Server.FQDN = t.naming.name()
	if t.naming.set != nil {
		r.Server.SRV = t.cfg.Host
		if t.naming.was.Load() {
			r.Server.AdminState |= int(check.NamedBySRV)
		}
	}
}

// Resolvers answers the resolvers sections and what their nameservers said.
func (s *Server) Resolvers() []admin.Resolvers {
	var list []admin.Resolvers
	for _, r := range s.resolvers {
		out := admin.Resolvers{Name: r.cfg.Name}
		for i := range r.servers {
			ns := &r.servers[i]
			n := admin.Nameserver{Name: ns.cfg.Name}
			for j := range n.Counts {
				n.Counts[j] = ns.count[j].Load()
			}
			out.Nameservers = append(out.Nameservers, n)
		}
		list = append(list, out)
	}
	return list
}

// SetServerName lets the address of a server come from another name.
func (s *Server) SetServerName(backend, server, name string) (was string, err error) {
	t, err := s.find(backend, server)
	if err != nil {
		return "", err
	}
	if t.naming == nil {
		return "", admin.NoResolution
	}
	r := t.naming.of
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.naming.set != nil {
		return "", admin.NoResolution
	}
	was = t.naming.name()
	r.want(t, name)
	s.novelty()
	return was, nil
}
