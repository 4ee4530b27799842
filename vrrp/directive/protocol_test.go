package directive

import (
	"net/netip"
	"strings"
	"testing"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

func six(lines string) string {
	return "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\nfe80::10/64\n2001:db8::10\n}\n" + lines + "\n}\n"
}

func TestVersions(t *testing.T) {
	check(t, map[string]result{
		"version 3":          {in("version 3\nadvert_int 0.1"), "", "version 3 priority 100 master false every 100ms"},
		"for all":            {in("") + "global_defs {\nvrrp_version 3\n}\n", "", "version 3"},
		"not here":           {in("version 2") + "global_defs {\nvrrp_version 3\n}\n", "", "version 2"},
		"10 ms":              {in("version 3\nadvert_int 0.01"), "", "every 10ms"},
		"finer than it has":  {in("version 3\nadvert_int 0.015"), "k:8: warning: vrrp_instance A: advert_int: version 3 counts hundredths of a second up to 40.95 s; 20ms is taken\n", "every 20ms"},
		"longer than it has": {in("version 3\nadvert_int 60"), "k:8: warning: vrrp_instance A: advert_int: version 3 counts hundredths of a second up to 40.95 s; 40.95s is taken\n", "every 40.95s"},
		"with a password": {in("version 3\nauthentication {\nauth_type PASS\nauth_pass x\n}"),
			"k:8: warning: vrrp_instance A: authentication is of version 2 over IPv4 only and is ignored\n", "auth 0"},
		"AH":                          {in("authentication {\nauth_type AH\nauth_pass secret12\n}"), "", "auth 2 \"secret12\""},
		"AH without a key":            {in("authentication {\nauth_type AH\n}"), "k:7: warning: vrrp_instance A: authentication without auth_pass; none is taken\n", "auth 0"},
		"checksum":                    {in("version 3\nv3_checksum_as_v2\nold_unicast_checksum"), "", "plain checksum true"},
		"IPv6":                        {six(""), "", "version 3"},
		"IPv6 in a file of version 2": {six("") + "global_defs {\nvrrp_version 2\n}\n", "", "version 3"},
		"IPv6 in version 2":           {six("version 2"), "", "version 2"},
		"without an address":          {"vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nnative_ipv6\n}\n", "k:1: warning: vrrp_instance A has no virtual_ipaddress; it advertises and holds nothing there\n", "ipv6 true"},
		"source of IPv6":              {six("mcast_src_ip fe80::2"), "", "source fe80::2"},
		"source of the other family":  {six("mcast_src_ip 192.0.2.1"), "k:8: warning: vrrp_instance A: the source 192.0.2.1 is not of the family of the addresses and is ignored\n", "source invalid"},
	})
}

func TestAddressesOfBothFamiliesHaveOneElection(t *testing.T) {
	mixed := func(lines string) string {
		return "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n" + lines + "\n}\nvirtual_ipaddress_excluded {\n192.0.2.12\n}\n}\n"
	}
	notice := "k:1: notice: vrrp_instance A lists addresses of both families: those of the second are held with the others and advertised by a router of their own, " +
		"whose silence on other nodes means nothing; keepalived ignores them there, and takes them in virtual_ipaddress_excluded\n"
	check(t, map[string]result{
		"IPv4 first":    {mixed("192.0.2.10\n2001:db8::10/64\n192.0.2.11"), notice, "version 2"},
		"IPv6 is held":  {mixed("192.0.2.10\n2001:db8::10/64\n192.0.2.11"), notice, "excluded 2001:db8::10/64 dev eth0"},
		"the rest too":  {mixed("192.0.2.10\n2001:db8::10/64\n192.0.2.11"), notice, "excluded 192.0.2.12/32 dev eth0"},
		"in the packet": {mixed("192.0.2.10\n2001:db8::10/64\n192.0.2.11"), notice, "address 192.0.2.11/32 dev eth0"},
		"IPv6 first":    {mixed("2001:db8::10/64\n192.0.2.10"), notice, "excluded 192.0.2.10/32 dev eth0"},
		"version 3":     {mixed("2001:db8::10/64\n192.0.2.10"), notice, "version 3"},
	})
}

func TestTheSameNumberInBothFamiliesIsTwoRouters(t *testing.T) {
	check(t, map[string]result{"both": {in("") + strings.Replace(six(""), "A {", "B {", 1), "", "instance B"}})
}

func TestPeers(t *testing.T) {
	check(t, map[string]result{
		"peers": {in("unicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.1\n192.0.2.2\n192.0.2.3 min_ttl 64 max_ttl 255\n}"), "",
			"unicast true peers [{192.0.2.1 0 0} {192.0.2.2 0 0} {192.0.2.3 64 255}] ttl 0 only peers false"},
		"options":          {in("unicast_peer { 192.0.2.2 }\nunicast_ttl 64\ncheck_unicast_src"), "", "ttl 64 only peers true"},
		"on one line":      {in("unicast_peer { 192.0.2.2 192.0.2.3 }"), "", "peers [{192.0.2.2 0 0} {192.0.2.3 0 0}]"},
		"IPv6":             {six("unicast_peer {\n2001:db8::2\n}"), "", "ipv6 true group invalid IP unicast true peers [{2001:db8::2 0 0}]"},
		"other family":     {in("unicast_peer {\n192.0.2.2\n2001:db8::2\n}"), "k:9: warning: vrrp_instance A: unicast_peer: 2001:db8::2 is no peer in the family of the addresses and is ignored\n", "peers [{192.0.2.2 0 0}]"},
		"unknown option":   {in("unicast_peer {\n192.0.2.2 ttl 4\n}"), "k:8: warning: unicast_peer: \"ttl\" is not min_ttl or max_ttl with a number; the rest of the line is ignored\n", "peers [{192.0.2.2 0 0}]"},
		"bad option":       {in("unicast_peer {\n192.0.2.2 min_ttl x\n}"), "k:8: warning: unicast_peer: min_ttl: \"x\" is not a whole number from 0 to 255; it is ignored\n", "peers [{192.0.2.2 0 0}]"},
		"for all":          {in("") + "global_defs {\nvrrp_check_unicast_src\nvrrp_down_timer_adverts 5\nvrrp_lower_prio_no_advert\nvrrp_higher_prio_send_advert\n}\n", "", "down after 5 lower priority unanswered true higher answered true"},
		"but not here":     {in("lower_prio_no_advert off\nhigher_prio_send_advert off\ndown_timer_adverts 4") + "global_defs {\nvrrp_lower_prio_no_advert\nvrrp_higher_prio_send_advert\n}\n", "", "down after 4 lower priority unanswered false higher answered false"},
		"without a peer":   {in("unicast_src_ip 192.0.2.1\nunicast_fault_no_peer"), "k:1: error: vrrp_instance A is left out: it has no unicast_peer (unicast_fault_no_peer)\n", "not instance"},
		"multicast anyway": {in("unicast_fault_no_peer"), "", "instance A"},
		"group":            {in("mcast_dst_ip 224.0.0.19"), "", "group 224.0.0.19 unicast false"},
		"group for all":    {in("") + "global_defs {\nvrrp_mcast_group4 224.0.0.20\nvrrp_mcast_group6 ff02::20\n}\n", "", "group 224.0.0.20"},
		"group of IPv6":    {six("") + "global_defs {\nvrrp_mcast_group4 224.0.0.20\nvrrp_mcast_group6 ff02::20\n}\n", "", "group ff02::20"},
		"no group":         {in("mcast_dst_ip 192.0.2.9"), "k:7: warning: vrrp_instance A: mcast_dst_ip: 192.0.2.9 is not a multicast group of the family of the addresses and is ignored\n", "not 192.0.2.9"},
		"no group for all": {"global_defs {\nvrrp_mcast_group4 ff02::12\n}\n" + in(""), "k:2: warning: vrrp_mcast_group4: ff02::12 is not a multicast group of its family; the line is ignored\n", "not group ff02"},
	})
}

func TestNamesOfPeersAreResolvedOnce(t *testing.T) {
	var ds config.Diagnostics
	text := in("unicast_peer {\nnode2\n192.0.2.3\n}")
	names := map[string][]netip.Addr{"node2": {netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("192.0.2.2")}}
	cfg := Build(block.Parse(text1(text), block.Options{Path: "k"}, &ds), Options{LookupHost: func(name string) []netip.Addr { return names[name] }}, &ds)
	want := "k:8: warning: vrrp_instance A: unicast_peer: the name node2 is 192.0.2.2 now and is not asked for again; write the address\n"
	if got := findings(&ds); got != want {
		t.Errorf("findings: got %q, want %q", got, want)
	}
	if p := cfg.Instances[0].Peers; len(p) != 2 || p[0] != (settings.Peer{Address: netip.MustParseAddr("192.0.2.2"), Name: "node2"}) {
		t.Errorf("peers: got %v", p)
	}
}

func TestANameWithoutAnAddressIsWaitedFor(t *testing.T) {
	var ds config.Diagnostics
	text := in("unicast_peer {\nnode3\na/b\n}")
	cfg := Build(block.Parse(text1(text), block.Options{Path: "k"}, &ds), Options{LookupHost: func(string) []netip.Addr { return nil }}, &ds)
	want := "k:8: warning: vrrp_instance A: unicast_peer: the name node3 has no address now; it is asked for again until it has; write the address\n" +
		"k:9: warning: vrrp_instance A: unicast_peer: \"a/b\" is not an address and no name with one; it is ignored\n"
	if got := findings(&ds); got != want {
		t.Errorf("findings: got %q, want %q", got, want)
	}
	if p := cfg.Instances[0].Peers; len(p) != 1 || p[0] != (settings.Peer{Name: "node3"}) {
		t.Errorf("peers: got %v", p)
	}
}

func TestAnInterfaceIsFoundByTheSource(t *testing.T) {
	const text = "vrrp_instance A {\nvirtual_router_id 7\nunicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.2\n}\nvirtual_ipaddress {\n192.0.2.10\n}\n}\n"
	with := func(text string, of func(netip.Addr) string) (*settings.Config, string) {
		var ds config.Diagnostics
		return Build(block.Parse(text1(text), block.Options{Path: "k"}, &ds), Options{InterfaceOf: of}, &ds), findings(&ds)
	}
	cfg, got := with(text, func(a netip.Addr) string { return map[string]string{"192.0.2.1": "eth7"}[a.String()] })
	if want := "k:1: notice: vrrp_instance A has no interface: eth7 is taken, which has its unicast_src_ip 192.0.2.1\n"; got != want {
		t.Errorf("findings: got %q, want %q", got, want)
	}
	if in := cfg.Instances[0]; in.Interface != "eth7" || in.Addresses[0].Device != "eth7" {
		t.Errorf("got interface %q, address on %q", in.Interface, in.Addresses[0].Device)
	}
	if _, got = with(text, func(netip.Addr) string { return "" }); got != "k:3: error: vrrp_instance A is left out: it has no interface, and no interface has its unicast_src_ip 192.0.2.1\n" {
		t.Errorf("nowhere: got %q", got)
	}
	if cfg, got = with(text, nil); got != "" || len(cfg.Instances) != 1 {
		t.Errorf("another machine's: got %q, %d instances", got, len(cfg.Instances))
	}
	if _, got = with(strings.ReplaceAll(text, "unicast_src_ip", "mcast_src_ip"), func(netip.Addr) string { return "eth7" }); got != "k:1: notice: vrrp_instance A has no interface: eth7 is taken, which has its unicast_src_ip 192.0.2.1\n" {
		t.Errorf("mcast_src_ip: got %q", got)
	}
	if _, got = with("vrrp_instance A {\nvirtual_router_id 7\nunicast_src_ip 192.0.2.1\nvirtual_ipaddress {\n192.0.2.10\n}\n}\n", func(netip.Addr) string { return "eth7" }); got != "k:1: error: vrrp_instance A is left out: it has no interface\n" {
		t.Errorf("multicast: got %q", got)
	}
}

func TestStrictMode(t *testing.T) {
	check(t, map[string]result{
		"what the RFC does not know": {in("strict_mode\npreempt_delay 5\nauthentication {\nauth_type PASS\nauth_pass x\n}\naccept"),
			"k:8: warning: vrrp_instance A: strict_mode does not know preempt_delay; it is ignored\n" +
				"k:9: warning: vrrp_instance A: strict_mode does not know authentication; it is ignored\n", "delay 0s auth 0"},
		"for all, not here": {in("strict_mode off\npreempt_delay 5") + "global_defs {\nvrrp_strict\n}\n", "", "delay 5s"},
		"no address": {"vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nstrict_mode\n}\n",
			"k:1: error: vrrp_instance A is left out: strict_mode needs an address in virtual_ipaddress\n", "not instance"},
		"version 2 of IPv6": {six("strict_mode\nversion 2\naccept"), "k:1: warning: vrrp_instance A: strict_mode has IPv6 in version 3 only; version 3 is taken\n", "version 3"},
		"first address": {"vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nstrict_mode\nvirtual_ipaddress {\n2001:db8::1\n}\naccept\n}\n",
			"k:1: warning: vrrp_instance A: the first IPv6 address should be link-local (RFC 9568 section 5.2.9)\n", "version 3"},
	})
}
