package proxy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"herald/proxy/check"
	"herald/proxy/errorpage"
	"herald/proxy/lb"
	"herald/proxy/loop"
	"herald/proxy/settings"
)

// frontend is the client side of a proxy at run time.
type frontend struct {
	cfg     *settings.Proxy
	http    bool
	backend *backend   // nil: every request is answered 503
	choices []*backend // of cfg.Rules.Backends
	pages   pages
	log     *logger
	ports   []*port
	// acceptors are those of the bind lines, nil where there is no TLS.
	acceptors []*acceptor

	conns     gauge // connections now
	maxConn   atomic.Int64
	paused    atomic.Bool // some port waits for room
	off       atomic.Bool // disabled by the operator
	tallies   []tally
	connRate  rate
	reqRate   rate
	pace      pace // of sessions
	logged    atomic.Uint64
	changed   atomic.Int64 // Unix seconds
	forwarded *forwardFor
	original  *forwardFor
	identity  *identity // nil without unique-id-format
}

// backend is the server side of a proxy at run time.
type backend struct {
	cfg     *settings.Proxy
	http    bool
	pages   pages
	log     *logger
	targets []*target
	places  map[string]int // of the targets, by name
	group   *lb.Group
	// dispatch takes all requests when it is not nil; it is not among targets.
	dispatch *target
	key      lb.Key      // nil when the algorithm asks for none
	limited  atomic.Bool // some target has a maxconn
	byLoad   bool        // the algorithm follows the servers' loads
	full     int64       // fullconn, as it was configured or comes to

	mu       sync.Mutex // guards the queues, and the health of the targets
	line     waitline
	arrivals uint64        // at all queues
	changes  atomic.Uint64 // places left and queues served, for those who are about to wait
	empty    bool          // the lack of servers has been logged
	since    time.Time
	down     time.Duration
	downs    uint64       // times it lost its last server
	reach    int          // sum of the maxconn of the frontends that lead here
	lastUse  atomic.Int64 // Unix seconds of the last session; 0 never

	sessions      gauge
	tallies       []tally
	sessRate      rate
	sourceHeaders []headerKey // that name whom its servers are to see
	forwarded     *forwardFor
	original      *forwardFor
}

// target is one server line at run time. What every request touches stands in
// front: of a thousand servers, none is in the processor's cache when its turn
// comes.
type target struct {
	cfg      *settings.Server
	be       *backend
	index    int
	slot     int // among all targets, for the loops' idle connections
	tallies  []tally
	watched  bool // traffic tells of its health: observe
	sessions gauge
	idle     atomic.Int64
	maxConn  atomic.Int64
	minConn  atomic.Int64 // as maxConn when there is none
	warm     atomic.Int64 // one more than the percentage of maxConn in force while t warms up; 0 means all
	lastUse  atomic.Int64
	sessRate rate
	tls      *connector // nil: nothing is encrypted
	line     waitline   // those whom no other server will do

	addr   atomic.Pointer[address]
	how    *loop.How    // the way there; nil is the system's
	socks  *loop.Addr   // of the SOCKS4 proxy all connections go to; nil: none
	errors atomic.Int64 // that traffic met in a row

	check check.Config

	// Guarded by be.mu.
	state   check.State
	weight  int
	running bool // a check is under way
	warmth  int  // sixteenths of the weight in force; 0 means all
	asking  bool // the agent is being asked
	aim     aim  // where checks go

	lead      *target     // the server it tracks, or nil
	followers []*target   // those that track it
	following sync.Mutex  // orders what is taken over from lead
	shared    *sharing    // of option share-checks; nil alone
	placed    atomic.Bool // addr was set at run time
	byHand    atomic.Bool // addr is the operator's, until the addresses of the name change
	external  int         // index of its command among the Server's, -1 without one
	naming    *naming     // nil: its name is resolved at start only, if it is one

	watch     atomic.Pointer[watch] // of its checks; nil before they begin
	pokeAgent chan struct{}         // who asks the agent looks at state.Agent.Next again
	checkHow  *loop.How             // the way of checks
	hosts     probed                // what checks name
}

// address is where a target is reached.
type address struct {
	at   loop.Addr
	ip   netip.AddrPort // zero value for a unix socket
	text string
	unix string
	// follows: the address is the one the client connected to.
	follows bool
}

// build makes the run-time form of a configuration.
func (s *Server) build(cfg *settings.Config) error {
	var problems []error
	byName := map[string]*backend{}
	s.byName = byName
	for _, p := range cfg.Proxies {
		s.expected += len(p.Servers)
	}
	for _, p := range cfg.Proxies {
		if p.Disabled {
			continue
		}
		if p.Backend {
			b, err := s.buildBackend(p)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			s.backends = append(s.backends, b)
			byName[p.Name] = b
		}
	}
	for _, p := range cfg.Proxies {
		if p.Disabled || !p.Frontend {
			continue
		}
		f := s.buildFrontend(p)
		if err := f.buildAcceptors(); err != nil {
			problems = append(problems, err)
		}
		switch {
		case p.DefaultBackend != "":
			f.backend = byName[p.DefaultBackend]
			if f.backend == nil {
				problems = append(problems, fmt.Errorf("%s: default_backend %s: no such backend", p.Name, p.DefaultBackend))
			}
		case p.Backend:
			f.backend = byName[p.Name]
		}
		if f.backend != nil {
			f.backend.reach += int(f.maxConn.Load())
		}
		problems = append(problems, f.linkRules(byName)...)
		s.frontends = append(s.frontends, f)
	}
	s.linkFollowers()
	s.listCounters()
	for _, b := range s.backends {
		if b.full = int64(b.cfg.FullConn); b.full == 0 { // a tenth of what its frontends may have, rounded up, as HAProxy
			b.full = int64(max((b.reach+9)/10, 1))
		}
	}
	return errors.Join(problems...)
}

func (s *Server) buildFrontend(p *settings.Proxy) *frontend {
	f := &frontend{cfg: p, http: p.Mode == settings.HTTP, pages: newPages(p), log: s.newLogger(p),
		tallies: s.newTallies(), forwarded: newForwardFor(p.ForwardFor), original: newForwardFor(p.OriginalTo),
		identity: newIdentity(&p.UniqueID)}
	if i := f.identity; i != nil && i.format.Needs("sslv", "sslc") {
		f.log.secure = true
	}
	limit := p.MaxConn
	if limit == 0 {
		limit = s.defaultMaxConn()
	}
	f.maxConn.Store(int64(limit))
	f.pace.limit.Store(int64(p.MaxSessRate))
	f.changed.Store(s.start.Unix())
	return f
}

func (s *Server) buildBackend(p *settings.Proxy) (*backend, error) {
	b := &backend{places: map[string]int{}, cfg: p, http: p.Mode == settings.HTTP, pages: newPages(p), log: s.newLogger(p), since: s.start,
		tallies: s.newTallies(), forwarded: newForwardFor(p.ForwardFor), original: newForwardFor(p.OriginalTo)}
	var problems []error
	sets := map[string]*serviceSet{}
	for i := range p.Servers {
		t, err := s.buildTarget(b, &p.Servers[i], i)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		s.name(t, sets)
		if _, twice := b.places[t.cfg.Name]; !twice {
			b.places[t.cfg.Name] = len(b.targets)
		}
		b.targets = append(b.targets, t)
		if t.cfg.MaxConn > 0 {
			b.limited.Store(true)
		}
	}
	if p.Dispatch != nil {
		t, err := s.buildTarget(b, p.Dispatch, lb.None)
		problems = append(problems, err)
		b.dispatch = t
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if err := b.arrange(); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return b, nil
}

func (s *Server) buildTarget(b *backend, cfg *settings.Server, i int) (*target, error) {
	t := &target{cfg: cfg, be: b, index: i, watched: cfg.Observe != settings.ObserveNothing, weight: cfg.Weight, tallies: s.newTallies(),
		pokeAgent: make(chan struct{}, 1), aim: newAim(cfg)}
	t.slot = s.targets
	s.targets++
	t.maxConn.Store(int64(cfg.MaxConn))
	t.minConn.Store(int64(cfg.MinConn))
	if cfg.MinConn == 0 {
		t.minConn.Store(int64(cfg.MaxConn))
	}
	t.check = check.Config{Backend: b.cfg.Name, Server: cfg.Name, Backup: cfg.Backup, Enabled: cfg.Check, Disabled: cfg.Disabled,
		Rise: cfg.Rise, Fall: cfg.Fall, Inter: cfg.Inter, Fast: cfg.FastInter, Down: cfg.DownInter,
		Spread: s.cfg.Global.SpreadChecks, MaxSpread: s.cfg.Global.MaxSpreadChecks, LogAll: b.cfg.LogHealthChecks, SlowStart: cfg.SlowStart, OnError: check.OnError(cfg.OnError),
		Agent: cfg.Agent.Enabled, AgentInter: agentInter(cfg)}
	share := float64(t.slot) / float64(max(s.expected, 1)) // of the interval: no two checks begin together
	t.state = check.Start(t.check, s.start, share)
	a, err := s.locate(b, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", b.cfg.Name, cfg.Name, err)
	}
	t.stand(a, s.start)
	if src := t.source(); src.Use == settings.UseHeader && !slices.Contains(b.sourceHeaders, t.sourceHeader()) {
		b.sourceHeaders = append(b.sourceHeaders, t.sourceHeader())
	}
	if t.hosts, err = s.hostsOf(b, cfg); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", b.cfg.Name, cfg.Name, err)
	}
	t.external = s.addExternal(t, a)
	if t.tls, err = newConnector(cfg.TLS); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", b.cfg.Name, cfg.Name, err)
	}
	t.setWays(s)
	t.socks = t.socksAddr()
	return t, nil
}

func newAddress(ap netip.AddrPort) *address {
	return &address{at: loop.TCP(ap), ip: ap, text: ap.String()}
}

// member is what the balancing algorithm knows of t.
func (t *target) member() lb.Server {
	return lb.Server{ID: t.cfg.ID, Weight: t.weight, Backup: t.cfg.Backup, Usable: t.state.Usable(), Warm: t.warmth}
}

// pages are the whole responses a proxy answers with on its own.
type pages map[int][]byte

// newPages reads the errorfiles of p; the others are HAProxy's defaults.
func newPages(p *settings.Proxy) pages {
	own := pages{}
	for status, file := range p.ErrorFiles {
		if page, err := errorpage.Parse(file.Bytes); err == nil {
			own[status] = page.Bytes
		}
	}
	return own
}

func (p pages) of(status int) []byte {
	if page, ok := p[status]; ok {
		return page
	}
	return errorpage.Default(status)
}

// forwardFor is option forwardfor or originalto, compiled.
type forwardFor struct {
	except netip.Prefix // zero value: none
	header []byte       // lower case
	name   string       // the same
	ifNone bool
}

func newForwardFor(cfg *settings.ForwardFor) *forwardFor {
	if cfg == nil {
		return nil
	}
	f := &forwardFor{header: lower(cfg.Header), ifNone: cfg.IfNone}
	if len(f.header) == 0 {
		f.header = []byte("x-forwarded-for")
	}
	f.name = string(f.header)
	if p, err := netip.ParsePrefix(cfg.Except); err == nil {
		f.except = p.Masked()
	} else if a, err := netip.ParseAddr(cfg.Except); err == nil {
		f.except = netip.PrefixFrom(a, a.BitLen())
	}
	return f
}

// excepts reports whether a is never named.
func (f *forwardFor) excepts(a netip.Addr) bool {
	return f != nil && f.except.IsValid() && f.except.Contains(a)
}

func lower(s string) []byte {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}
