package supervise

import (
	"sync/atomic"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/lifecycle"
)

// hear acts on what a process says.
func (s *Supervisor) hear(r *role, report ipc.Report) {
	switch m := report.(type) {
	case ipc.Findings:
		s.findingsOf(m)
	case *ipc.ListenRequest:
		s.lend(r, m)
	case *ipc.ScriptsRequest:
		s.declare(r, m)
	case *ipc.WatchRequest:
		s.watch(r, m)
	case ipc.Follow:
		s.follow(r, m)
	case *ipc.CountRequest:
		s.count(r, m)
	case ipc.Tally:
		s.tallied(r, m)
	case ipc.Parts:
		s.hearParts(r, m)
	case *ipc.OutwardRequest:
		s.giveOutward(r, m)
	case *ipc.RunRequest:
		s.runScript(r, m)
	case *ipc.ReadyRequest:
		if s.moved(r, m.Prepared.NetNamespace) {
			return
		}
		if r.ready == nil {
			r.ready = m
			s.step(lifecycle.Prepared{ID: r.id})
		}
	case ipc.Failed:
		r.failed = string(m)
	case ipc.Health:
		s.step(lifecycle.Beat{ID: r.id, Serving: m.Serving, Reason: m.Reason})
	case ipc.LogLine:
		s.log("%s: %s", r.name, string(m))
	case ipc.StatusReply:
		if !s.dumped(m) {
			s.answered(r, m)
		}
	default:
		if state, is := report.(ipc.State); is && r.name == ipc.Proxy {
			s.remember(r, state)
			return
		}
		s.hearVRRP(r, report)
	}
}

// remember keeps what a proxy role could be followed by. One that drains may
// still speak after its successor has begun; only the newest counts.
func (s *Supervisor) remember(r *role, state ipc.State) {
	if r.id == s.newest {
		s.memory = state
	}
}

// hearVRRP keeps what the VRRP role says about itself. Only one that was told
// to begin is believed: nobody else holds anything.
func (s *Supervisor) hearVRRP(r *role, report ipc.Report) {
	if r.name != ipc.VRRP || !r.serving {
		return
	}
	switch m := report.(type) {
	case ipc.Held:
		s.held = m
		s.rested()
		s.keep()
	case ipc.Belongings:
		s.belongings = m
		s.keep()
	case ipc.State:
		s.state, s.stateAt = m, time.Now()
	case ipc.Handed:
		s.state, s.stateAt = m, time.Now()
		s.step(lifecycle.Handed{ID: r.id})
	case ipc.Notice:
		s.notice(r, m)
	case ipc.InstancesReport:
		s.facts = []byte(m)
		for _, other := range s.roles {
			if other.name == ipc.Proxy && other.serving {
				other.process.Peer().Instances(s.facts)
			}
		}
	}
}

// findingsOf logs what a configuration said and keeps it for whoever asked. A
// restart reads the files again; only what is new, an error, is logged then.
func (s *Supervisor) findingsOf(list ipc.Findings) {
	for _, f := range list {
		if s.changing || f.Severity == "error" {
			s.log("%s", f.Text)
		}
	}
	if s.changing {
		s.findings = append(s.findings, list...)
	}
}

// declare takes the scripts of a role, once and before it is ready: from then
// on the process is not trusted with more than their numbers.
func (s *Supervisor) declare(r *role, m *ipc.ScriptsRequest) {
	why := make([]string, len(m.Scripts))
	if r.ready != nil || r.declared != nil {
		for i := range why {
			why[i] = "scripts are declared once, before the role is ready"
		}
		r.process.Peer().Refuse(m, why)
		return
	}
	r.declared, r.running = make([]Script, len(m.Scripts)), make([]atomic.Bool, len(m.Scripts))
	r.notices = notices{}
	for i, script := range m.Scripts {
		if script.Lane != "" && r.name != ipc.VRRP {
			why[i] = "only the VRRP role notifies"
			continue
		}
		c, err := s.sys.Prepare(script)
		if err != nil {
			why[i] = err.Error()
			continue
		}
		if script.Lane != "" {
			r.notices[noticeKey{script.Lane, script.Name}] = noticeScript{c, script.Lasting}
			continue // not for RunScript
		}
		r.declared[i] = c
	}
	r.process.Peer().Refuse(m, why)
}

// runScript runs a declared script; cleanUp waits for its goroutine.
func (s *Supervisor) runScript(r *role, m *ipc.RunRequest) {
	refuse := func(why string) { r.process.Peer().Result(m, ipc.ScriptResult{Exit: -1, Error: why}) }
	switch {
	case m.Index < 0 || m.Index >= len(r.declared) || r.declared[m.Index] == nil:
		refuse("not declared, or refused")
		return
	case r.running[m.Index].Swap(true):
		refuse("still running")
		return
	}
	s.scripts.Go(func() {
		result := r.declared[m.Index].Run(s.scriptsLive)
		r.running[m.Index].Store(false)
		r.process.Peer().Result(m, result)
	})
}
