// Package fsm is the VRRP state machine as one pure function.
//
// Step takes a configuration, a state, the time and an event, and returns the
// next state with what is to be done, in the order of its effects. It owns no
// timer and no socket, reads no clock, logs nothing and never sees a packet
// that was refused (package wire says which). State is a comparable value: a
// reload keeps it, Save hands it to another process, a test starts from it.
//
// It follows RFC 3768 section 6.4 with the clarifications of RFC 9568 section
// 6.4, and goes beyond them where those leave two nodes racing or clients
// waiting: the skew breaks ties between equal priorities, a master that was
// stalled longer than its master down interval steps back before it says a
// word, a master that leaves keeps its addresses until its successor has
// announced itself, and one whose priority sinks calls an election at once.
//
//	s, todo := fsm.Step(cfg, fsm.State{}, now, fsm.Start{Priority: 100})
//	for {
//		carryOut(todo)
//		select {
//		case adv := <-adverts:
//			s, todo = fsm.Step(cfg, s, now, fsm.Advert{Peer: adv.From, Priority: adv.Priority})
//		case <-at(s.Deadline):
//			s, todo = fsm.Step(cfg, s, now, fsm.Timer{})
//		}
//	}
package fsm

import (
	"math/bits"
	"net/netip"
	"time"
)

// Owner is the priority of the router that owns the addresses (RFC 3768
// section 5.3.4).
const Owner = 255

// Config is what the state machine needs to know of an instance.
type Config struct {
	Own      netip.Addr    // source address of our advertisements
	Interval time.Duration // Advertisement_Interval
	// SkewBase is what Skew_Time is a share of: 1 s in version 2, which zero
	// means, the master's interval in version 3.
	SkewBase time.Duration
	// DownAdverts is how many intervals a master may be silent; zero means 3.
	DownAdverts int
	NoPreempt   bool
	// LowerPrioNoAdvert leaves a lesser master unanswered;
	// HigherPrioSendAdvert advertises once more before giving way to a better
	// one.
	LowerPrioNoAdvert, HigherPrioSendAdvert bool
	// PreemptDelay is how long a master of lower priority is left alone.
	PreemptDelay time.Duration
	// VirtualMAC says that the addresses are at the virtual router's hardware
	// address: the first frame of a successor moves the traffic to it, and one
	// of ours after it would move it back.
	VirtualMAC bool
	// StartupDelay is the least time spent as backup after Start.
	StartupDelay time.Duration
}

// Kind is the state of RFC 3768 section 6.4, and two more.
type Kind uint8

// Kinds of state. Fault is keepalived's: the instance cannot take part.
// Leaving is a master that has resigned and keeps answering until another
// node has taken over; it ends in Initialize, or in Backup when it only yields.
const (
	Initialize Kind = iota
	Backup
	Master
	Fault
	Leaving
)

var kindNames = [...]string{"INIT", "BACKUP", "MASTER", "FAULT", "LEAVING"}

// String returns the name in capitals, as keepalived logs it.
func (k Kind) String() string { return kindNames[k] }

// State is everything an instance remembers. The zero value is a router that
// was never started.
type State struct {
	Kind     Kind
	Priority uint8 // effective priority, 1..255
	// Deadline is when Timer is due; zero means never.
	Deadline time.Time
	// Holding says that our addresses are on the interface.
	Holding bool
	// Peer is the router whose advertisement was heard last, and its priority.
	Peer         netip.Addr
	PeerPriority uint8
	Heard        Heard
	// PeerInterval is the interval of the master we follow in version 3
	// (Active_Adver_Interval of RFC 9568 section 6.1); zero means ours.
	PeerInterval time.Duration
	// HeardAt is when a master was last accepted, or when waiting began.
	HeardAt time.Time
	// PreemptAt ends the preempt delay; zero means none runs.
	PreemptAt time.Time
	// NotBefore ends the startup delay.
	NotBefore time.Time
	// Drained says that the router holds nothing and takes nothing over.
	Drained bool
	// Yielding says that a master gives way on purpose: it still answers for a
	// moment after its successor was heard, and stays as backup.
	Yielding bool
	// Since and Why tell the last transition.
	Since time.Time
	Why   Transition
}

// Heard is what the last advertisement meant to a backup; it becomes the
// reason of the next transition.
type Heard uint8

// Values of Heard.
const (
	Nobody      Heard = iota
	AMaster           // one we follow
	Resignation       // priority 0
	Lesser            // a master of lower priority, to be preempted
)

// leaveSlack is what a leaving master grants its successor beyond the longest
// skew; leaveGrace is how long it still answers after hearing the successor,
// whose addresses and announcements come after its advertisement.
const (
	leaveSlack = 200 * time.Millisecond
	leaveGrace = 50 * time.Millisecond
)

func (c Config) grace() time.Duration {
	if c.VirtualMAC {
		return leaveGrace / 10
	}
	return leaveGrace
}

func (c Config) skewBase() time.Duration {
	if c.SkewBase == 0 {
		return time.Second
	}
	return c.SkewBase
}

// skew is Skew_Time (RFC 3768 section 6.1) plus a tie break. The tie break is
// less than the step between two priorities, so it never reorders them; it
// takes the last byte of our address with its bits reversed, so that
// neighbouring addresses are far apart.
func (c Config) skew(priority uint8) time.Duration {
	step := c.skewBase() / 256
	slot := time.Duration(0)
	if c.Own.IsValid() {
		raw := c.Own.AsSlice()
		slot = time.Duration(bits.Reverse8(raw[len(raw)-1]))
	}
	return time.Duration(256-int(priority))*step + slot*step/256
}

// MasterDown is Master_Down_Interval (RFC 3768 section 6.1) for a priority:
// how long a backup of it waits for a master.
func (c Config) MasterDown(priority uint8) time.Duration {
	n := c.DownAdverts
	if n == 0 {
		n = 3
	}
	return time.Duration(n)*c.Interval + c.skew(priority)
}

// following is the configuration of a backup whose master advertises at an
// interval of its own.
func (c Config) following(interval time.Duration) Config {
	if interval > 0 {
		c.Interval, c.SkewBase = interval, interval
	}
	return c
}

// stalled reports whether a master has been silent so long that every backup
// of our priority has given it up: it has to listen before it speaks.
func (c Config) stalled(s State, now time.Time) bool {
	lastSent := s.Deadline.Add(-c.Interval)
	return s.Kind == Master && now.Sub(lastSent) > c.MasterDown(s.Priority)
}

// outranks reports whether a peer wins against us: a higher priority, or the
// same with the higher address (RFC 3768 section 6.4.3).
func (c Config) outranks(peer netip.Addr, peerPriority, own uint8) bool {
	return peerPriority > own || peerPriority == own && peer.Compare(c.Own) > 0
}
