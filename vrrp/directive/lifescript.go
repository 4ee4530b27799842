package directive

import (
	"time"

	"herald/config/block"
	"herald/vrrp/settings"
)

// lifeScriptTime is how long such a script may take where the file does not
// say.
const lifeScriptTime = 10 * time.Second

func lifeScript(field func(*settings.Process) *settings.LifeScript) globalKeyword {
	return globalKeyword{act: func(b *build, _ *globals, st block.Statement) {
		s := field(&b.config.Process)
		if s.Timeout == 0 {
			s.Timeout = lifeScriptTime
		}
		b.command(st, &s.Command)
	}}
}

func lifeScriptTimeout(field func(*settings.Process) *settings.LifeScript) globalKeyword {
	return globalKeyword{act: func(b *build, _ *globals, st block.Statement) {
		field(&b.config.Process).Timeout = b.seconds(st, 1, time.Second, 1000*time.Second, lifeScriptTime)
	}}
}

func startup(p *settings.Process) *settings.LifeScript  { return &p.Startup }
func shutdown(p *settings.Process) *settings.LifeScript { return &p.Shutdown }

// lifeScriptActs are the scripts of the start and the end, and what LVS has of
// its own.
var lifeScriptActs = []row[globals]{
	{Name: "startup_script", Syntax: "SCRIPT [USER [GROUP]]", Doc: "Runs once at the start of the daemon, before VRRP begins, which waits for its end.", Example: "startup_script /usr/local/bin/start",
		Do: lifeScript(startup)},
	{Name: "startup_script_timeout", Syntax: "SECONDS", Doc: "Time the startup script may take, 10 s.", Example: "startup_script_timeout 10", Do: lifeScriptTimeout(startup)},
	{Name: "shutdown_script", Syntax: "SCRIPT [USER [GROUP]]", Doc: "Runs once at the end of the daemon, after VRRP has ended; it has five seconds then.", Example: "shutdown_script /usr/local/bin/stop",
		Do: lifeScript(shutdown)},
	{Name: "shutdown_script_timeout", Syntax: "SECONDS", Doc: "Time the shutdown script may take, 10 s, of which the end of the daemon leaves five.", Example: "shutdown_script_timeout 4", Do: lifeScriptTimeout(shutdown)},
	{Name: "lvs_notify_fifo", Syntax: "FILE [USER [GROUP]]", Doc: "A FIFO for transitions of LVS servers: there are none, so it is not made, as by keepalived without a virtual_server.", Example: "lvs_notify_fifo /run/notify",
		Do: globalKeyword{act: noLVS}},
	{Name: "lvs_notify_fifo_script", Syntax: "SCRIPT [USER [GROUP]]", Doc: "A script that reads that FIFO: it is not run.", Example: "lvs_notify_fifo_script /usr/local/bin/notify",
		Do: globalKeyword{act: noLVS}},
}

func noLVS(b *build, _ *globals, st block.Statement) {
	b.diags.Noticef(st.Pos, st.Keyword(), "%s is accepted and changes nothing: there are no LVS servers to tell about", st.Keyword())
}
