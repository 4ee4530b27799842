package proxy

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"herald/proxy/dns"
	"herald/proxy/settings"
)

// resolvers is one resolvers section at run time. Its mutex guards everything
// about names in it and in the targets that use it; it is taken before the
// mutex of a backend.
type resolvers struct {
	s       *Server
	cfg     *settings.Resolvers
	servers []nameserver

	mu      sync.Mutex
	byName  map[nameKey]*resolution
	serving bool // the Server serves: resolutions run
}

// nameserver counts what one nameserver said, as `show resolvers` lists it.
type nameserver struct {
	cfg   settings.Nameserver
	count [nameserverCounts]atomic.Uint64
}

// Indexes of the counts, in the order they are shown.
const (
	nsSent = iota
	nsSendError
	nsValid
	nsUpdate
	nsAlias
	nsBadAlias
	nsAnyError
	nsNX
	nsTimeout
	nsRefused
	nsOther
	nsInvalid
	nsTooBig
	nsTruncated
	nsOutdated
	nameserverCounts
)

// nameKey is what servers that want the same share one resolution by.
type nameKey struct {
	name  string // lower case
	first dns.Type
}

// resolution asks for one name. Its goroutine, run, is the only one that
// steps its state; it ends when nobody asks any more.
type resolution struct {
	of     *resolvers
	key    nameKey
	config dns.Config

	// Guarded by of.mu.
	state   dns.State
	targets []*target     // those that want an address, in the order of the file
	sets    []*serviceSet // those that SRV records fill
	gone    chan struct{} // closed when nobody asks
	from    string        // the nameserver of the last answer, "section/name"
	placed  []dns.Record  // what the servers were last placed by
}

// naming is how a target has its name resolved; nil where that is done at
// start only. Guarded by of.mu but host, which anybody may read.
type naming struct {
	of    *resolvers
	by    *resolution // nil while there is no name
	host  atomic.Pointer[string]
	first dns.Type // family asked for first
	nets  []netip.Prefix
	set   *serviceSet // SRV records say the name; nil: the file does
	slot  dns.Slot    // what they say
	was   atomic.Bool // they have said something once
}

// serviceSet is the servers of one backend that share an SRV name.
type serviceSet struct {
	targets []*target
}

// answered is a reply that arrived for a round.
type answered struct {
	reply dns.Reply
	round int
	from  *nameserver
}

func (n *naming) name() string {
	if p := n.host.Load(); p != nil {
		return *p
	}
	return ""
}

func (n *naming) rename(name string) { n.host.Store(&name) }

func newResolvers(s *Server, cfg *settings.Resolvers) *resolvers {
	r := &resolvers{s: s, cfg: cfg, servers: make([]nameserver, len(cfg.Nameservers)), byName: map[nameKey]*resolution{}}
	for i := range r.servers {
		r.servers[i].cfg = cfg.Nameservers[i]
	}
	return r
}

// name makes t one of those whose names are resolved. It comes before Serve.
func (s *Server) name(t *target, sets map[string]*serviceSet) {
	cfg := &t.cfg.Resolve
	if cfg.Section == "" || t.cfg.Path != "" {
		return
	}
	if _, err := netip.ParseAddr(t.cfg.Host); err == nil {
		return
	}
	for _, r := range s.resolvers {
		if r.cfg.Name != cfg.Section {
			continue
		}
		t.naming = &naming{of: r, first: dns.AAAA}
		if cfg.PreferIPv4 {
			t.naming.first = dns.A
		}
		for text := range strings.SplitSeq(cfg.Networks, ",") {
			if p, err := netip.ParsePrefix(text); err == nil {
				t.naming.nets = append(t.naming.nets, p)
			}
		}
		t.naming.rename("")
		r.mu.Lock()
		defer r.mu.Unlock()
		if t.cfg.ByService() {
			set := sets[strings.ToLower(t.cfg.Host)]
			if set == nil {
				set = &serviceSet{}
				sets[strings.ToLower(t.cfg.Host)] = set
				by := r.join(nameKey{strings.ToLower(t.cfg.Host), dns.SRV})
				by.sets = append(by.sets, set)
			}
			set.targets = append(set.targets, t)
			t.naming.set = set
			return
		}
		r.want(t, t.cfg.Host)
	}
}

// want lets t have the addresses of name; an empty one ends that. The mutex
// is held.
func (r *resolvers) want(t *target, name string) {
	n := t.naming
	t.byHand.Store(false)
	if n.by != nil {
		n.by.leave(t)
		n.by = nil
	}
	n.rename(name)
	if name == "" {
		return
	}
	n.by = r.join(nameKey{strings.ToLower(name), n.first})
	n.by.enter(t)
}

// join answers the resolution of key, a new one when there is none.
func (r *resolvers) join(key nameKey) *resolution {
	if x := r.byName[key]; x != nil {
		return x
	}
	hold := r.cfg.Hold
	x := &resolution{of: r, key: key, gone: make(chan struct{}), config: dns.Config{First: key.first, Servers: len(r.servers),
		Retries: r.cfg.Retries, Resolve: r.cfg.Resolve, Retry: r.cfg.Retry,
		Hold: dns.Hold{Valid: hold.Valid, Obsolete: hold.Obsolete, NX: hold.NX, Timeout: hold.Timeout, Refused: hold.Refused, Other: hold.Other}}}
	x.state = dns.Start(x.config, time.Now())
	r.byName[key] = x
	if r.serving {
		r.s.wg.Go(x.run)
	}
	return x
}

// enter adds a target in the order of the file, so that the same server gets
// the first address every time.
func (x *resolution) enter(t *target) {
	at := len(x.targets)
	for at > 0 && x.targets[at-1].slot > t.slot {
		at--
	}
	x.targets = append(x.targets, nil)
	copy(x.targets[at+1:], x.targets[at:])
	x.targets[at] = t
}

func (x *resolution) leave(t *target) {
	for i, o := range x.targets {
		if o == t {
			x.targets = append(x.targets[:i:i], x.targets[i+1:]...)
			break
		}
	}
	if len(x.targets)+len(x.sets) == 0 {
		delete(x.of.byName, x.key)
		close(x.gone)
	}
}

// startNaming starts every resolution.
func (s *Server) startNaming() {
	for _, r := range s.resolvers {
		if len(r.servers) == 0 {
			continue
		}
		r.mu.Lock()
		r.serving = true
		for _, x := range r.byName {
			s.wg.Go(x.run)
		}
		r.mu.Unlock()
	}
}

// chance is the ID of a question. The generator is seeded by the system and
// cannot be told from its outputs (ChaCha8).
func chance() uint16 { return uint16(rand.Uint32()) }
