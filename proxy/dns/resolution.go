package dns

import (
	"net/netip"
	"time"
)

// Config is what a resolvers section, and a server, say about a resolution
// (Configuration manual 5.3.2).
type Config struct {
	First   Type          // SRV, or the family asked for first
	Servers int           // nameservers that are asked at a time
	Retries int           // times a question without any answer is asked, at least 1
	Resolve time.Duration // from one resolution to the next
	Retry   time.Duration // until a question without an answer is asked again
	Hold    Hold
}

// Hold is how long what was known stays in force.
type Hold struct {
	// Valid is how long another server may use an answer without asking.
	Valid time.Duration
	// Obsolete is how long a record stays that is not in the answers any more.
	Obsolete time.Duration
	// After the last valid answer, while questions end in these ways.
	NX, Timeout, Refused, Other time.Duration
}

// Status is how the last resolution ended.
type Status int

// Statuses; StatusNone is before the first end.
const (
	StatusNone Status = iota
	StatusValid
	StatusNX
	StatusTimeout
	StatusRefused
	StatusOther
)

// Record is one address, or one service.
type Record struct {
	Addr   netip.Addr // of A and AAAA
	Target string     // of SRV: a name in lower case, without the last dot
	Port   uint16
	Weight uint16
	Seen   time.Time // when it was last in an answer
}

// same tells whether two records are of one place.
func (r Record) same(o Record) bool {
	return r.Addr == o.Addr && r.Target == o.Target && r.Port == o.Port
}

// State is one resolution.
type State struct {
	Asking  bool
	Type    Type      // asked for now, or last
	Round   int       // of the question that waits for replies
	Left    int       // times it may still be asked
	Bad     int       // nameservers that answered this round without records
	Worst   Verdict   // the last error of this family; Valid is none
	Began   time.Time // the resolution under way, or the last
	Next    time.Time // when Step wants to be called
	Status  Status
	Valid   time.Time // last valid answer; at first the start
	Records []Record  // newest order: those that stay before those that came
}

// Event is a moment: a reply of the round, or just the time when Reply is nil.
type Event struct {
	Reply *Reply
	Round int
}

// Do is what follows from a step: Ask sends a question of State.Type to every
// nameserver, Settled has Status or Records to look at.
type Do struct {
	Ask, Settled bool
}

// Start answers a resolution that begins at once.
func Start(c Config, now time.Time) State {
	return State{Type: c.First, Next: now, Valid: now}
}

// Step answers the state after e.
func Step(c Config, s State, now time.Time, e Event) (State, Do) {
	if e.Reply != nil {
		if !s.Asking || e.Round != s.Round || e.Reply.Verdict == Foreign {
			return s, Do{}
		}
		return s.heard(c, now, e.Reply)
	}
	switch {
	case now.Before(s.Next):
		return s, Do{}
	case !s.Asking:
		s.Type, s.Left, s.Began, s.Worst = c.First, c.Retries, now, Valid
		return s.ask(c, now)
	case s.Worst != Valid:
		return s.poor(c, now)
	case s.Left > 0:
		return s.ask(c, now)
	}
	return s.end(c, now, StatusTimeout)
}

func (s State) ask(c Config, now time.Time) (State, Do) {
	s.Asking, s.Bad = true, 0
	s.Round++
	s.Left--
	s.Next = now.Add(c.Retry)
	return s, Do{Ask: true}
}

// heard takes the first good reply; bad ones count when every nameserver has
// sent one, since another may know better.
func (s State) heard(c Config, now time.Time, r *Reply) (State, Do) {
	if r.Verdict == Valid {
		s.Valid = now
		s.Records = merge(s.Records, r.Records, now, c.Hold.Obsolete)
		return s.end(c, now, StatusValid)
	}
	if r.Verdict != Silent {
		s.Worst = r.Verdict
	}
	if s.Bad++; s.Bad < c.Servers || s.Worst == Valid { // without a word from anybody the round is waited out
		return s, Do{}
	}
	return s.poor(c, now)
}

// poor goes on after a round that brought errors: with the other family of
// addresses, once.
func (s State) poor(c Config, now time.Time) (State, Do) {
	if other := s.Type.other(); s.Type == c.First && other != s.Type {
		s.Type, s.Left, s.Worst = other, max(s.Left, 1), Valid
		return s.ask(c, now)
	}
	return s.end(c, now, s.Worst.status())
}

// other is the other family of addresses.
func (t Type) other() Type {
	switch t {
	case A:
		return AAAA
	case AAAA:
		return A
	}
	return t
}

func (v Verdict) status() Status {
	switch v {
	case NX:
		return StatusNX
	case Refused:
		return StatusRefused
	}
	return StatusOther
}

func (s State) end(c Config, now time.Time, status Status) (State, Do) {
	s.Asking, s.Status = false, status
	s.Next = s.Began.Add(c.Resolve)
	if s.Next.Before(now) {
		s.Next = now
	}
	if s.Next.Equal(now) { // nameservers that fail at once are not asked in a ring
		s.Next = now.Add(c.Retry)
	}
	return s, Do{Settled: true}
}

// Expired reports whether what was known before the last resolution failed is
// not in force any more.
func (s State) Expired(c Config, now time.Time) bool {
	hold := c.Hold.Other
	switch s.Status {
	case StatusNone, StatusValid:
		return false
	case StatusNX:
		hold = c.Hold.NX
	case StatusTimeout:
		hold = c.Hold.Timeout
	case StatusRefused:
		hold = c.Hold.Refused
	}
	return !now.Before(s.Valid.Add(hold))
}

// Fresh reports whether a server that asks later may use the records as they
// are.
func (s State) Fresh(c Config, now time.Time) bool {
	return s.Status == StatusValid && now.Before(s.Valid.Add(c.Hold.Valid))
}

// merge answers the records of old that are in fresh or not obsolete yet, and
// then the rest of fresh, each place once.
func merge(old, fresh []Record, now time.Time, obsolete time.Duration) []Record {
	var out []Record
	find := func(list []Record, r Record) int {
		for i := range list {
			if list[i].same(r) {
				return i
			}
		}
		return -1
	}
	for _, r := range old {
		if i := find(fresh, r); i >= 0 {
			r.Weight, r.Seen = fresh[i].Weight, now
		}
		if r.Seen.Equal(now) || now.Before(r.Seen.Add(obsolete)) {
			out = append(out, r)
		}
	}
	for _, r := range fresh {
		if find(out, r) < 0 {
			r.Seen = now
			out = append(out, r)
		}
	}
	return out
}

// Why is HAProxy's word in the log for a status that took a server down.
func (s Status) Why() string {
	switch s {
	case StatusNX:
		return "DNS NX status"
	case StatusTimeout:
		return "DNS timeout status"
	case StatusRefused:
		return "DNS refused status"
	}
	return "unspecified DNS error"
}
