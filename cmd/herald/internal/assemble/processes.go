package assemble

import (
	"context"

	"herald/cmd/herald/internal/ipc"
	"herald/vrrp"
	"herald/vrrp/settings"
)

// countedProcesses has the parent count the tracked processes: the role has no
// right to be told of births.
func countedProcesses(ctx context.Context, role *ipc.Role, cfg *settings.Config) (ipc.Counts, error) {
	var list []ipc.Program
	for _, p := range cfg.Processes {
		if p.InProcess {
			continue
		}
		list = append(list, ipc.Program{Name: p.Name, Path: p.Path, Full: p.FullCommand, Params: p.Params, Match: string(p.Match)})
	}
	if len(list) == 0 {
		return nil, nil
	}
	now, err := role.Count(ctx, list)
	for _, p := range cfg.Processes {
		if _, counted := now[p.Name]; !counted && !p.InProcess && err == nil {
			if now == nil {
				now = ipc.Counts{}
			}
			now[p.Name] = 0 // the parent has said why
		}
	}
	return now, err
}

func tellCounts(server *vrrp.Server, now ipc.Counts) {
	for name, running := range now {
		server.SetProcess(name, running)
	}
}
