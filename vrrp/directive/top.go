package directive

import (
	"slices"
	"strings"

	"herald/config"
	"herald/config/block"
)

type topKeyword = keyword[build]

// topWords are the blocks of a file and the settings outside global_defs.
var topWords = config.NewRegistry(slices.Concat([]row[build]{
	{Name: "global_defs", Syntax: "{ ... }", Doc: "Settings of the whole daemon.", Example: "global_defs { router_id node1 }",
		Do: topKeyword{act: func(b *build, _ *build, st block.Statement) {
			apply(b, "global_defs", globalWords, &b.global, st.Children)
		}}},
	{Name: "vrrp_script", Syntax: "NAME { ... }", Doc: "A check whose result changes priorities.",
		Example: "vrrp_script check { script /bin/true interval 2 weight 2 }", Do: topKeyword{act: script}},
	{Name: "track_file", Syntax: "NAME { ... }", Doc: "A file whose number changes priorities.",
		Example: "track_file maintenance { file /etc/down weight -30 }", Do: topKeyword{act: trackFile}},
	{Name: "vrrp_track_file", Syntax: "NAME { ... }", Doc: "Old name of track_file.",
		Example: "vrrp_track_file maintenance { file /etc/down weight -30 }", Do: topKeyword{act: trackFile}},
	{Name: "vrrp_track_process", Syntax: "NAME { ... }", Doc: "Processes whose life changes priorities.",
		Example: "vrrp_track_process web { process nginx weight 10 }", Do: topKeyword{act: trackProcess}},
	{Name: "vrrp_instance", Syntax: "NAME { ... }", Doc: "A virtual router: addresses that one of several nodes holds.",
		Example: "vrrp_instance VI_1 { interface eth0 virtual_router_id 51 virtual_ipaddress { 192.0.2.10 } }", Do: topKeyword{act: instance}},
	{Name: "vrrp_sync_group", Syntax: "NAME { ... }", Doc: "Instances that change state together.",
		Example: "vrrp_sync_group G { group { VI_1 } } vrrp_instance VI_1 { interface eth0 virtual_router_id 51 virtual_ipaddress { 192.0.2.10 } }", Do: topKeyword{act: group}},
}, builtIn(plan[build](linkbeatPlan)), staticActs, garpGroupActs, linkDelayActs, processActs, topLVS(nest(plan[build](processPlan+topPlan), insideTop)))...)

// topLVS gives the LVS blocks a warning that says what to do instead.
func topLVS(rows []row[build]) []row[build] {
	for i := range rows {
		if inside := rows[i].Do.inside; strings.HasPrefix(rows[i].Name, "virtual_server") {
			rows[i].Do.reported = func(b *build, st block.Statement) {
				b.diags.Add(config.Diagnostic{Pos: st.Pos, Severity: config.Warning, Kind: config.Unsupported, Word: st.Keyword(),
					Message: text(st.Words) + " is known to keepalived but not supported yet: herald does not program LVS",
					Fix:     "balance it with a listen section of the HAProxy file"})
				if inside != nil {
					know(b, st.Keyword(), inside, st.Children)
				}
			}
		}
	}
	return rows
}
