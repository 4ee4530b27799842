package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Proc is a program started on a node.
type Proc struct {
	Name string
	node *Node
	cmd  *exec.Cmd // nil when another process started it
	self *os.Process
	out  string // file on the node
	done chan struct{}
	err  error // set before done is closed
}

// Start runs a program on the node in a session of its own; argv[0] is
// looked up there. What it prints is kept in /run/lab/NAME.out.
func (n *Node) Start(name string, argv ...string) (*Proc, error) {
	if n.stays {
		return n.leave(name, argv)
	}
	p := &Proc{Name: name, node: n, out: labDir + "/" + name + ".out", done: make(chan struct{})}
	err := n.on(everything, func() error {
		out, err := os.OpenFile(p.out, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		defer out.Close()
		p.cmd = exec.Command(argv[0], argv[1:]...)
		p.cmd.Stdout, p.cmd.Stderr = out, out
		p.cmd.Env = environment()
		p.cmd.Dir = "/"
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return p.cmd.Start()
	})
	if err != nil {
		return nil, fmt.Errorf("start %s on %s: %w", name, n.name, err)
	}
	p.self = p.cmd.Process
	n.keep(p)
	go p.wait()
	return p, nil
}

func (n *Node) keep(p *Proc) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.procs = append(n.procs, p)
}

// leave starts a program on a node that outlives this process: as an orphan,
// whom the node's own first process reaps. A zombie nobody reaps would look
// alive to `killall -0`.
func (n *Node) leave(name string, argv []string) (*Proc, error) {
	out := labDir + "/" + name + ".out"
	args := append([]string{"sh", "-c", `out=$1; shift; setsid "$@" >>"$out" 2>&1 </dev/null & echo $!`, "sh", out}, argv...)
	said, err := n.Exec(args...)
	if err != nil {
		return nil, err
	}
	inside := strings.TrimSpace(said)
	for _, pid := range n.pids() {
		if countInside(pid) == inside {
			if err := n.adopt(name, pid); err != nil {
				return nil, err
			}
			return n.proc(name), nil
		}
	}
	return nil, fmt.Errorf("start %s on %s: it ended at once: %s", name, n.name, printed(n, out))
}

func printed(n *Node, file string) string {
	s, _ := n.ReadFile(file)
	return strings.TrimSpace(s)
}

// adopt makes a Proc of a program another process started on the node.
func (n *Node) adopt(name string, pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("process %d of %s: %w", pid, n.name, err)
	}
	self, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	p := &Proc{Name: name, node: n, self: self, out: labDir + "/" + name + ".out", done: make(chan struct{})}
	n.keep(p)
	go p.watch(fd)
	return nil
}

// watch waits for the end of a program that is not our child: its pidfd
// becomes readable.
func (p *Proc) watch(pidfd int) {
	defer unix.Close(pidfd)
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1)
		if err != unix.EINTR {
			break
		}
	}
	close(p.done)
}

// environment of programs on nodes: the machine's, with a complete path.
func environment() []string {
	return append(os.Environ(), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
}

func (p *Proc) wait() {
	p.err = p.cmd.Wait()
	close(p.done)
}

// Done is closed when the program has ended.
func (p *Proc) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the program and returns how it ended, as
// exec.Cmd.Wait does.
func (p *Proc) Wait() error { <-p.done; return p.err }

// Running reports whether the program has not ended yet.
func (p *Proc) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// PID returns the process number as the host counts.
func (p *Proc) PID() int { return p.self.Pid }

// Signal sends a signal to the program, not to its children.
func (p *Proc) Signal(s syscall.Signal) error { return p.self.Signal(s) }

// Output returns what the program printed so far on both outputs.
func (p *Proc) Output() string { return printed(p.node, p.out) }

// Exec runs a program on the node to its end and returns both its outputs.
func (n *Node) Exec(argv ...string) (string, error) {
	var buf bytes.Buffer
	var cmd *exec.Cmd
	err := n.on(everything, func() error {
		cmd = exec.Command(argv[0], argv[1:]...)
		cmd.Env, cmd.Dir = environment(), "/"
		cmd.Stdout, cmd.Stderr = &buf, &buf
		return cmd.Start()
	})
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		err = fmt.Errorf("%s on %s: %w: %s", strings.Join(argv, " "), n.name, err, strings.TrimSpace(buf.String()))
	}
	return buf.String(), err
}

func (n *Node) running() []*Proc {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.procs), func(p *Proc) bool { return !p.Running() })
}

// Signal sends a signal to every program started on the node that runs.
func (n *Node) Signal(s syscall.Signal) error {
	for _, p := range n.running() {
		if err := p.Signal(s); err != nil {
			return fmt.Errorf("signal %s on %s: %w", p.Name, n.name, err)
		}
	}
	return nil
}

// Kill9All kills every process of the node at once, as a power cut would,
// except that the kernel goes on with the addresses it has.
func (n *Node) Kill9All() error {
	if err := unix.Kill(n.pid, unix.SIGUSR1); err != nil {
		return fmt.Errorf("kill all of %s: %w", n.name, err)
	}
	for _, p := range n.running() {
		<-p.done
	}
	return nil
}

// Process is a process of a node, started by the lab or by a daemon there.
type Process struct {
	PID  int // as the host counts: syscall.Kill takes it
	Args []string
}

// Processes lists the processes of the node, its first left out.
func (n *Node) Processes() []Process {
	var list []Process
	for _, pid := range n.pids() {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && len(line) > 0 { // else it has ended
			list = append(list, Process{pid, strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")})
		}
	}
	return list
}

// pids returns the processes of the node as the host counts, its first left
// out.
func (n *Node) pids() []int {
	own, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", n.pid))
	if err != nil {
		return nil
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var list []int
	for _, d := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(d))
		if ns, err := os.Readlink(d + "/ns/pid"); err == nil && ns == own && pid != n.pid {
			list = append(list, pid)
		}
	}
	return list
}

// countInside returns the number of a process in its innermost namespace, from
// the NSpid line of proc_pid_status(5).
func countInside(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(text), "\nNSpid:")
	line, _, _ := strings.Cut(rest, "\n")
	f := strings.Fields(line)
	if len(f) == 0 {
		return ""
	}
	return f[len(f)-1]
}

// KillWhere sends a signal to the processes of the node whose command line,
// joined by blanks, contains text, and returns how many there were.
func (n *Node) KillWhere(text string, s syscall.Signal) int {
	hits := 0
	for _, p := range n.Processes() {
		if strings.Contains(strings.Join(p.Args, " "), text) && syscall.Kill(p.PID, s) == nil {
			hits++
		}
	}
	return hits
}
