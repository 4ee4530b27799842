package crosscheck

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"herald/config"
	vrrp "herald/vrrp/settings"
)

// node is a configuration with one instance.
func node(priority uint8, change func(*vrrp.Instance)) *vrrp.Config {
	i := instance("1", "10.1.1.10")
	i.VRID, i.Interface, i.Priority, i.AdvertInt = 51, "eth0", priority, time.Second
	if change != nil {
		change(&i)
	}
	return &vrrp.Config{Instances: []vrrp.Instance{i}}
}

func tracking(weight int) func(*vrrp.Instance) {
	return func(i *vrrp.Instance) { i.Tracks = []vrrp.Track{{Source: "proxy", Weight: weight}} }
}

func startMaster(i *vrrp.Instance) { i.StartMaster = true }

func TestClusterNamesWhatCannotWork(t *testing.T) {
	for name, c := range map[string]struct {
		v      *vrrp.Config
		others []*vrrp.Config
		want   []string
	}{
		"priorities of their own and a weight that moves": {node(102, tracking(-5)), []*vrrp.Config{node(101, tracking(-5)), node(100, tracking(-5))}, nil},
		"equal masters":                    {node(100, startMaster), []*vrrp.Config{node(100, startMaster)}, []string{"both it and vrrp_instance 1 at"}},
		"two owners":                       {node(255, nil), []*vrrp.Config{node(255, startMaster)}, []string{"own the addresses (priority 255): only one node may"}},
		"equal backups":                    {node(100, nil), []*vrrp.Config{node(100, startMaster)}, []string{"has the same priority 100"}},
		"a weight too small to lose":       {node(150, tracking(2)), []*vrrp.Config{node(100, tracking(2))}, []string{"script proxy has weight 2, which can never move the addresses: this node has priority 150 without it, and no other more than 102"}},
		"a negative weight too small":      {node(150, tracking(-20)), []*vrrp.Config{node(100, tracking(-20))}, []string{"this node has priority 130 without it, and no other more than 100"}},
		"a weight that is enough":          {node(101, tracking(2)), []*vrrp.Config{node(100, tracking(2))}, nil},
		"the second node's weight":         {node(100, tracking(2)), []*vrrp.Config{node(150, tracking(60))}, nil},
		"weight on the owner":              {node(255, tracking(10)), nil, []string{"priority 255 stays what it is"}},
		"weight beyond the bounds":         {node(254, tracking(10)), nil, []string{"a priority ends at 1 and 254"}},
		"another interval":                 {node(102, nil), []*vrrp.Config{node(101, func(i *vrrp.Instance) { i.AdvertInt = 2 * time.Second })}, []string{"advertises every 2s, this node every 1s"}},
		"another password":                 {node(102, nil), []*vrrp.Config{node(101, func(i *vrrp.Instance) { i.Auth.Pass = "x" })}, []string{"another authentication"}},
		"a node without the router":        {node(102, nil), []*vrrp.Config{node(101, func(i *vrrp.Instance) { i.VRID = 52 })}, []string{"1 of the other nodes have no virtual router 51 on eth0"}},
		"the same router on another cable": {node(102, nil), []*vrrp.Config{node(101, func(i *vrrp.Instance) { i.Interface = "ens3" })}, nil},
		"a single file says nothing":       {node(100, tracking(2)), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var diags config.Diagnostics
			Cluster(c.v, c.others, nil, &diags)
			got := diags.List()
			if len(got) != len(c.want) {
				t.Fatalf("want %q, got %v", c.want, got)
			}
			for i, want := range c.want {
				if !strings.Contains(got[i].Message, want) || got[i].Severity != config.Warning {
					t.Errorf("want a warning with %q, got %v", want, got[i])
				}
			}
		})
	}
}

func TestTheSameVirtualRouterTwiceOnASegment(t *testing.T) {
	v := node(100, nil)
	second := v.Instances[0]
	second.Name, second.Interface = "2", "eth1"
	v.Instances = append(v.Instances, second)
	on := func(second string) []Network {
		return []Network{{"eth0", netip.MustParsePrefix("10.1.1.20/24")}, {"eth1", netip.MustParsePrefix(second)}}
	}
	var diags config.Diagnostics
	Cluster(v, nil, on("10.1.2.20/24"), &diags)
	if n := len(diags.List()); n != 0 {
		t.Errorf("want nothing about two networks, got %v", diags.List())
	}
	Cluster(v, nil, on("10.1.1.21/24"), &diags)
	if got := diags.List(); len(got) != 1 || !strings.Contains(got[0].Message, "in the same network 10.1.1.0/24") {
		t.Errorf("want the network named, got %v", got)
	}
}

func TestPeersThatAreMissingOrWrong(t *testing.T) {
	unicast := func(source string, peers ...string) *vrrp.Config {
		priority := netip.MustParseAddr(source).As4()[3]
		return node(priority, func(i *vrrp.Instance) {
			i.Unicast, i.Source = true, netip.MustParseAddr(source)
			for _, p := range peers {
				i.Peers = append(i.Peers, vrrp.Peer{Address: netip.MustParseAddr(p)})
			}
		})
	}
	local := []Network{{"eth0", netip.MustParsePrefix("10.1.1.20/24")}}
	other := []*vrrp.Config{unicast("10.1.1.21", "10.1.1.20")}
	for name, c := range map[string]struct {
		v      *vrrp.Config
		others []*vrrp.Config
		want   string
	}{
		"complete, with its own": {unicast("10.1.1.20", "10.1.1.20", "10.1.1.21"), other, ""},
		"missing":                {unicast("10.1.1.20", "10.1.1.20"), other, "lists nobody but this node"},
		"wrong":                  {unicast("10.1.1.20", "10.1.1.21", "10.1.1.99"), other, "unicast_peer has 10.1.1.99, which is none"},
		"another node's file":    {unicast("10.1.1.22", "10.1.1.21"), other, "unicast_src_ip 10.1.1.22 is no address of this machine"},
		"alone":                  {unicast("10.1.1.20", "10.1.1.99"), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var diags config.Diagnostics
			Cluster(c.v, c.others, local, &diags)
			got := diags.List()
			if c.want == "" && len(got) > 0 {
				t.Fatalf("want nothing, got %v", got)
			}
			if c.want != "" && (len(got) == 0 || !strings.Contains(got[0].Message, c.want)) {
				t.Errorf("want %q, got %v", c.want, got)
			}
		})
	}
}
