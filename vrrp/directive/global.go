package directive

import (
	"net/netip"
	"slices"
	"time"

	"herald/config"
	"herald/config/block"
)

// globals gathers global_defs.
type globals struct {
	routerID                string
	scriptUser, scriptGroup string
	scriptSecurity          bool
	startupDelay            time.Duration
	version                 int // vrrp_version; 0 is not said
	defaultInterface        string
	garp                    garpDraft
	notify                  globalNotify
	protocol                protocol
	// vmacPrefix and vmacAddrPrefix begin names of interfaces; "" is vrrp and
	// the first.
	vmacPrefix, vmacAddrPrefix string
	group4, group6             netip.Addr // vrrp_mcast_group4 and 6; invalid means the usual ones
}

var globalWords = config.NewRegistry(slices.Concat(globalActs, globalGarpActs, globalGarpFormActs, protocolGlobals, vmacGlobals, globalNotifyActs, lifeScriptActs, builtIn(plan[globals](globalBuiltIn)),
	plan[globals](globalPlan))...)

type globalKeyword = keyword[globals]

var globalActs = []row[globals]{
	{Name: "router_id", Syntax: "TEXT", Doc: "Names this machine on the status page; the host name otherwise.",
		Example: "router_id controller-0", Do: globalKeyword{act: func(_ *build, g *globals, st block.Statement) { g.routerID = st.Arg(1) }}},
	{Name: "script_user", Syntax: "USER [GROUP]", Doc: "The account scripts run as when they name none; `keepalived_script` if it exists, else root.",
		Example: "script_user root", Do: globalKeyword{act: scriptUser}},
	{Name: "enable_script_security", Doc: "Refuses to run scripts as root whose path others can write.",
		Example: "enable_script_security", Do: globalKeyword{act: func(_ *build, g *globals, _ block.Statement) { g.scriptSecurity = true }}},
	{Name: "vrrp_startup_delay", Syntax: "SECONDS", Doc: "Instances stay BACKUP so long after the start.",
		Example: "vrrp_startup_delay 5.5", Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) {
			g.startupDelay = b.seconds(st, 1, 0, time.Hour, 0)
		}}},
	{Name: "default_interface", Syntax: "INTERFACE", Doc: "The interface of instances that name none.",
		Example: "default_interface eth0", Do: globalKeyword{act: func(_ *build, g *globals, st block.Statement) { g.defaultInterface = st.Arg(1) }}},
	{Name: "vrrp_garp_master_delay", Syntax: "SECONDS", Doc: "Default of garp_master_delay.", Example: "vrrp_garp_master_delay 10",
		Do: globalKeyword{act: garpTime(func(g *globals) **time.Duration { return &g.garp.delay }, 5*time.Second)}},
	{Name: "vrrp_garp_master_repeat", Syntax: "COUNT", Doc: "Default of garp_master_repeat.", Example: "vrrp_garp_master_repeat 1",
		Do: globalKeyword{act: garpCount(func(g *globals) **int { return &g.garp.repeat }, 1)}},
	{Name: "vrrp_garp_master_refresh", Syntax: "SECONDS", Doc: "Default of garp_master_refresh.", Example: "vrrp_garp_master_refresh 60",
		Do: globalKeyword{act: garpTime(func(g *globals) **time.Duration { return &g.garp.refresh }, 0)}},
	{Name: "vrrp_garp_master_refresh_repeat", Syntax: "COUNT", Doc: "Default of garp_master_refresh_repeat.", Example: "vrrp_garp_master_refresh_repeat 2",
		Do: globalKeyword{act: garpCount(func(g *globals) **int { return &g.garp.refreshRepeat }, 1)}},
	{Name: "vrrp_garp_lower_prio_delay", Syntax: "SECONDS", Doc: "Default of garp_lower_prio_delay.", Example: "vrrp_garp_lower_prio_delay 10",
		Do: globalKeyword{act: garpTime(func(g *globals) **time.Duration { return &g.garp.lowerDelay }, 5*time.Second)}},
	{Name: "vrrp_garp_lower_prio_repeat", Syntax: "COUNT", Doc: "Default of garp_lower_prio_repeat.", Example: "vrrp_garp_lower_prio_repeat 1",
		Do: globalKeyword{act: garpCount(func(g *globals) **int { return &g.garp.lowerRepeat }, 0)}},
	{Name: "vrrp_garp_interval", Syntax: "SECONDS", Doc: "Least time between two announcements on one interface.", Example: "vrrp_garp_interval 0.001",
		Do: globalKeyword{act: garpTime(func(g *globals) **time.Duration { return &g.garp.pace }, 0)}},
	{Name: "vrrp_min_garp", Syntax: "[BOOL]", Doc: "One announcement and no second burst, unless other keywords say more.", Example: "vrrp_min_garp",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { g.garp.once = b.flag(st) }}},
}

func scriptUser(b *build, g *globals, st block.Statement) {
	if b.user(st, st.Arg(1), st.Arg(2)) {
		g.scriptUser, g.scriptGroup = st.Arg(1), st.Arg(2)
	}
}
