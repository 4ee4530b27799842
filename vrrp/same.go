package vrrp

import (
	"bytes"
	"net/netip"

	"herald/vrrp/settings"
	"herald/vrrp/wire"
)

// said is what an instance said last: most advertisements are the one before,
// once more.
type said struct {
	priority uint8
	source   netip.Addr
	packets  []wire.Packet // nil is none
}

// numbered reports whether no two packets of an instance are equal: they carry
// growing numbers.
func (in *instance) numbered() bool {
	return in.cfg.HMAC != nil || in.cfg.Auth.Type == settings.AuthAH
}

// heardBefore is an accepted advertisement without remarks. The same bytes from
// the same router on the same way get the same answer.
type heardBefore struct {
	source, destination, own netip.Addr
	ttl                      uint8
	payload                  []byte
	heard                    heard
}

// again reports whether a packet is the one before once more.
func (b *heardBefore) again(in *instance, p wire.Packet) bool {
	return len(b.payload) > 0 && p.Source == b.source && p.Destination == b.destination && p.TTL == b.ttl &&
		p.Header == nil && in.expect.Own == b.own && bytes.Equal(p.Payload, b.payload)
}

// keep remembers an accepted advertisement. One with a password is compared in
// full each time, in constant time; one with a number is never the same.
func (b *heardBefore) keep(in *instance, p wire.Packet, h heard) {
	if in.numbered() || p.Header != nil || in.expect.AuthType != wire.AuthNone {
		return
	}
	b.source, b.destination, b.own, b.ttl, b.heard = p.Source, p.Destination, in.expect.Own, p.TTL, h
	b.payload = append(b.payload[:0], p.Payload...)
}
