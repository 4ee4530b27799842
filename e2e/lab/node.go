package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Node is one host of the lab: a first process that holds its namespaces, and
// whatever was started in them.
type Node struct {
	name   string
	ports  []port
	fabric *Node // where the other ends of the cables are
	pid    int   // of the first process, as the host counts
	dir    string
	stays  bool // the node outlives this process

	first *exec.Cmd      // nil in a lab opened by another process
	hold  io.WriteCloser // closing it ends the first process
	ns    map[int]*os.File

	mu    sync.Mutex
	procs []*Proc
}

// namespaces in the order they are entered; the mount namespace is last,
// because /proc changes with it.
var namespaces = []struct {
	flag int
	file string
}{
	{unix.CLONE_NEWUTS, "uts"}, {unix.CLONE_NEWIPC, "ipc"},
	{unix.CLONE_NEWPID, "pid"}, {unix.CLONE_NEWNET, "net"}, {unix.CLONE_NEWNS, "mnt"},
}

// order is what the first process of a node is told on its standard input.
type order struct {
	Name     string
	Programs []string
	Sysctl   map[string]string
	Detached bool
}

// title is the name a node's first process runs under: what leftovers are
// found by.
func title(lab, node string) string { return "herald-lab-" + lab + "-" + node }

// startNode starts the first process of a node in namespaces of its own and
// waits until its mounts are done.
func startNode(ctx context.Context, s Spec, p plan) (*Node, error) {
	cmd := exec.Command(s.Helper)
	cmd.Args = []string{title(s.Name, p.name), "lab", nodeCommand}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Setsid:     true,
	}
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	answer, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the first process of %s: %w", p.name, err)
	}
	n := &Node{name: p.name, ports: p.ports, pid: cmd.Process.Pid, first: cmd, hold: hold, stays: s.Detached}
	n.dir = fmt.Sprintf("/proc/%d/root", n.pid)
	o := order{Name: p.name, Programs: s.Programs, Detached: s.Detached}
	if strings.HasPrefix(p.name, "controller-") {
		o.Sysctl = s.Sysctl
	}
	stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() })
	defer stop()
	if err := n.introduce(o, answer); err != nil {
		return nil, errors.Join(fmt.Errorf("node %s: %w", p.name, err), n.remove())
	}
	return n, n.openNamespaces()
}

// introduce sends the order and waits for the word "ready".
func (n *Node) introduce(o order, answer io.Reader) error {
	if err := json.NewEncoder(n.hold).Encode(o); err != nil {
		return err
	}
	if o.Detached {
		n.hold.Close()
	}
	said, err := io.ReadAll(answer)
	if text := strings.TrimSpace(string(said)); text != "ready" {
		return fmt.Errorf("first process: %q (%v)", text, err)
	}
	return nil
}

func (n *Node) openNamespaces() error {
	n.ns = map[int]*os.File{}
	for _, s := range namespaces {
		f, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", n.pid, s.file))
		if err != nil {
			return fmt.Errorf("node %s: %w", n.name, err)
		}
		n.ns[s.flag] = f
	}
	return nil
}

// remove ends the first process, and the kernel with it every other process
// of the node.
func (n *Node) remove() error {
	for _, f := range n.ns {
		f.Close()
	}
	if n.first == nil {
		return nil
	}
	n.hold.Close()
	n.first.Process.Kill()
	n.first.Wait() // killed: its status says nothing
	for _, p := range n.running() {
		<-p.done
	}
	n.first = nil
	return nil
}

// Name returns the node's name, which is its host name too.
func (n *Node) Name() string { return n.name }

// Path returns where the host sees a file of the node.
func (n *Node) Path(file string) string { return filepath.Join(n.dir, file) }

// WriteFile writes a file of the node, making its directories. Only what the
// node has of its own (/etc, /run, /tmp, /var/lib/haproxy) is accepted: the
// rest belongs to the machine.
func (n *Node) WriteFile(file, content string) error {
	own := false
	for _, dir := range []string{"/etc/", "/run/", "/tmp/", "/var/lib/haproxy/"} {
		own = own || strings.HasPrefix(filepath.Clean(file), dir)
	}
	if !own {
		return fmt.Errorf("write %s on %s: not a directory of the node's own", file, n.name)
	}
	if err := os.MkdirAll(filepath.Dir(n.Path(file)), 0o755); err != nil {
		return err
	}
	return os.WriteFile(n.Path(file), []byte(content), 0o644)
}

// ReadFile reads a file of the node.
func (n *Node) ReadFile(file string) (string, error) {
	b, err := os.ReadFile(n.Path(file))
	return string(b), err
}

// Log returns the lines the node's programs sent to /dev/log so far, oldest
// first, without the priority and as they came otherwise.
func (n *Node) Log() []LogLine {
	text, err := n.ReadFile(logFile)
	if err != nil {
		return nil
	}
	var lines []LogLine
	for line := range strings.Lines(text) {
		if l, ok := parseLogLine(line); ok {
			lines = append(lines, l)
		}
	}
	return lines
}

// LogLine is one datagram a program of a node sent to its system logger.
type LogLine struct {
	At   time.Time // when it arrived
	From string    // "/dev/log", or the socket inside the chroot
	Text string    // with its leading <priority>
}

// Grep returns the log lines of the node that contain text.
func (n *Node) Grep(text string) []LogLine {
	var hits []LogLine
	for _, l := range n.Log() {
		if strings.Contains(l.Text, text) {
			hits = append(hits, l)
		}
	}
	return hits
}
