package directive

import (
	"net/netip"
	"time"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// protocol is what global_defs and an instance both say about the protocol;
// nil is not said.
type protocol struct {
	lowerNoAdvert, higherAdvert, onlyPeers, strict *bool
	downAdverts                                    *int
}

// way is what an instance says about the way of its advertisements.
type way struct {
	source    block.Word // of mcast_src_ip, else of unicast_src_ip
	group     netip.Addr // mcast_dst_ip
	groupWord block.Word
	peers     []block.Statement
	unicast   bool // unicast_peer has lines
	native6   bool
	noSecond  bool // advertise_second_family off
	// meantEmpty is no_virtual_ipaddress.
	meantEmpty bool
	// anySource says that unicast_src_ip stands there, needPeers that it is
	// nothing without a peer.
	anySource, needPeers bool
}

const (
	maxInterval3 = 40950 * time.Millisecond // 12 bits of centiseconds, RFC 9568 section 5.2.7
	centisecond  = 10 * time.Millisecond
)

var protocolActs = []row[draft]{
	{Name: "version", Syntax: "2|3", Doc: "The version of the protocol; 2 by default, 3 with IPv6 addresses.", Example: "version 2",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) { d.version = b.number(st, 1, 2, 3, 2) }}},
	{Name: "native_ipv6", Doc: "An instance of IPv6; needed only when it lists no address.", Example: "native_ipv6",
		Do: instanceKeyword{act: func(_ *build, d *draft, _ block.Statement) { d.way.native6 = true }}},
	{Name: "advertise_second_family", Syntax: "[BOOL]", Doc: "Advertises the listed addresses of the other family than the first by a version 3 router of that family, which follows the instance; " +
		"on by default. herald's own word.", Example: "advertise_second_family off",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) { d.way.noSecond = !b.flag(st) }}},
	{Name: "mcast_src_ip", Syntax: "ADDRESS", Doc: "Source of the advertisements; the interface's first address otherwise, the link-local one in IPv6.", Example: "mcast_src_ip 192.0.2.2",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			if a, ok := b.anyAddress(st); ok {
				d.Source, d.way.source = a, st.Words[1]
			}
		}}},
	{Name: "unicast_src_ip", Syntax: "ADDRESS", Doc: "Source of unicast advertisements; without peers, of multicast ones.", Example: "unicast_src_ip 192.0.2.2",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			d.way.anySource = true
			if a, ok := b.anyAddress(st); ok && !d.Source.IsValid() {
				d.Source, d.way.source = a, st.Words[1]
			}
		}}},
	{Name: "unicast_peer", Syntax: "{ ADDRESS|NAME [min_ttl NUMBER] [max_ttl NUMBER] }",
		Doc:     "Peers that get advertisements instead of the multicast group. The node's own address may be among them; a name is resolved when the file is read, and again while it has no address.",
		Example: "unicast_peer { 192.0.2.3 min_ttl 255 }", Do: instanceKeyword{act: func(_ *build, d *draft, st block.Statement) {
			d.way.unicast = d.way.unicast || len(st.Children) > 0
			d.way.peers = append(d.way.peers, items(st, beginsPeer)...)
		}}},
	{Name: "kernel_rx_buf_size", Syntax: "BYTES", Doc: "Receive buffer of the socket, 1 MiB; of instances that share a socket the largest counts.", Example: "kernel_rx_buf_size 65536",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			d.ReceiveBuffer = b.number(st, 1, 1, 1<<30, 0)
		}}},
	{Name: "no_virtual_ipaddress", Doc: "Means to have no address in virtual_ipaddress (newer than 2.2.7).", Example: "no_virtual_ipaddress",
		Do: instanceKeyword{act: func(_ *build, d *draft, _ block.Statement) { d.way.meantEmpty = true }}},
	{Name: "unicast_fault_no_peer", Doc: "An instance with unicast_src_ip and no peer is left out instead of running by multicast.", Example: "unicast_fault_no_peer",
		Do: instanceKeyword{act: func(_ *build, d *draft, _ block.Statement) { d.way.needPeers = true }}},
	{Name: "unicast_ttl", Syntax: "NUMBER", Doc: "Time to live of unicast advertisements, 255.", Example: "unicast_ttl 64",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) { d.UnicastTTL = uint8(b.number(st, 1, 1, 255, 255)) }}},
	{Name: "mcast_dst_ip", Syntax: "ADDRESS", Doc: "The multicast group of the advertisements.", Example: "mcast_dst_ip 224.0.0.18",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			if a, ok := b.anyAddress(st); ok {
				d.way.group, d.way.groupWord = a, st.Words[1]
			}
		}}},
	{Name: "v3_checksum_as_v2", Doc: "Leaves the pseudo-header out of the checksum of version 3 over IPv4, as RFC 9568 says and Cisco does (newer than 2.2.7). All forms are accepted.",
		Example: "v3_checksum_as_v2", Do: instanceKeyword{act: func(_ *build, d *draft, _ block.Statement) { d.PlainChecksum = true }}},
	{Name: "check_unicast_src", Syntax: "[BOOL]", Doc: "Accepts unicast advertisements of the peers only.", Example: "check_unicast_src",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) { d.protocol.onlyPeers = new(b.flag(st)) }}},
	{Name: "lower_prio_no_advert", Syntax: "[BOOL]", Doc: "Does not answer the advertisement of a lower-priority master.", Example: "lower_prio_no_advert",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) { d.protocol.lowerNoAdvert = new(b.flag(st)) }}},
	{Name: "higher_prio_send_advert", Syntax: "[BOOL]", Doc: "Answers a higher-priority master once before it yields.", Example: "higher_prio_send_advert",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) { d.protocol.higherAdvert = new(b.flag(st)) }}},
	{Name: "down_timer_adverts", Syntax: "COUNT", Doc: "Missed advertisements until the master is down, 3.", Example: "down_timer_adverts 3",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) { d.protocol.downAdverts = new(b.number(st, 1, 1, 100, 3)) }}},
	{Name: "strict_mode", Syntax: "[BOOL]", Doc: "Holds to the RFC: no authentication, no preempt_delay, at least one address, version 3 for IPv6; packets to the addresses are dropped unless accept is given.", Example: "strict_mode off",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) { d.protocol.strict = new(b.flag(st)) }}},
}

var protocolGlobals = []row[globals]{
	{Name: "vrrp_version", Syntax: "2|3", Doc: "The version of instances that name none: 2 by default, 3 with IPv6 addresses.",
		Example: "vrrp_version 2", Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { g.version = b.number(st, 1, 2, 3, 2) }}},
	{Name: "vrrp_mcast_group4", Syntax: "ADDRESS", Doc: "The multicast group of IPv4 advertisements, 224.0.0.18.",
		Example: "vrrp_mcast_group4 224.0.0.18", Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { b.group(st, &g.group4, true) }}},
	{Name: "vrrp_mcast_group6", Syntax: "ADDRESS", Doc: "The multicast group of IPv6 advertisements, ff02::12.",
		Example: "vrrp_mcast_group6 ff02::12", Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { b.group(st, &g.group6, false) }}},
	{Name: "vrrp_down_timer_adverts", Syntax: "COUNT", Doc: "Default of down_timer_adverts.", Example: "vrrp_down_timer_adverts 3",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) {
			g.protocol.downAdverts = new(b.number(st, 1, 1, 100, 3))
		}}},
	{Name: "vrrp_lower_prio_no_advert", Syntax: "[BOOL]", Doc: "Default of lower_prio_no_advert.", Example: "vrrp_lower_prio_no_advert",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { g.protocol.lowerNoAdvert = new(b.flag(st)) }}},
	{Name: "vrrp_higher_prio_send_advert", Syntax: "[BOOL]", Doc: "Default of higher_prio_send_advert.", Example: "vrrp_higher_prio_send_advert",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { g.protocol.higherAdvert = new(b.flag(st)) }}},
	{Name: "vrrp_check_unicast_src", Syntax: "[BOOL]", Doc: "Default of check_unicast_src.", Example: "vrrp_check_unicast_src",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { g.protocol.onlyPeers = new(b.flag(st)) }}},
	{Name: "vrrp_strict", Syntax: "[BOOL]", Doc: "Default of strict_mode.", Example: "vrrp_strict",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { g.protocol.strict = new(b.flag(st)) }}},
}

// anyAddress reads the first argument as an address of either family.
func (b *build) anyAddress(st block.Statement) (netip.Addr, bool) {
	a, err := netip.ParseAddr(st.Arg(1))
	if err != nil || a.Zone() != "" {
		b.diags.Warnf(st.Words[1].Pos, st.Arg(1), "%s: %q is not an address; the line is ignored", st.Keyword(), st.Arg(1))
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// group reads a multicast group of global_defs.
func (b *build) group(st block.Statement, to *netip.Addr, four bool) {
	a, ok := b.anyAddress(st)
	if ok && (!a.IsMulticast() || a.Is4() != four) {
		b.diags.Warnf(st.Words[1].Pos, st.Arg(1), "%s: %v is not a multicast group of its family; the line is ignored", st.Keyword(), a)
		return
	}
	if ok {
		*to = a
	}
}

// beginsPeer tells a new peer from an option or its value.
func beginsPeer(words []block.Word, i int) bool {
	option := func(s string) bool { return s == "min_ttl" || s == "max_ttl" }
	return !option(words[i].Text) && !option(words[i-1].Text)
}

// settle decides what the instance says itself, else what global_defs says.
func settle[T any](instance, global *T) (value T) {
	switch {
	case instance != nil:
		return *instance
	case global != nil:
		return *global
	}
	return value
}

// speak settles the family, the version and the way of the advertisements.
func (b *build) speak(d *draft) {
	d.LowerPrioNoAdvert = settle(d.protocol.lowerNoAdvert, b.global.protocol.lowerNoAdvert)
	d.HigherPrioSendAdvert = settle(d.protocol.higherAdvert, b.global.protocol.higherAdvert)
	d.OnlyPeers = settle(d.protocol.onlyPeers, b.global.protocol.onlyPeers)
	d.DownAdverts = settle(d.protocol.downAdverts, b.global.protocol.downAdverts)
	b.family(d)
	b.chooseVersion(d)
	b.interval(d)
	if d.Source.IsValid() && d.Source.Is6() != d.IPv6 {
		b.diags.Warnf(d.way.source.Pos, d.way.source.Text, "vrrp_instance %s: the source %v is not of the family of the addresses and is ignored", d.Name, d.Source)
		d.Source = netip.Addr{}
	}
	b.listen(d)
	b.resolvePeers(d)
	if settle(d.protocol.strict, b.global.protocol.strict) {
		b.strict(d)
	}
}

// family takes the family of the first address. Addresses of the other are
// held in the same election.
func (b *build) family(d *draft) {
	d.IPv6 = d.way.native6
	if len(d.Addresses) > 0 {
		d.IPv6 = d.Addresses[0].Prefix.Addr().Is6()
	}
	var ours, others []settings.Address
	for _, a := range d.Addresses {
		if a.Prefix.Addr().Is6() == d.IPv6 {
			ours = append(ours, a)
		} else {
			others = append(others, a)
		}
	}
	if len(others) == 0 {
		return
	}
	d.Addresses, d.Excluded = ours, append(others, d.Excluded...)
	for _, a := range others[:min(len(others), maxAdvertised)] {
		d.Second = append(d.Second, a.Prefix.Addr())
	}
	if d.SecondGroup = b.global.group6; d.IPv6 {
		d.SecondGroup = b.global.group4
	}
}

// chooseVersion settles the version.
func (b *build) chooseVersion(d *draft) {
	d.Version = d.version
	if d.Version == 0 && d.IPv6 {
		d.Version = 3
	}
	if d.Version == 0 {
		d.Version = b.global.version
	}
	if d.Version == 0 {
		d.Version = 2
	}
}

// interval bounds the advertisement interval to what the version can say.
func (b *build) interval(d *draft) {
	was, why := d.AdvertInt, "version 2 counts whole seconds"
	if d.Version == 3 {
		d.AdvertInt, why = min(d.AdvertInt.Round(centisecond), maxInterval3), "version 3 counts hundredths of a second up to 40.95 s"
	} else if d.AdvertInt = d.AdvertInt.Round(time.Second); d.AdvertInt == 0 {
		d.AdvertInt = time.Second
	}
	if d.AdvertInt != was {
		b.diags.Warnf(d.pos.advertInt, "advert_int", "vrrp_instance %s: advert_int: %s; %v is taken", d.Name, why, d.AdvertInt)
	}
}

// listen settles the multicast group.
func (b *build) listen(d *draft) {
	d.Group = b.global.group4
	if d.IPv6 {
		d.Group = b.global.group6
	}
	g := d.way.group
	if !g.IsValid() {
		return
	}
	if !g.IsMulticast() || g.Is6() != d.IPv6 {
		b.diags.Warnf(d.way.groupWord.Pos, d.way.groupWord.Text, "vrrp_instance %s: mcast_dst_ip: %v is not a multicast group of the family of the addresses and is ignored", d.Name, g)
		return
	}
	d.Group = g
}

// resolvePeers reads unicast_peer.
func (b *build) resolvePeers(d *draft) {
	d.Unicast = d.way.unicast
	for _, line := range d.way.peers {
		if p, ok := b.peerOf(d, line); ok {
			d.Peers = append(d.Peers, p)
		}
	}
	if d.way.needPeers && d.way.anySource && !d.Unicast && !d.broken {
		b.fault(d, d.Pos, d.Name, "it has no unicast_peer (unicast_fault_no_peer)")
	}
	if d.Unicast && len(d.Peers) == 0 && !d.broken {
		b.fault(d, d.Pos, d.Name, "none of the peers in unicast_peer can be used")
	}
}

// peerOf reads one line of unicast_peer.
func (b *build) peerOf(d *draft, line block.Statement) (settings.Peer, bool) {
	word, name := line.Words[0], ""
	a, err := netip.ParseAddr(word.Text)
	if err != nil {
		var wait bool
		if a, wait = b.lookUp(d, word); !a.IsValid() && !wait {
			return settings.Peer{}, false
		}
		name = word.Text
	}
	if a = a.Unmap(); a.IsValid() && (a.Is6() != d.IPv6 || a.IsMulticast() || a.Zone() != "") {
		b.diags.Warnf(word.Pos, word.Text, "vrrp_instance %s: unicast_peer: %v is no peer in the family of the addresses and is ignored", d.Name, a)
		return settings.Peer{}, false
	}
	p := settings.Peer{Address: a, Name: name}
	for i := 1; i < len(line.Words); i += 2 {
		to := map[string]*uint8{"min_ttl": &p.MinTTL, "max_ttl": &p.MaxTTL}[line.Arg(i)]
		if to == nil || i+1 == len(line.Words) {
			b.diags.Warnf(line.Words[i].Pos, line.Arg(i), "unicast_peer: %q is not min_ttl or max_ttl with a number; the rest of the line is ignored", line.Arg(i))
			break
		}
		n, err := config.Int(line.Arg(i+1), 0, 255)
		if err != nil {
			b.diags.Warnf(line.Words[i+1].Pos, line.Arg(i+1), "unicast_peer: %s: %v; it is ignored", line.Arg(i), err)
			continue
		}
		*to = uint8(n)
	}
	return p, true
}

// lookUp resolves a peer's name, which keepalived ignores. A name that has no
// address now may be waited for.
func (b *build) lookUp(d *draft, word block.Word) (address netip.Addr, wait bool) {
	var found []netip.Addr
	if b.o.LookupHost != nil {
		found = b.o.LookupHost(word.Text)
	}
	for _, a := range found {
		if a = a.Unmap(); a.Is6() == d.IPv6 && !a.IsLoopback() {
			b.diags.Warnf(word.Pos, word.Text, "vrrp_instance %s: unicast_peer: the name %s is %v now and is not asked for again; write the address", d.Name, word.Text, a)
			return a, false
		}
	}
	if b.o.LookupHost != nil && hostNamed(word.Text) {
		b.diags.Warnf(word.Pos, word.Text, "vrrp_instance %s: unicast_peer: the name %s has no address now; it is asked for again until it has; write the address", d.Name, word.Text)
		return netip.Addr{}, true
	}
	b.diags.Warnf(word.Pos, word.Text, "vrrp_instance %s: unicast_peer: %q is not an address and no name with one; it is ignored", d.Name, word.Text)
	return netip.Addr{}, false
}

// strict applies strict_mode.
func (b *build) strict(d *draft) {
	if len(d.Addresses) == 0 && !d.broken {
		b.fault(d, d.Pos, d.Name, "strict_mode needs an address in virtual_ipaddress")
	}
	if d.auth != (auth{}) {
		b.diags.Warnf(d.pos.auth, "authentication", "vrrp_instance %s: strict_mode does not know authentication; it is ignored", d.Name)
		d.auth = auth{}
	}
	if d.PreemptDelay > 0 {
		b.diags.Warnf(d.pos.preemptDelay, "preempt_delay", "vrrp_instance %s: strict_mode does not know preempt_delay; it is ignored", d.Name)
		d.PreemptDelay = 0
	}
	if d.IPv6 && d.Version == 2 {
		b.diags.Warnf(d.Pos, "version", "vrrp_instance %s: strict_mode has IPv6 in version 3 only; version 3 is taken", d.Name)
		d.Version = 3
	}
	if d.IPv6 && len(d.Addresses) > 0 && !d.Addresses[0].Prefix.Addr().IsLinkLocalUnicast() {
		b.diags.Warnf(d.Pos, d.Name, "vrrp_instance %s: the first IPv6 address should be link-local (RFC 9568 section 5.2.9)", d.Name)
	}
}
