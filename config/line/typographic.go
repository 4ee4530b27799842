package line

import (
	"strings"

	"herald/config"
)

// typographic reports whether text begins with a quotation mark as word
// processors and web pages make them; weak is true for the double ones. width
// is its length in bytes, 0 for none.
func typographic(text string) (weak bool, width int) {
	for _, q := range [...]struct {
		mark string
		weak bool
	}{{"“", true}, {"”", true}, {"„", true}, {"‘", false}, {"’", false}, {"‚", false}} {
		if strings.HasPrefix(text, q.mark) {
			return q.weak, len(q.mark)
		}
	}
	return false, 0
}

// closedLater reports whether the typographic quote at the next byte has a
// partner further on.
func (s *scanner) closedLater(weak bool, width int) bool {
	for i := s.at + width; i < len(s.text); i++ {
		if c := s.text[i]; weak && c == '"' || !weak && c == '\'' {
			return true
		}
		if w, n := typographic(s.text[i:]); n > 0 && w == weak {
			return true
		}
	}
	return false
}

// reportSmart warns once for a line.
func (s *scanner) reportSmart(weak bool) {
	if s.smart {
		return
	}
	s.smart = true
	plain, fix := `"`, `write "..."`
	if !weak {
		plain, fix = `'`, `write '...'`
	}
	s.found = append(s.found, config.Diagnostic{Pos: s.place(s.at), Severity: config.Warning, Word: s.text[s.at : s.at+3],
		Message: "typographic quotes are read as " + plain, Fix: fix})
}
