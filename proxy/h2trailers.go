package proxy

import (
	"slices"

	"herald/proxy/h2"
)

// HTTP/1 text has no place for trailers behind a body of known length. Between
// two HTTP/2 connections they pass beside it: the last byte of the body waits
// until the sender has ended, so that who writes it knows what follows.

// source is where the message comes from that h begins to write, if that may
// bring trailers.
func (h *h2stream) source() *h2.Inbound {
	switch v := h.sock.Handler().(type) {
	case *client:
		if x := v.x; x != nil && x.u != nil && x.reply == nil {
			if from, ok := x.u.Layer().(*h2stream); ok {
				return &from.s.In
			}
		}
	case *upstream:
		if v.x != nil && v.x.c.via != nil {
			return &v.x.c.via.s.In
		}
	}
	return nil
}

// trail passes trailers to who writes the message on.
func (h *h2stream) trail(lines []byte) {
	switch v := h.sock.Handler().(type) {
	case *client:
		if x := v.x; x != nil && x.u != nil {
			if to, ok := x.u.Layer().(*h2stream); ok {
				to.s.Trail(lines)
			}
		}
	case *upstream:
		if v.x != nil && v.x.c.via != nil {
			v.x.c.via.s.Trail(lines)
		}
	}
}

// mayTrail reports whether trailers behind the message of h would be passed
// on: only HTTP/2 has a place for them.
func (h *h2stream) mayTrail() bool {
	switch v := h.sock.Handler().(type) {
	case *client:
		switch x := v.x; {
		case x == nil:
			return false
		case x.u != nil && x.u.connected:
			return x.u.virtual()
		case x.t != nil:
			return x.mayH2()
		case x.be != nil:
			return slices.ContainsFunc(x.be.targets, (*target).mayH2)
		}
		return true
	case *upstream:
		return v.x != nil && v.x.c.via != nil
	}
	return false
}
