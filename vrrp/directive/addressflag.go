package directive

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// peer reads the other end of a point-to-point address. The kernel counts the
// length of the network from it (ip-address(8)).
func (b *build) peer(a *settings.Address, w block.Word) {
	text, length, hasLength := strings.Cut(w.Text, "/")
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Is4() != a.Prefix.Addr().Is4() {
		b.diags.Warnf(w.Pos, w.Text, "%v: peer: %q is not an address of its family; it is set without a peer", a.Prefix, w.Text)
		return
	}
	a.Peer = addr
	if !hasLength {
		return
	}
	bits, err := config.Int(length, 0, addr.BitLen())
	if err != nil {
		b.diags.Warnf(w.Pos, w.Text, "%v: peer: prefix length: %v; %d is taken", a.Prefix, err, a.Prefix.Bits())
		return
	}
	a.Prefix = netip.PrefixFrom(a.Prefix.Addr(), bits)
}

// preferred reads preferred_lft: forever, or seconds; 0 is deprecated at once.
func (b *build) preferred(a *settings.Address, w block.Word) {
	a.Deprecated, a.PreferredLft = false, 0
	if w.Text == "forever" {
		return
	}
	n, err := config.Int(w.Text, 0, 1<<31-1)
	if err != nil {
		b.diags.Warnf(w.Pos, w.Text, "%v: preferred_lft: %q is neither forever nor a number of seconds; forever is taken", a.Prefix, w.Text)
		return
	}
	a.Deprecated, a.PreferredLft = n == 0, time.Duration(n)*time.Second
}

// addressFlag sets one of the options without a value. Those of IPv6 mean
// nothing for an IPv4 address.
func (b *build) addressFlag(a *settings.Address, w block.Word) {
	switch w.Text {
	case "noprefixroute":
		a.NoPrefixRoute = true
		return
	case "autojoin":
		if a.AutoJoin = a.Prefix.Addr().IsMulticast(); !a.AutoJoin {
			b.diags.Warnf(w.Pos, w.Text, "%v: autojoin is for multicast addresses and has no effect", a.Prefix)
		}
		return
	case "no_track":
		a.NoTrack = true
		return
	}
	if a.Prefix.Addr().Is4() {
		b.diags.Warnf(w.Pos, w.Text, "%v: %s is for IPv6 addresses and has no effect", a.Prefix, w.Text)
		return
	}
	switch w.Text {
	case "home":
		a.Home = true
	case "-nodad":
		a.DAD = true
	case "mngtmpaddr":
		a.ManageTemp = true
	}
}

// joins reports whether a multicast address is to be joined, the only use an
// interface has for one.
func joins(st block.Statement) bool {
	return slices.ContainsFunc(st.Words, func(w block.Word) bool { return w.Text == "autojoin" })
}
