package block

import (
	"path/filepath"
	"strings"

	"herald/config"
)

// Source gives the texts of configuration files. Files in package disk is the
// one for real files; tests use a map.
type Source interface {
	// Read returns the bytes of one file.
	Read(path string) ([]byte, error)
	// Glob returns the existing files that match a shell pattern with * ? and
	// [ ], sorted; none is not an error. Braces are expanded before.
	Glob(pattern string) ([]string, error)
}

// Options are the facts about this host and process that a configuration may
// refer to.
type Options struct {
	// Path is the file to begin with, /etc/keepalived/keepalived.conf when
	// empty.
	Path string
	// ConfigID decides @id and @^id lines; keepalived takes the short host
	// name unless -i gives one.
	ConfigID string
	// Instance is the value of ${_INSTANCE}; keepalived takes the same as for
	// ConfigID.
	Instance string
	// Env looks up ${_ENV NAME}; nil knows none.
	Env func(name string) (value string, ok bool)
	// Rand gives a number from lo to hi, both included, for
	// ${_RANDOM lo hi}; nil gives lo.
	Rand func(lo, hi int) int
}

// DefaultPath is the file keepalived reads without -f.
const DefaultPath = "/etc/keepalived/keepalived.conf"

// Limits on what a file may expand to, far above any real configuration: the
// manual's largest example makes 65,024 instances of 48 MB of text.
const (
	maxExpansion = 64 << 20 // bytes written by macros and sequences
	maxLine      = 1 << 20  // bytes of one line
	maxDepth     = 200      // macros within macros
	maxIncludes  = 32       // files within files
)

// Parse reads the file at o.Path with all it includes and returns its
// statements. It reports every finding in diags and always returns what could
// be read: a missing closing brace, an unreadable include or an undefined
// macro does not stop it. Only a first file that cannot be read is an error.
func Parse(src Source, o Options, diags *config.Diagnostics) []Statement {
	return parse(src, o, diags, maxExpansion)
}

func parse(src Source, o Options, diags *config.Diagnostics, budget int) []Statement {
	if o.Path == "" {
		o.Path = DefaultPath
	}
	p := &parser{src: src, o: o, diags: diags, tree: newBuilder(diags), macros: map[string]string{}, budget: budget}
	text, err := src.Read(o.Path)
	if err != nil {
		diags.Errorf(config.Pos{File: o.Path}, "", "%v", err)
		return nil
	}
	p.file(o.Path, string(text))
	return p.tree.finish()
}

// A parser is the state of one Parse: what has been defined so far, which
// files are open.
type parser struct {
	src    Source
	o      Options
	diags  *config.Diagnostics
	tree   *builder
	macros map[string]string
	checks includeChecks
	files  []string // being read, outermost first
	budget int      // bytes macros may still write
	ended  bool     // a limit was passed; the rest is not read
}

// file reads the lines of one file.
func (p *parser) file(path, text string) {
	p.files = append(p.files, path)
	defer func() { p.files = p.files[:len(p.files)-1] }()

	text = strings.TrimPrefix(text, "\ufeff")
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines) && !p.ended; i++ {
		pos := config.Pos{File: path, Line: i + 1}
		line := physical(lines[i])
		if !continued(line) {
			p.line(line, pos, true, 0)
			continue
		}
		joint := " "
		if isDefinition(line) {
			joint = "\n"
		}
		parts := []string{strings.TrimSuffix(line, `\`)}
		for continued(line) && i+1 < len(lines) {
			i++
			line = physical(lines[i])
			parts = append(parts, strings.TrimSuffix(line, `\`))
		}
		p.line(strings.Join(parts, joint), pos, false, 0)
	}
}

// physical cleans one line of a file: no comment, no blanks at its end.
func physical(line string) string { return strings.TrimRight(stripComment(line), " \t\r\v\f") }

// continued reports whether line goes on in the next one. A backslash counts
// alone or after a blank, so that it may end a word.
func continued(line string) bool {
	return strings.HasSuffix(line, `\`) &&
		(len(line) == 1 || isBlank(line[len(line)-2]) || isDefinition(line))
}

// line handles one logical line: a definition, a condition, a sequence, an
// include or statements. Macros are replaced first, where the form allows.
func (p *parser) line(line string, pos config.Pos, exact bool, depth int) {
	s := strings.TrimLeft(line, " \t\r\v\f")
	switch {
	case p.ended || s == "":
		return
	case len(s) > maxLine:
		p.stop(pos, s[:20], "the line is longer than %d bytes; the rest is not read", maxLine)
		return
	case depth > maxDepth:
		p.stop(pos, s, "macros refer to each other more than %d deep; the rest is not read", maxDepth)
		return
	}
	if name, value, ok := definition(s); ok {
		p.macros[name] = value
		return
	}
	switch {
	case s[0] == '@':
		if rest, ok := p.condition(s); ok {
			p.line(strings.Repeat(" ", len(line)-len(rest))+rest, pos, exact, depth+1)
		}
		return
	case isSequence(s):
		p.sequence(s, pos, depth)
		return
	}
	if text, changed := p.expand(line, pos); changed {
		for part := range strings.SplitSeq(text, "\n") {
			p.line(part, pos, false, depth+1)
		}
		return
	}
	if !p.language(s, pos) {
		p.tree.line(scan(line, pos, exact, p.diags))
	}
}

// condition decides `@id rest` and `@^id rest`.
func (p *parser) condition(s string) (rest string, ok bool) {
	end := strings.IndexAny(s, " \t")
	if end < 0 {
		return "", false
	}
	id, negative := strings.CutPrefix(s[1:end], "^")
	return s[end:], (id == p.o.ConfigID) != negative
}

// spend takes n bytes off what macros may write and reports whether there
// were as many.
func (p *parser) spend(n int, pos config.Pos, word string) bool {
	p.budget -= n
	if p.budget < 0 {
		p.stop(pos, word, "macros and sequences write too much text; the rest is not read")
	}
	return p.budget >= 0
}

func (p *parser) stop(pos config.Pos, word, format string, args ...any) {
	if !p.ended {
		p.diags.Errorf(pos, word, format, args...)
	}
	p.ended = true
}

func (p *parser) directory() string { return filepath.Dir(p.files[len(p.files)-1]) }
