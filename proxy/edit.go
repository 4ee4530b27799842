package proxy

import (
	"net/netip"
	"slices"

	"herald/proxy/h1"
	"herald/proxy/settings"
)

// What is changed in a request on its way to the server, besides the
// hop-by-hop headers.

// edits are the changes of the request in buf, parsed into the loop's head.
// They are valid until the loop's next request.
func (x *stream) edits(buf []byte) h1.Edits {
	w, cfg := x.w, x.be
	keep := x.keepServer
	e := h1.Edits{}
	if cfg != nil {
		keep = keep || cfg.cfg.HTTP.PretendKeepAlive
		if cfg.cfg.HTTP.AdjustServer {
			e.Names = w.s.cfg.Global.HeaderCase
		}
		if name := cfg.cfg.HTTP.SendName; name != "" {
			w.head.DropNamed(buf, name)
		}
	}
	e.Connection = h1.RequestOption(w.head.Version, keep)
	x.noteSources(buf)
	w.text, e.Add = w.text[:0], w.edits[:0]
	if i := x.fe.identity; i != nil && len(i.header) > 0 {
		e.Add = append(e.Add, h1.Field{Name: i.header, Value: x.unique})
	}
	e.Add = x.addressHeader(e.Add, buf, x.c.peer.Addr(), func(f *frontend) *forwardFor { return f.forwarded }, func(b *backend) *forwardFor { return b.forwarded })
	if x.fe.original != nil || cfg != nil && cfg.original != nil {
		e.Add = x.addressHeader(e.Add, buf, x.c.local().Addr(), func(f *frontend) *forwardFor { return f.original }, func(b *backend) *forwardFor { return b.original })
	}
	return e
}

// addressHeader appends the header that names a, when there shall be one. Its
// name is the backend's, else the frontend's; the exceptions of both hold, and
// one that the client sent keeps it away where neither wants it always.
func (x *stream) addressHeader(add []h1.Field, buf []byte, a netip.Addr, fe func(*frontend) *forwardFor, be func(*backend) *forwardFor) []h1.Field {
	f := fe(x.fe)
	ifNone := f == nil || f.ifNone
	if f.excepts(a) {
		return add
	}
	if x.be != nil && be(x.be) != nil {
		f = be(x.be)
		ifNone = ifNone && f.ifNone
	}
	w := x.w
	switch {
	case f == nil || !a.IsValid() || f.excepts(a):
		return add
	case ifNone && w.head.Find(buf, f.name) >= 0:
		return add
	}
	start := len(w.text)
	w.text = a.AppendTo(w.text)
	return append(add, h1.Field{Name: f.header, Value: w.text[start:]})
}

// namesForbidden deals with header names of other characters than letters,
// digits and hyphens, as http-restrict-req-hdr-names of either side says: it
// drops them, or reports that the request is refused.
func (x *stream) namesForbidden(buf []byte) bool {
	policy := x.fe.cfg.HTTP.Names
	if x.be != nil {
		policy = max(policy, x.be.cfg.HTTP.Names)
	}
	if policy == settings.NamesPreserve {
		return false
	}
	h := &x.w.head
	for i := range h.Headers {
		f := &h.Headers[i]
		if !slices.ContainsFunc(f.Name.In(buf), func(c byte) bool {
			return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-'
		}) {
			continue
		}
		if policy == settings.NamesReject {
			return true
		}
		f.Drop = true
	}
	return false
}

// sendName tells the server its name, in place of another server's of an
// earlier attempt.
func (x *stream) sendName(t *target) {
	name := x.be.cfg.HTTP.SendName
	if name == "" || !x.fe.http {
		return
	}
	header := []byte(name)
	if x.be.cfg.HTTP.AdjustServer {
		if as, ok := x.w.s.cfg.Global.HeaderCase[name]; ok {
			header = []byte(as)
		}
	}
	line := h1.AppendField(nil, header, []byte(t.cfg.Name))
	x.out = slices.Replace(x.out, x.nameAt, x.nameAt+x.nameLen, line...)
	x.nameLen = len(line)
}
