package render

import (
	"slices"
	"strconv"
	"strings"

	"herald/stats"
)

// keepalivedStates are the values of keepalived_vrrp_state.
var keepalivedStates = map[string]string{"INIT": "0", "BACKUP": "1", "MASTER": "2", "FAULT": "3"}

// keepalivedCounters are the counters of keepalived's exporters.
var keepalivedCounters = []struct {
	name, help string
	of         func(*stats.VRRPCounters) uint64
}{
	{"keepalived_become_master_total", "transitions to MASTER", func(c *stats.VRRPCounters) uint64 { return c.BecomeMaster }},
	{"keepalived_release_master_total", "transitions from MASTER", func(c *stats.VRRPCounters) uint64 { return c.ReleaseMaster }},
	{"keepalived_advertisements_received_total", "advertisements accepted", func(c *stats.VRRPCounters) uint64 { return c.AdvertiseRcvd }},
	{"keepalived_advertisements_sent_total", "advertisements sent", func(c *stats.VRRPCounters) uint64 { return c.AdvertiseSent }},
	{"keepalived_advertisements_interval_errors_total", "advertisements with another interval", func(c *stats.VRRPCounters) uint64 { return c.AdvertiseIntervalErrors }},
	{"keepalived_ip_ttl_errors_total", "advertisements with a wrong TTL", func(c *stats.VRRPCounters) uint64 { return c.IPTTLErrors }},
	{"keepalived_packet_length_errors_total", "packets too short or too long", func(c *stats.VRRPCounters) uint64 { return c.PacketLengthErrors }},
	{"keepalived_address_list_errors_total", "advertisements with other addresses", func(c *stats.VRRPCounters) uint64 { return c.AddressListErrors }},
	{"keepalived_invalid_type_received_total", "packets of an unknown type", func(c *stats.VRRPCounters) uint64 { return c.InvalidTypePktsRcvd }},
	{"keepalived_priority_zero_received_total", "resignations received", func(c *stats.VRRPCounters) uint64 { return c.PriorityZeroPktsRcvd }},
	{"keepalived_priority_zero_sent_total", "resignations sent", func(c *stats.VRRPCounters) uint64 { return c.PriorityZeroPktsSent }},
	{"keepalived_authentication_invalid_total", "unknown authentication types", func(c *stats.VRRPCounters) uint64 { return c.InvalidAuthType }},
	{"keepalived_authentication_mismatch_total", "other authentication types than ours", func(c *stats.VRRPCounters) uint64 { return c.AuthTypeMismatch }},
	{"keepalived_authentication_failure_total", "authentication failures", func(c *stats.VRRPCounters) uint64 { return c.AuthFailures }},
}

// vrrpCounters are the same under the names of the exporter that says
// "keepalived_vrrp_", in its order.
var vrrpCounters = []struct {
	name string
	of   string // name in keepalivedCounters
}{
	{"keepalived_vrrp_advert_rcvd", "keepalived_advertisements_received_total"},
	{"keepalived_vrrp_advert_sent", "keepalived_advertisements_sent_total"},
	{"keepalived_vrrp_become_master", "keepalived_become_master_total"},
	{"keepalived_vrrp_release_master", "keepalived_release_master_total"},
	{"keepalived_vrrp_packet_len_err", "keepalived_packet_length_errors_total"},
	{"keepalived_vrrp_advert_interval_err", "keepalived_advertisements_interval_errors_total"},
	{"keepalived_vrrp_ip_ttl_err", "keepalived_ip_ttl_errors_total"},
	{"keepalived_vrrp_invalid_type_rcvd", "keepalived_invalid_type_received_total"},
	{"keepalived_vrrp_addr_list_err", "keepalived_address_list_errors_total"},
	{"keepalived_vrrp_invalid_authtype", "keepalived_authentication_invalid_total"},
	{"keepalived_vrrp_authtype_mismatch", "keepalived_authentication_mismatch_total"},
	{"keepalived_vrrp_auth_failure", "keepalived_authentication_failure_total"},
	{"keepalived_vrrp_pri_zero_rcvd", "keepalived_priority_zero_received_total"},
	{"keepalived_vrrp_pri_zero_sent", "keepalived_priority_zero_sent_total"},
}

// keepalived writes the instances under the names and labels of keepalived's
// exporters, so that dashboards go on.
func (m *metrics) keepalived(all []stats.Instance) {
	if len(all) == 0 {
		return
	}
	m.family("keepalived_up", "1 while VRRP runs", false)
	m.sample("keepalived_up", "1")
	m.family("keepalived_vrrp_state", "0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT", false)
	for i := range all {
		v := &all[i]
		for _, a := range v.Addresses {
			address, device := addressLabels(a, v.Interface)
			m.sample("keepalived_vrrp_state", keepalivedStates[v.State], "iname", v.Name, "intf", device, "vrid", strconv.Itoa(int(v.VRID)), "ip_address", address)
		}
	}
	for _, c := range keepalivedCounters {
		m.family(c.name, c.help, true)
		for i := range all {
			m.sample(c.name, strconv.FormatUint(c.of(&all[i].Counters), 10), counterLabels("iname", &all[i])...)
		}
	}
	m.family("keepalived_gratuitous_arp_delay_total", "seconds until announcements are repeated, as configured", true)
	for i := range all {
		m.sample("keepalived_gratuitous_arp_delay_total", strconv.FormatFloat(all[i].GarpDelay.Seconds(), 'f', -1, 64), counterLabels("iname", &all[i])...)
	}
	for _, c := range vrrpCounters {
		m.alias(c.name, c.of, all)
	}
	m.scripts(all)
}

// alias writes a counter once more, under another name.
func (m *metrics) alias(name, of string, all []stats.Instance) {
	for _, c := range keepalivedCounters {
		if c.name != of {
			continue
		}
		m.family(name, c.help, true)
		for i := range all {
			m.sample(name, strconv.FormatUint(c.of(&all[i].Counters), 10), counterLabels("name", &all[i])...)
		}
	}
}

// counterLabels are those of a counter; key names the instance.
func counterLabels(key string, v *stats.Instance) []string {
	return []string{key, v.Name, "intf", v.Interface, "vrid", strconv.Itoa(int(v.VRID)), "state", v.State}
}

// addressLabels parts "192.0.2.10/32 dev eth0" as the exporters do: the length
// of a single address is left out, as keepalived leaves it out of its files.
func addressLabels(text, otherwise string) (address, device string) {
	address, rest, _ := strings.Cut(text, " ")
	if addr, length, found := strings.Cut(address, "/"); found && length == map[bool]string{true: "128", false: "32"}[strings.Contains(addr, ":")] {
		address = addr
	}
	if words := strings.Fields(rest); len(words) > 1 && words[0] == "dev" {
		return address, words[1]
	}
	return address, otherwise
}

// scripts writes every tracked script once.
func (m *metrics) scripts(all []stats.Instance) {
	var list []stats.Tracked
	for i := range all {
		for _, t := range all[i].Tracked {
			if !slices.ContainsFunc(list, func(other stats.Tracked) bool { return other.Name == t.Name }) {
				list = append(list, t)
			}
		}
	}
	flag := func(name, help string, of func(stats.Tracked) bool) {
		m.family(name, help, false)
		for _, t := range list {
			v := "0"
			if of(t) {
				v = "1"
			}
			m.sample(name, v, "name", t.Name)
		}
	}
	if len(list) > 0 {
		flag("keepalived_script_status", "1 while the tracked script is good", func(t stats.Tracked) bool { return t.State == "good" })
		flag("keepalived_script_state", "0 idle, 1 running", func(t stats.Tracked) bool { return t.Running })
	}
}
