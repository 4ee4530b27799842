package line

import (
	"fmt"
	"strconv"
	"strings"

	"herald/config"
)

// scanner cuts one line into words (manual 2.2 and 2.3).
type scanner struct {
	text    string
	pos     config.Pos // of text[0]
	vars    *variables
	section string // value of .SECTION

	at    int // next byte of text
	found []config.Diagnostic
	done  []Word

	word   strings.Builder
	open   bool // a word has begun
	start  int  // where it began
	quoted bool
	smart  bool // typographic quotes were reported for this line
}

// place returns the position of byte i.
func (s *scanner) place(i int) config.Pos {
	p := s.pos
	p.Column += i
	return p
}

func (s *scanner) fail(i int, word, format string, args ...any) *config.Diagnostic {
	return &config.Diagnostic{Pos: s.place(i), Severity: config.Error, Word: word, Message: fmt.Sprintf(format, args...)}
}

func (s *scanner) warn(i int, word, format string, args ...any) {
	s.found = append(s.found, config.Diagnostic{Pos: s.place(i), Severity: config.Warning, Word: word,
		Message: fmt.Sprintf(format, args...)})
}

// words returns the words up to the end, a comment, or a CR.
func (s *scanner) words() ([]Word, *config.Diagnostic) {
	if i := strings.IndexByte(s.text, 0); i >= 0 {
		return nil, s.fail(i, "", "NUL byte in a configuration line")
	}
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t':
			s.finish()
			s.at++
		case '#', '\r':
			s.finish()
			return s.done, nil
		case '"', '\'':
			s.begin()
			if err := s.quotes(c == '"', 1, ""); err != nil {
				return nil, err
			}
		case '\\':
			s.begin()
			if err := s.escape(false); err != nil {
				return nil, err
			}
		default:
			if err := s.plain(); err != nil {
				return nil, err
			}
		}
	}
	s.finish()
	return s.done, nil
}

// plain takes one byte, or a quotation in typographic quotes.
func (s *scanner) plain() *config.Diagnostic {
	if weak, width := typographic(s.text[s.at:]); width > 0 {
		// A lone ’ is an apostrophe, not a quotation.
		if closed := s.closedLater(weak, width); closed && (weak || !s.open) {
			s.begin()
			s.reportSmart(weak)
			return s.quotes(weak, width, "typographic")
		}
		s.begin()
		s.word.WriteString(s.text[s.at : s.at+width])
		s.at += width
		return nil
	}
	s.begin()
	s.word.WriteByte(s.text[s.at])
	s.at++
	return nil
}

func (s *scanner) begin() {
	if !s.open {
		s.open, s.start = true, s.at
	}
}

// finish ends the word that is open, if any. A NUL made by \x00 ends the text
// of a word, as it does in HAProxy.
func (s *scanner) finish() {
	if !s.open {
		return
	}
	text, _, cut := strings.Cut(s.word.String(), "\x00")
	if cut {
		s.warn(s.start, text, "\\x00 ends the word %q", text)
	}
	s.done = append(s.done, Word{Text: text, Pos: s.place(s.start), Quoted: s.quoted})
	s.word.Reset()
	s.open, s.quoted = false, false
}

// quotes reads a quotation whose opening mark of width bytes is next.
// Typographic ones close with either form of their mark, plain ones only with
// the plain mark.
func (s *scanner) quotes(weak bool, width int, style string) *config.Diagnostic {
	opened := s.at
	mark := byte('\'')
	if weak {
		mark = '"'
	}
	s.at += width
	s.quoted = true
	for s.at < len(s.text) {
		c := s.text[s.at]
		if c == mark {
			s.at++
			return nil
		}
		if style != "" {
			if w, n := typographic(s.text[s.at:]); n > 0 && w == weak {
				s.at += n
				return nil
			}
		}
		switch {
		case weak && c == '\\':
			if err := s.escape(true); err != nil {
				return err
			}
		case weak && c == '$':
			if err := s.variable(); err != nil {
				return err
			}
		default:
			s.word.WriteByte(c)
			s.at++
		}
	}
	return s.fail(opened, string(mark), "unmatched quote %c", mark)
}

// escape reads a backslash and what it protects. A backslash before anything
// else stays, as in HAProxy 2.6 (\$ is an escape only in weak quotes, a tab
// cannot be escaped, whatever the manual's table says).
func (s *scanner) escape(weak bool) *config.Diagnostic {
	if s.at+1 == len(s.text) {
		s.word.WriteByte('\\')
		s.at++
		return nil
	}
	c := s.text[s.at+1]
	switch {
	case strings.IndexByte(` #\'"`, c) >= 0, c == '$' && weak:
		s.word.WriteByte(c)
	case c == 'n':
		s.word.WriteByte('\n')
	case c == 'r':
		s.word.WriteByte('\r')
	case c == 't':
		s.word.WriteByte('\t')
	case c == 'x':
		if s.at+4 > len(s.text) {
			return s.fail(s.at, s.text[s.at:], "truncated hexadecimal sequence %q, expected \\xNN", s.text[s.at:])
		}
		v, err := strconv.ParseUint(s.text[s.at+2:s.at+4], 16, 8)
		if err != nil {
			return s.fail(s.at, s.text[s.at:s.at+4], "invalid hexadecimal sequence %q, expected \\xNN", s.text[s.at:s.at+4])
		}
		s.word.WriteByte(byte(v))
		s.at += 2
	default:
		s.word.WriteByte('\\')
		s.at++
		return nil
	}
	s.at += 2
	return nil
}
