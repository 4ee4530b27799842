package block

import (
	"path/filepath"
	"slices"
	"strings"

	"herald/config"
)

// includeChecks say which failures of an include are errors (keepalived.conf
// include_check).
type includeChecks uint8

const (
	checkReadable includeChecks = 1 << iota
	checkMatch
	checkWildcard
	checkBrace
	checkAll = checkReadable | checkMatch | checkWildcard | checkBrace
)

// includeWords are the forms of include with the checks each adds.
var includeWords = map[string]includeChecks{
	"include":  0,
	"includer": checkReadable,
	"includem": checkMatch,
	"includew": checkWildcard,
	"includeb": checkBrace,
	"includea": checkAll,
}

var checkWords = map[string]includeChecks{
	"readable":       checkReadable,
	"match":          checkMatch,
	"wildcard_match": checkWildcard,
	"brace_match":    checkBrace,
}

// language acts on a line that begins with a keyword of the language itself
// and reports whether it does.
func (p *parser) language(s string, pos config.Pos) bool {
	word, rest := s, ""
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		word, rest = s[:i], strings.TrimSpace(s[i:])
	}
	if word == "include_check" {
		p.includeCheck(strings.Fields(rest), pos)
		return true
	}
	checks, ok := includeWords[word]
	if ok {
		p.include(rest, checks|p.checks, pos)
	}
	return ok
}

// includeCheck sets the checks (plain words), or adds and removes some (words
// with + or -); no word means all.
func (p *parser) includeCheck(words []string, pos config.Pos) {
	if len(words) == 0 {
		p.checks = checkAll
	}
	var set includeChecks
	plain := false
	for _, w := range words {
		name := strings.TrimLeft(w, "+-")
		bit, ok := checkWords[name]
		switch {
		case !ok:
			known := []string{"readable", "match", "wildcard_match", "brace_match"}
			p.diags.Unknown(pos, config.Warning, "include_check option", w, known)
		case w[0] == '+':
			p.checks |= bit
		case w[0] == '-':
			p.checks &^= bit
		default:
			set, plain = set|bit, true
		}
	}
	if plain {
		p.checks = set
	}
}

// include reads the files that match a pattern. Relative ones lie beside the
// file that includes them.
func (p *parser) include(pattern string, checks includeChecks, pos config.Pos) {
	if q, ok := quoteAt(pattern+" ", 0, true); ok && !q.unclosed {
		pattern = pattern[q.open:q.shut]
	}
	const maxPattern, maxFiles = 4096, 1000
	if pattern == "" || len(pattern) > maxPattern {
		p.diags.Warnf(pos, pattern, "include needs one file name or pattern")
		return
	}
	alternatives := braces(pattern, maxFiles)
	found := 0
	for _, name := range alternatives {
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.directory(), name)
		}
		n := p.includeOne(name, checks, len(alternatives) > 1, pos)
		found += n
	}
	if found == 0 && checks&checkMatch != 0 {
		p.diags.Errorf(pos, pattern, "include %s: no file matches", pattern)
	}
}

// includeOne reads the files of one pattern without braces and returns how
// many there were.
func (p *parser) includeOne(name string, checks includeChecks, braced bool, pos config.Pos) int {
	names := []string{name}
	if wild := hasWildcard(name); wild || braced {
		var err error
		if names, err = p.src.Glob(name); err != nil {
			p.diags.Warnf(pos, name, "include %s: %v", name, err)
			return 0
		}
		missing := braced && checks&checkBrace != 0 || wild && checks&checkWildcard != 0
		if len(names) == 0 && missing {
			p.diags.Errorf(pos, name, "include %s: no file matches", name)
		}
	}
	for _, n := range names {
		p.includeFile(n, checks, pos)
	}
	return len(names)
}

func (p *parser) includeFile(name string, checks includeChecks, pos config.Pos) {
	switch {
	case slices.Contains(p.files, name):
		p.diags.Errorf(pos, name, "include %s: the file includes itself", name)
		return
	case len(p.files) > maxIncludes:
		p.diags.Errorf(pos, name, "include %s: more than %d files within each other", name, maxIncludes)
		return
	}
	text, err := p.src.Read(name)
	if err != nil {
		severity := config.Warning
		if checks&checkReadable != 0 {
			severity = config.Error
		}
		p.diags.Add(config.Diagnostic{Pos: pos, Severity: severity, Word: name, Message: "include: " + err.Error()})
		return
	}
	if p.spend(len(text), pos, name) {
		outer := p.checks // a file cannot change the checks of the one around it
		p.file(name, string(text))
		p.checks = outer
	}
}
