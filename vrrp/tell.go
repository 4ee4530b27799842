package vrrp

import (
	"slices"

	"herald/vrrp/fsm"
	"herald/vrrp/notice"
	"herald/vrrp/syncgroup"
)

// told are the states others are told of. A master that leaves is a backup to
// everybody else.
var told = map[fsm.Kind]notice.State{
	fsm.Master: notice.Master, fsm.Backup: notice.Backup, fsm.Leaving: notice.Backup, fsm.Fault: notice.Fault,
	fsm.Initialize: notice.Stop,
}

// tell passes an event of an instance to whoever tells others.
func (s *Server) tell(in *instance, state notice.State, repeated bool) {
	if s.ports.OnEvent != nil {
		s.ports.OnEvent(notice.Event{Name: in.cfg.Name, State: state, Priority: in.state.Priority, Repeated: repeated, Mail: in.cfg.Notify.Mail})
	}
}

func (s *Server) tellTransition(in *instance, t fsm.Transition) {
	state, known := told[t.To]
	if t.To == fsm.Leaving && t.Cause == fsm.Stopped {
		state = notice.Stop
	}
	if known && t.From != t.To {
		s.tell(in, state, false)
	}
}

// tellNote tells that a master heard one of lower priority.
func (s *Server) tellNote(in *instance, t fsm.Transition) {
	if t.Cause == fsm.Rival {
		s.tell(in, notice.LowerPriority, false)
		s.lesser(in, t.Peer, t.PeerPriority)
	}
}

func (s *Server) tellPriority(in *instance) {
	if !in.cfg.Notify.PriorityChanges {
		return
	}
	switch in.state.Kind {
	case fsm.Master:
		s.tell(in, notice.MasterPriority, false)
	case fsm.Backup:
		s.tell(in, notice.BackupPriority, false)
	}
}

// tellAgain writes a state to the FIFOs that did not change with a reload.
func (s *Server) tellAgain(in *instance) {
	if state, known := told[in.state.Kind]; known && s.cfg.Notification.StatesOnReload && in.state.Kind != fsm.Initialize {
		s.tell(in, state, true)
	}
}

// tellGroup tells the state of a sync group, whose priority is 0.
func (s *Server) tellGroup(g *together, repeated bool) {
	if state, known := told[g.shown]; known && s.ports.OnEvent != nil {
		s.ports.OnEvent(notice.Event{Group: true, Name: g.name, State: state, Repeated: repeated, Mail: g.cfg.Notify.Mail})
	}
}

// tellGroupsStopped tells that the groups stop with their members.
func (s *Server) tellGroupsStopped() {
	for _, g := range s.groups {
		if g.shown != fsm.Initialize {
			g.shown = fsm.Initialize
			s.tellGroup(g, false)
		}
	}
}

// tellGroupsAgain takes the states a reload found, which are no transitions.
func (s *Server) tellGroupsAgain() {
	for _, g := range s.groups {
		g.shown = syncgroup.Whole(g.states())
		if s.cfg.Notification.StatesOnReload && g.shown != fsm.Initialize {
			s.tellGroup(g, true)
		}
	}
}

// tellGroupsDeleted tells which sync groups a reload took away.
func (s *Server) tellGroupsDeleted(before []savedGroup) {
	for _, v := range before {
		same := func(g *together) bool { return g.name == v.Name }
		if s.ports.OnEvent != nil && !slices.ContainsFunc(s.groups, same) {
			s.ports.OnEvent(notice.Event{Group: true, Name: v.Name, State: notice.Deleted, Former: true, Mail: v.Mail})
		}
	}
}

// tellDeleted tells that a reload took an instance away.
func (s *Server) tellDeleted(v savedInstance) {
	same := func(in *instance) bool { return in.cfg.Name == v.Name }
	if s.ports.OnEvent == nil || slices.ContainsFunc(s.instances, same) {
		return
	}
	e := notice.Event{Name: v.Name, State: notice.Fault, Priority: v.State.Priority, Former: true, Mail: v.Mail}
	if v.TellDeleted {
		e.State = notice.Deleted
	}
	s.ports.OnEvent(e)
}
