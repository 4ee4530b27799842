package vip

import (
	"net/netip"
	"reflect"
	"testing"

	"herald/vrrp/settings"
)

func addr(prefix, dev string) settings.Address {
	return settings.Address{Prefix: netip.MustParsePrefix(prefix), Device: dev}
}

func here(prefixes ...string) []Present {
	var p []Present
	for _, s := range prefixes {
		p = append(p, Present{Prefix: netip.MustParsePrefix(s)})
	}
	return p
}

var (
	ten  = addr("10.1.1.10/32", "eth0")
	elev = addr("10.1.1.11/32", "eth0")
	out  = addr("192.168.243.10/32", "eth1")
)

func TestDiff(t *testing.T) {
	type list = []settings.Address
	both := Snapshot{
		"eth0": {Name: "eth0", Addresses: here("10.1.1.20/24", "10.1.1.10/32")},
		"eth1": {Name: "eth1", Addresses: here("192.168.243.11/24")},
	}
	labelled := ten
	labelled.Label, labelled.Scope = "vip", 253
	for _, c := range []struct {
		name          string
		desired, held list
		add, remove   list
	}{
		{"missing addresses are added in order", list{out, elev}, nil, list{out, elev}, nil},
		{"a present one is adopted", list{ten}, nil, nil, nil},
		{"label and scope do not make another address", list{labelled}, list{ten}, nil, nil},
		{"another length is another address", list{addr("10.1.1.10/24", "eth0")}, nil, list{addr("10.1.1.10/24", "eth0")}, nil},
		{"another device is another address", list{addr("10.1.1.10/32", "eth1")}, list{ten}, list{addr("10.1.1.10/32", "eth1")}, list{ten}},
		{"held ones that are no longer desired go", list{elev}, list{ten}, list{elev}, list{ten}},
		{"held ones that are gone already need nothing", nil, list{elev}, nil, nil},
		{"those of others stay", nil, nil, nil, nil},
		{"a device that does not exist is left out", list{addr("10.1.1.10/32", "eth9")}, nil, nil, nil},
	} {
		add, remove := Diff(c.desired, c.held, both)
		if !reflect.DeepEqual(add, c.add) || !reflect.DeepEqual(remove, c.remove) {
			t.Errorf("%s: got add %v, remove %v, want %v, %v", c.name, add, remove, c.add, c.remove)
		}
	}
}

func TestAdvertisementsComeFromTheFirstAddressThatIsNotVirtual(t *testing.T) {
	virtual := func(a netip.Addr) bool { return a == ten.Prefix.Addr() }
	second := here("10.1.1.10/24", "10.1.1.20/24")
	second[1].Secondary = true
	mixed := here("10.1.1.30/24", "10.1.1.20/24")
	mixed[0].Secondary = true
	for _, c := range []struct {
		name string
		list []Present
		want string
	}{
		{"first of two", here("10.1.1.20/24", "172.16.0.1/16"), "10.1.1.20"},
		{"after a virtual one", here("10.1.1.10/32", "10.1.1.20/24"), "10.1.1.20"},
		{"a secondary when nothing else is there", second, "10.1.1.20"},
		{"a primary before a secondary", mixed, "10.1.1.20"},
		{"not IPv6", here("fe80::1/64", "10.1.1.20/24"), "10.1.1.20"},
		{"none", here("10.1.1.10/32"), ""},
	} {
		got := Snapshot{"eth0": {Addresses: c.list}}.Primary("eth0", virtual)
		if (c.want == "") == got.IsValid() || got.IsValid() && got.String() != c.want {
			t.Errorf("%s: got %v, want %q", c.name, got, c.want)
		}
	}
	if got := (Snapshot{}).Primary("eth0", virtual); got.IsValid() {
		t.Errorf("no interface: got %v, want none", got)
	}
}
