package rawip

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"herald/vrrp/wire"
)

const (
	// atOnce is how many packets one system call reads at most.
	atOnce = 16
	// packetSize is room for a packet, controlSize for what the kernel tells
	// of one beside it (hop limit, destination).
	packetSize  = 2048
	controlSize = 128
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	header unix.Msghdr
	length uint32
}

// batch reads packets, many in one system call.
type batch struct {
	six      bool
	headers  [atOnce]mmsghdr
	vectors  [atOnce]unix.Iovec
	from     [atOnce]unix.RawSockaddrInet6
	data     [atOnce][packetSize]byte
	control  [atOnce][controlSize]byte
	at, full int  // the next to be handed out, and how many there are
	drained  bool // fewer came than could: none was left
}

// message is one packet; its parts are those of the batch.
type message struct {
	data, control []byte
	from          netip.Addr // IPv6 only: an IPv4 header tells it
}

func newBatch(six bool) *batch {
	b := &batch{six: six}
	for i := range b.headers {
		h := &b.headers[i].header
		b.vectors[i].Base = &b.data[i][0]
		b.vectors[i].SetLen(packetSize)
		h.Iov = &b.vectors[i]
		h.SetIovlen(1)
	}
	return b
}

// next returns a packet, EAGAIN when none is left. After that it asks again.
func (b *batch) next(fd int) (message, error) {
	if b.at == b.full {
		if b.drained {
			b.drained = false
			return message{}, unix.EAGAIN
		}
		if err := b.read(fd); err != nil {
			return message{}, err
		}
	}
	i := b.at
	b.at++
	h := &b.headers[i]
	m := message{data: b.data[i][:h.length]}
	if b.six {
		m.control, m.from = b.control[i][:h.header.Controllen], netip.AddrFrom16(b.from[i].Addr)
	}
	return m, nil
}

func (b *batch) read(fd int) error {
	b.at, b.full, b.drained = 0, 0, false
	if b.six { // the kernel writes the lengths that came
		for i := range b.headers {
			h := &b.headers[i].header
			h.Name, h.Namelen = (*byte)(unsafe.Pointer(&b.from[i])), unix.SizeofSockaddrInet6
			h.Control = &b.control[i][0]
			h.SetControllen(controlSize)
		}
	}
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.headers)), atOnce, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case unix.EINTR:
			continue
		case 0:
			b.full, b.drained = int(n), n < atOnce
			return nil
		}
		return errno
	}
}

// envelope sends packets; it is what the kernel is told of one, kept to be
// used again.
type envelope struct {
	header  unix.Msghdr
	vectors [2]unix.Iovec
	to4     unix.RawSockaddrInet4
	to6     unix.RawSockaddrInet6
	control [64]byte
}

// send sends a packet whose source is chosen by a control message, or by its
// own header.
func (e *envelope) send(fd int, p wire.Packet, index, flags int) error {
	e.header = unix.Msghdr{}
	e.address(p, index)
	parts := 0
	for _, part := range [][]byte{p.Header, p.Payload} {
		if len(part) > 0 {
			e.vectors[parts].Base = &part[0]
			e.vectors[parts].SetLen(len(part))
			parts++
		}
	}
	e.header.Iov = &e.vectors[0]
	e.header.SetIovlen(parts)
	if p.Header == nil {
		e.source(p.Source, index)
	}
	defer func() { e.vectors = [2]unix.Iovec{} }() // the packet is not ours to keep
	for {
		_, _, errno := syscall.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&e.header)), uintptr(flags))
		switch errno {
		case unix.EINTR:
			continue
		case 0:
			return nil
		}
		return errno
	}
}

func (e *envelope) address(p wire.Packet, index int) {
	if p.Destination.Is4() {
		e.to4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: p.Destination.As4()}
		e.header.Name, e.header.Namelen = (*byte)(unsafe.Pointer(&e.to4)), unix.SizeofSockaddrInet4
		return
	}
	e.to6 = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: p.Destination.As16()}
	if p.Destination.IsLinkLocalUnicast() || p.Destination.IsLinkLocalMulticast() {
		e.to6.Scope_id = uint32(index)
	}
	e.header.Name, e.header.Namelen = (*byte)(unsafe.Pointer(&e.to6)), unix.SizeofSockaddrInet6
}

// source writes struct in_pktinfo or in6_pktinfo behind a struct cmsghdr
// (cmsg(3)).
func (e *envelope) source(from netip.Addr, index int) {
	kind, level, size := unix.IP_PKTINFO, unix.IPPROTO_IP, unix.SizeofInet4Pktinfo
	if from.Is6() {
		kind, level, size = unix.IPV6_PKTINFO, unix.IPPROTO_IPV6, unix.SizeofInet6Pktinfo
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&e.control))
	h.Level, h.Type = int32(level), int32(kind)
	h.SetLen(unix.CmsgLen(size))
	data := e.control[unix.CmsgLen(0):]
	clear(data[:size])
	if from.Is6() {
		addr := from.As16()
		copy(data, addr[:])
		binary.NativeEndian.PutUint32(data[16:], uint32(index))
	} else {
		addr := from.As4()
		binary.NativeEndian.PutUint32(data, uint32(index))
		copy(data[4:], addr[:]) // ipi_spec_dst
	}
	e.header.Control = &e.control[0]
	e.header.SetControllen(unix.CmsgSpace(size))
}
