package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"herald/proxy/check"
	"herald/proxy/loop"
	"herald/proxy/settings"
)

// locate finds where a server line points at start, by init-addr where that is
// a name (Configuration manual 5.2). Nil without an error is a server that
// starts without an address. "last" is left to Recall, which comes later.
func (s *Server) locate(b *backend, cfg *settings.Server) (*address, error) {
	if cfg.Abstract {
		at, ok := loop.Abstract(cfg.Path)
		if !ok {
			return nil, fmt.Errorf("abns@%s: the name is too long", cfg.Path)
		}
		return &address{at: at, text: "abns@" + cfg.Path, unix: "@" + cfg.Path}, nil
	}
	if cfg.Transparent {
		return &address{text: "*", follows: true, ip: netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(cfg.Port))}, nil
	}
	if cfg.Path != "" {
		at, err := loop.Unix(cfg.Path)
		if err != nil {
			return nil, err
		}
		return &address{at: at, text: cfg.Path, unix: cfg.Path}, nil
	}
	at := func(ip netip.Addr) *address { return newAddress(netip.AddrPortFrom(ip.Unmap(), uint16(cfg.Port))) }
	if ip, err := netip.ParseAddr(cfg.Host); err == nil {
		return at(ip), nil
	}
	if cfg.ByService() {
		return nil, nil
	}
	methods := cfg.InitAddr
	if methods == "" {
		methods = "last,libc"
	}
	problem := fmt.Errorf("could not resolve address %q: nobody may be asked (init-addr %s)", cfg.Host, methods)
	for method := range strings.SplitSeq(methods, ",") {
		switch method {
		case "last":
		case "none":
			if strings.Contains(methods, "libc") {
				s.notice(fmt.Sprintf("server %s/%s: could not resolve address %q, disabling server.", b.cfg.Name, cfg.Name, cfg.Host))
			}
			return nil, nil
		case "libc":
			ip, err := s.lookUp(cfg.Host)
			if err == nil {
				return at(ip), nil
			}
			problem = fmt.Errorf("could not resolve address %q: %w", cfg.Host, err)
		default:
			ip, err := netip.ParseAddr(method)
			if err == nil {
				return at(ip), nil
			}
			problem = err
		}
	}
	return nil, problem
}

// probed are the addresses of names that checks go to, as of the start.
type probed map[string]netip.Addr

// find is the address of a host, which may be one.
func (h probed) find(host string) (netip.Addr, bool) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip, true
	}
	ip, known := h[host]
	return ip, known
}

// isPath tells the path of a unix socket, or a name in the abstract namespace,
// from a host.
func isPath(text string) bool { return strings.HasPrefix(text, "/") || strings.HasPrefix(text, "@") }

// hostsOf looks up the names that the checks of a server go to.
func (s *Server) hostsOf(b *backend, cfg *settings.Server) (probed, error) {
	named := []string{cfg.CheckAddr, cfg.Agent.Addr}
	if b.cfg.Check.Script != nil {
		named = append(named, b.cfg.Check.Script.Addrs()...)
	}
	var found probed
	for _, host := range named {
		if _, known := found.find(host); known || host == "" || isPath(host) {
			continue
		}
		ip, err := s.lookUp(host)
		if err != nil {
			return nil, fmt.Errorf("could not resolve address %q of its checks: %w", host, err)
		}
		if found == nil {
			found = probed{}
		}
		found[host] = ip
	}
	return found, nil
}

// looked is the system's word on a name: the servers of a template ask once.
type looked struct {
	ip  netip.Addr
	err error
}

// lookUp asks the system's resolver while the Server is built.
func (s *Server) lookUp(host string) (netip.Addr, error) {
	if l, known := s.looked[host]; known {
		return l.ip, l.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	found, err := s.resolve(ctx, host)
	if err == nil && len(found) == 0 {
		err = errors.New("no address")
	}
	l := looked{err: err}
	if err == nil {
		l.ip = found[0]
	}
	if s.looked == nil {
		s.looked = map[string]looked{}
	}
	s.looked[host] = l
	return l.ip, l.err
}

// systemResolve asks the system's resolver, IPv4 answers first.
func systemResolve(ctx context.Context, host string) ([]netip.Addr, error) {
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var four, six []netip.Addr
	for _, a := range all {
		if a = a.Unmap(); a.Is4() {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	return append(four, six...), nil
}

// stand puts t at its first address; without one it begins in maintenance.
func (t *target) stand(a *address, now time.Time) {
	t.addr.Store(a)
	if a == nil {
		t.state, _ = check.Step(t.check, t.state, now, check.Event{Kind: check.Unlocated})
	}
}
