package vrrp

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// fakeRouting is a host's routes and rules; it notes changes with the host.
type fakeRouting struct {
	*fakeHost
	mu      sync.Mutex
	present settings.Routing
	gone    func()
}

func (f *fakeRouting) Routing(settings.Routing) (settings.Routing, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return settings.Routing{Routes: slices.Clone(f.present.Routes), Rules: slices.Clone(f.present.Rules)}, nil
}

func (f *fakeRouting) AddRoute(r settings.Route) error {
	f.edit("add route", r.Prefix.String(), func() { f.present.Routes = append(f.present.Routes, r) })
	return nil
}

func (f *fakeRouting) DeleteRoute(r settings.Route) error {
	f.edit("delete route", r.Prefix.String(), func() {
		f.present.Routes = slices.DeleteFunc(f.present.Routes, func(o settings.Route) bool { return vip.SameRoute(r, o) })
	})
	return nil
}

func (f *fakeRouting) AddRule(r settings.Rule) error {
	f.edit("add", r.String(), func() { f.present.Rules = append(f.present.Rules, r) })
	return nil
}

func (f *fakeRouting) DeleteRule(r settings.Rule) error {
	f.edit("delete", r.String(), func() {
		f.present.Rules = slices.DeleteFunc(f.present.Rules, func(o settings.Rule) bool { return vip.SameRule(r, o) })
	})
	return nil
}

func (f *fakeRouting) edit(verb, what string, change func()) {
	f.fakeHost.mu.Lock()
	f.note("%s %s", verb, what)
	f.fakeHost.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeRouting) WatchRouting(changed func()) (func(), error) {
	f.gone = changed
	return func() {}, nil
}

// lose is somebody else deleting everything.
func (f *fakeRouting) lose() {
	f.mu.Lock()
	f.present = settings.Routing{}
	f.mu.Unlock()
	f.gone()
}

func withRouting(prefixes ...string) settings.Routing {
	var r settings.Routing
	for _, p := range prefixes {
		r.Routes = append(r.Routes, settings.Route{Prefix: netip.MustParsePrefix(p), Device: "eth0", Type: 1, Table: 254})
	}
	r.Rules = []settings.Rule{{Priority: 100, Action: 1, Table: 7, SuppressLength: -1, SuppressGroup: -1}}
	return r
}

func beginRouting(t *testing.T, f *fakeRouting, cfg *settings.Config, blob []byte) (*Server, func() settings.Routing) {
	t.Helper()
	ports := f.ports()
	ports.Routing = f
	var mu sync.Mutex
	var told settings.Routing
	ports.OnBelongings = func(b settings.Belongings) {
		mu.Lock()
		defer mu.Unlock()
		told = b.Routing
	}
	return beginPorts(t, f.fakeHost, ports, cfg, blob), func() settings.Routing {
		mu.Lock()
		defer mu.Unlock()
		return told
	}
}

func TestRoutesFollowTheAddressesAndGoBeforeThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeRouting{fakeHost: newHost()}
		cfg := seed()
		cfg.Instances[0].Routing = withRouting("192.0.2.0/24")
		_, told := beginRouting(t, f, cfg, nil)
		elapse(3700 * time.Millisecond)
		// Announcements wait for the addresses only, so their place among the
		// routes is open.
		got := strings.Split(f.since(), "\n")
		got = slices.DeleteFunc(got, func(line string) bool { return strings.Contains(line, " arp ") })
		wantTrace(t, strings.Join(got, "\n"), "3.610 send eth0 1/100\n3.610 add 10.1.1.10/32\n3.610 add route 192.0.2.0/24\n3.610 add rule 100: from all table 7")
		if r := told(); len(r.Routes) != 1 || len(r.Rules) != 1 {
			t.Errorf("told %v", r)
		}
		f.advert(t, "10.1.1.21", 200)
		elapse(50 * time.Millisecond)
		wantTrace(t, f.since(), "3.700 delete rule 100: from all table 7\n3.700 delete route 192.0.2.0/24\n3.700 delete 10.1.1.10/32")
		if r := told(); !r.Empty() {
			t.Errorf("told %v after all is gone", r)
		}
	})
}

func TestARouteRemovedBySomebodyElseIsPutBackAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeRouting{fakeHost: newHost()}
		cfg := seed()
		cfg.Instances[0].Routing = withRouting("192.0.2.0/24", "198.51.100.0/24")
		cfg.Instances[0].Routing.Routes[1].NoTrack = true
		beginRouting(t, f, cfg, nil)
		elapse(4 * time.Second)
		f.since()
		f.lose()
		elapse(100 * time.Millisecond)
		wantTrace(t, f.since(), "4.000 add route 192.0.2.0/24\n4.000 add rule 100: from all table 7")
		f.logged(t, "route 192.0.2.0/24 dev eth0, rule 100: from all table 7 was removed by somebody else")
	})
}

func TestAReloadMovesOnlyTheRoutesThatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeRouting{fakeHost: newHost()}
		before := seed()
		before.Instances[0].Routing = withRouting("192.0.2.0/24", "198.51.100.0/24")
		s, _ := beginRouting(t, f, before, nil)
		elapse(4 * time.Second)
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f.since()
		after := seed()
		after.Instances[0].Routing = withRouting("198.51.100.0/24", "203.0.113.0/24")
		beginRouting(t, f, after, blob)
		elapse(100 * time.Millisecond)
		wantTrace(t, f.since(), "4.000 send eth0 1/100\n4.000 delete route 192.0.2.0/24\n4.000 add route 203.0.113.0/24")
	})
}

func TestWhatACrashedPredecessorLeftGoesWithoutItsAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeRouting{fakeHost: newHost(), present: withRouting("192.0.2.0/24")}
		cfg := seed()
		cfg.Instances[0].Routing = withRouting("192.0.2.0/24")
		beginRouting(t, f, cfg, nil)
		elapse(100 * time.Millisecond)
		wantTrace(t, f.since(), "0.000 delete rule 100: from all table 7\n0.000 delete route 192.0.2.0/24")
	})
}

func TestStaticObjectsAreThereFromTheStartToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeRouting{fakeHost: newHost()}
		cfg := seed()
		cfg.StaticAddresses = []settings.Address{address("203.0.113.1/32", "eth0")}
		cfg.StaticRouting = withRouting("192.0.2.0/24")
		s, _ := beginRouting(t, f, cfg, nil)
		elapse(100 * time.Millisecond)
		wantTrace(t, f.since(), "0.000 add 203.0.113.1/32\n0.000 add route 192.0.2.0/24\n0.000 add rule 100: from all table 7")
		f.change(func() { f.drop(cfg.StaticAddresses[0]) })
		f.lose()
		elapse(100 * time.Millisecond)
		wantTrace(t, f.since(), "0.100 add 203.0.113.1/32\n0.100 add route 192.0.2.0/24\n0.100 add rule 100: from all table 7")
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		next, _ := beginRouting(t, f, cfg, blob)
		elapse(100 * time.Millisecond)
		wantTrace(t, f.since(), "")
		if err := next.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantTrace(t, f.since(), "0.300 delete rule 100: from all table 7\n0.300 delete route 192.0.2.0/24\n0.300 delete 203.0.113.1/32")
	})
}
