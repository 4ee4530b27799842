package expr

import (
	"bytes"
	"strings"
)

// short are a few texts, compared one by one: for so few nothing is quicker.
type short struct {
	matches func(b, p []byte) bool
	longest bool // that matches counts, not the first
	list    [][]byte
}

// newShort makes the list; with fold it is in lower case, and the case of what
// is compared with it does not count.
func newShort(method string, words []string, fold bool) *short {
	s := &short{matches: comparison(method, fold), longest: method == "beg"}
	for _, w := range words {
		s.list = append(s.list, []byte(strings.Trim(w, separators[method])))
	}
	return s
}

// find answers the first in order, but of beginnings the longest.
func (s *short) find(_ *Input, v *Value) int {
	best := -1
	for i, p := range s.list {
		if s.matches(v.Str, p) {
			if !s.longest {
				return i
			}
			if best < 0 || len(p) > len(s.list[best]) {
				best = i
			}
		}
	}
	return best
}

// separators are what parts of a text stand between (Configuration manual
// 7.1.3: "dom" and "dir").
var separators = map[string]string{"dom": "/?.:", "dir": "/?"}

// comparison compares a text with one pattern.
func comparison(method string, fold bool) func(b, p []byte) bool {
	is, first := bytes.Equal, bytes.Index
	if fold {
		is, first = same, index
	}
	switch method {
	case "beg":
		return func(b, p []byte) bool { return len(b) >= len(p) && is(b[:len(p)], p) }
	case "end":
		return func(b, p []byte) bool { return len(b) >= len(p) && is(b[len(b)-len(p):], p) }
	case "sub":
		return func(b, p []byte) bool { return first(b, p) >= 0 }
	case "dom", "dir":
		return within(first, separators[method])
	}
	return is
}

// same reports whether b is p but for the case of b.
func same(b, p []byte) bool {
	if len(b) != len(p) {
		return false
	}
	for i, c := range b {
		if lower(c) != p[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// index is where p first is in b but for the case of b, -1 when it is not.
func index(b, p []byte) int {
	for i := 0; i+len(p) <= len(b); i++ {
		if len(p) == 0 || lower(b[i]) == p[0] && same(b[i:i+len(p)], p) {
			return i
		}
	}
	return -1
}

// within reports whether p is in b between separators or its ends.
func within(first func(b, p []byte) int, separators string) func(b, p []byte) bool {
	return func(b, p []byte) bool {
		if len(p) == 0 {
			return false
		}
		for from := 0; ; {
			i := first(b[from:], p)
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
}
