// Package expr reads what a rule looks at: fetches and the converters behind
// them, compiled when the configuration is read, and patterns that their
// values are compared with (Configuration manual 7).
//
// It knows no connection and no clock: what there is to look at is an Input,
// what lies beyond it a World, and a fetch that needs more than has come
// answers Wait. An evaluation looks nothing up by name and allocates nothing:
// what converters make lies in a buffer of the Input.
//
//	f, err := expr.Parse("req.ssl_sni,lower")
//	v, out := f.Get(&in) // expr.Found and v.Str
//	m, err := expr.Compile(f, expr.Flags{Fold: true, Method: "end"}, []string{".example.com"})
//	out := m.Match(&in)  // expr.Found when it matches, Missing when not, Wait
package expr

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

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

// Place is where an expression is evaluated: what there is to look at.
type Place uint16

// Places, to be combined.
const (
	Session  Place = 1 << iota // what comes before content is done: PROXY header, TLS
	Request                    // what the client has sent
	Head                       // a request's head in mode http
	Server                     // a connection to a server
	Response                   // what the server has sent
	Answer                     // a response's head in mode http
	Inside                     // a backend has been chosen
)

// Input is what there is to look at. It belongs to one connection or request;
// Reset makes it ready for the next.
type Input struct {
	Source        netip.AddrPort
	Destination   netip.AddrPort // World is asked when it is not valid
	Data          []byte         // received so far, in mode tcp
	Final         bool           // no more is waited for
	Head          *h1.Head
	Buf           []byte   // that Head was read from
	Body          []byte   // what of the request's body has come
	BodyLen       int64    // as announced; -1 unknown
	Sent          []byte   // received of the server so far, in mode tcp
	Reply         *h1.Head // of the response
	ReplyBuf      []byte   // that Reply was read from
	Captured      [][]byte // of the headers of the request; nil: nothing was
	CapturedReply [][]byte // and of the response
	Line          []byte   // the request line as it came, when Head is gone
	HTTP2         bool     // the request came by HTTP/2
	World         World

	content   []byte // of the body, once it was asked for
	cursor    cursor // where a fetch of several values stands
	value     Value  // that is being looked at
	arena     []byte // what converters made
	hello     Hello
	helloOf   int // length of Data that hello was read from
	helloDone Outcome
}

// mostKept is the largest arena that is kept for the next evaluation.
const mostKept = 64 << 10

// Reset makes in ready for another connection or request. Values taken from
// it before hold no more.
func (in *Input) Reset() {
	arena := in.arena[:0]
	if cap(arena) > mostKept {
		arena = nil
	}
	*in = Input{arena: arena}
}

// Beside is a copy of in to evaluate something else with, while values taken
// from in hold.
func (in *Input) Beside() *Input {
	out := *in
	out.arena, out.content, out.cursor = nil, nil, cursor{}
	return &out
}

// longest is the longest text a converter may make: a client must not make
// the program hold more by what a chain of them does to its bytes.
const longest = 64 << 10

// enough is how much room there is at least before bytes have to move.
const enough = 256

// room is where the next bytes a converter makes begin; keep takes them in. It
// grows to what one evaluation takes, so that the next finds it there.
func (in *Input) room() []byte {
	if cap(in.arena)-len(in.arena) < enough {
		in.arena = make([]byte, 0, max(2*cap(in.arena), 4*enough))
	}
	return in.arena[len(in.arena):]
}

// keep holds b, which began as room, until Reset.
func (in *Input) keep(b []byte) []byte {
	if n := len(in.arena); len(b) <= cap(in.arena)-n {
		in.arena = in.arena[:n+len(b)]
	} else { // it grew somewhere else; what lies in the old place stays there
		in.arena = b
	}
	return b[:len(b):len(b)]
}

// cursor walks over a fetch of several values.
type cursor struct {
	walking    bool // the next value is asked for, else the one that stands for all
	line, from int
	more       bool // there may be another
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

// now is the time on the wall; the zero time without a World.
func (in *Input) now() time.Time {
	if in.World == nil {
		return time.Time{}
	}
	return in.World.Now()
}

// Get looks something up and writes it to v; what v holds means nothing when
// it is not Found.
type Get func(in *Input, v *Value) Outcome

// Convert makes another value of v, which has been cast to the type the
// converter takes; Missing when it cannot.
type Convert func(in *Input, v *Value) Outcome

// conversion is one converter behind a fetch.
type conversion struct {
	from Type
	do   Convert
}

// Fetch is one compiled fetch with its converters.
type Fetch struct {
	Name string // as written, without arguments
	Text string // all of it as written
	Type Type   // of what comes out behind the converters
	// Needs is what has to be there for it, and Or what will do too.
	Needs, Or Place
	// Refers are the proxies and servers its arguments name.
	Refers []Reference
	// Old is the way of matching that belongs to the name, "" without one.
	Old string

	get     Get
	several bool
	grows   bool // more bytes make another value
	convs   []conversion
}

// Reference is a name in an argument that the rest of the configuration has
// to hold.
type Reference struct {
	Kind string // "frontend", "backend" or "server"
	Name string // of the proxy; empty is the one that evaluates
	Of   string // the server
}

// Lacks reports that it never finds anything with only so much there.
func (f *Fetch) Lacks(there Place) bool {
	return f.Needs&^there != 0 && (f.Or == 0 || f.Or&^there != 0)
}

// HTTP says that it looks at a request's head.
func (f *Fetch) HTTP() bool { return f.Needs&Head != 0 }

// Get evaluates the fetch and its converters; of several values the one that
// stands for all.
func (f *Fetch) Get(in *Input) (Value, Outcome) {
	if out := f.single(in); out != Found {
		return Value{}, out
	}
	return in.value, Found
}

func (f *Fetch) single(in *Input) Outcome {
	in.cursor = cursor{}
	return f.one(in, &in.value)
}

// one is the value at the cursor, converted.
func (f *Fetch) one(in *Input, v *Value) Outcome {
	out := f.get(in, v)
	if out == Found && len(f.convs) > 0 {
		out = f.converted(in, v)
	}
	return out
}

func (f *Fetch) converted(in *Input, v *Value) Outcome {
	for i := range f.convs {
		c := &f.convs[i]
		if !in.cast(v, c.from) || c.do(in, v) != Found || v.tooLong() {
			return Missing
		}
	}
	return Found
}

// Fixed answers the text of an expression that never changes.
func (f *Fetch) Fixed() (text string, is bool) {
	if f.Name != "str" && f.Name != "env" {
		return "", false
	}
	v, out := f.As(&Input{}, Str)
	return string(v.Str), out == Found
}

// As evaluates the fetch as a value of a type.
func (f *Fetch) As(in *Input, t Type) (Value, Outcome) {
	if out := f.single(in); out != Found {
		return Value{}, out
	}
	if !in.cast(&in.value, t) {
		return Value{}, Missing
	}
	return in.value, Found
}

// Kind is a row of Fetches.
type Kind struct {
	Type  Type
	Needs Place
	Or    Place // will do too; 0 is nothing
	// Args are the arguments it takes.
	Args Args
	// Several says that there may be more than one value of it.
	Several bool
	// Method is the way of matching that belongs to the name.
	Method string
	Make   func(a *Arguments) (Get, error)
	// Cannot says why there is no such thing here; Make is nil then.
	Cannot string
}

// Change is a row of Converters.
type Change struct {
	From, To Type
	Args     Args
	Make     func(a *Arguments) (Convert, error)
}

// Parse compiles an expression as written: NAME or NAME(ARGUMENT,...), and
// behind it converters, each after a comma.
func Parse(text string) (Fetch, error) { return Loader{}.Parse(text) }

// Loader are the files that expressions and patterns may name, each read once
// and shared by all who name it.
type Loader struct {
	// Read answers what is in a file; nil: there are no files.
	Read func(name string) ([]byte, error)
	// Env answers a variable of the environment; nil: there is none.
	Env func(name string) (string, bool)
	// Made keeps what was made of each, by its name and how it is used; nil
	// shares nothing.
	Made map[string]any
}

// Parse is the function Parse, with files for those converters that take one.
func (files Loader) Parse(text string) (Fetch, error) {
	s := scanner{rest: text}
	name, args, err := s.call()
	if err != nil {
		return Fetch{}, err
	}
	row, ok := Fetches.Lookup(name)
	switch {
	case !ok && laterFetch(name):
		return Fetch{}, fmt.Errorf("fetch %q is known to HAProxy but not supported yet", name)
	case !ok:
		return Fetch{}, Unknown{"fetch", name, nearestFetch(name)}
	}
	k := row.Do
	if k.Cannot != "" {
		return Fetch{}, fmt.Errorf("%s is known to HAProxy and not available here: %s", name, k.Cannot)
	}
	a, err := k.Args.read(name, args)
	if err != nil {
		return Fetch{}, err
	}
	a.files = files
	f := Fetch{Name: name, Text: text, Type: k.Type, Needs: k.Needs, Or: k.Or, Old: k.Method, Refers: a.refers, several: k.Several}
	if f.get, err = k.Make(a); err != nil {
		return f, fmt.Errorf("%s: %w", name, err)
	}
	f.grows = a.grows
	for s.more() {
		if err := f.convert(&s, files); err != nil {
			return f, err
		}
	}
	return f, s.err
}

// convert reads one converter and puts it behind f.
func (f *Fetch) convert(s *scanner, files Loader) error {
	name, args, err := s.call()
	if err != nil {
		return err
	}
	row, ok := Converters.Lookup(name)
	switch {
	case !ok && slices.Contains(unbuilt, name):
		return fmt.Errorf("converter %q is known to HAProxy but not supported yet", name)
	case !ok:
		return Unknown{"converter", name, config.Nearest(name, Converters.Names())}
	case !castable(f.Type, row.Do.From):
		return fmt.Errorf("converter %s takes a value of type %s, %s is of type %s", name, row.Do.From, f.Name, f.Type)
	}
	a, err := row.Do.Args.read(name, args)
	if err != nil {
		return err
	}
	a.files = files
	do, err := row.Do.Make(a)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f.convs = append(f.convs, conversion{row.Do.From, do})
	f.Type, f.Old = row.Do.To, ""
	return nil
}

// Unknown is a name nobody knows here.
type Unknown struct{ Kind, Name, Near string }

// Error names it and the nearest known one.
func (u Unknown) Error() string {
	text := fmt.Sprintf("unknown %s %q", u.Kind, u.Name)
	if u.Near != "" {
		text += fmt.Sprintf(", did you mean %q?", u.Near)
	}
	return text
}

// scanner cuts an expression into calls.
type scanner struct {
	rest string
	err  error
}

// more reports that another converter follows.
func (s *scanner) more() bool {
	if s.err != nil || s.rest == "" {
		return false
	}
	if s.rest[0] != ',' {
		s.err = fmt.Errorf("expected a comma and a converter at %q", s.rest)
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// call cuts NAME or NAME(A,B) off.
func (s *scanner) call() (name string, args []string, err error) {
	end := strings.IndexAny(s.rest, "(,")
	if end < 0 {
		name, s.rest = s.rest, ""
		return name, nil, nil
	}
	name = s.rest[:end]
	if s.rest[end] == ',' {
		s.rest = s.rest[end:]
		return name, nil, nil
	}
	whole := s.rest
	s.rest = s.rest[end+1:]
	for {
		a, closed, ok := s.argument()
		if !ok {
			return "", nil, fmt.Errorf("%q: expected \")\" at the end", whole)
		}
		args = append(args, a)
		if closed {
			if len(args) == 1 && args[0] == "" {
				args = nil
			}
			return name, args, nil
		}
	}
}

// argument cuts one argument off, up to a comma or a closing parenthesis
// outside quotes (Configuration manual 2.2). Backslashes count within double
// quotes alone.
func (s *scanner) argument() (arg string, closed, ok bool) {
	var b strings.Builder
	var quote byte
	for i := 0; i < len(s.rest); i++ {
		c := s.rest[i]
		switch {
		case quote == 0 && (c == ',' || c == ')'):
			s.rest = s.rest[i+1:]
			return b.String(), c == ')', true
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote && quote != 0:
			quote = 0
		case c == '\\' && quote == '"' && i+1 < len(s.rest) && strings.IndexByte(`\"nrt`, s.rest[i+1]) >= 0:
			i++
			b.WriteByte(map[byte]byte{'\\': '\\', '"': '"', 'n': '\n', 'r': '\r', 't': '\t'}[s.rest[i]])
		default:
			b.WriteByte(c)
		}
	}
	return "", false, false
}
