package proxy

import (
	"herald/proxy/expr"
	"herald/proxy/logline"
	"herald/proxy/settings"
)

// identity makes the unique ids of a frontend. It is immutable.
type identity struct {
	format *logline.Format
	values []*expr.Fetch
	header []byte // that tells the server; empty: none does
}

// longestID is the length HAProxy cuts unique ids at.
const longestID = 127

// nothing is an id that was looked for and is none.
var nothing = []byte{}

func newIdentity(cfg *settings.UniqueID) *identity {
	if cfg.Format == "" {
		return nil
	}
	f, err := logline.CompileWith(cfg.Format, func(text string) (int, error) { return expr.Bracketed(text), nil })
	if err != nil { // the configuration's reader has compiled it before
		return nil
	}
	return &identity{format: f, values: cfg.Values, header: lower(cfg.Header)}
}

// identify makes the unique id of the request, if it is to have one, while all
// of its head is there.
func (x *stream) identify() {
	if x.fe.identity != nil && x.unique == nil {
		x.makeID(x.look())
	}
}

// uniqueID is the stream's unique id; nothing without unique-id-format.
func (x *stream) uniqueID() []byte {
	if x.fe.identity == nil || x.unique != nil {
		return x.unique
	}
	return x.makeID(x.lookAtAnswer())
}

// makeID makes the unique id of what is seen, unless it has been made. An
// expression that asks for it may be under way, with what it found in seen.
func (x *stream) makeID(seen *expr.Input) []byte {
	i := x.fe.identity
	if i == nil || x.unique != nil {
		return x.unique
	}
	x.unique = nothing // for an id that asks for itself
	var r logline.Record
	x.fill(&r)
	r.Local = x.c.local()
	r.LogCounter = uint(x.fe.logged.Load())
	r.Times.Request = -1 // HAProxy does not know it yet
	if len(i.values) > 0 {
		in := seen.Beside()
		for _, f := range i.values {
			v, _ := f.As(in, expr.Str)
			r.Values = append(r.Values, append([]byte(nil), v.Str...))
		}
	}
	id := i.format.Append(nil, &r, &x.w.dates)
	x.unique = id[:min(len(id), longestID)]
	return x.unique
}
