package supervise

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/lifecycle"
)

// Supervisor is the parent. Everything but the channels belongs to the
// goroutine in Run.
type Supervisor struct {
	opt     Options
	sys     System
	machine *lifecycle.Machine
	calls   chan func()
	done    chan struct{} // closed when Run has ended
	began   time.Time

	roles   map[lifecycle.ID]*role
	sockets map[string]Listener
	specs   map[string]ipc.Socket // of sockets
	held    []ipc.Address         // by the VRRP role
	// belongings are what else it has put into the kernel, nil when nothing.
	belongings ipc.Belongings
	state      []byte                  // of the VRRP role, to go on from
	stateAt    time.Time               // when it was reported
	memory     []byte                  // of the proxy role, to go on from
	newest     lifecycle.ID            // of the proxy's processes that began; 0 for none
	tallies    map[lifecycle.ID][]byte // what each of them has counted
	facts      json.RawMessage         // the VRRP instances
	parts      *ipc.Parts              // of the proxy, nil until told
	partsOf    lifecycle.ID            // who told them
	starts     map[ipc.Name]int        // by a restart
	last       map[ipc.Name]string     // why a role died last

	// place is the network namespace of VRRP, by name; nil until it is known.
	place *string
	begun bool // a VRRP role was told to begin

	changing bool // a start or reload is under way: findings are collected
	findings []ipc.Finding
	waiting  chan Result // of a reload somebody waits for; nil when none

	asks        map[uint64]*ask
	dumps       map[uint64]chan json.RawMessage
	lastAsk     uint64
	former      notices // of the VRRP role before
	lanes       map[string]*lane
	idle        chan struct{} // not nil while the end waits for the lanes
	scripts     sync.WaitGroup
	scriptsLive context.Context // ends when the parent ends
	unpid       func()
	rest        bool            // the VRRP role holds nothing
	resting     []chan struct{} // of those who wait until it does
	code        int
	ended       bool
}

// role is one process with what the parent remembers of it.
type role struct {
	id       lifecycle.ID
	name     ipc.Name
	process  Process
	began    time.Time
	ready    *ipc.ReadyRequest // not nil from READY on
	serving  bool              // was told to begin
	failed   string            // its last words
	took     []lifecycle.ID    // whose counts it was given, until it tells them
	keys     []string          // of the sockets it was lent
	outward  map[string]bool   // network namespaces it named
	unwatch  func()            // ends the watch of its files; nil without one
	uncount  func()            // ends the count of its processes; nil without one
	declared []Script          // nil where one was refused
	running  []atomic.Bool     // by script; cleared by the script's goroutine
	notices  notices
	life     context.Context // of lasting scripts; ends when the process is gone
	end      context.CancelFunc
	// successor begins when this one has told what it counted; 0 for none.
	successor lifecycle.ID
}

// New returns a supervisor that has started nothing.
func New(opt Options, sys System) *Supervisor {
	if opt.Times == (lifecycle.Config{}) {
		opt.Times = lifecycle.Defaults
	}
	if opt.Tick == 0 {
		opt.Tick = time.Second
	}
	var roles []lifecycle.Role
	for _, name := range opt.Roles {
		roles = append(roles, roleOf(name))
	}
	return &Supervisor{opt: opt, sys: sys, held: opt.Held, belongings: opt.Belongings, machine: lifecycle.New(opt.Times, roles...),
		calls: make(chan func(), 256), done: make(chan struct{}), roles: map[lifecycle.ID]*role{},
		sockets: map[string]Listener{}, specs: map[string]ipc.Socket{},
		lanes: map[string]*lane{}, tallies: map[lifecycle.ID][]byte{},
		starts: map[ipc.Name]int{}, last: map[ipc.Name]string{}, asks: map[uint64]*ask{},
		dumps: map[uint64]chan json.RawMessage{}}
}

func roleOf(n ipc.Name) lifecycle.Role {
	if n == ipc.VRRP {
		return lifecycle.VRRP
	}
	return lifecycle.Proxy
}

func nameOf(r lifecycle.Role) ipc.Name {
	if r == lifecycle.VRRP {
		return ipc.VRRP
	}
	return ipc.Proxy
}

// Run starts the roles and supervises them until ctx ends and all are gone.
// It returns the exit code: 0, or 1 when the start failed. It is called once.
func (s *Supervisor) Run(ctx context.Context) int {
	var stopScripts context.CancelFunc
	s.scriptsLive, stopScripts = context.WithCancel(context.Background())
	defer close(s.done)
	defer s.cleanUp()
	defer stopScripts()
	s.began = time.Now()
	tick := time.NewTicker(s.opt.Tick)
	defer tick.Stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop := ctx.Done()
	s.changing = true
	s.step(lifecycle.Begin{})
	for !s.ended {
		s.arm(timer)
		select {
		case <-stop:
			stop = nil
			s.sys.Notify("STOPPING=1")
			s.log("stopping: the VRRP role resigns, then the proxy drains")
			s.step(lifecycle.Stop{})
		case call := <-s.calls:
			call()
		case <-tick.C:
			s.drainCalls() // a heartbeat that waits here is not missing
			s.step(lifecycle.Tick{})
		case <-timer.C:
			s.drainCalls()
			s.step(lifecycle.Timer{})
		}
	}
	s.finishLanes()
	return s.code
}

// arm sets timer to the next time the machine wants to be called.
func (s *Supervisor) arm(timer *time.Timer) {
	timer.Stop()
	if next := s.machine.Next(); !next.IsZero() {
		timer.Reset(max(time.Until(next), 0))
	}
}

// drainCalls does what waits already.
func (s *Supervisor) drainCalls() {
	for !s.ended {
		select {
		case call := <-s.calls:
			call()
		default:
			return
		}
	}
}

// cleanUp gives back what outlives the roles.
func (s *Supervisor) cleanUp() {
	s.scripts.Wait()
	for key := range s.sockets {
		s.closeSocket(key)
	}
	if s.unpid != nil {
		s.unpid()
	}
}

// call has Run's goroutine run f; false when Run has ended.
func (s *Supervisor) call(f func()) bool {
	select {
	case s.calls <- f:
		return true
	case <-s.done:
		return false
	}
}

func (s *Supervisor) log(format string, args ...any) {
	if s.opt.Log != nil {
		s.opt.Log(fmt.Sprintf(format, args...))
	}
}

// Result is what a reload came to.
type Result struct {
	Findings []ipc.Finding `json:"findings,omitempty"`
	// Failed is why the old configuration goes on; empty on success.
	Failed string `json:"failed,omitempty"`
}

// Reload starts a new generation of every role beside the old and waits for
// the outcome.
func (s *Supervisor) Reload(ctx context.Context) Result {
	answer := make(chan Result, 1)
	if !s.call(func() { s.reload(answer) }) {
		return Result{Failed: "herald has ended"}
	}
	select {
	case r := <-answer:
		return r
	case <-ctx.Done():
		return Result{Failed: "the outcome was not waited for: " + ctx.Err().Error()}
	case <-s.done:
		return Result{Failed: "herald has ended"}
	}
}

func (s *Supervisor) reload(answer chan Result) {
	if s.changing {
		answer <- Result{Failed: "another start or reload is under way"}
		return
	}
	s.changing, s.findings, s.waiting = true, nil, answer
	s.sys.Notify("RELOADING=1")
	s.step(lifecycle.Reload{})
}

// Kill ends every role without waiting when they were told to stop before:
// for an operator who asks twice.
func (s *Supervisor) Kill() { s.call(func() { s.step(lifecycle.Stop{}) }) }
