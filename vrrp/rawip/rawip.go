// Package rawip is the raw IP socket VRRP speaks through: one per interface,
// family and group, another one for packets with an authentication header.
//
// It decides nothing. What it receives is handed on with the time to live and
// destination of the IP header, unchecked. It never blocks: Receive reads what
// waits, and a callback of a poll.Poller tells when something waits again. Its
// system calls do not tell the scheduler, which would wake the runtime's
// monitor for each: they return within microseconds.
//
//	s, err := rawip.Open(rawip.Place{Device: "eth0", Index: ifindex, Group: wire.Group, Join: true},
//		poller, func() { readable = true })
//	for {
//		poller.Wait(time.Time{})
//		for {
//			p, ok, err := s.Receive()
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

	"golang.org/x/sys/unix"

	"herald/vrrp/poll"
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

// Socket sends and receives VRRP at one Place. It belongs to the goroutine of
// its Poller.
type Socket struct {
	place  Place
	fd     int
	poller *poll.Poller
	ttl    uint8 // of unicast packets at present
	in     *batch
	out    envelope
}

// Open opens a socket bound to the interface and joins the group on it. From
// then on ready is called by the Poller when packets came after Receive
// reported that none is left; what is there already is not told.
func Open(p Place, poller *poll.Poller, ready func()) (*Socket, error) {
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
	if err = prepare(fd, p); err == nil {
		err = poller.Add(fd, ready)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open VRRP socket on %s: %w", p.Device, err)
	}
	return &Socket{place: p, fd: fd, poller: poller, ttl: wire.TTL, in: newBatch(p.Group.Is6())}, nil
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

// Receive reads one waiting packet and reports false when none waits. The
// payload is valid until the next call. An error concerns this packet or the
// link; the socket stays usable unless it was closed.
func (s *Socket) Receive() (wire.Packet, bool, error) {
	for {
		if s.fd < 0 {
			return wire.Packet{}, false, fmt.Errorf("receive on %s: %w", s.place.Device, unix.EBADF)
		}
		m, err := s.in.next(s.fd)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return wire.Packet{}, false, nil
		case err != nil:
			return wire.Packet{}, true, fmt.Errorf("receive on %s: %w", s.place.Device, err)
		}
		p, ok := wire.Packet{}, false
		if s.place.Group.Is6() {
			p, ok = join6(m.data, m.from, m.control)
		} else {
			p, ok = split(m.data)
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
func join6(b []byte, from netip.Addr, control []byte) (wire.Packet, bool) {
	p := wire.Packet{Source: from, Payload: b}
	limited := false
	for len(control) >= unix.SizeofCmsghdr {
		header, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return wire.Packet{}, false
		}
		control = rest
		switch {
		case header.Level != unix.IPPROTO_IPV6:
		case header.Type == unix.IPV6_HOPLIMIT && len(data) >= 4:
			p.TTL, limited = uint8(binary.NativeEndian.Uint32(data)), true
		case header.Type == unix.IPV6_PKTINFO && len(data) >= 16:
			p.Destination = netip.AddrFrom16([16]byte(data))
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
	flags := unix.MSG_DONTWAIT
	if p.Destination.IsMulticast() {
		flags |= unix.MSG_DONTROUTE
	}
	err := s.setTTL(p)
	if err == nil {
		err = s.out.send(s.fd, p, s.place.Index, flags)
	}
	if err != nil {
		return fmt.Errorf("send on %s from %v to %v: %w", s.place.Device, p.Source, p.Destination, err)
	}
	return nil
}

// setTTL sets the time to live of unicast packets when it is another one than
// before.
func (s *Socket) setTTL(p wire.Packet) error {
	if p.Destination.IsMulticast() || p.Header != nil || p.TTL == s.ttl {
		return nil
	}
	level, name := unix.IPPROTO_IP, unix.IP_TTL
	if p.Source.Is6() {
		level, name = unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS
	}
	if err := unix.SetsockoptInt(s.fd, level, name, int(p.TTL)); err != nil {
		return err
	}
	s.ttl = p.TTL
	return nil
}

// Close closes the socket; ready is not called afterwards.
func (s *Socket) Close() error {
	if s.fd < 0 {
		return nil
	}
	s.poller.Remove(s.fd)
	err := unix.Close(s.fd)
	s.fd = -1
	return err
}
