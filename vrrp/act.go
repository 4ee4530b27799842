package vrrp

import (
	"slices"
	"strings"
	"time"

	"herald/vrrp/fsm"
	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// step lets an instance decide and carries out what it says, in order.
func (s *Server) step(in *instance, e fsm.Event) { s.stepAt(time.Now(), in, e) }

func (s *Server) stepAt(now time.Time, in *instance, e fsm.Event) {
	next, actions := fsm.Step(in.fsm, in.state, now, e)
	s.stirred = s.stirred || len(actions) > 0 || next.Kind != in.state.Kind
	in.state = next
	s.soon(next.Deadline)
	for _, a := range actions {
		switch a.Verb {
		case fsm.SendAdvert:
			s.send(in, a.Priority)
			s.sendSecond(in, a.Priority)
			s.renew(in)
		case fsm.ClaimAddresses:
			s.claim(in)
		case fsm.ReleaseAddresses:
			s.release(in)
		case fsm.Announce, fsm.AnnounceRival:
			s.announce(in, a.Verb)
		case fsm.Report:
			s.report(in, a.Told)
		case fsm.Note:
			s.tellNote(in, a.Told)
			if in.limit.allow(limitRival) {
				s.log.Warn(in.prefix("%v", a.Told))
			}
		}
	}
	s.follow(in, actions)
}

// timers steps every instance whose deadline has passed. Its socket is read
// first: an advertisement that waits there may have moved the deadline.
func (s *Server) timers() {
	now := time.Now()
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	s.pass++
	for _, in := range s.instances {
		if in.state.Kind == fsm.Master && !in.state.Deadline.IsZero() && due(in.state.Deadline.Add(-s.slack)) {
			s.beat(in)
			now = time.Now() // the next one's moment may have come meanwhile
		} else if due(in.state.Deadline) {
			s.drainWith(in)
			s.timer(in)
			now = time.Now()
		}
		if r := in.resend; due(r.at) {
			s.again(in, r)
		}
		if due(in.reclaim) {
			in.reclaim = time.Time{}
			if in.state.Kind == fsm.Master {
				s.claim(in)
				s.announce(in, fsm.Announce)
			}
		}
	}
	s.probes(now)
	s.waitQuorums(now)
	s.believeLinks(now)
	for _, in := range s.holders() {
		if due(in.routing.again) {
			s.claimRouting(in)
		}
	}
	if s.static != nil && due(s.static.reclaim) {
		s.claim(s.static)
	}
	if due(s.virtual.again) {
		s.keepVirtual()
		s.weighAll()
	}
	for _, p := range s.links {
		if due(p.reopen) {
			s.followLinks()
			s.weighAll()
			break
		}
	}
}

// beat has a master advertise. Instances whose moments are close are done in
// one turn: one that is a little early says what it would say then, and the
// next time is not earlier for it. Each socket is read once for all of them.
func (s *Server) beat(in *instance) {
	members := []*instance{in}
	if in.together != nil {
		members = in.together.members
	}
	for _, member := range members {
		s.drainOnce(member.port)
		s.drainOnce(member.ear)
		if member.other != nil {
			s.drainOnce(member.other.port)
		}
	}
	now := time.Now()
	if in.state.Kind != fsm.Master || in.state.Deadline.Sub(now) > s.slack {
		return
	}
	if now.Before(in.state.Deadline) {
		now = in.state.Deadline
	}
	s.stepAt(now, in, fsm.Timer{})
}

// drainOnce reads a socket unless these timers have; none is no socket.
func (s *Server) drainOnce(p *port) {
	if p != nil && p.pass != s.pass {
		p.pass = s.pass
		s.drain(p)
	}
}

// again sends what was refused, unless it is out of date.
func (s *Server) again(in *instance, r resend) {
	in.resend = resend{}
	if r.priority == 0 || in.state.Kind == fsm.Master {
		if s.sendNow(in, r.priority) == nil || r.priority == 0 {
			return
		}
		in.resend = resend{at: time.Now().Add(100 * time.Millisecond), priority: in.state.Priority}
	}
}

// claim makes the interfaces carry exactly the desired addresses: those of an
// older configuration go, missing ones come, present ones stay untouched.
func (s *Server) claim(in *instance) {
	desired := in.desired()
	_, remove := vip.Diff(desired, in.held, s.snap)
	remove = s.unshared(in, remove)
	in.held = desired
	s.silence()
	in.claiming++
	lifetime := s.lifetime(in)
	mortal, lasting := in.mortal()
	if lifetime == 0 && !in.resumed { // the process before may have given them one
		mortal, lasting = nil, desired
	}
	in.resumed = false
	in.reclaim = time.Time{}
	in.renewed = time.Now()
	in.claimed = s.hands.do(func(k Kernel) func() {
		var failed []error
		if len(mortal) > 0 {
			if err := k.Renew(mortal, lifetime); err != nil {
				failed = append(failed, err)
			}
		}
		for _, a := range lasting {
			if err := k.Add(a); err != nil {
				failed = append(failed, err)
			}
		}
		for _, a := range remove {
			if err := k.Delete(a); err != nil {
				failed = append(failed, err)
			}
		}
		return func() { s.claimDone(in, failed) }
	})
	s.claimRouting(in)
	s.changed, s.heldNow = true, true
}

func (s *Server) claimDone(in *instance, failed []error) {
	in.claiming--
	for _, err := range failed {
		if in.limit.allow(limitAdd) {
			s.log.Error(in.prefix("%v", err))
		}
	}
	if in.state.Kind == fsm.Master && len(failed) > 0 {
		in.reclaim = time.Now().Add(claimAgain)
	}
}

// release takes the held addresses off, except those another instance holds.
func (s *Server) release(in *instance) {
	s.queue.Drop(in.id)
	in.waiting = false
	in.reclaim = time.Time{}
	s.releaseRouting(in)
	remove := s.unshared(in, in.held)
	in.held = nil
	s.hands.do(func(k Kernel) func() {
		var failed []error
		for _, a := range remove {
			if err := k.Delete(a); err != nil {
				failed = append(failed, err)
			}
		}
		return func() {
			for _, err := range failed {
				s.log.Error(in.prefix("%v", err))
			}
		}
	})
	s.silence()
	s.changed, s.heldNow = true, true
}

func (s *Server) unshared(in *instance, list []settings.Address) []settings.Address {
	return slices.DeleteFunc(slices.Clone(list), func(a settings.Address) bool {
		return slices.ContainsFunc(s.holders(), func(other *instance) bool {
			return other != in && vip.Contains(other.held, a)
		})
	})
}

// announce notes that the addresses are to be announced, once they are on the
// interface.
func (s *Server) announce(in *instance, v fsm.Verb) {
	if !in.waiting || v == fsm.AnnounceRival {
		in.pending = v
	}
	in.waiting = true
}

// announceReady hands addresses that are on their interfaces to the
// announcement schedule. The socket is read again before: a better master may
// have spoken while the addresses were added.
func (s *Server) announceReady() {
	for _, in := range s.instances {
		if !in.waiting || in.claiming > 0 {
			continue
		}
		s.drainIts(in)
		if !in.waiting || in.claiming > 0 || in.state.Kind != fsm.Master {
			continue
		}
		in.waiting = false
		if in.pending == fsm.AnnounceRival {
			s.queue.Rival(time.Now(), in.id, in.plan(), targets(in.held))
		} else {
			s.queue.Master(time.Now(), in.id, in.plan(), targets(in.held))
		}
	}
}

// announceDue sends the announcements whose time has come.
func (s *Server) announceDue() {
	now := time.Now()
	for _, a := range s.queue.Due(now) {
		in := s.instances[a.Owner]
		i := s.snap[a.Target.Device]
		err := s.sayHere(in, a.Target, i)
		if err == nil {
			continue
		}
		again := s.queue.Retry(now, a)
		if in.limit.allow(limitAnnounce) {
			s.log.Warn(in.prefix("%v (trying again: %t)", err, again))
		}
	}
}

// report tells a transition to the log, the history and the counters.
func (s *Server) report(in *instance, t fsm.Transition) {
	if t.To == fsm.Master {
		in.counters.BecomeMaster++
	}
	if t.From == fsm.Master {
		in.counters.ReleaseMaster++
	}
	line := in.prefix("%s: %v", strings.ToLower(t.To.String()), t)
	if t.To == fsm.Master && len(in.held) > 0 {
		line += ", holding " + addressList(in.held)
	}
	if t.To == fsm.Fault {
		s.log.Error(line)
	} else {
		s.log.Info(line)
	}
	in.remember(t)
	s.tellTransition(in, t)
	s.changed = true
}

// list asks for a new list of interfaces; one at a time, and again when
// something changes meanwhile.
func (s *Server) list() {
	if s.listing {
		return
	}
	s.listing = true
	s.relist.Store(false)
	var number uint64
	number = s.hands.do(func(k Kernel) func() {
		snap, err := k.Snapshot()
		return func() {
			s.listing = false
			if err != nil {
				s.log.Warn(err.Error())
				return
			}
			s.see(snap, number)
		}
	})
}

// see acts on a list of interfaces that job number made.
func (s *Server) see(snap vip.Snapshot, number uint64) {
	before := s.snap
	s.snap = snap
	s.debounceLinks(time.Now())
	s.setSysctls()
	s.keepVirtual()
	s.followLinks()
	s.announceRisen(before)
	s.weighAll()
	for _, in := range s.holders() {
		s.putBack(in, number)
		s.putRoutingBack(in)
	}
}

// putBack adds what somebody else removed. A list that is older than our last
// change proves nothing.
func (s *Server) putBack(in *instance, number uint64) {
	if in.state.Kind != fsm.Master || in.claiming > 0 || in.claimed > number || !in.reclaim.IsZero() {
		return
	}
	missing, _ := vip.Diff(in.held, nil, s.snap)
	missing = slices.DeleteFunc(missing, func(a settings.Address) bool { return a.NoTrack })
	if len(missing) == 0 {
		return
	}
	if in.limit.allow(limitGone) {
		s.log.Warn(in.prefix("%s %s", addressList(missing), s.whyGone(in)))
	}
	s.claim(in)
	s.announce(in, fsm.Announce)
}

func addressList(list []settings.Address) string {
	words := make([]string, 0, len(list))
	for _, a := range list {
		words = append(words, addressText(a))
	}
	return strings.Join(words, ", ")
}

func addressText(a settings.Address) string { return a.Prefix.String() + " dev " + a.Device }
