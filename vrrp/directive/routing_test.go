package directive

import (
	"strings"
	"testing"

	"herald/vrrp/settings"
)

func TestRoutes(t *testing.T) {
	route := func(line string) string { return in("virtual_routes {\n" + line + "\n}") }
	out := func(line, why string) string {
		return "k:8: error: vrrp_instance A: virtual_routes: " + line + " is left out: " + why + "\n"
	}
	check(t, map[string]result{
		"gateway":           {route("192.0.2.0/24 via 10.0.0.1 dev eth1"), "", "route 192.0.2.0/24 via 10.0.0.1 dev eth1 = {Pos: Prefix:192.0.2.0/24 Type:1 Table:254 Protocol:18 Via:10.0.0.1 Device:eth1 Metrics"},
		"all first words":   {route("src 10.0.0.9 to 192.0.2.0/24 gw 10.0.0.1 oif eth1 metric 5 table 100 tos 0x04 protocol bird realms 5/7 onlink scope site no_track"), "", "Table:100 Metric:5 TOS:4 Protocol:12 Scope:200 Source:10.0.0.9 Via:10.0.0.1 Device:eth1 OnLink:true Realm:327687 Metrics:{MTU:0} NoTrack:true"},
		"on the link":       {route("192.0.2.0/24 dev eth1"), "", "Scope:253 Device:eth1"},
		"bits of the host":  {route("192.0.2.7/24 dev eth1"), "", "route 192.0.2.0/24 dev"},
		"default":           {route("default via 10.0.0.1 table main"), "", "route 0.0.0.0/0 via 10.0.0.1 = "},
		"default of IPv6":   {route("default via 2001:db8::1"), "", "route ::/0 via 2001:db8::1 = "},
		"blackhole":         {route("blackhole 192.0.2.0/24"), "", "Type:6"},
		"or":                {route("192.0.2.0/24 via 10.0.0.1 or 10.0.0.2 dev eth1"), "", "nexthop via 10.0.0.1 dev eth1 nexthop via 10.0.0.2 dev eth1"},
		"nexthops":          {route("192.0.2.0/24 table 9 nexthop via 10.0.0.1 dev eth1 onlink weight 1 nexthop via inet 10.0.0.2 dev eth2 weight 3"), "", "NextHops:[{Via:10.0.0.1 Device:eth1 Weight:1 OnLink:true} {Via:10.0.0.2 Device:eth2 Weight:3}]"},
		"metrics":           {route("192.0.2.0/24 via 10.0.0.1 mtu lock 1400 advmss 1300 rtt 100ms rttvar 1s rto_min lock 200ms window 9 cwnd 8 ssthresh 7 reordering 6 initcwnd 5 initrwnd 4 hoplimit 30 quickack 1 features ecn congctl reno fastopen_no_cookie 1"), "", "Metrics:{MTU:1400 Window:9 RTT:800 RTTVar:4000 SSThresh:7 Cwnd:8 AdvMSS:1300 Reordering:6 HopLimit:30 InitCwnd:5 InitRwnd:4 RTOMin:200 QuickACK:1 Features:1 FastOpenNoCookie:1 MTULock:true RTOMinLock:true CongestionControl:reno}"},
		"lock not carried":  {route("192.0.2.0/24 via 10.0.0.1 ssthresh lock 7"), "k:8: warning: vrrp_instance A: virtual_routes: ssthresh lock is known to keepalived but not supported yet and is ignored\n", "SSThresh:7"},
		"source specific":   {route("from 2001:db8::/64 2001:db8:1::/64 via 2001:db8::1"), "k:8: error: vrrp_instance A: virtual_routes: from 2001:db8::/64 2001:db8:1::/64 via 2001:db8::1 is left out: from is not supported yet\n", "not  route "},
		"no destination":    {route("via 10.0.0.1"), out("via 10.0.0.1", "it has no destination"), "not  route "},
		"gateway no number": {route("192.0.2.0/24 via x"), out("192.0.2.0/24 via x", "via: \"x\" is not an address"), "not  route "},
		"two families":      {route("192.0.2.0/24 via 2001:db8::1"), out("192.0.2.0/24 via 2001:db8::1", "2001:db8::1 is not of the family of 192.0.2.0/24"), "not  route "},
		"table by no name":  {route("192.0.2.0/24 via 10.0.0.1 table uplink"), out("192.0.2.0/24 via 10.0.0.1 table uplink", "table: \"uplink\" is not a number from 0 to 4294967295"), "not  route "},
		"length too far":    {route("192.0.2.0/33 via 10.0.0.1"), out("192.0.2.0/33 via 10.0.0.1", "192.0.2.0/33: 33 is outside 0 to 32"), "not  route "},
		"device too long":   {route("192.0.2.0/24 dev abcdefghijklmnop"), out("192.0.2.0/24 dev abcdefghijklmnop", "dev \"abcdefghijklmnop\" is longer than the 15 bytes an interface name may have"), "not  route "},
		"a misspelt word":   {route("192.0.2.0/24 via 10.0.0.1 metrik 5"), "k:8: warning: unknown route word \"metrik\": did you mean \"metric\"?\nk:8: warning: unknown route word \"5\"\n", "route 192.0.2.0/24"},
		"weight too small":  {route("192.0.2.0/24 nexthop via 10.0.0.1 weight 0"), out("192.0.2.0/24 nexthop via 10.0.0.1 weight 0", "weight: 0 is outside 1 to 256"), "not  route "},
		"static":            {"static_routes {\n192.0.2.0/24 via 10.0.0.1 track_group G\n}\ntrack_group G {\ngroup {\nA\n}\n}", "", "route 192.0.2.0/24 via 10.0.0.1"},
	})
}

func TestRules(t *testing.T) {
	rule := func(line string) string { return in("virtual_rules {\n" + line + "\n}") }
	out := func(line, why string) string {
		return "k:8: error: vrrp_instance A: virtual_rules: " + line + " is left out: " + why + "\n"
	}
	check(t, map[string]result{
		"all words": {rule("from 192.0.2.0/24 to 198.51.100.0/26 table 100 iif eth0 oif lo tos 22 fwmark 24/12 preference 39 realms 30/20 uidrange 5-9 ip_proto UDP sport 10-20 dport 30 suppress_prefixlength 8 suppress_ifgroup 3 no_track protocol 12"), "",
			"Priority:39 Action:1 Table:100 From:192.0.2.0/24 To:198.51.100.0/26 In:eth0 Out:lo TOS:22 Mark:24 Mask:12 HasMark:true Realms:1966100 IPProto:17 Protocol:12 Sport:[10 20] Dport:[30 30] UIDs:[5 9] HasUIDs:true SuppressLength:8 SuppressGroup:3 NoTrack:true"},
		"goto":            {rule("not from all goto 50 priority 40"), "", "rule 40: not from all goto 50"},
		"blackhole":       {rule("from 10.0.0.0/8 blackhole priority 1"), "", "Action:6"},
		"IPv6":            {rule("to 2001:db8::/64 lookup main priority 1"), "", "IPv6:true"},
		"no table":        {rule("from 10.0.0.0/8 priority 1"), out("from 10.0.0.0/8 priority 1", "it has neither a table nor another action"), "not rule"},
		"goto back":       {rule("goto 5 priority 40"), out("goto 5 priority 40", "goto 5 leads back"), "not rule"},
		"two families":    {rule("from 10.0.0.0/8 to 2001:db8::/64 table 1 priority 1"), out("from 10.0.0.0/8 to 2001:db8::/64 table 1 priority 1", "from and to are not of one family"), "not rule"},
		"ports backwards": {rule("sport 20-10 table 1 priority 1"), out("sport 20-10 table 1 priority 1", "sport: 20-10 ends before it begins"), "not rule"},
		"not carried":     {rule("from 10.0.0.0/8 l3mdev priority 1"), "k:8: error: vrrp_instance A: virtual_rules: from 10.0.0.0/8 l3mdev priority 1 is left out: l3mdev is not supported yet\n", "not rule"},
		"suppress a drop": {rule("blackhole suppress_ifgroup 3 priority 1"), out("blackhole suppress_ifgroup 3 priority 1", "only a table's answers can be suppressed"), "not rule"},
	})
}

// TestRulesWithoutAPreferenceCountDown gives the numbers keepalived 2.2.7 gives.
func TestRulesWithoutAPreferenceCountDown(t *testing.T) {
	cfg, ds := built("k", in("virtual_rules {\nto 192.0.2.0/24 table 200\nfrom 10.0.0.10 table 201\n}")+"static_rules {\nfrom 10.0.0.11 table 5\n}")
	got := show(cfg)
	for _, want := range []string{"rule 16384: from all to 192.0.2.0/24 table 200", "rule 16383: from 10.0.0.10/32 table 201", "rule 16382: from 10.0.0.11/32 table 5"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	if n := strings.Count(findings(ds), "has no preference"); n != 3 {
		t.Errorf("want three warnings, got\n%s", findings(ds))
	}
}

func TestStaticAddresses(t *testing.T) {
	check(t, map[string]result{
		"on a device":     {"static_ipaddress {\n192.0.2.1/24 dev eth5 track_group G\n2001:db8::1/64 dev eth5\n}", "", "static 2001:db8::1/64 dev eth5"},
		"by default":      {"global_defs {\ndefault_interface eth6\n}\nstatic_ipaddress {\n192.0.2.1/24\n}", "", "static 192.0.2.1/24 dev eth6"},
		"without a place": {"static_ipaddress {\n192.0.2.1/24\n}", "k:1: error: static_ipaddress: 192.0.2.1/24 is left out: it has no dev, and there is no default_interface\n", "not static"},
	})
}

func TestPromoteSecondariesIsTheInterfaces(t *testing.T) {
	cfg, ds := built("k", in("promote_secondaries"))
	got := cfg.Sysctls()
	if len(ds.List()) > 0 || len(got) != 1 || got[0] != (settings.Sysctl{Device: "eth0", Name: "ipv4/conf/%s/promote_secondaries", Value: "1"}) {
		t.Errorf("got %v\n%s", got, findings(ds))
	}
}
