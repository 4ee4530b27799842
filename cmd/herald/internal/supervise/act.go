package supervise

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/lifecycle"
)

// step has the machine decide and carries its answer out. What an action
// causes, such as a process that cannot be started, is the next event.
func (s *Supervisor) step(e lifecycle.Event) {
	events := []lifecycle.Event{e}
	for len(events) > 0 {
		actions := s.machine.Step(time.Now(), events[0])
		events = events[1:]
		for _, a := range actions {
			if caused := s.act(a); caused != nil {
				events = append(events, caused)
			}
		}
	}
}

// act carries one action out.
func (s *Supervisor) act(a lifecycle.Action) lifecycle.Event {
	switch a := a.(type) {
	case lifecycle.Start:
		return s.start(a)
	case lifecycle.Go:
		if r := s.roles[a.ID]; r.name == ipc.Proxy {
			s.beginProxy(r)
		} else {
			s.begin(r, a.Crashed)
		}
	case lifecycle.Tell:
		s.tell(s.roles[a.ID], a.Word)
	case lifecycle.Kill:
		if r := s.roles[a.ID]; r != nil {
			if a.Why != "" {
				s.log("role %s (pid %d) is killed: %s", r.name, r.process.Pid(), a.Why)
			}
			r.process.Kill()
		}
	case lifecycle.Withdraw:
		s.withdraw(a.Why)
	case lifecycle.Inform:
		for _, r := range s.roles {
			if r.name == ipc.VRRP && r.serving {
				r.process.Peer().Fact(factOf(a.Fact))
			}
		}
	case lifecycle.Outcome:
		s.outcome(a)
	case lifecycle.CloseUnused:
		s.closeUnused()
	case lifecycle.Log:
		s.log("%s", a.Text)
	case lifecycle.Finish:
		s.code, s.ended = a.Code, true
	}
	return nil
}

func factOf(f lifecycle.Fact) ipc.ProxyFact {
	return ipc.ProxyFact{Known: f.Known, Serving: f.Serving, Reason: f.Reason}
}

// start starts a process and its reader.
func (s *Supervisor) start(a lifecycle.Start) lifecycle.Event {
	name := nameOf(a.Role)
	p, err := s.sys.Start(name)
	if err != nil {
		return lifecycle.Ended{ID: a.ID, Reason: fmt.Sprintf("cannot be started: %v", err)}
	}
	r := &role{id: a.ID, name: name, process: p, outward: map[string]bool{}, began: time.Now()}
	r.life, r.end = context.WithCancel(s.scriptsLive)
	s.roles[a.ID] = r
	if !s.changing {
		s.starts[name]++
	}
	go s.read(r)
	return nil
}

// read passes on what a process says, and then its end. It is the goroutine
// of one process; Run does not end before it, as the process counts.
func (s *Supervisor) read(r *role) {
	peer := r.process.Peer()
	for {
		report, err := peer.Receive()
		if err != nil {
			break
		}
		if !s.call(func() { s.hear(r, report) }) {
			break
		}
	}
	// One that closed its connection or talks nonsense, and stays, would hold
	// sockets and addresses nobody answers for.
	linger := time.AfterFunc(s.opt.Times.Resign, r.process.Kill)
	reason := r.process.Wait()
	linger.Stop()
	peer.Close()
	s.call(func() { s.gone(r, reason) })
}

// gone acts on the end of a process.
func (s *Supervisor) gone(r *role, reason string) {
	delete(s.roles, r.id)
	if r.unwatch != nil {
		r.unwatch()
	}
	if r.uncount != nil {
		r.uncount()
	}
	r.end()
	if r.name == ipc.VRRP && r.serving {
		s.former = r.notices
	}
	s.unask(r)
	s.succeed(r)
	if r.failed != "" {
		reason = r.failed
	}
	if r.serving {
		s.last[r.name] = reason
	}
	s.step(lifecycle.Ended{ID: r.id, Reason: reason})
}

// begin lets a ready process begin, with all it has to know.
func (s *Supervisor) begin(r *role, crashed bool) {
	r.serving = true
	g := ipc.Go{Generation: int(r.id)}
	switch r.name {
	case ipc.VRRP:
		g.First, s.begun = !s.begun, true
		g.Proxy = factOf(s.machine.Fact())
		g.Parts = s.parts
		g.Leftover, g.Rest = s.held, s.rest
		if s.state != nil {
			g.State, g.Crashed, g.Age = s.state, crashed, time.Since(s.stateAt)
		} else {
			g.Left = json.RawMessage(s.belongings)
		}
	case ipc.Proxy:
		g.Instances, g.State, g.Tallies = s.facts, s.memory, s.talliesFor(r)
		s.newest = r.id
	}
	r.process.Peer().Go(r.ready, g)
	s.log("role %s (pid %d) begins", r.name, r.process.Pid())
	if s.opt.Began != nil {
		s.opt.Began(r.name, r.process.Pid())
	}
	p := r.ready.Prepared
	if p.Note != "" {
		s.log("role %s: %s", r.name, p.Note)
	}
	if p.PidFile != "" && s.unpid == nil {
		unpid, err := s.sys.WritePid(p.PidFile)
		if err != nil {
			s.log("%v", err)
			return
		}
		s.unpid = unpid
	}
}

func (s *Supervisor) tell(r *role, w lifecycle.Word) {
	if r == nil {
		return
	}
	switch w {
	case lifecycle.Drain:
		r.process.Peer().Drain()
	case lifecycle.Handover:
		r.process.Peer().Handover()
	default:
		r.process.Peer().Stop()
	}
}

// withdraw takes away the addresses the VRRP role last said it held.
func (s *Supervisor) withdraw(why string) {
	s.state = nil
	s.clear()
	if len(s.held) == 0 {
		return
	}
	var list []string
	for _, a := range s.held {
		list = append(list, a.Prefix+" dev "+a.Interface)
	}
	s.log("%s: withdrawing %s", why, strings.Join(list, ", "))
	if err := s.sys.Withdraw(s.held); err != nil {
		s.log("withdraw addresses: %v", err)
		return // tried again at the next death
	}
	s.held = nil
	s.rested()
	s.keep()
}

// keep has written down what is in the kernel for a daemon that comes after this one
// was killed.
func (s *Supervisor) keep() {
	if s.sys.Remember == nil {
		return
	}
	if err := s.sys.Remember(s.held, s.belongings); err != nil {
		s.log("%v", err)
	}
}

// clear takes away what the VRRP role had in the kernel beside addresses.
func (s *Supervisor) clear() {
	if s.belongings == nil || s.sys.Clear == nil {
		return
	}
	if err := s.sys.Clear(s.belongings); err != nil {
		s.log("withdraw routes and rules: %v", err)
		return // tried again at the next death
	}
	s.belongings = nil
	s.keep()
}

// outcome ends a start or reload.
func (s *Supervisor) outcome(a lifecycle.Outcome) {
	r := Result{Findings: s.findings, Failed: a.Failed}
	switch {
	case a.Failed == "" && a.Reload:
		s.log("reload done")
	case a.Failed == "":
		s.log("ready")
	case a.Reload:
		s.log("reload failed, the old configuration goes on: %s", a.Failed)
	default:
		s.log("start failed: %s", a.Failed)
	}
	if a.Failed == "" || a.Reload {
		s.sys.Notify("READY=1")
	}
	if s.waiting != nil {
		s.waiting <- r
	}
	s.changing, s.findings, s.waiting = false, nil, nil
}
