package expr

import (
	"bytes"
	"strings"
)

// short are a few texts, compared one by one: for so few nothing is quicker.
type short struct {
	method string
	fold   bool // the list is in lower case, and case does not count
	list   [][]byte
}

func newShort(method string, words []string, fold bool) *short {
	s := &short{method: method, fold: fold}
	for _, w := range words {
		s.list = append(s.list, []byte(w))
	}
	return s
}

// find answers the first in order, but of beginnings the longest.
func (s *short) find(_ *Input, v Value) int {
	best := -1
	for i, p := range s.list {
		if compare(s.method, v.Str, p, s.fold) {
			if s.method != "beg" {
				return i
			}
			if best < 0 || len(p) > len(s.list[best]) {
				best = i
			}
		}
	}
	return best
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
