package directive

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"herald/config"
	"herald/config/line"
	rules "herald/proxy/rule"
	"herald/proxy/settings"
)

// draft is a proxy, or a defaults section, while it is read. A proxy begins
// as a copy of its defaults.
type draft struct {
	kind   string // "defaults", "frontend", "backend", "listen"
	p      settings.Proxy
	server settings.Server // default-server
	logs   []logLine
	set    map[string]config.Pos // rows read in this section itself
	// ownStats is set once the section has a stats keyword of its own, which
	// drops all those of its defaults.
	ownStats bool
	check    checkDraft
	forcedID bool
	balanced bool // balance is written here or in the defaults
	// transparent connections go where the client's went, unless balanced.
	transparent bool
	serverPos   map[string]config.Pos
	serverIDs   map[int]string
	acls        rules.Names
	choices     []config.Pos // of the names in use_backend
	refers      []reference  // of expressions, and conditions that need heads
	headed      []reference
	wanted      []config.Pos // of the names in use-server
}

func newDraft() *draft {
	return &draft{
		kind: "defaults",
		p: settings.Proxy{
			Balance: "roundrobin", Retries: 3, ErrorFiles: map[int]settings.ErrorFile{},
		},
		server: settings.Server{
			Weight: 1, Rise: 2, Fall: 3, Inter: defaultInter,
		},
		set: map[string]config.Pos{},
	}
}

// inherit copies what a section takes over from its defaults.
func (d *draft) inherit() *draft {
	c := *d
	c.p.ErrorFiles = maps.Clone(d.p.ErrorFiles)
	c.logs = slices.Clone(d.logs)
	c.set = map[string]config.Pos{}
	c.serverPos = map[string]config.Pos{}
	c.serverIDs = map[int]string{}
	c.ownStats = false
	c.acls = d.acls.Clone()
	c.refers, c.headed = nil, nil
	c.check = d.check.inherit()
	return &c
}

func (d *draft) scope() scope {
	switch d.kind {
	case "defaults":
		return inDefaults
	case "frontend":
		return inFrontend
	case "backend":
		return inBackend
	}
	return inProxy
}

// open begins a defaults section or a proxy.
func (b *builder) open(s line.Section) *draft {
	d := b.origin(s).inherit()
	d.kind, d.p.Name, d.p.Pos = s.Kind, s.Name, s.Pos
	d.p.Frontend = s.Kind == "frontend" || s.Kind == "listen"
	d.p.Backend = s.Kind == "backend" || s.Kind == "listen"
	if s.Kind == "defaults" {
		if i := extraFrom(s); i < len(s.Header) {
			b.diags.Warnf(s.Header[i].Pos, s.Header[i].Text, "unexpected argument %q after defaults is ignored", s.Header[i].Text)
		}
		return d
	}
	if s.Name == "" {
		b.diags.Errorf(s.Pos, s.Kind, "%q expects a name", s.Kind)
	}
	if i := strings.IndexFunc(s.Name, illegalInName); i >= 0 {
		b.diags.Errorf(s.Header[1].Pos, s.Name, "character %q is not permitted in %s name %q", s.Name[i:i+1], s.Kind, s.Name)
	}
	b.headerAddress(s, d)
	return d
}

// illegalInName: names are letters, digits and "-_.:" (manual, section 4).
func illegalInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.:", r)
}

// extraFrom returns the index of the first header word that is neither kind,
// name nor "from NAME".
func extraFrom(s line.Section) int {
	n := 1
	if s.Name != "" {
		n++
	}
	if s.From.Text != "" {
		n += 2
	}
	return n
}

// origin returns the defaults a section starts from: the named ones, or the
// last seen. A defaults section starts from nothing unless it says "from".
func (b *builder) origin(s line.Section) *draft {
	if s.From.Text == "" {
		if s.Kind == "defaults" {
			return newDraft()
		}
		return b.anonymous
	}
	var found []*draft
	var names []string
	for _, d := range b.defaults {
		names = append(names, d.p.Name)
		if d.p.Name == s.From.Text {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 0:
		msg := config.Diagnostic{Pos: s.From.Pos, Severity: config.Error, Kind: config.Cross, Word: s.From.Text,
			Message: "defaults section \"" + s.From.Text + "\" not found for " + s.Kind + " \"" + s.Name + "\""}
		if near := config.Nearest(s.From.Text, names); near != "" {
			msg.Fix = "did you mean \"" + near + "\"?"
		}
		b.diags.Add(msg)
		return newDraft()
	case 1:
		return found[0]
	}
	b.cross(s.From.Pos, config.Error, s.From.Text, "defaults section %q named by %s %q exists at %v and %v",
		s.From.Text, s.Kind, s.Name, found[0].p.Pos, found[1].p.Pos)
	return found[0]
}

// headerAddress reads the address of `listen NAME ADDR:PORT`, which HAProxy
// took as a bind line until 1.9.
func (b *builder) headerAddress(s line.Section, d *draft) {
	i := extraFrom(s)
	if i >= len(s.Header) {
		return
	}
	extra := s.Header[i]
	if !d.p.Frontend || s.From.Text != "" || !looksLikeAddress(extra.Text) {
		b.diags.Errorf(extra.Pos, extra.Text, "unexpected argument %q after %s %q", extra.Text, s.Kind, s.Name)
		return
	}
	bind := line.Line{Pos: extra.Pos, Words: append([]line.Word{{Text: "bind", Pos: s.Pos}}, s.Header[i:]...)}
	b.diags.Obsolete(s.Pos, written(s.Header), s.Kind+" "+s.Name+", and below it: "+written(bind.Words))
	b.statement(bind, d)
}

// looksLikeAddress tells an old listening address from a stray word.
func looksLikeAddress(text string) bool { return strings.ContainsAny(text, ":/") }

// close ends a section.
func (b *builder) close(d *draft) {
	if d.kind == "defaults" {
		b.anonymous = d
		if d.p.Name != "" {
			b.defaults = append(b.defaults, d)
		}
		return
	}
	b.proxies = append(b.proxies, d)
}

// written returns words as one configuration line, escaped where needed.
func written(words []line.Word) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		if w.Text == "" {
			b.WriteString(`""`)
		}
		for _, r := range w.Text {
			if strings.ContainsRune(" #\\'\"", r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cross adds a finding between sections.
func (b *builder) cross(pos config.Pos, sev config.Severity, word, format string, args ...any) {
	d := config.Diagnostic{Pos: pos, Severity: sev, Kind: config.Cross, Word: word}
	d.Message = fmt.Sprintf(format, args...)
	b.diags.Add(d)
}
