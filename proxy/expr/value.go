package expr

import "net/netip"

// Type is what a fetch answers with.
type Type uint8

// Types.
const (
	Bool Type = iota
	Int
	Str
	Addr
	Bin // bytes that may be no text
)

// String names the type as the manual does.
func (t Type) String() string {
	return [...]string{"boolean", "integer", "string", "address", "binary"}[t]
}

// Value is what a fetch found; the field of its type holds, and what the
// others hold means nothing. It is 64 bytes: fetches and converters write it
// where it lies, in its Input, for copies would be most of what they cost.
type Value struct {
	Type Type
	Int  int64 // also 0 or 1 of a boolean
	Str  []byte
	Addr netip.Addr
}

// truth is the value of a boolean.
func truth(b bool) Value {
	if b {
		return Value{Type: Bool, Int: 1}
	}
	return Value{Type: Bool}
}

// tooLong reports that the value is longer than any may be.
func (v *Value) tooLong() bool {
	return (v.Type == Str || v.Type == Bin) && len(v.Str) > longest
}

func (v *Value) boolean(b bool) Outcome {
	v.Type, v.Int = Bool, 0
	if b {
		v.Int = 1
	}
	return Found
}

func (v *Value) whole(n int64) Outcome {
	v.Type, v.Int = Int, n
	return Found
}

func (v *Value) bytes(t Type, b []byte) Outcome {
	v.Type, v.Str = t, b
	return Found
}

// text is missing when it is empty, and so are binary and written.
func (v *Value) text(b []byte) Outcome {
	if len(b) == 0 {
		return Missing
	}
	return v.bytes(Str, b)
}

func (v *Value) binary(b []byte) Outcome {
	if len(b) == 0 {
		return Missing
	}
	return v.bytes(Bin, b)
}

// written is a text of the program's own.
func (v *Value) written(in *Input, s string) Outcome {
	if s == "" {
		return Missing
	}
	return v.bytes(Str, in.keep(append(in.room(), s...)))
}

// address is missing when it is none.
func (v *Value) address(a netip.Addr) Outcome {
	if !a.IsValid() {
		return Missing
	}
	v.Type, v.Addr = Addr, a.Unmap()
	return Found
}

// port is that of an address, missing when it is none.
func (v *Value) port(a netip.AddrPort) Outcome {
	if !a.IsValid() {
		return Missing
	}
	return v.whole(int64(a.Port()))
}
