package directive

import (
	"strings"
	"testing"

	"herald/config"
	"herald/config/block"
)

// minimal is an instance with everything it must have; cases put lines into
// it.
const minimal = "interface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n192.0.2.10\n}\n"

func in(lines string) string { return "vrrp_instance A {\n" + minimal + lines + "\n}\n" }

// A case gives the findings exactly and some text the result must, or, after
// "not ", must not show.
type result struct {
	text, findings, want string
}

func check(t *testing.T, cases map[string]result) {
	t.Helper()
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			cfg, ds := built("k", tt.text)
			if got := findings(ds); got != tt.findings {
				t.Errorf("findings of\n%s\nwant\n%sgot\n%s", tt.text, tt.findings, got)
			}
			want, unwanted := strings.CutPrefix(tt.want, "not ")
			if got := show(cfg); strings.Contains(got, want) == unwanted {
				t.Errorf("%s\nwant %q in\n%s", tt.text, tt.want, got)
			}
		})
	}
}

func TestElection(t *testing.T) {
	check(t, map[string]result{
		"defaults":              {in(""), "", "vrid 7 version 2 priority 100 master false every 1s nopreempt false delay 0s auth 0"},
		"state master alone":    {in("state MASTER"), "", "priority 255 master true"},
		"last state counts":     {in("state MASTER\nstate BACKUP"), "", "priority 100 master false"},
		"state in other words":  {in("state master"), "k:7: warning: state: \"master\" is not MASTER or BACKUP; BACKUP is taken\n", "master false"},
		"priority 0":            {in("state MASTER\npriority 0"), "k:8: warning: priority: 0 is outside 1 to 255; 100 is taken\n", "priority 100"},
		"priority not whole":    {in("priority 120.5"), "k:7: warning: priority: \"120.5\" is not a whole number from 1 to 255; 100 is taken\n", "priority 100"},
		"priority with zeros":   {in("priority \"051\""), "", "priority 51"},
		"priority missing":      {in("priority"), "k:7: warning: priority needs NUMBER; the line is ignored\n", "priority 100"},
		"two on a line":         {in("priority 90 nopreempt"), "k:7: warning: priority takes no \"nopreempt\": a line holds one keyword; the rest of it is ignored\n", "priority 90 master false every 1s nopreempt false"},
		"nopreempt":             {in("nopreempt\npreempt_delay 5.5"), "", "nopreempt true delay 5.5s"},
		"preempt after all":     {in("nopreempt\npreempt"), "", "nopreempt false"},
		"preempt_delay too far": {in("preempt_delay 2000"), "k:7: warning: preempt_delay: 2000 is outside 0s to 16m40s; 0s is taken\n", "delay 0s"},
		"nopreempt of a master": {in("state MASTER\npriority 100\nnopreempt\npreempt_delay 3"),
			"k:9: warning: vrrp_instance A: nopreempt has no effect with state MASTER; use state BACKUP on every node\n" +
				"k:10: warning: vrrp_instance A: preempt_delay has no effect with state MASTER; use state BACKUP on every node\n", "nopreempt false delay 0s"},
		"nopreempt of an owner": {in("priority 255\nnopreempt"), "k:8: warning: vrrp_instance A: nopreempt has no effect with priority 255\n", "nopreempt false"},
		"interval rounded up":   {in("advert_int 1.5"), "k:7: warning: vrrp_instance A: advert_int: version 2 counts whole seconds; 2s is taken\n", "every 2s"},
		"interval of nothing":   {in("advert_int 0.3"), "k:7: warning: vrrp_instance A: advert_int: version 2 counts whole seconds; 1s is taken\n", "every 1s"},
		"interval too long":     {in("advert_int 300"), "k:7: warning: advert_int: 300 is outside 10ms to 4m15s; 1s is taken\n", "every 1s"},
		"interval no number":    {in("advert_int x"), "k:7: warning: advert_int: \"x\" is not a number of seconds; 1s is taken\n", "every 1s"},
		"source":                {in("mcast_src_ip 192.0.2.1\nunicast_src_ip 192.0.2.3"), "", "source 192.0.2.1"},
		"source not IPv4":       {in("mcast_src_ip fe80::1"), "k:7: warning: vrrp_instance A: the source fe80::1 is not of the family of the addresses and is ignored\n", "source invalid"},
		"group as it is":        {in("mcast_dst_ip 224.0.0.18"), "", "instance A"},
		"no peers":              {in("unicast_src_ip 192.0.2.3\nunicast_peer {\n}"), "", "source 192.0.2.3"},
	})
}

func TestInstancesThatCannotRunAreLeftOut(t *testing.T) {
	fine := "vrrp_instance F {\ninterface eth1\nvirtual_router_id 9\nvirtual_ipaddress {\n192.0.2.99\n}\n}\n"
	left := "error: vrrp_instance A is left out: "
	for name, tt := range map[string]struct{ text, findings string }{
		"no virtual_router_id":        {"vrrp_instance A {\ninterface eth0\nvirtual_ipaddress {\n192.0.2.10\n}\n}\n", "k:1: " + left + "it has no virtual_router_id\n"},
		"virtual_router_id too large": {in("virtual_router_id 300"), "k:7: " + left + "virtual_router_id: 300 is outside 1 to 255\n"},
		"no interface":                {"vrrp_instance A {\nvirtual_router_id 7\nvirtual_ipaddress {\n192.0.2.10\n}\n}\n", "k:1: " + left + "it has no interface\n"},
		"interface with a colon":      {in("interface eth0:1"), "k:7: " + left + "interface \"eth0:1\" is not the name of an interface: it has a colon, slash or blank\n"},
		"interface too long":          {in("interface abcdefghijklmnop"), "k:7: " + left + "interface \"abcdefghijklmnop\" is longer than the 15 bytes an interface name may have\n"},
		"interface .":                 {in("interface ."), "k:7: " + left + "interface \".\" is not the name of an interface\n"},
		"interface lo":                {in("interface lo"), "k:7: " + left + "advertisements cannot go over the loopback interface lo\n"},
		"no address can be read": {"vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\nVIP\n}\n}\n",
			"k:1: " + left + "none of the addresses in virtual_ipaddress can be read\n" +
				"k:5: error: vrrp_instance A: virtual_ipaddress: \"VIP\" is not an address and is left out\n"},
		"no peer can be used": {in("unicast_peer {\nnode2\n}"), "k:1: " + left + "none of the peers in unicast_peer can be used\n" +
			"k:8: warning: vrrp_instance A: unicast_peer: \"node2\" is not an address and no name with one; it is ignored\n"},
		"same virtual router": {"vrrp_instance B {\n" + minimal + "}\n" + in(""),
			"k:8: " + left + "virtual_router_id 7 on eth0 is taken by vrrp_instance B at k:1\n"},
		"same name": {in("") + in(""), "k:9: " + left + "the name is taken by the instance at k:1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, ds := built("k", tt.text+fine)
			if got := findings(ds); got != tt.findings {
				t.Errorf("findings: want\n%sgot\n%s", tt.findings, got)
			}
			var names []string
			for _, i := range cfg.Instances {
				names = append(names, i.Name)
			}
			if got := strings.Join(names, " "); got != "F" && got != "B F" && name != "same name" {
				t.Errorf("want the others to run, got %q", got)
			}
		})
	}
}

func TestTrackingFilesAndTheProxy(t *testing.T) {
	file := "track_file m {\nfile /run/m\nweight -5\n}\n"
	check(t, map[string]result{
		"a file":                 {file + in("track_file {\nm\n}"), "", "watch 0 m min 0 weight -5 reverse false"},
		"a weight of its own":    {in("track_file {\nm weight 3 reverse\n}") + file, "", "watch 0 m min 0 weight 3 reverse true"},
		"no such file":           {in("track_file {\nx\n}"), "k:8: warning: vrrp_instance A: track_file x: there is no such track_file block; it is ignored\n", "not watch"},
		"a block without a path": {"track_file m {\nweight 2\n}\n" + in(""), "k:1: error: track_file m is left out: it has no file\n", "instance A"},
		"an owner":               {file + in("priority 255\ntrack_file {\nm\n}"), "k:13: warning: vrrp_instance A: tracking m is ignored: a weight cannot change priority 255\n", "not watch"},
		"the proxy": {in("track_proxy {\nfrontend web weight 5\nbackend app min_servers 2 weight -20\nfrontend api\n}"), "",
			"watch 1 web min 1 weight 5 reverse false\n  watch 2 app min 2 weight -20 reverse false\n  watch 1 api min 1 weight 0 reverse false"},
		"the proxy on one line": {in("track_proxy { frontend web weight 5 backend backend min_servers 2 }"), "",
			"watch 1 web min 1 weight 5 reverse false\n  watch 2 backend min 2 weight 0 reverse false"},
		"another part": {in("track_proxy {\nserver s1\n}"), "k:8: warning: track_proxy: \"server\" is not frontend or backend; the line is ignored\n", "not watch"},
		"no name":      {in("track_proxy {\nbackend\n}"), "k:8: warning: track_proxy: backend needs a name; the line is ignored\n", "not watch"},
		"of a group": {file + in("") + "vrrp_instance B {\ninterface eth1\nvirtual_router_id 8\nvirtual_ipaddress {\n192.0.2.11\n}\n}\nvrrp_sync_group G { group { A B }\ntrack_file { m }\ntrack_proxy { frontend web } }", "",
			"watch 0 m min 0 weight -5 reverse false\n  watch 1 web min 1 weight 0"},
	})
}

func TestSyncGroups(t *testing.T) {
	two := "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n192.0.2.10\n}\n}\n" +
		"vrrp_instance B {\ninterface eth0\nvirtual_router_id 8\nvirtual_ipaddress {\n192.0.2.11\n}\n}\n"
	script := "vrrp_script chk {\nscript /bin/check\nweight 20\n}\n"
	check(t, map[string]result{
		"two members":     {two + "vrrp_sync_group G {\ngroup {\nA\nB\n}\n}", "", "group G [A B]"},
		"two on one line": {two + "vrrp_sync_group G { group { A B } }", "", "group G [A B]"},
		"an instance in two": {two + "vrrp_sync_group G { group { A B } }\nvrrp_sync_group H { group { A B } }",
			"k:16: notice: vrrp_sync_group H has fewer than two members: there is nothing to keep together\n" +
				"k:16: warning: vrrp_sync_group H goes without vrrp_instance A, which is in group G\n" +
				"k:16: warning: vrrp_sync_group H goes without vrrp_instance B, which is in group G\n", "not group H"},
		"a member that cannot run": {two + "vrrp_instance C {\n}\nvrrp_sync_group G { group { A B C } }",
			"k:15: error: vrrp_instance C is left out: it has no interface\n" +
				"k:17: warning: vrrp_sync_group G goes without vrrp_instance C, which is left out\n", "group G [A B]"},
		"tracks of the group": {two + script + "vrrp_sync_group G {\ngroup {\nA\nB\n}\ntrack_script {\nchk weight 5\n}\ntrack_interface {\neth9 weight 3\n}\n}", "",
			"track chk weight 5 reverse false\n  track interface eth9 weight 3 reverse false\n  garp 5, again after 5s; refresh 0s 1; lower priority 5 after 5s; pace 0s\ngroup"},
		"weights of a member": {script + in("track_script {\nchk\n}") + "vrrp_instance B {\ninterface eth1\nvirtual_router_id 8\nvirtual_ipaddress {\n192.0.2.11\n}\n}\nvrrp_sync_group G { group { A B } }",
			"k:5: warning: vrrp_instance A: track_script chk has a weight and is ignored in vrrp_sync_group G: track it in the group, or write sync_group_tracking_weight there\n", "not track chk"},
		"weights of a member, kept": {script + in("track_script {\nchk\n}") + "vrrp_instance B {\ninterface eth1\nvirtual_router_id 8\nvirtual_ipaddress {\n192.0.2.11\n}\n}\nvrrp_sync_group G { group { A B }\nsync_group_tracking_weight }",
			"", "track chk weight 20"},
		"one member": {two + "vrrp_sync_group G {\ngroup {\nA\nA\n}\n}",
			"k:15: notice: vrrp_sync_group G has fewer than two members: there is nothing to keep together\n", "instance A"},
		"member missing": {two + "vrrp_sync_group G {\ngroup {\nA\nC\n}\n}",
			"k:15: notice: vrrp_sync_group G has fewer than two members: there is nothing to keep together\n" +
				"k:18: warning: vrrp_sync_group G: there is no vrrp_instance C\n", "instance A"},
	})
}

func TestAuthentication(t *testing.T) {
	check(t, map[string]result{
		"password":       {in("authentication {\nauth_type PASS\nauth_pass \"a b\"\n}"), "", "auth 1 \"a b\""},
		"one line":       {in("authentication { auth_pass x auth_type PASS }"), "", "auth 1 \"x\""},
		"too long":       {in("authentication {\nauth_type PASS\nauth_pass 123456789\n}"), "k:9: warning: auth_pass is longer than 8 bytes; the rest does not count\n", "auth 1 \"12345678\""},
		"single quotes":  {in("authentication {\nauth_type PASS\nauth_pass 'a b'\n}"), "k:9: warning: auth_pass: single quotes are part of the password, as in keepalived; use double quotes to leave them out\n", "auth 1 \"'a\""},
		"no password":    {in("authentication {\nauth_type PASS\n}"), "k:7: warning: vrrp_instance A: authentication without auth_pass; none is taken\n", "auth 0"},
		"empty password": {in("authentication {\nauth_type PASS\nauth_pass \"\"\n}"), "k:7: warning: vrrp_instance A: authentication without auth_pass; none is taken\n", "auth 0"},
		"no type":        {in("authentication {\nauth_pass x\n}"), "k:7: warning: vrrp_instance A: auth_pass without auth_type PASS; no authentication is taken\n", "auth 0"},
		"type unknown":   {in("authentication {\nauth_type pass\nauth_pass x\n}"), "k:7: warning: vrrp_instance A: auth_type \"pass\" is not PASS or AH; none is taken\n", "auth 0"},
		"no block":       {in("authentication"), "k:7: warning: authentication needs a block: { ... }; the line is ignored\n", "auth 0"},
		"word unknown":   {in("authentication {\nauth_typ PASS\n}"), "k:8: warning: unknown keyword \"auth_typ\": did you mean \"auth_type\"?\n", "auth 0"},
	})
}

func TestAddresses(t *testing.T) {
	list := func(lines string) string {
		return "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n192.0.2.10\n" + lines + "\n}\n}\n"
	}
	check(t, map[string]result{
		"all options":       {list("192.0.2.11/24 dev eth1 brd 192.0.2.255 scope link label eth1:x"), "", "address 192.0.2.11/24 dev eth1 label \"eth1:x\" scope 253 brd 192.0.2.255"},
		"label first, free": {list("192.0.2.11/32 label vip"), "", "label \"vip\""},
		"brd computed":      {list("192.0.2.66/26 brd +"), "", "brd 192.0.2.127"},
		"brd none":          {list("192.0.2.66/26 broadcast + brd -"), "", "192.0.2.66/26 dev eth0 label \"\" scope 0 brd invalid"},
		"brd of a host":     {list("192.0.2.11 brd +"), "k:6: warning: brd +: 192.0.2.11/32 has no broadcast address; none is set\n", "192.0.2.11/32 dev eth0 label \"\" scope 0 brd invalid"},
		"brd no address":    {list("192.0.2.11 brd x"), "k:6: warning: brd: \"x\" is not an IPv4 address, + or -; none is set\n", "192.0.2.11/32"},
		"scope number":      {list("192.0.2.11 scope 200"), "", "scope 200"},
		"scope unknown":     {list("192.0.2.11 scope foo"), "k:6: warning: scope \"foo\" is not global, site, link, host, nowhere or a number; global is taken\n", "192.0.2.11/32 dev eth0 label \"\" scope 0"},
		"several on a line": {"vrrp_instance A { interface eth0 virtual_router_id 7 virtual_ipaddress { 192.0.2.10 dev eth1 192.0.2.11 brd 192.0.2.255 192.0.2.12 } }", "",
			"192.0.2.10/32 dev eth1 label \"\" scope 0 brd invalid IP\n  address 192.0.2.11/32 dev eth0 label \"\" scope 0 brd 192.0.2.255\n  address 192.0.2.12/32"},
		"length too large": {list("192.0.2.11/33"), "k:6: warning: 192.0.2.11/33: prefix length: 33 is outside 0 to 32; 32 is taken\n", "192.0.2.11/32"},
		"label too long":   {list("192.0.2.11 label eth0:verylonglabel"), "k:6: error: vrrp_instance A: address 192.0.2.11/32 is left out, as keepalived does: label \"eth0:verylonglabel\" is longer than 15 bytes\n", "not 192.0.2.11"},
		"dev impossible":   {list("192.0.2.11 dev a/b"), "k:6: error: vrrp_instance A: address 192.0.2.11/32 is left out: dev \"a/b\" is not the name of an interface: it has a colon, slash or blank\n", "not 192.0.2.11"},
		"dev missing":      {list("192.0.2.11 dev"), "k:6: warning: 192.0.2.11: dev needs a value\n", "192.0.2.11/32 dev eth0"},
		"option unknown":   {list("192.0.2.11 lable x"), "k:6: warning: unknown address option \"lable\": did you mean \"label\"?\nk:6: warning: unknown address option \"x\"\n", "192.0.2.11/32"},
		"option use_vmac":  {list("192.0.2.11 use_vmac foo no_track peer 192.0.2.1"), "", "192.0.2.11/32 dev foo"},
		"not an address":   {list("192.0.2.256"), "k:6: error: vrrp_instance A: virtual_ipaddress: \"192.0.2.256\" is not an address and is left out\n", "not 256"},
		"leading zero":     {list("010.0.0.1"), "k:6: error: vrrp_instance A: virtual_ipaddress: \"010.0.0.1\" is not an address and is left out\n", "not 010"},
		"multicast":        {list("224.0.0.1"), "k:6: error: vrrp_instance A: virtual_ipaddress: \"224.0.0.1\" is not an address and is left out\n", "not 224"},
		"IPv6 among IPv4":  {list("2001:db8::1"), "k:1: notice: vrrp_instance A lists addresses of both families: those of the second are held with the others and advertised by a router of their own, whose silence on other nodes means nothing; keepalived ignores them there, and takes them in virtual_ipaddress_excluded\n", "excluded 2001:db8::1/128"},
		"twice":            {list("192.0.2.10/24"), "k:1: warning: vrrp_instance A lists 192.0.2.10 twice\n", "192.0.2.10/24"},
		"none":             {"vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress_excluded {\n192.0.2.1\n}\n}", "k:1: warning: vrrp_instance A has no virtual_ipaddress; it advertises and holds nothing there\n", "excluded 192.0.2.1/32"},
		"two instances share": {in("") + "vrrp_instance B {\ninterface eth0\nvirtual_router_id 8\nvirtual_ipaddress {\n192.0.2.10\n}\n}",
			"k:9: warning: vrrp_instance A and B both hold 192.0.2.10 on eth0\n", "instance B"},
		"default interface": {"global_defs { default_interface eth3 }\nvrrp_instance A {\nvirtual_router_id 7\nvirtual_ipaddress {\n192.0.2.1\n}\n}", "", "192.0.2.1/32 dev eth3"},
	})
}

func TestMoreAddressesThanAnAdvertisementNames(t *testing.T) {
	text := "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress_excluded {\n10.9.9.9\n}\nvirtual_ipaddress {\n~SEQ(I,1,250) 10.0.0.$I\n~SEQ(I,1,10) 10.0.1.$I\n}\n}"
	cfg, ds := built("k", text)
	a := cfg.Instances[0]
	if len(a.Addresses) != 255 || len(a.Excluded) != 6 || a.Excluded[0].Prefix.String() != "10.0.1.6/32" || len(ds.List()) != 1 {
		t.Errorf("want 255 advertised, 10.0.1.6 the first of 6 others and one warning, got %d, %v, %s", len(a.Addresses), a.Excluded, findings(ds))
	}
}

func TestAnnouncements(t *testing.T) {
	check(t, map[string]result{
		"defaults": {in(""), "", "garp 5, again after 5s; refresh 0s 1; lower priority 5 after 5s; pace 0s"},
		"globals": {"global_defs {\nvrrp_garp_master_delay 7\nvrrp_garp_master_repeat 2\nvrrp_garp_master_refresh 60\nvrrp_garp_master_refresh_repeat 3\nvrrp_garp_interval 0.002\n}\n" + in(""), "",
			"garp 2, again after 7s; refresh 1m0s 3; lower priority 2 after 7s; pace 2ms"},
		"globals after": {in("") + "global_defs {\nvrrp_garp_lower_prio_delay 1\nvrrp_garp_lower_prio_repeat 0\n}\n", "", "lower priority 0 after 1s"},
		"own first": {"global_defs {\nvrrp_garp_master_delay 7\nvrrp_min_garp\n}\n" + in("garp_master_delay 1\ngarp_master_repeat 4\ngarp_master_refresh 9\ngarp_master_refresh_repeat 2\ngarp_lower_prio_delay 3\ngarp_lower_prio_repeat 6\ngarp_interval 0.1"), "",
			"garp 4, again after 1s; refresh 9s 2; lower priority 6 after 3s; pace 100ms"},
		"min_garp":     {"global_defs { vrrp_min_garp }\n" + in(""), "", "garp 1, again after 0s"},
		"min_garp off": {"global_defs { vrrp_min_garp no }\n" + in(""), "", "garp 5, again after 5s"},
		"min_garp odd": {"global_defs {\nvrrp_min_garp x\n}\n" + in(""), "k:2: warning: vrrp_min_garp: \"x\" is not on, off, true, false, yes or no; on is taken\n", "garp 1"},
		"repeat 0":     {in("garp_master_repeat 0"), "k:7: warning: garp_master_repeat: 0 is outside 1 to 1000; 1 is taken\n", "garp 1,"},
	})
}

func TestScriptsAndTracks(t *testing.T) {
	check(t, map[string]result{
		"defaults": {"vrrp_script s {\nscript /bin/x\n}", "", "script s [\"/bin/x\"] interval 1s timeout 1s weight 0 reverse false rise 1 fall 1 init fail false user \"\" group \"\" in-process false"},
		"everything on one line": {"vrrp_script s { script \"/bin/x 'a b'\" interval 2 timeout 1 weight -5 reverse rise 2 fall 3 user root nobody init_fail }", "",
			"script s [\"/bin/x\" \"a b\"] interval 2s timeout 1s weight -5 reverse true rise 2 fall 3 init fail true user \"root\" group \"nobody\""},
		"quoted numbers":   {"vrrp_script s {\nscript /bin/x\ninterval \"3\"\nweight \"-5\"\n}", "", "interval 3s timeout 3s weight -5"},
		"unquoted command": {"vrrp_script s {\nscript killall -0 haproxy\n}", "k:1: notice: vrrp_script s: \"killall -0 haproxy\" is not run: it is answered in-process by whether herald's own proxy is serving, at once; interval 1s no longer matters\nk:2: warning: script: keepalived drops all after the first word here; herald passes it on; write the whole command in quotes\n", "in-process true"},
		"bad numbers": {"vrrp_script s {\nscript /bin/x\ninterval 0\ntimeout x\nrise 0\nfall -3\nweight 300\n}",
			"k:3: warning: interval: 0 is outside 100ms to 24h0m0s; 1s is taken\nk:4: warning: timeout: \"x\" is not a number of seconds; 1s is taken\n" +
				"k:5: warning: rise: 0 is outside 1 to 2147483647; 1 is taken\nk:6: warning: fall: -3 is outside 1 to 2147483647; 1 is taken\n" +
				"k:7: warning: weight: 300 is outside -253 to 253; 253 is taken\n", "interval 1s timeout 1s weight 253 reverse false rise 1 fall 1"},
		"weight no number": {"vrrp_script s {\nscript /bin/x\nweight x\n}", "k:3: warning: weight: \"x\" is not a whole number from -253 to 253; 0 is taken\n", "weight 0"},
		"word of an instance": {"vrrp_script s {\nscript /bin/x\ndebug\n}",
			"k:3: warning: unknown keyword \"debug\" in vrrp_script: it belongs in vrrp_instance\n", "script s"},
		"slip":            {"vrrp_script s {\nscript /bin/x\nintervall 3\n}", "k:3: warning: unknown keyword \"intervall\": did you mean \"interval\"?\n", "script s"},
		"no command":      {"vrrp_script s {\ninterval 2\n}", "k:1: error: vrrp_script s is left out: it has no script\n", "not script s"},
		"same name":       {"vrrp_script s {\nscript /bin/x\n}\nvrrp_script s {\nscript /bin/y\n}", "k:4: error: vrrp_script s is left out: the name is taken\n", "not /bin/y"},
		"user missing":    {"vrrp_script s {\nscript /bin/x\nuser who whose\n}", "k:1: error: vrrp_script s is left out: the account it runs as does not exist\nk:3: error: user: user \"who\" does not exist\nk:3: error: user: group \"whose\" does not exist\n", "not script s"},
		"global user":     {"global_defs {\nscript_user nobody root\nenable_script_security\n}", "", "script user \"nobody\" group \"root\" security true"},
		"no such user":    {"global_defs {\nscript_user who\n}", "k:2: error: script_user: user \"who\" does not exist\n", "script user \"\""},
		"default weight":  {"vrrp_script s {\nscript /bin/x\nweight 5 reverse\n}\n" + in("track_script {\ns\n}"), "", "track s weight 5 reverse true"},
		"own weight":      {"vrrp_script s {\nscript /bin/x\nweight 5 reverse\n}\n" + in("track_script { s weight -20 noreverse }"), "", "track s weight -20 reverse false"},
		"defined later":   {in("track_script {\ns\n}") + "vrrp_script s {\nscript /bin/x\n}\n", "", "track s weight 0"},
		"two on one line": {"vrrp_script s { script /bin/x }\nvrrp_script weight { script /bin/x }\n" + in("track_script { s weight 3 weight 2 reverse s }"), "", "track s weight 2 reverse true\n  track s weight 0"},
		"two on a line of its own": {"vrrp_script s { script /bin/x }\n" + in("track_script {\ns s\n}"),
			"k:9: warning: s: \"s\" is not weight, reverse or noreverse and is ignored\n", "track s weight 0"},
		"weight without number": {"vrrp_script s { script /bin/x }\n" + in("track_script {\ns weight\n}"), "k:9: warning: s: weight needs a number from -253 to 253\n", "track s weight 0"},
		"no such script":        {in("track_script {\ns\n}"), "k:8: warning: vrrp_instance A: track_script s: there is no such vrrp_script; it is ignored\n", "not \n  track"},
		"owner with a weight":   {"vrrp_script s { script /bin/x }\n" + in("priority 255\ntrack_script { s weight 2 }"), "k:9: warning: vrrp_instance A: track_script s is ignored: a weight cannot change priority 255\n", "not \n  track"},
		"interfaces":            {in("track_interface {\neth1 weight 10 reverse\neth2\n}\ntrack_interface { eth3 eth4 weight -1 }\ndont_track_primary"), "", "track interface eth1 weight 10 reverse true\n  track interface eth2 weight 0 reverse false\n  track interface eth3 weight 0 reverse false\n  track interface eth4 weight -1"},
		"interface impossible":  {in("track_interface {\neth0:1\n}"), "k:8: warning: track_interface: \"eth0:1\" is not the name of an interface: it has a colon, slash or blank; it is ignored\n", "not \n  track"},
	})
}

func TestUnknownAndUnsupportedAreToldApart(t *testing.T) {
	check(t, map[string]result{
		"unknown block":      {"vrrp_instanc A {\nx {\n}\n}\n", "k:1: warning: unknown keyword \"vrrp_instanc\": did you mean \"vrrp_instance\"?\n", "not instance"},
		"unknown, none near": {in("zzzzzzzzzz 1"), "k:7: warning: unknown keyword \"zzzzzzzzzz\"\n", "instance A"},
		"global inside":      {in("router_id x"), "k:7: warning: unknown keyword \"router_id\" in vrrp_instance: it belongs in global_defs\n", "router \"host1\""},
		"top level inside":   {"global_defs {\nuse_pid_dir\n}", "k:2: warning: unknown keyword \"use_pid_dir\" in global_defs: it belongs at the top level\n", ""},
		"unsupported":        {in("lvs_sync_daemon_interface eth1"), "k:7: warning: keyword \"lvs_sync_daemon_interface\" is known to keepalived but not supported yet: herald programs no LVS\n", "instance A"},
		"built in":           {in("accept\nskip_check_adv_addr on"), "", "instance A"},
		"block of a line":    {in("priority 90 {\nx\n}"), "k:7: warning: priority takes no block; what stands between its braces is ignored\n", "priority 90"},
		"name missing":       {"vrrp_instance {\n}", "k:1: warning: vrrp_instance needs NAME { ... }; the line is ignored\n", "not instance"},
		"LVS with a slip": {"virtual_server 192.0.2.1 80 {\nlvs_sched rr\nreal_server 192.0.2.2 80 {\nTCP_CHECK {\nconect_port 80\n}\n}\n}",
			"k:1: warning: virtual_server 192.0.2.1 80 is known to keepalived but not supported yet: herald does not program LVS: balance it with a listen section of the HAProxy file\n" +
				"k:5: warning: unknown keyword \"conect_port\": did you mean \"connect_port\"?\n", ""},
		"globals at the top": {"net_namespace_ipvs x\nnamespace_with_ipsets\nchild_wait_time 5", "k:1: notice: net_namespace_ipvs is accepted and changes nothing: herald sets no IPVS rules\nk:2: notice: namespace_with_ipsets is accepted and changes nothing: herald uses nftables, not ipsets\nk:3: warning: keyword \"child_wait_time\" is known to keepalived but not supported yet\n", ""},
		"mcast group odd":    {"global_defs {\nvrrp_mcast_group4 x\nvrrp_startup_delay 2.5\nrouter_id \"a b\"\n}\n" + in(""), "k:2: warning: vrrp_mcast_group4: \"x\" is not an address; the line is ignored\n", "router \"a b\" startup delay 2.5s"},
	})
}

func TestNoAddressesMayBeMeant(t *testing.T) {
	const text = "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\n%s\n}\n"
	check(t, map[string]result{
		"not said": {strings.Replace(text, "%s", "", 1), "k:1: warning: vrrp_instance A has no virtual_ipaddress; it advertises and holds nothing there\n", "instance A"},
		"said":     {strings.Replace(text, "%s", "no_virtual_ipaddress", 1), "", "instance A"},
	})
}

func TestKindsTellUnknownFromUnsupported(t *testing.T) {
	_, ds := built("k", in("lvs_sync_daemon_interface eth1\npriorty 7\nvrf red"))
	want := []config.Kind{config.Unsupported, config.Unknown, config.Unsupported}
	var got []config.Kind
	for _, d := range ds.List() {
		got = append(got, d.Kind)
	}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("kinds: want %v, got %v of\n%s", want, got, findings(ds))
	}
}

func TestPasswordsAppearInNoFinding(t *testing.T) {
	for _, line := range []string{"auth_pass SECRETSECRETSECRET", "auth_pass 'SECRET x'", "auth_pass SECRET SECRET", "auth_pass “SECRET”", "auth_pass \"SECRET", "auth_pass “SECRET” more", "auth_pass SECRET auth_pass SECRET }"} {
		_, ds := built("k", in("authentication {\nauth_type PASS\n"+line+"\n}"))
		for _, d := range ds.List() {
			if strings.Contains(d.String(), "SECRET") || strings.Contains(d.Word, "SECRET") {
				t.Errorf("%s: the finding shows the password: %v", line, d)
			}
		}
	}
}

// FuzzBuild checks that no text panics and that what is built can run.
func FuzzBuild(f *testing.F) {
	f.Add(in("nopreempt\ntrack_script { s weight 20 }") + "vrrp_script s { script \"killall -0 haproxy\" interval 2 }")
	f.Add("vrrp_instance A { interface eth0 virtual_router_id 1 virtual_ipaddress { 10.0.0.1 brd + dev x use_vmac label y } }")
	f.Add("global_defs { vrrp_garp_master_repeat 0 vrrp_version 3 } vrrp_sync_group G { group { A B } }")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 || strings.Contains(text, "~") {
			t.Skip("expansion is tested where it is done")
		}
		cfg, _ := built("k", text)
		for _, in := range cfg.Instances {
			if in.VRID == 0 || in.Interface == "" || in.Priority == 0 || in.AdvertInt <= 0 || in.Version != 2 || in.Garp.Repeat < 1 {
				t.Fatalf("an instance that cannot run: %+v", in)
			}
		}
		for _, s := range cfg.Scripts {
			if len(s.Argv) == 0 || s.Interval <= 0 || s.Timeout <= 0 || s.Rise < 1 || s.Fall < 1 {
				t.Fatalf("a script that cannot run: %+v", s)
			}
		}
	})
}

var _ block.Source = text1("")
