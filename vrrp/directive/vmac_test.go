package directive

import (
	"fmt"
	"strings"
	"testing"

	"herald/vrrp/settings"
)

// virtualOf shows what use_vmac made of every instance.
func virtualOf(cfg *settings.Config) string {
	var lines []string
	for _, in := range cfg.Instances {
		line := in.Name + " by " + in.Speaker()
		for _, v := range in.VirtualMACs {
			line += fmt.Sprintf("; %v both %t", v, v.Both)
		}
		for _, list := range [][]settings.Address{in.Addresses, in.Excluded} {
			for _, a := range list {
				line += fmt.Sprintf("; %v dev %s", a.Prefix.Addr(), a.Device)
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// virtualFile is a file of instances, each a name, an interface, a number and
// lines.
func virtualFile(instances ...[4]string) string {
	var b strings.Builder
	for _, in := range instances {
		fmt.Fprintf(&b, "vrrp_instance %s {\ninterface %s\nvirtual_router_id %s\n%s\n}\n", in[0], in[1], in[2], in[3])
	}
	return b.String()
}

const tenOnly = "virtual_ipaddress {\n10.1.1.10\n}\n"

// TestVirtualMACInterfaces has what keepalived 2.2.7 made of the same files,
// as ip -d link showed it.
func TestVirtualMACInterfaces(t *testing.T) {
	const exclude = "virtual_ipaddress_excluded {\n2001:db8::10/64\n10.2.2.10 dev eth1\n2001:db8:2::10/64 dev eth1\n}\n"
	for name, tt := range map[string]struct{ file, want, findings string }{
		"plain": {virtualFile([4]string{"A", "eth0", "51", "use_vmac\n" + tenOnly}),
			"A by vrrp.51; vrrp.51 (00:00:5e:00:01:33 on eth0) both false; 10.1.1.10 dev vrrp.51", ""},
		"none": {virtualFile([4]string{"A", "eth0", "51", tenOnly}), "A by eth0; 10.1.1.10 dev eth0", ""},
		"IPv6, the other family stays below": {virtualFile([4]string{"A", "eth0", "51", "use_vmac\nvirtual_ipaddress {\nfe80::10\n}\nvirtual_ipaddress_excluded {\n10.1.1.10\n}\n"}),
			"A by vrrp.51; vrrp.51 (00:00:5e:00:02:33 on eth0) both false; fe80::10 dev vrrp.51; 10.1.1.10 dev eth0", ""},
		"name, five bytes, from below": {virtualFile([4]string{"A", "eth0", "51", "use_vmac vm0 00:11:22:33:44\nvmac_xmit_base\n" + tenOnly + "virtual_ipaddress_excluded {\n2001:db8::10\n10.2.2.10 dev eth1\n}\n"}),
			"A by eth0; vm0 (00:11:22:33:44:33 on eth0) both false; 10.1.1.10 dev vm0; 2001:db8::10 dev eth0; 10.2.2.10 dev eth1", ""},
		"hardware address alone": {virtualFile([4]string{"A", "eth0", "54", "use_vmac 2:0:0:0:0:1\n" + tenOnly}),
			"A by vrrp.54; vrrp.54 (02:00:00:00:00:01 on eth0) both false; 10.1.1.10 dev vrrp.54", ""},
		"all addresses": {"global_defs {\nvmac_prefix vmx\nvmac_addr_prefix vma\n}\n" + virtualFile([4]string{"A", "eth0", "51", "use_vmac\nuse_vmac_addr\n" + tenOnly + exclude},
			[4]string{"B", "eth0", "52", "virtual_ipaddress {\n10.1.1.11\n10.2.2.11 dev eth1 use_vmac\n10.1.1.12 use_vmac\n}\n"}),
			"A by vmx.51; vmx.51 (00:00:5e:00:01:33 on eth0) both false; vma.51 (00:00:5e:00:02:33 on eth0) both false; vma1.51 (00:00:5e:00:01:33 on eth1) both false; " +
				"vma6.51 (00:00:5e:00:02:33 on eth1) both false; 10.1.1.10 dev vmx.51; 2001:db8::10 dev vma.51; 10.2.2.10 dev vma1.51; 2001:db8:2::10 dev vma6.51\n" +
				"B by eth0; vma.52 (00:00:5e:00:01:34 on eth1) both false; vma1.52 (00:00:5e:00:01:34 on eth0) both false; 10.1.1.11 dev eth0; 10.2.2.11 dev vma.52; 10.1.1.12 dev vma1.52", ""},
		"one number thrice": {virtualFile([4]string{"A", "eth0", "51", "use_vmac\nvirtual_ipaddress {\n10.1.1.10 dev eth0\n10.1.1.11 dev eth0 use_vmac\n}\n"},
			[4]string{"B", "eth0", "51", "use_vmac\nvirtual_ipaddress {\nfe80::10\n}\n"}, [4]string{"C", "eth1", "51", "use_vmac\nvirtual_ipaddress {\n10.2.2.12\n}\n"}),
			"A by vrrp.51; vrrp.51 (00:00:5e:00:01:33 on eth0) both false; 10.1.1.10 dev vrrp.51; 10.1.1.11 dev vrrp.51\n" +
				"B by vrrp6.51; vrrp6.51 (00:00:5e:00:02:33 on eth0) both false; fe80::10 dev vrrp6.51\n" +
				"C by vrrp1.51; vrrp1.51 (00:00:5e:00:01:33 on eth1) both false; 10.2.2.12 dev vrrp1.51", ""},
		"by its name, both families": {virtualFile([4]string{"A", "eth0", "51", "use_vmac vm0\n" + tenOnly + "virtual_ipaddress_excluded {\n2001:db8::10 dev vm0\n}\n"}),
			"A by vm0; vm0 (00:00:5e:00:01:33 on eth0) both true; 10.1.1.10 dev vm0; 2001:db8::10 dev vm0", ""},
		"peers": {virtualFile([4]string{"A", "eth0", "51", "use_vmac\nunicast_peer {\n10.1.1.21\n}\n" + tenOnly}),
			"A by eth0; vrrp.51 (00:00:5e:00:01:33 on eth0) both false; 10.1.1.10 dev vrrp.51",
			"k:4: warning: vrrp_instance A: with unicast_peer advertisements go from eth0 itself, as with vmac_xmit_base; write that too\n"},
		"strict": {virtualFile([4]string{"A", "eth0", "51", "use_vmac\nvmac_xmit_base\nstrict_mode\naccept\n" + tenOnly}),
			"A by vrrp.51; vrrp.51 (00:00:5e:00:01:33 on eth0) both false; 10.1.1.10 dev vrrp.51",
			"k:5: warning: vrrp_instance A: strict_mode does not know vmac_xmit_base; it is ignored\n"},
		"base alone": {virtualFile([4]string{"A", "eth0", "51", "vmac_xmit_base\n" + tenOnly}), "A by eth0; 10.1.1.10 dev eth0",
			"k:4: notice: vrrp_instance A: vmac_xmit_base has no effect without use_vmac\n"},
		"names of nothing": {virtualFile([4]string{"A", "eth0", "51", "use_vmac averylongnameforinterface 01:00:00:00:00:01\n" + tenOnly}),
			"A by vrrp.51; vrrp.51 (00:00:5e:00:01:33 on eth0) both false; 10.1.1.10 dev vrrp.51",
			"k:4: warning: use_vmac: \"averylongnameforinterface\" is longer than the 15 bytes an interface name may have; a name is made up\n" +
				"k:4: warning: use_vmac: \"01:00:00:00:00:01\" is not a hardware address of one host: it is a multicast address; the virtual router's is taken\n"},
		"no hardware address": {virtualFile([4]string{"A", "eth0", "51", "use_vmac 00:zz:00:00:00:01\n" + tenOnly}),
			"A by vrrp.51; vrrp.51 (00:00:5e:00:01:33 on eth0) both false; 10.1.1.10 dev vrrp.51",
			"k:4: warning: use_vmac: \"00:zz:00:00:00:01\" is not a hardware address of one host: six bytes, or five, of two hexadecimal digits each are expected; the virtual router's is taken\n"},
		"a name twice": {virtualFile([4]string{"A", "eth0", "51", "use_vmac vm0\n" + tenOnly}, [4]string{"B", "eth1", "52", "use_vmac vm0\nvirtual_ipaddress {\n10.2.2.11\n}\n"}),
			"A by vm0; vm0 (00:00:5e:00:01:33 on eth0) both false; 10.1.1.10 dev vm0",
			"k:10: error: vrrp_instance B is left out: the virtual MAC interface vm0 is vrrp_instance A's already; give another name after use_vmac\n"},
		"its parent's name": {virtualFile([4]string{"A", "eth0", "51", "use_vmac eth0\n" + tenOnly}), "",
			"k:1: error: vrrp_instance A is left out: the virtual MAC interface eth0 cannot be on top of itself; give another name after use_vmac\n"},
		"a prefix too long": {"global_defs {\nvmac_prefix elevenbytes\n}\n" + virtualFile([4]string{"A", "eth0", "51", "use_vmac\n" + tenOnly}),
			"A by vrrp.51; vrrp.51 (00:00:5e:00:01:33 on eth0) both false; 10.1.1.10 dev vrrp.51",
			"k:2: warning: vmac_prefix: \"elevenbytes\" is not the beginning of an interface name of at most 10 bytes; the line is ignored\n"},
		"static": {"static_ipaddress {\n10.1.1.9 dev eth0 use_vmac\n}\n", "",
			"k:1: warning: static_ipaddress: use_vmac has no effect without an instance\n"},
		"an address's own": {virtualFile([4]string{"A", "eth0", "51", "virtual_ipaddress {\n10.1.1.10 use_vmac vm1 00:11:22:33:44:55 no_track\n10.1.1.11 use_vmac\n}\n"}),
			"A by eth0; vm1 (00:11:22:33:44:55 on eth0) both false; 10.1.1.10 dev vm1; 10.1.1.11 dev vm1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, ds := built("k", tt.file)
			if got := virtualOf(cfg); got != tt.want || findings(ds) != tt.findings {
				t.Errorf("got\n%s\n%swant\n%s\n%s", got, findings(ds), tt.want, tt.findings)
			}
		})
	}
}

func TestParentsOfVirtualMACInterfacesDoNotAnswerForThem(t *testing.T) {
	cfg, _ := built("k", "global_defs {\ndisable_local_igmp\n}\n"+virtualFile([4]string{"A", "eth0", "51", "use_vmac\n" + tenOnly},
		[4]string{"B", "eth1", "52", "use_vmac\nvirtual_ipaddress {\nfe80::10\n}\n"}, [4]string{"C", "eth0", "53", "use_vmac\nvirtual_ipaddress {\n10.1.1.12\n}\n"}))
	want := "[{ ipv4/igmp_link_local_mcast_reports 0} {eth0 ipv4/conf/%s/arp_ignore 1} {eth0 ipv4/conf/%s/arp_filter 1} {eth0 ipv4/conf/%s/arp_announce 2}]"
	if got := fmt.Sprint(cfg.Sysctls()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
