// Package check decides what a health check's result means for a server: up,
// down, how soon to ask again, and which lines HAProxy's users expect in their
// logs.
//
// It opens no connection and reads no clock. The engine performs a check when
// State.Next has come, gives the Result to Step, and carries out the Actions
// after it has told the balancer, because the texts count the servers left.
//
//	s := check.Start(c, now, 0)
//	// at s.Next: connect ...
//	s, acts := check.Step(c, s, now, check.Event{Kind: check.Checked,
//		Result: check.Result{Status: check.L4CON, Info: "Connection refused"}})
//	group.Set(i, lb.Server{Weight: w, Backup: b, Usable: s.Usable()})
//	for _, a := range acts {
//		if a.Kind == check.Log {
//			log(a.Level, a.Text(c, world))
//		}
//	}
package check

import "time"

// Config is what the configuration says about one server's check.
type Config struct {
	Backend, Server string
	Backup          bool
	// Enabled is "check" on the server line; without it the server is always
	// up unless an operator says otherwise.
	Enabled  bool
	Disabled bool // "disabled" on the server line: starts in maintenance
	Rise     int  // consecutive successes that bring it up, at least 1
	Fall     int  // consecutive failures that take it down, at least 1
	// Inter is the pause between checks; Fast while the state is changing,
	// Down while the server is down; 0 of these two means Inter.
	Inter, Fast, Down time.Duration
	// Spread is global spread-checks: a share in percent by which each pause
	// varies.
	Spread int
	// MaxSpread bounds the time over which first checks are spread; 0 means
	// Inter does.
	MaxSpread time.Duration
	// LogAll is option log-health-checks.
	LogAll bool
	// SlowStart is how long a server that comes up takes to get its whole
	// weight; 0 means none.
	SlowStart time.Duration
	// Agent is agent-check; AgentInter the pause between its checks.
	Agent      bool
	AgentInter time.Duration
	// Via is the server that is followed ("track"), as "backend/server"; empty
	// for none. FollowsCheck says that it is a checked one, whose Rise and Fall
	// these are.
	Via          string
	FollowsCheck bool
	// OnError is on-error, of a server that is observed.
	OnError OnError
}

func (c Config) full() int { return c.Rise + c.Fall - 1 }

// Result is one finished check.
type Result struct {
	Status   Status
	Code     int           // of an L7 check; 0 means none
	Info     string        // "Connection refused"
	Duration time.Duration // from its start
}

// Kind is what an Event tells.
type Kind int

// Events. The administrative ones are the verbs of the runtime API; those of
// health are ignored in maintenance.
const (
	Checked        Kind = iota // a check finished: Event.Result
	SetReady                   // set server state ready; enable server
	SetDrain                   // set server state drain
	SetMaint                   // set server state maint; disable server
	ForceUp                    // set server health up
	ForceNoLB                  // set server health stopping
	ForceDown                  // set server health down
	EnableCheck                // enable health
	DisableCheck               // disable health
	Warmed                     // a step of slowstart is due
	AgentChecked               // the agent was asked: Event.Result, Event.Agent
	EnableAgent                // enable agent
	DisableAgent               // disable agent
	ForceAgentUp               // set server agent up
	ForceAgentDown             // set server agent down
	Followed                   // the server that is followed has changed: Event.Lead
	Erred                      // traffic met errors: Errors
	Located                    // the server's name has an address again: Name
	Unlocated                  // it has none any more: Why, which may be empty at start
)

// Event is one thing that happened to a server.
type Event struct {
	Kind   Kind
	Result Result // of Checked, AgentChecked and Erred
	Agent  Answer // of AgentChecked
	Lead   Lead   // of Followed
	Name   string // of Located
	Why    string // of Unlocated
	// Chance in [0,1) varies the next pause (spread-checks); 0.5 leaves it.
	Chance float64
}

// Op is the operational state of a server, numbered as `show servers state`
// does.
type Op int

// Operational states. Starting is that of slowstart.
const (
	Stopped Op = iota
	Starting
	Running
	Stopping
)

// Admin is the administrative state of a server: bits, numbered as `show
// servers state` does. Maint wins over Drain.
type Admin int

// Administrative bits; no bit is ready.
const (
	Maint       Admin = 1
	MaintByLead Admin = 2 // the server that is followed is in maintenance
	ConfigMaint Admin = 4 // beside Maint: the file says "disabled"
	Drain       Admin = 8
	DrainByLead Admin = 16
	NoAddress   Admin = 32 // the name has no address: in maintenance until it has
	// NamedBySRV is shown only: the name came from an SRV record.
	NamedBySRV Admin = 64
)

// State is everything remembered about one server's health. It is a plain
// comparable value: it crosses a reload as it is.
type State struct {
	Op    Op
	Admin Admin
	// Health counts from 0 (down for long) to Rise+Fall-1 (up for long); a
	// server that is checked is up from Rise on.
	Health int
	Last   Result
	LeadOp Op // of the server that is followed
	// Off says that an operator switched the checks off.
	Off    bool
	Since  time.Time     // of the last change of Op or Admin
	Next   time.Time     // of the next check; zero means none
	Down   time.Duration // spent down before Since
	Fails  uint64        // failed checks while up
	Downs  uint64        // transitions to down
	Checks uint64        // finished checks
	Agent  AgentState
}

// Usable reports whether the server may be given new sessions.
func (s State) Usable() bool {
	return (s.Op == Running || s.Op == Starting) && s.Admin == 0
}

// Checking reports whether checks are to be performed now.
func (s State) Checking(c Config) bool {
	return c.Enabled && !s.Off && !s.inMaint()
}

// Downtime is how long the server has been down in all at now, maintenance
// included.
func (s State) Downtime(now time.Time) time.Duration {
	if s.Op != Stopped {
		return s.Down
	}
	return s.Down + now.Sub(s.Since)
}

// ActionKind is what an Action asks for.
type ActionKind int

// Actions of Step.
const (
	Log      ActionKind = iota // write Text at Level
	WentDown                   // end the sessions if on-marked-down says so; send the server's queue elsewhere
	CameUp                     // take requests from the backend's queue
)

// Action is one effect of a step; the slice's order is the order of effects.
type Action struct {
	Kind  ActionKind
	Level int // syslog severity of Log
	line  line
	// What the line tells of the moment: the check's result, the health, and
	// why the state changed.
	result  Result
	health  int
	agent   int
	cause   cause
	op      Op
	note    string // a name, or why there is no address
	drained bool
}
