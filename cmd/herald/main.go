// Command herald is one daemon in the place of keepalived and HAProxy: it
// holds virtual addresses by VRRP and balances what arrives at them, from the
// two configuration files as they stand.
//
// This package only joins the command line with what the commands do; the
// exit code is its one decision.
//
// Under the name keepalived, as a symbolic link, it has keepalived's command
// line.
//
//	herald check
//	herald run
//	herald status
//	keepalived -nl -f keepalived.conf
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"herald/cmd/herald/internal/assemble"
	"herald/cmd/herald/internal/cli"
	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/personality"
	"herald/e2e/lab"
)

// version is set by the linker.
var version = "devel"

// released is the date of the version, "2026/11/22", set by the linker too.
var released string

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run runs one command and returns its exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	program := cli.Program{
		Version: version,
		Getenv:  getenv,
		Role:    role,
		Check: func(o cli.Options, stdout, stderr io.Writer) int {
			return assemble.Check(options(o), stdout, stderr)
		},
		Place: func(o cli.Options) personality.Place { return assemble.Place(options(o)) },
		Test:  func(o cli.Options, findings io.Writer) int { return assemble.Test(options(o), findings) },
		Lab:   runLab,
	}
	if filepath.Base(os.Args[0]) == "keepalived" {
		return cli.Keepalived(ctx, program, args, stdout, stderr)
	}
	return cli.Main(ctx, program, args, stdout, stderr)
}

// role is the life of one role.
func role(ctx context.Context, name ipc.Name, r *ipc.Role, o cli.Options) error {
	switch name {
	case ipc.VRRP:
		return assemble.RunVRRPRole(ctx, r, options(o))
	case ipc.Proxy:
		return assemble.RunProxyRole(ctx, r, options(o))
	}
	return fmt.Errorf("there is no role %q", name)
}

func options(o cli.Options) assemble.Options {
	return assemble.Options{Keepalived: o.Keepalived, HAProxy: o.HAProxy, Version: version, ReleaseDate: released,
		FastStop: o.FastStop, InNamespace: o.InNamespace, ConfigID: o.ConfigID, Nodes: o.Nodes}
}

// runLab runs `herald lab`, which ends its programs and namespaces when it is
// interrupted.
func runLab(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintf(stderr, "herald lab: %v\n", err)
		return 1
	}
	return lab.Main(ctx, args, self, stdout, stderr)
}
