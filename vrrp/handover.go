package vrrp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"herald/stats"
	"herald/vrrp/fsm"
	"herald/vrrp/group"
	"herald/vrrp/settings"
	"herald/vrrp/vip"
	"herald/vrrp/wire"
)

// savedHistory is how many transitions of an instance travel: hundreds of
// instances have to fit into one message.
const savedHistory = 8

// blob is what one process tells the next, as JSON.
type blob struct {
	Instances []savedInstance        `json:"instances"`
	Scripts   map[string]group.Count `json:"scripts"`
	Groups    []savedGroup           `json:"groups,omitempty"`
	Static    *savedInstance         `json:"static,omitempty"`
	Sysctls   []settings.Sysctl      `json:"sysctls,omitempty"` // as they were before us
	// VirtualMACs are the interfaces made; Relaxed are reverse path filters as
	// they were before us.
	VirtualMACs []settings.VirtualMAC `json:"virtual_macs,omitempty"`
	Relaxed     []settings.Sysctl     `json:"relaxed,omitempty"`
}

// savedInstance is one instance. Resign is its last word, ready to be sent on
// the socket of Group and AH if the next configuration has no such instance any
// more.
type savedInstance struct {
	Name      string             `json:"name"`
	Interface string             `json:"interface"`
	VRID      uint8              `json:"vrid"`
	State     fsm.Saved          `json:"state"`
	Held      []settings.Address `json:"held,omitempty"`
	Routing   settings.Routing   `json:"routing,omitzero"`
	Source    netip.Addr         `json:"source"`
	Resign    []wire.Packet      `json:"resign,omitempty"`
	Group     netip.Addr         `json:"group,omitzero"`
	AH        bool               `json:"ah,omitempty"`
	IPv6      bool               `json:"ipv6,omitempty"`
	Counters  stats.VRRPCounters `json:"counters"`
	Signed    uint64             `json:"signed,omitempty"`
	Marks     []wire.Mark        `json:"marks,omitempty"`
	History   []stats.Transition `json:"history,omitempty"`
	// Entered is when State was entered, by the wall clock: what people are
	// told does not move with the time a handover takes.
	Entered time.Time `json:"entered"`
	// TellDeleted and Mail are settings.Notify's: the next configuration may
	// not know the instance any more.
	TellDeleted bool `json:"tell_deleted,omitempty"`
	Mail        bool `json:"mail,omitempty"`
}

// savedGroup is one sync group: what is told of it when it is gone.
type savedGroup struct {
	Name string `json:"name"`
	Mail bool   `json:"mail,omitempty"`
}

func (s *Server) blob() blob {
	now := time.Now()
	b := blob{Scripts: map[string]group.Count{}, Sysctls: s.sysctls.before, VirtualMACs: s.virtual.made, Relaxed: s.virtual.relaxed}
	for _, in := range s.instances {
		v := savedInstance{Name: in.cfg.Name, Interface: in.cfg.Interface, VRID: in.cfg.VRID, IPv6: in.cfg.IPv6,
			State: in.state.Save(now), Held: in.held, Routing: in.routing.held, Source: in.source, Counters: in.counters,
			Signed: in.signed, Marks: in.marks.Senders,
			History: in.history[max(0, len(in.history)-savedHistory):], Entered: in.state.Since,
			TellDeleted: in.cfg.Notify.TellDeleted, Mail: in.cfg.Notify.Mail}
		if in.state.Kind == fsm.Master {
			v.Resign, _ = in.packets(0, now)
			v.Group, v.AH = in.place().group, in.place().ah
		}
		b.Instances = append(b.Instances, v)
	}
	if s.static != nil {
		b.Static = &savedInstance{Held: s.static.held, Routing: s.static.routing.held}
	}
	for _, g := range s.groups {
		b.Groups = append(b.Groups, savedGroup{g.name, g.cfg.Notify.Mail})
	}
	for _, sc := range s.scripts {
		b.Scripts[sc.cfg.Name] = sc.count
	}
	return b
}

// Handover ends the loop without releasing anything and returns what the next
// process needs to go on: addresses stay, and the next advertisement is its.
func (s *Server) Handover(ctx context.Context) ([]byte, error) {
	var data []byte
	var err error
	ran := s.do(ctx, func() {
		if s.stopping {
			err = errors.New("stopping already")
			return
		}
		s.handed = true
		b := s.blob()
		if s.resume != nil { // not begun yet: pass on what we were given
			b = *s.resume
			b.VirtualMACs, b.Relaxed = s.virtual.made, s.virtual.relaxed
		}
		data, err = json.Marshal(b)
	})
	if !ran {
		return nil, errors.New("hand VRRP over: the loop did not answer")
	}
	if err != nil {
		return nil, fmt.Errorf("hand VRRP over: %w", err)
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("hand VRRP over: %w", ctx.Err())
	}
	return data, nil
}

// Inherit takes what a daemon left in the kernel that was killed with all its
// processes. It has to be called before Run, without Resume: what the
// configuration has no use for is taken away, values that were there before
// are known, and instances start afresh.
func (s *Server) Inherit(b settings.Belongings) {
	s.resume = &blob{Static: &savedInstance{Routing: b.Routing}, Sysctls: b.Sysctls, VirtualMACs: b.VirtualMACs}
}

// Resume takes what Handover or OnState of another process gave. It has to be
// called before Run. Instances are the same when interface and virtual router
// id are: they go on in their state with the new configuration. What the new
// configuration does not have any more is released.
func (s *Server) Resume(data []byte) error {
	var b blob
	if err := json.Unmarshal(data, &b); err != nil {
		return fmt.Errorf("resume VRRP: %w", err)
	}
	s.resume = &b
	return nil
}

// begin starts every instance, or goes on with it.
func (s *Server) begin() {
	s.followLinks()
	s.beginStatic()
	s.beginSilence()
	if s.resume != nil {
		s.resuming = true
		for _, sc := range s.scripts {
			if c, known := s.resume.Scripts[sc.cfg.Name]; known {
				sc.count = c
			}
		}
	}
	// Calls that came before Run, such as the health of the proxy, count.
	for _, call := range s.box.take() {
		call()
	}
	if s.handed {
		return
	}
	var gone []savedInstance
	var groupsBefore []savedGroup
	if s.resume != nil {
		groupsBefore = s.resume.Groups
		for _, v := range s.resume.Instances {
			if in := s.heir(v); in != nil {
				s.goOn(in, v)
			} else {
				gone = append(gone, v)
			}
		}
		s.resume = nil
	}
	for _, v := range gone {
		s.dismiss(v)
	}
	for _, in := range s.instances {
		if !in.started {
			s.startInstance(in)
		}
	}
	s.dropVirtual()
	s.keepVirtual()
	s.unite()
	if s.resuming {
		s.resuming = false
		s.tellGroupsDeleted(groupsBefore)
		s.tellGroupsAgain()
	}
	if s.stopping {
		s.stop()
	}
}

// heir returns the instance that continues v.
func (s *Server) heir(v savedInstance) *instance {
	if v.State.Kind == fsm.Initialize || v.State.Kind == fsm.Leaving && !v.State.Yielding {
		return nil
	}
	for _, in := range s.instances {
		if in.cfg.Interface == v.Interface && in.cfg.VRID == v.VRID && in.cfg.IPv6 == v.IPv6 {
			return in
		}
	}
	return nil
}

// goOn continues an instance of the process before.
func (s *Server) goOn(in *instance, v savedInstance) {
	in.counters, in.history = v.Counters, v.History
	in.signed, in.marks.Senders = v.Signed, v.Marks
	in.entered = v.Entered
	if v.State.Kind == fsm.Master && s.withdrawn(v) {
		// Whoever removed them gave us up, and so did the other nodes.
		s.log.Info(in.prefix("the addresses were withdrawn meanwhile, starting as backup"))
		return
	}
	in.started = true
	in.state = v.State.Restore(time.Now())
	in.state.Since = v.Entered
	defer s.drainOne(in) // a crash may have come between being told and doing it
	if in.state.Kind == fsm.Master {
		// However old the blob is, a master speaks now; how long it was
		// silent is for the others to judge.
		in.state.Deadline = time.Now()
	}
	in.held, in.routing.held = v.Held, v.Routing
	in.resumed = true
	s.adopt(in) // a crash may have come between adding them and saying so
	st := s.shared(in)
	if len(st.Faults) == 0 {
		s.drainIts(in)
		add, remove := vip.Diff(in.desired(), v.Held, s.snap)
		s.step(in, fsm.Reconfigure{Priority: st.Priority, Addresses: len(add)+len(remove) > 0 || s.otherHardware(in)})
	}
	s.weigh(in)
	if in.state.Kind == fsm.Master {
		s.claimRouting(in)
	}
	s.tellAgain(in)
	s.changed, s.heldNow = true, true
}

// dismiss ends an instance that has no heir: it resigns and its addresses go.
func (s *Server) dismiss(v savedInstance) {
	if i, exists := s.snap[v.Interface]; exists && len(v.Resign) > 0 {
		if link, err := s.ports.Open(Place{Device: v.Interface, Index: i.Index, Group: v.Group, AH: v.AH}, func() {}); err == nil {
			for _, p := range v.Resign {
				if err := link.Send(p); err != nil {
					s.log.Warn(fmt.Sprintf("(%s) %v", v.Name, err))
				}
			}
			link.Close()
		}
	}
	s.log.Info(fmt.Sprintf("(%s) no longer configured, released", v.Name))
	s.tellDeleted(v)
	none := &instance{id: -1, cfg: settings.Instance{Name: v.Name}, held: v.Held, routing: routing{held: v.Routing}, limit: limiter{}}
	s.release(none)
}

// startInstance begins an instance nobody told us about. Addresses of its own
// that are on the interface already were left by a crashed predecessor: they
// stay until a master is heard.
func (s *Server) startInstance(in *instance) {
	in.started = true
	s.adopt(in)
	s.adoptRouting(in)
	s.silence()
	if len(in.held) > 0 {
		s.log.Info(in.prefix("%s is here already, keeping it until a master is heard", addressList(in.held)))
	}
	in.state.Priority, in.state.Drained = in.cfg.Priority, s.drained
	s.weigh(in)
	s.keepAdopted(in)
	s.changed, s.heldNow = true, true
}

// withdrawn reports whether none of what v held is on the interfaces any more:
// the parent process removes addresses when it cannot restart their holder.
func (s *Server) withdrawn(v savedInstance) bool {
	for _, a := range v.Held {
		if s.snap.Has(a) {
			return false
		}
	}
	return len(v.Held) > 0
}

// adopt takes addresses of the instance that are on the interface as held.
func (s *Server) adopt(in *instance) {
	for _, a := range in.desired() {
		if s.snap.Has(a) && !vip.Contains(in.held, a) {
			in.held = append(in.held, a)
		}
	}
	in.state.Holding = in.state.Holding || len(in.held) > 0
}

// stop resigns everything; a second call does not wait for successors.
func (s *Server) stop() {
	if s.handed {
		return
	}
	s.stopping = true
	for _, in := range s.instances {
		if in.started {
			s.step(in, fsm.Stop{})
		}
	}
	s.tellGroupsStopped()
}
