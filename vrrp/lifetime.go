package vrrp

import (
	"time"

	"herald/vrrp/fsm"
	"herald/vrrp/settings"
)

// renewEvery is how often the lifetime of an instance's addresses is renewed
// at most.
const renewEvery = 250 * time.Millisecond

// lifetime is how long the addresses of an instance outlive its last
// advertisement when nobody takes them away: until its successor has them,
// in the whole seconds the kernel counts. 0 is forever.
func (s *Server) lifetime(in *instance) time.Duration {
	if !s.cfg.AddressLifetime {
		return 0
	}
	down := in.fsm.MasterDown(in.state.Priority)
	return (down + time.Second - 1).Truncate(time.Second)
}

// mortal splits the addresses: an owner's belong to the machine, and those
// nobody tracks to whoever removed them.
func (in *instance) mortal() (mortal, lasting []settings.Address) {
	for _, a := range in.desired() {
		if in.cfg.Priority == ownerPriority || a.NoTrack {
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
	now := time.Now()
	if !s.cfg.AddressLifetime || in.state.Kind != fsm.Master || now.Sub(in.renewed) < renewEvery {
		return
	}
	in.renewed = now
	s.renewing = append(s.renewing, in)
}

// renewNow renews what was noted in this turn.
func (s *Server) renewNow() {
	if len(s.renewing) == 0 {
		return
	}
	lists := map[time.Duration][]settings.Address{}
	for _, in := range s.renewing {
		if in.state.Kind == fsm.Master && in.claiming == 0 {
			mortal, _ := in.mortal()
			lists[s.lifetime(in)] = append(lists[s.lifetime(in)], mortal...)
		}
	}
	s.renewing = s.renewing[:0]
	s.hands.do(func(k Kernel) func() {
		var failed []error
		for lifetime, list := range lists {
			if err := k.Renew(list, lifetime); err != nil {
				failed = append(failed, err)
			}
		}
		return func() {
			for _, err := range failed {
				s.log.Warn(err.Error())
			}
		}
	})
}
