package directive

import (
	"slices"
	"strings"

	"herald/config/block"
	"herald/vrrp/settings"
)

// garpForms are the words of garp_form, in the order of settings.GarpForm.
var garpForms = []string{"request", "reply", "both"}

// garpForm makes the action of garp_form and its default.
func garpForm[T any](field func(*T) **settings.GarpForm) func(*build, *T, block.Statement) {
	return func(b *build, t *T, st block.Statement) {
		i := slices.Index(garpForms, st.Arg(1))
		if i < 0 {
			b.diags.Warnf(st.Pos, st.Arg(1), "%s is one of %s; announcements stay requests", st.Keyword(), strings.Join(garpForms, ", "))
			return
		}
		form := settings.GarpForm(i)
		*field(t) = &form
	}
}

var garpFormActs = []row[draft]{
	{Name: "garp_form", Syntax: "request|reply|both", Doc: "How an IPv4 address is announced: by an ARP request, as keepalived does, by a reply, for neighbours that " +
		"learn from replies alone, or by a pair of them. herald's own word.",
		Example: "garp_form both", Do: instanceKeyword{act: garpForm(func(d *draft) **settings.GarpForm { return &d.garp.form })}},
}

var globalGarpFormActs = []row[globals]{
	{Name: "vrrp_garp_form", Syntax: "request|reply|both", Doc: "Default of garp_form; herald's own word.", Example: "vrrp_garp_form reply",
		Do: globalKeyword{act: garpForm(func(g *globals) **settings.GarpForm { return &g.garp.form })}},
}
