package assemble

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"herald/cmd/herald/internal/crosscheck"
	"herald/vrrp/settings"
)

func TestNamesAreAskedForUntilTheyHaveAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here := netip.MustParseAddr("192.0.2.2")
		cfg := &settings.Config{Instances: []settings.Instance{{Peers: []settings.Peer{{Name: "a"}, {Name: "b"}, {Name: "known", Address: here}}}}}
		asked, found := map[string]int{}, map[string]int{}
		began := time.Now()
		resolvePeers(t.Context(), cfg, func(_ context.Context, name string) []netip.Addr {
			if asked[name]++; name == "b" && asked[name] < 3 {
				return nil
			}
			return []netip.Addr{here}
		}, func(name string, list []netip.Addr) { found[name] += len(list) })
		if asked["a"] != 1 || asked["b"] != 3 || asked["known"] != 0 || found["a"] != 1 || found["b"] != 1 {
			t.Errorf("asked %v, found %v", asked, found)
		}
		if took := time.Since(began); took != 3*resolveAgain {
			t.Errorf("took %v, want %v", took, 3*resolveAgain)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		resolvePeers(ctx, cfg, nil, nil)
	})
}

func TestTheInterfaceOfAnAddressIsFound(t *testing.T) {
	if Options.interfaceOf(Options{OtherNode: true}) != nil {
		t.Error("another machine's interfaces were looked for here")
	}
	of := Options{}.interfaceOf()
	list := localNetworks()
	for _, n := range list {
		got := of(n.Prefix.Addr())
		has := func(m crosscheck.Network) bool { return m.Interface == got && m.Prefix.Addr() == n.Prefix.Addr() }
		if n.Interface != "lo" && !slices.ContainsFunc(list, has) {
			t.Errorf("%v: got %q, want %q", n.Prefix, got, n.Interface)
		}
	}
	if got := of(netip.MustParseAddr("192.0.2.77")); got != "" {
		t.Errorf("an address nobody has: got %q", got)
	}
}
