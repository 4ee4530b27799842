package crosscheck

import (
	"strings"
	"testing"

	"herald/config"
	proxy "herald/proxy/settings"
	vrrp "herald/vrrp/settings"
)

func TestPartsThatDoNotExistAreNamed(t *testing.T) {
	inst := instance("1", "10.1.1.10")
	inst.Watched = []vrrp.Watched{
		{Kind: vrrp.AFrontend, Name: "web"}, {Kind: vrrp.ABackend, Name: "app", MinServers: 1},
		{Kind: vrrp.AFrontend, Name: "app"}, {Kind: vrrp.ABackend, Name: "app", MinServers: 2}, {Kind: vrrp.AFile, Name: "m"},
	}
	p := &proxy.Config{Proxies: []*proxy.Proxy{listen("web", "10.1.1.10"), {Name: "app", Backend: true, Servers: make([]proxy.Server, 1)}}}
	var diags config.Diagnostics
	Both(&vrrp.Config{Instances: []vrrp.Instance{inst}}, p, nil, &diags)
	want := []string{"tracks frontend app, which the HAProxy configuration does not have", "wants 2 servers of backend app, which has 1"}
	if len(diags.List()) != len(want) {
		t.Fatalf("got %v, want %d findings", diags.List(), len(want))
	}
	for i, w := range want {
		if got := diags.List()[i].Message; !strings.Contains(got, w) {
			t.Errorf("got %q, want %q", got, w)
		}
	}
}
