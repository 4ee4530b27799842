package directive

import "herald/config/block"

// processActs are the settings of the top level that a daemon follows when it
// runs as keepalived.
var processActs = []row[build]{
	{Name: "net_namespace", Syntax: "NAME", Doc: "Runs in a network namespace when it is called keepalived; `herald run` is started in one.",
		Example: "net_namespace red", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) { b.config.Process.NetNamespace = st.Arg(1) }}},
	{Name: "instance", Syntax: "NAME", Doc: "Names the pid files of several daemons apart when it is called keepalived.",
		Example: "instance red", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) { b.config.Process.Instance = st.Arg(1) }}},
	{Name: "use_pid_dir", Doc: "Puts the pid files in /run/keepalived when it is called keepalived.",
		Example: "use_pid_dir", Do: topKeyword{act: func(b *build, _ *build, _ block.Statement) { b.config.Process.UsePidDir = true }}},
	{Name: "address_lifetime", Syntax: "[BOOL]", Doc: "The kernel takes virtual addresses away a moment after this node's successor has them, even when all of herald was " +
		"killed: they have a lifetime that advertisements renew, and `ip addr` shows them as dynamic. Off by default; herald's own word.",
		Example: "address_lifetime on", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) {
			b.config.AddressLifetime = b.flag(st)
		}}},
}
