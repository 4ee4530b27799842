package check

import (
	"fmt"
	"strings"
)

// World is what the texts say about the backend after the change.
type World struct {
	Active, Backup int // usable servers left, as lb.Group.Counts has them
	Sessions       int // of this server
	Requeued       int // connections moved from or to this server's queue
	Queued         int // left in this server's queue
}

// line is one of the sentences.
type line int

const (
	lineCheck line = iota
	lineUp
	lineDown
	lineStopping
	lineStillDrained
	lineMaint
	lineMaintDown
	lineMaintLeft
	lineMaintToDrain
	lineDrain
	lineDrainLeft
	lineAgent
	lineMaintByLead
	lineDrainByLead
	lineLocated
	lineAnswered
)

// cause is why the state changed.
type cause int

const (
	fromCheck cause = iota
	fromCLI
	fromWarming
	fromAgent
	fromLead
	fromName
)

// Text answers the log line of a Log action, in HAProxy's words: monitoring
// matches them. W is the world after the change.
func (a Action) Text(c Config, w World) string {
	switch a.line {
	case lineCheck, lineAgent:
		return a.checkText(c)
	}
	who := "Server "
	if c.Backup {
		who = "Backup Server "
	}
	who += c.Backend + "/" + c.Server
	switch a.line {
	case lineUp:
		return who + " is UP" + a.why(c) + a.online(w)
	case lineDown:
		return who + " is DOWN" + a.why(c) + a.left(w)
	case lineStopping:
		return who + " is stopping" + a.why(c) + a.online(w)
	case lineStillDrained:
		return who + " remains in forced drain mode."
	case lineMaint:
		return who + " is going DOWN for maintenance" + a.via(c) + a.because() + a.left(w)
	case lineMaintDown:
		return who + " was DOWN and now enters maintenance" + a.via(c) + a.because() + "."
	case lineMaintLeft:
		return who + " is " + a.upDown() + "/READY (leaving " + a.forced() + "maintenance)."
	case lineMaintToDrain:
		return who + " is " + a.upDown() + "/DRAIN (leaving " + a.forced() + "maintenance)."
	case lineMaintByLead:
		return who + " is leaving forced maintenance but remains in maintenance via " + c.Via + "."
	case lineDrainByLead:
		return who + " is leaving forced drain but remains in drain mode via " + c.Via + "."
	case lineLocated:
		return who + " ('" + a.note + "') is " + a.upDown() + "/" + a.forDrain() + " (resolves again)."
	case lineAnswered:
		return who + " administratively READY thanks to valid DNS answer."
	case lineDrain:
		if a.op == Stopped {
			return who + " enters drain state" + a.via(c) + a.left(w)
		}
		return who + " enters drain state" + a.via(c) + a.online(w)
	case lineDrainLeft:
		if a.op == Stopped {
			return who + " is DOWN (leaving forced drain)."
		}
		return who + " is UP (leaving forced drain)."
	}
	return ""
}

func (a Action) via(c Config) string {
	if a.cause == fromLead {
		return " via " + c.Via
	}
	return ""
}

func (a Action) upDown() string {
	if a.op == Stopped {
		return "DOWN"
	}
	return "UP"
}

// forced is what an operator's word is called.
func (a Action) forced() string {
	if a.cause == fromLead {
		return ""
	}
	return "forced "
}

// why is the part between the new state and the counts. With option
// log-health-checks the line of the check has said it before.
func (a Action) why(c Config) string {
	switch {
	case a.cause == fromCLI:
		return ", changed from CLI"
	case a.cause == fromWarming:
		return ""
	case a.cause == fromLead:
		return " via " + c.Via
	case c.LogAll:
		return ""
	}
	return ", " + a.reason()
}

func (a Action) reason() string {
	var b strings.Builder
	b.WriteString("reason: " + a.result.Status.Description())
	if statuses[a.result.Status].coded {
		fmt.Fprintf(&b, ", code: %d", a.result.Code)
	}
	if a.result.Info != "" {
		fmt.Fprintf(&b, ", info: \"%s\"", Printable(a.result.Info))
	}
	if a.result.Status != HANA { // which took no time of its own
		fmt.Fprintf(&b, ", check duration: %dms", a.result.Duration.Milliseconds())
	}
	return b.String()
}

func (a Action) checkText(c Config) string {
	kind, outcome := "", "failed"
	if c.Backup {
		kind = "backup "
	}
	switch statuses[a.result.Status].verdict {
	case passed:
		outcome = "succeeded"
	case passedCond:
		outcome = "conditionally succeeded"
	}
	what, health, rise, fall := "Health", a.health, c.Rise, c.Fall
	if a.line == lineAgent {
		what, health, rise, fall = "Agent", a.agent, 1, 1
	}
	n, of, word := health, rise, "DOWN"
	if health >= rise {
		n, of, word = health-rise+1, fall, "UP"
	}
	return fmt.Sprintf("%s check for %sserver %s/%s %s, %s, status: %d/%d %s.",
		what, kind, c.Backend, c.Server, outcome, a.reason(), n, of, word)
}

func (w World) onBackup() string {
	if w.Active == 0 && w.Backup > 0 {
		return " Running on backup."
	}
	return ""
}

func (a Action) left(w World) string {
	return fmt.Sprintf(". %d active and %d backup servers left.%s %d sessions active, %d requeued, %d remaining in queue.",
		w.Active, w.Backup, w.onBackup(), w.Sessions, w.Requeued, w.Queued)
}

func (a Action) online(w World) string {
	return fmt.Sprintf(". %d active and %d backup servers online.%s %d sessions requeued, %d total in queue.",
		w.Active, w.Backup, w.onBackup(), w.Requeued, w.Queued)
}

// BackendEmpty is the line HAProxy logs at severity emerg (0), after that of
// the server, when a backend has just lost its last usable server. Listen says
// that the section is a listen.
func BackendEmpty(backend string, listen bool) string {
	kind := "backend"
	if listen {
		kind = "proxy"
	}
	return kind + " " + backend + " has no server available!"
}

// Status answers the word of the page and the CSV: "UP", "UP 1/3", "DOWN 1/2",
// "NOLB", "DRAIN", "MAINT", "no check".
func (s State) Status(c Config) string {
	checked := (c.Enabled || c.FollowsCheck) && !s.Off
	switch {
	case s.Admin&NoAddress != 0:
		return "MAINT (resolution)"
	case s.Admin&MaintByLead != 0:
		return "MAINT (via " + c.Via + ")"
	case s.Admin&Maint != 0:
		return "MAINT"
	}
	if s.Op == Stopped {
		if s.agentDown(c) {
			return "DOWN (agent)"
		}
		if checked && s.Health > 0 {
			return fmt.Sprintf("DOWN %d/%d", s.Health, c.Rise)
		}
		return "DOWN"
	}
	word := "UP"
	switch {
	case s.Op == Stopping:
		word = "NOLB"
	case s.inDrain():
		word = "DRAIN"
		if s.AgentChecking(c) {
			return "DRAIN (agent)"
		}
	case !checked:
		return "no check"
	}
	if checked && s.Health < c.full() {
		return fmt.Sprintf("%s %d/%d", word, max(s.Health-c.Rise+1, 0), c.Fall)
	}
	return word
}

// Header answers the word X-Haproxy-Server-State begins with: "UP", "UP 1/3",
// "DOWN 1/2", "NOLB".
func (s State) Header(c Config) string {
	switch {
	case s.Admin&Maint != 0:
		return "MAINT"
	case s.Op == Stopped && s.Health > 0:
		return fmt.Sprintf("DOWN %d/%d", s.Health, c.Rise)
	case s.Op == Stopped:
		return "DOWN"
	}
	word := "UP"
	if s.Op == Stopping {
		word = "NOLB"
	}
	if s.Health < c.full() {
		return fmt.Sprintf("%s %d/%d", word, max(s.Health-c.Rise+1, 0), c.Fall)
	}
	return word
}
