package assemble

import (
	"context"

	"herald/cmd/herald/internal/ipc"
	"herald/vrrp"
	"herald/vrrp/settings"
)

// watchedFiles has the parent watch the tracked files, which the role itself
// may not be allowed to read or write.
func watchedFiles(ctx context.Context, role *ipc.Role, cfg *settings.Config) (ipc.Files, error) {
	var list []ipc.File
	for _, f := range cfg.Files {
		list = append(list, ipc.File{Name: f.Name, Path: f.Path, Init: f.Init, Overwrite: f.Overwrite, Value: f.Value})
	}
	if len(list) == 0 {
		return nil, nil
	}
	return role.Watch(ctx, list)
}

func tellFiles(server *vrrp.Server, now ipc.Files) {
	for name, number := range now {
		server.SetFile(name, number)
	}
}
