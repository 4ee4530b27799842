package block

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"herald/config"
)

func isSequence(s string) bool {
	return strings.HasPrefix(s, "~SEQ(") || strings.HasPrefix(s, "~SEQx(") || strings.HasPrefix(s, "~LST(")
}

// A round is one repetition of a line: the values its macros have in it.
type round map[string]string

// sequence repeats the rest of a ~SEQ, ~SEQx or ~LST line once per round.
func (p *parser) sequence(s string, pos config.Pos, depth int) {
	shut := strings.IndexByte(s, ')')
	if shut < 0 {
		p.diags.Warnf(pos, s, "%q has no closing parenthesis; the line is ignored", s)
		return
	}
	kind, inside, _ := strings.Cut(s[:shut], "(")
	inside, _ = p.expand(inside, pos)
	var rounds iter.Seq[round]
	var err error
	if kind == "~LST" {
		rounds, err = listRounds(inside)
	} else {
		rounds, err = numberRounds(inside, kind == "~SEQx")
	}
	if err != nil {
		p.diags.Warnf(pos, s[:shut+1], "%s: %v; the line is ignored", s[:shut+1], err)
		return
	}
	for r := range rounds {
		if p.ended || !p.spend(len(s), pos, s[:shut+1]) {
			return
		}
		restore := p.set(r)
		p.line(s[shut+1:], pos, false, depth+1)
		restore()
	}
}

// set defines the macros of one round and returns what undoes it.
func (p *parser) set(r round) (restore func()) {
	before := round{}
	for name, value := range r {
		if old, ok := p.macros[name]; ok {
			before[name] = old
		}
		p.macros[name] = value
	}
	return func() {
		for name := range r {
			delete(p.macros, name)
		}
		maps.Copy(p.macros, before)
	}
}

const maxRounds = 1 << 17

// numberRounds reads "var[, start[, step]], end".
func numberRounds(inside string, hex bool) (iter.Seq[round], error) {
	fields := strings.Split(inside, ",")
	name := strings.TrimSpace(fields[0])
	if name == "" || nameLen(name) != len(name) {
		return nil, fmt.Errorf("%q is not the name of a macro", name)
	}
	if len(fields) < 2 || len(fields) > 4 {
		return nil, fmt.Errorf("expected (var, [start, [step,]] end)")
	}
	n := make([]int64, 0, 3)
	for _, f := range fields[1:] {
		v, err := sequenceNumber(strings.TrimSpace(f))
		if err != nil {
			return nil, err
		}
		n = append(n, v)
	}
	start, step, end := bounds(n)
	if step == 0 || step > 0 && start > end || step < 0 && start < end {
		return nil, fmt.Errorf("counting from %d by %d never reaches %d", start, step, end)
	}
	if (end-start)/step >= maxRounds {
		return nil, fmt.Errorf("more than %d repetitions", maxRounds)
	}
	base := 10
	if hex {
		base = 16
	}
	return func(yield func(round) bool) { // made one by one: sequences nest
		for v := start; step > 0 && v <= end || step < 0 && v >= end; v += step {
			if !yield(round{name: strconv.FormatInt(v, base)}) {
				return
			}
		}
	}, nil
}

// bounds fills in what a sequence of one, two or three numbers leaves out.
func bounds(n []int64) (start, step, end int64) {
	end = n[len(n)-1]
	switch {
	case len(n) > 1:
		start = n[0]
	case end < 0:
		start = -1
	default:
		start = 1
	}
	switch {
	case len(n) == 3:
		step = n[1]
	case end < start:
		step = -1
	default:
		step = 1
	}
	return start, step, end
}

// sequenceNumber reads a decimal or, after 0x, hexadecimal number of at most
// 32 bits.
func sequenceNumber(s string) (int64, error) {
	digits, base := s, 10
	if rest, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		digits, base = rest, 16
	}
	v, err := strconv.ParseInt(digits, base, 33)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return v, nil
}

// listRounds reads "var, v1, v2" and "{a,b}, {1,2}, {3,4}".
func listRounds(inside string) (iter.Seq[round], error) {
	items := splitList(inside)
	names := tuple(items[0])
	for _, name := range names {
		if name == "" || nameLen(name) != len(name) {
			return nil, fmt.Errorf("%q is not the name of a macro", name)
		}
	}
	if len(items) < 2 {
		return nil, fmt.Errorf("expected at least one value")
	}
	var rounds []round
	for _, item := range items[1:] {
		values := []string{item}
		if len(names) > 1 || strings.HasPrefix(items[0], "{") {
			values = tuple(item)
		}
		if len(values) != len(names) {
			return nil, fmt.Errorf("%q has %d values for %d names", item, len(values), len(names))
		}
		r := round{}
		for i, name := range names {
			r[name] = values[i]
		}
		rounds = append(rounds, r)
	}
	return slices.Values(rounds), nil
}

// splitList splits at commas outside braces and trims blanks.
func splitList(s string) []string {
	var out []string
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			depth--
		case ',':
			if depth <= 0 {
				out = append(out, strings.TrimSpace(s[from:i]))
				from = i + 1
			}
		}
	}
	return append(out, strings.TrimSpace(s[from:]))
}

// tuple splits "{a, b}", or gives the one value itself.
func tuple(s string) []string {
	if inner, ok := strings.CutPrefix(s, "{"); ok {
		return splitList(strings.TrimSuffix(inner, "}"))
	}
	return []string{s}
}
