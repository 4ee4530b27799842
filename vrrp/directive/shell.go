package directive

import "strings"

// A pipeline is commands joined by |, each its words, and the operator that
// stands before the pipeline ("" for the first).
type pipeline struct {
	before   string
	commands [][]string
}

// parseShell reads the little of the shell that checks are written in: words,
// quotes, substitutions (kept as they stand), redirections (dropped), and the
// operators | || && and ;. It gives up on everything else.
func parseShell(s string) (list []pipeline, ok bool) {
	p := shellScan{s: s}
	current := pipeline{}
	var words []string
	for {
		word, op, ok := p.next()
		if !ok {
			return nil, false
		}
		if op == "" {
			words = append(words, word)
			continue
		}
		if op == "end" && len(words) == 0 && len(current.commands) == 0 && len(list) > 0 && current.before == ";" {
			return list, true // a trailing semicolon
		}
		if len(words) == 0 {
			return nil, false
		}
		current.commands = append(current.commands, words)
		words = nil
		if op == "|" {
			continue
		}
		list = append(list, current)
		if op == "end" {
			return list, true
		}
		current = pipeline{before: op}
	}
}

// shellScan walks over a command.
type shellScan struct {
	s string
	i int
}

// next returns a word, or an operator ("end" at the end). Redirections are
// passed over with their target.
func (p *shellScan) next() (word, op string, ok bool) {
	for {
		for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\t') {
			p.i++
		}
		if p.i == len(p.s) {
			return "", "end", true
		}
		if n := redirection(p.s[p.i:]); n > 0 {
			p.i += n
			if target, op, ok := p.target(); !ok || op != "" || target == "" {
				return "", "", false
			}
			continue
		}
		for _, op := range []string{"||", "&&", "|", ";"} {
			if strings.HasPrefix(p.s[p.i:], op) {
				p.i += len(op)
				return "", op, true
			}
		}
		switch p.s[p.i] {
		case '&', '(', ')', '<', '\n', '!', '{', '}':
			return "", "", false
		}
		word, ok = p.word()
		return word, "", ok
	}
}

// target reads the word a redirection goes to: a file, or &N.
func (p *shellScan) target() (word, op string, ok bool) {
	if strings.HasPrefix(p.s[p.i:], "&") {
		p.i++
	}
	return p.next()
}

// redirection returns the length of an output redirection's operator at the
// start of s, its file descriptor included.
func redirection(s string) int {
	n := 0
	if s[0] >= '0' && s[0] <= '2' || s[0] == '&' {
		n = 1
	}
	if n == len(s) || s[n] != '>' {
		return 0
	}
	n++
	if n < len(s) && s[n] == '>' {
		n++
	}
	return n
}

// word reads one word; quotes go, substitutions stay.
func (p *shellScan) word() (string, bool) {
	var b strings.Builder
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case strings.IndexByte(" \t|;&<>\n()", c) >= 0:
			return dashes(b.String()), true
		case c == '\'':
			end := strings.IndexByte(p.s[p.i+1:], '\'')
			if end < 0 {
				return "", false
			}
			b.WriteString(p.s[p.i+1 : p.i+1+end])
			p.i += end + 2
		case c == '"':
			p.i++
			if !p.doubleQuoted(&b) {
				return "", false
			}
		case c == '`' || strings.HasPrefix(p.s[p.i:], "$("):
			if !p.substitution(&b) {
				return "", false
			}
		case c == '\\' && p.i+1 < len(p.s):
			b.WriteByte(p.s[p.i+1])
			p.i += 2
		default:
			b.WriteByte(c)
			p.i++
		}
	}
	return dashes(b.String()), true
}

// dashes turns a leading dash of the word processor into the option sign it
// was.
func dashes(word string) string {
	for _, dash := range []string{"–", "—", "−"} {
		if rest, ok := strings.CutPrefix(word, dash); ok {
			return "-" + rest
		}
	}
	return word
}

func (p *shellScan) doubleQuoted(b *strings.Builder) bool {
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c == '"':
			p.i++
			return true
		case c == '`' || strings.HasPrefix(p.s[p.i:], "$("):
			if !p.substitution(b) {
				return false
			}
		case c == '\\' && p.i+1 < len(p.s) && strings.IndexByte("\"\\$`", p.s[p.i+1]) >= 0:
			b.WriteByte(p.s[p.i+1])
			p.i += 2
		default:
			b.WriteByte(c)
			p.i++
		}
	}
	return false
}

// substitution copies `...` or $(...) with its marks.
func (p *shellScan) substitution(b *strings.Builder) bool {
	rest := p.s[p.i:]
	end := -1
	if rest[0] == '`' {
		if n := strings.IndexByte(rest[1:], '`'); n >= 0 {
			end = n + 2
		}
	} else {
		end = closingParen(rest)
	}
	if end < 0 {
		return false
	}
	b.WriteString(rest[:end])
	p.i += end
	return true
}

// closingParen returns the end of the $(...) s begins with, or -1.
func closingParen(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
