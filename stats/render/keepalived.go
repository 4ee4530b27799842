package render

import (
	"strconv"

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

// keepalived writes the instances under the names of keepalived's exporters,
// so that dashboards go on.
func (m *metrics) keepalived(all []stats.Instance) {
	if len(all) == 0 {
		return
	}
	m.family("keepalived_up", "1 while VRRP runs", false)
	m.sample("keepalived_up", "1")
	labels := func(v *stats.Instance, more ...string) []string {
		return append([]string{"iname", v.Name, "intf", v.Interface, "vrid", strconv.Itoa(int(v.VRID))}, more...)
	}
	m.family("keepalived_vrrp_state", "0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT", false)
	for i := range all {
		v := &all[i]
		for _, a := range v.Addresses {
			m.sample("keepalived_vrrp_state", keepalivedStates[v.State], labels(v, "ip_address", a)...)
		}
	}
	for _, c := range keepalivedCounters {
		m.family(c.name, c.help, true)
		for i := range all {
			m.sample(c.name, strconv.FormatUint(c.of(&all[i].Counters), 10), labels(&all[i])...)
		}
	}
	m.scripts(all)
}

// scripts writes every tracked script once.
func (m *metrics) scripts(all []stats.Instance) {
	seen := map[string]bool{}
	for i := range all {
		for _, t := range all[i].Tracked {
			if len(seen) == 0 {
				m.family("keepalived_script_status", "1 while the tracked script is good", false)
			}
			if seen[t.Name] {
				continue
			}
			seen[t.Name] = true
			good := "0"
			if t.State == "good" {
				good = "1"
			}
			m.sample("keepalived_script_status", good, "name", t.Name)
		}
	}
}
