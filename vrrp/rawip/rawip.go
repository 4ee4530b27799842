// Package rawip is the raw IP socket VRRP speaks through: one per interface,
// family and group, another one for packets with an authentication header.
//
// It decides nothing. What it receives is handed on with the time to live and
// destination of the IP header, unchecked. It never blocks: Receive reads what
// waits, and a callback tells when something waits again.
//
//	s, err := rawip.Open(rawip.Place{Device: "eth0", Index: ifindex, Group: wire.Group, Join: true},
//		func() { wake <- struct{}{} })
//	for {
//		<-wake
//		for {
//			p, ok, err := s.Receive(buf)
//			if !ok {
//				break
//			}
//		}
//	}
//
// Opening needs CAP_NET_RAW.
package rawip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"herald/vrrp/wire"
)

const (
	// tos is class selector 6, internetwork control, as keepalived sends.
	tos = 0xc0
	// receiveBuffer holds the advertisements of 255 instances through a stall
	// of some seconds; the kernel counts about 800 bytes for each.
	receiveBuffer = 1 << 20
	// controlPriority is TC_PRIO_CONTROL: queueing disciplines send it first.
	controlPriority = 7
)

// Place says where a socket listens.
type Place struct {
	Device string
	Index  int
	// Group is the multicast group; its family is the socket's.
	Group netip.Addr
	// Join says whether to join the group: a socket of unicast instances only
	// does not.
	Join bool
	// AH makes it a socket of packets with an authentication header (IPv4).
	AH bool
	// Under is the index of the interface below Device, where Device is a
	// virtual MAC one; 0 otherwise. The group is joined there too, for nobody
	// hears what Device says of it, and IPv6 packets have a source that is
	// there and not on Device.
	Under int
	// From, unless it is zero, leaves only packets from that hardware address.
	From [6]byte
	// Buffer is the receive buffer in bytes; 0 is the usual size.
	Buffer int
}

// Socket sends and receives VRRP at one Place. Receive and Send belong to one
// goroutine; Close may be called from any.
type Socket struct {
	place Place
	file  *os.File
	raw   syscall.RawConn
	ttl   uint8 // of unicast packets at present
	oob   []byte

	rearm  chan struct{}
	closed chan struct{}
	once   sync.Once
	watch  sync.WaitGroup
}

// Open opens a socket bound to the interface and joins the group on it. From
// then on ready is called, from a goroutine of the socket, when packets wait;
// after each call not again until Receive has reported that none is left.
func Open(p Place, ready func()) (*Socket, error) {
	family, protocol := unix.AF_INET, wire.Protocol
	if p.Group.Is6() {
		family = unix.AF_INET6
	} else if p.AH {
		protocol = wire.ProtocolAH
	}
	fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, fmt.Errorf("open VRRP socket on %s: %w (needs CAP_NET_RAW)", p.Device, err)
	}
	if err := prepare(fd, p); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open VRRP socket on %s: %w", p.Device, err)
	}
	s := &Socket{place: p, file: os.NewFile(uintptr(fd), "vrrp:"+p.Device), ttl: wire.TTL, oob: make([]byte, 128),
		rearm: make(chan struct{}, 1), closed: make(chan struct{})}
	if s.raw, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, fmt.Errorf("open VRRP socket on %s: %w", p.Device, err)
	}
	s.watch.Add(1)
	go s.watchReadable(ready)
	return s, nil
}

// option is one call of setsockopt with its name for errors.
type option struct {
	name string
	set  func() error
}

// prepare sets the options of a VRRP socket, see socket(7).
func prepare(fd int, p Place) error {
	options := options4
	if p.Group.Is6() {
		options = options6
	}
	list := options(fd, p)
	if p.From != [6]byte{} { // before the group is joined
		list = append([]option{{"SO_ATTACH_FILTER", func() error { return onlyFrom(fd, p.From) }}}, list...)
	}
	for _, o := range append(list,
		option{"SO_PRIORITY", func() error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PRIORITY, controlPriority) }},
		option{"SO_RCVBUF", func() error { return setReceiveBuffer(fd, p.Buffer) }}) {
		if err := o.set(); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	return nil
}

// options4 are those of ip(7).
func options4(fd int, p Place) []option {
	integer := func(name string, opt, value int) option {
		return option{name, func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, opt, value) }}
	}
	member := &unix.IPMreqn{Multiaddr: p.Group.As4(), Ifindex: int32(p.Index)}
	list := []option{
		{"SO_BINDTODEVICE", func() error { return unix.BindToDevice(fd, p.Device) }},
		{"IP_MULTICAST_IF", func() error { return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, member) }},
		integer("IP_MULTICAST_ALL", unix.IP_MULTICAST_ALL, 0),
		integer("IP_MULTICAST_LOOP", unix.IP_MULTICAST_LOOP, 0),
		integer("IP_MULTICAST_TTL", unix.IP_MULTICAST_TTL, wire.TTL),
		integer("IP_TTL", unix.IP_TTL, wire.TTL),
		integer("IP_TOS", unix.IP_TOS, tos),
		// Without "don't fragment", as keepalived's own header is.
		integer("IP_MTU_DISCOVER", unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT),
	}
	if p.Join {
		list = append(list, option{"IP_ADD_MEMBERSHIP", func() error {
			return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, member)
		}})
	}
	if p.Join && p.Under != 0 {
		list = append(list, option{"IP_ADD_MEMBERSHIP below", func() error {
			return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreqn{Multiaddr: p.Group.As4(), Ifindex: int32(p.Under)})
		}})
	}
	if p.AH { // the header is part of what is authenticated
		list = append(list, integer("IP_HDRINCL", unix.IP_HDRINCL, 1))
	}
	return list
}

// ipv6MulticastAll is IPV6_MULTICAST_ALL of linux/in6.h.
const ipv6MulticastAll = 29

// options6 are those of ipv6(7).
func options6(fd int, p Place) []option {
	integer := func(name string, opt, value int) option {
		return option{name, func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, opt, value) }}
	}
	list := []option{
		{"SO_BINDTODEVICE", func() error { return unix.BindToDevice(fd, p.Device) }},
		integer("IPV6_MULTICAST_IF", unix.IPV6_MULTICAST_IF, p.Index),
		integer("IPV6_MULTICAST_LOOP", unix.IPV6_MULTICAST_LOOP, 0),
		integer("IPV6_MULTICAST_HOPS", unix.IPV6_MULTICAST_HOPS, wire.TTL),
		integer("IPV6_UNICAST_HOPS", unix.IPV6_UNICAST_HOPS, wire.TTL),
		integer("IPV6_TCLASS", unix.IPV6_TCLASS, tos),
		integer("IPV6_RECVHOPLIMIT", unix.IPV6_RECVHOPLIMIT, 1),
		integer("IPV6_RECVPKTINFO", unix.IPV6_RECVPKTINFO, 1),
		{"IPV6_MULTICAST_ALL", func() error {
			err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, ipv6MulticastAll, 0)
			if errors.Is(err, unix.ENOPROTOOPT) { // before Linux 4.20; the check of the destination is enough
				return nil
			}
			return err
		}},
	}
	if p.Join {
		member := &unix.IPv6Mreq{Multiaddr: p.Group.As16(), Interface: uint32(p.Index)}
		list = append(list, option{"IPV6_JOIN_GROUP", func() error {
			return unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, member)
		}})
	}
	if p.Under != 0 {
		list = append(list, integer("IPV6_FREEBIND", unix.IPV6_FREEBIND, 1))
		if p.Join {
			below := &unix.IPv6Mreq{Multiaddr: p.Group.As16(), Interface: uint32(p.Under)}
			list = append(list, option{"IPV6_JOIN_GROUP below", func() error {
				return unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, below)
			}})
		}
	}
	return list
}

// setReceiveBuffer goes beyond net.core.rmem_max where CAP_NET_ADMIN allows it.
func setReceiveBuffer(fd, size int) error {
	if size == 0 {
		size = receiveBuffer
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size); err == nil {
		return nil
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size)
}

// Receive reads one waiting packet into b and reports false when none waits.
// The payload is a part of b. An error concerns this packet or the link; the
// socket stays usable unless it was closed.
func (s *Socket) Receive(b []byte) (wire.Packet, bool, error) {
	for {
		var n, oobn int
		var from unix.Sockaddr
		var failed error
		err := s.raw.Control(func(fd uintptr) {
			if s.place.Group.Is6() {
				n, oobn, _, from, failed = unix.Recvmsg(int(fd), b, s.oob, unix.MSG_DONTWAIT)
			} else {
				n, failed = unix.Read(int(fd), b) // its header tells the sender
			}
		})
		switch {
		case err != nil:
			return wire.Packet{}, false, fmt.Errorf("receive on %s: %w", s.place.Device, err)
		case errors.Is(failed, unix.EINTR):
			continue
		case errors.Is(failed, unix.EAGAIN):
			select {
			case s.rearm <- struct{}{}:
			default:
			}
			return wire.Packet{}, false, nil
		case failed != nil:
			return wire.Packet{}, true, fmt.Errorf("receive on %s: %w", s.place.Device, failed)
		}
		p, ok := wire.Packet{}, false
		if s.place.Group.Is6() {
			p, ok = join6(b[:n], from, s.oob[:oobn])
		} else {
			p, ok = split(b[:n])
		}
		if ok {
			return p, true, nil
		}
	}
}

// split takes the IPv4 header off; a raw socket delivers it with every packet
// (raw(7)).
func split(b []byte) (wire.Packet, bool) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return wire.Packet{}, false
	}
	header := int(b[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if header < 20 || total < header || total > len(b) {
		return wire.Packet{}, false
	}
	p := wire.Packet{
		TTL:         b[8],
		Source:      netip.AddrFrom4([4]byte(b[12:16])),
		Destination: netip.AddrFrom4([4]byte(b[16:20])),
		Payload:     b[header:total],
	}
	if b[9] == wire.ProtocolAH {
		p.Header = b[:header]
	}
	return p, true
}

// join6 puts together what the kernel tells of an IPv6 packet apart from it
// (ipv6(7)).
func join6(b []byte, from unix.Sockaddr, oob []byte) (wire.Packet, bool) {
	source, ok := from.(*unix.SockaddrInet6)
	messages, err := unix.ParseSocketControlMessage(oob)
	if !ok || err != nil {
		return wire.Packet{}, false
	}
	p := wire.Packet{Source: netip.AddrFrom16(source.Addr), Payload: b}
	limited := false
	for _, m := range messages {
		switch {
		case m.Header.Level != unix.IPPROTO_IPV6:
		case m.Header.Type == unix.IPV6_HOPLIMIT && len(m.Data) >= 4:
			p.TTL, limited = uint8(binary.NativeEndian.Uint32(m.Data)), true
		case m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= 16:
			p.Destination = netip.AddrFrom16([16]byte(m.Data))
		}
	}
	return p, limited && p.Destination.IsValid()
}

// Send sends a packet from a source address, which must be on this host, to
// the group or to another router. The time to live counts for unicast; to the
// group it is always 255.
func (s *Socket) Send(p wire.Packet) error {
	if p.Source.Is6() != s.place.Group.Is6() || !p.Source.IsValid() || p.Destination.Is6() != s.place.Group.Is6() {
		return fmt.Errorf("send on %s: source %v, destination %v and group %v are not of one family", s.place.Device, p.Source, p.Destination, s.place.Group)
	}
	control, to := s.envelope(p)
	payload, flags := p.Payload, unix.MSG_DONTWAIT
	if p.Header != nil {
		payload, control = append(append(make([]byte, 0, len(p.Header)+len(p.Payload)), p.Header...), p.Payload...), nil
	}
	if p.Destination.IsMulticast() {
		flags |= unix.MSG_DONTROUTE
	}
	var failed error
	err := s.raw.Control(func(fd uintptr) {
		if failed = s.setTTL(int(fd), p); failed != nil {
			return
		}
		for {
			failed = unix.Sendmsg(int(fd), payload, control, to, flags)
			if !errors.Is(failed, unix.EINTR) {
				return
			}
		}
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("send on %s from %v to %v: %w", s.place.Device, p.Source, p.Destination, err)
	}
	return nil
}

// envelope makes the address of a packet and the control message that sets its
// source.
func (s *Socket) envelope(p wire.Packet) ([]byte, unix.Sockaddr) {
	if p.Source.Is4() {
		return unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: int32(s.place.Index), Spec_dst: p.Source.As4()}),
			&unix.SockaddrInet4{Addr: p.Destination.As4()}
	}
	to := &unix.SockaddrInet6{Addr: p.Destination.As16()}
	if p.Destination.IsLinkLocalUnicast() || p.Destination.IsLinkLocalMulticast() {
		to.ZoneId = uint32(s.place.Index)
	}
	return unix.PktInfo6(&unix.Inet6Pktinfo{Ifindex: uint32(s.place.Index), Addr: p.Source.As16()}), to
}

// setTTL sets the time to live of unicast packets when it is another one than
// before.
func (s *Socket) setTTL(fd int, p wire.Packet) error {
	if p.Destination.IsMulticast() || p.Header != nil || p.TTL == s.ttl {
		return nil
	}
	level, name := unix.IPPROTO_IP, unix.IP_TTL
	if p.Source.Is6() {
		level, name = unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS
	}
	if err := unix.SetsockoptInt(fd, level, name, int(p.TTL)); err != nil {
		return err
	}
	s.ttl = p.TTL
	return nil
}

// Close closes the socket and waits for its goroutine; ready is not called
// afterwards.
func (s *Socket) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closed)
		err = s.file.Close()
		s.watch.Wait()
	})
	return err
}

// watchReadable waits for packets without taking them. The runtime's poller is
// edge-triggered, so each wait begins with a look (MSG_PEEK) whether something
// is there already.
func (s *Socket) watchReadable(ready func()) {
	defer s.watch.Done()
	var look [1]byte
	for {
		err := s.raw.Read(func(fd uintptr) bool {
			_, _, err := unix.Recvfrom(int(fd), look[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			return !errors.Is(err, unix.EAGAIN) // an interrupted look counts: nobody would wake us for what is there
		})
		if err != nil {
			return
		}
		ready()
		select {
		case <-s.rearm:
		case <-s.closed:
			return
		}
	}
}
