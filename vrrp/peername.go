package vrrp

import (
	"net/netip"
	"slices"

	"herald/vrrp/settings"
)

// SetPeer tells the addresses of a name in unicast_peer that had none. The
// first of an instance's family that is no loopback address is taken.
func (s *Server) SetPeer(name string, found []netip.Addr) {
	s.box.post(func() {
		for _, in := range s.instances {
			s.namePeer(in, name, found)
		}
	})
}

func (s *Server) namePeer(in *instance, name string, found []netip.Addr) {
	i := slices.IndexFunc(in.cfg.Peers, func(p settings.Peer) bool { return p.Name == name && !p.Address.IsValid() })
	fits := func(a netip.Addr) bool {
		return a.Unmap().Is6() == in.cfg.IPv6 && !a.IsLoopback() && !a.IsMulticast() && a.Zone() == ""
	}
	j := slices.IndexFunc(found, fits)
	if i < 0 || j < 0 {
		return
	}
	// The configuration is not changed, only what this instance has of it.
	in.cfg.Peers = slices.Clone(in.cfg.Peers)
	in.cfg.Peers[i].Address = found[j].Unmap()
	in.expect.Peers = expectation(in.cfg).Peers
	in.said, in.before = said{}, heardBefore{}
	s.log.Info(in.prefix("unicast_peer: the name %s is %v", name, found[j].Unmap()))
	s.weigh(in)
}

// peerless reports whether nobody could hear the instance yet: it must not
// become master.
func (in *instance) peerless() bool {
	return in.cfg.Unicast && !slices.ContainsFunc(in.cfg.Peers, func(p settings.Peer) bool { return p.Address.IsValid() })
}
