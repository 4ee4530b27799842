package directive

import (
	"slices"
	"strings"

	"herald/config"
	"herald/config/line"
)

// scope is where a keyword may stand, as the matrix of the Configuration
// manual 4.1 has it.
type scope uint8

const (
	inGlobal scope = 1 << iota
	inDefaults
	inFrontend
	inBackend

	inProxy   = inFrontend | inBackend
	anyProxy  = inDefaults | inProxy
	frontSide = inDefaults | inFrontend
	backSide  = inDefaults | inBackend
)

// many is the highest number of arguments of a keyword that takes any number.
const many = 1 << 16

// keyword is what a registry row does.
type keyword struct {
	in       scope
	min, max int  // number of arguments
	negate   bool // "no" and "default" may stand before it
	strict   bool // in a section without the capability it is an error, else a warning
	read     func(c *call)
}

// call is one line being read by its keyword.
type call struct {
	*builder
	line line.Line
	name string      // of the row
	at   line.Word   // the first word, for messages
	args []line.Word // after the words of the name
	px   *draft      // nil in global
}

// arg returns the text of argument i, or "".
func (c *call) arg(i int) string {
	if i < len(c.args) {
		return c.args[i].Text
	}
	return ""
}

// texts returns the arguments from i on.
func (c *call) texts(i int) []string {
	var out []string
	for ; i < len(c.args); i++ {
		out = append(out, c.args[i].Text)
	}
	return out
}

// reject reports an error about argument i.
func (c *call) reject(i int, format string, args ...any) {
	w := c.at
	if i < len(c.args) {
		w = c.args[i]
	}
	c.diags.Errorf(w.Pos, w.Text, c.name+": "+format, args...)
}

// warn reports a warning about argument i.
func (c *call) warn(i int, format string, args ...any) {
	w := c.at
	if i < len(c.args) {
		w = c.args[i]
	}
	c.diags.Warnf(w.Pos, w.Text, c.name+": "+format, args...)
}

// number reads argument i as a whole number.
func (c *call) number(i, lo, hi int) (int, bool) {
	n, err := config.Int(c.arg(i), lo, hi)
	if err != nil {
		c.reject(i, "%v", err)
	}
	return n, err == nil
}

// families are first words that need a second one to be a keyword.
var families = []string{"option", "timeout", "stats"}

// statement finds the row of a line and lets it read.
func (b *builder) statement(l line.Line, px *draft) {
	l = b.cutAtEmpty(l)
	if len(l.Words) == 0 {
		return
	}
	if b.legacy(l, px) {
		return
	}
	reg := proxyKeywords
	if px == nil {
		reg = globalKeywords
	}
	row, words, ok := find(reg, l)
	if !ok {
		b.unbuilt(l, px)
		return
	}
	c := &call{builder: b, line: l, name: row.Name, at: l.Words[0], args: l.Words[words:], px: px}
	if (l.Negated || l.Defaulted) && !row.Do.negate {
		b.diags.Errorf(l.Pos, row.Name, "\"no\" and \"default\" do not go with %q", row.Name)
		return
	}
	if !c.fits(row.Do) || !c.counts(row) {
		return
	}
	if px != nil {
		px.set[row.Name] = l.Pos
	}
	row.Do.read(c)
}

// cutAtEmpty ends a line at its first empty argument, as HAProxy does.
func (b *builder) cutAtEmpty(l line.Line) line.Line {
	i := slices.IndexFunc(l.Words, func(w line.Word) bool { return w.Text == "" })
	if i < 0 {
		return l
	}
	if i+1 < len(l.Words) {
		b.diags.Warnf(l.Words[i].Pos, l.Keyword(), "empty argument ends the line, %q and what follows is ignored", l.Words[i+1].Text)
	}
	l.Words = l.Words[:i]
	return l
}

// find looks for the longest name the line begins with.
func find(reg *config.Registry[keyword], l line.Line) (row config.Row[keyword], words int, ok bool) {
	if len(l.Words) > 1 {
		if row, ok = reg.Lookup(l.Arg(0) + " " + l.Arg(1)); ok {
			return row, 2, true
		}
	}
	row, ok = reg.Lookup(l.Arg(0))
	return row, 1, ok
}

// fits reports whether the keyword may act in the section, and says so when
// it may not: HAProxy ignores a keyword of the other side with a warning, and
// refuses one in a defaults section.
func (c *call) fits(k keyword) bool {
	if c.px == nil || k.in&c.px.scope() != 0 {
		return true
	}
	if c.px.kind == "defaults" {
		c.diags.Errorf(c.line.Pos, c.name, "%q is not allowed in a defaults section", c.name)
		return false
	}
	side, hint := "backend", ""
	if c.px.kind == "backend" {
		side = "frontend"
	}
	switch {
	case c.name == "maxconn":
		hint = " (maybe \"fullconn\" is meant)"
	case c.name == "fullconn":
		hint = " (maybe \"maxconn\" is meant)"
	}
	if k.strict {
		c.diags.Errorf(c.line.Pos, c.name, "%q is not allowed because %s %q has no %s capability", c.name, c.px.kind, c.px.p.Name, side)
	} else {
		c.diags.Warnf(c.line.Pos, c.name, "%q is ignored because %s %q has no %s capability%s", c.name, c.px.kind, c.px.p.Name, side, hint)
	}
	return false
}

// counts checks the number of arguments. "no X" needs none.
func (c *call) counts(row config.Row[keyword]) bool {
	k := row.Do
	if c.line.Negated {
		return true
	}
	if len(c.args) < k.min {
		c.diags.Errorf(c.line.Pos, row.Name, "%q expects %s", row.Name, strings.TrimSpace(row.Syntax))
		return false
	}
	if len(c.args) > k.max {
		extra := c.args[k.max]
		c.diags.Errorf(extra.Pos, extra.Text, "%q cannot handle unexpected argument %q", row.Name, extra.Text)
		return false
	}
	return true
}

// unbuilt reports a line without a row: known to HAProxy here, known
// elsewhere, or known to nobody.
func (b *builder) unbuilt(l line.Line, px *draft) {
	first, second := l.Arg(0), l.Arg(1)
	known, reg := knownProxy, proxyKeywords
	if px == nil {
		known, reg = knownGlobal, globalKeywords
	}
	for _, name := range []string{first + " " + second, first} {
		if sev, ok := known[name]; ok {
			if px != nil {
				px.set[name] = l.Pos
			}
			where := "proxy "
			if px == nil {
				where = "global "
			}
			b.diags.Unsupported(l.Pos, sev, "keyword", name, "HAProxy", instead[where+name])
			return
		}
	}
	if b.misplaced(l, px) {
		return
	}
	names := slices.Concat(reg.Names(), mapKeys(known), line.Kinds())
	if !slices.Contains(families, first) {
		b.diags.Unknown(l.Pos, config.Error, "keyword", first, sorted(names))
		return
	}
	if second == "" {
		b.diags.Errorf(l.Pos, first, "%q needs a keyword after it", first)
		return
	}
	var seconds []string
	for _, n := range names {
		if rest, ok := strings.CutPrefix(n, first+" "); ok {
			seconds = append(seconds, rest)
		}
	}
	b.diags.Unknown(l.Words[1].Pos, config.Error, first, second, sorted(seconds))
}

// misplaced reports a keyword of the global section in a proxy, or the other
// way round.
func (b *builder) misplaced(l line.Line, px *draft) bool {
	known, reg, where := knownGlobal, globalKeywords, "the global section, not in a proxy"
	if px == nil {
		known, reg, where = knownProxy, proxyKeywords, "a proxy section, not in global"
	}
	_, _, ok := find(reg, l)
	if !ok && !isOld(known, l.Keyword()) && !isOld(known, l.Keyword()+" "+l.Arg(1)) {
		return false
	}
	b.diags.Errorf(l.Pos, l.Keyword(), "keyword %q belongs in %s", l.Keyword(), where)
	return true
}

func mapKeys(m map[string]config.Severity) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}
