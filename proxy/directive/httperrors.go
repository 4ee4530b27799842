package directive

import (
	"maps"
	"slices"
	"strings"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// errorGroup is an http-errors section: pages by status.
type errorGroup struct {
	pos   config.Pos
	pages map[int]settings.ErrorFile
}

var errorGroupRow = config.Row[keyword]{Name: "errorfiles", Syntax: "NAME [STATUS ...]", Example: "errorfiles site 503 504",
	Doc: "Sends the pages of an http-errors section, all or those of some statuses. In the section, which may stand behind, each is \"errorfile STATUS FILE\".",
	Do:  keyword{in: anyProxy, min: 1, max: many, read: readErrorFiles}}

// httpErrors reads one http-errors section.
func (b *builder) httpErrors(s line.Section) {
	if s.Name == "" {
		b.diags.Errorf(s.Pos, s.Kind, "%q expects a name", s.Kind)
		return
	}
	if i := strings.IndexFunc(s.Name, illegalInName); i >= 0 {
		b.diags.Errorf(s.Header[1].Pos, s.Name, "character %q is not permitted in http-errors name %q", s.Name[i:i+1], s.Name)
		return
	}
	if old, is := b.errorGroups[s.Name]; is {
		b.cross(s.Pos, config.Error, s.Name, "http-errors %q has the same name as the section at %v", s.Name, old.pos)
		return
	}
	g := errorGroup{s.Pos, map[int]settings.ErrorFile{}}
	b.errorGroups[s.Name] = g
	for _, l := range s.Lines {
		if l = b.cutAtEmpty(l); len(l.Words) == 0 {
			continue
		}
		row := errorFileRows[0]
		if l.Arg(0) != row.Name {
			b.diags.Unknown(l.Pos, config.Error, "keyword of http-errors", l.Arg(0), []string{row.Name})
			continue
		}
		c := &call{builder: b, line: l, name: row.Name, at: l.Words[0], args: l.Words[1:]}
		if c.counts(row) {
			c.errorFile(g.pages)
		}
	}
}

func readErrorFiles(c *call) {
	g, is := c.errorGroups[c.arg(0)]
	if !is {
		c.diags.Unknown(c.args[0].Pos, config.Error, "http-errors section", c.arg(0), slices.Sorted(maps.Keys(c.errorGroups)))
		return
	}
	if len(c.args) == 1 {
		maps.Copy(c.px.p.ErrorFiles, g.pages)
		return
	}
	for i := range c.args[1:] {
		status, ok := c.errorStatus(1 + i)
		if !ok {
			return
		}
		page, is := g.pages[status]
		if !is {
			c.warn(1+i, "http-errors %q has no page for %d", c.arg(0), status)
			continue
		}
		c.px.p.ErrorFiles[status] = page
	}
}
