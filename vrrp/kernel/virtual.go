package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"herald/vrrp/settings"
)

// MakeVirtualMAC makes an interface with a hardware address of its own, sets
// its sysctls and brings it up. One that is there already is made what it
// should be, with the addresses it has; one of another kind is an error.
func (k *Kernel) MakeVirtualMAC(v settings.VirtualMAC) error {
	if err := k.makeVirtual(v); err != nil {
		return fmt.Errorf("make virtual MAC interface %v: %w", v, explain(err))
	}
	return nil
}

func (k *Kernel) makeVirtual(v settings.VirtualMAC) error {
	parent, err := k.handle.LinkByName(v.Parent)
	if err != nil {
		return err
	}
	link, err := k.handle.LinkByName(v.Name)
	switch {
	case errors.As(err, &netlink.LinkNotFoundError{}):
		if link, err = k.addVirtual(v, parent); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if link, err = k.takeVirtual(v, link, parent); err != nil {
			return err
		}
	}
	var failed []error
	for _, s := range v.Sysctls() {
		_, err := k.SetSysctl(s)
		failed = append(failed, err)
	}
	return errors.Join(append(failed, k.handle.LinkSetUp(link))...)
}

// addVirtual makes the interface; it is down, so that nothing is sent from it
// before its sysctls are set.
func (k *Kernel) addVirtual(v settings.VirtualMAC, parent netlink.Link) (netlink.Link, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex, attrs.HardwareAddr = v.Name, parent.Attrs().Index, v.Hardware[:]
	if err := k.handle.LinkAdd(&netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_PRIVATE}); err != nil {
		return nil, err
	}
	return k.handle.LinkByName(v.Name)
}

// takeVirtual takes over an interface a predecessor left.
func (k *Kernel) takeVirtual(v settings.VirtualMAC, link, parent netlink.Link) (netlink.Link, error) {
	old, ok := link.(*netlink.Macvlan)
	if !ok {
		return nil, fmt.Errorf("there is an interface of that name already, of type %s", link.Type())
	}
	if old.ParentIndex != parent.Attrs().Index || old.Mode != netlink.MACVLAN_MODE_PRIVATE {
		if !ofVirtualRouter(old.HardwareAddr) && !bytes.Equal(old.HardwareAddr, v.Hardware[:]) {
			return nil, errors.New("there is a macvlan of that name already, of another interface or mode")
		}
		if err := k.handle.LinkDel(old); err != nil {
			return nil, err
		}
		return k.addVirtual(v, parent)
	}
	if !bytes.Equal(old.HardwareAddr, v.Hardware[:]) {
		if err := k.handle.LinkSetHardwareAddr(old, v.Hardware[:]); err != nil {
			return nil, err
		}
	}
	return old, nil
}

// ofVirtualRouter reports whether a hardware address is one of RFC 9568
// section 7.3.
func ofVirtualRouter(a net.HardwareAddr) bool {
	return len(a) == 6 && bytes.Equal(a[:4], []byte{0, 0, 0x5e, 0}) && (a[4] == 1 || a[4] == 2)
}

// RemoveVirtualMAC takes the interface away with everything on it. One that is
// gone, or is something else by now, is no error.
func (k *Kernel) RemoveVirtualMAC(v settings.VirtualMAC) error {
	link, err := k.handle.LinkByName(v.Name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err == nil {
		if old, ok := link.(*netlink.Macvlan); !ok || !bytes.Equal(old.HardwareAddr, v.Hardware[:]) {
			return nil
		}
		err = k.handle.LinkDel(link)
	}
	if err == nil || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return fmt.Errorf("remove virtual MAC interface %v: %w", v, explain(err))
}

const reversePath = "ipv4/conf/%s/rp_filter"

// LowerReversePath makes the reverse path filter a matter of each interface:
// the host's own value counts for all of them (ip-sysctl: the greater of
// both), so it goes to every interface that has a lesser one, except those
// named, and to those to come, and becomes 0. It returns what it changed, as
// it was.
func (k *Kernel) LowerReversePath(except []string) (before []settings.Sysctl, err error) {
	read := func(device string) (string, error) {
		raw, err := os.ReadFile("/proc/sys/net/" + fmt.Sprintf(reversePath, device))
		return strings.TrimSpace(string(raw)), err
	}
	all, err := read("all")
	if err != nil || all == "0" {
		return nil, err
	}
	entries, err := os.ReadDir("/proc/sys/net/ipv4/conf")
	if err != nil {
		return nil, fmt.Errorf("lower rp_filter: %w", err)
	}
	var failed []error
	set := func(device, value string) {
		was, err := k.SetSysctl(settings.Sysctl{Device: device, Name: reversePath, Value: value})
		if err != nil {
			failed = append(failed, err)
		} else if was != value && was != "" {
			before = append(before, settings.Sysctl{Device: device, Name: reversePath, Value: was})
		}
	}
	for _, e := range entries {
		own, err := read(e.Name())
		if err == nil && own < all && e.Name() != "all" && !slices.Contains(except, e.Name()) {
			set(e.Name(), all)
		}
	}
	set("all", "0")
	return before, errors.Join(failed...)
}
