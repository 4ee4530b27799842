package assemble

import (
	"context"
	"fmt"

	"herald/cmd/herald/internal/ipc"
	"herald/vrrp/settings"
)

// Names of the scripts of the start and the end. That of the start is waited
// for; the parent runs that of the end when the role has gone, in a lane.
const (
	startupScript  = "startup_script"
	shutdownScript = "shutdown_script"
	daemonLane     = "daemon"
)

// lifeScripts are those the configuration names.
func lifeScripts(cfg *settings.Config) []ipc.Script {
	var list []ipc.Script
	add := func(lane, name string, s settings.LifeScript) {
		if len(s.Argv) > 0 {
			list = append(list, ipc.Script{Lane: lane, Name: name, Argv: s.Argv, Timeout: s.Timeout,
				User: first(s.User, cfg.ScriptUser), Group: first(s.Group, cfg.ScriptGroup)})
		}
	}
	add("", startupScript, cfg.Process.Startup)
	add(daemonLane, shutdownScript, cfg.Process.Shutdown)
	return list
}

// startUp runs the script of the start to its end, in the first VRRP role of a
// daemon. What it comes to keeps nothing from beginning.
func (r *scriptRunner) startUp(ctx context.Context, begin ipc.Go) {
	if !begin.First || r.startup < 0 {
		return
	}
	result, err := r.role.RunScript(ctx, r.startup)
	switch {
	case err != nil:
		r.role.Log(fmt.Sprintf("%s: %v", startupScript, err))
	case !result.OK():
		r.role.Log(fmt.Sprintf("%s failed: exit status %d, timed out %t %s", startupScript, result.Exit, result.TimedOut, result.Error))
	}
}

// shutDown has the parent run the script of the end.
func shutDown(role *ipc.Role) { role.Notice(ipc.Notice{Lane: daemonLane, Name: shutdownScript}) }
