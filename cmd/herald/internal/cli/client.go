package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"herald/cmd/herald/internal/control"
	"herald/cmd/herald/internal/supervise"
	"herald/stats/render"
)

// statusWait and reloadWait bound how long the daemon may take to answer.
const (
	statusWait = 5 * time.Second
	reloadWait = time.Minute
)

func socketPath(runDir string) string { return filepath.Join(runDir, "herald.sock") }
func lockPath(runDir string) string   { return filepath.Join(runDir, "herald.lock") }
func heldPath(runDir string) string   { return filepath.Join(runDir, "held.json") }

// runDirFlags reads the flags of commands that talk to a daemon.
func runDirFlags(p Program, name string, args []string, more func(*flag.FlagSet)) (string, error) {
	dir := p.Defaults.RunDir
	if dir == "" {
		dir = defaultOptions.RunDir
	}
	set := flagSet(name)
	set.StringVar(&dir, "run-dir", dir, "")
	if more != nil {
		more(set)
	}
	return dir, parse(set, args)
}

func runReload(ctx context.Context, p Program, args []string, stdout, stderr io.Writer) int {
	dir, err := runDirFlags(p, "reload", args, nil)
	if err != nil {
		return wrong(stderr, "reload", err)
	}
	ctx, cancel := context.WithTimeout(ctx, reloadWait)
	defer cancel()
	var r supervise.Result
	if err := control.Ask(ctx, socketPath(dir), "reload", &r); err != nil {
		fmt.Fprintf(stderr, "herald reload: %v\n", err)
		return Failed
	}
	for _, f := range r.Findings {
		fmt.Fprintln(stderr, f.Text)
	}
	if r.Failed != "" {
		fmt.Fprintf(stderr, "herald reload: the old configuration goes on: %s\n", r.Failed)
		return Failed
	}
	fmt.Fprintln(stdout, "reloaded")
	return Done
}

func runStatus(ctx context.Context, p Program, args []string, stdout, stderr io.Writer) int {
	var asJSON, watch bool
	dir, err := runDirFlags(p, "status", args, func(set *flag.FlagSet) {
		set.BoolVar(&asJSON, "json", false, "")
		set.BoolVar(&watch, "watch", false, "")
	})
	if err == nil && asJSON && watch {
		err = fmt.Errorf("--json and --watch do not go together")
	}
	if err != nil {
		return wrong(stderr, "status", err)
	}
	show := showText
	if asJSON {
		show = showJSON
	}
	if !watch {
		return once(ctx, dir, "status", show, stdout, stderr)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		// Home and clear, then the whole at once: no flicker.
		io.WriteString(stdout, "\x1b[H\x1b[2J")
		once(ctx, dir, "status", showText, stdout, stdout)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return Done
		}
	}
}

// once asks for the status and shows it, or of it what the command name is
// about.
func once(ctx context.Context, dir, name string, show func(io.Writer, json.RawMessage) error, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithTimeout(ctx, statusWait)
	defer cancel()
	var raw json.RawMessage
	err := control.Ask(ctx, socketPath(dir), "status", &raw)
	if err == nil {
		err = show(stdout, raw)
	}
	if err != nil {
		fmt.Fprintf(stderr, "herald %s: %v\n", name, err)
		return Failed
	}
	return Done
}

func showJSON(w io.Writer, raw json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

func showText(w io.Writer, raw json.RawMessage) error {
	var r render.Report
	if err := json.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	return render.Status(w, &r)
}
