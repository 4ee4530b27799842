package fsm

import (
	"net/netip"
	"time"
)

// Event is one thing that happened to an instance: one of the types below.
type Event interface{ event() }

// Start begins or begins again.
type Start struct {
	Priority uint8
	// Holding says that our addresses are on the interface already, left by a
	// predecessor: they are kept until a master is heard.
	Holding bool
}

// Stop ends. A master resigns and keeps its addresses until a successor is
// heard or the time for one is over; a second Stop does not wait.
type Stop struct{}

// Drain says that this router is to hold nothing until Undrain: a master
// resigns, keeps its addresses until a successor is heard or the time for one
// is over, and stays backup.
type Drain struct{}

// Undrain ends Drain: the router takes part again as one that just started.
type Undrain struct{}

// Advert is an accepted advertisement of another router.
type Advert struct {
	Peer     netip.Addr
	Priority uint8
	// Interval is the sender's in version 3, which a backup adopts; zero in
	// version 2.
	Interval time.Duration
}

// Timer says that the deadline has passed.
type Timer struct{}

// Priority changes the effective priority.
type Priority struct{ Value uint8 }

// Faulty says that the instance cannot take part, and why.
type Faulty struct{ Reason string }

// Clear says that every fault is gone.
type Clear struct{}

// Reconfigure says that the Config given to Step is a new one. Addresses says
// that the list of addresses changed.
type Reconfigure struct {
	Priority  uint8
	Addresses bool
}

// Lead makes a backup master because another member of its sync group, named,
// became master.
type Lead struct{ Member string }

// Yield makes a master backup because another member of its sync group gave
// way. It resigns: whoever the other member gave way to takes the rest of the
// group too, and no backup has to wait for three intervals.
type Yield struct{ Member string }

// Hold says that the deadline has passed, and that the master is alive all the
// same: another member of the sync group, named, hears it. Taking over would
// only take the rest of the group from it and lose it again.
type Hold struct{ Member string }

// Rally says that another member of the sync group saw a rival: the
// neighbours' tables may be wrong for our addresses too.
type Rally struct{}

func (Lead) event()        {}
func (Yield) event()       {}
func (Rally) event()       {}
func (Hold) event()        {}
func (Start) event()       {}
func (Stop) event()        {}
func (Advert) event()      {}
func (Timer) event()       {}
func (Priority) event()    {}
func (Faulty) event()      {}
func (Clear) event()       {}
func (Reconfigure) event() {}
func (Drain) event()       {}
func (Undrain) event()     {}

// Verb is what an Action asks for.
type Verb uint8

// Verbs.
const (
	SendAdvert       Verb = iota // with Priority
	ClaimAddresses               // make the interface carry exactly our addresses
	ReleaseAddresses             // remove them, and forget announcements
	Announce                     // gratuitous ARP for every address
	AnnounceRival                // the same after a rival was seen: more often
	Report                       // a transition to log, count and keep
	Note                         // something to log that changes no state
)

var verbNames = [...]string{"send", "claim", "release", "announce", "announce-rival", "report", "note"}

// String returns the verb in lower case.
func (v Verb) String() string { return verbNames[v] }

// Action is one thing to do. The order of actions is the order of effects: a
// master advertises, then has the addresses, then announces them.
type Action struct {
	Verb     Verb
	Priority uint8      // of SendAdvert
	Told     Transition // of Report and Note
}
