package vrrp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"herald/garp"
	"herald/stats"
	"herald/vrrp/group"
	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// Server owns all instances of one configuration. Its fields belong to the
// goroutine of Run, except for the mailbox and what is published. Its methods
// may be called from any goroutine.
type Server struct {
	cfg   *settings.Config
	ports Ports
	alarm Alarm
	log   *slog.Logger

	instances []*instance
	static    *instance // holds what is held all the time; nil when nothing is
	groups    []*together
	links     map[place]*port
	sysctls   sysctls
	virtual   virtuals
	silent    []settings.Address // what the firewall was told last
	scripts   []*script
	seen      group.Seen
	debounce  map[string]group.Link // by interface, of cfg.LinkDelays
	queue     garp.Queue
	hands     *hands
	snap      vip.Snapshot
	news      []heard       // of one drain
	pass      uint64        // counts turns of timers
	due       time.Time     // when a turn has more to do than to hear; zero means never
	stirred   bool          // this one has
	heardAt   time.Time     // when packets were read last
	pause     time.Duration // how long packets may gather, and
	slack     time.Duration // how early a master may speak with others
	out       []byte        // one advertisement
	resume    *blob         // until Run begins
	changed   bool          // something to tell the hooks
	heldNow   bool          // the addresses we hold changed
	told      time.Time     // when the hooks were told last
	stopping  bool
	renewals  renewals
	drained   bool // instances hold nothing until undrained
	handed    bool
	resuming  bool // the states taken over are no news

	box       mailbox
	relist    atomic.Bool // the kernel said that something changed
	listing   bool        // a list is under way
	published atomic.Pointer[[]stats.Instance]
	running   chan struct{} // closed when Run begins
	done      chan struct{} // closed when Run has ended
}

// New prepares a Server: it lists the interfaces and opens the sockets of
// those that exist. It fails when that is not permitted; an interface that is
// missing only keeps its instances in FAULT. Nothing is sent before Run.
func New(cfg *settings.Config, ports Ports) (*Server, error) {
	s := &Server{cfg: cfg, ports: ports, log: ports.Log,
		links: map[place]*port{}, debounce: map[string]group.Link{}, alarm: ports.Alarm,
		running: make(chan struct{}), done: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.alarm == nil {
		s.alarm = newBell()
	}
	s.box.alarm = s.alarm
	var err error
	if s.snap, err = ports.Kernel.Snapshot(); err != nil {
		return nil, fmt.Errorf("start VRRP: %w", err)
	}
	for _, sc := range cfg.Scripts {
		s.scripts = append(s.scripts, &script{cfg: sc, count: group.Initial(sc)})
	}
	paces := pacesOf(cfg.GarpGroups)
	for i := range cfg.Instances {
		in := newInstance(i, cfg)
		in.paces = paces
		if _, err := in.advert(0).Append(nil); err != nil {
			return nil, fmt.Errorf("start VRRP instance %s: %w", in.cfg.Name, err)
		}
		s.instances = append(s.instances, in)
		s.seat(in)
		s.addSecond(in)
	}
	s.join()
	s.pause, s.slack = gathering(cfg)
	for _, p := range s.links {
		if i, exists := s.snap[p.device]; exists {
			if err := s.open(p, i); errors.Is(err, fs.ErrPermission) {
				s.closeLinks()
				return nil, fmt.Errorf("start VRRP: %w", err)
			}
		}
	}
	s.publish()
	return s, nil
}

// Run runs the loop until Stop or Handover, or until ctx ends, which is a
// Stop. It returns after every address is released or handed over. It may be
// called once.
func (s *Server) Run(ctx context.Context) error {
	defer close(s.done)
	defer s.closeLinks()

	unwatch, err := s.ports.Kernel.Watch(func() {
		s.relist.Store(true)
		s.alarm.Ring()
	})
	if err != nil {
		return fmt.Errorf("run VRRP: %w", err)
	}
	defer unwatch()
	unwatchRouting, err := s.watchRouting()
	if err != nil {
		return fmt.Errorf("run VRRP: %w", err)
	}
	defer unwatchRouting()
	s.beginVirtual()
	if snap, err := s.ports.Kernel.Snapshot(); err == nil {
		s.snap = snap
	}
	s.debounceLinks(time.Now())
	s.hands = startHands(s.ports.Kernel, s.box.post)
	defer s.hands.stop()
	close(s.running)

	s.begin()
	s.loop(ctx)
	return nil
}

// loop turns until there is nothing left to do.
func (s *Server) loop(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { s.box.post(s.stop) })()
	s.due = time.Now()
	for {
		s.turn()
		if s.finished() {
			s.told = time.Time{} // the last word goes out in any case
			s.tellHooks()
			return
		}
		s.alarm.Wait(s.due)
	}
}

// turn does everything that is due, in the order that keeps a stalled process
// from speaking before it has listened: calls, packets, timers, announcements.
func (s *Server) turn() {
	calls := s.box.take()
	for _, call := range calls {
		call()
	}
	s.stirred = len(calls) > 0 || s.changed || s.relist.Load()
	if s.handed {
		s.due = time.Time{}
		return
	}
	if s.relist.Load() {
		s.list()
	}
	if heard := s.hearAll(); !s.stirred && (s.due.IsZero() || time.Now().Before(s.due)) {
		s.rest(heard)
		return
	}
	s.timers()
	s.renewNow(time.Now())
	s.announceReady()
	s.announceDue()
	s.runScripts()
	s.tellHooks()
	s.due = s.next()
}

// hearAll drains the sockets where something arrived.
func (s *Server) hearAll() (heard bool) {
	for _, p := range s.links {
		if p.ready.Swap(false) {
			heard = true
			s.drain(p)
		}
	}
	return heard
}

// rest lets more packets gather when they follow one another closely, as those
// of many instances do: waking for each costs far more than reading it. What a
// turn has heard so far was nothing to act upon.
func (s *Server) rest(heard bool) {
	if !heard {
		return
	}
	now := time.Now()
	if now.Sub(s.heardAt) >= s.pause {
		s.heardAt = now
		return
	}
	d := s.pause
	if !s.due.IsZero() {
		d = min(d, s.due.Sub(now))
	}
	s.alarm.Rest(d)
	s.heardAt = time.Now()
}

// gathering is how long packets may gather and how early a master may speak:
// small shares of the shortest interval, so that nobody's timer minds.
func gathering(cfg *settings.Config) (pause, slack time.Duration) {
	shortest := time.Second
	for _, in := range cfg.Instances {
		shortest = min(shortest, in.AdvertInt)
	}
	return min(shortest/16, time.Millisecond), shortest / 64
}

// soon has the loop take a whole turn at t, or earlier.
func (s *Server) soon(t time.Time) {
	if !t.IsZero() && (s.due.IsZero() || t.Before(s.due)) {
		s.due = t
	}
}

// finished reports whether Run may return.
func (s *Server) finished() bool {
	if s.handed {
		return s.hands.idle()
	}
	if !s.stopping {
		return false
	}
	for _, in := range s.instances {
		if !in.gone() {
			return false
		}
	}
	s.endStatic()
	return s.hands.idle()
}

// next returns when turn has to be called again; zero means when woken.
func (s *Server) next() time.Time {
	if s.handed {
		return time.Time{}
	}
	next := s.queue.Next()
	earlier := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, in := range s.instances {
		earlier(in.state.Deadline)
		earlier(in.resend.at)
		earlier(in.nextProbe())
	}
	for _, in := range s.holders() {
		earlier(in.reclaim)
		earlier(in.routing.again)
	}
	earlier(s.nextRenewal())
	if s.changed {
		earlier(s.told.Add(tellEvery))
	}
	for _, l := range s.debounce {
		earlier(l.Due)
	}
	for _, q := range s.seen.Processes {
		earlier(q.Due)
	}
	for _, sc := range s.scripts {
		if !s.stopping { // no script is started or given up any more
			earlier(sc.due)
		}
	}
	for _, p := range s.links {
		earlier(p.reopen)
	}
	earlier(s.virtual.again)
	return next
}

// do runs call on the loop and waits for it. It reports false when the loop
// has ended, or ctx does first.
func (s *Server) do(ctx context.Context, call func()) bool {
	ran := make(chan struct{})
	s.box.post(func() {
		call()
		close(ran)
	})
	select {
	case <-ran:
		return true
	case <-s.done:
		return false
	case <-ctx.Done():
		return false
	}
}

// SetProxyServing answers every script that asks whether the proxy runs. The
// priority changes at once, and a master advertises it at once. reason says
// why not, for the log.
func (s *Server) SetProxyServing(serving bool, reason string) {
	s.box.post(func() { s.proxyServing(serving, reason) })
}

// ScriptDone reports the result of Config.Scripts[script]: ok is exit status 0
// within the timeout.
func (s *Server) ScriptDone(script int, ok bool) {
	s.box.post(func() { s.scriptDone(script, ok) })
}

// Stop resigns every instance and waits until the addresses are removed: a
// master sends priority 0 and keeps answering until its successor is heard,
// 1.2 seconds at most. When ctx ends first the addresses are removed at once.
func (s *Server) Stop(ctx context.Context) error {
	s.box.post(s.stop)
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
	}
	s.box.post(s.stop)
	select {
	case <-s.done:
		return nil
	case <-time.After(time.Second):
		return errors.New("stop VRRP: addresses not removed in time")
	}
}

// Alive reports whether the loop takes its turn before ctx ends.
func (s *Server) Alive(ctx context.Context) bool { return s.do(ctx, func() {}) }

// Held returns the addresses that are on the interfaces because of us.
func (s *Server) Held() []settings.Address {
	var held []settings.Address
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s.do(ctx, func() { held = s.held() })
	return held
}

// Status returns every instance with its counters, in configuration order.
// While the loop does not answer it returns what was last published.
func (s *Server) Status() []stats.Instance {
	select {
	case <-s.running:
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s.do(ctx, s.publish)
	default:
	}
	return *s.published.Load()
}

// isVirtual reports whether addr is advertised by an instance that does not
// own it; advertisements are never sent from such an address.
func (s *Server) isVirtual(addr netip.Addr) bool {
	for _, in := range s.instances {
		if in.cfg.Priority == ownerPriority {
			continue
		}
		for _, a := range in.desired() {
			if a.Prefix.Addr() == addr {
				return true
			}
		}
	}
	return false
}
