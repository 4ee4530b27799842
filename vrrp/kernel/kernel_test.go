package kernel

import (
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// isolated moves this test's thread into a network namespace of its own with
// an interface eth0 that has 10.1.1.20/24. The thread ends with the test.
func isolated(t *testing.T) (*Kernel, netlink.Link) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for a network namespace")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "wire0"}))
	eth, err := netlink.LinkByName("eth0")
	must(err)
	wire, err := netlink.LinkByName("wire0")
	must(err)
	must(netlink.LinkSetUp(eth))
	must(netlink.LinkSetUp(wire))
	base, err := netlink.ParseAddr("10.1.1.20/24")
	must(err)
	must(netlink.AddrAdd(eth, base))
	k, err := Open()
	must(err)
	t.Cleanup(func() { k.Close() })
	return k, eth
}

var ten = settings.Address{Prefix: netip.MustParsePrefix("10.1.1.10/32"), Device: "eth0"}

func snapshot(t *testing.T, k *Kernel) vip.Snapshot {
	t.Helper()
	s, err := k.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnAddressComesAndGoes(t *testing.T) {
	k, eth := isolated(t)
	for range 2 { // the second finds it there already
		if err := k.Add(ten); err != nil {
			t.Fatal(err)
		}
	}
	s := snapshot(t, k)
	if !s.Has(ten) {
		t.Errorf("%v is not listed: %+v", ten.Prefix, s["eth0"])
	}
	if got := s["eth0"]; !got.Up || got.Index != eth.Attrs().Index || got.Hardware != [6]byte(eth.Attrs().HardwareAddr) {
		t.Errorf("got %+v, want up, with index and hardware address", got)
	}
	for range 2 {
		if err := k.Delete(ten); err != nil {
			t.Fatal(err)
		}
	}
	if snapshot(t, k).Has(ten) {
		t.Error("it is still there after Delete")
	}
}

// TestAddressesLookAsKeepalivedMakesThem compares with the published listing:
// "inet 10.1.1.10/32 scope global eth0", no broadcast.
func TestAddressesLookAsKeepalivedMakesThem(t *testing.T) {
	k, eth := isolated(t)
	full := settings.Address{Prefix: netip.MustParsePrefix("172.16.5.1/24"), Device: "eth0", Label: "eth0:vip",
		Scope: unix.RT_SCOPE_LINK, Broadcast: netip.MustParseAddr("172.16.5.255")}
	wide := settings.Address{Prefix: netip.MustParsePrefix("172.17.5.1/24"), Device: "eth0"}
	for _, a := range []settings.Address{ten, full, wide} {
		if err := k.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	list, err := netlink.AddrList(eth, unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]netlink.Addr{}
	for _, a := range list {
		seen[a.IPNet.String()] = a
	}
	if a := seen["10.1.1.10/32"]; a.Scope != 0 || a.Broadcast != nil && !a.Broadcast.IsUnspecified() || a.Label != "eth0" {
		t.Errorf("10.1.1.10/32: scope %d, broadcast %v, label %q, want global, none, eth0", a.Scope, a.Broadcast, a.Label)
	}
	if a := seen["172.17.5.1/24"]; a.Broadcast != nil && !a.Broadcast.IsUnspecified() {
		t.Errorf("172.17.5.1/24: broadcast %v, want none", a.Broadcast)
	}
	if a := seen["172.16.5.1/24"]; a.Scope != unix.RT_SCOPE_LINK || a.Broadcast.String() != "172.16.5.255" || a.Label != "eth0:vip" {
		t.Errorf("172.16.5.1/24: scope %d, broadcast %v, label %q", a.Scope, a.Broadcast, a.Label)
	}
	for _, a := range []settings.Address{full, wide} {
		if err := k.Delete(a); err != nil {
			t.Error(err)
		}
	}
}

func TestErrorsNameAddressAndDevice(t *testing.T) {
	k, _ := isolated(t)
	nowhere := ten
	nowhere.Device = "eth9"
	if err := k.Add(nowhere); err == nil || !strings.Contains(err.Error(), "add 10.1.1.10/32 to eth9") {
		t.Errorf("Add: got %v", err)
	}
	if err := k.Delete(nowhere); err != nil {
		t.Errorf("Delete from a device that is gone: got %v, want none", err)
	}
	bad := ten
	bad.Label = strings.Repeat("x", 40)
	if err := k.Add(bad); err == nil {
		t.Error("label of 40: got no error")
	}
}

func TestALoopbackOrCutInterfaceIsSeenAsIs(t *testing.T) {
	k, eth := isolated(t)
	if lo := snapshot(t, k)["lo"]; lo.Up || lo.Hardware != [6]byte{} {
		t.Errorf("lo: got %+v, want down and without hardware address", lo)
	}
	wire, _ := netlink.LinkByName("wire0")
	changed := make(chan struct{}, 100)
	stop, err := k.Watch(func() { changed <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if err := netlink.LinkSetDown(wire); err != nil { // carrier is lost
		t.Fatal(err)
	}
	deadline := time.After(5 * time.Second)
	for snapshot(t, k)["eth0"].Up {
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%s without carrier is still up", eth.Attrs().Name)
		}
	}
}

func TestAWatchTellsOfEveryKindOfChange(t *testing.T) {
	k, eth := isolated(t)
	changed := make(chan struct{}, 1000)
	stop, err := k.Watch(func() { changed <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	expect := func(what string, do func() error) {
		t.Helper()
		for len(changed) > 0 {
			<-changed
		}
		if err := do(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
		case <-time.After(5 * time.Second):
			t.Errorf("nothing told of %s", what)
		}
	}
	expect("an added address", func() error { return k.Add(ten) })
	expect("a deleted address", func() error { return k.Delete(ten) })
	expect("a link going down", func() error { return netlink.LinkSetDown(eth) })
	expect("a link going up", func() error { return netlink.LinkSetUp(eth) })
	expect("a deleted link", func() error { return netlink.LinkDel(eth) })
	stop()
	for len(changed) > 0 {
		<-changed
	}
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "late0"}, PeerName: "late1"}); err != nil {
		t.Fatal(err)
	}
	if len(changed) != 0 {
		t.Error("told after stop")
	}
}

func TestAWatchSurvivesMoreChangesThanItsBufferHolds(t *testing.T) {
	k, _ := isolated(t)
	hold := make(chan struct{})
	changed := make(chan struct{}, 100000)
	stop, err := k.Watch(func() { changed <- struct{}{}; <-hold })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	// The callback hangs, so the notifications of 4000 changes pile up until
	// the kernel drops some (ENOBUFS).
	for i := range 4000 {
		a := settings.Address{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)}), 32), Device: "eth0"}
		if err := k.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	close(hold)
	deadline := time.After(5 * time.Second)
	for len(changed) > 0 {
		<-changed
	}
	if err := k.Add(ten); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	case <-deadline:
		t.Fatal("the watch is dead after the overflow")
	}
}
