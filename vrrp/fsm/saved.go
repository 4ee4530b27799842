package fsm

import (
	"net/netip"
	"time"
)

// Saved is a State on its way to another process, whose clock starts
// elsewhere: times are durations from the moment of saving, negative in the
// past.
type Saved struct {
	Kind         Kind          `json:"kind"`
	Priority     uint8         `json:"priority"`
	Due          time.Duration `json:"due"` // 0 with no deadline
	Holding      bool          `json:"holding"`
	Peer         netip.Addr    `json:"peer"`
	PeerPriority uint8         `json:"peer_priority"`
	Heard        Heard         `json:"heard"`
	HeardAt      time.Duration `json:"heard_at"`
	PeerInterval time.Duration `json:"peer_interval,omitempty"`
	PreemptAt    time.Duration `json:"preempt_at,omitempty"`
	NotBefore    time.Duration `json:"not_before,omitempty"`
	Drained      bool          `json:"drained,omitempty"`
	Yielding     bool          `json:"yielding,omitempty"`
	Since        time.Duration `json:"since"`
	Why          Transition    `json:"why"`
}

// Save returns the state as seen at now.
func (s State) Save(now time.Time) Saved {
	rel := func(t time.Time) time.Duration {
		if t.IsZero() {
			return 0
		}
		if d := t.Sub(now); d != 0 {
			return d
		}
		return -1
	}
	return Saved{Kind: s.Kind, Priority: s.Priority, Due: rel(s.Deadline), Holding: s.Holding,
		Peer: s.Peer, PeerPriority: s.PeerPriority, Heard: s.Heard, HeardAt: rel(s.HeardAt), PeerInterval: s.PeerInterval,
		PreemptAt: rel(s.PreemptAt), NotBefore: rel(s.NotBefore), Drained: s.Drained, Yielding: s.Yielding, Since: rel(s.Since), Why: s.Why}
}

// Restore returns the state of v for a process whose clock says now.
func (v Saved) Restore(now time.Time) State {
	abs := func(d time.Duration) time.Time {
		if d == 0 {
			return time.Time{}
		}
		return now.Add(d)
	}
	return State{Kind: v.Kind, Priority: v.Priority, Deadline: abs(v.Due), Holding: v.Holding,
		Peer: v.Peer, PeerPriority: v.PeerPriority, Heard: v.Heard, HeardAt: abs(v.HeardAt), PeerInterval: v.PeerInterval,
		PreemptAt: abs(v.PreemptAt), NotBefore: abs(v.NotBefore), Drained: v.Drained, Yielding: v.Yielding, Since: abs(v.Since), Why: v.Why}
}
