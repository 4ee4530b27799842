// Package sockets opens listening sockets for the parent, which lends them to
// the proxy processes.
//
// It decides nothing about who may have them, and accepts no connection. A
// TCP socket is bound with IP_FREEBIND, so a virtual address need not be here
// yet, and with SO_REUSEPORT, so that every event loop has one of its own.
// Descriptors are non-blocking and close-on-exec from the start, and are
// never wrapped in an os.File, whose Fd method would clear O_NONBLOCK for
// every process that shares them.
//
//	g, err := sockets.Open(ipc.Socket{Network: "tcp", Address: ":80", Count: 2}, sockets.Exclusive)
//	lend(g.FDs)
//	g.Close()
package sockets

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/netns"
)

// Sharing says whether another process may listen on the same TCP port.
type Sharing bool

const (
	// Exclusive refuses a port that somebody listens on already: with
	// SO_REUSEPORT alone the kernel would share connections out between the
	// two, silently.
	Exclusive Sharing = false
	// Shared is for a port of which this process holds other sockets, on
	// another address or interface.
	Shared Sharing = true
)

// Group is the sockets of one address. It belongs to one goroutine.
type Group struct {
	Spec ipc.Socket
	FDs  []int

	file unix.Stat_t // of a unix socket's path
}

// Open opens Count sockets as spec describes.
func Open(spec ipc.Socket, sharing Sharing) (*Group, error) {
	g := &Group{Spec: spec}
	var err error
	switch spec.Network {
	case "unix":
		err = g.openUnix()
	case "abns":
		err = g.openAbstract()
	case "fd":
		err = g.adopt()
	default:
		err = g.openTCP(sharing)
	}
	if err != nil {
		return nil, err
	}
	return g, nil
}

// openTCP opens the sockets of a TCP address.
func (g *Group) openTCP(sharing Sharing) error {
	spec := g.Spec
	if sharing == Exclusive {
		fd, err := listenTCP(spec, false)
		if err != nil {
			return err
		}
		// It goes before the first that shares: both cannot be bound at once.
		unix.Close(fd)
	}
	if err := g.Grow(max(spec.Count, 1)); err != nil {
		g.Close()
		return err
	}
	return nil
}

// Grow opens sockets until there are n; one that is not TCP stays alone.
func (g *Group) Grow(n int) error {
	if g.Spec.Network != "tcp" {
		return nil
	}
	for len(g.FDs) < n {
		fd, err := listenTCP(g.Spec, true)
		if err != nil {
			if len(g.FDs) == 0 {
				return err
			}
			return fmt.Errorf("%w (socket %d of %d)", err, len(g.FDs)+1, n)
		}
		g.FDs = append(g.FDs, fd)
	}
	return nil
}

// Close closes the sockets, and removes the path of a unix socket when it is
// still the one that was made here.
func (g *Group) Close() {
	for _, fd := range g.FDs {
		unix.Close(fd)
	}
	g.FDs = nil
	var now unix.Stat_t
	if g.file.Ino != 0 && unix.Lstat(g.Spec.Address, &now) == nil && now.Ino == g.file.Ino && now.Dev == g.file.Dev {
		unix.Unlink(g.Spec.Address)
	}
}

// Port returns the TCP port of an address, 0 for others.
func Port(s ipc.Socket) uint16 {
	if a, err := address(s); err == nil {
		return a.Port()
	}
	return 0
}

// address reads "HOST:PORT"; an empty host or "*" is every IPv4 address.
func address(s ipc.Socket) (netip.AddrPort, error) {
	if s.Network != "tcp" {
		return netip.AddrPort{}, fmt.Errorf("listen on %s %s: the network is neither tcp nor unix", s.Network, s.Address)
	}
	text := s.Address
	if strings.HasPrefix(text, ":") {
		text = "0.0.0.0" + text
	} else if rest, ok := strings.CutPrefix(text, "*:"); ok {
		text = "0.0.0.0:" + rest
	}
	a, err := netip.ParseAddrPort(text)
	if err != nil {
		return a, fmt.Errorf("listen on %s: %w", s.Address, err)
	}
	return a, nil
}

// listenTCP makes one listening socket, in its namespace.
func listenTCP(s ipc.Socket, share bool) (fd int, err error) {
	err = netns.Do(s.NetNamespace, func() error {
		fd, err = listenHere(s, share)
		return err
	})
	if err != nil {
		return -1, err
	}
	return fd, nil
}

func listenHere(s ipc.Socket, share bool) (int, error) {
	a, err := address(s)
	if err != nil {
		return -1, err
	}
	domain := unix.AF_INET
	if a.Addr().Is6() {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("listen on %s: socket: %w", s.Address, err)
	}
	if err := options(fd, s, domain, share); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("listen on %s: %w", s.Address, err)
	}
	to, err := sockaddr(a)
	if err == nil {
		err = unix.Bind(fd, to)
	}
	if err == nil {
		err = unix.Listen(fd, backlog(s))
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("listen on %s: %w%s", s.Address, err, advice(err))
	}
	return fd, nil
}

// options sets what must be set before the address.
func options(fd int, s ipc.Socket, domain int, share bool) error {
	on := func(name string, level, option, value int) error {
		if err := unix.SetsockoptInt(fd, level, option, value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
		return nil
	}
	if err := on("SO_REUSEADDR", unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if share {
		if err := on("SO_REUSEPORT", unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return err
		}
	}
	level, transparent := unix.SOL_IP, unix.IP_TRANSPARENT
	if domain == unix.AF_INET6 {
		only := 0
		if s.V6Only {
			only = 1
		}
		if err := on("IPV6_V6ONLY", unix.SOL_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return err
		}
		level, transparent = unix.SOL_IPV6, unix.IPV6_TRANSPARENT
	}
	// IP_FREEBIND serves both families.
	if err := on("IP_FREEBIND", unix.SOL_IP, unix.IP_FREEBIND, 1); err != nil {
		return err
	}
	if s.Transparent {
		if err := on("IP_TRANSPARENT", level, transparent, 1); err != nil {
			return err
		}
	}
	if err := tune(on, s); err != nil {
		return err
	}
	if s.Interface != "" {
		if err := unix.BindToDevice(fd, s.Interface); err != nil {
			return fmt.Errorf("bind to interface %s: %w", s.Interface, err)
		}
	}
	return nil
}

func sockaddr(a netip.AddrPort) (unix.Sockaddr, error) {
	if ip := a.Addr(); ip.Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: ip.As4()}, nil
	}
	to := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if zone := a.Addr().Zone(); zone != "" {
		i, err := net.InterfaceByName(zone)
		if err != nil {
			return nil, fmt.Errorf("zone %s: %w", zone, err)
		}
		to.ZoneId = uint32(i.Index)
	}
	return to, nil
}

// backlog is what listen(2) is asked for; the kernel cuts it to
// net.core.somaxconn.
func backlog(s ipc.Socket) int {
	if s.Backlog > 0 {
		return s.Backlog
	}
	return math.MaxInt32
}

// advice adds to an error what usually helps.
func advice(err error) string {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return " (is another proxy running? `ss -ltnp` shows it)"
	case errors.Is(err, unix.EACCES):
		return " (ports below 1024 need root or CAP_NET_BIND_SERVICE)"
	}
	return ""
}

// Descriptors returns the sockets; they stay the group's.
func (g *Group) Descriptors() []int { return g.FDs }
