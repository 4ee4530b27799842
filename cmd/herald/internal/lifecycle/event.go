package lifecycle

import (
	"fmt"
	"time"
)

// Role is what a process does.
type Role int

// The roles.
const (
	Proxy Role = iota
	VRRP
)

// String returns the role's name.
func (r Role) String() string {
	if r == VRRP {
		return "vrrp"
	}
	return "proxy"
}

// ID numbers processes from 1 in the order of their start.
type ID int

// Fact is what is known about the proxy.
type Fact struct {
	Known, Serving bool
	Reason         string
}

// Event is something that happened: Begin, Reload, Stop, Prepared, Handed,
// Beat, Ended, Tick or Timer.
type Event interface{ event() }

// Begin is the start of the daemon.
type Begin struct{}

// Reload asks for a new generation of every role.
type Reload struct{}

// Stop asks for the end; a second one does not wait for anything.
type Stop struct{}

// Prepared says that a process is ready to begin.
type Prepared struct{ ID ID }

// Handed says that a VRRP process gave its last state.
type Handed struct{ ID ID }

// Beat is a heartbeat; the rest is the proxy's.
type Beat struct {
	ID      ID
	Serving bool
	Reason  string
}

// Ended says that a process is gone, or could not be started.
type Ended struct {
	ID     ID
	Reason string
}

// Tick comes once a second. Heartbeats are counted against ticks, not
// against the clock: when the whole machine stood still, nobody is late.
type Tick struct{}

// Timer says that the time of Next has come.
type Timer struct{}

func (Begin) event()    {}
func (Reload) event()   {}
func (Stop) event()     {}
func (Prepared) event() {}
func (Handed) event()   {}
func (Beat) event()     {}
func (Ended) event()    {}
func (Tick) event()     {}
func (Timer) event()    {}

// Action is something to do: Start, Go, Tell, Kill, Withdraw, Inform,
// Outcome, CloseUnused, Log or Finish.
type Action interface{ action() }

// Start starts a process of Role under ID.
type Start struct {
	Role Role
	ID   ID
}

// Go lets a prepared process begin.
type Go struct {
	ID ID
	// Crashed says that the state to go on from is the last one reported by a
	// process that died, not one handed over.
	Crashed bool
}

// Word is what a process can be told.
type Word int

// The words.
const (
	Drain Word = iota
	Resign
	Handover
)

// Tell tells a process to go. For a proxy Resign means to close everything.
type Tell struct {
	ID   ID
	Word Word
}

// Kill ends a process now.
type Kill struct {
	ID  ID
	Why string // empty when it is expected
}

// Withdraw takes away every address the VRRP role last said it held, if any,
// and forgets its state.
type Withdraw struct{ Why string }

// Inform passes a changed fact about the proxy to the VRRP role.
type Inform struct{ Fact Fact }

// Outcome is the end of a start or a reload; Failed is empty on success.
type Outcome struct {
	Reload bool
	Failed string
}

// CloseUnused closes the listening sockets no serving process asked for.
type CloseUnused struct{}

// Log is a line for the operator.
type Log struct{ Text string }

// Finish ends the daemon: every process is gone.
type Finish struct{ Code int }

func (Start) action()       {}
func (Go) action()          {}
func (Tell) action()        {}
func (Kill) action()        {}
func (Withdraw) action()    {}
func (Inform) action()      {}
func (Outcome) action()     {}
func (CloseUnused) action() {}
func (Log) action()         {}
func (Finish) action()      {}

// Config are the times and numbers of decisions.
type Config struct {
	ReadyTimeout time.Duration // from a start to READY
	// Resign bounds how long a VRRP role may take to resign or to hand over.
	Resign time.Duration
	// StopDrain bounds how long connections may go on after the daemon was
	// told to stop.
	StopDrain time.Duration
	// Close bounds how long a proxy may take to close everything.
	Close time.Duration
	// Orphaned is how long addresses stay without a VRRP role that answers for
	// them: another node takes over after about three advertisements, and two
	// must not hold them.
	Orphaned time.Duration
	// Window and Limit: so many deaths of the VRRP role in so long mean that
	// its addresses are taken away at once.
	Window time.Duration
	Limit  int
	// PauseFirst is the pause before the second restart in Window, doubled
	// for each after it up to PauseMost. The first restart is at once.
	PauseFirst, PauseMost time.Duration
	// SilentProxy, SilentVRRP and DeadProxy are numbers of seconds without a
	// heartbeat: then a proxy counts as not serving, a VRRP role is killed, a
	// proxy is killed.
	SilentProxy, SilentVRRP, DeadProxy int
	// NoRestart ends the daemon, with 1, when a role dies (keepalived -R).
	NoRestart bool
}

// Defaults are the times herald runs with.
var Defaults = Config{
	ReadyTimeout: 30 * time.Second,
	Resign:       3 * time.Second,
	StopDrain:    3 * time.Second,
	Close:        2 * time.Second,
	Orphaned:     3 * time.Second,
	Window:       10 * time.Second,
	Limit:        3,
	PauseFirst:   100 * time.Millisecond,
	PauseMost:    5 * time.Second,
	SilentProxy:  3,
	SilentVRRP:   3,
	DeadProxy:    30,
}

func logf(format string, args ...any) Action { return Log{fmt.Sprintf(format, args...)} }
