package firewall

import (
	"testing"

	"github.com/google/nftables"
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
	for _, step := range []struct {
		devices   []string
		four, six int
	}{
		{[]string{"vrrp.51"}, 1, 4},
		{[]string{"vrrp.51", "vrrp6.51"}, 2, 8},
		{[]string{"vrrp6.51"}, 1, 4},
		{nil, -1, -1},
		{nil, -1, -1},
	} {
		if err := f.Mute(step.devices); err != nil {
			t.Fatal(err)
		}
		if four, six := mutes(t, f, nftables.TableFamilyIPv4), mutes(t, f, nftables.TableFamilyIPv6); four != step.four || six != step.six {
			t.Errorf("%v: got %d and %d rules, want %d and %d", step.devices, four, six, step.four, step.six)
		}
	}
}

func TestMutingLeavesSilentAddressesAlone(t *testing.T) {
	f := isolated(t)
	if err := f.Silence(silent("192.0.2.1/32")); err != nil {
		t.Fatal(err)
	}
	if err := f.Mute([]string{"vrrp.51"}); err != nil {
		t.Fatal(err)
	}
	if err := f.Mute(nil); err != nil {
		t.Fatal(err)
	}
	if answers(t, "192.0.2.1") || !answers(t, "192.0.2.2") {
		t.Error("the silent address answers, or the other does not")
	}
}
