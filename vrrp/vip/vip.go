// Package vip compares the addresses that should be on the interfaces with
// those that are.
//
// It knows addresses as values and asks no kernel: Snapshot is what the
// kernel said, Diff says what to change. An address that is desired and
// already there is adopted, never removed and added again: a predecessor that
// crashed leaves its addresses, and clients should not notice.
//
//	add, remove := vip.Diff(desired, held, snapshot)
//	for _, a := range add {
//		kernel.Add(a)
//	}
//	for _, a := range remove {
//		kernel.Delete(a)
//	}
package vip

import (
	"net/netip"
	"slices"

	"herald/vrrp/settings"
)

// Interface is one network interface as the kernel describes it.
type Interface struct {
	Name  string
	Index int
	// Up means administratively up and with carrier (IFF_UP and IFF_RUNNING).
	Up bool
	// Hardware is the six bytes of its Ethernet address; zero for others.
	Hardware  [6]byte
	Addresses []Present
}

// Present is one address on an interface.
type Present struct {
	Prefix netip.Prefix // the address with the length of its network
	// Secondary is the kernel's IFA_F_SECONDARY: in the network of another
	// address that came first.
	Secondary bool
	// Tentative is the kernel's IFA_F_TENTATIVE: nothing can be sent from it
	// until nobody else turns out to have it (RFC 4862 section 5.4).
	Tentative bool
}

// Snapshot is every interface at one moment, by name.
type Snapshot map[string]Interface

// Has reports whether the address is on its device.
func (s Snapshot) Has(a settings.Address) bool {
	for _, p := range s[a.Device].Addresses {
		if p.Prefix == a.Prefix {
			return true
		}
	}
	return false
}

// Primary returns the address advertisements of an interface are sent from:
// the first that is no virtual address, one that is not secondary if there is
// one (RFC 3768 section 5.2.1). It is invalid when the interface has none.
func (s Snapshot) Primary(device string, virtual func(netip.Addr) bool) netip.Addr {
	var second netip.Addr
	for _, p := range s[device].Addresses {
		addr := p.Prefix.Addr()
		if !addr.Is4() || virtual(addr) {
			continue
		}
		if !p.Secondary {
			return addr
		}
		if !second.IsValid() {
			second = addr
		}
	}
	return second
}

// LinkLocal returns the address IPv6 advertisements of an interface are sent
// from: the first link-local one that is ready and no virtual address (RFC 9568
// section 5.1.2.1). It is invalid when the interface has none.
func (s Snapshot) LinkLocal(device string, virtual func(netip.Addr) bool) netip.Addr {
	for _, p := range s[device].Addresses {
		if addr := p.Prefix.Addr(); addr.Is6() && addr.IsLinkLocalUnicast() && !p.Tentative && !virtual(addr) {
			return addr
		}
	}
	return netip.Addr{}
}

// Diff returns what to add so that every desired address is present, and what
// to remove: addresses that are held, present and no longer desired. Both keep
// the order of their lists. A desired address on a device that does not exist
// is left out, for it cannot be added; one that is present but was never held
// and is not desired belongs to somebody else and is not touched.
func Diff(desired, held []settings.Address, present Snapshot) (add, remove []settings.Address) {
	for _, a := range desired {
		if _, exists := present[a.Device]; exists && !present.Has(a) {
			add = append(add, a)
		}
	}
	for _, h := range held {
		if present.Has(h) && !Contains(desired, h) {
			remove = append(remove, h)
		}
	}
	return add, remove
}

// Contains compares by device and prefix, which is what the kernel tells
// addresses apart by; label, scope and broadcast are attributes.
func Contains(list []settings.Address, a settings.Address) bool {
	for _, b := range list {
		if a.Device == b.Device && a.Prefix == b.Prefix {
			return true
		}
	}
	return false
}

// Carries reports whether an interface has an address, whatever its prefix.
func (s Snapshot) Carries(device string, addr netip.Addr) bool {
	return slices.ContainsFunc(s[device].Addresses, func(p Present) bool { return p.Prefix.Addr() == addr })
}
