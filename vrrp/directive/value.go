package directive

import (
	"strings"
	"time"

	"herald/config"
	"herald/config/block"
)

// number reads word i of st from lo to hi; what replaces a bad one is named in
// the warning and returned.
func (b *build) number(st block.Statement, i, lo, hi, instead int) int {
	n, err := config.Int(st.Arg(i), lo, hi)
	if err != nil {
		b.diags.Warnf(st.Words[i].Pos, st.Arg(i), "%s: %v; %d is taken", st.Keyword(), err, instead)
		return instead
	}
	return n
}

// seconds reads word i of st, at least lo and at most hi.
func (b *build) seconds(st block.Statement, i int, lo, hi, instead time.Duration) time.Duration {
	d, err := config.Seconds(st.Arg(i))
	switch {
	case err != nil:
		b.diags.Warnf(st.Words[i].Pos, st.Arg(i), "%s: %v; %v is taken", st.Keyword(), err, instead)
		return instead
	case d < lo || d > hi:
		b.diags.Warnf(st.Words[i].Pos, st.Arg(i), "%s: %s is outside %v to %v; %v is taken", st.Keyword(), st.Arg(i), lo, hi, instead)
		return instead
	}
	return d
}

// flag reads an optional BOOL; the keyword alone means on.
func (b *build) flag(st block.Statement) bool {
	if len(st.Words) == 1 {
		return true
	}
	on, err := config.Bool(st.Arg(1))
	if err != nil {
		b.diags.Warnf(st.Words[1].Pos, st.Arg(1), "%s: %v; on is taken", st.Keyword(), err)
		return true
	}
	return on
}

// interfaceName says what is wrong with a name no Linux interface can have,
// or "".
func interfaceName(s string) string {
	switch {
	case s == "" || s == "." || s == "..":
		return "not the name of an interface"
	case len(s) > 15:
		return "longer than the 15 bytes an interface name may have"
	case strings.ContainsAny(s, "/: \t\n\r\v\f"):
		return "not the name of an interface: it has a colon, slash or blank"
	}
	return ""
}

// weight reads the options of a tracked thing after its name: `weight N` and
// `reverse` or `noreverse`, on top of the defaults given.
func (b *build) weight(st block.Statement, from, weight int, reverse bool) (int, bool) {
	for i := from; i < len(st.Words); i++ {
		switch w := st.Words[i]; w.Text {
		case "weight":
			if i+1 == len(st.Words) {
				b.diags.Warnf(w.Pos, w.Text, "%s: weight needs a number from -253 to 253", st.Keyword())
				continue
			}
			i++
			weight = b.boundedWeight(st, i)
		case "reverse":
			reverse = true
		case "noreverse":
			reverse = false
		default:
			b.diags.Warnf(w.Pos, w.Text, "%s: %q is not weight, reverse or noreverse and is ignored", st.Keyword(), w.Text)
		}
	}
	return weight, reverse
}

// boundedWeight reads a weight; one that is too large counts as the largest,
// since priorities end at 1 and 254 anyway.
func (b *build) boundedWeight(st block.Statement, i int) int {
	n, err := config.Int(st.Arg(i), -1<<31, 1<<31-1)
	if err != nil {
		b.diags.Warnf(st.Words[i].Pos, st.Arg(i), "weight: %q is not a whole number from -253 to 253; 0 is taken", st.Arg(i))
		return 0
	}
	bounded := min(max(n, -253), 253)
	if bounded != n {
		b.diags.Warnf(st.Words[i].Pos, st.Arg(i), "weight: %d is outside -253 to 253; %d is taken", n, bounded)
	}
	return bounded
}

// text joins the words after the keyword as they were written, without
// quotes.
func text(words []block.Word) string {
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = w.Text
	}
	return strings.Join(parts, " ")
}
