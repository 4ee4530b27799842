package firewall

import (
	"testing"
	"time"

	"github.com/google/nftables"

	"herald/vrrp/settings"
)

// mutes counts the rules of the table of a family, -1 when there is none.
func mutes(t *testing.T, f *Firewall, family nftables.TableFamily) int {
	t.Helper()
	tables, err := f.conn.ListTablesOfFamily(family)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if table.Name != muteTable {
			continue
		}
		rules, err := f.conn.GetRules(table, &nftables.Chain{Name: "out", Table: table})
		if err != nil {
			t.Fatal(err)
		}
		return len(rules)
	}
	return -1
}

func TestMutedInterfacesHaveTheirRulesAndNoOthers(t *testing.T) {
	f := isolated(t)
	one := settings.VirtualMAC{Name: "vrrp.51", Hardware: settings.VirtualHardware(51, false)}
	two := settings.VirtualMAC{Name: "vrrp6.51", Hardware: settings.VirtualHardware(51, true), IPv6: true}
	for _, step := range []struct {
		list           []settings.VirtualMAC
		four, six, arp int
	}{
		{[]settings.VirtualMAC{one}, 1, 4, 1},
		{[]settings.VirtualMAC{one, two}, 2, 8, 2},
		{[]settings.VirtualMAC{two}, 1, 4, 1},
		{nil, -1, -1, -1},
		{nil, -1, -1, -1},
	} {
		if err := f.Mute(step.list); err != nil {
			t.Fatal(err)
		}
		four, six, arp := mutes(t, f, nftables.TableFamilyIPv4), mutes(t, f, nftables.TableFamilyIPv6), mutes(t, f, nftables.TableFamilyARP)
		if four != step.four || six != step.six || arp != step.arp {
			t.Errorf("%v: got %d, %d and %d rules, want %d, %d and %d", step.list, four, six, arp, step.four, step.six, step.arp)
		}
	}
}

func TestMutingLeavesSilentAddressesAlone(t *testing.T) {
	f := isolated(t)
	if err := f.Silence(silent("192.0.2.1/32")); err != nil {
		t.Fatal(err)
	}
	if err := f.Mute([]settings.VirtualMAC{{Name: "vrrp.51"}}); err != nil {
		t.Fatal(err)
	}
	if err := f.Mute(nil); err != nil {
		t.Fatal(err)
	}
	if answers(t, "192.0.2.1", 50*time.Millisecond) || !answers(t, "192.0.2.2", 5*time.Second) {
		t.Error("the silent address answers, or the other does not")
	}
}
