package block

import "strings"

// Command splits the words of a script into program and arguments, as
// keepalived does for `script "..."`: blanks part the arguments, '...' and
// "..." inside keep them together, and the escapes \a \b \E \f \n \r \t \v
// \nnn \xXX \cC are resolved; a backslash before any other character yields
// that character. Several words given without quotes are one argument each;
// keepalived drops all but the first.
func Command(words []Word) []string {
	if len(words) == 1 && words[0].Quoted {
		return splitCommand(words[0].Raw)
	}
	var argv []string
	for i, w := range words {
		switch {
		case i == 0 && w.Quote == '"':
			argv = append(argv, splitCommand(w.Raw)...)
		case w.Quoted:
			argv = append(argv, unescape(w.Raw))
		default:
			argv = append(argv, w.Text)
		}
	}
	return argv
}

func splitCommand(s string) []string {
	var argv []string
	var arg strings.Builder
	started := false
	var quote byte
	for i := 0; i < len(s); {
		c := s[i]
		mark, size := quoteMark(s, i)
		switch {
		case quote == 0 && mark != 0:
			quote, started = mark, true
			i += size
		case quote != 0 && mark == quote:
			quote = 0
			i += size
		case quote == 0 && isBlank(c):
			if started {
				argv = append(argv, arg.String())
				arg.Reset()
				started = false
			}
			i++
		default:
			started = true
			i += unescapeOne(&arg, s[i:])
		}
	}
	if started {
		argv = append(argv, arg.String())
	}
	return argv
}

// quoteMark returns the quotation mark at s[i] and its length; \" counts as
// one, since it is how a double quote is written inside double quotes.
func quoteMark(s string, i int) (mark byte, size int) {
	switch {
	case s[i] == '\'' || s[i] == '"':
		return s[i], 1
	case strings.HasPrefix(s[i:], `\"`):
		return '"', 2
	}
	return 0, 0
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		i += unescapeOne(&b, s[i:])
	}
	return b.String()
}

var escapes = map[byte]byte{'a': 7, 'b': 8, 'E': 27, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11}

// unescapeOne writes the first character of s, an escape sequence being one,
// and returns how many bytes of s it took.
func unescapeOne(b *strings.Builder, s string) int {
	if s[0] != '\\' || len(s) == 1 {
		b.WriteByte(s[0])
		return 1
	}
	switch c := s[1]; {
	case escapes[c] != 0:
		b.WriteByte(escapes[c])
		return 2
	case c >= '0' && c <= '7':
		return 1 + number(b, s[1:], 8, 3)
	case c == 'x' && len(s) > 2 && digit(s[2]) < 16:
		return 2 + number(b, s[2:], 16, len(s))
	case c == 'c' && len(s) > 2:
		b.WriteByte(s[2] & 0x1f)
		return 3
	default:
		b.WriteByte(c)
		return 2
	}
}

// number writes the byte given by at most limit digits at the start of s and
// returns how many digits it took; higher bits are lost.
func number(b *strings.Builder, s string, base byte, limit int) int {
	n, value := 0, byte(0)
	for n < len(s) && n < limit && digit(s[n]) < base {
		value = value*base + digit(s[n])
		n++
	}
	b.WriteByte(value)
	return n
}

func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
