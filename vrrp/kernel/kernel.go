// Package kernel lists, adds and deletes addresses and watches interfaces
// through rtnetlink.
//
// It decides nothing and remembers nothing but its sockets. A watcher is told
// that something changed, never what: it lists again, so that a lost
// notification (ENOBUFS) costs nothing.
//
//	k, err := kernel.Open()
//	defer k.Close()
//	stop, err := k.Watch(func() { wake <- struct{}{} })
//	snapshot, err := k.Snapshot()
//	err = k.Add(address)
//
// Adding and deleting need CAP_NET_ADMIN. Everything happens in the network
// namespace of the thread that calls Open and Watch.
package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// dumpTries is how often a dump that changed under our hands is begun again
// (NLM_F_DUMP_INTR); what an interrupted dump returned is never used.
const dumpTries = 8

// Kernel is a connection to rtnetlink. Its methods may be called from one
// goroutine at a time.
type Kernel struct {
	handle *netlink.Handle
	orders *orders
}

// Open connects to the kernel.
func Open() (*Kernel, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open rtnetlink: %w", err)
	}
	o, err := openOrders()
	if err != nil {
		h.Close()
		return nil, fmt.Errorf("open rtnetlink: %w", err)
	}
	return &Kernel{handle: h, orders: o}, nil
}

// Close ends the connection. Watches go on until they are stopped.
func (k *Kernel) Close() error {
	k.handle.Close()
	return k.orders.close()
}

// Snapshot lists every interface with its addresses.
func (k *Kernel) Snapshot() (vip.Snapshot, error) {
	links, err := dump(k.handle.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	addrs, err := dump(func() ([]netlink.Addr, error) { return k.handle.AddrList(nil, unix.AF_UNSPEC) })
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	s := make(vip.Snapshot, len(links))
	names := make(map[int]string, len(links))
	for _, l := range links {
		a := l.Attrs()
		i := vip.Interface{Name: a.Name, Index: a.Index, Up: a.RawFlags&unix.IFF_UP != 0 && a.RawFlags&unix.IFF_RUNNING != 0}
		copy(i.Hardware[:], a.HardwareAddr)
		if len(a.HardwareAddr) != len(i.Hardware) || a.RawFlags&unix.IFF_LOOPBACK != 0 {
			i.Hardware = [6]byte{}
		}
		s[a.Name], names[a.Index] = i, a.Name
	}
	for _, a := range addrs {
		prefix, ok := prefixOf(a.IPNet)
		name, known := names[a.LinkIndex]
		if !ok || !known {
			continue
		}
		if a.Peer != nil { // the library gives a point-to-point address the length of a host
			ones, _ := a.Peer.Mask.Size()
			prefix = netip.PrefixFrom(prefix.Addr(), ones)
		}
		i := s[name]
		i.Addresses = append(i.Addresses, present(prefix, a.Flags))
		s[name] = i
	}
	return s, nil
}

// Add puts an address on its device. One that is there already is no error.
func (k *Kernel) Add(a settings.Address) error {
	link, err := k.handle.LinkByName(a.Device)
	if err == nil {
		err = k.handle.AddrAdd(link, message(a))
	}
	if err == nil || errors.Is(err, unix.EEXIST) {
		return nil
	}
	return fmt.Errorf("add %v to %s: %w", a.Prefix, a.Device, explain(err))
}

// Delete takes an address off its device. One that is gone already, with its
// device or without, is no error.
func (k *Kernel) Delete(a settings.Address) error {
	link, err := k.handle.LinkByName(a.Device)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err == nil {
		err = k.handle.AddrDel(link, message(a))
	}
	if err == nil || errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return fmt.Errorf("delete %v from %s: %w", a.Prefix, a.Device, explain(err))
}

// message is the netlink form of an address. Broadcast is set in every case:
// the library would compute one otherwise, and keepalived sets none.
func message(a settings.Address) *netlink.Addr {
	m := &netlink.Addr{
		IPNet: &net.IPNet{
			IP:   a.Prefix.Addr().AsSlice(),
			Mask: net.CIDRMask(a.Prefix.Bits(), a.Prefix.Addr().BitLen()),
		},
		Label:     a.Label,
		Scope:     a.Scope,
		Broadcast: net.IPv4zero,
	}
	if a.Broadcast.IsValid() {
		m.Broadcast = a.Broadcast.AsSlice()
	}
	if a.Peer.IsValid() {
		m.Peer = &net.IPNet{IP: a.Peer.AsSlice(), Mask: m.IPNet.Mask}
	}
	m.Flags = flags(a)
	if a.Deprecated || a.PreferredLft > 0 {
		m.PreferedLft, m.ValidLft = int(a.PreferredLft/time.Second), lifetime(endless)
	}
	return m
}

// endless is the lifetime of an address without an end (INFINITY_LIFE_TIME).
const endless uint32 = 1<<32 - 1

// lifetime is the library's form; on 32 bits it takes half of what there is.
func lifetime(seconds uint32) int { return max(int(seconds), 1<<31-1) }

// flags of an address (if_addr.h). An IPv6 address is usable at once unless
// the file asks for duplicate address detection: a virtual address may be
// answered for elsewhere until this moment.
func flags(a settings.Address) int {
	f := 0
	for _, bit := range []struct {
		set  bool
		flag int
	}{
		{!a.Prefix.Addr().Is4() && !a.DAD, unix.IFA_F_NODAD},
		{a.Home, unix.IFA_F_HOMEADDRESS},
		{a.ManageTemp, unix.IFA_F_MANAGETEMPADDR},
		{a.NoPrefixRoute, unix.IFA_F_NOPREFIXROUTE},
		{a.AutoJoin, unix.IFA_F_MCAUTOJOIN},
	} {
		if bit.set {
			f |= bit.flag
		}
	}
	return f
}

// present reads the flags of an address. IFA_F_SECONDARY means a temporary
// address in IPv6, where there are no secondary ones.
func present(p netip.Prefix, flags int) vip.Present {
	return vip.Present{Prefix: p, Secondary: p.Addr().Is4() && flags&unix.IFA_F_SECONDARY != 0,
		Tentative: flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) != 0 && flags&unix.IFA_F_OPTIMISTIC == 0}
}

func explain(err error) error {
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%w (needs CAP_NET_ADMIN)", err)
	}
	return err
}

func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	addr, ok := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(addr.Unmap(), ones), ok
}

func dump[T any](list func() ([]T, error)) ([]T, error) {
	var all []T
	var err error
	for range dumpTries {
		all, err = list()
		if !errors.Is(err, netlink.ErrDumpInterrupted) && !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return all, nil
}
