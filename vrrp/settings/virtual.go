package settings

import (
	"fmt"
	"slices"
)

// VirtualMAC is an interface on top of another with a hardware address of its
// own (a macvlan in private mode): what use_vmac makes.
type VirtualMAC struct {
	Name     string  `json:"name"`
	Parent   string  `json:"parent"`
	Hardware [6]byte `json:"hardware"`
	// IPv6 is the family of its virtual router.
	IPv6 bool `json:"ipv6,omitempty"`
	// Both says that addresses of both families are on it.
	Both bool `json:"both,omitempty"`
}

// VirtualHardware is the hardware address of a virtual router (RFC 9568
// section 7.3).
func VirtualHardware(vrid uint8, ipv6 bool) [6]byte {
	if ipv6 {
		return [6]byte{0, 0, 0x5e, 0, 2, vrid}
	}
	return [6]byte{0, 0, 0x5e, 0, 1, vrid}
}

// String names it as a person would look for it.
func (v VirtualMAC) String() string {
	h := v.Hardware
	return fmt.Sprintf("%s (%02x:%02x:%02x:%02x:%02x:%02x on %s)", v.Name, h[0], h[1], h[2], h[3], h[4], h[5], v.Parent)
}

// Sysctls are the values of the interface itself, set before it comes up. One
// of IPv4 answers for its own addresses only, and believes packets the kernel
// would route back by the parent; it has no IPv6, so that nothing but the
// virtual router speaks from it. One of IPv6 makes itself no address and no
// routes: the routers of the network are the parent's.
func (v VirtualMAC) Sysctls() []Sysctl {
	value := func(name, value string) Sysctl { return Sysctl{Device: v.Name, Name: name, Value: value} }
	list := []Sysctl{value("ipv6/conf/%s/addr_gen_mode", "1"), value("ipv6/conf/%s/accept_ra", "0")}
	if v.IPv6 {
		return list
	}
	if !v.Both {
		list = append(list, value("ipv6/conf/%s/disable_ipv6", "1"))
	}
	return append(list, value("ipv4/conf/%s/arp_ignore", "1"), value("ipv4/conf/%s/accept_local", "1"),
		value("ipv4/conf/%s/rp_filter", "0"), value(PromoteSecondaries, "1"))
}

// ParentSysctls are the values of the interface below: it neither answers for
// the addresses above it nor asks in their name, which would teach neighbours
// its own hardware address for them (keepalived 2.2.7 leaves arp_announce).
func (v VirtualMAC) ParentSysctls() []Sysctl {
	if v.IPv6 {
		return nil
	}
	value := func(name, value string) Sysctl {
		return Sysctl{Device: v.Parent, Name: "ipv4/conf/%s/" + name, Value: value}
	}
	return []Sysctl{value("arp_ignore", "1"), value("arp_filter", "1"), value("arp_announce", "2")}
}

// NoLocalIGMP is disable_local_igmp: no reports of groups that every switch
// forwards anyway.
var NoLocalIGMP = Sysctl{Name: "ipv4/igmp_link_local_mcast_reports", Value: "0"}

// VirtualMACs are those of all instances, each once.
func (c *Config) VirtualMACs() []VirtualMAC {
	var list []VirtualMAC
	for _, in := range c.Instances {
		for _, v := range in.VirtualMACs {
			if !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
	}
	return list
}

// Speaker is the interface advertisements are sent from and heard on.
func (in *Instance) Speaker() string {
	if in.Sender != "" {
		return in.Sender
	}
	return in.Interface
}

// Own is the virtual MAC interface of the instance itself; false means that it
// has none.
func (in *Instance) Own() (VirtualMAC, bool) {
	for _, v := range in.VirtualMACs {
		if v.Parent == in.Interface && v.IPv6 == in.IPv6 {
			return v, true
		}
	}
	return VirtualMAC{}, false
}
