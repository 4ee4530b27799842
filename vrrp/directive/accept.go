package directive

import "herald/config/block"

var acceptActs = []row[draft]{
	{Name: "accept", Doc: "Packets to the addresses are accepted, the default but with strict_mode.", Example: "accept",
		Do: instanceKeyword{act: func(_ *build, d *draft, _ block.Statement) { d.accept = new(true) }}},
	{Name: "no_accept", Doc: "Drops packets to and from the addresses, but neighbour discovery, by an nftables table named herald; not of an owner (priority 255).",
		Example: "no_accept", Do: instanceKeyword{act: func(_ *build, d *draft, st block.Statement) { d.accept, d.pos.accept = new(false), st.Pos }}},
}

// settleAccept decides whether the addresses answer. strict_mode means no_accept
// to keepalived too, which surprises people who copied the sample file: the
// addresses can not even be pinged.
func (b *build) settleAccept(d *draft, strict bool) {
	switch {
	case d.broken:
	case d.accept != nil && !*d.accept && d.Priority == owner:
		b.diags.Warnf(d.pos.accept, "no_accept", "vrrp_instance %s: no_accept has no effect with priority 255", d.Name)
	case d.accept != nil:
		d.NoAccept = !*d.accept
	case strict && d.Priority != owner && len(d.Addresses) > 0:
		d.NoAccept = true
		b.diags.Warnf(d.Pos, "strict_mode", "vrrp_instance %s: strict_mode drops all packets to the addresses, as keepalived does; say accept to have them answered", d.Name)
	}
}
