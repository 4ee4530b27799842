package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/personality"
)

// Exit codes.
const (
	Done   = 0
	Failed = 1
	Usage  = 2 // the command line makes no sense
)

// Program is what the commands call.
type Program struct {
	Version string
	// Role is the life of one role, until its parent ends it.
	Role func(ctx context.Context, name ipc.Name, role *ipc.Role, o Options) error
	// Check reads the configuration and returns an exit code.
	Check func(o Options, stdout, stderr io.Writer) int
	// Place is where the configuration wants a daemon that is called
	// keepalived; Test is its -t, which writes findings and returns the exit
	// code.
	Place func(o Options) personality.Place
	Test  func(o Options, findings io.Writer) int
	// Lab is `herald lab`; args are what follows the word.
	Lab func(ctx context.Context, args []string, stdout, stderr io.Writer) int
	// Getenv reads the environment.
	Getenv func(string) string
	// Defaults are the configuration files looked for when none is named.
	Defaults Options
}

// command is one row of the table of commands.
type command struct {
	name  string
	brief string // one line for the overview; empty hides the command
	help  string // what `herald help NAME` says
	run   func(ctx context.Context, p Program, args []string, stdout, stderr io.Writer) int
}

// commands are all there are, in the order of the overview.
func commands() []command {
	return []command{
		{"run", "run the daemon in the foreground", runHelp, runDaemon},
		{"check", "read both configurations and say everything about them", checkHelp, runCheck},
		{"status", "show roles, addresses, proxies and servers of the daemon that runs", statusHelp, runStatus},
		{"history", "list the changes of state of VRRP, with the reasons", historyHelp, runHistory},
		{"metrics", "print all counters for Prometheus", metricsHelp, runMetrics},
		{"reload", "have the daemon read its configuration again", reloadHelp, runReload},
		{"drain", "give the addresses to other nodes and take none", drainHelp, runDrain},
		{"undrain", "take part again", undrainHelp, runUndrain},
		{"lab", "try it: a cluster in network namespaces of this machine", "", runLab},
		{"version", "print the version", "Usage: herald version\n", runVersion},
		{"role", "", "", runRole},
	}
}

// Main runs the command args name and returns the exit code.
func Main(ctx context.Context, p Program, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, overview())
		return Usage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "--help", "-help", "-h":
		if len(rest) == 0 {
			fmt.Fprint(stdout, overview())
			return Done
		}
		name, rest = rest[0], []string{"--help"}
	case "--version", "-version", "-v":
		name = "version"
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		if c.help != "" && len(rest) > 0 && (rest[0] == "--help" || rest[0] == "-help" || rest[0] == "-h") {
			fmt.Fprint(stdout, c.help)
			return Done
		}
		return c.run(ctx, p, rest, stdout, stderr)
	}
	fmt.Fprintf(stderr, "herald: there is no command %q\n\n%s", name, overview())
	return Usage
}

func runVersion(_ context.Context, p Program, _ []string, stdout, _ io.Writer) int {
	fmt.Fprintf(stdout, "herald %s\n", p.Version)
	return Done
}

func runLab(ctx context.Context, p Program, args []string, stdout, stderr io.Writer) int {
	return p.Lab(ctx, args, stdout, stderr)
}

func runCheck(_ context.Context, p Program, args []string, stdout, stderr io.Writer) int {
	var nodes list
	o, err := files(p, "check", args, func(set *flag.FlagSet) { set.Var(&nodes, "node", "") })
	o.Nodes = nodes
	if err == nil {
		err = absent(Options{HAProxy: nodes})
	}
	if err != nil {
		return wrong(stderr, "check", err)
	}
	return p.Check(o, stdout, stderr)
}

// wrong reports a command line that makes no sense.
func wrong(stderr io.Writer, name string, err error) int {
	fmt.Fprintf(stderr, "herald %s: %v\n(herald %s --help tells more)\n", name, err, name)
	return Usage
}

// Options are the configuration files and where the daemon keeps its own.
type Options struct {
	Keepalived string   // empty: no VRRP role
	HAProxy    []string // files and directories; empty: no proxy role
	RunDir     string
	ConfigID   string   // picks the lines of keepalived.conf that begin with @; the host's name when empty
	Nodes      []string // keepalived.conf of other nodes, to be checked against
	FastStop   bool     // a stop does not wait for who takes the addresses
	// InNamespace says that the whole daemon is in its network namespace
	// already.
	InNamespace bool
}

// DefaultOptions are used where the command line names nothing.
var defaultOptions = Options{Keepalived: "/etc/keepalived/keepalived.conf", HAProxy: []string{"/etc/haproxy/haproxy.cfg"}, RunDir: "/run/herald"}

// Roles are the roles o asks for. The proxy comes first.
func (o Options) Roles() []ipc.Name {
	var names []ipc.Name
	if len(o.HAProxy) > 0 {
		names = append(names, ipc.Proxy)
	}
	if o.Keepalived != "" {
		names = append(names, ipc.VRRP)
	}
	return names
}

// Args are the flags that say o again, for a role.
func (o Options) Args() []string {
	var args []string
	if o.Keepalived != "" {
		args = append(args, "--keepalived", o.Keepalived)
	}
	for _, f := range o.HAProxy {
		args = append(args, "--haproxy", f)
	}
	if o.ConfigID != "" {
		args = append(args, "--config-id", o.ConfigID)
	}
	if o.FastStop {
		args = append(args, "--fast-stop")
	}
	if o.InNamespace {
		args = append(args, "--in-namespace")
	}
	return append(args, "--run-dir", o.RunDir)
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

// files reads the flags that name configuration files. Naming one file leaves
// the default of the other out: who tries a haproxy.cfg by hand does not want
// the machine's virtual addresses taken.
func files(p Program, name string, args []string, more func(*flag.FlagSet)) (Options, error) {
	var keepalived string
	var haproxy list
	o := p.Defaults
	if o.RunDir == "" {
		o = defaultOptions
	}
	set := flagSet(name)
	set.StringVar(&keepalived, "keepalived", "", "")
	set.Var(&haproxy, "haproxy", "")
	set.StringVar(&o.RunDir, "run-dir", o.RunDir, "")
	if more != nil {
		more(set)
	}
	if err := parse(set, args); err != nil {
		return o, err
	}
	if keepalived != "" || len(haproxy) > 0 {
		o.Keepalived, o.HAProxy = keepalived, haproxy
		return o, absent(o)
	}
	tried := o
	if !exists(o.Keepalived) {
		o.Keepalived = ""
	}
	o.HAProxy = nil
	for _, f := range tried.HAProxy {
		if exists(f) {
			o.HAProxy = append(o.HAProxy, f)
		}
	}
	if len(o.Roles()) == 0 {
		return o, fmt.Errorf("there is no configuration: neither %s nor %s exists (name files with --keepalived and --haproxy)",
			tried.Keepalived, strings.Join(tried.HAProxy, " "))
	}
	return o, nil
}

// absent names the first file given that is not there.
func absent(o Options) error {
	for _, f := range append([]string{o.Keepalived}, o.HAProxy...) {
		if f == "" {
			continue
		}
		if _, err := os.Stat(f); err != nil {
			return err
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return path != "" && err == nil
}

// flagSet returns a quiet set of flags.
func flagSet(name string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	return set
}

// parse reads args, of which nothing may be left.
func parse(set *flag.FlagSet, args []string) error {
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return fmt.Errorf("--help comes first")
		}
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("what is %q?", set.Arg(0))
	}
	return nil
}
