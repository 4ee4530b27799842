package block

import (
	"strconv"
	"strings"

	"herald/config"
)

// nameLen returns the length of the macro name at the start of s: letters,
// digits and underscores, no digit first.
func nameLen(s string) int {
	n := 0
	for n < len(s) && (s[n] == '_' || s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z' || n > 0 && s[n] >= '0' && s[n] <= '9') {
		n++
	}
	return n
}

// definition parts `$NAME=value`. The lines of a value of several are joined
// by newlines; an empty first one is dropped.
func definition(s string) (name, value string, ok bool) {
	if s[0] != '$' {
		return "", "", false
	}
	n := nameLen(s[1:])
	if n == 0 || 1+n >= len(s) || s[1+n] != '=' {
		return "", "", false
	}
	value = strings.TrimSpace(s[2+n:])
	return s[1 : 1+n], value, true
}

// isDefinition reports whether line defines a macro, a condition before it
// allowed.
func isDefinition(line string) bool {
	s := strings.TrimLeft(line, " \t")
	if strings.HasPrefix(s, "@") {
		after := strings.IndexAny(s, " \t")
		if after < 0 {
			return false
		}
		s = strings.TrimLeft(s[after:], " \t")
	}
	if s == "" {
		return false
	}
	_, _, ok := definition(s)
	return ok
}

// expand replaces the macros in line, left to right and those within their
// values, until a value of several lines turns up: what follows its first
// line must wait, since those lines may define macros themselves.
func (p *parser) expand(line string, pos config.Pos) (text string, changed bool) {
	const most = 1000
	count := 0
	for from := 0; ; {
		start, end, value, ok := p.find(line, from)
		if !ok {
			return line, changed
		}
		count++
		line = line[:start] + value + line[end:]
		switch {
		case count > most || len(line) > maxLine:
			p.stop(pos, line[start:min(start+20, len(line))], "a macro refers to itself; the rest is not read")
			return "", true
		case !p.spend(len(line), pos, value):
			return "", true
		case strings.Contains(value, "\n"):
			return line, true
		}
		changed, from = true, start
	}
}

// maxReference is the longest ${...} that is looked at, in bytes.
const maxReference = 300

// find returns the first defined macro in line at or after from. $NAME counts
// when a blank or the end follows, ${NAME} anywhere.
func (p *parser) find(line string, from int) (start, end int, value string, ok bool) {
	for i := from; i < len(line); i++ {
		if line[i] != '$' || i+1 == len(line) {
			continue
		}
		if line[i+1] == '{' {
			shut := strings.IndexByte(line[i:min(i+maxReference, len(line))], '}')
			if shut < 0 {
				continue
			}
			if value, ok := p.value(line[i+2 : i+shut]); ok {
				return i, i + shut + 1, value, true
			}
			continue
		}
		after := i + 1 + nameLen(line[i+1:])
		if after < len(line) && !isBlank(line[after]) {
			continue
		}
		if value, ok := p.value(line[i+1 : after]); ok {
			return i, after, value, true
		}
	}
	return 0, 0, "", false
}

// value returns what a reference stands for; inside is the text between the
// braces.
func (p *parser) value(inside string) (string, bool) {
	name, rest, _ := strings.Cut(inside, " ")
	if name == "" || nameLen(name) != len(name) {
		return "", false
	}
	args := strings.Fields(rest)
	switch name {
	case "_PWD":
		return p.directory(), len(args) == 0
	case "_INSTANCE":
		return p.o.Instance, len(args) == 0
	case "_HASH":
		return "#", len(args) == 0
	case "_BANG":
		return "!", len(args) == 0
	case "_RANDOM":
		return p.random(args)
	case "_ENV":
		if len(args) != 1 || p.o.Env == nil {
			return "", false
		}
		return p.o.Env(args[0])
	}
	value, ok := p.macros[name]
	return value, ok && len(args) == 0
}

// random reads ${_RANDOM [MIN [MAX]]}, 0 to 32767 by default.
func (p *parser) random(args []string) (string, bool) {
	bounds := [2]int{0, 32767}
	if len(args) > 2 {
		return "", false
	}
	for i, a := range args {
		n, err := config.Int(a, 0, 1<<31-1)
		if err != nil {
			return "", false
		}
		bounds[i] = n
	}
	lo, hi := bounds[0], max(bounds[0], bounds[1])
	if p.o.Rand == nil {
		return strconv.Itoa(lo), true
	}
	return strconv.Itoa(p.o.Rand(lo, hi)), true
}
