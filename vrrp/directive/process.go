package directive

import "herald/config/block"

// processActs are the settings of the top level that a daemon follows when it
// runs as keepalived.
var processActs = []row[build]{
	{Name: "net_namespace", Syntax: "NAME", Doc: "The network namespace (ip-netns(8)) of VRRP and its scripts; all of the daemon when it is called keepalived. A proxy beside it " +
		"stays where herald was started. It changes with a restart, not with a reload.",
		Example: "net_namespace red", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) {
			b.config.Process.NetNamespace, b.config.Process.NamespacePos = st.Arg(1), st.Pos
		}}},
	{Name: "net_namespace_ipvs", Syntax: "NAME", Doc: "The network namespace of the IPVS rules: there are none, so it changes nothing.",
		Example: "net_namespace_ipvs red", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) {
			b.diags.Noticef(st.Pos, st.Keyword(), "net_namespace_ipvs is accepted and changes nothing: herald sets no IPVS rules")
		}}},
	{Name: "namespace_with_ipsets", Doc: "Uses ipsets in a namespace: herald uses nftables, which is in every namespace by itself.",
		Example: "namespace_with_ipsets", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) {
			b.diags.Noticef(st.Pos, st.Keyword(), "namespace_with_ipsets is accepted and changes nothing: herald uses nftables, not ipsets")
		}}},
	{Name: "instance", Syntax: "NAME", Doc: "Names the pid files of several daemons apart when it is called keepalived.",
		Example: "instance red", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) { b.config.Process.Instance = st.Arg(1) }}},
	{Name: "use_pid_dir", Doc: "Puts the pid files in /run/keepalived when it is called keepalived.",
		Example: "use_pid_dir", Do: topKeyword{act: func(b *build, _ *build, _ block.Statement) { b.config.Process.UsePidDir = true }}},
	{Name: "address_lifetime", Syntax: "[BOOL]", Doc: "The kernel takes virtual addresses away a moment after this node's successor has them, even when all of herald was " +
		"killed: they have a lifetime that advertisements renew, and `ip addr` shows them as dynamic. On by default; herald's own word.",
		Example: "address_lifetime off", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) {
			b.config.LastingAddresses = !b.flag(st)
		}}},
}
