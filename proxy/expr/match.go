package expr

import (
	"bytes"
	"encoding/binary"
	"fmt"
	mathbits "math/bits"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Flags are what may stand between a fetch and its patterns (Configuration
// manual 7.1).
type Flags struct {
	Fold   bool   // -i: case does not count
	Method string // -m; empty is that of the fetch's type
}

// Methods of matching (Configuration manual 7.1.3 to 7.1.6).
var Methods = []string{"found", "bool", "int", "ip", "bin", "len", "str", "beg", "sub", "reg", "end", "dom", "dir"}

// suffixes are the old way to name a method: path_beg is path -m beg.
var suffixes = []string{"_beg", "_end", "_sub", "_reg", "_dir", "_dom", "_len"}

// CutSuffix cuts the method off the name of an old criterion, when the rest
// is a fetch and the whole is not.
func CutSuffix(text string) (fetch, method string) {
	name, args, _ := strings.Cut(text, "(")
	if _, ok := Fetches.Lookup(name); ok {
		return text, ""
	}
	for _, s := range suffixes {
		base, ok := strings.CutSuffix(name, s)
		if !ok {
			continue
		}
		if _, known := Fetches.Lookup(base); known {
			if strings.Contains(text, "(") {
				base += "(" + args
			}
			return base, s[1:]
		}
	}
	return text, ""
}

// Matcher compares what a fetch finds with patterns.
type Matcher struct {
	fetch Fetch
	value func(v Value) bool
	bytes func(b []byte) bool // of strings
	each  func(b []byte) bool // of one value among several
	found bool                // -m found: to be there is enough
}

// Match reports whether any value matches any pattern.
func (m *Matcher) Match(in *Input) Outcome {
	if m.fetch.Every != nil && m.each != nil {
		return m.fetch.Every(in, m.each)
	}
	v, out := m.fetch.Get(in)
	switch {
	case out != Found || m.found:
		return out
	case m.bytes != nil && m.bytes(v.Str), m.bytes == nil && m.value(v):
		return Found
	}
	return Missing
}

// HTTP reports whether a request's head is needed.
func (m *Matcher) HTTP() bool { return m.fetch.HTTP }

// Fetch names the fetch.
func (m *Matcher) Fetch() string { return m.fetch.Name }

// Compile makes the matcher of a fetch, its flags and its patterns.
func Compile(f Fetch, flags Flags, patterns []string) (*Matcher, error) {
	m := &Matcher{fetch: f}
	method := flags.Method
	if method == "" {
		method = map[Type]string{Bool: "bool", Int: "int", Str: "str", Addr: "ip"}[f.Type]
	}
	if method == "found" {
		m.found = true
		return m, nil
	}
	if len(patterns) == 0 && method != "bool" {
		return nil, fmt.Errorf("%s expects patterns to compare with", f.Name)
	}
	var err error
	switch method {
	case "bool":
		if f.Type == Str || f.Type == Addr {
			return nil, fmt.Errorf("%s is no boolean", f.Name)
		}
		m.value = func(v Value) bool { return v.Int != 0 }
	case "int":
		if f.Type == Str {
			return nil, fmt.Errorf("%s is no integer", f.Name)
		}
		m.value, err = integers(patterns)
	case "ip":
		m.value, err = networks(patterns)
		if f.Type == Str {
			addr := m.value
			m.bytes = func(b []byte) bool {
				a, err := netip.ParseAddr(string(b))
				return err == nil && addr(Value{Addr: a.Unmap()})
			}
		}
	case "len":
		var length func(Value) bool
		length, err = integers(patterns)
		m.bytes = func(b []byte) bool { return length(Value{Int: int64(len(b))}) }
	case "reg":
		m.bytes, err = expressions(patterns, flags.Fold)
	case "str", "beg", "sub", "end", "dom", "dir":
		m.bytes = texts(method, patterns, flags.Fold)
	case "bin":
		err = fmt.Errorf("-m bin is not supported yet")
	default:
		err = fmt.Errorf("-m %s is not one of %s", method, strings.Join(Methods, ", "))
	}
	if err == nil && m.bytes != nil && f.Type != Str {
		err = fmt.Errorf("%s is of type %s, -m %s compares strings", f.Name, f.Type, method)
	}
	m.each = m.bytes
	if m.each == nil && m.value != nil {
		m.each = func(b []byte) bool {
			v, ok := read(f.Type, b)
			return ok && m.value(v)
		}
	}
	return m, err
}

// span is a range of integers, both ends included.
type span struct{ lo, hi int64 }

// integers reads [OPERATOR] N, N:M, N: and :M (7.1.2).
func integers(patterns []string) (func(Value) bool, error) {
	const lowest, highest = -1 << 62, 1 << 62
	var spans []span
	op := "eq"
	for _, p := range patterns {
		if slices.Contains([]string{"eq", "ge", "gt", "le", "lt"}, p) {
			op = p
			continue
		}
		s := span{lowest, highest}
		lo, hi, isRange := strings.Cut(p, ":")
		var err error
		if lo != "" {
			if s.lo, err = integer(lo); err != nil {
				return nil, fmt.Errorf("%q is not an integer", p)
			}
		}
		switch {
		case isRange && hi != "":
			if s.hi, err = integer(hi); err != nil {
				return nil, fmt.Errorf("%q is not a range of integers", p)
			}
		case !isRange:
			n := s.lo
			s = map[string]span{"eq": {n, n}, "ge": {n, highest}, "gt": {n + 1, highest}, "le": {lowest, n}, "lt": {lowest, n - 1}}[op]
		}
		spans = append(spans, s)
	}
	if len(spans) == 0 {
		return nil, fmt.Errorf("%q needs a number behind it", op)
	}
	return func(v Value) bool {
		for _, s := range spans {
			if v.Int >= s.lo && v.Int <= s.hi {
				return true
			}
		}
		return false
	}, nil
}

func networks(patterns []string) (func(Value) bool, error) {
	var list []netip.Prefix
	for _, p := range patterns {
		if a, err := netip.ParseAddr(p); err == nil {
			list = append(list, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
			continue
		}
		n, err := prefix(p)
		if err != nil {
			return nil, fmt.Errorf("%q is not ADDRESS[/MASK]", p)
		}
		list = append(list, n.Masked())
	}
	return func(v Value) bool {
		for _, n := range list {
			if n.Contains(v.Addr) {
				return true
			}
		}
		return false
	}, nil
}

// prefix reads ADDRESS/BITS or ADDRESS/NETMASK.
func prefix(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p, nil
	}
	addr, mask, _ := strings.Cut(text, "/")
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return netip.Prefix{}, err
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() || !a.Is4() {
		return netip.Prefix{}, fmt.Errorf("%q is no mask", mask)
	}
	four := m.As4()
	ones := binary.BigEndian.Uint32(four[:])
	bits := mathbits.LeadingZeros32(^ones)
	if ones<<bits != 0 {
		return netip.Prefix{}, fmt.Errorf("%q has a gap", mask)
	}
	return netip.PrefixFrom(a, bits), nil
}

func expressions(patterns []string, fold bool) (func([]byte) bool, error) {
	var list []*regexp.Regexp
	for _, p := range patterns {
		if fold {
			p = "(?i)" + p
		}
		r, err := regexp.Compile(p)
		if err != nil {
			return nil, fmt.Errorf("regular expression %q: %v", p, err)
		}
		list = append(list, r)
	}
	return func(b []byte) bool {
		for _, r := range list {
			if r.Match(b) {
				return true
			}
		}
		return false
	}, nil
}

// texts compares strings by one of the methods for them; many patterns for
// equality are looked up at once when case counts.
func texts(method string, patterns []string, fold bool) func([]byte) bool {
	list := make([][]byte, len(patterns))
	all := make(map[string]bool, len(list))
	for i, p := range patterns {
		list[i] = []byte(p)
		if fold {
			list[i] = bytes.ToLower(list[i])
		}
		all[p] = true
	}
	if method == "str" && !fold {
		return func(b []byte) bool { return all[string(b)] }
	}
	return func(b []byte) bool {
		for _, p := range list {
			if compare(method, b, p, fold) {
				return true
			}
		}
		return false
	}
}

// compare compares b with one pattern, which is in lower case with fold.
func compare(method string, b, p []byte, fold bool) bool {
	switch method {
	case "beg":
		return len(b) >= len(p) && same(b[:len(p)], p, fold)
	case "end":
		return len(b) >= len(p) && same(b[len(b)-len(p):], p, fold)
	case "sub":
		return index(b, p, fold) >= 0
	case "dom":
		return within(b, p, "/?.:", fold)
	case "dir":
		return within(b, p, "/?", fold)
	}
	return len(b) == len(p) && same(b, p, fold)
}

// same compares bytes of one length.
func same(b, p []byte, fold bool) bool {
	if !fold {
		return bytes.Equal(b, p)
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != p[i] {
			return false
		}
	}
	return true
}

// index is where p first is in b, -1 when it is not.
func index(b, p []byte, fold bool) int {
	if !fold {
		return bytes.Index(b, p)
	}
	for i := 0; i+len(p) <= len(b); i++ {
		if same(b[i:i+len(p)], p, true) {
			return i
		}
	}
	return -1
}

// within reports whether p is in b between separators or its ends
// (Configuration manual 7.1.3: "dom" and "dir").
func within(b, p []byte, separators string, fold bool) bool {
	p = bytes.Trim(p, separators)
	if len(p) == 0 {
		return false
	}
	for from := 0; ; {
		i := index(b[from:], p, fold)
		if i < 0 {
			return false
		}
		at := from + i
		before := at == 0 || strings.IndexByte(separators, b[at-1]) >= 0
		end := at + len(p)
		after := end == len(b) || strings.IndexByte(separators, b[end]) >= 0
		if before && after {
			return true
		}
		from = at + 1
	}
}
