package cli

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/netns"
	"herald/cmd/herald/internal/process"
)

// orphanTime bounds how long a role may take to end after its parent is gone.
const orphanTime = 10 * time.Second

// runRole is the hidden command behind the parent's children. The parent
// alone obeys signals: with KillMode=control-group or in a terminal everybody
// gets them, and a role that went before its time would not resign.
func runRole(ctx context.Context, p Program, args []string, _, stderr io.Writer) int {
	if len(args) == 0 {
		return wrong(stderr, "role", fmt.Errorf("roles are started by `herald run`"))
	}
	name := ipc.Name(args[0])
	o, err := daemonFiles(p, "role", args[1:])
	if err != nil {
		return wrong(stderr, "role", err)
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	var stuck error
	if ns := namespaceOf(p, name, o); ns != "" && netns.Entered() != ns {
		stuck = netns.Enter(ns) // returns only when it failed
	}
	role, err := ipc.Inherit()
	if err != nil {
		return wrong(stderr, "role", err)
	}
	if err := process.Rename("herald-" + string(name)); err != nil {
		role.Log(err.Error())
	}
	if stuck != nil {
		role.Failed(stuck)
		role.Close()
		return Failed
	}
	return liveRole(context.WithoutCancel(ctx), p, name, role, o, orphanTime)
}

// namespaceOf is the network namespace a role has to be in, empty for that of
// the parent. The role looks, for the parent reads no configuration.
func namespaceOf(p Program, name ipc.Name, o Options) string {
	if name != ipc.VRRP || o.InNamespace || p.Place == nil {
		return ""
	}
	return p.Place(o).NetNamespace
}

// liveRole lives a role and bounds its life after its parent's end.
func liveRole(ctx context.Context, p Program, name ipc.Name, role *ipc.Role, o Options, limit time.Duration) int {
	ended := make(chan error, 1)
	go func() { ended <- p.Role(ctx, name, role, o) }()
	var err error
	select {
	case err = <-ended:
	case <-role.Done():
		select {
		case err = <-ended:
		case <-time.After(limit):
			return Failed
		}
	}
	if err != nil {
		role.Failed(err)
	}
	role.Close()
	if err != nil {
		return Failed
	}
	return Done
}
