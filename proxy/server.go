package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"herald/proxy/loop"
	"herald/proxy/settings"
	"herald/proxy/tlsconn"
	"herald/stats"
)

// Server runs one generation of a configuration: New, Serve, then Drain or
// Close. Its methods may be called from any goroutine.
type Server struct {
	cfg         *settings.Config
	opts        Options
	start       time.Time
	frontends   []*frontend
	backends    []*backend
	byName      map[string]*backend
	workers     []*worker
	targets     int // how many there are
	expected    int // how many the configuration has
	sinks       []*sink
	gathering   []ManySink // those of sinks whose lines loops gather
	resolvers   []*resolvers
	looked      map[string]looked // names, while the Server is built
	checkVars   checkVars
	commands    []Command // of external checks
	counters    []counter
	totals      totals
	outlets     []*outlets // of the network namespaces of servers
	makeSockets MakeSockets
	runner      func(ctx context.Context, index int) (CommandResult, error)
	checks      *loop.Loop   // of health checks; nil without any
	buffers     loop.Buffers // of clients' sockets
	handshakes  *tlsconn.Shared
	renewing    sync.Mutex // guards what the files of TLS say

	conns    gauge // client connections now, all frontends
	maxConn  atomic.Int64
	paused   atomic.Bool // some port waits for room below maxConn
	connRate rate
	connPace pace // of connections accepted
	sessPace pace // of those the rules let in
	tlsPace  pace // of those with TLS among them
	tls      tlsGauges
	tlsRoom  room // of TLS connections, below maxsslconn
	byteRate rate
	dropped  atomic.Uint64 // log lines

	draining  atomic.Bool
	accepting atomic.Int32 // loops whose ports a drain has not closed
	serving   atomic.Bool
	bound     atomic.Bool
	instances atomic.Pointer[[]stats.Instance]

	ctx     context.Context // ends with Close; owns checks and the heartbeat
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	closed  sync.Once
	idle    chan struct{} // closed when draining and no connection is left
	changed chan struct{} // a part changed; of capacity 1
	gone    sync.Once
}

// New builds the engine of cfg, resolves the names of servers and opens the
// ways to the logs, but moves no traffic. The error joins everything found.
func New(cfg *settings.Config, opts Options) (*Server, error) {
	s := &Server{cfg: cfg, opts: opts, start: time.Now(), idle: make(chan struct{}), changed: make(chan struct{}, 1)}
	if s.opts.Pid == 0 {
		s.opts.Pid = os.Getpid()
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.maxConn.Store(int64(s.defaultMaxConn()))
	s.setPaces()
	s.tlsRoom.limit = int64(cfg.Global.MaxTLSConn)
	s.buffers = loop.Buffers{Receive: cfg.Global.ReceiveBufferClient, Send: cfg.Global.SendBufferClient}
	n := opts.Loops
	if n == 0 {
		n = cfg.Global.NbThread
	}
	if n <= 0 {
		n = runtime.NumCPU()
	}
	s.workers = make([]*worker, n)
	s.accepting.Store(int32(n))
	s.handshakes = tlsconn.NewShared(n)
	if err := s.openSinks(); err != nil {
		return nil, err
	}
	for _, r := range cfg.Resolvers {
		s.resolvers = append(s.resolvers, newResolvers(s, r))
	}
	if err := s.build(cfg); err != nil {
		s.cancel()
		return nil, err
	}
	for i := range s.workers {
		w, err := newWorker(s, i)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.workers[i] = w
	}
	return s, nil
}

func (s *Server) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if s.opts.Resolve != nil {
		return s.opts.Resolve(ctx, host)
	}
	return systemResolve(ctx, host)
}

func (s *Server) notice(line string) {
	if s.opts.Notice != nil {
		s.opts.Notice(line)
	}
}

// novelty tells that a successor is to know something new.
func (s *Server) novelty() {
	if s.opts.Changed != nil {
		s.opts.Changed()
	}
}

// spare are descriptors kept for listeners, checks and logs when maxconn is
// derived from the limit of descriptors.
const spare = 200

// defaultMaxConn is the process's maxconn, and a frontend's without one of its
// own: as configured, else half of the descriptors there may be, since a
// connection needs one on each side.
func (s *Server) defaultMaxConn() int {
	if s.cfg.Global.MaxConn > 0 {
		return s.cfg.Global.MaxConn
	}
	const most = 1 << 20
	return int(max(min(descriptorLimit(), most), spare+200)-spare) / 2
}

// Needs lists the listening sockets to open for Serve and for the stats
// sockets, each key once.
func (s *Server) Needs() []Listener {
	var needs []Listener
	seen := map[string]bool{}
	add := func(l Listener) {
		if !seen[l.Key()] {
			seen[l.Key()] = true
			needs = append(needs, l)
		}
	}
	for _, f := range s.frontends {
		for i := range f.cfg.Binds {
			l := describe(&f.cfg.Binds[i], len(s.workers))
			if l.Backlog == 0 {
				l.Backlog = f.cfg.Backlog
			}
			add(l)
		}
	}
	for i := range s.cfg.Global.StatsSockets {
		l := describe(&s.cfg.Global.StatsSockets[i].Bind, 1)
		l.Stats = true
		add(l)
	}
	return needs
}

// StatsSocket is one `stats socket` of the configuration: the runtime API is
// to be served on the listener with this key.
type StatsSocket struct {
	Key   string
	Name  string // "unix@/run/haproxy.sock", "ipv4@127.0.0.1:9999"
	Level settings.Level
}

// StatsSockets lists the stats sockets, whose listeners Needs asks for too.
func (s *Server) StatsSockets() []StatsSocket {
	var list []StatsSocket
	for i := range s.cfg.Global.StatsSockets {
		c := &s.cfg.Global.StatsSockets[i]
		l := describe(&c.Bind, 1)
		name := "ipv4@" + l.Address
		switch {
		case l.Network == "unix":
			name = "unix@" + l.Address
		case strings.HasPrefix(l.Address, "["):
			name = "ipv6@" + l.Address
		}
		list = append(list, StatsSocket{l.Key(), name, c.Level})
	}
	return list
}

func describe(b *settings.Bind, sockets int) Listener {
	l := Listener{Network: b.Network, Interface: b.Interface, Transparent: b.Transparent, Backlog: b.Backlog,
		Sockets: sockets, Mode: b.Mode, UID: -1, GID: -1}
	if b.Network != "tcp" {
		l.Address, l.Sockets, l.UID, l.GID = b.Path, 1, b.UID, b.GID
		return l
	}
	l.Tune, l.Namespace = b.Tune, b.Namespace
	l.Network = "tcp"
	l.Address = net.JoinHostPort(b.Host, strconv.Itoa(b.Port))
	if ip, err := netip.ParseAddr(b.Host); err == nil && ip.Is6() {
		l.V6Only = b.V6Only || !b.V4V6 && v6Only()
	}
	return l
}

// v6Only is what the system makes of an IPv6 socket that says nothing.
func v6Only() bool {
	raw, err := os.ReadFile("/proc/sys/net/ipv6/bindv6only")
	return err == nil && strings.TrimSpace(string(raw)) == "1"
}

// Serve starts the loops and the health checks on the sockets lent for
// Needs, by Key. The Server owns copies: the caller may close its own. Each
// loop takes one socket of a key; loops beyond their number share. A key that
// is missing is an error, and nothing starts.
func (s *Server) Serve(lent map[string][]int) error {
	for _, f := range s.frontends {
		for i := range f.cfg.Binds {
			l := describe(&f.cfg.Binds[i], len(s.workers))
			if len(lent[l.Key()]) == 0 {
				return fmt.Errorf("%s: bind %s: no socket lent", f.cfg.Name, l.Address)
			}
		}
	}
	runtime.GOMAXPROCS(len(s.workers) + 1)
	var problems []error
	for _, f := range s.frontends {
		for i := range f.cfg.Binds {
			b := &f.cfg.Binds[i]
			problems = append(problems, s.place(f, b, i, lent[describe(b, len(s.workers)).Key()]))
		}
	}
	if err := errors.Join(problems...); err != nil {
		s.Close()
		return err
	}
	s.bound.Store(true)
	s.serving.Store(true)
	for _, w := range s.workers {
		s.wg.Go(w.run)
	}
	if err := s.startChecks(); err != nil {
		s.Close()
		return err
	}
	s.startNaming()
	s.wg.Go(s.beat)
	if s.warms() {
		s.wg.Go(s.warmUp)
	}
	return nil
}

// place gives every loop a socket of one bind line. A socket beyond the
// number of loops would receive connections nobody accepts, so the last loop
// takes all that are left.
func (s *Server) place(f *frontend, b *settings.Bind, id int, fds []int) error {
	line := &listening{limit: int64(b.MaxConn)}
	for i := range max(len(fds), len(s.workers)) {
		fd := fds[i%len(fds)]
		w := s.workers[min(i, len(s.workers)-1)]
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("%s: bind %s: copy the lent socket: %w", f.cfg.Name, b.Name, err)
		}
		p := &port{w: w, fe: f, bind: b, id: id + 1, tls: f.acceptors[id], line: line}
		if b.ID > 0 {
			p.id = b.ID
		}
		line.ports = append(line.ports, p)
		if b.Network != "unix" {
			loop.NoDelay(own) // what is accepted inherits it
			if p.answersAtOnce() {
				loop.DelayAck(own)
			} else {
				loop.AckNow(own) // an earlier generation may have thought otherwise
			}
		}
		if p.li, err = w.l.Listen(own, p); err != nil {
			unix.Close(own)
			return fmt.Errorf("%s: bind %s: %w", f.cfg.Name, b.Name, err)
		}
		if f.off.Load() {
			p.li.Pause()
		}
		f.ports = append(f.ports, p)
	}
	return nil
}

// Serving reports whether the proxy can serve: its listeners are bound, every
// loop has turned within the last three seconds, and it is not draining. The
// reason is for people.
func (s *Server) Serving() (ok bool, reason string) {
	switch {
	case s.draining.Load():
		return false, "draining"
	case !s.serving.Load():
		return false, "not started"
	}
	for i, w := range s.workers {
		if late := time.Duration(w.l.Clock() - w.l.Beat()); late > 3*heartbeat {
			return false, fmt.Sprintf("loop %d has not turned for %s", i+1, late.Round(time.Millisecond))
		}
	}
	return true, "listeners bound, loops turning"
}

// Drain stops accepting and lets connections end: a busy one after its
// response, which says so, an idle one when it has sent nothing for some
// seconds more. It returns nil when none is left. When ctx or hard-stop-after
// ends first the rest is closed, and the error tells how many.
func (s *Server) Drain(ctx context.Context) error {
	if s.draining.Swap(true) {
		return errors.New("already draining")
	}
	if after := s.cfg.Global.HardStopAfter; after > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, after)
		defer cancel()
	}
	for _, w := range s.workers {
		if !w.l.Post(w.drain) {
			return nil
		}
	}
	select {
	case <-s.idle:
		return nil
	case <-ctx.Done():
		left := s.conns.now.Load()
		s.Close()
		return fmt.Errorf("drain: %d connections cut: %w", left, ctx.Err())
	}
}

// checkIdle ends a drain when the last connection has gone and no loop may
// still accept another.
func (s *Server) checkIdle() {
	if s.draining.Load() && s.accepting.Load() == 0 && s.conns.now.Load() == 0 {
		s.gone.Do(func() { close(s.idle) })
	}
}

// Close ends every connection, check and goroutine, closes the sockets, and
// waits. It may be called more than once.
func (s *Server) Close() error {
	s.closed.Do(func() {
		s.serving.Store(false)
		s.cancel()
		for _, w := range s.workers {
			if w == nil {
				continue
			}
			w.l.Stop()
			if !s.bound.Load() {
				w.l.Run() // never started: one turn closes its descriptors
			}
		}
		if s.checks != nil {
			s.checks.Stop()
		}
	})
	s.wg.Wait()
	for _, o := range s.outlets {
		o.close()
	}
	return nil
}

// beat samples the rates once a second. It belongs to wg and ends with ctx.
func (s *Server) beat() {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			s.sample()
		}
	}
}

func (s *Server) sample() {
	var conns, out uint64
	for _, f := range s.frontends {
		tallies := own(f.tallies)
		n := total(tallies, func(t *tally) *atomic.Uint64 { return &t.conns })
		conns += n
		out += total(tallies, func(t *tally) *atomic.Uint64 { return &t.bytesOut })
		f.connRate.sample(n)
		f.reqRate.sample(total(tallies, func(t *tally) *atomic.Uint64 { return &t.requests }))
	}
	s.connRate.sample(conns)
	s.tls.sample(s)
	s.byteRate.sample(out)
	for _, b := range s.backends {
		b.sessRate.sample(total(own(b.tallies), func(t *tally) *atomic.Uint64 { return &t.sessions }))
		for _, t := range b.targets {
			t.sessRate.sample(total(own(t.tallies), func(t *tally) *atomic.Uint64 { return &t.sessions }))
		}
	}
}

// headLimit is the longest head that is taken, in one piece or in many: what
// tune.maxrewrite reserves of a buffer stays free.
func (s *Server) headLimit() int { return s.bufSize() - s.cfg.Global.MaxRewrite }

// bufSize is tune.bufsize.
func (s *Server) bufSize() int {
	if n := s.cfg.Global.BufSize; n > 0 {
		return n
	}
	return 16 << 10
}
