package directive

import (
	"net/netip"
	"strings"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// addresses reads a list of virtual addresses into list. One that cannot be
// read is left out, as keepalived does; which devices they lie on when none is
// named is filled in later.
func (b *build) addresses(d *draft, list *[]settings.Address, st block.Statement) {
	for _, line := range items(st, beginsAddress) {
		if a, ok := b.address(d, st.Keyword(), line); ok {
			*list = append(*list, a)
		}
	}
}

// beginsAddress tells a new address from the value of an option.
func beginsAddress(words []block.Word, i int) bool {
	switch words[i-1].Text {
	case "brd", "broadcast", "peer", "preferred_lft", "label", "dev", "scope", "track_group":
		return false
	}
	addr, _, _ := strings.Cut(words[i].Text, "/")
	_, err := netip.ParseAddr(addr)
	return err == nil
}

// address reads one line: the address, then options.
func (b *build) address(d *draft, list string, st block.Statement) (settings.Address, bool) {
	word := st.Words[0]
	text, length, hasLength := strings.Cut(word.Text, "/")
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil || addr.Zone() != "" || addr.IsMulticast() && !joins(st) || addr.IsUnspecified():
		b.diags.Errorf(word.Pos, word.Text, "vrrp_instance %s: %s: %q is not an address and is left out", d.Name, list, word.Text)
		return settings.Address{}, false
	}
	bits := addr.BitLen()
	if hasLength {
		if bits, err = config.Int(length, 0, addr.BitLen()); err != nil {
			bits = addr.BitLen()
			b.diags.Warnf(word.Pos, word.Text, "%s: prefix length: %v; %d is taken", word.Text, err, bits)
		}
	}
	a := settings.Address{Prefix: netip.PrefixFrom(addr, bits)}
	// A single IPv6 address is not to be chosen as a source (deprecated).
	a.Deprecated = !addr.Is4() && bits == addr.BitLen()
	ok := b.addressOptions(d, &a, st)
	return a, ok
}

// scopes are the words of rt_scopes; numbers are accepted too.
var scopes = map[string]int{"global": 0, "universe": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}

// addressOptions reads the options after an address and reports whether the
// address can be held.
func (b *build) addressOptions(d *draft, a *settings.Address, st block.Statement) bool {
	ok := true
	var vmac []block.Word // after use_vmac
	marked := false
	for i := 1; i < len(st.Words); i++ {
		w := st.Words[i]
		value := st.Arg(i + 1)
		takes, known := addressOptionValues[w.Text]
		switch {
		case !known:
			b.diags.Unknown(w.Pos, config.Warning, "address option", w.Text, addressOptionNames)
			continue
		case takes && value == "":
			b.diags.Warnf(w.Pos, w.Text, "%s: %s needs a value", st.Keyword(), w.Text)
			continue
		case takes:
			i++
		}
		switch w.Text {
		case "dev":
			ok = b.device(d, a, st.Words[i]) && ok
		case "label":
			ok = b.label(d, a, st.Words[i]) && ok
		case "scope":
			b.scope(a, st.Words[i])
		case "brd", "broadcast":
			b.broadcast(a, st.Words[i])
		case "peer":
			b.peer(a, st.Words[i])
		case "preferred_lft":
			b.preferred(a, st.Words[i])
		case "home", "-nodad", "mngtmpaddr", "noprefixroute", "autojoin", "no_track":
			b.addressFlag(a, w)
		case "track_group": // what is static is put back in any case
		case "use_vmac":
			from := i + 1
			for i+1 < len(st.Words) && !beginsOption(st.Arg(i+1)) && i < from+1 {
				i++ // the optional name and hardware address of the interface
			}
			vmac, marked = st.Words[from:i+1], true
		}
	}
	if ok && marked {
		b.markVMAC(d, *a, vmac)
	}
	return ok
}

func beginsOption(word string) bool {
	_, ok := addressOptionValues[word]
	return ok
}

// addressOptionValues tells of each option whether a value follows.
var addressOptionValues = map[string]bool{
	"dev": true, "label": true, "scope": true, "brd": true, "broadcast": true,
	"peer": true, "preferred_lft": true, "track_group": true,
	"use_vmac": false, "home": false, "-nodad": false, "mngtmpaddr": false, "noprefixroute": false,
	"autojoin": false, "no_track": false,
}

var addressOptionNames = []string{"dev", "label", "scope", "brd", "broadcast", "peer", "preferred_lft", "track_group",
	"use_vmac", "home", "-nodad", "mngtmpaddr", "noprefixroute", "autojoin", "no_track"}

func (b *build) device(d *draft, a *settings.Address, w block.Word) bool {
	if wrong := interfaceName(w.Text); wrong != "" {
		b.diags.Errorf(w.Pos, w.Text, "vrrp_instance %s: address %v is left out: dev %q is %s", d.Name, a.Prefix, w.Text, wrong)
		return false
	}
	a.Device = w.Text
	return true
}

// label bounds a label to what the kernel takes (IFNAMSIZ - 1).
func (b *build) label(d *draft, a *settings.Address, w block.Word) bool {
	if len(w.Text) > 15 {
		b.diags.Errorf(w.Pos, w.Text, "vrrp_instance %s: address %v is left out, as keepalived does: label %q is longer than 15 bytes", d.Name, a.Prefix, w.Text)
		return false
	}
	a.Label = w.Text
	return true
}

func (b *build) scope(a *settings.Address, w block.Word) {
	if n, ok := scopes[w.Text]; ok {
		a.Scope = n
		return
	}
	n, err := config.Int(w.Text, 0, 255)
	if err != nil {
		b.diags.Warnf(w.Pos, w.Text, "scope %q is not global, site, link, host, nowhere or a number; global is taken", w.Text)
		return
	}
	a.Scope = n
}

// broadcast reads an address, + (the last of the prefix) or - (none).
func (b *build) broadcast(a *settings.Address, w block.Word) {
	switch w.Text {
	case "-":
		a.Broadcast = netip.Addr{}
	case "+":
		if a.Prefix.Bits() > 30 || !a.Prefix.Addr().Is4() {
			b.diags.Warnf(w.Pos, w.Text, "brd +: %v has no broadcast address; none is set", a.Prefix)
			return
		}
		a.Broadcast = lastAddress(a.Prefix)
	default:
		addr, err := netip.ParseAddr(w.Text)
		if err != nil || !addr.Is4() || !a.Prefix.Addr().Is4() {
			b.diags.Warnf(w.Pos, w.Text, "brd: %q is not an IPv4 address, + or -; none is set", w.Text)
			return
		}
		a.Broadcast = addr
	}
}

// lastAddress sets all bits of the host part of an IPv4 prefix.
func lastAddress(p netip.Prefix) netip.Addr {
	bytes := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(bytes)
}
