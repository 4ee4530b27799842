package directive

// findInterface gives an instance without an interface the one that has its
// unicast_src_ip. Without interface keepalived 2.2.7 does not start ("Unknown
// interface!"), though its manual lets unicast do without.
func (b *build) findInterface(d *draft) {
	switch {
	case !d.way.unicast || !d.Source.IsValid():
		b.fault(d, d.Pos, d.Name, "it has no interface")
	case b.o.InterfaceOf == nil: // another machine's file: only compared
	default:
		d.Interface = b.o.InterfaceOf(d.Source)
		if d.Interface == "" {
			b.fault(d, d.way.source.Pos, d.way.source.Text, "it has no interface, and no interface has its unicast_src_ip %v", d.Source)
			return
		}
		b.diags.Noticef(d.Pos, d.Name, "vrrp_instance %s has no interface: %s is taken, which has its unicast_src_ip %v", d.Name, d.Interface, d.Source)
	}
}

// hostNamed reports whether a word may be the name of a host (RFC 1123
// section 2.1).
func hostNamed(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && !('0' <= c && c <= '9') && (c != '-' && c != '.' && c != '_' || i == 0) {
			return false
		}
	}
	return s != "" && len(s) <= 253
}
