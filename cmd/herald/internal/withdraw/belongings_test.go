package withdraw

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"

	"herald/vrrp/kernel"
	"herald/vrrp/settings"
)

func TestRoutesAndRulesAreRemoved(t *testing.T) {
	inNamespace(t)
	k, err := kernel.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	mine := settings.Routing{
		Routes: []settings.Route{{Prefix: netip.MustParsePrefix("192.0.2.0/24"), Type: 6, Table: 254, Protocol: 18}},
		Rules:  []settings.Rule{{Priority: 77, Action: 1, Table: 100, From: netip.MustParsePrefix("192.0.2.1/32"), SuppressLength: -1, SuppressGroup: -1}},
	}
	if err := k.AddRoute(mine.Routes[0]); err != nil {
		t.Fatal(err)
	}
	if err := k.AddRule(mine.Rules[0]); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(settings.Belongings{Routing: mine})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // what is gone is no error
		if err := Belongings(raw); err != nil {
			t.Error(err)
		}
	}
	left, err := k.Routing(mine)
	if err != nil || len(left.Routes) > 0 {
		t.Errorf("left %v, %v", left.Routes, err)
	}
	for _, r := range left.Rules {
		if r.Priority == 77 {
			t.Errorf("left %v", r)
		}
	}
	if err := Belongings([]byte("nonsense")); err == nil {
		t.Error("nonsense is no error")
	}
}

func TestVirtualMACInterfacesAreRemoved(t *testing.T) {
	inNamespace(t)
	k, err := kernel.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "wire0"}); err != nil {
		t.Skipf("needs a veth pair: %v", err)
	}
	v := settings.VirtualMAC{Name: "vrrp.51", Parent: "eth0", Hardware: settings.VirtualHardware(51, false)}
	if err := k.MakeVirtualMAC(v); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(settings.Belongings{VirtualMACs: []settings.VirtualMAC{v}, Muted: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Belongings(raw); err != nil {
			t.Error(err)
		}
	}
	if _, err := netlink.LinkByName("vrrp.51"); err == nil {
		t.Error("the interface is still there")
	}
}
