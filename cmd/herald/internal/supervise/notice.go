package supervise

import (
	"context"
	"fmt"
	"slices"
	"time"

	"herald/cmd/herald/internal/ipc"
)

// Bounds of a lane. A script that takes longer than patience goes on, and the
// next does not wait for it; lastNotices is what the scripts of a stop get
// before they are ended.
const (
	patience    = time.Minute
	maxWaiting  = 64
	lastNotices = 5 * time.Second
)

// noticeKey names a script of a lane.
type noticeKey struct{ lane, name string }

// noticeScript is a script nobody waits for.
type noticeScript struct {
	Script
	lasting bool
}

// notices are the scripts a role declared with a lane.
type notices map[noticeKey]noticeScript

// lane runs scripts one after the other. It outlives roles: what a role asked
// for in its last moment is run, and a reload does not change the order.
type lane struct {
	waiting []run
	busy    bool
}

// run is one run of a script.
type run struct {
	script Script
	name   string
	args   []string
	life   context.Context
}

func (r run) same(other run) bool { return r.name == other.name && slices.Equal(r.args, other.args) }

// notice queues a run.
func (s *Supervisor) notice(r *role, m ipc.Notice) {
	from := r.notices
	if m.Former {
		from = s.former
	}
	script, declared := from[noticeKey{m.Lane, m.Name}]
	if !declared {
		return
	}
	next := run{script: script.Script, name: m.Name, args: m.Args, life: s.scriptsLive}
	if script.lasting {
		next.life = r.life
	}
	l := s.lanes[m.Lane]
	if l == nil {
		l = &lane{}
		s.lanes[m.Lane] = l
	}
	if n := len(l.waiting); n > 0 && l.waiting[n-1].same(next) {
		return // it waits already
	} else if n == maxWaiting {
		s.log("%s: %s is left out: %d scripts wait already", m.Lane, l.waiting[0].name, n)
		l.waiting = slices.Delete(l.waiting, 0, 1)
	}
	l.waiting = append(l.waiting, next)
	s.pull(m.Lane, l)
}

// pull starts the next script of a lane that is free.
func (s *Supervisor) pull(name string, l *lane) {
	if l.busy {
		return
	}
	if len(l.waiting) == 0 {
		delete(s.lanes, name)
		if s.idle != nil && len(s.lanes) == 0 {
			close(s.idle)
			s.idle = nil
		}
		return
	}
	next := l.waiting[0]
	l.waiting = l.waiting[1:]
	l.busy = true
	free := func() { s.call(func() { l.busy = false; s.pull(name, l) }) }
	s.scripts.Go(func() {
		late := time.AfterFunc(patience, free)
		result := next.script.Run(next.life, next.args...)
		if !result.OK() && next.life.Err() == nil {
			s.call(func() { s.log("%s: %s: %s", name, next.name, failure(result)) })
		}
		if late.Stop() {
			free()
		}
	})
}

// finishLanes lets the last scripts end, within a time: the ones told of the
// stop were asked for a moment ago.
func (s *Supervisor) finishLanes() {
	if len(s.lanes) == 0 {
		return
	}
	s.idle = make(chan struct{})
	idle := s.idle
	over := time.After(lastNotices)
	for {
		select {
		case <-idle:
			return
		case <-over:
			s.log("scripts still run, ending them")
			return
		case call := <-s.calls:
			call()
		}
	}
}

// failure says how a script ended that did not end well.
func failure(r ipc.ScriptResult) string {
	switch {
	case r.Error != "":
		return r.Error
	case r.Signal != "":
		return "ended by signal: " + r.Signal
	}
	return fmt.Sprintf("exit status %d", r.Exit)
}
