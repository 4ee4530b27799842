package directive

import "testing"

func TestAddressOptions(t *testing.T) {
	excluded := func(line string) string { return in("virtual_ipaddress_excluded {\n" + line + "\n}") }
	check(t, map[string]result{
		"peer":                {excluded("192.0.2.11 peer 192.0.2.12"), "", "192.0.2.11/32 dev eth0 label \"\" scope 0 brd invalid IP peer 192.0.2.12"},
		"peer with a length":  {excluded("192.0.2.11 peer 192.0.2.12/24"), "", "192.0.2.11/24 dev eth0 label \"\" scope 0 brd invalid IP peer 192.0.2.12"},
		"peer of IPv6":        {excluded("192.0.2.11 peer fe80::1"), "k:8: warning: 192.0.2.11/32: peer: \"fe80::1\" is not an address of its family; it is set without a peer\n", "not peer"},
		"flags of both":       {excluded("192.0.2.11/24 noprefixroute no_track"), "", "noprefixroute true autojoin false deprecated false preferred 0s untracked true"},
		"a group":             {excluded("224.1.1.1/32 autojoin"), "", "autojoin true"},
		"autojoin of none":    {excluded("192.0.2.11/24 autojoin"), "k:8: warning: 192.0.2.11/24: autojoin is for multicast addresses and has no effect\n", "not autojoin true"},
		"flags of IPv6":       {excluded("2001:db8::1/64 -nodad home mngtmpaddr"), "", "2001:db8::1/64 dev eth0 label \"\" scope 0 brd invalid IP peer invalid IP dad true home true mngtmp true"},
		"-nodad of IPv4":      {excluded("192.0.2.11 -nodad"), "k:8: warning: 192.0.2.11/32: -nodad is for IPv6 addresses and has no effect\n", "not dad true"},
		"one IPv6 address":    {excluded("2001:db8::1"), "", "2001:db8::1/128 dev eth0 label \"\" scope 0 brd invalid IP peer invalid IP dad false home false mngtmp false noprefixroute false autojoin false deprecated true"},
		"preferred for ever":  {excluded("2001:db8::1 preferred_lft forever"), "", "not deprecated"},
		"preferred not":       {excluded("2001:db8::1/64 preferred_lft 0"), "", "deprecated true"},
		"preferred some time": {excluded("192.0.2.11 preferred_lft 90"), "", "deprecated false preferred 1m30s"},
		"preferred no number": {excluded("192.0.2.11 preferred_lft x"), "k:8: warning: 192.0.2.11/32: preferred_lft: \"x\" is neither forever nor a number of seconds; forever is taken\n", "not preferred"},
		"brd of IPv6":         {excluded("2001:db8::1/64 brd +"), "k:8: warning: brd +: 2001:db8::1/64 has no broadcast address; none is set\n", "brd invalid"},
		"IPv6 length too far": {excluded("2001:db8::1/129"), "k:8: warning: 2001:db8::1/129: prefix length: 129 is outside 0 to 128; 128 is taken\n", "2001:db8::1/128"},
	})
}
