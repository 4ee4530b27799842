package directive

import (
	"fmt"
	"net/netip"

	"herald/config"
	"herald/vrrp/settings"
)

// owner is the priority of the address owner (RFC 3768 section 5.3.4).
const owner = 255

// maxAdvertised is the largest count of addresses an advertisement can name
// (one byte, RFC 3768 section 5.3.5).
const maxAdvertised = 255

// complete applies defaults and the rules that need the whole instance.
func (b *build) complete(d *draft) {
	if d.Interface == "" {
		d.Interface = b.global.defaultInterface
	}
	if d.Interface == "" {
		b.findInterface(d)
	}
	if d.VRID == 0 && !d.broken {
		b.fault(d, d.Pos, d.Name, "it has no virtual_router_id")
	}
	b.speak(d)
	b.elect(d)
	b.authenticate(d)
	b.finishHMAC(d)
	b.advertised(d)
	b.resolveTracks(d)
	b.settleAccept(d, settle(d.protocol.strict, b.global.protocol.strict))
	if d.promote {
		d.Sysctls = append(d.Sysctls, settings.Sysctl{Device: d.Interface, Name: settings.PromoteSecondaries, Value: "1"})
	}
	d.Garp = garp(d.garp, b.global.garp)
	b.vmacNeeds(d)
	d.Notify = b.notified(d.notify)
}

// elect settles the priority and what goes with it.
func (b *build) elect(d *draft) {
	if !d.hasPriority {
		d.Priority = 100
		if d.StartMaster {
			d.Priority = owner
		}
	}
	if d.NoPreempt && d.StartMaster {
		b.diags.Warnf(d.pos.nopreempt, "nopreempt", "vrrp_instance %s: nopreempt has no effect with state MASTER; use state BACKUP on every node", d.Name)
		d.NoPreempt = false
	}
	if d.NoPreempt && d.Priority == owner {
		b.diags.Warnf(d.pos.nopreempt, "nopreempt", "vrrp_instance %s: nopreempt has no effect with priority 255", d.Name)
		d.NoPreempt = false
	}
	if d.PreemptDelay > 0 && d.StartMaster {
		b.diags.Warnf(d.pos.preemptDelay, "preempt_delay", "vrrp_instance %s: preempt_delay has no effect with state MASTER; use state BACKUP on every node", d.Name)
		d.PreemptDelay = 0
	}
}

// advertised settles the addresses.
func (b *build) advertised(d *draft) {
	switch {
	case len(d.Addresses) == 0 && d.listed > 0 && !d.broken:
		b.fault(d, d.Pos, d.Name, "none of the addresses in virtual_ipaddress can be read")
	case len(d.Addresses) == 0 && d.way.meantEmpty:
	case len(d.Addresses) == 0 && !d.broken:
		b.diags.Warnf(d.Pos, d.Name, "vrrp_instance %s has no virtual_ipaddress; it advertises and holds nothing there", d.Name)
	case len(d.Addresses) > maxAdvertised:
		b.diags.Warnf(d.Pos, d.Name, "vrrp_instance %s: an advertisement names at most %d addresses; the rest is held and not advertised", d.Name, maxAdvertised)
		d.Excluded = append(d.Addresses[maxAdvertised:len(d.Addresses):len(d.Addresses)], d.Excluded...)
		d.Addresses = d.Addresses[:maxAdvertised:maxAdvertised]
	}
	b.virtualMAC(d)
	seen := map[netip.Addr]bool{}
	for _, list := range [][]settings.Address{d.Addresses, d.Excluded} {
		for i := range list {
			if list[i].Device == "" {
				list[i].Device = d.Interface
			}
			addr := list[i].Prefix.Addr()
			if seen[addr] {
				b.diags.Warnf(d.Pos, addr.String(), "vrrp_instance %s lists %v twice", d.Name, addr)
			}
			seen[addr] = true
		}
	}
}

// unique refuses an instance whose virtual router another one already is.
func (b *build) unique(d *draft) {
	for _, other := range b.config.Instances {
		if !d.broken && other.VRID == d.VRID && other.Interface == d.Interface && other.IPv6 == d.IPv6 {
			b.fault(d, d.Pos, d.Name, "virtual_router_id %d on %s is taken by vrrp_instance %s at %v", d.VRID, d.Interface, other.Name, other.Pos)
		}
	}
}

// sharedAddresses warns about an address that two instances hold.
func (b *build) sharedAddresses() {
	type place struct {
		addr   netip.Addr
		device string
	}
	holder := map[place]string{}
	for _, in := range b.config.Instances {
		for _, list := range [][]settings.Address{in.Addresses, in.Excluded} {
			for _, a := range list {
				at := place{a.Prefix.Addr(), a.Device}
				if first, ok := holder[at]; ok && first != in.Name {
					b.diags.Add(config.Diagnostic{Pos: in.Pos, Severity: config.Warning, Kind: config.Cross, Word: at.addr.String(),
						Message: fmt.Sprintf("vrrp_instance %s and %s both hold %v on %s", first, in.Name, at.addr, at.device)})
					continue
				}
				holder[at] = in.Name
			}
		}
	}
}
