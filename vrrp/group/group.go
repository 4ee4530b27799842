// Package group turns what an instance tracks into its effective priority and
// its faults (keepalived.conf(5), track_script and track_interface).
//
// It runs no script and watches no interface: results come in as values. It
// does not decide who is master either; package fsm does.
//
//	count = count.Step(script.Rise, script.Fall, exitStatus == 0)
//	standing := group.Weigh(instance, verdicts, linkUp, seen)
//	if len(standing.Faults) > 0 { ... }
package group

import (
	"fmt"

	"herald/vrrp/settings"
)

// Verdict is what is known of a tracked source.
type Verdict uint8

// Verdicts. Unknown is a source that has not answered yet.
const (
	Unknown Verdict = iota
	Good
	Bad
)

// String returns the verdict in lower case.
func (v Verdict) String() string { return [...]string{"unknown", "good", "bad"}[v] }

// Count is the rise and fall counting of one script. The zero value has seen
// no result.
type Count struct {
	Verdict Verdict
	// Streak is how many results in a row disagreed with Verdict.
	Streak int
}

// Initial returns the count a script starts with: nothing known, or bad when
// the script says init_fail.
func Initial(s settings.Script) Count {
	if s.InitFail {
		return Count{Verdict: Bad}
	}
	return Count{}
}

// Step counts one result. The first result ever counts at once, whichever way;
// after that rise successes in a row make a source good and fall failures in a
// row make it bad. Values below 1 mean 1.
func (c Count) Step(rise, fall int, ok bool) Count {
	next, need := Bad, fall
	if ok {
		next, need = Good, rise
	}
	switch {
	case c.Verdict == Unknown:
		return Count{Verdict: next}
	case c.Verdict == next:
		return Count{Verdict: next}
	case c.Streak+1 >= need:
		return Count{Verdict: next}
	}
	return Count{Verdict: c.Verdict, Streak: c.Streak + 1}
}

// Standing is what tracking makes of an instance.
type Standing struct {
	Priority uint8 // effective, 1..255
	// Faults name every reason the instance cannot take part, in
	// configuration order; empty when it can.
	Faults []string
	// Waiting names the sources without weight that have not answered yet: an
	// instance starts only after they have.
	Waiting []string
}

// owner is the priority that tracking never changes.
const owner = 255

// Weigh adds up what an instance tracks. verdicts holds the tracked scripts by
// name; one that is not in it is undefined and ignored, as keepalived does. up
// tells whether an interface exists and is up.
//
// A source with weight 0 makes a fault while it is bad. A positive weight is added while the source is good, a negative
// one while it is bad; reverse turns the sign, and with weight 0 the meaning.
// The sum stays within 1..254, and the owner's 255 never changes.
func Weigh(in settings.Instance, verdicts map[string]Verdict, up func(name string) bool, seen Seen) Standing {
	sum := int(in.Priority)
	var faults, waiting []string
	if !in.DontTrackPrimary && !up(in.Interface) {
		faults = append(faults, fmt.Sprintf("interface %s is down", in.Interface))
	}
	for _, t := range in.Tracks {
		v, defined := verdicts[t.Source]
		if !defined {
			continue
		}
		add, fault := weigh(v, t.Weight, t.Reverse)
		sum += add
		if t.Weight == 0 && v == Unknown {
			waiting = append(waiting, t.Source)
		} else if fault {
			faults = append(faults, fmt.Sprintf("script %s fails", t.Source))
		}
	}
	for _, t := range in.TrackInterfaces {
		v := Bad
		if up(t.Name) {
			v = Good
		}
		add, fault := weigh(v, t.Weight, t.Reverse)
		sum += add
		if fault {
			faults = append(faults, fmt.Sprintf("interface %s is %s", t.Name, map[Verdict]string{Good: "up", Bad: "down"}[v]))
		}
	}
	for _, w := range in.Watched {
		add, fault, wait := seen.weigh(w)
		sum += add
		if fault != "" {
			faults = append(faults, fault)
		}
		if wait {
			waiting = append(waiting, w.Name)
		}
	}
	if in.Priority == owner {
		return Standing{Priority: owner, Faults: faults, Waiting: waiting}
	}
	return Standing{Priority: uint8(min(max(sum, 1), owner-1)), Faults: faults, Waiting: waiting}
}

func weigh(v Verdict, weight int, reverse bool) (add int, fault bool) {
	sign, bad := 1, Bad
	if reverse {
		sign, bad = -1, Good
	}
	switch {
	case weight == 0:
		return 0, v == bad
	case weight > 0 && v == Good, weight < 0 && v == Bad:
		return sign * weight, false
	}
	return 0, false
}
