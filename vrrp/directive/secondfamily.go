package directive

import (
	"fmt"

	"herald/vrrp/settings"
)

// secondFamily says what becomes of the listed addresses of the other family:
// they are advertised, too, unless nobody could make sense of it.
func (b *build) secondFamily(in *settings.Instance, off bool) {
	if len(in.Second) == 0 {
		return
	}
	first := in.Second[0].String()
	if why := b.noSecond(in, off); why != "" {
		in.Second = nil
		b.diags.Noticef(in.Pos, first, "vrrp_instance %s lists addresses of both families: those of the second are held and announced with the others and not advertised%s; "+
			"keepalived ignores them there, and takes them in virtual_ipaddress_excluded", in.Name, why)
		return
	}
	b.diags.Noticef(in.Pos, first, "vrrp_instance %s lists addresses of both families: those of the second are held with the others and advertised by a router of their own, "+
		"whose silence on other nodes means nothing; keepalived ignores them there, and takes them in virtual_ipaddress_excluded", in.Name)
}

// noSecond is why a router of the second family makes no sense, empty when it
// does.
func (b *build) noSecond(in *settings.Instance, off bool) string {
	switch {
	case off:
		return " (advertise_second_family off)"
	case in.Unicast:
		return " (the peers of unicast_peer are of one family)"
	case len(in.VirtualMACs) > 0:
		return " (use_vmac has one virtual MAC address)"
	case in.Auth.Type == settings.AuthAH:
		return " (version 3 has no authentication header)"
	case in.AdvertInt > maxInterval3:
		return " (version 3 has intervals up to 40.95 s)"
	}
	for _, other := range b.config.Instances {
		if other.Name != in.Name && other.VRID == in.VRID && other.Interface == in.Interface && other.IPv6 != in.IPv6 {
			return fmt.Sprintf(" (vrrp_instance %s is that router)", other.Name)
		}
	}
	return ""
}
