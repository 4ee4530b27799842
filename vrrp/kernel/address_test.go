package kernel

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"herald/vrrp/settings"
)

func TestEveryOptionOfAnAddressReachesTheKernel(t *testing.T) {
	k, eth := isolated(t)
	at := netip.MustParsePrefix
	for name, tt := range map[string]struct {
		address     settings.Address
		flags       int // all of these
		without     int // none of these
		preferred   int
		peer, shown string
		label       string
	}{
		"IPv6 at once": {address: settings.Address{Prefix: at("2001:db8::1/64")}, flags: unix.IFA_F_NODAD, without: unix.IFA_F_DEPRECATED, preferred: 1<<32 - 1, shown: "2001:db8::1/64"},
		"IPv6 with detection": {address: settings.Address{Prefix: at("2001:db8::2/64"), DAD: true, Home: true}, flags: unix.IFA_F_HOMEADDRESS,
			without: unix.IFA_F_NODAD, preferred: 1<<32 - 1, shown: "2001:db8::2/64"},
		"single IPv6":           {address: settings.Address{Prefix: at("2001:db8::3/128"), Deprecated: true}, flags: unix.IFA_F_DEPRECATED, shown: "2001:db8::3/128"},
		"no route":              {address: settings.Address{Prefix: at("203.0.113.1/24"), NoPrefixRoute: true}, flags: unix.IFA_F_NOPREFIXROUTE, preferred: 1<<32 - 1, shown: "203.0.113.1/24"},
		"a group":               {address: settings.Address{Prefix: at("239.1.1.1/32"), AutoJoin: true}, flags: unix.IFA_F_MCAUTOJOIN, preferred: 1<<32 - 1, shown: "239.1.1.1/32"},
		"preferred for a while": {address: settings.Address{Prefix: at("2001:db8::4/64"), PreferredLft: 90 * time.Second}, preferred: 90, shown: "2001:db8::4/64"},
		"a label":               {address: settings.Address{Prefix: at("203.0.113.4/32"), Label: "eth0:vip", Broadcast: netip.MustParseAddr("203.0.113.255"), Scope: 253}, preferred: 1<<32 - 1, shown: "203.0.113.4/32", label: "eth0:vip"},
		"a peer":                {address: settings.Address{Prefix: at("203.0.113.3/28"), Peer: netip.MustParseAddr("198.51.100.1")}, preferred: 1<<32 - 1, peer: "198.51.100.1/28", shown: "203.0.113.3/32"},
	} {
		for way, put := range map[string]func(settings.Address) error{"added": k.Add, "renewed forever": func(a settings.Address) error { return k.Renew([]settings.Address{a}, 0) }} {
			t.Run(name+" "+way, func(t *testing.T) {
				a := tt.address
				a.Device = "eth0"
				for range 2 {
					if err := put(a); err != nil {
						t.Fatal(err)
					}
				}
				if !snapshot(t, k).Has(a) {
					t.Errorf("%v is not listed", a.Prefix)
				}
				list, err := k.handle.AddrList(eth, unix.AF_UNSPEC)
				if err != nil {
					t.Fatal(err)
				}
				found := false
				for _, got := range list {
					if got.IPNet.String() != tt.shown {
						continue
					}
					found = true
					peer := ""
					if got.Peer != nil {
						peer = got.Peer.String()
					}
					if tt.label != "" && (got.Label != tt.label || got.Scope != a.Scope || !got.Broadcast.Equal(a.Broadcast.AsSlice())) {
						t.Errorf("got label %q, scope %d, broadcast %v, want %+v", got.Label, got.Scope, got.Broadcast, a)
					}
					if got.Flags&tt.flags != tt.flags || got.Flags&tt.without != 0 || peer != tt.peer || got.PreferedLft < tt.preferred-1 || got.PreferedLft > tt.preferred {
						t.Errorf("got flags %#x, preferred %d, peer %q; want flags %#x and not %#x, %d, %q", got.Flags, got.PreferedLft, peer, tt.flags, tt.without, tt.preferred, tt.peer)
					}
				}
				if !found {
					t.Errorf("no %s among %v", tt.shown, list)
				}
				for range 2 {
					if err := k.Delete(a); err != nil {
						t.Fatal(err)
					}
				}
				if snapshot(t, k).Has(a) {
					t.Error("it is still there after Delete")
				}
			})
		}
	}
}
