// Package check decides what a health check's result means for a server: up,
// down, how soon to ask again, and which lines HAProxy's users expect in their
// logs.
//
// It opens no connection and reads no clock. The engine performs a check when
// State.Next has come, gives the Result to Step, and carries out the Actions.
//
//	s := check.Start(c, now, 0)
//	// at s.Next: connect ...
//	s, acts := check.Step(c, s, time.Now(), check.Event{Kind: check.Checked,
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
	// LogAll is option log-health-checks.
	LogAll bool
}

// Status is the outcome of a check, in HAProxy's words (Management Guide 9.1,
// field 36).
type Status int

// Outcomes of a check.
const (
	UNK Status = iota
	INI
	SOCKERR
	L4OK
	L4TOUT
	L4CON
	L6OK
	L6TOUT
	L6RSP
	L7OK
	L7OKC
	L7TOUT
	L7RSP
	L7STS
	PROCERR
	PROCTOUT
	PROCOK
)

// Result is one finished check.
type Result struct {
	Status   Status
	Code     int           // of an L7 check; 0 means none
	Info     string        // "Connection refused"
	Duration time.Duration // from its start
}

// Kind is what an Event tells.
type Kind int

// Events. The administrative ones are the verbs of the runtime API.
const (
	Checked      Kind = iota // a check finished: Event.Result
	SetReady                 // set server state ready; enable server
	SetDrain                 // set server state drain
	SetMaint                 // set server state maint; disable server
	ForceUp                  // set server health up
	ForceNoLB                // set server health stopping
	ForceDown                // set server health down
	EnableCheck              // enable health
	DisableCheck             // disable health
)

// Event is one thing that happened to a server.
type Event struct {
	Kind   Kind
	Result Result // of Checked
	// Chance in [0,1) varies the next pause (spread-checks); 0.5 leaves it.
	Chance float64
}

// Op is the operational state of a server, numbered as `show servers state`
// does.
type Op int

// Operational states.
const (
	Stopped Op = iota
	Starting
	Running
	Stopping
)

// Admin is the administrative state of a server.
type Admin int

// Administrative states. Maint and Drain may both be set; Maint wins.
const (
	Ready Admin = 0
	Maint Admin = 1 << iota
	Drain
)

// State is everything remembered about one server's health. It is a plain
// comparable value: it crosses a reload as it is.
type State struct {
	Op    Op
	Admin Admin
	// Health counts from 0 (down for long) to Rise+Fall-1 (up for long); the
	// server is up from Rise on.
	Health int
	Last   Result
	// Off says that an operator switched the checks off.
	Off     bool
	Since   time.Time     // of the last change of status
	Next    time.Time     // of the next check; zero means none
	Down    time.Duration // spent down before Since
	Fails   uint64        // failed checks while up
	Downs   uint64        // transitions to down
	Checks  uint64        // finished checks
	Serving bool          // accepted new sessions at the last Step
}

// ActionKind is what an Action asks for.
type ActionKind int

// Actions of Step.
const (
	Log       ActionKind = iota // write Text at Level
	WentDown                    // on-marked-down: shut the server's sessions if so configured; send its queue elsewhere
	CameUp                      // take requests from the backend's queue
	LastOfAll                   // log BackendEmpty if the backend has no usable server left
)

// Action is one effect of a step; the slice's order is the order of effects.
type Action struct {
	Kind  ActionKind
	Level int // syslog severity of Log
	text  textKind
	Result
	Status string
}

type textKind int

// World is what the texts say about the backend after the change.
type World struct {
	Active, Backup int // usable servers left
	Sessions       int // of this server
	Requeued       int // connections moved from this server's queue
	Queued         int // left in the backend's queue
}

// Start answers the state of a server at startup. Share in [0,1) is the
// server's place in the first interval, so that a configuration's checks do not
// all start at once.
func Start(c Config, now time.Time, share float64) State { return start(c, now, share) }

// Step answers the state after e and what to do about it.
func Step(c Config, s State, now time.Time, e Event) (State, []Action) { return step(c, s, now, e) }

// Usable reports whether the server may be given new sessions.
func (s State) Usable() bool { return s.Op != Stopped && s.Op != Stopping && s.Admin == Ready }

// Status answers the word of the page and the CSV: "UP", "UP 1/3", "DOWN 1/2",
// "NOLB", "DRAIN", "MAINT", "no check".
func (s State) Status(c Config) string { return statusText(c, s) }

// Text answers the log line of a Log action.
func (a Action) Text(c Config, w World) string { return "" }

// BackendEmpty is the line HAProxy logs at level emerg when a backend has lost
// its last server.
func BackendEmpty(backend string) string {
	return "backend " + backend + " has no server available!"
}
