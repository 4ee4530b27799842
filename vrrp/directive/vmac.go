package directive

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// vmac is what an instance says about virtual MAC interfaces.
type vmac struct {
	use, addr, base *block.Statement // use_vmac, use_vmac_addr, vmac_xmit_base
	own             vmacWords        // of use_vmac
	addresses       []markedAddress  // with the option use_vmac
	made            []settings.VirtualMAC
}

// vmacWords are the name and the hardware address after use_vmac. Of an
// address with five bytes the virtual router id is the sixth.
type vmacWords struct {
	name     string
	hardware []byte
}

// markedAddress is an address that has the option use_vmac, as it was read.
type markedAddress struct {
	settings.Address
	words vmacWords
}

var vmacActs = []row[draft]{
	{Name: "use_vmac", Syntax: "[NAME] [MAC]", Doc: "Holds the addresses on an interface of its own (a macvlan in private mode) with the virtual router's hardware address, " +
		"00:00:5e:00:01:VRID or 00:00:5e:00:02:VRID in IPv6, so that neighbours need not learn another one; it advertises from there. NAME is vrrp.VRID, " +
		"or vrrp6.VRID when that is taken; with a MAC of five bytes the virtual router id is the sixth.",
		Example: "use_vmac vrrp.51", Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			d.vmac.use = &st
			d.vmac.own = b.vmacWords(st.Keyword(), st.Words[1:])
		}}},
	{Name: "use_vmac_addr", Doc: "Makes virtual MAC interfaces for the addresses on other interfaces, and those of the other family, too; one address has it with the option use_vmac.",
		Example: "use_vmac_addr", Do: instanceKeyword{act: func(_ *build, d *draft, st block.Statement) { d.vmac.addr = &st }}},
	{Name: "vmac_xmit_base", Doc: "Sends and hears advertisements on the interface itself, not on its virtual MAC one; always so with unicast_peer.",
		Example: "vmac_xmit_base", Do: instanceKeyword{act: func(_ *build, d *draft, st block.Statement) { d.vmac.base = &st }}},
}

var vmacGlobals = []row[globals]{
	{Name: "vmac_prefix", Syntax: "TEXT", Doc: "Begins the names of virtual MAC interfaces, vrrp.", Example: "vmac_prefix vrrp",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { b.vmacPrefix(&g.vmacPrefix, st) }}},
	{Name: "vmac_addr_prefix", Syntax: "TEXT", Doc: "The same for those of use_vmac_addr and of the option use_vmac; vmac_prefix otherwise.", Example: "vmac_addr_prefix vrrp",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { b.vmacPrefix(&g.vmacAddrPrefix, st) }}},
	{Name: "disable_local_igmp", Doc: "Sets the sysctl net.ipv4.igmp_link_local_mcast_reports to 0: no reports of groups that every switch forwards anyway. Set back at the end.",
		Example: "disable_local_igmp", Do: globalKeyword{act: func(b *build, _ *globals, _ block.Statement) { b.config.NoLocalIGMP = true }}},
}

// maxPrefix leaves room for a digit, a dot and the virtual router id.
const maxPrefix = 15 - len("1.255")

func (b *build) vmacPrefix(to *string, st block.Statement) {
	if text := st.Arg(1); interfaceName(text) != "" || len(text) > maxPrefix {
		b.diags.Warnf(st.Words[1].Pos, text, "%s: %q is not the beginning of an interface name of at most %d bytes; the line is ignored", st.Keyword(), text, maxPrefix)
		return
	}
	*to = st.Arg(1)
}

// vmacWords reads a name and a hardware address, each at most once. What is
// neither is ignored, as keepalived does.
func (b *build) vmacWords(keyword string, words []block.Word) (v vmacWords) {
	for _, w := range words {
		hardware, isHardware, wrong := hardwareAddress(w.Text)
		switch {
		case isHardware && wrong != "":
			b.diags.Warnf(w.Pos, w.Text, "%s: %q is not a hardware address of one host: %s; the virtual router's is taken", keyword, w.Text, wrong)
		case isHardware && v.hardware == nil:
			v.hardware = hardware
		case !isHardware && v.name == "" && interfaceName(w.Text) == "":
			v.name = w.Text
		case !isHardware && v.name == "":
			b.diags.Warnf(w.Pos, w.Text, "%s: %q is %s; a name is made up", keyword, w.Text, interfaceName(w.Text))
		default:
			b.diags.Warnf(w.Pos, w.Text, "%s takes one name and one hardware address; %q is ignored", keyword, w.Text)
		}
	}
	return v
}

// hardwareAddress reads five or six bytes with colons between them.
func hardwareAddress(text string) (address []byte, is bool, wrong string) {
	parts := strings.Split(text, ":")
	if len(parts) < 2 {
		return nil, false, ""
	}
	for _, p := range parts {
		if len(p) == 1 {
			p = "0" + p
		}
		octet, err := hex.DecodeString(p)
		if err != nil || len(octet) != 1 {
			return nil, true, "six bytes, or five, of two hexadecimal digits each are expected"
		}
		address = append(address, octet[0])
	}
	switch {
	case len(address) != 5 && len(address) != 6:
		return nil, true, "six bytes, or five, are expected"
	case address[0]&1 != 0:
		return nil, true, "it is a multicast address"
	case !slices.ContainsFunc(address, func(o byte) bool { return o != 0 }):
		return nil, true, "it is all zeros"
	}
	return address, true, ""
}

// markVMAC notes the option use_vmac of an address.
func (b *build) markVMAC(d *draft, a settings.Address, words []block.Word) {
	d.vmac.addresses = append(d.vmac.addresses, markedAddress{a, b.vmacWords("use_vmac", words)})
}

// marked finds what the option use_vmac of an address said.
func (v *vmac) marked(a settings.Address) (vmacWords, bool) {
	for _, m := range v.addresses {
		if m.Address == a {
			return m.words, true
		}
	}
	return vmacWords{}, false
}

// virtualMAC decides which interfaces an instance gets, and puts its addresses
// on them. It comes before the addresses without a device get the
// instance's.
func (b *build) virtualMAC(d *draft) {
	b.vmacConflicts(d)
	if d.broken || d.vmac.use == nil && d.vmac.addr == nil && len(d.vmac.addresses) == 0 {
		return
	}
	if d.vmac.use != nil {
		name := b.makeVMAC(d, d.Interface, d.IPv6, d.vmac.own, b.global.vmacPrefix)
		if d.vmac.base == nil {
			d.Sender = name
		}
	}
	for _, list := range [][]settings.Address{d.Addresses, d.Excluded} {
		for i := range list {
			b.placeAddress(d, &list[i])
		}
	}
	for _, list := range [][]settings.Address{d.Addresses, d.Excluded} {
		for _, a := range list {
			for i := range d.vmac.made {
				v := &d.vmac.made[i]
				v.Both = v.Both || a.Device == v.Name && a.Prefix.Addr().Is6() != v.IPv6
			}
		}
	}
	d.VirtualMACs = d.vmac.made
}

// placeAddress puts one address on its virtual MAC interface, if it has one.
func (b *build) placeAddress(d *draft, a *settings.Address) {
	words, marked := d.vmac.marked(*a)
	device, ipv6 := a.Device, a.Prefix.Addr().Is6()
	if device == "" {
		device = d.Interface
	}
	if slices.ContainsFunc(d.vmac.made, func(v settings.VirtualMAC) bool { return v.Name == device }) {
		return // by its name
	}
	if d.vmac.use != nil && device == d.Interface && ipv6 == d.IPv6 {
		a.Device = d.vmac.made[0].Name
		return
	}
	if !marked && d.vmac.addr == nil {
		return
	}
	for _, v := range d.vmac.made {
		if v.Parent == device && v.IPv6 == ipv6 && (words.name == "" || words.name == v.Name) {
			a.Device = v.Name
			return
		}
	}
	prefix := b.global.vmacAddrPrefix
	if prefix == "" {
		prefix = b.global.vmacPrefix
	}
	a.Device = b.makeVMAC(d, device, ipv6, words, prefix)
}

// makeVMAC adds an interface to an instance and returns its name.
func (b *build) makeVMAC(d *draft, parent string, ipv6 bool, words vmacWords, prefix string) string {
	v := settings.VirtualMAC{Name: words.name, Parent: parent, IPv6: ipv6, Hardware: settings.VirtualHardware(d.VRID, ipv6)}
	if words.hardware != nil {
		copy(v.Hardware[:], append(slices.Clone(words.hardware), d.VRID))
	}
	if v.Name == "" {
		v.Name = b.vmacName(prefix, d.VRID, ipv6)
	}
	if other := b.vmacs[v.Name]; other != "" {
		b.fault(d, d.Pos, v.Name, "the virtual MAC interface %s is vrrp_instance %s's already; give another name after use_vmac", v.Name, other)
	}
	if v.Name == parent {
		b.fault(d, d.Pos, v.Name, "the virtual MAC interface %s cannot be on top of itself; give another name after use_vmac", v.Name)
	}
	b.vmacs[v.Name] = d.Name
	d.vmac.made = append(d.vmac.made, v)
	return v.Name
}

// vmacName makes up a name nobody has: vrrp.51, then vrrp6.51 in IPv6, then
// vrrp1.51 and so on.
func (b *build) vmacName(prefix string, vrid uint8, ipv6 bool) string {
	if prefix == "" {
		prefix = "vrrp"
	}
	middle := []string{""}
	if ipv6 {
		middle = append(middle, "6")
	}
	for i := 1; ; i++ {
		for _, m := range middle {
			if name := fmt.Sprintf("%s%s.%d", prefix, m, vrid); b.vmacs[name] == "" {
				return name
			}
		}
		middle = []string{fmt.Sprint(i)}
	}
}

// vmacConflicts settles what does not go together.
func (b *build) vmacConflicts(d *draft) {
	if d.vmac.use == nil {
		if st := d.vmac.base; st != nil {
			b.diags.Noticef(st.Pos, st.Keyword(), "vrrp_instance %s: vmac_xmit_base has no effect without use_vmac", d.Name)
		}
		return
	}
	switch {
	case d.Unicast && d.vmac.base == nil:
		b.diags.Warnf(d.vmac.use.Pos, "use_vmac", "vrrp_instance %s: with unicast_peer advertisements go from %s itself, as with vmac_xmit_base; write that too", d.Name, d.Interface)
		d.vmac.base = d.vmac.use
	case d.vmac.base != nil && !d.Unicast && settle(d.protocol.strict, b.global.protocol.strict):
		b.diags.Warnf(d.vmac.base.Pos, "vmac_xmit_base", "vrrp_instance %s: strict_mode does not know vmac_xmit_base; it is ignored", d.Name)
		d.vmac.base = nil
	}
}

// vmacNeeds finds what has no effect without a virtual MAC interface.
func (b *build) vmacNeeds(d *draft) {
	if d.Garp.Extra > 0 && !d.Garp.ExtraAll && len(d.VirtualMACs) == 0 && d.garp.extra != nil {
		b.diags.Add(config.Diagnostic{Pos: d.Pos, Severity: config.Warning, Kind: config.Cross, Word: "garp_extra_if",
			Message: fmt.Sprintf("vrrp_instance %s: garp_extra_if has no effect without use_vmac", d.Name), Fix: "say garp_extra_if all SECONDS"})
	}
}
