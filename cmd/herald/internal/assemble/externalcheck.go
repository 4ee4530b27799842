package assemble

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"herald/cmd/herald/internal/ipc"
	"herald/proxy"
	"herald/proxy/settings"
)

// declareCommands has the parent run the commands of external checks, as the
// user the proxy will be. The proxy itself could not: it is in a chroot and
// without rights. What is not declared now is never run, whatever becomes of
// the proxy; a command the parent refuses is said, and fails its checks.
func declareCommands(ctx context.Context, role *ipc.Role, engine *proxy.Server, cfg *settings.Config) error {
	commands := engine.Commands()
	if len(commands) == 0 {
		return nil
	}
	user, group := os.Geteuid(), ""
	if cfg.Global.UID >= 0 {
		user = cfg.Global.UID
	}
	if cfg.Global.GID >= 0 {
		group = strconv.Itoa(cfg.Global.GID)
	}
	scripts := make([]ipc.Script, len(commands))
	for i, c := range commands {
		scripts[i] = ipc.Script{Name: c.Name, Argv: c.Argv, Env: c.Env, Timeout: c.Timeout, User: strconv.Itoa(user), Group: group}
	}
	refused, err := role.DeclareScripts(ctx, scripts)
	if err != nil {
		return err
	}
	said := map[string]bool{}
	for i, why := range refused {
		if why != "" && !said[why] {
			role.Log(fmt.Sprintf("external-check of %s is not run: %s", commands[i].Name, why))
			said[why] = true
		}
	}
	engine.SetRunner(func(ctx context.Context, i int) (proxy.CommandResult, error) {
		if refused[i] != "" {
			return proxy.CommandResult{Exit: -1, Error: refused[i]}, nil
		}
		r, err := role.RunScript(ctx, i)
		return proxy.CommandResult{Exit: r.Exit, TimedOut: r.TimedOut, Error: r.Error}, err
	})
	return nil
}
