package directive

import (
	"slices"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// syncGroup is one vrrp_sync_group.
type syncGroup struct {
	pos     config.Pos
	name    string
	members []block.Word
	// What the file says the group tracks, for all members.
	scripts    []block.Statement
	interfaces []settings.TrackInterface
	watch      watching
	// weights lets members keep tracks of their own with a weight.
	weights bool
	notify  notifyDraft
}

type groupKeyword = keyword[syncGroup]

var groupWords = config.NewRegistry(slices.Concat([]row[syncGroup]{
	{Name: "group", Syntax: "{ NAME... }", Doc: "The instances that change state together, one a line.",
		Example: "group { VI_1 }", Do: groupKeyword{act: func(_ *build, g *syncGroup, st block.Statement) {
			for _, line := range st.Children {
				g.members = append(g.members, line.Words...)
			}
		}}},
	{Name: "track_script", Syntax: "{ NAME [weight NUMBER] [reverse] }", Doc: "Scripts tracked for all members.",
		Example: "track_script { check }", Do: groupKeyword{act: func(_ *build, g *syncGroup, st block.Statement) {
			g.scripts = append(g.scripts, items(st, beginsTracked)...)
		}}},
	{Name: "track_interface", Syntax: "{ INTERFACE [weight NUMBER] [reverse] }", Doc: "Interfaces tracked for all members.",
		Example: "track_interface { eth0 }", Do: groupKeyword{act: func(b *build, g *syncGroup, st block.Statement) {
			g.interfaces = append(g.interfaces, b.trackInterfaces(st)...)
		}}},
	{Name: "sync_group_tracking_weight", Doc: "Members keep what they track with a weight of their own; without it such tracks are ignored, as the members' priorities would drift apart.",
		Example: "sync_group_tracking_weight", Do: groupKeyword{act: func(_ *build, g *syncGroup, _ block.Statement) { g.weights = true }}},
}, watchRows(func(g *syncGroup) *watching { return &g.watch }), notifyActs(func(g *syncGroup) *notifyDraft { return &g.notify }), builtIn(plan[syncGroup](groupBuiltIn)), plan[syncGroup](groupPlan))...)

const groupBuiltIn = `
global_tracking | What a group tracks counts for all members: always so. |
`

const groupPlan = `
track_bfd { NAME [weight NUMBER] [reverse] } | BFD sessions tracked for all members. | { b }
`

// group reads one vrrp_sync_group.
func group(b *build, _ *build, st block.Statement) {
	g := syncGroup{pos: st.Pos, name: st.Arg(1)}
	apply(b, "vrrp_sync_group", groupWords, &g, st.Children)
	b.groups = append(b.groups, g)
}

// joinGroups makes the groups of the instances that can run.
func (b *build) joinGroups() {
	taken := map[string]string{}
	for _, g := range b.groups {
		members := b.members(g, taken)
		if len(members) < 2 {
			b.diags.Noticef(g.pos, g.name, "vrrp_sync_group %s has fewer than two members: there is nothing to keep together", g.name)
		}
		tracks := b.tracksOf("vrrp_sync_group "+g.name, g.scripts, false)
		watched := b.watched("vrrp_sync_group "+g.name, g.watch, false)
		named := settings.Group{Pos: g.pos, Name: g.name, Notify: b.notified(g.notify)}
		for _, in := range members {
			if len(members) > 1 && !g.weights {
				b.dropWeights(in, g.name)
			}
			in.Tracks = append(in.Tracks, tracks...)
			in.TrackInterfaces = append(in.TrackInterfaces, g.interfaces...)
			in.Watched = append(in.Watched, watched...)
			named.Members = append(named.Members, in.Name)
		}
		if len(members) > 1 || len(members) == 1 && b.groupTold(named) {
			b.config.Groups = append(b.config.Groups, named)
		}
	}
}

// groupTold reports whether somebody is told about a group, even one that
// keeps nothing together.
func (b *build) groupTold(g settings.Group) bool {
	n := g.Notify
	for _, c := range []settings.Command{n.Master, n.Backup, n.Fault, n.Stop, n.Deleted, n.All} {
		if len(c.Argv) > 0 {
			return true
		}
	}
	return n.Mail || len(b.config.Notification.Fifos) > 0
}

// members finds the instances of a group; taken holds those of the groups
// before it.
func (b *build) members(g syncGroup, taken map[string]string) []*settings.Instance {
	var members []*settings.Instance
	for _, w := range g.members {
		i := slices.IndexFunc(b.config.Instances, func(in settings.Instance) bool { return in.Name == w.Text })
		switch {
		case i < 0 && slices.ContainsFunc(b.drafts, func(d *draft) bool { return d.Name == w.Text }):
			b.diags.Warnf(w.Pos, w.Text, "vrrp_sync_group %s goes without vrrp_instance %s, which is left out", g.name, w.Text)
		case i < 0:
			b.diags.Warnf(w.Pos, w.Text, "vrrp_sync_group %s: there is no vrrp_instance %s", g.name, w.Text)
		case taken[w.Text] == g.name:
		case taken[w.Text] != "":
			b.diags.Warnf(w.Pos, w.Text, "vrrp_sync_group %s goes without vrrp_instance %s, which is in group %s", g.name, w.Text, taken[w.Text])
		default:
			taken[w.Text] = g.name
			members = append(members, &b.config.Instances[i])
		}
	}
	return members
}

// dropWeights ignores what a member tracks with a weight, as keepalived does:
// the priorities of the members have to go up and down together.
func (b *build) dropWeights(in *settings.Instance, name string) {
	ignored := func(kind, source string, weight int) bool {
		if weight != 0 {
			b.diags.Add(config.Diagnostic{Pos: in.Pos, Severity: config.Warning, Word: source, Fix: "track it in the group, or write sync_group_tracking_weight there",
				Message: "vrrp_instance " + in.Name + ": " + kind + " " + source + " has a weight and is ignored in vrrp_sync_group " + name})
		}
		return weight != 0
	}
	in.Tracks = slices.DeleteFunc(in.Tracks, func(t settings.Track) bool { return ignored("track_script", t.Source, t.Weight) })
	in.Watched = slices.DeleteFunc(in.Watched, func(w settings.Watched) bool { return ignored("tracking", w.Name, w.Weight) })
	in.TrackInterfaces = slices.DeleteFunc(in.TrackInterfaces, func(t settings.TrackInterface) bool { return ignored("track_interface", t.Name, t.Weight) })
}
