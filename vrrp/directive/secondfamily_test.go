package directive

import (
	"fmt"
	"strings"
	"testing"
)

func TestTheSecondFamilyIsAdvertisedWhereThatMakesSense(t *testing.T) {
	mixed := func(lines string) string {
		return "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\n" + lines + "\nvirtual_ipaddress {\n192.0.2.10\n2001:db8::10/64\n2001:db8::11\n}\n}\n"
	}
	const six = "vrrp_instance B {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n2001:db8::99\n}\n}\n"
	for name, c := range map[string]struct{ text, want, said string }{
		"by itself":     {mixed(""), "[2001:db8::10 2001:db8::11] invalid IP", "advertised by a router of their own"},
		"its group":     {"global_defs {\nvrrp_mcast_group6 ff02::99\n}\n" + mixed(""), "[2001:db8::10 2001:db8::11] ff02::99", "advertised by a router of their own"},
		"with a word":   {mixed("authentication { auth_type PASS auth_pass x }"), "[2001:db8::10 2001:db8::11] invalid IP", "of their own"},
		"not wanted":    {mixed("advertise_second_family off"), "[]", "(advertise_second_family off)"},
		"unicast":       {mixed("unicast_peer { 192.0.2.2 }"), "[]", "(the peers of unicast_peer are of one family)"},
		"a header":      {mixed("authentication { auth_type AH auth_pass x }"), "[]", "(version 3 has no authentication header)"},
		"too slow":      {mixed("advert_int 60"), "[]", "(version 3 has intervals up to 40.95 s)"},
		"a virtual MAC": {mixed("use_vmac"), "[]", "(use_vmac has one virtual MAC address)"},
		"taken":         {mixed("") + six, "[]", "(vrrp_instance B is that router)"},
		"taken before":  {six + mixed(""), "[]", "(vrrp_instance B is that router)"},
		"other number":  {mixed("") + strings.Replace(six, "id 7", "id 8", 1), "[2001:db8::10 2001:db8::11] invalid IP", "of their own"},
		"one family":    {strings.Replace(six, "B", "A", 1), "[]", ""},
	} {
		cfg, diags := built("k", c.text)
		for _, in := range cfg.Instances {
			if got := fmt.Sprint(in.Second, " ", in.SecondGroup); in.Name == "A" && !strings.HasPrefix(got, c.want) {
				t.Errorf("%s: got %s, want %s", name, got, c.want)
			}
		}
		said := ""
		for _, d := range diags.List() {
			said += d.Message
		}
		if !strings.Contains(said, c.said) {
			t.Errorf("%s: said %q, want %q", name, said, c.said)
		}
	}
}
