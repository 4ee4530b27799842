package crosscheck

import (
	"fmt"
	"net/netip"
	"slices"

	"herald/config"
	vrrp "herald/vrrp/settings"
)

// owner is the priority that nothing changes (RFC 3768 section 5.3.4).
const owner = 255

// Network is an address of this machine with its interface.
type Network struct {
	Interface string
	Prefix    netip.Prefix
}

// Cluster adds to diags what cannot work among the nodes of a cluster: from v
// alone, and more when the configurations of the other nodes are given. local
// lists the addresses of this machine; nil means unknown.
func Cluster(v *vrrp.Config, others []*vrrp.Config, local []Network, diags *config.Diagnostics) {
	if v == nil {
		return
	}
	for i, inst := range v.Instances {
		c := cluster{inst: inst, diags: diags}
		for _, o := range others {
			for _, theirs := range o.Instances {
				if theirs.VRID == inst.VRID && theirs.IPv6 == inst.IPv6 && (theirs.Interface == inst.Interface || shareAddress(theirs, inst)) {
					c.others = append(c.others, theirs)
				}
			}
		}
		c.ranks(len(others))
		c.weights()
		c.peers(local)
		segment(v.Instances[:i], inst, local, diags)
	}
}

// cluster is one virtual router on every node that is known.
type cluster struct {
	inst   vrrp.Instance
	others []vrrp.Instance
	diags  *config.Diagnostics
}

func (c cluster) warn(word, format string, args ...any) {
	c.diags.Add(finding(c.inst.Pos, config.Warning, word, "vrrp_instance "+c.inst.Name+": "+fmt.Sprintf(format, args...)))
}

// ranks looks at who becomes master.
func (c cluster) ranks(nodes int) {
	if missing := nodes - len(c.others); missing > 0 {
		c.warn(c.inst.Name, "%d of the other nodes have no virtual router %d on %s", missing, c.inst.VRID, c.inst.Interface)
	}
	for _, o := range c.others {
		where := fmt.Sprintf("vrrp_instance %s at %v", o.Name, o.Pos)
		switch {
		case o.Priority == owner && c.inst.Priority == owner:
			c.warn("priority", "both it and %s own the addresses (priority 255): only one node may; the one with the higher address keeps them", where)
		case o.Priority == c.inst.Priority && o.StartMaster && c.inst.StartMaster:
			c.warn("priority", "both it and %s are state MASTER with priority %d, so it is chance which node holds the addresses; "+
				"state is only a hint: give every node a priority of its own", where, o.Priority)
		case o.Priority == c.inst.Priority:
			c.warn("priority", "%s has the same priority %d, so it is chance which node holds the addresses after a failure", where, o.Priority)
		}
		if o.AdvertInt != c.inst.AdvertInt {
			c.warn("advert_int", "%s advertises every %v, this node every %v: keepalived takes neither for the other's", where, o.AdvertInt, c.inst.AdvertInt)
		}
		if o.Auth != c.inst.Auth {
			c.warn("authentication", "%s has another authentication: each refuses the other and both become master", where)
		}
	}
}

// weighed is a weight with what it is of.
type weighed struct {
	source string
	weight int
}

func weighedOf(i vrrp.Instance) []weighed {
	var list []weighed
	for _, t := range i.Tracks {
		list = append(list, weighed{"script " + t.Source, t.Weight})
	}
	for _, t := range i.TrackInterfaces {
		list = append(list, weighed{"interface " + t.Name, t.Weight})
	}
	return list
}

// span is the least and the greatest priority an instance can have.
func span(i vrrp.Instance) (lo, hi int) {
	lo, hi = int(i.Priority), int(i.Priority)
	if i.Priority == owner {
		return lo, hi
	}
	for _, w := range weighedOf(i) {
		lo, hi = lo+min(w.weight, 0), hi+max(w.weight, 0)
	}
	return max(lo, 1), min(hi, owner-1)
}

// weights looks for weights that move nothing: on the owner, beyond the
// bounds of a priority, and too small to give the first place away.
func (c cluster) weights() {
	lo, hi := span(c.inst)
	for _, w := range weighedOf(c.inst) {
		switch {
		case w.weight == 0:
		case c.inst.Priority == owner:
			c.warn("weight", "%s has weight %d, which changes nothing: priority 255 stays what it is", w.source, w.weight)
		case lo == hi:
			c.warn("weight", "%s has weight %d, which changes nothing: a priority ends at 1 and 254", w.source, w.weight)
		default:
			c.moves(w, hi)
		}
	}
}

// moves warns when the node that is first while all is well stays first
// without one of its sources.
func (c cluster) moves(w weighed, hi int) {
	if len(c.others) == 0 {
		return
	}
	second := slices.MaxFunc(c.others, func(a, b vrrp.Instance) int { return best(a) - best(b) })
	without := hi - max(w.weight, -w.weight)
	if best(second) >= without || best(second) >= hi {
		return
	}
	c.warn("weight", "%s has weight %d, which can never move the addresses: this node has priority %d without it, and no other more than %d (vrrp_instance %s at %v)",
		w.source, w.weight, without, best(second), second.Name, second.Pos)
}

// peers compares the list of unicast peers with the machine and with the other
// nodes. The node's own address in it does no harm.
func (c cluster) peers(local []Network) {
	if !c.inst.Unicast {
		return
	}
	listed := func(a netip.Addr) bool {
		return slices.ContainsFunc(c.inst.Peers, func(p vrrp.Peer) bool { return p.Address == a })
	}
	own := func(a netip.Addr) bool {
		return a == c.inst.Source || slices.ContainsFunc(local, func(n Network) bool { return n.Prefix.Addr() == a })
	}
	if c.inst.Source.IsValid() && local != nil && !slices.ContainsFunc(local, func(n Network) bool { return n.Prefix.Addr() == c.inst.Source }) {
		c.warn("unicast_src_ip", "unicast_src_ip %v is no address of this machine: is this another node's file?", c.inst.Source)
	}
	if len(c.inst.Peers) > 0 && !slices.ContainsFunc(c.inst.Peers, func(p vrrp.Peer) bool { return !own(p.Address) }) {
		c.warn("unicast_peer", "unicast_peer lists nobody but this node: no other hears it")
	}
	for _, o := range c.others {
		if o.Source.IsValid() && !listed(o.Source) {
			c.warn("unicast_peer", "unicast_peer misses %v, from where vrrp_instance %s at %v advertises: that node does not hear this one", o.Source, o.Name, o.Pos)
		}
	}
	if len(c.others) == 0 || slices.ContainsFunc(c.others, func(o vrrp.Instance) bool { return !o.Source.IsValid() }) {
		return // who is a stranger is not known
	}
	for _, p := range c.inst.Peers {
		if p.Address.IsValid() && !own(p.Address) && !slices.ContainsFunc(c.others, func(o vrrp.Instance) bool { return o.Source == p.Address }) {
			c.warn("unicast_peer", "unicast_peer has %v, which is none of the other nodes", p.Address)
		}
	}
}

func best(i vrrp.Instance) int {
	_, hi := span(i)
	return hi
}

// segment looks for the same virtual router on two interfaces of one network:
// each hears the other's advertisements as a stranger's.
func segment(before []vrrp.Instance, inst vrrp.Instance, local []Network, diags *config.Diagnostics) {
	for _, other := range before {
		if other.VRID != inst.VRID || other.IPv6 != inst.IPv6 || other.Interface == inst.Interface {
			continue
		}
		for _, a := range local {
			for _, b := range local {
				if a.Interface == inst.Interface && b.Interface == other.Interface && a.Prefix.Masked() == b.Prefix.Masked() {
					diags.Add(finding(inst.Pos, config.Warning, "virtual_router_id", fmt.Sprintf(
						"vrrp_instance %s and %s both use virtual_router_id %d, and their interfaces %s and %s are in the same network %v: they fight each other",
						inst.Name, other.Name, inst.VRID, inst.Interface, other.Interface, a.Prefix.Masked())))
					return
				}
			}
		}
	}
}

func shareAddress(a, b vrrp.Instance) bool {
	return slices.ContainsFunc(a.Addresses, func(x vrrp.Address) bool {
		return slices.ContainsFunc(b.Addresses, func(y vrrp.Address) bool { return x.Prefix.Addr() == y.Prefix.Addr() })
	})
}
