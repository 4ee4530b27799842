package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"sync/atomic"
)

// Spec says what lab to build. The zero value of each field has a default.
type Spec struct {
	// Name tells labs apart; it prefixes the title of every process that
	// holds a lab together. Empty: a name of its own.
	Name string
	// Controllers is the number of controllers, 3 when zero.
	Controllers int
	// Servers is the number of origin servers.
	Servers int
	// Programs are files of the host each node needs although its /tmp and
	// /run are its own; Program tells where a node sees one.
	Programs []string
	// Sysctl is written below /proc/sys on the controllers, keys with dots.
	Sysctl map[string]string
	// Detached leaves the lab running when the calling process ends.
	Detached bool
	// Helper is the command, without arguments of its own, whose "lab"
	// subcommand is Main. Empty: the running binary.
	Helper string
}

// Lab is a running topology. Its methods may be called from any goroutine.
type Lab struct {
	name   string
	spec   Spec
	fabric *Node
	nodes  []*Node
	ledger *ledger
}

var (
	serial    atomic.Int64 // of unnamed labs of this process
	validName = regexp.MustCompile(`^[a-z0-9.]{1,32}$`)
)

// Up builds the lab and returns when every interface has its address. What a
// failed attempt left is removed.
func Up(ctx context.Context, s Spec) (*Lab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("build a lab: needs root for namespaces")
	}
	s.Controllers = cmp.Or(s.Controllers, 3)
	if s.Name == "" {
		s.Name = fmt.Sprintf("p%d.%d", os.Getpid(), serial.Add(1))
	}
	if !validName.MatchString(s.Name) {
		return nil, fmt.Errorf("build lab %q: a name is 1 to 32 small letters, digits and dots", s.Name)
	}
	if s.Helper == "" {
		exe, err := os.Executable()
		if err != nil {
			return nil, err
		}
		s.Helper = exe
	}
	l := &Lab{name: s.Name, spec: s}
	if err := l.build(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("build lab %s: %w", s.Name, err), l.Down())
	}
	return l, nil
}

func (l *Lab) build(ctx context.Context) error {
	var err error
	if l.fabric, err = startNode(ctx, l.spec, plan{name: "fabric"}); err != nil {
		return err
	}
	for _, p := range topology(l.spec) {
		n, err := startNode(ctx, l.spec, p)
		if err != nil {
			return err
		}
		n.fabric = l.fabric
		l.nodes = append(l.nodes, n)
	}
	if err := l.wire(); err != nil {
		return err
	}
	l.ledger, err = follow(l.Controllers())
	return err
}

// Down removes the lab: every process in it, and with them namespaces,
// interfaces and mounts. It may be called twice.
func (l *Lab) Down() error {
	if l.ledger != nil {
		l.ledger.stop()
	}
	var errs []error
	for _, n := range append(l.nodes, l.fabric) {
		if n != nil {
			errs = append(errs, n.remove())
		}
	}
	return errors.Join(errs...)
}

// Name returns the name the lab was built under.
func (l *Lab) Name() string { return l.name }

// Node returns the node of that name ("controller-0", "client", "server-1"),
// nil when there is none.
func (l *Lab) Node(name string) *Node {
	for _, n := range l.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

// Controller returns controller i, counted from zero.
func (l *Lab) Controller(i int) *Node { return l.nodes[i] }

// Controllers returns all controllers in order.
func (l *Lab) Controllers() []*Node { return l.nodes[:l.spec.Controllers] }

// Client returns the client node.
func (l *Lab) Client() *Node { return l.nodes[l.spec.Controllers] }

// Server returns origin server i, counted from zero.
func (l *Lab) Server(i int) *Node { return l.nodes[l.spec.Controllers+1+i] }

// Servers returns all origin servers in order.
func (l *Lab) Servers() []*Node { return l.nodes[l.spec.Controllers+1:] }
