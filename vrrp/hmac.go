package vrrp

import (
	"slices"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/wire"
)

// demand is what an instance with the authentication extension demands.
func demand(c settings.Instance) *wire.HMAC {
	if c.HMAC == nil {
		return nil
	}
	h := &wire.HMAC{Window: c.HMAC.Window, Bare: c.HMAC.Mode != settings.HMACEnforce}
	for _, k := range c.HMAC.Keys {
		h.Keys = append(h.Keys, wire.Key{ID: k.ID, Secret: k.Secret})
	}
	return h
}

// sign appends the trailer to a message on its way, if the instance signs.
func (in *instance) sign(p *wire.Packet, now time.Time) {
	c := in.cfg.HMAC
	if c == nil || c.Mode == settings.HMACReceiveOnly {
		return
	}
	i := slices.IndexFunc(in.expect.HMAC.Keys, func(k wire.Key) bool { return k.ID == c.Active })
	if i < 0 {
		return // a configuration without its active key is not run
	}
	in.signed = wire.NextSequence(in.signed, now)
	p.Payload = wire.Sign(p.Payload, p.Source, in.expect.HMAC.Keys[i], in.signed)
}

// believe judges the trailer of an advertisement that is in order otherwise.
func (in *instance) believe(a wire.Advert, p wire.Packet) wire.Reason {
	h := in.expect.HMAC
	if h == nil {
		return wire.Accepted
	}
	if in.cfg.Unicast {
		if !slices.ContainsFunc(in.expect.Peers, func(peer wire.Peer) bool { return peer.Address == p.Source }) {
			return wire.UnknownPeer
		}
		in.marks.Most = len(in.expect.Peers)
	}
	return h.Verify(a, p, time.Now(), &in.marks)
}
