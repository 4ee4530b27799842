package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// Engine is the software that makes a controller of a node.
type Engine string

const (
	// Herald is this product, on the published files as they stand.
	Herald Engine = "herald"
	// Packaged is the distribution's keepalived and HAProxy, on the
	// published files in today's words.
	Packaged Engine = "keepalived+haproxy"
)

// Cluster is the controllers of a lab with software on them.
type Cluster struct {
	*Lab
	Setup   Setup
	Engines []Engine // of each controller
	Binary  string   // herald, as a node sees it
}

// NewCluster puts the same engine on every controller; Engines may be changed
// before Start for a mixed one.
func NewCluster(l *Lab, e Engine, s Setup) *Cluster {
	return &Cluster{Lab: l, Setup: s, Engines: slices.Repeat([]Engine{e}, len(l.Controllers())), Binary: heraldPath(l.spec)}
}

// heraldPath is the first program of a spec, else the helper itself.
func heraldPath(s Spec) string {
	if len(s.Programs) > 0 {
		return Program(s.Programs[0])
	}
	return s.Helper
}

// Start writes the configuration of every controller and starts its programs,
// and an origin on every server.
func (c *Cluster) Start(ctx context.Context) error {
	for i := range c.Servers() {
		if _, err := c.StartOrigin(i); err != nil {
			return err
		}
	}
	for i := range c.Controllers() {
		if err := c.Write(i); err != nil {
			return err
		}
		if err := c.StartController(i); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Write writes the configuration of controller i for its engine.
func (c *Cluster) Write(i int) error {
	n := c.Controller(i)
	vrrp, proxy := c.Setup.keepalivedConf(i), c.Setup.haproxyConf(i)
	if c.Engines[i] == Packaged {
		vrrp, proxy = modern(vrrp), modern(proxy)
	}
	errs := []error{n.WriteFile(keepalivedFile, vrrp), n.WriteFile(haproxyFile, proxy)}
	if c.Setup.Services {
		errs = append(errs, n.WriteFile(servicesFile, c.Setup.servicesConf(len(c.Servers()))))
	}
	return errors.Join(errs...)
}

// files are the arguments that name the HAProxy files, each after flag.
func (c *Cluster) files(flag string) []string {
	args := []string{flag, haproxyFile}
	if c.Setup.Services {
		args = append(args, flag, servicesFile)
	}
	return args
}

// StartController starts the programs of controller i that do not run.
func (c *Cluster) StartController(i int) error {
	n := c.Controller(i)
	if c.Engines[i] == Herald {
		return n.ensure("herald", append([]string{c.Binary, "run", "--keepalived", keepalivedFile}, c.files("--haproxy")...)...)
	}
	// The operator of the published files sets this by hand, once.
	if err := n.sysctl("net.ipv4.ip_nonlocal_bind", "1"); err != nil {
		return err
	}
	return errors.Join(
		n.ensure("haproxy", append([]string{"haproxy", "-db"}, c.files("-f")...)...),
		n.ensure("keepalived", "keepalived", "--dont-fork", "--log-console", "--log-detail", "--use-file", keepalivedFile))
}

// ensure starts a program unless one of that name runs.
func (n *Node) ensure(name string, argv ...string) error {
	for _, p := range n.running() {
		if p.Name == name {
			return nil
		}
	}
	_, err := n.Start(name, argv...)
	return err
}

func (n *Node) sysctl(key, value string) error {
	_, err := n.Exec("sysctl", "-qw", key+"="+value)
	return err
}

// proc returns the program of that name started last, nil when none was.
func (n *Node) proc(name string) *Proc {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range slices.Backward(n.procs) {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Proc returns the program of that name ("herald", "keepalived", "haproxy",
// "origin") started last on the node, nil when none was.
func (n *Node) Proc(name string) *Proc { return n.proc(name) }

// Alive reports whether every program of controller i runs.
func (c *Cluster) Alive(i int) bool {
	names := []string{"herald"}
	if c.Engines[i] == Packaged {
		names = []string{"keepalived", "haproxy"}
	}
	return !slices.ContainsFunc(names, func(name string) bool {
		p := c.Controller(i).proc(name)
		return p == nil || !p.Running()
	})
}

// Holder returns the index of the one controller that has an address, -1 when
// none or several have.
func (c *Cluster) Holder(addr string) int {
	names := c.Holders(addr)
	if len(names) != 1 {
		return -1
	}
	return c.index(names[0])
}

func (c *Cluster) index(name string) int {
	return slices.IndexFunc(c.Controllers(), func(n *Node) bool { return n.name == name })
}

// steady is how long an assignment of addresses must last to be believed:
// longer than a master down interval with the lowest priority (RFC 5798
// section 6.1: 3 x interval + skew < 4 x interval), within which every
// contest between two nodes is decided.
func (c *Cluster) steady() time.Duration {
	return time.Duration(max(c.Setup.Interval, 1)) * 4 * time.Second
}

// Settle waits until each virtual address has had the same single holder for
// longer than any contest lasts, and answers the client.
func (c *Cluster) Settle(ctx context.Context) error {
	for _, addr := range []string{InsideVirtual, OutsideVirtual} {
		if err := c.settle(ctx, addr); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) settle(ctx context.Context, addr string) error {
	start := time.Now()
	return c.WaitFor(ctx, "a single settled holder of "+addr, func() bool {
		if c.Holder(addr) < 0 {
			return false
		}
		last := start
		for _, ch := range c.Changes(start) {
			if ch.Addr == addr {
				last = ch.At
			}
		}
		return time.Since(last) >= c.steady()
	})
}

// Stop ends the programs of controller i with SIGTERM and waits for them.
func (c *Cluster) Stop(ctx context.Context, i int) error {
	n := c.Controller(i)
	if err := n.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	for _, p := range n.running() {
		select {
		case <-p.done:
		case <-ctx.Done():
			return fmt.Errorf("%s on %s does not end after SIGTERM: %w", p.Name, n.name, context.Cause(ctx))
		}
	}
	return nil
}
