package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"herald/cmd/herald/internal/control"
)

// drainWait bounds how long giving the addresses away may take: a successor
// has 1.2 seconds.
const drainWait = 5 * time.Second

const drainHelp = `Usage: herald drain [--run-dir DIR]

Gives every virtual address to another node and takes none until ` + "`herald undrain`" + `.
This node goes on answering until its successor has announced itself, so nothing is
lost; the successor may be keepalived. With nobody there to take over, the addresses
are given up after 1.2 seconds. Returns when nothing is held any more.

A drain lasts through reloads, not through a restart of the daemon. The proxy goes on.

  --run-dir DIR       of the daemon, /run/herald

Examples:
  herald drain && systemctl reboot
  herald drain; apt-get upgrade; herald undrain
`

const undrainHelp = `Usage: herald undrain [--run-dir DIR]

Ends ` + "`herald drain`" + `: the node takes part again as if it had just started.

  --run-dir DIR       of the daemon, /run/herald
`

func runDrain(ctx context.Context, p Program, args []string, stdout, stderr io.Writer) int {
	return told(ctx, p, "drain", "drained", args, stdout, stderr)
}

func runUndrain(ctx context.Context, p Program, args []string, stdout, stderr io.Writer) int {
	return told(ctx, p, "undrain", "undrained", args, stdout, stderr)
}

// told passes a word on to the daemon and says when it is done.
func told(ctx context.Context, p Program, word, done string, args []string, stdout, stderr io.Writer) int {
	dir, err := runDirFlags(p, word, args, nil)
	if err != nil {
		return wrong(stderr, word, err)
	}
	ctx, cancel := context.WithTimeout(ctx, drainWait)
	defer cancel()
	var nothing json.RawMessage
	if err := control.Ask(ctx, socketPath(dir), word, &nothing); err != nil {
		fmt.Fprintf(stderr, "herald %s: %v\n", word, err)
		return Failed
	}
	fmt.Fprintln(stdout, done)
	return Done
}
