package line

import (
	"strconv"
	"strings"

	"herald/config"
)

// reference is a parsed $NAME, ${NAME}, ${NAME-default}, ${NAME[*]} or
// ${NAME[*]-default} (manual 2.3).
type reference struct {
	name     string
	fallback string
	list     bool // [*]: blanks in the value separate words
	size     int  // bytes of text it takes
}

// variable reads a reference within weak quotes and puts its value into the
// word. The value itself is not interpreted again.
func (s *scanner) variable() *config.Diagnostic {
	from := s.at
	ref, err := s.reference()
	if err != nil {
		return err
	}
	s.at += ref.size
	value, ok := s.value(ref.name)
	if !ok {
		value = ref.fallback
	}
	if !ref.list {
		s.word.WriteString(value)
		return nil
	}
	s.spread(value, from)
	return nil
}

// spread puts the blank-separated parts of value into words of their own. The
// first joins what stands before, the last what follows.
func (s *scanner) spread(value string, from int) {
	parts := strings.Fields(value)
	for i, part := range parts {
		if i > 0 {
			s.split(from)
		}
		s.word.WriteString(part)
	}
	if len(parts) > 0 && s.at < len(s.text) && s.text[s.at] != '"' && strings.TrimRight(value, " \t\r\n\v\f") != value {
		s.split(from)
	}
}

// split ends a word in the middle of a quotation and begins the next.
func (s *scanner) split(from int) {
	s.finish()
	s.open, s.start, s.quoted = true, from, true
}

func (s *scanner) value(name string) (string, bool) {
	switch name {
	case ".FILE":
		return s.pos.File, true
	case ".LINE":
		return strconv.Itoa(s.pos.Line), true
	case ".SECTION":
		return s.section, true
	}
	return s.vars.get(name)
}

// reference parses the text after a dollar sign.
func (s *scanner) reference() (reference, *config.Diagnostic) {
	rest := s.text[s.at+1:]
	braced := strings.HasPrefix(rest, "{")
	if braced {
		rest = rest[1:]
	}
	n := nameLength(rest)
	name := rest[:n]
	switch {
	case n == 0, name[0] >= '0' && name[0] <= '9', name[0] == '.' && !pseudo(name):
		return reference{}, s.fail(s.at, "$"+name, "%q does not begin the name of an environment variable", "$"+name)
	}
	ref := reference{name: name, size: 1 + n}
	if !braced {
		return ref, nil
	}
	rest = rest[n:]
	if strings.HasPrefix(rest, "[") {
		if !strings.HasPrefix(rest, "[*]") {
			return reference{}, s.fail(s.at, name, "truncated word expansion after %q, expected [*]", name)
		}
		ref.list = true
		rest = rest[len("[*]"):]
	}
	if strings.HasPrefix(rest, "-") {
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			return reference{}, s.fail(s.at, name, "unmatched brace in environment variable %q", name)
		}
		ref.fallback, rest = rest[1:end], rest[end:]
	}
	if !strings.HasPrefix(rest, "}") {
		return reference{}, s.fail(s.at, name, "unmatched brace in environment variable %q", name)
	}
	ref.size = len(s.text) - s.at - len(rest) + 1
	return ref, nil
}

// nameLength counts the bytes at the front of text that may stand in a
// variable's name; a dot may only begin one.
func nameLength(text string) int {
	for i := 0; i < len(text); i++ {
		c := text[i]
		letter := c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !letter && (i > 0 || c != '.') {
			return i
		}
	}
	return len(text)
}

func pseudo(name string) bool { return name == ".FILE" || name == ".LINE" || name == ".SECTION" }
