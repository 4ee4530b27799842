// Package expr reads what a rule looks at: fetches, compiled when the
// configuration is read, and patterns that their values are compared with
// (Configuration manual 7).
//
// It knows no connection and no clock: what there is to look at is an Input,
// and a fetch that needs more than has come answers Wait.
//
//	f, err := expr.Parse("req.ssl_sni")
//	v, out := f.Get(&in) // expr.Found and v.Str
//	m, err := expr.Compile(f, expr.Flags{Fold: true, Method: "end"}, []string{".example.com"})
//	out := m.Match(&in)  // expr.Found when it matches, Missing when not, Wait
package expr

import (
	"fmt"
	"net/netip"
	"strings"

	"herald/config"
	"herald/proxy/h1"
)

// Outcome is the answer of a fetch or a match.
type Outcome uint8

// Outcomes.
const (
	Missing Outcome = iota // there is no such thing; no match
	Found                  // there it is; a match
	Wait                   // more has to come before it is known
)

// Type is what a fetch answers with.
type Type uint8

// Types.
const (
	Bool Type = iota
	Int
	Str
	Addr
)

// String names the type as the manual does.
func (t Type) String() string { return [...]string{"boolean", "integer", "string", "address"}[t] }

// Value is what a fetch found; the field of its type holds.
type Value struct {
	Int  int64 // also 0 or 1 of a boolean
	Str  []byte
	Addr netip.Addr
}

// World answers questions about other parts of the proxy.
type World interface {
	// Up is how many servers of a backend are up; false when there is no such
	// backend.
	Up(backend string) (int, bool)
}

// Input is what there is to look at. It belongs to one connection or request.
type Input struct {
	Source, Destination netip.AddrPort
	Data                []byte // received so far, in mode tcp
	Final               bool   // no more is waited for
	Head                *h1.Head
	Buf                 []byte // that Head was read from
	Secure              bool   // the client's connection is encrypted here
	ServerName          string // that it asked for then
	World               World

	HTTP2 bool // the request came by HTTP/2

	joined    []byte // of base
	hello     Hello
	helloOf   int // length of Data that hello was read from
	helloDone Outcome
}

// Hello is the ClientHello at the start of Data, read once.
func (in *Input) Hello() (*Hello, Outcome) {
	if in.helloDone == Missing && (in.helloOf == 0 || in.helloOf != len(in.Data)) || in.helloDone == Wait && in.helloOf != len(in.Data) {
		in.hello, in.helloDone = ReadHello(in.Data)
		in.helloOf = len(in.Data)
	}
	if in.helloDone == Wait && in.Final {
		return nil, Missing
	}
	return &in.hello, in.helloDone
}

// Get looks something up.
type Get func(in *Input) (Value, Outcome)

// Fetch is one compiled fetch.
type Fetch struct {
	Name string // as written, without arguments
	Type Type
	Get  Get
	// HTTP says that it looks at a request's head.
	HTTP bool
	// Every is set for fetches of which there may be several values: it calls
	// yes with each until one is taken.
	Every func(in *Input, yes func([]byte) bool) Outcome
}

// Kind is a row of Fetches.
type Kind struct {
	Type Type
	HTTP bool
	// Args is how many arguments it takes at least and at most.
	Least, Most int
	Make        func(args []string) (Get, error)
	Every       func(args []string) func(in *Input, yes func([]byte) bool) Outcome
}

// Parse compiles a fetch as written: NAME or NAME(ARGUMENT,...), and behind it
// converters, each after a comma.
func Parse(text string) (Fetch, error) {
	text, behind := cutConverters(text)
	name, args, err := split(text)
	if err != nil {
		return Fetch{}, err
	}
	row, ok := Fetches.Lookup(name)
	if !ok {
		return Fetch{}, Unknown{name}
	}
	k := row.Do
	if len(args) < k.Least || len(args) > k.Most {
		return Fetch{}, fmt.Errorf("%s takes %d to %d arguments, not %d", name, k.Least, k.Most, len(args))
	}
	f := Fetch{Name: name, Type: k.Type, HTTP: k.HTTP}
	if k.Every != nil {
		f.Every = k.Every(args)
	}
	if f.Get, err = k.Make(args); err != nil {
		return f, err
	}
	for _, c := range behind {
		if err := f.convert(c); err != nil {
			return f, err
		}
	}
	return f, nil
}

// Unknown is a fetch nobody knows here.
type Unknown struct{ Name string }

// Error names it and the nearest known one.
func (u Unknown) Error() string {
	text := fmt.Sprintf("unknown fetch %q", u.Name)
	if near := config.Nearest(u.Name, Fetches.Names()); near != "" {
		text += fmt.Sprintf(", did you mean %q?", near)
	}
	return text
}

// split cuts NAME(A,B) apart.
func split(text string) (name string, args []string, err error) {
	name, rest, has := strings.Cut(text, "(")
	if !has {
		return name, nil, nil
	}
	if !strings.HasSuffix(rest, ")") {
		return "", nil, fmt.Errorf("%q: expected \")\" at the end", text)
	}
	for a := range strings.SplitSeq(strings.TrimSuffix(rest, ")"), ",") {
		args = append(args, strings.TrimSpace(a))
	}
	if len(args) == 1 && args[0] == "" {
		args = nil
	}
	return name, args, nil
}
