package census

import (
	"slices"
	"strings"

	"herald/cmd/herald/internal/ipc"
)

// keptName is how much of a process's name the kernel keeps.
const keptName = 15

// matches reports whether a process is one of p's, by the name the kernel
// keeps and its command line (keepalived.conf(5), vrrp_track_process).
func matches(p ipc.Program, comm string, argv []string) bool {
	if !p.Full {
		return comm == p.Path[:min(len(p.Path), keptName)]
	}
	if len(argv) == 0 || argv[0] != p.Path {
		return false
	}
	params := argv[1:]
	n := len(p.Params)
	switch p.Match {
	case "exact":
		return slices.Equal(params, p.Params)
	case "partial":
		return len(params) >= n && slices.Equal(params[:n], p.Params)
	case "initial":
		if n == 0 {
			return true
		}
		return len(params) >= n && slices.Equal(params[:n-1], p.Params[:n-1]) && strings.HasPrefix(params[n-1], p.Params[n-1])
	}
	return true
}
