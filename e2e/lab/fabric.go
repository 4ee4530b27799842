package lab

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// handle opens a netlink handle in the node's network.
func (n *Node) handle() (*netlink.Handle, error) {
	h, err := netlink.NewHandleAt(netns.NsHandle(n.ns[unix.CLONE_NEWNET].Fd()), unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink of %s: %w", n.name, err)
	}
	return h, nil
}

// wire makes the two bridges and a cable for every port, with the interfaces
// up and addressed.
func (l *Lab) wire() error {
	h, err := l.fabric.handle()
	if err != nil {
		return err
	}
	defer h.Close()
	bridges := map[string]int{}
	for _, name := range []string{Inside, Outside} {
		b := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}}
		// A bridge that snoops multicast without a querier forgets who
		// listens; this one repeats everything, like a plain switch.
		snoop := false
		b.MulticastSnooping = &snoop
		if err := errors.Join(h.LinkAdd(b), h.LinkSetUp(b)); err != nil {
			return fmt.Errorf("bridge %s: %w", name, err)
		}
		bridges[name] = b.Index
	}
	for _, n := range l.nodes {
		for _, p := range n.ports {
			if err := n.plug(h, p, bridges[p.Network]); err != nil {
				return fmt.Errorf("%s %s: %w", n.name, p.Iface, err)
			}
		}
		if err := n.loopbackUp(); err != nil {
			return err
		}
	}
	return nil
}

// plug lays one cable: a veth pair, one end in the node, the other a port of
// the bridge.
func (n *Node) plug(fabric *netlink.Handle, p port, bridge int) error {
	cable := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: n.cable(p.Iface), MasterIndex: bridge},
		PeerName:      p.Iface,
		PeerNamespace: netlink.NsPid(n.pid),
	}
	if err := fabric.LinkAdd(cable); err != nil {
		return fmt.Errorf("add cable: %w", err)
	}
	if err := fabric.LinkSetUp(cable); err != nil {
		return fmt.Errorf("bridge side up: %w", err)
	}
	h, err := n.handle()
	if err != nil {
		return err
	}
	defer h.Close()
	link, err := h.LinkByName(p.Iface)
	if err != nil {
		return err
	}
	addr := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(p.Addr).To4(), Mask: net.CIDRMask(prefixBits, 32)}}
	return errors.Join(h.AddrAdd(link, addr), h.LinkSetUp(link))
}

func (n *Node) loopbackUp() error {
	h, err := n.handle()
	if err != nil {
		return err
	}
	defer h.Close()
	lo, err := h.LinkByName("lo")
	if err != nil {
		return err
	}
	return h.LinkSetUp(lo)
}

// cable is the name of the bridge side of an interface: at most 15 bytes.
func (n *Node) cable(iface string) string {
	kind, number, _ := cutLast(n.name, '-')
	return kind[:min(len(kind), 2)] + number + "." + iface
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == sep {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// setLink applies change to a link of the node, or to the bridge side of it.
func setLink(at *Node, name string, change func(*netlink.Handle, netlink.Link) error) error {
	h, err := at.handle()
	if err != nil {
		return err
	}
	defer h.Close()
	link, err := h.LinkByName(name)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", name, at.name, err)
	}
	if err := change(h, link); err != nil {
		return fmt.Errorf("%s of %s: %w", name, at.name, err)
	}
	return nil
}

// LinkDown takes the node's interface down, as `ip link set down` on it does.
func (n *Node) LinkDown(iface string) error {
	return setLink(n, iface, func(h *netlink.Handle, l netlink.Link) error { return h.LinkSetDown(l) })
}

// LinkUp takes the node's interface up again.
func (n *Node) LinkUp(iface string) error {
	return setLink(n, iface, func(h *netlink.Handle, l netlink.Link) error { return h.LinkSetUp(l) })
}

// Unplug pulls the cable of an interface: the node sees its carrier go.
func (n *Node) Unplug(iface string) error {
	return setLink(n.fabric, n.cable(iface), func(h *netlink.Handle, l netlink.Link) error { return h.LinkSetDown(l) })
}

// Plug puts the cable back.
func (n *Node) Plug(iface string) error {
	return setLink(n.fabric, n.cable(iface), func(h *netlink.Handle, l netlink.Link) error { return h.LinkSetUp(l) })
}

// Cut loses every packet of an interface, both ways, although the link stays
// up and has its carrier: a switch port in the wrong network. The bridge side
// leaves its bridge.
func (n *Node) Cut(iface string) error {
	return setLink(n.fabric, n.cable(iface), func(h *netlink.Handle, l netlink.Link) error { return h.LinkSetNoMaster(l) })
}

// Mend undoes Cut.
func (n *Node) Mend(iface string) error {
	for _, p := range n.ports {
		if p.Iface == iface {
			return setLink(n.fabric, n.cable(iface), func(h *netlink.Handle, l netlink.Link) error {
				bridge, err := h.LinkByName(p.Network)
				if err != nil {
					return err
				}
				return h.LinkSetMaster(l, bridge)
			})
		}
	}
	return fmt.Errorf("%s has no interface %s", n.name, iface)
}

// Heal undoes LinkDown, Unplug and Cut on every interface of the node.
func (n *Node) Heal() error {
	var errs []error
	for _, p := range n.ports {
		errs = append(errs, n.Plug(p.Iface), n.Mend(p.Iface), n.LinkUp(p.Iface))
	}
	return errors.Join(errs...)
}

// Addrs returns the IPv4 addresses of an interface with their prefix length,
// in the kernel's order.
func (n *Node) Addrs(iface string) ([]string, error) {
	h, err := n.handle()
	if err != nil {
		return nil, err
	}
	defer h.Close()
	link, err := h.LinkByName(iface)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", iface, n.name, err)
	}
	list, err := h.AddrList(link, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("addresses of %s on %s: %w", iface, n.name, err)
	}
	var out []string
	for _, a := range list {
		out = append(out, a.IPNet.String())
	}
	return out, nil
}

// MAC returns the hardware address of an interface of the node.
func (n *Node) MAC(iface string) (net.HardwareAddr, error) {
	var mac net.HardwareAddr
	err := setLink(n, iface, func(_ *netlink.Handle, l netlink.Link) error {
		mac = l.Attrs().HardwareAddr
		return nil
	})
	return mac, err
}
