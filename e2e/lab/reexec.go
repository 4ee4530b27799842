package lab

import (
	"context"
	"fmt"
	"io"
	"os"
)

// Reexec does a helper's work and ends the process when this one was started
// by a lab as a helper. A test that uses Up calls it first in TestMain.
func Reexec() {
	if len(os.Args) > 2 && os.Args[1] == "lab" {
		if code, mine := helper(context.Background(), os.Args[2:], os.Stderr); mine {
			os.Exit(code)
		}
	}
}

// helper runs one of the hidden subcommands a lab starts its own binary with.
func helper(ctx context.Context, args []string, stderr io.Writer) (code int, mine bool) {
	var err error
	switch args[0] {
	case nodeCommand:
		err = firstProcess(os.Stdin, os.Stdout)
	case originCommand:
		err = origin(ctx, args[1:])
	default:
		return 0, false
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1, true
	}
	return 0, true
}
