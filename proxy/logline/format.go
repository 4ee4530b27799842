package logline

// Format is a compiled log format. It is immutable and safe for concurrent
// use.
type Format struct{ items []item }

// item is one step of writing a line: literal text, a separator, or a
// variable.
type item struct {
	text     string // literal, when write is nil
	space    bool   // a separator: one space, merged with a preceding one
	flags    flags
	variable *variable
}

// flags are the modifiers of one variable.
type flags uint8

const (
	quoted  flags = 1 << iota // +Q
	hex                       // +X
	escaped                   // +E
)

// The fixed formats, as the manual spells them (8.2.1 to 8.2.3).
var (
	// Default is the format without any log option: "Connect from ...". HAProxy
	// writes it when a connection is accepted (TCP) or its request is read.
	Default = &Format{items: append(compiled("Connect from %ci:%cp to %fi:%fp (%f/").items,
		item{variable: &variable{write: writeMode}}, item{text: ")"})}
	// TCP is option tcplog.
	TCP = compiled("%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq")
	// HTTP is option httplog.
	HTTP = compiled("%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r")
	// HTTPS is option httpslog.
	HTTPS = compiled("%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r " +
		"%[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc")
	// CLF is option httplog clf.
	CLF = compiled(`%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl`)
)

// compiled is Compile for texts known to be right.
func compiled(text string) *Format {
	f, err := Compile(text)
	if err != nil {
		panic(err)
	}
	return f
}

// Append appends the line for r, without a line end. Runs of spaces in the
// format are one space, none at the start of a line; a list variable without
// captures writes nothing, not even a second space.
func (f *Format) Append(dst []byte, r *Record, d *Dates) []byte {
	w := d.writer(dst, r)
	space := true
	for i := range f.items {
		it := &f.items[i]
		switch {
		case it.variable != nil:
			before := len(w.dst)
			w.flags = it.flags
			it.variable.write(w)
			space = space && len(w.dst) == before
		case it.space:
			if !space {
				w.dst = append(w.dst, ' ')
			}
			space = true
		default:
			w.dst = append(w.dst, it.text...)
			space = false
		}
	}
	return w.done()
}

// HTTPOnly returns the first variable of f that means something in HTTP mode
// only, or "". HAProxy refuses it in a TCP proxy's log-format.
func (f *Format) HTTPOnly() string {
	for i := range f.items {
		if v := f.items[i].variable; v != nil && v.http {
			return "%" + v.name
		}
	}
	return ""
}

// Needs reports whether f contains any of the variables named without "%", so
// that a proxy can leave out what nobody reads.
func (f *Format) Needs(names ...string) bool {
	for i := range f.items {
		if v := f.items[i].variable; v != nil {
			for _, n := range names {
				if v.name == n {
					return true
				}
			}
		}
	}
	return false
}
