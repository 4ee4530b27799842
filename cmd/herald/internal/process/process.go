// Package process starts the program itself again as a role, with one end of
// a socket pair.
//
// It gives the child standard error, nothing else that is open, and a process
// group of its own, so that a signal of the terminal reaches the parent alone.
// It sets no parent death signal: that one is sent when the thread that
// forked ends, which in a Go program may be any time, and a VRRP role that is
// killed cannot resign. A role sees the parent's end as the end of its socket.
//
//	p, err := process.Start([]string{"role", "vrrp"}, os.Environ())
//	report, err := p.Peer().Receive()
//	reason := p.Wait()
package process

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"

	"herald/cmd/herald/internal/ipc"
)

// self is this program, also when its file was replaced since: parent and
// roles are always of one version.
const self = "/proc/self/exe"

// Process is a role process. Its methods may be called from any goroutine;
// Wait from one.
type Process struct {
	cmd  *exec.Cmd
	peer *ipc.Peer
}

// Start starts this program with args.
func Start(args, env []string) (*Process, error) {
	peer, file, err := ipc.Pair()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd := &exec.Cmd{
		Path:        self,
		Args:        append([]string{"herald"}, args...),
		Env:         append(slices.Clone(env), ipc.Variable),
		Dir:         "/",
		Stderr:      os.Stderr,
		ExtraFiles:  []*os.File{file},
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := cmd.Start(); err != nil {
		peer.Close()
		return nil, fmt.Errorf("start %s: %w", self, err)
	}
	return &Process{cmd: cmd, peer: peer}, nil
}

// commMost is how much of a name the kernel keeps (TASK_COMM_LEN without its
// zero).
const commMost = 15

// Rename sets what ps and top call this process: "exe" says nothing.
func Rename(name string) error {
	if err := os.WriteFile("/proc/self/comm", []byte(name[:min(len(name), commMost)]), 0); err != nil {
		return fmt.Errorf("name the process %s: %w", name, err)
	}
	return nil
}

// Pid returns the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Peer returns the parent's side of the connection.
func (p *Process) Peer() *ipc.Peer { return p.peer }

// Kill sends SIGKILL, unless the process was waited for.
func (p *Process) Kill() { p.cmd.Process.Kill() }

// Wait waits for the end and describes it: "exit status 1", "signal: killed".
func (p *Process) Wait() string {
	p.cmd.Wait()
	return p.cmd.ProcessState.String()
}
