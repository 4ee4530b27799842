package settings

import (
	"time"

	"herald/config"
)

// ParamMatch says how the parameters of a process are compared
// (keepalived.conf(5), param_match).
type ParamMatch string

// Ways to compare parameters. NotCompared is a process known by its name, or
// with FullCommand by the first word of its command line.
const (
	NotCompared ParamMatch = ""
	Exact       ParamMatch = "exact"   // all of them, and no more
	Partial     ParamMatch = "partial" // the first ones are equal
	Initial     ParamMatch = "initial" // as Partial, and the last may be longer
)

// TrackedProcess is one vrrp_track_process: so many processes of a kind have
// to run.
type TrackedProcess struct {
	Pos    config.Pos
	Name   string
	Path   string   // the process's name, or the first word of its command line
	Params []string // of the command line, after the first word
	Match  ParamMatch
	// FullCommand compares the command line and not the name the kernel keeps.
	FullCommand bool
	Weight      int // 0 by default: FAULT without a quorum
	Reverse     bool
	Quorum      int // at least so many, 1
	QuorumMax   int // at most so many; -1 is no limit
	// ForkDelay is waited before a quorum that changed because of a new
	// process counts, TerminateDelay because of one that ended.
	ForkDelay, TerminateDelay time.Duration
	// InProcess is set when the process is HAProxy and herald runs the proxy
	// itself: its health answers, and no process is counted.
	InProcess bool
}
