package group

import (
	"fmt"
	"time"

	"herald/vrrp/settings"
)

// Quorum is whether the right number of processes of one kind runs
// (keepalived.conf(5), vrrp_track_process). The zero value has not been told.
type Quorum struct {
	Verdict Verdict
	Running int
	// Due is when a change that has to last counts; zero when none waits.
	Due time.Time
}

// Step tells how many processes run now. What is told first counts at once;
// later a quorum gained or lost has to last for the delay of what changed it:
// ForkDelay when there are more processes than before, else TerminateDelay.
func (q Quorum) Step(p settings.TrackedProcess, now time.Time, running int) Quorum {
	before := q.Running
	q.Running = running
	next := quorate(p, running)
	switch {
	case q.Verdict == Unknown || q.Verdict == next:
		q.Verdict, q.Due = next, time.Time{}
	case q.Due.IsZero():
		delay := p.TerminateDelay
		if running > before {
			delay = p.ForkDelay
		}
		q.Due = now.Add(delay)
	}
	return q.Wait(p, now)
}

// Wait lets a change count that has lasted.
func (q Quorum) Wait(p settings.TrackedProcess, now time.Time) Quorum {
	if !q.Due.IsZero() && !now.Before(q.Due) {
		q.Verdict, q.Due = quorate(p, q.Running), time.Time{}
	}
	return q
}

func quorate(p settings.TrackedProcess, running int) Verdict {
	if running >= p.Quorum && (p.QuorumMax < 0 || running <= p.QuorumMax) {
		return Good
	}
	return Bad
}

// weigh is Seen.weigh of a process.
func (q Quorum) weigh(w settings.Watched) (add int, fault string, wait bool) {
	add, failed := weigh(q.Verdict, w.Weight, w.Reverse)
	if failed {
		fault = fmt.Sprintf("process %s is %v: %d run", w.Name, q.Verdict, q.Running)
	}
	return add, fault, w.Weight == 0 && q.Verdict == Unknown
}
