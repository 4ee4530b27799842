package check

import "time"

// Resume answers the state a server begins with in a new generation: fresh is
// what Start made of its configuration c, and old what the generation before
// left, whose configuration was was. Moved says that another address is
// checked now.
//
// What an operator or the checks found out stays; what the file says anew
// wins. Counters go on.
func Resume(was, c Config, fresh, old State, moved bool, now time.Time) State {
	s := old
	if was.Disabled != c.Disabled {
		s.Admin = fresh.Admin
	}
	s.Admin = s.Admin&^NoAddress | fresh.Admin&NoAddress // by where the server is now
	if was.Via != c.Via {                                // what it follows now will tell
		s.Admin &^= MaintByLead | DrainByLead
	}
	maint := s.inMaint()
	switch {
	case maint:
		s.Op, s.Health = Stopped, 0
	case moved || was.Enabled != c.Enabled || old.inMaint():
		s.Op, s.Health, s.Last, s.Off = Running, c.Rise, Result{Status: INI}, false
	case old.agentDown(was) && !c.Agent: // what it said is nobody's word any more
		s.Op, s.Health = Running, min(max(old.Health, c.Rise), c.full())
	case old.agentDown(was):
		s.Health = min(old.Health, c.full())
	case old.Op == Stopped:
		s.Health = min(old.Health, c.Rise-1)
	case old.Health >= was.full():
		s.Health = c.full()
	default:
		s.Health = min(max(old.Health, c.Rise), c.full())
	}
	if s.Op != old.Op || s.Admin != old.Admin {
		s.Down, s.Since = old.Downtime(now), now
	}
	s.Agent.Next = fresh.Agent.Next
	if was.Agent != c.Agent {
		s.Agent = fresh.Agent
	}
	s.Next = time.Time{}
	if s.Checking(c) {
		if s.Next = fresh.Next; s.Next.IsZero() {
			s.Next = now
		}
	}
	return s
}
