package proxy

import (
	"math/rand/v2"
	"time"

	"herald/proxy/check"
	"herald/proxy/logline"
)

// startChecks starts the loop of the checks, and one goroutine for every
// agent.
func (s *Server) startChecks() error {
	s.share()
	for _, b := range s.backends {
		for _, t := range b.targets {
			if t.cfg.Check {
				if err := s.watch(t); err != nil {
					return err
				}
			}
			if t.cfg.Agent.Enabled {
				s.wg.Go(func() { s.watchAgent(t) })
			}
		}
	}
	if s.checks != nil {
		s.wg.Go(func() {
			if err := s.checks.Run(); err != nil {
				s.notice("loop of the health checks: " + err.Error())
			}
		})
	}
	return nil
}

// checkOnce is one check of t, by a goroutine.
func (s *Server) checkOnce(t *target) {
	if t.shared != nil {
		s.checkTogether(t)
		return
	}
	t.be.mu.Lock()
	t.running = true
	t.be.mu.Unlock()
	r := s.probe(t)
	if s.ctx.Err() == nil {
		s.step(t, check.Event{Kind: check.Checked, Result: r, Chance: rand.Float64()})
	}
}

// wake has who asks an agent look at its target's state again.
func wake(poke chan struct{}) {
	select {
	case poke <- struct{}{}:
	default:
	}
}

// step gives an event to the health of t and does what follows from it. Any
// goroutine may call it.
func (s *Server) step(t *target, e check.Event) {
	b := t.be
	now := time.Now()
	b.mu.Lock()
	if e.Kind == check.Checked {
		t.running = false
	}
	if e.Kind == check.AgentChecked {
		t.asking = false
	}
	state, actions := check.Step(t.check, t.state, now, e)
	news := state.Op != t.state.Op || state.Admin != t.state.Admin || state.Off != t.state.Off || state.Health != t.state.Health ||
		state.Agent.Health != t.state.Agent.Health || state.Agent.Off != t.state.Agent.Off
	t.state = state
	t.heat(now)
	wasActive, wasBackup, _ := b.group.Counts()
	b.group.Set(t.index, t.member())
	active, backup, _ := b.group.Counts()
	world := check.World{Active: active, Backup: backup, Sessions: int(t.sessions.now.Load())}
	emptied := b.emptied(now)
	b.mu.Unlock()
	if active != wasActive || backup != wasBackup {
		s.partChanged()
	}
	if news {
		s.novelty()
	}
	// Who has just checked looks at the state again without being told.
	if e.Kind != check.Checked {
		t.lookAgain()
	}
	if e.Kind != check.AgentChecked && t.cfg.Agent.Enabled {
		wake(t.pokeAgent)
	}
	s.follow(t, actions, &world)
	for _, a := range actions {
		if a.Kind == check.Log {
			s.tell(b.log, logline.Level(a.Level), a.Text(t.check, world))
		}
	}
	if emptied {
		s.tell(b.log, logline.Emerg, check.BackendEmpty(b.cfg.Name, b.cfg.Frontend))
	}
	s.pass(t)
	if e.Kind != check.Checked || active != wasActive || backup != wasBackup {
		b.grant()
	}
}

// emptied notes whether b has a usable server left, and reports that it has
// just lost the last. It needs the backend's mutex held.
func (b *backend) emptied(now time.Time) bool {
	active, backup, _ := b.group.Counts()
	none := active+backup == 0
	if none == b.empty {
		return false
	}
	b.empty = none
	if none {
		b.downs++
	} else {
		b.down += now.Sub(b.since)
	}
	b.since = now
	return none
}

// weigh puts a weight in force. Nobody can be sent to a server without any.
func (s *Server) weigh(t *target, weight int) {
	b := t.be
	b.mu.Lock()
	t.weight = weight
	b.group.Set(t.index, t.member())
	emptied := b.emptied(time.Now())
	b.mu.Unlock()
	if emptied {
		s.tell(b.log, logline.Emerg, check.BackendEmpty(b.cfg.Name, b.cfg.Frontend))
	}
	s.novelty()
	b.grant()
	s.partChanged()
}

// follow does what a change of health means for the streams on t and for those
// who wait for it, and notes how many waited.
func (s *Server) follow(t *target, actions []check.Action, world *check.World) {
	for _, a := range actions {
		switch a.Kind {
		case check.WentDown:
			if t.cfg.ShutdownSessionsOnDown {
				s.cut(t, 'D')
			}
			world.Requeued = t.scatter()
		case check.CameUp:
			world.Requeued = t.grant()
			if t.cfg.ShutdownBackupsOnUp && !t.cfg.Backup {
				s.cutBackups(t.be)
			}
		}
	}
	world.Queued = int(t.line.n.now.Load())
}

// tell writes a change to the proxy's log and to the process's own, where
// HAProxy in the foreground prints it.
func (s *Server) tell(log *logger, level logline.Level, text string) {
	log.event(level, text)
	s.notice(text)
}

// cut ends every stream on t, with this first termination flag.
func (s *Server) cut(t *target, who byte) {
	for _, w := range s.workers {
		w.l.Post(func() {
			w.endStreams(who, func(x *stream) bool { return x.t == t })
		})
	}
}

// endStreams ends the streams of this loop that match.
func (w *worker) endStreams(who byte, match func(*stream) bool) (n int) {
	for c := w.open; c != nil; {
		after := c.after
		if x := c.x; x != nil && match(x) && (x.ticket == nil || x.leaveQueue()) {
			x.stopped(who)
			x.drive()
			n++
		}
		c = after
	}
	return n
}

// stopped ends a stream from outside; a client that has got no response yet
// gets an error page.
func (x *stream) stopped(who byte) {
	where := x.where()
	switch {
	case x.step == stepReply || x.step == stepFinish:
	case x.fe.http && where == 'H':
		x.flag(who, where)
		x.answer(502)
	case x.fe.http && (where == 'C' || where == 'Q'):
		x.flag(who, where)
		x.answer(503)
	case x.fe.http:
		x.end(who, where)
	default: // HAProxy does not say when a plain stream was stopped
		x.end(who, '-')
	}
}

// where is the second termination flag of a stream that is ended now.
func (x *stream) where() byte {
	switch x.step {
	case stepHead, stepBackend, stepRequest:
		return 'R'
	case stepPick, stepQueue:
		return 'Q'
	case stepConnect, stepPause:
		return 'C'
	case stepSend, stepReceive:
		return 'H'
	default:
		return 'D'
	}
}
