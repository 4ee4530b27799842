package kernel

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"herald/vrrp/settings"
)

var virtual = settings.VirtualMAC{Name: "vrrp.51", Parent: "eth0", Hardware: settings.VirtualHardware(51, false)}

// proc reads a value of an interface.
func proc(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/net/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// macvlan returns the virtual MAC interface as the kernel has it.
func macvlan(t *testing.T) *netlink.Macvlan {
	t.Helper()
	link, err := netlink.LinkByName("vrrp.51")
	if err != nil {
		t.Fatal(err)
	}
	m, ok := link.(*netlink.Macvlan)
	if !ok {
		t.Fatalf("got a %s, want a macvlan", link.Type())
	}
	return m
}

func TestAVirtualMACInterfaceIsMadeOnceAndRemoved(t *testing.T) {
	k, eth := isolated(t)
	for range 2 { // what is there stays
		if err := k.MakeVirtualMAC(virtual); err != nil {
			t.Fatal(err)
		}
	}
	m := macvlan(t)
	if m.Mode != netlink.MACVLAN_MODE_PRIVATE || m.ParentIndex != eth.Attrs().Index || m.HardwareAddr.String() != "00:00:5e:00:01:33" || m.Flags&net.FlagUp == 0 {
		t.Errorf("got %+v", m)
	}
	for name, want := range map[string]string{"ipv4/conf/vrrp.51/arp_ignore": "1", "ipv4/conf/vrrp.51/accept_local": "1", "ipv4/conf/vrrp.51/rp_filter": "0",
		"ipv4/conf/vrrp.51/promote_secondaries": "1", "ipv6/conf/vrrp.51/disable_ipv6": "1", "ipv6/conf/vrrp.51/addr_gen_mode": "1"} {
		if got := proc(t, name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	i := snapshot(t, k)["vrrp.51"]
	if i.Hardware != virtual.Hardware {
		t.Errorf("got %+v", i)
	}
	for range 2 {
		if err := k.RemoveVirtualMAC(virtual); err != nil {
			t.Error(err)
		}
	}
	if _, exists := snapshot(t, k)["vrrp.51"]; exists {
		t.Error("it is still there")
	}
}

func TestWhatAPredecessorLeftIsTakenOver(t *testing.T) {
	k, eth := isolated(t)
	if err := k.MakeVirtualMAC(virtual); err != nil {
		t.Fatal(err)
	}
	held := ten
	held.Device = "vrrp.51"
	if err := k.Add(held); err != nil {
		t.Fatal(err)
	}
	was := macvlan(t).Index

	// Another hardware address: the same interface, with its address.
	other := virtual
	other.Hardware = [6]byte{0, 0x11, 0x22, 0x33, 0x44, 0x33}
	if err := k.MakeVirtualMAC(other); err != nil {
		t.Fatal(err)
	}
	if m := macvlan(t); m.Index != was || m.HardwareAddr.String() != "00:11:22:33:44:33" || !snapshot(t, k).Has(held) {
		t.Errorf("got %+v, want the interface kept", m)
	}
	// It is not removed in the name of somebody else.
	if err := k.RemoveVirtualMAC(virtual); err != nil || macvlan(t).Index != was {
		t.Errorf("removed another's: %v", err)
	}

	// On another interface: only a virtual router's is taken away for it.
	wire := other
	wire.Parent = "wire0"
	wire.Hardware = settings.VirtualHardware(51, false)
	if err := k.MakeVirtualMAC(wire); err == nil || !strings.Contains(err.Error(), "of another interface or mode") {
		t.Errorf("got %v, want an error that says what is there", err)
	}
	if err := k.MakeVirtualMAC(virtual); err != nil {
		t.Fatal(err)
	}
	if err := k.MakeVirtualMAC(wire); err != nil {
		t.Fatal(err)
	}
	if m := macvlan(t); m.ParentIndex == eth.Attrs().Index {
		t.Errorf("got %+v, want it on wire0", m)
	}
}

func TestAnInterfaceOfAnotherKindIsLeftAlone(t *testing.T) {
	k, _ := isolated(t)
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "vrrp.51"}}); err != nil {
		t.Skipf("needs a bridge: %v", err)
	}
	if err := k.MakeVirtualMAC(virtual); err == nil || !strings.Contains(err.Error(), "of type bridge") {
		t.Errorf("got %v, want an error that names the type", err)
	}
	if err := k.RemoveVirtualMAC(virtual); err != nil {
		t.Error(err)
	}
	if _, exists := snapshot(t, k)["vrrp.51"]; !exists {
		t.Error("the bridge is gone")
	}
	nowhere := virtual
	nowhere.Name, nowhere.Parent = "vrrp.52", "eth9"
	if err := k.MakeVirtualMAC(nowhere); err == nil || !strings.Contains(err.Error(), "vrrp.52 (00:00:5e:00:01:33 on eth9)") {
		t.Errorf("got %v, want an error that names it", err)
	}
}

func TestTheHostsReversePathFilterGoesToItsInterfaces(t *testing.T) {
	k, _ := isolated(t)
	set := func(device, value string) {
		t.Helper()
		if _, err := k.SetSysctl(settings.Sysctl{Device: device, Name: reversePath, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	set("all", "1")
	set("default", "0")
	set("eth0", "0")
	set("wire0", "2")
	set("lo", "2") // one that was never set follows default
	set("lo", "0")
	before, err := k.LowerReversePath([]string{"lo"})
	if err != nil {
		t.Fatal(err)
	}
	for device, want := range map[string]string{"all": "0", "default": "1", "eth0": "1", "wire0": "2", "lo": "0"} {
		if got := proc(t, "ipv4/conf/"+device+"/rp_filter"); got != want {
			t.Errorf("%s: got %s, want %s", device, got, want)
		}
	}
	for _, b := range before {
		set(b.Device, b.Value)
	}
	for device, want := range map[string]string{"all": "1", "default": "0", "eth0": "0", "wire0": "2"} {
		if got := proc(t, "ipv4/conf/"+device+"/rp_filter"); got != want {
			t.Errorf("set back, %s: got %s, want %s", device, got, want)
		}
	}
	set("all", "0")
	if again, err := k.LowerReversePath(nil); err != nil || len(again) > 0 {
		t.Errorf("with nothing to lower: got %v, %v", again, err)
	}
}
