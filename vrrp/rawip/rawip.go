// Package rawip is the raw IP socket VRRP speaks through: one per interface,
// joined to the VRRP group.
//
// It decides nothing. What it receives is handed on with the time to live and
// destination of the IP header, unchecked. It never blocks: Receive reads what
// waits, and a callback tells when something waits again.
//
//	s, err := rawip.Open("eth0", ifindex, func() { wake <- struct{}{} })
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

// Socket sends and receives VRRP on one interface. Receive and Send belong to
// one goroutine; Close may be called from any.
type Socket struct {
	device string
	index  int
	file   *os.File
	raw    syscall.RawConn

	rearm  chan struct{}
	closed chan struct{}
	once   sync.Once
	watch  sync.WaitGroup
}

// Open opens a socket bound to the interface and joins 224.0.0.18 on it. From
// then on ready is called, from a goroutine of the socket, when packets wait;
// after each call not again until Receive has reported that none is left.
func Open(device string, index int, ready func()) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, wire.Protocol)
	if err != nil {
		return nil, fmt.Errorf("open VRRP socket on %s: %w (needs CAP_NET_RAW)", device, err)
	}
	if err := prepare(fd, device, index); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open VRRP socket on %s: %w", device, err)
	}
	s := &Socket{device: device, index: index, file: os.NewFile(uintptr(fd), "vrrp:"+device),
		rearm: make(chan struct{}, 1), closed: make(chan struct{})}
	if s.raw, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, fmt.Errorf("open VRRP socket on %s: %w", device, err)
	}
	s.watch.Add(1)
	go s.watchReadable(ready)
	return s, nil
}

// prepare sets the options of a VRRP socket, see ip(7) and socket(7).
func prepare(fd int, device string, index int) error {
	group := wire.Group.As4()
	member := &unix.IPMreqn{Multiaddr: group, Ifindex: int32(index)}
	for _, o := range []struct {
		name string
		set  func() error
	}{
		{"SO_BINDTODEVICE", func() error { return unix.BindToDevice(fd, device) }},
		{"IP_ADD_MEMBERSHIP", func() error { return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, member) }},
		{"IP_MULTICAST_IF", func() error { return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, member) }},
		{"IP_MULTICAST_ALL", func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0) }},
		{"IP_MULTICAST_LOOP", func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0) }},
		{"IP_MULTICAST_TTL", func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, wire.TTL) }},
		{"IP_TTL", func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL, wire.TTL) }},
		{"IP_TOS", func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, tos) }},
		// Without "don't fragment", as keepalived's own header is.
		{"IP_MTU_DISCOVER", func() error {
			return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT)
		}},
		{"SO_PRIORITY", func() error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PRIORITY, controlPriority) }},
		{"SO_RCVBUF", func() error { return setReceiveBuffer(fd) }},
	} {
		if err := o.set(); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	return nil
}

// setReceiveBuffer goes beyond net.core.rmem_max where CAP_NET_ADMIN allows it.
func setReceiveBuffer(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer); err == nil {
		return nil
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
}

// Receive reads one waiting packet into b and reports false when none waits.
// The payload is a part of b. An error concerns this packet or the link; the
// socket stays usable unless it was closed.
func (s *Socket) Receive(b []byte) (wire.Packet, bool, error) {
	for {
		var n int
		var failed error
		err := s.raw.Control(func(fd uintptr) {
			n, _, failed = unix.Recvfrom(int(fd), b, unix.MSG_DONTWAIT)
		})
		switch {
		case err != nil:
			return wire.Packet{}, false, fmt.Errorf("receive on %s: %w", s.device, err)
		case errors.Is(failed, unix.EINTR):
			continue
		case errors.Is(failed, unix.EAGAIN):
			select {
			case s.rearm <- struct{}{}:
			default:
			}
			return wire.Packet{}, false, nil
		case failed != nil:
			return wire.Packet{}, true, fmt.Errorf("receive on %s: %w", s.device, failed)
		}
		p, ok := split(b[:n])
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
	return wire.Packet{
		TTL:         b[8],
		Source:      netip.AddrFrom4([4]byte(b[12:16])),
		Destination: netip.AddrFrom4([4]byte(b[16:20])),
		Payload:     b[header:total],
	}, true
}

// Send sends an advertisement to the group from the given source address,
// which must be on this host.
func (s *Socket) Send(source netip.Addr, payload []byte) error {
	if !source.Is4() {
		return fmt.Errorf("send on %s: source address %v is not IPv4", s.device, source)
	}
	control := unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: int32(s.index), Spec_dst: source.As4()})
	to := &unix.SockaddrInet4{Addr: wire.Group.As4()}
	var failed error
	err := s.raw.Control(func(fd uintptr) {
		for {
			failed = unix.Sendmsg(int(fd), payload, control, to, unix.MSG_DONTWAIT|unix.MSG_DONTROUTE)
			if !errors.Is(failed, unix.EINTR) {
				return
			}
		}
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("send on %s from %v: %w", s.device, source, err)
	}
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
			return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
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
