package directive

import (
	"slices"

	"herald/config"
	"herald/config/block"
)

// syncGroup is one vrrp_sync_group.
type syncGroup struct {
	pos     config.Pos
	name    string
	members []block.Word
}

type groupKeyword = keyword[syncGroup]

var groupWords = config.NewRegistry(slices.Concat([]row[syncGroup]{
	{Name: "group", Syntax: "{ NAME... }", Doc: "The instances that change state together. Instances of a group of two or more are left out yet.",
		Example: "group { VI_1 }", Do: groupKeyword{act: func(_ *build, g *syncGroup, st block.Statement) {
			for _, line := range st.Children {
				g.members = append(g.members, line.Words...)
			}
		}}},
}, plan[syncGroup](groupPlan))...)

const groupPlan = `
track_interface { INTERFACE [weight NUMBER] [reverse] } | Interfaces tracked for all members. | { eth0 }
track_script { NAME [weight NUMBER] [reverse] } | Scripts tracked for all members. | { check }
track_file { NAME [weight NUMBER] [reverse] } | Files tracked for all members. | { maintenance }
track_process { NAME [weight NUMBER] [reverse] } | Processes tracked for all members. | { web }
track_bfd { NAME [weight NUMBER] [reverse] } | BFD sessions tracked for all members. | { b }
notify_master SCRIPT [USER [GROUP]] | Runs when the group becomes master. | "/usr/local/bin/role master"
notify_backup SCRIPT [USER [GROUP]] | Runs when it becomes backup. | "/usr/local/bin/role backup"
notify_fault SCRIPT [USER [GROUP]] | Runs when it cannot run. | "/usr/local/bin/role fault"
notify_stop SCRIPT [USER [GROUP]] | Runs when it stops. | "/usr/local/bin/role stop"
notify_deleted [SCRIPT [USER [GROUP]]] | Runs when a reload takes it away. |
notify SCRIPT [USER [GROUP]] | Runs at every transition. | "/usr/local/bin/role"
notify_priority_changes [BOOL] | Writes changes of the priority to the FIFO. | on
smtp_alert [BOOL] | Sends mail at every transition. | on
global_tracking | Shares the tracking of all members (old). |
sync_group_tracking_weight | Keeps the weights of members. |
`

// group reads one vrrp_sync_group.
func group(b *build, _ *build, st block.Statement) {
	g := syncGroup{pos: st.Pos, name: st.Arg(1)}
	apply(b, "vrrp_sync_group", groupWords, &g, st.Children)
	b.groups = append(b.groups, g)
}

// joinGroups leaves out the members of groups, which would run unlinked. A
// group of one links nothing and its member runs.
func (b *build) joinGroups() {
	for _, g := range b.groups {
		var members []*draft
		for _, w := range g.members {
			i := slices.IndexFunc(b.drafts, func(d *draft) bool { return d.Name == w.Text })
			if i < 0 {
				b.diags.Warnf(w.Pos, w.Text, "vrrp_sync_group %s: there is no vrrp_instance %s", g.name, w.Text)
				continue
			}
			if !slices.Contains(members, b.drafts[i]) {
				members = append(members, b.drafts[i])
			}
		}
		if len(members) < 2 {
			b.diags.Noticef(g.pos, g.name, "vrrp_sync_group %s has fewer than two members: there is nothing to keep together", g.name)
			continue
		}
		for _, d := range members {
			if !d.broken {
				b.faultUnsupported(d, d.Pos, g.name, "it is a member of vrrp_sync_group "+g.name+", which is")
			}
		}
	}
}
