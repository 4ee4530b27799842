package expr

import (
	"fmt"
	"slices"
	"strings"

	"herald/config"
)

// List is patterns of one matcher that were given together: words, or the
// lines of a file.
type List struct {
	Words []string
	Fold  bool   // -i: case does not count
	File  string // -f; Words are not looked at then
	Map   bool   // -M: the pattern is the first word of each line
}

// Methods of matching (Configuration manual 7.1.3 to 7.1.6).
var Methods = []string{"found", "bool", "int", "ip", "bin", "len", "str", "beg", "sub", "reg", "end", "dom", "dir"}

// casts are the types values are read as by each method.
var casts = map[string]Type{"bool": Int, "int": Int, "ip": Addr, "bin": Bin, "len": Str, "str": Str, "beg": Str, "sub": Str, "reg": Str, "end": Str, "dom": Str, "dir": Str}

// suffixes are the old way to name a method: path_beg is path -m beg.
var suffixes = []string{"_beg", "_end", "_sub", "_reg", "_dir", "_dom", "_len"}

// CutSuffix cuts the method off the name of an old criterion, when the rest
// is a fetch and the whole is not.
func CutSuffix(text string) (fetch, method string) {
	end := strings.IndexAny(text, "(,")
	if end < 0 {
		end = len(text)
	}
	name := text[:end]
	if _, ok := Fetches.Lookup(name); ok {
		return text, ""
	}
	for _, s := range suffixes {
		base, ok := strings.CutSuffix(name, s)
		if !ok {
			continue
		}
		if row, known := Fetches.Lookup(base); known && row.Do.Type == Str {
			return base + text[end:], s[1:]
		}
	}
	return text, ""
}

// Matcher compares what a fetch finds with patterns.
type Matcher struct {
	fetch Fetch
	found bool // -m found: to be there is enough
	to    Type
	sets  []set // nil: anything but 0
	empty bool
}

// Empty reports that there is no pattern, so that nothing ever matches.
func (m *Matcher) Empty() bool { return m.empty }

// set is patterns of one list, made for looking up: it answers which of them
// matches, counted from 0, or -1.
type set interface {
	find(in *Input, v *Value) int
}

// Match reports whether any value matches any pattern.
func (m *Matcher) Match(in *Input) Outcome {
	in.cursor = cursor{walking: m.fetch.several}
	for {
		out := m.fetch.one(in, &in.value)
		switch {
		case out == Wait:
			return Wait
		case out == Found && (m.found || m.matches(in, &in.value)):
			return Found
		case in.cursor.more:
		case m.fetch.grows && !in.Final:
			return Wait
		default:
			return Missing
		}
	}
}

func (m *Matcher) matches(in *Input, v *Value) bool {
	if v.Type != m.to && !in.cast(v, m.to) {
		return false
	}
	if m.sets == nil {
		return v.Int != 0
	}
	for _, s := range m.sets {
		if s.find(in, v) >= 0 {
			return true
		}
	}
	return false
}

// HTTP reports whether a request's head is needed.
func (m *Matcher) HTTP() bool { return m.fetch.HTTP() }

// Fetch is what is looked at.
func (m *Matcher) Fetch() *Fetch { return &m.fetch }

// Compile makes the matcher of a fetch, the method of -m, and its patterns; an
// empty method is the fetch's own.
func (files Loader) Compile(f Fetch, method string, lists []List) (*Matcher, error) {
	m := &Matcher{fetch: f}
	dotted := f.Old == "dotted" && method == ""
	if method == "" && f.Old == "bin" {
		method = "bin"
	}
	if method == "" {
		if f.Type == Bin {
			return nil, fmt.Errorf("%s is binary: say how to compare it with -m", f.Name)
		}
		method = map[Type]string{Bool: "bool", Int: "int", Str: "str", Addr: "ip"}[f.Type]
	}
	if method == "found" {
		m.found = true
		return m, nil
	}
	to, known := casts[method]
	if !known {
		return nil, fmt.Errorf("-m %s is not one of %s", method, strings.Join(Methods, ", "))
	}
	if m.to = to; !castable(f.Type, to) {
		return nil, fmt.Errorf("%s is of type %s, which -m %s cannot compare", f.Name, f.Type, method)
	}
	if method == "bool" {
		return m, nil
	}
	for _, l := range lists {
		s, err := files.set(method, l, dotted)
		if err != nil {
			return nil, err
		}
		m.sets = append(m.sets, s)
	}
	if m.empty = len(lists) == 0; m.empty {
		m.sets = []set{}
	}
	return m, nil
}

// set makes the set of a list; that of a file once for all who use it alike.
func (files Loader) set(method string, l List, dotted bool) (set, error) {
	if l.File == "" {
		return newSet(method, l.Words, l.Fold, dotted)
	}
	key := fmt.Sprintf("acl %s %v %v %s", method, l.Fold, l.Map, l.File)
	if s, ok := files.Made[key].(set); ok {
		return s, nil
	}
	keys, _, err := files.lines(l.File, l.Map)
	if err != nil {
		return nil, err
	}
	s, err := newSet(method, keys, l.Fold, dotted)
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", l.File, err)
	}
	if files.Made != nil {
		files.Made[key] = s
	}
	return s, nil
}

// lines reads the patterns of a file, and with two columns the text behind
// each (Configuration manual 7.1, "map").
func (files Loader) lines(name string, columns bool) (keys, values []string, err error) {
	if files.Read == nil {
		return nil, nil, fmt.Errorf("file %q: no files can be read here", name)
	}
	content, err := files.Read(name)
	if err != nil {
		return nil, nil, err
	}
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if end := strings.IndexAny(line, "\r\n"); end >= 0 {
			line = line[:end]
		}
		if line = strings.TrimLeft(line, " \t"); line == "" {
			continue
		}
		value := ""
		if columns {
			if end := strings.IndexAny(line, " \t"); end >= 0 {
				line, value = line[:end], strings.Trim(line[end:], " \t")
			}
		}
		keys, values = append(keys, line), append(values, value)
	}
	return keys, values, nil
}

// newSet makes patterns ready for looking up.
func newSet(method string, words []string, fold, dotted bool) (set, error) {
	switch method {
	case "int", "len":
		read := integer
		if dotted {
			read = dottedVersion
		}
		s, err := newSpans(words, read)
		if s != nil {
			s.length = method == "len"
		}
		return s, err
	case "ip":
		return newNetworks(words)
	case "reg":
		return newExpressions(words, fold)
	case "bin":
		return newBytes(words)
	}
	if fold {
		words = slices.Clone(words)
		for i, w := range words {
			words[i] = strings.ToLower(w)
		}
	}
	if len(words) <= few {
		return newShort(method, words, fold), nil
	}
	inner := newTexts(method, words)
	if fold {
		return folded{inner}, nil
	}
	return inner, nil
}

// folded looks up in lower case.
type folded struct{ of set }

func (f folded) find(in *Input, v *Value) int {
	written := v.Str
	v.Str = in.lowered(written)
	i := f.of.find(in, v)
	v.Str = written // for the next list, where case may count
	return i
}

// lowered is b in lower case, b itself where it is so already.
func (in *Input) lowered(b []byte) []byte {
	for _, c := range b {
		if lower(c) != c {
			return in.keep(lowered(in.room(), b))
		}
	}
	return b
}

// nearestFetch is the known fetch most like name, the old way to name a method
// included: path_beg for path_begg.
func nearestFetch(name string) string {
	if near := config.Nearest(name, Fetches.Names()); near != "" {
		return near
	}
	if at := strings.LastIndexByte(name, '_'); at > 0 {
		if _, known := Fetches.Lookup(name[:at]); known {
			if near := config.Nearest(name[at:], suffixes); near != "" {
				return name[:at] + near
			}
		}
	}
	return ""
}
