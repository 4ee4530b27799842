package directive

import (
	"time"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// extraGarp is garp_extra_if: how often, and whether on every interface.
type extraGarp struct {
	every time.Duration
	all   bool
}

const extraSyntax = "[all] SECONDS"

// garpExtra makes the action of garp_extra_if and its old name.
func garpExtra[T any](field func(*T) **extraGarp) func(*build, *T, block.Statement) {
	return func(b *build, t *T, st block.Statement) {
		i := 1
		all := st.Arg(1) == "all"
		if all {
			i = 2
		}
		if st.Arg(i) == "" {
			b.diags.Warnf(st.Pos, st.Keyword(), "%s needs %s; the line is ignored", st.Keyword(), extraSyntax)
			return
		}
		*field(t) = &extraGarp{every: b.seconds(st, i, 0, 24*time.Hour, 0), all: all}
	}
}

var garpExtraActs = []row[draft]{
	{Name: "garp_extra_if", Syntax: extraSyntax, Doc: "Announces one address on each virtual MAC interface of the instance that often, with `all` on each interface; 0 is never.",
		Example: "garp_extra_if all 100", Do: instanceKeyword{act: garpExtra(func(d *draft) **extraGarp { return &d.garp.extra })}},
	{Name: "vmac_garp_intvl", Syntax: extraSyntax, Doc: "Old name of garp_extra_if.", Example: "vmac_garp_intvl all 100",
		Do: instanceKeyword{act: garpExtra(func(d *draft) **extraGarp { return &d.garp.extra })}},
	{Name: "gna_interval", Syntax: "SECONDS", Doc: "Least time between two unsolicited neighbour advertisements on one interface, 0; keepalived knows it for all instances only.",
		Example: "gna_interval 0.01", Do: instanceKeyword{act: garpTime(func(d *draft) **time.Duration { return &d.garp.pace6 }, 0)}},
}

var globalGarpActs = []row[globals]{
	{Name: "vrrp_garp_extra_if", Syntax: extraSyntax, Doc: "Default of garp_extra_if.", Example: "vrrp_garp_extra_if all 100",
		Do: globalKeyword{act: garpExtra(func(g *globals) **extraGarp { return &g.garp.extra })}},
	{Name: "vrrp_vmac_garp_intvl", Syntax: extraSyntax, Doc: "Old name of vrrp_garp_extra_if.", Example: "vrrp_vmac_garp_intvl all 100",
		Do: globalKeyword{act: garpExtra(func(g *globals) **extraGarp { return &g.garp.extra })}},
	{Name: "vrrp_gna_interval", Syntax: "SECONDS", Doc: "Least time between two unsolicited neighbour advertisements on one interface.", Example: "vrrp_gna_interval 0.001",
		Do: globalKeyword{act: garpTime(func(g *globals) **time.Duration { return &g.garp.pace6 }, 0)}},
}

// garpGroup is one garp_group being read.
type garpGroup struct {
	settings.GarpGroup
	arp, na bool // given
}

var garpGroupWords = config.NewRegistry([]row[garpGroup]{
	{Name: "garp_interval", Syntax: "SECONDS", Doc: "Least time between gratuitous ARPs.", Example: "garp_interval 0.1",
		Do: keyword[garpGroup]{act: func(b *build, g *garpGroup, st block.Statement) {
			g.ARP, g.arp = b.seconds(st, 1, 0, time.Hour, 0), true
		}}},
	{Name: "gna_interval", Syntax: "SECONDS", Doc: "Least time between neighbour advertisements.", Example: "gna_interval 0.1",
		Do: keyword[garpGroup]{act: func(b *build, g *garpGroup, st block.Statement) { g.NA, g.na = b.seconds(st, 1, 0, time.Hour, 0), true }}},
	{Name: "interface", Syntax: "INTERFACE", Doc: "The interface it holds for.", Example: "interface eth0",
		Do: keyword[garpGroup]{act: func(_ *build, g *garpGroup, st block.Statement) { g.Interfaces = append(g.Interfaces, st.Arg(1)) }}},
	{Name: "interfaces", Syntax: "{ INTERFACE... }", Doc: "The interfaces it holds for together.", Example: "interfaces { eth0 eth1 }",
		Do: keyword[garpGroup]{act: func(_ *build, g *garpGroup, st block.Statement) {
			for _, line := range st.Children {
				for _, w := range line.Words {
					g.Interfaces = append(g.Interfaces, w.Text)
				}
			}
		}}},
}...)

var garpGroupActs = []row[build]{
	{Name: "garp_group", Syntax: "{ ... }", Doc: "Paces the announcements of a group of interfaces together.", Example: "garp_group { garp_interval 0.1 interface eth0 }",
		Do: topKeyword{act: func(b *build, _ *build, st block.Statement) {
			var g garpGroup
			apply(b, "garp_group", garpGroupWords, &g, st.Children)
			if !g.arp && b.global.garp.pace != nil {
				g.ARP = *b.global.garp.pace
			}
			if !g.na && b.global.garp.pace6 != nil {
				g.NA = *b.global.garp.pace6
			}
			for _, other := range b.config.GarpGroups {
				for _, name := range other.Interfaces {
					g.without(b, st, name)
				}
			}
			b.config.GarpGroups = append(b.config.GarpGroups, g.GarpGroup)
		}}},
}

// without takes out an interface another group has already.
func (g *garpGroup) without(b *build, st block.Statement, name string) {
	kept := g.Interfaces[:0]
	for _, own := range g.Interfaces {
		if own == name {
			b.diags.Warnf(st.Pos, name, "garp_group: %s is in another garp_group already; that one counts", name)
			continue
		}
		kept = append(kept, own)
	}
	g.Interfaces = kept
}
