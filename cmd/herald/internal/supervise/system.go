package supervise

import (
	"context"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/lifecycle"
)

// Process is a role process that was started.
type Process interface {
	Pid() int
	Peer() *ipc.Peer
	// Kill ends it at once; more than once does no harm.
	Kill()
	// Wait waits for its end and says how it came: "exit status 1", "killed".
	Wait() string
}

// Listener is the listening sockets of one address.
type Listener interface {
	Descriptors() []int
	// Grow opens more sockets until there are n.
	Grow(n int) error
	Close()
}

// Script is a command that may be run.
type Script interface {
	Run(ctx context.Context, more ...string) ipc.ScriptResult
}

// System is what the parent needs of the system. Every function is called
// from one goroutine but a Script's Run.
type System struct {
	Start func(role ipc.Name) (Process, error)
	// Listen opens sockets; shared says that this process holds others on the
	// same port.
	Listen func(spec ipc.Socket, shared bool) (Listener, error)
	// Port is the TCP port of a socket, 0 for others.
	Port func(ipc.Socket) uint16
	// Outward makes sockets to connect from in a network namespace. Nil makes
	// none.
	Outward func(ipc.Outward) ([]int, error)
	// Prepare checks a script; the error says why it must not be run.
	Prepare func(ipc.Script) (Script, error)
	// Watch reads tracked files and calls changed, from any goroutine, when a
	// number does. An error names what could not be written; the rest is
	// watched. Nil counts every file as missing.
	Watch func(files []ipc.File, changed func(ipc.Files)) (now ipc.Files, stop func(), err error)
	// Follow calls changed, from any goroutine, with the files whose contents
	// change. Nil follows none.
	Follow func(files ipc.Follow, changed func(ipc.Contents)) (stop func(), err error)
	// Count counts running processes and calls changed, from any goroutine,
	// when a number changes. Nil counts none.
	Count    func(programs []ipc.Program, changed func(ipc.Counts)) (now ipc.Counts, stop func(), err error)
	Withdraw func([]ipc.Address) error
	// Clear removes what else the VRRP role put into the kernel.
	Clear func(ipc.Belongings) error
	// Remember keeps what the VRRP role holds for the next daemon, should this
	// one and its roles be killed; nothing is kept of nothing. Nil keeps none.
	Remember func([]ipc.Address, ipc.Belongings) error
	// Notify tells the service manager ("READY=1").
	Notify   func(state string)
	WritePid func(path string) (remove func(), err error)
}

// Options say what to supervise.
type Options struct {
	Roles   []ipc.Name
	Version string
	Node    string
	// Held and Belongings are what a daemon before, killed with all its
	// processes, left in the kernel; nil for nothing.
	Held       []ipc.Address
	Belongings ipc.Belongings
	// Began is told every process that begins to serve; nil for nobody.
	Began func(name ipc.Name, pid int)
	// Log takes a line for the operator; it must not wait.
	Log func(line string)
	// Times is lifecycle.Defaults when zero.
	Times lifecycle.Config
	// Tick is how often heartbeats are counted, 1 s when 0.
	Tick time.Duration
}
