// Package withdraw removes addresses, routes and rules a role left behind,
// through rtnetlink.
//
// It removes what it is told and nothing else; whether it must is decided by
// the parent.
//
//	err := withdraw.Addresses([]ipc.Address{{Prefix: "10.1.1.10/32", Interface: "eth0"}})
package withdraw

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/netns"
)

// Addresses removes every address of list that is there, each in its network
// namespace. One that cannot be removed does not keep the others.
func Addresses(list []ipc.Address) error {
	places := map[string][]ipc.Address{}
	for _, a := range list {
		places[a.NetNamespace] = append(places[a.NetNamespace], a)
	}
	var failed []error
	for name, there := range places {
		failed = append(failed, inside(name, func() error { return addresses(there) }))
	}
	return errors.Join(failed...)
}

// inside does f in a network namespace; one that is gone has nothing left.
func inside(name string, f func() error) error {
	if err := netns.Do(name, f); name == "" || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func addresses(list []ipc.Address) error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open rtnetlink: %w", err)
	}
	defer h.Close()
	var failed []error
	for _, a := range list {
		if err := remove(h, a); err != nil {
			failed = append(failed, fmt.Errorf("remove %s from %s: %w", a.Prefix, a.Interface, err))
		}
	}
	return errors.Join(failed...)
}

func remove(h *netlink.Handle, a ipc.Address) error {
	addr, err := netlink.ParseAddr(a.Prefix)
	if err != nil {
		return err
	}
	link, err := h.LinkByName(a.Interface)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil // and the address with it
	}
	if err != nil {
		return err
	}
	// Neither label nor broadcast: the kernel compares what is given.
	if err := h.AddrDel(link, &netlink.Addr{IPNet: addr.IPNet}); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
		return err
	}
	return nil
}
