package lab

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

const usage = `herald lab builds three controllers, a client and two servers in network
namespaces of this machine, without touching its own network. It needs root.

  herald lab demo             show the published scenario: addresses held, traffic
                              served, failures caused and timed; removes all at the end
  herald lab up               leave a lab running in the background
  herald lab exec NODE CMD... run a command on a node, as in
                              herald lab exec controller-0 ip -4 addr show
                              herald lab exec client curl -s http://10.1.1.10:8774/
  herald lab fail NODE HOW    make a controller fail: reboot, kill, link, proxy,
                              cut-inside, cut-outside
  herald lab heal NODE        undo it
  herald lab status           who holds the addresses now
  herald lab down             remove the lab, also what a crash left of one

Flags, before other arguments:
  --name NAME       which lab, "default" when not given
  --engine ENGINE   up: herald, or keepalived+haproxy (the distribution's)
  --priorities L    up, demo: 102,101,100 instead of the published 100 for all
  --compare=false   demo: do not run keepalived and HAProxy beside herald
`

// Main is the command `herald lab`: args are what follows the word lab, herald
// is the path of the binary that runs on the controllers. It returns the exit
// code: 0, 1 when a claim was not met or something failed, 2 for wrong usage.
func Main(ctx context.Context, args []string, herald string, stdout, stderr io.Writer) int {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		fmt.Fprint(stdout, usage)
		return 0
	}
	if code, mine := helper(ctx, args, stderr); mine {
		return code
	}
	cmd := command{herald: herald, stdout: stdout}
	rest, err := cmd.parse(args[1:])
	if err == nil {
		err = cmd.run(ctx, args[0], rest)
	}
	var wrong usageError
	switch {
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "herald lab: %v\n(herald lab --help tells more)\n", err)
		return 2
	case err != nil:
		fmt.Fprintf(stderr, "herald lab: %v\n", err)
		return 1
	}
	return 0
}

// usageError is what the caller got wrong.
type usageError string

func (e usageError) Error() string { return string(e) }

// command is one call of `herald lab`.
type command struct {
	herald     string
	stdout     io.Writer
	name       string
	engine     string
	priorities string
	compare    bool
}

func (c *command) parse(args []string) ([]string, error) {
	flags := flag.NewFlagSet("lab", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.name, "name", "default", "")
	flags.StringVar(&c.engine, "engine", string(Herald), "")
	flags.StringVar(&c.priorities, "priorities", "", "")
	flags.BoolVar(&c.compare, "compare", true, "")
	if err := flags.Parse(args); err != nil {
		return nil, usageError(err.Error())
	}
	if !slices.Contains([]Engine{Herald, Packaged}, Engine(c.engine)) {
		return nil, usageError(fmt.Sprintf("unknown engine %q: %s or %s", c.engine, Herald, Packaged))
	}
	return flags.Args(), nil
}

// setup turns the flags into a Setup.
func (c *command) setup() (Setup, error) {
	s := Setup{Services: true}
	for word := range strings.SplitSeq(c.priorities, ",") {
		if c.priorities == "" {
			break
		}
		p, err := strconv.Atoi(word)
		if err != nil || p < 1 || p > 254 {
			return s, usageError(fmt.Sprintf("priority %q: a number from 1 to 254", word))
		}
		s.Priorities = append(s.Priorities, p)
	}
	return s, nil
}

func (c *command) run(ctx context.Context, verb string, args []string) error {
	switch verb {
	case "demo":
		return c.demo(ctx)
	case "up":
		return c.up(ctx)
	case "down":
		nodes, err := Remove(c.name)
		fmt.Fprintf(c.stdout, "removed %d nodes of lab %s\n", nodes, c.name)
		return err
	}
	if !slices.Contains([]string{"exec", "fail", "heal", "status"}, verb) {
		return usageError(fmt.Sprintf("unknown command %q", verb))
	}
	lab, err := Open(c.name)
	if err != nil {
		return err
	}
	defer lab.ledger.stop()
	if verb == "status" {
		return c.status(lab)
	}
	return c.onNode(ctx, lab, verb, args)
}

// onNode runs the commands whose first argument names a node.
func (c *command) onNode(ctx context.Context, lab *Cluster, verb string, args []string) error {
	if len(args) == 0 || lab.Node(args[0]) == nil {
		var names []string
		for _, n := range lab.nodes {
			names = append(names, n.name)
		}
		return usageError(fmt.Sprintf("%s needs one of the nodes %s", verb, strings.Join(names, ", ")))
	}
	n, i := lab.Node(args[0]), lab.index(args[0])
	switch {
	case verb == "exec" && len(args) > 1:
		out, err := n.Exec(args[1:]...)
		io.WriteString(c.stdout, out)
		return err
	case verb == "exec":
		return usageError("exec needs a command after the node")
	case i < 0:
		return usageError(n.name + " is not a controller")
	case verb == "heal":
		return errors.Join(lab.Heal(i), lab.save())
	case len(args) == 2 && slices.Contains(Failures, Failure(args[1])):
		return lab.Fail(ctx, i, Failure(args[1]))
	}
	return usageError(fmt.Sprintf("fail needs one of %v after the node", Failures))
}

func (c *command) up(ctx context.Context) error {
	setup, err := c.setup()
	if err != nil {
		return err
	}
	if len(leftovers(c.name)) > 0 {
		return fmt.Errorf("lab %s is up already, or left by a crash: herald lab down --name %s", c.name, c.name)
	}
	l, err := Up(ctx, Spec{Name: c.name, Servers: 2, Programs: []string{c.herald}, Helper: c.herald, Detached: true})
	if err != nil {
		return err
	}
	cluster := NewCluster(l, Engine(c.engine), setup)
	if err = cluster.Start(ctx); err == nil {
		err = cluster.save()
	}
	if err != nil {
		return errors.Join(err, l.Down())
	}
	l.ledger.stop()
	fmt.Fprintf(c.stdout, "lab %s runs %s on %d controllers; try:\n  herald lab status\n  herald lab exec controller-0 ip -4 addr show\n  herald lab fail controller-0 reboot\n  herald lab down\n",
		c.name, c.engine, len(l.Controllers()))
	return nil
}

func (c *command) status(lab *Cluster) error {
	for i, n := range lab.Controllers() {
		for _, p := range n.ports {
			addrs, err := n.Addrs(p.Iface)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.stdout, "%s %s %s %s\n", n.name, p.Iface, lab.Engines[i], strings.Join(addrs, " "))
		}
	}
	return nil
}
