package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stateDir keeps what later commands need to know of labs left running.
const stateDir = "/run/herald-lab"

// state is the file of a detached lab.
type state struct {
	Name    string
	Spec    Spec
	Setup   Setup
	Engines []Engine
	Nodes   map[string]int // name -> first process
	Procs   []started
}

type started struct {
	Node, Name string
	PID        int
}

func stateFile(name string) string { return filepath.Join(stateDir, name+".json") }

// save writes the state of a detached cluster.
func (c *Cluster) save() error {
	s := state{Name: c.name, Spec: c.spec, Setup: c.Setup, Engines: c.Engines, Nodes: map[string]int{"fabric": c.fabric.pid}}
	for _, n := range c.nodes {
		s.Nodes[n.name] = n.pid
		for _, p := range n.running() {
			s.Procs = append(s.Procs, started{n.name, p.Name, p.PID()})
		}
	}
	b, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(stateDir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(stateFile(c.name), b, 0o600)
}

// Open returns the detached cluster of that name, built by another process.
// Its Down leaves it alone; Remove takes it away.
func Open(name string) (*Cluster, error) {
	b, err := os.ReadFile(stateFile(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no lab %q is up: herald lab up", name)
	}
	var s state
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return nil, fmt.Errorf("open lab %s: %w", name, err)
	}
	l := &Lab{name: name, spec: s.Spec}
	if l.fabric, err = s.open(plan{name: "fabric"}); err != nil {
		return nil, err
	}
	for _, p := range topology(s.Spec) {
		n, err := s.open(p)
		if err != nil {
			return nil, err
		}
		n.fabric = l.fabric
		l.nodes = append(l.nodes, n)
	}
	for _, p := range s.Procs {
		if n := l.Node(p.Node); n != nil && slices.Contains(n.pids(), p.PID) {
			if err := n.adopt(p.Name, p.PID); err != nil && !errors.Is(err, syscall.ESRCH) {
				return nil, err
			}
		}
	}
	if l.ledger, err = follow(l.Controllers()); err != nil {
		return nil, err
	}
	return &Cluster{Lab: l, Setup: s.Setup, Engines: s.Engines, Binary: heraldPath(s.Spec)}, nil
}

// open makes a node of its first process, if that is still what it was.
func (s state) open(p plan) (*Node, error) {
	n := &Node{name: p.name, ports: p.ports, pid: s.Nodes[p.name], stays: true}
	n.dir = fmt.Sprintf("/proc/%d/root", n.pid)
	if !slices.Contains(leftovers(s.Name), n.pid) {
		return nil, fmt.Errorf("lab %s is not whole: the first process of %s is gone (herald lab down removes the rest)", s.Name, p.name)
	}
	return n, n.openNamespaces()
}

// leftovers returns the first processes of the lab of that name, whoever built
// it.
func leftovers(name string) []int {
	prefix := title(name, "")
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var pids []int
	for _, d := range dirs {
		line, err := os.ReadFile(filepath.Join(d, "cmdline"))
		if err != nil || !strings.HasPrefix(string(line), prefix) {
			continue
		}
		if _, rest, ok := strings.Cut(string(line), "\x00"); ok && strings.HasPrefix(rest, "lab\x00"+nodeCommand+"\x00") {
			pid, _ := strconv.Atoi(filepath.Base(d))
			pids = append(pids, pid)
		}
	}
	return pids
}

// Remove takes away a detached lab, or what a crash left of one: its first
// processes, and the kernel with them the rest. It returns how many nodes
// there were.
func Remove(name string) (int, error) {
	pids := leftovers(name)
	var errs []error
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("end first process %d: %w", pid, err))
		}
	}
	errs = append(errs, gone(name))
	if err := os.Remove(stateFile(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, err)
	}
	return len(pids), errors.Join(errs...)
}

// gone waits until no first process of a lab is left; the kernel ends all of
// a namespace before its first process.
func gone(name string) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if len(leftovers(name)) == 0 {
			return nil
		}
		<-tick.C
	}
	return fmt.Errorf("lab %s: first processes %v do not end", name, leftovers(name))
}
