package crosscheck

import (
	"net/netip"
	"strings"
	"testing"

	"herald/config"
	proxy "herald/proxy/settings"
	vrrp "herald/vrrp/settings"
)

func instance(name, addr string, tracks ...string) vrrp.Instance {
	inst := vrrp.Instance{Name: name, Addresses: []vrrp.Address{{Prefix: netip.MustParsePrefix(addr + "/32")}}}
	for _, s := range tracks {
		inst.Tracks = append(inst.Tracks, vrrp.Track{Source: s, Weight: 2})
	}
	return inst
}

func listen(name, host string) *proxy.Proxy {
	return &proxy.Proxy{Name: name, Frontend: true, Binds: []proxy.Bind{{Network: "tcp", Host: host, Port: 80}}}
}

func TestBothReportsWhatTheFilesSayAgainstEachOther(t *testing.T) {
	alive := vrrp.Script{Name: "haproxy", InProcess: true}
	local := []netip.Addr{netip.MustParseAddr("10.1.1.20"), netip.MustParseAddr("127.0.0.1")}
	for _, c := range []struct {
		name string
		v    *vrrp.Config
		p    *proxy.Config
		want []string
	}{
		{"a frontend on the virtual address and a tracked proxy need no word",
			&vrrp.Config{Scripts: []vrrp.Script{alive}, Instances: []vrrp.Instance{instance("1", "10.1.1.10", "haproxy")}},
			&proxy.Config{Proxies: []*proxy.Proxy{listen("web", "10.1.1.10")}}, nil},
		{"a wildcard serves every address of its family",
			&vrrp.Config{Scripts: []vrrp.Script{alive}, Instances: []vrrp.Instance{instance("1", "10.1.1.10", "haproxy")}},
			&proxy.Config{Proxies: []*proxy.Proxy{listen("web", "")}}, nil},
		{"an address that is nowhere is named with its proxy",
			&vrrp.Config{},
			&proxy.Config{Proxies: []*proxy.Proxy{listen("web", "10.9.9.9")}},
			[]string{"web binds 10.9.9.9, which is neither"}},
		{"a virtual address nobody binds is noticed",
			&vrrp.Config{Instances: []vrrp.Instance{instance("1", "10.1.1.10")}},
			&proxy.Config{Proxies: []*proxy.Proxy{listen("web", "10.1.1.20")}},
			[]string{"virtual address 10.1.1.10 of vrrp_instance 1 is bound by no frontend"}},
		{"an address that does not follow the proxy is noticed",
			&vrrp.Config{Instances: []vrrp.Instance{instance("1", "10.1.1.10")}},
			&proxy.Config{Proxies: []*proxy.Proxy{listen("web", "10.1.1.10")}},
			[]string{"vrrp_instance 1 does not track the proxy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var diags config.Diagnostics
			Both(c.v, c.p, local, &diags)
			got := diags.List()
			if len(got) != len(c.want) {
				t.Fatalf("want %d findings %q, got %v", len(c.want), c.want, got)
			}
			for i, want := range c.want {
				if !strings.Contains(got[i].Message, want) || got[i].Kind != config.Cross {
					t.Errorf("want a cross finding with %q, got %v", want, got[i])
				}
			}
		})
	}
}

func TestUnknownLocalAddressesLeaveTheQuestionOpen(t *testing.T) {
	var diags config.Diagnostics
	Both(&vrrp.Config{}, &proxy.Config{Proxies: []*proxy.Proxy{listen("web", "10.9.9.9")}}, nil, &diags)
	if n := len(diags.List()); n != 0 {
		t.Errorf("want no finding without the machine's addresses, got %v", diags.List())
	}
}
