package fsm

import (
	"fmt"
	"net/netip"
	"time"
)

// Cause is why a state was entered.
type Cause uint8

// Causes. RFC 6527 vrrpv3StatisticsNewMasterReason calls Silence
// masterNoResponse, PeerLeft priority and Preempted preempted.
const (
	Started   Cause = iota // began as backup
	OwnsThem               // began as owner of the addresses
	Silence                // no advertisement for the master down interval
	PeerLeft               // the master resigned
	Preempted              // we took over from a master of lower priority
	Outranked              // a better router is master
	Failed                 // a fault
	Recovered              // the fault is gone
	Stopped                // asked to stop
	Slept                  // this process stood still for too long
	Rival                  // a lesser router advertises as master
	Led                    // another member of the sync group became master
	Yielded                // another member of the sync group gave way
	Drained                // told to hold nothing
	Undrained              // told to take part again
)

// Transition tells one change of state, or for a Note what was noticed.
type Transition struct {
	From, To     Kind
	Cause        Cause
	Peer         netip.Addr // the other router, when there is one
	PeerPriority uint8
	Priority     uint8         // ours
	For          time.Duration // how long silence or stillness lasted
	Detail       string        // the name of the fault
}

// String returns why in words: "no response from 10.1.1.21 for 3.6s".
func (t Transition) String() string {
	switch t.Cause {
	case Started:
		return "started"
	case OwnsThem:
		return "started as owner of the addresses"
	case Silence:
		if !t.Peer.IsValid() {
			return fmt.Sprintf("no master heard for %v", round(t.For))
		}
		return fmt.Sprintf("no response from %v for %v", t.Peer, round(t.For))
	case PeerLeft:
		return fmt.Sprintf("%v resigned", t.Peer)
	case Preempted:
		return fmt.Sprintf("preempted %v with priority %d, ours %d", t.Peer, t.PeerPriority, t.Priority)
	case Outranked:
		return fmt.Sprintf("%v has priority %d, ours %d", t.Peer, t.PeerPriority, t.Priority)
	case Failed:
		return t.Detail
	case Recovered:
		return "fault cleared"
	case Stopped:
		return "stopped"
	case Slept:
		return fmt.Sprintf("stood still for %v, listening before speaking", round(t.For))
	case Rival:
		return fmt.Sprintf("%v advertises priority %d, ours %d: answered", t.Peer, t.PeerPriority, t.Priority)
	case Led:
		return fmt.Sprintf("together with %s of its sync group", t.Detail)
	case Yielded:
		return fmt.Sprintf("%s of its sync group is master no more", t.Detail)
	case Drained:
		return "drained"
	case Undrained:
		return "undrained"
	}
	return fmt.Sprintf("cause %d", t.Cause)
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Second)
}
