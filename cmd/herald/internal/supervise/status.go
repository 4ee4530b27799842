package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/lifecycle"
)

// statusTimeout bounds how long a role may take to answer; what is missing is
// named in Warnings.
const statusTimeout = time.Second

// Status is what `herald status` gets; stats/render knows it as a Report.
type Status struct {
	At       time.Time       `json:"at"`
	Node     string          `json:"node"`
	Version  string          `json:"version"`
	Pid      int             `json:"pid"`
	Since    time.Time       `json:"since"`
	Roles    []RoleStatus    `json:"roles"`
	Serving  ipc.ProxyFact   `json:"proxy_serving"`
	Held     []ipc.Address   `json:"held,omitempty"`
	VRRP     json.RawMessage `json:"vrrp,omitempty"`  // []stats.Instance
	Proxy    json.RawMessage `json:"proxy,omitempty"` // stats.Snapshot
	Warnings []string        `json:"warnings,omitempty"`
}

// RoleStatus is one process, or a role that has none.
type RoleStatus struct {
	Name string `json:"name"`
	// State is "starting", "ready", "draining" or "dead"; ready includes
	// serving.
	State string    `json:"state"`
	Pid   int       `json:"pid,omitempty"`
	Since time.Time `json:"since"`
	Note  string    `json:"note,omitempty"`
	// Confined is what the process said holds in it: "no_new_privs, landlock
	// 7, seccomp".
	Confined string `json:"confined,omitempty"`
}

// ask is one status being gathered.
type ask struct {
	status  Status
	waiting map[*role]bool
	answer  chan Status
}

// Status asks every serving role for its part.
func (s *Supervisor) Status(ctx context.Context) (Status, error) {
	a := &ask{waiting: map[*role]bool{}, answer: make(chan Status, 1)}
	if !s.call(func() { s.ask(a) }) {
		return Status{}, errors.New("herald has ended")
	}
	select {
	case st := <-a.answer:
		return st, nil
	case <-s.done:
		return Status{}, errors.New("herald has ended")
	case <-ctx.Done():
		return Status{}, fmt.Errorf("status: %w", ctx.Err())
	}
}

func (s *Supervisor) ask(a *ask) {
	a.status = Status{Node: s.opt.Node, Version: s.opt.Version, Pid: os.Getpid(), Since: s.began,
		Roles: s.roleStatus(), Serving: factOf(s.machine.Fact()), Held: s.held}
	s.lastAsk++
	seq := s.lastAsk
	s.asks[seq] = a
	for _, p := range s.machine.Status() {
		if r := s.roles[p.ID]; r != nil && p.State == "serving" {
			a.waiting[r] = true
			r.process.Peer().AskStatus(seq)
		}
	}
	if len(a.waiting) == 0 {
		s.finishAsk(seq)
		return
	}
	time.AfterFunc(statusTimeout, func() { s.call(func() { s.finishAsk(seq) }) })
}

// roleStatus lists every process, and every role that has none.
func (s *Supervisor) roleStatus() []RoleStatus {
	var list []RoleStatus
	alive := map[ipc.Name]bool{}
	words := map[string]string{"starting": "starting", "ready": "ready", "serving": "ready", "leaving": "draining"}
	for _, p := range s.machine.Status() {
		r := s.roles[p.ID]
		if r == nil {
			continue
		}
		alive[r.name] = true
		st := RoleStatus{Name: string(r.name), State: words[p.State], Pid: r.process.Pid(), Since: r.began}
		if r.ready != nil {
			st.Confined = r.ready.Prepared.Confined
		}
		if n := s.starts[r.name]; n > 0 && p.State != "leaving" {
			st.Note = fmt.Sprintf("restarted %d times, last after: %s", n, s.last[r.name])
		}
		list = append(list, st)
	}
	for _, name := range s.opt.Roles {
		if !alive[name] {
			list = append(list, RoleStatus{Name: string(name), State: "dead", Since: time.Now(), Note: s.last[name]})
		}
	}
	return list
}

// answered takes a role's part.
func (s *Supervisor) answered(r *role, m ipc.StatusReply) {
	a := s.asks[m.Seq]
	if a == nil || !a.waiting[r] {
		return
	}
	switch r.name {
	case ipc.VRRP:
		a.status.VRRP = m.Raw
	case ipc.Proxy:
		a.status.Proxy = m.Raw
	}
	s.answeredAll(m.Seq, a, r)
}

// unask stops waiting for a process that is gone.
func (s *Supervisor) unask(r *role) {
	for seq, a := range s.asks {
		if a.waiting[r] {
			s.answeredAll(seq, a, r)
		}
	}
}

func (s *Supervisor) answeredAll(seq uint64, a *ask, r *role) {
	if delete(a.waiting, r); len(a.waiting) == 0 {
		s.finishAsk(seq)
	}
}

// betweenVRRP reports whether a VRRP process is there and none was asked: for a
// moment of a handover, one has gone and the next has not begun.
func (s *Supervisor) betweenVRRP(a *ask) bool {
	if a.status.VRRP != nil || s.facts == nil {
		return false
	}
	for r := range a.waiting {
		if r.name == ipc.VRRP {
			return false // it does not answer, which is told
		}
	}
	return slices.ContainsFunc(s.machine.Status(), func(p lifecycle.Status) bool {
		r := s.roles[p.ID]
		return r != nil && r.name == ipc.VRRP && (p.State == "ready" || p.State == "serving")
	})
}

// finishAsk answers with what there is.
func (s *Supervisor) finishAsk(seq uint64) {
	a := s.asks[seq]
	if a == nil {
		return
	}
	delete(s.asks, seq)
	a.status.At = time.Now()
	if s.betweenVRRP(a) {
		a.status.VRRP = s.facts
		a.status.Warnings = append(a.status.Warnings, "VRRP is being handed over: the instances are as they were told last")
	}
	if s.rest {
		a.status.Warnings = append(a.status.Warnings, "drained: no address is taken here until `herald undrain`")
	}
	for _, r := range slices.SortedFunc(maps.Keys(a.waiting), func(x, y *role) int { return int(x.id - y.id) }) {
		a.status.Warnings = append(a.status.Warnings, fmt.Sprintf("role %s does not answer", r.name))
	}
	a.answer <- a.status
}
