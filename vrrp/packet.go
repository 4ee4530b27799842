package vrrp

import (
	"net/netip"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/wire"
)

// expectation is what an instance demands of the advertisements of others.
func expectation(c settings.Instance) wire.Expect {
	e := wire.Expect{Version: uint8(c.Version), VRID: c.VRID, Interval: c.AdvertInt, AuthType: uint8(c.Auth.Type), Group: c.Group,
		Unicast: c.Unicast, OnlyPeers: c.OnlyPeers, HMAC: demand(c)}
	copy(e.AuthData[:], c.Auth.Pass)
	for _, a := range c.Addresses {
		e.Addresses = append(e.Addresses, a.Prefix.Addr())
	}
	for _, p := range c.Peers {
		if p.Address.IsValid() {
			e.Peers = append(e.Peers, wire.Peer{Address: p.Address, MinTTL: p.MinTTL, MaxTTL: p.MaxTTL})
		}
	}
	return e
}

// place is where the instance listens and speaks.
func (in *instance) place() place {
	at := place{device: in.cfg.Speaker(), group: in.cfg.Group, ah: in.cfg.Auth.Type == settings.AuthAH}
	if !at.group.IsValid() {
		if at.group = wire.Group; in.cfg.IPv6 {
			at.group = wire.Group6
		}
	}
	return at
}

// seat gives an instance its socket, which instances of one place share.
func (s *Server) seat(in *instance) {
	at := in.place()
	if s.links[at] == nil {
		s.links[at] = &port{place: at}
	}
	in.port = s.links[at]
	in.port.seat(in)
	in.port.join = in.port.join || !in.cfg.Unicast
	in.port.buffer = max(in.port.buffer, in.cfg.ReceiveBuffer)
	if in.cfg.Sender != "" {
		in.port.parent = in.cfg.Interface
	}
	s.seatEar(in)
}

// advert is our advertisement with a priority.
func (in *instance) advert(priority uint8) wire.Advert {
	a := wire.Advert{Version: uint8(in.cfg.Version), VRID: in.cfg.VRID, Priority: priority, Interval: in.cfg.AdvertInt,
		AuthType: in.expect.AuthType, Addresses: in.expect.Addresses}
	if a.AuthType == wire.AuthPass { // the key of AH is never sent
		a.AuthData = in.expect.AuthData
	}
	return a
}

// packets are our advertisement with a priority, one to the group or one to
// each peer.
func (in *instance) packets(priority uint8, now time.Time) ([]wire.Packet, error) {
	message, err := in.advert(priority).Append(nil)
	if err != nil {
		return nil, err
	}
	if !in.cfg.Unicast {
		return []wire.Packet{in.packet(message, in.place().group, wire.TTL, now)}, nil
	}
	ttl := in.cfg.UnicastTTL
	if ttl == 0 {
		ttl = wire.TTL
	}
	var all []wire.Packet
	for _, p := range in.cfg.Peers {
		if p.Address.IsValid() && p.Address != in.source { // every node may have the same list
			all = append(all, in.packet(message, p.Address, ttl, now))
		}
	}
	return all, nil
}

// sayable are the packets to be sent now.
func (in *instance) sayable(priority uint8) ([]wire.Packet, error) {
	if l := in.said; l.packets != nil && l.priority == priority && l.source == in.source && !in.numbered() {
		return l.packets, nil
	}
	packets, err := in.packets(priority, time.Now())
	in.said = said{priority, in.source, packets}
	return packets, err
}

// packet puts a message on its way to one destination.
func (in *instance) packet(message []byte, to netip.Addr, ttl uint8, now time.Time) wire.Packet {
	if in.cfg.Auth.Type == settings.AuthAH && in.source.Is4() {
		// The clock keeps the number growing over a restart that has heard
		// nobody; keepalived drops what is not newer.
		in.sequence = max(in.sequence+1, uint32(now.Unix()))
		return wire.SealAH(message, in.source, to, ttl, in.sequence, in.expect.AuthData)
	}
	p := wire.Packet{Source: in.source, Destination: to, TTL: ttl, Payload: append([]byte(nil), message...)}
	if !in.cfg.PlainChecksum && !in.cfg.IPv6 {
		wire.Seal(p.Payload, in.source, to)
	}
	in.sign(&p, now)
	if in.cfg.IPv6 { // its checksum counts all of it
		wire.Seal(p.Payload, in.source, to)
	}
	return p
}

// sourceOf finds the address an instance advertises from.
func (s *Server) sourceOf(in *instance) netip.Addr {
	if in.cfg.IPv6 {
		return s.snap.LinkLocal(in.cfg.Interface, s.isVirtual)
	}
	return s.snap.Primary(in.cfg.Interface, s.isVirtual)
}

func familyOf(in *instance) string {
	if in.cfg.IPv6 {
		return "IPv6 link-local"
	}
	return "IPv4"
}
