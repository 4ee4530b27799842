package line

import (
	"slices"
	"strings"

	"herald/config"
)

// Text is the content of one configuration file.
type Text struct {
	Name  string
	Bytes []byte
}

// Env is the world a configuration text may ask about.
type Env struct {
	// Lookup reads an environment variable, as os.LookupEnv does; nil means
	// an empty environment.
	Lookup func(name string) (string, bool)
	// Version answers version_atleast and version_before; the HAProxy
	// version whose language is spoken ("2.6.12") when empty.
	Version string
	// Features answers feature() with names as in HAProxy's feature list
	// ("OPENSSL", "THREAD").
	Features []string
	// Enabled answers enabled() with names of run-time options ("POLL",
	// "SPLICE").
	Enabled []string
	// OpenSSL answers openssl_version_atleast and openssl_version_before
	// ("3.0.0"); empty makes both false.
	OpenSSL string
	// SSLLibrary answers ssllib_name_startswith; empty makes it false.
	SSLLibrary string
	// Diagnose lets .diag messages through ("-dD").
	Diagnose bool
}

// defaultVersion is the HAProxy whose language this package speaks.
const defaultVersion = "2.6.12"

// kinds are the words that begin a section wherever they stand (Configuration
// manual 2.1); the last four exist since HAProxy 3.
var kinds = []string{
	"global", "defaults", "frontend", "backend", "listen", "userlist", "resolvers", "peers", "mailers", "cache",
	"http-errors", "ring", "log-forward", "program", "fcgi-app",
	"crt-store", "log-profile", "traces", "acme",
}

// Kinds returns the words that begin a section.
func Kinds() []string { return slices.Clone(kinds) }

// Parse turns texts into sections in the order they stand. Each file begins
// outside any section, as with HAProxy's repeated "-f". Lines inside a false
// conditional block are left out. What setenv, presetenv, unsetenv and
// resetenv do in a global section is seen by the lines after them.
func Parse(texts []Text, env Env, diags *config.Diagnostics) []Section {
	sections, _ := ParseAll(texts, env, diags)
	return sections
}

// ParseAll is Parse, and answers also the variables as they are behind the
// last line.
func ParseAll(texts []Text, env Env, diags *config.Diagnostics) (sections []Section, lookup func(name string) (string, bool)) {
	if env.Version == "" {
		env.Version = defaultVersion
	}
	p := &parser{env: env, vars: newVariables(env.Lookup), diags: diags}
	names := make([]string, 0, len(texts))
	for _, t := range texts {
		names = append(names, t.Name)
	}
	p.vars.set("HAPROXY_CFGFILES", strings.Join(names, ";"))
	p.vars.set("HAPROXY_STARTUP_VERSION", env.Version)
	for _, t := range texts {
		p.file(t)
	}
	return p.sections, p.vars.get
}

type parser struct {
	env      Env
	vars     *variables
	diags    *config.Diagnostics
	sections []Section
	inside   bool // below a header of the present file
	blocks   []block
}

const byteOrderMark = "\xef\xbb\xbf"

func (p *parser) file(t Text) {
	p.inside, p.blocks = false, nil
	text := string(t.Bytes)
	skipped := 0
	if strings.HasPrefix(text, byteOrderMark) {
		skipped = len(byteOrderMark)
		text = text[skipped:]
		p.diags.Warnf(config.Pos{File: t.Name, Line: 1, Column: 1}, "", "byte order mark skipped")
	}
	n := 0
	for len(text) > 0 {
		n++
		raw, rest, ended := strings.Cut(text, "\n")
		pos := config.Pos{File: t.Name, Line: n, Column: 1 + skipped}
		if !ended {
			p.diags.Warnf(pos, "", "missing LF on the last line, the file might have been truncated (HAProxy refuses it)")
		}
		p.line(raw, pos)
		text, skipped = rest, 0
	}
	for _, b := range p.blocks {
		p.diags.Errorf(b.pos, ".if", "\".if\" without \".endif\"")
	}
}

// line reads one line without its LF. pos is the place of its first byte.
func (p *parser) line(raw string, pos config.Pos) {
	s := scanner{text: raw, pos: pos, vars: p.vars, section: p.sectionName()}
	words, err := s.words()
	for _, d := range s.found {
		p.diags.Add(d)
	}
	if err != nil {
		p.diags.Add(*err)
		return
	}
	if len(words) == 0 {
		return
	}
	if words[0].Text == "" {
		p.diags.Warnf(words[0].Pos, "", "line begins with an empty word and is ignored")
		return
	}
	if words[0].Text[0] == '.' {
		p.directive(words)
		return
	}
	if p.active() {
		p.statement(words)
	}
}

// sectionName is the value of the pseudo-variable .SECTION.
func (p *parser) sectionName() string {
	if !p.inside {
		return ""
	}
	s := p.sections[len(p.sections)-1]
	if s.Name != "" {
		return s.Name
	}
	return s.Kind
}

// statement sorts an active line: a header opens a section, anything else
// belongs to the open one.
func (p *parser) statement(words []Word) {
	l := Line{Pos: words[0].Pos, Words: words}
	switch words[0].Text {
	case "no":
		l.Negated = true
	case "default":
		l.Defaulted = true
	}
	if l.Negated || l.Defaulted {
		l.Words = words[1:]
		if len(l.Words) == 0 {
			p.diags.Errorf(l.Pos, words[0].Text, "%q needs a keyword after it", words[0].Text)
			return
		}
	}
	if slices.Contains(kinds, l.Keyword()) {
		if len(l.Words) != len(words) {
			p.diags.Errorf(l.Pos, words[0].Text, "%q does not go with a section", words[0].Text)
		}
		p.header(l.Words)
		return
	}
	if !p.inside {
		p.outside(l)
		return
	}
	p.vars.addresses(l.Words)
	here := &p.sections[len(p.sections)-1]
	here.Lines = append(here.Lines, l)
	if here.Kind == "global" && !l.Negated && !l.Defaulted {
		p.vars.apply(l.Words)
	}
}

// outside reports a line that stands before any header.
func (p *parser) outside(l Line) {
	word := l.Keyword()
	if config.Nearest(word, kinds) != "" {
		p.diags.Unknown(l.Pos, config.Error, "section", word, kinds)
		return
	}
	p.diags.Errorf(l.Pos, word, "keyword %q stands outside of any section", word)
}

// header opens a section. The name of defaults may be left out; "from" after
// it names the defaults section to start from (manual, section 4).
func (p *parser) header(words []Word) {
	s := Section{Pos: words[0].Pos, Kind: words[0].Text, Header: words}
	rest := words[1:]
	if s.Kind == "defaults" && len(rest) >= 2 && rest[0].Text == "from" && rest[1].Text != "from" {
		rest = words // the name is left out, "from" follows
	} else if len(rest) > 0 && s.Kind != "global" {
		s.Name = rest[0].Text
	}
	switch s.Kind {
	case "defaults", "frontend", "backend", "listen":
		if len(rest) >= 3 && rest[1].Text == "from" {
			s.From = rest[2]
		}
	}
	p.sections = append(p.sections, s)
	p.inside = true
}
