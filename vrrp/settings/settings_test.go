package settings

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// The addresses are those of RFC 9568 section 7.3.
func TestVirtualHardwareAddresses(t *testing.T) {
	for _, tt := range []struct {
		v    VirtualMAC
		want string
	}{
		{VirtualMAC{Name: "vrrp.7", Parent: "eth0", Hardware: VirtualHardware(7, false)}, "vrrp.7 (00:00:5e:00:01:07 on eth0)"},
		{VirtualMAC{Name: "vrrp6.255", Parent: "eth1", Hardware: VirtualHardware(255, true), IPv6: true}, "vrrp6.255 (00:00:5e:00:02:ff on eth1)"},
	} {
		if got := tt.v.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// What keepalived 2.2.7 sets on an interface it makes, as far as herald does:
// the parent must not answer for the virtual addresses, and the interface must
// accept what is its own.
func TestSysctlsOfAVirtualInterface(t *testing.T) {
	text := func(list []Sysctl) (out []string) {
		for _, s := range list {
			name := s.Name
			if strings.Contains(name, "%s") {
				name = fmt.Sprintf(name, s.Device)
			}
			out = append(out, name+"="+s.Value)
		}
		return out
	}
	four := VirtualMAC{Name: "v4", Parent: "eth0"}
	six := VirtualMAC{Name: "v6", Parent: "eth0", IPv6: true}
	mixed := VirtualMAC{Name: "vb", Parent: "eth0", Both: true}
	c := &Config{NoLocalIGMP: true, Instances: []Instance{
		{Sysctls: []Sysctl{{Device: "eth0", Name: "ipv4/conf/%s/arp_ignore", Value: "1"}}, VirtualMACs: []VirtualMAC{four, six}},
		{VirtualMACs: []VirtualMAC{four}},
	}}
	for _, tt := range []struct {
		name string
		got  []string
		want []string
	}{
		{"IPv4", text(four.Sysctls()), []string{"ipv6/conf/v4/addr_gen_mode=1", "ipv6/conf/v4/accept_ra=0", "ipv6/conf/v4/disable_ipv6=1", "ipv4/conf/v4/arp_ignore=1",
			"ipv4/conf/v4/accept_local=1", "ipv4/conf/v4/rp_filter=0", "ipv4/conf/v4/promote_secondaries=1"}},
		{"IPv6", text(six.Sysctls()), []string{"ipv6/conf/v6/addr_gen_mode=1", "ipv6/conf/v6/accept_ra=0"}},
		{"both", text(mixed.Sysctls()), []string{"ipv6/conf/vb/addr_gen_mode=1", "ipv6/conf/vb/accept_ra=0", "ipv4/conf/vb/arp_ignore=1",
			"ipv4/conf/vb/accept_local=1", "ipv4/conf/vb/rp_filter=0", "ipv4/conf/vb/promote_secondaries=1"}},
		{"the parent of IPv6", text(six.ParentSysctls()), nil},
		{"all, each once", text(c.Sysctls()), []string{"ipv4/igmp_link_local_mcast_reports=0", "ipv4/conf/eth0/arp_ignore=1", "ipv4/conf/eth0/arp_filter=1", "ipv4/conf/eth0/arp_announce=2"}},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s:\ngot  %v\nwant %v", tt.name, tt.got, tt.want)
		}
	}
	if got := c.VirtualMACs(); !reflect.DeepEqual(got, []VirtualMAC{four, six}) {
		t.Errorf("interfaces to be made: got %v, want each once", got)
	}
}

func TestAnInstanceSpeaksFromItsOwnInterface(t *testing.T) {
	four, six := VirtualMAC{Name: "v4", Parent: "eth0"}, VirtualMAC{Name: "v6", Parent: "eth0", IPv6: true}
	in := &Instance{Interface: "eth0", IPv6: true, VirtualMACs: []VirtualMAC{{Name: "x", Parent: "eth1", IPv6: true}, four, six}}
	if own, ok := in.Own(); !ok || own != six {
		t.Errorf("got %v, %v, want %v", own, ok, six)
	}
	in.VirtualMACs = []VirtualMAC{four}
	if own, ok := in.Own(); ok {
		t.Errorf("got %v, want none", own)
	}
	if got := in.Speaker(); got != "eth0" {
		t.Errorf("speaks from %s, want eth0", got)
	}
	if in.Sender = "v6"; in.Speaker() != "v6" {
		t.Errorf("speaks from %s, want v6", in.Speaker())
	}
}

func TestRoutesAndRulesInWords(t *testing.T) {
	prefix, addr := netip.MustParsePrefix, netip.MustParseAddr
	for _, tt := range []struct {
		what fmt.Stringer
		want string
	}{
		{Route{Prefix: prefix("10.0.0.0/8"), Via: addr("192.0.2.1"), Device: "eth0", Table: 254}, "10.0.0.0/8 via 192.0.2.1 dev eth0"},
		{Route{Prefix: prefix("::/0"), Table: 7, Metric: 5, NextHops: []NextHop{{Via: addr("fe80::1"), Device: "a"}, {Via: addr("fe80::2"), Device: "b"}}},
			"::/0 nexthop via fe80::1 dev a nexthop via fe80::2 dev b table 7 metric 5"},
		{Rule{Priority: 3, Action: 1, Table: 9, From: prefix("10.0.0.0/8"), In: "eth0"}, "rule 3: from 10.0.0.0/8 iif eth0 table 9"},
		{Rule{Priority: 4, Action: 2, Goto: 8, Not: true, To: prefix("10.1.0.0/16")}, "rule 4: not from all to 10.1.0.0/16 goto 8"},
		{Rule{Priority: 5, Action: 6}, "rule 5: from all"},
	} {
		if got := tt.what.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if !(Routing{}).Empty() || (Routing{Rules: []Rule{{}}}).Empty() || (Routing{Routes: []Route{{}}}).Empty() {
		t.Error("what has no route and no rule is empty, and nothing else")
	}
}

// A key is in no log, whatever prints it.
func TestAKeyIsNeverPrinted(t *testing.T) {
	h := HMAC{Keys: []HMACKey{{ID: 1, Secret: []byte("secret")}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, h); strings.Contains(got, "secret") || strings.Contains(got, "736563726574") || strings.Contains(got, "115 101") {
			t.Errorf("%s: %s", verb, got)
		}
	}
}
