package vrrp

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"herald/garp"
	"herald/stats"
	"herald/vrrp/fsm"
	"herald/vrrp/settings"
	"herald/vrrp/wire"
)

const (
	ownerPriority = 255
	historyLength = 32
	// claimAgain is how soon an address that could not be added is tried
	// again.
	claimAgain = time.Second
)

// instance is one virtual router under way. It belongs to the loop.
type instance struct {
	id     int // index in the configuration; the owner number of garp
	cfg    settings.Instance
	fsm    fsm.Config
	expect wire.Expect
	state  fsm.State
	source netip.Addr // of our advertisements
	port   *port
	ear    *port // nil when the port hears everybody
	// sequence is the highest number of an authentication header, heard or
	// sent.
	sequence uint32
	said     said
	before   heardBefore
	signed   uint64     // the last number of a trailer of ours
	marks    wire.Marks // of those of others

	together *together // nil outside a sync group

	other  *instance // the router of the other family; nil without one
	first  *instance // whose other this is; nil for one with a state
	second second    // what the other family says, of one that has first

	started  bool
	held     []settings.Address // on the interfaces because of us
	claimed  uint64             // job that added them last
	claiming int                // claim jobs under way
	resumed  bool               // from another process, and not claimed since
	renewed  time.Time          // when their lifetime began again
	renewing bool               // among the renewals
	reclaim  time.Time          // when to try a failed claim again
	routing  routing
	paces    map[string]garp.Pace // of garp_group, by interface; shared and never changed
	pending  fsm.Verb             // announcement waiting for the addresses
	waiting  bool                 // pending is valid
	resend   resend
	// waitingFor are scripts that have to answer before the instance starts.
	waitingFor []string

	counters     stats.VRRPCounters
	refused      [wire.Reasons]uint64
	sendFailures uint64
	history      []stats.Transition
	peers        peers
	probe        time.Time    // when to ask for a second holder
	lesser       time.Time    // when a master of lower priority was heard last
	rival        *stats.Rival // a second holder, nil when none is seen
	entered      time.Time    // when the state was entered, for the history
	limit        limiter
}

// resend is an advertisement the system refused; a zero at means none.
type resend struct {
	at       time.Time
	priority uint8
}

func newInstance(id int, cfg *settings.Config) *instance {
	c := cfg.Instances[id]
	in := &instance{id: id, cfg: c, limit: limiter{}}
	in.fsm = fsm.Config{Interval: c.AdvertInt, NoPreempt: c.NoPreempt, PreemptDelay: c.PreemptDelay, StartupDelay: cfg.StartupDelay,
		DownAdverts: c.DownAdverts, LowerPrioNoAdvert: c.LowerPrioNoAdvert, HigherPrioSendAdvert: c.HigherPrioSendAdvert}
	_, in.fsm.VirtualMAC = c.Own()
	if c.Version == 3 {
		in.fsm.SkewBase = c.AdvertInt // RFC 9568 section 6.1
	}
	in.expect = expectation(c)
	return in
}

// desired are the addresses of a master.
func (in *instance) desired() []settings.Address {
	return slices.Concat(in.cfg.Addresses, in.cfg.Excluded)
}

// gone reports whether nothing of the instance is left to be done.
func (in *instance) gone() bool {
	return in.state.Kind == fsm.Initialize && in.resend.at.IsZero() || !in.started
}

func (in *instance) plan() garp.Plan {
	g := in.cfg.Garp
	return garp.Plan{Repeat: g.Repeat, Delay: g.Delay, Refresh: g.Refresh, RefreshRepeat: g.RefreshRepeat,
		LowerPrioDelay: g.LowerPrioDelay, LowerPrioRepeat: g.LowerPrioRepeat, Interval: g.Interval, NAInterval: g.NAInterval,
		Extra: g.Extra, Keepers: in.keepers(), Paces: in.paces}
}

func targets(list []settings.Address) []garp.Target {
	t := make([]garp.Target, 0, len(list))
	for _, a := range list {
		t = append(t, garp.Target{Device: a.Device, Address: a.Prefix.Addr()})
	}
	return t
}

// prefix begins a log line: "(name) text".
func (in *instance) prefix(format string, args ...any) string {
	return "(" + in.cfg.Name + ") " + fmt.Sprintf(format, args...)
}

// count adds a refused packet to its RFC 2787 counter.
func (in *instance) count(r wire.Reason) {
	c := &in.counters
	c.RejectedPkts++
	switch r {
	case wire.BadTTL:
		c.IPTTLErrors++
	case wire.BadVersion:
		c.VersionErrors++
	case wire.BadType:
		c.InvalidTypePktsRcvd++
	case wire.BadLength:
		c.PacketLengthErrors++
	case wire.BadChecksum:
		c.ChecksumErrors++
	case wire.UnknownVRID:
		c.VRIDErrors++
	case wire.InvalidAuth:
		c.InvalidAuthType++
	case wire.AuthMismatch:
		c.AuthTypeMismatch++
	case wire.AuthFailure, wire.NoTrailer, wire.BadTrailer, wire.StaleTrailer, wire.UnknownKey, wire.BadTag, wire.Replayed:
		c.AuthFailures++
	}
}

// limiter keeps log lines that repeat from flooding: one a minute of a kind.
type limiter map[limitKey]time.Time

type limitKey int

const (
	limitSend limitKey = iota
	limitInterval
	limitAddresses
	limitRival
	limitAnnounce
	limitGone
	limitHold
	limitRouting
	limitRoutingGone
	limitAdd
	limitProbe
	limitSecond
	limitSecondSend
	limitRefuse // plus the wire.Reason; keep last
)

func (l limiter) allow(k limitKey) bool {
	now := time.Now()
	if last, told := l[k]; told && now.Sub(last) < time.Minute {
		return false
	}
	l[k] = now
	return true
}
