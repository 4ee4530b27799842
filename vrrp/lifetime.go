package vrrp

import (
	"time"

	"herald/vrrp/fsm"
	"herald/vrrp/settings"
)

const (
	// renewEvery is how often an instance that advertises often is renewed.
	renewEvery = 200 * time.Millisecond
	// renewPause is the least time between two renewals of any: instances that
	// advertised meanwhile are renewed together.
	renewPause = 5 * time.Millisecond
	// earlyEnd is how much too early the kernel may take an address away
	// (ADDRCONF_TIMER_FUZZ_MINUS is 20 ms), and we be late to renew it.
	earlyEnd = 100 * time.Millisecond
	// untilScripts is how long what a predecessor left may wait for the first
	// answer of a script before the election begins.
	untilScripts = 10 * time.Second
)

// renewals are the lifetimes to be renewed. They belong to the loop.
type renewals struct {
	list []*instance // that have advertised since the last time
	last time.Time
	busy bool // under way
}

// lifetime is how long the addresses of an instance outlive its last
// advertisement when nobody takes them away: a moment longer than the others'
// patience, in the whole seconds the kernel counts. 0 is forever.
func (s *Server) lifetime(in *instance) time.Duration {
	if s.cfg.LastingAddresses {
		return 0
	}
	d := in.fsm.MasterDown(in.state.Priority) + earlyEnd
	if in.fsm.Interval < renewEvery { // the last renewal is older than the last advertisement
		d += renewEvery
	}
	return wholeSeconds(d)
}

func wholeSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}

// mortal splits the addresses: an owner's belong to the machine, static ones
// have no master, and those nobody tracks are whoever's removed them.
func (in *instance) mortal() (mortal, lasting []settings.Address) {
	for _, a := range in.desired() {
		if in.cfg.Priority == ownerPriority || in.id < 0 || a.NoTrack {
			lasting = append(lasting, a)
		} else {
			mortal = append(mortal, a)
		}
	}
	return mortal, lasting
}

// renew notes that an instance has advertised: its addresses live on from
// here, as the others' patience does.
func (s *Server) renew(in *instance) {
	if in.renewing || s.cfg.LastingAddresses || in.state.Kind != fsm.Master {
		return
	}
	if in.fsm.Interval >= renewEvery || time.Since(in.renewed) >= renewEvery {
		in.renewing = true
		s.renewals.list = append(s.renewals.list, in)
	}
}

// nextRenewal is when renewNow has something to do; zero means not now.
func (s *Server) nextRenewal() time.Time {
	if len(s.renewals.list) == 0 || s.renewals.busy {
		return time.Time{}
	}
	return s.renewals.last.Add(renewPause)
}

// renewNow renews what was noted when it is time to. A kernel that is busy is
// not asked twice.
func (s *Server) renewNow(now time.Time) {
	at := s.nextRenewal()
	if at.IsZero() || now.Before(at) {
		return
	}
	lists := map[time.Duration][]settings.Address{}
	for _, in := range s.renewals.list {
		in.renewing = false
		if in.state.Kind == fsm.Master && in.claiming == 0 {
			mortal, _ := in.mortal()
			lifetime := s.lifetime(in)
			lists[lifetime] = append(lists[lifetime], mortal...)
			in.renewed = now
		}
	}
	s.renewals = renewals{list: s.renewals.list[:0], last: now, busy: true}
	s.hands.do(func(k Kernel) func() {
		var failed []error
		for lifetime, list := range lists {
			if err := k.Renew(list, lifetime); err != nil {
				failed = append(failed, err)
			}
		}
		return func() {
			s.renewals.busy = false
			for _, err := range failed {
				s.log.Warn(err.Error())
			}
		}
	})
}

// keepAdopted gives the addresses a predecessor left the time until we take
// them over, if nobody else does.
func (s *Server) keepAdopted(in *instance) {
	if s.cfg.LastingAddresses || len(in.held) == 0 {
		return
	}
	wait := untilScripts + in.fsm.MasterDown(in.state.Priority)
	if !in.state.Deadline.IsZero() {
		wait = time.Until(in.state.Deadline)
	}
	lifetime := wholeSeconds(wait + time.Second)
	var list []settings.Address
	mortal, _ := in.mortal()
	for _, a := range mortal {
		if s.snap.Has(a) {
			list = append(list, a)
		}
	}
	s.hands.do(func(k Kernel) func() {
		err := k.Renew(list, lifetime)
		return func() {
			if err != nil {
				s.log.Warn(err.Error())
			}
		}
	})
}

// whyGone says what removed addresses we hold.
func (s *Server) whyGone(in *instance) string {
	if lifetime := s.lifetime(in); lifetime > 0 && time.Since(in.renewed) >= lifetime-earlyEnd {
		return "outlived its lifetime while this node stood still, putting it back"
	}
	return "was removed by somebody else, putting it back (systemd-networkd: KeepConfiguration=yes)"
}
