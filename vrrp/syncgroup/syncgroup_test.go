package syncgroup

import (
	"fmt"
	"slices"
	"testing"

	"herald/vrrp/fsm"
	"herald/vrrp/group"
)

var names = []string{"A", "B", "C"}

func TestWhatTheOthersDo(t *testing.T) {
	const (
		i = fsm.Initialize
		b = fsm.Backup
		m = fsm.Master
		f = fsm.Fault
	)
	for _, c := range []struct {
		name     string
		kinds    []fsm.Kind // after the transition of A
		from, to fsm.Kind
		want     string
	}{
		{"a new master leads the backups", []fsm.Kind{m, b, b}, b, m, "[{1 {A}} {2 {A}}]"},
		{"those that are master already stay", []fsm.Kind{m, m, b}, b, m, "[{2 {A}}]"},
		{"one that cannot take part is not led", []fsm.Kind{m, f, i}, b, m, "[]"},
		{"a master that gives way takes the masters along", []fsm.Kind{b, m, b}, m, b, "[{1 {A}}]"},
		{"a fault is told by Share", []fsm.Kind{f, m, m}, m, f, "[]"},
		{"one that joins a group under way is led at once", []fsm.Kind{b, m, m}, i, b, "[{0 {B}}]"},
		{"a start among backups moves nothing", []fsm.Kind{b, b, i}, i, b, "[]"},
		{"a recovery moves nothing", []fsm.Kind{b, f, f}, f, b, "[]"},
	} {
		got := Follow(names, c.kinds, 0, fsm.Transition{From: c.from, To: c.to})
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
	}
	if got := fmt.Sprintf("%T", Rally([]fsm.Kind{m, b, m}, 0)[0].Event); got != "fsm.Rally" {
		t.Errorf("rally: got %s", got)
	}
}

func TestAFaultAndAWaitAreEverybodys(t *testing.T) {
	got := Share(names, []group.Standing{
		{Priority: 100, Faults: []string{"eth0 is down", "script x fails"}},
		{Priority: 110, Waiting: []string{"y"}},
		{Priority: 120, Faults: []string{"eth2 is down"}, Waiting: []string{"y"}},
	})
	want := []group.Standing{
		{Priority: 100, Faults: []string{"eth0 is down", "script x fails"}, Waiting: []string{"y"}},
		{Priority: 110, Faults: []string{"A of its sync group: eth0 is down", "C of its sync group: eth2 is down"}, Waiting: []string{"y"}},
		{Priority: 120, Faults: []string{"eth2 is down"}, Waiting: []string{"y"}},
	}
	for i := range want {
		if got[i].Priority != want[i].Priority || !slices.Equal(got[i].Faults, want[i].Faults) || !slices.Equal(got[i].Waiting, want[i].Waiting) {
			t.Errorf("%s: got %+v, want %+v", names[i], got[i], want[i])
		}
	}
}

func TestTheStateOfTheWhole(t *testing.T) {
	for _, c := range []struct {
		kinds []fsm.Kind
		want  fsm.Kind
	}{
		{[]fsm.Kind{fsm.Master, fsm.Master}, fsm.Master},
		{[]fsm.Kind{fsm.Master, fsm.Backup}, fsm.Backup},
		{[]fsm.Kind{fsm.Initialize, fsm.Backup}, fsm.Initialize},
		{[]fsm.Kind{fsm.Backup, fsm.Fault}, fsm.Fault},
		{[]fsm.Kind{fsm.Leaving, fsm.Leaving}, fsm.Leaving},
	} {
		if got := Whole(c.kinds); got != c.want {
			t.Errorf("%v: got %v, want %v", c.kinds, got, c.want)
		}
	}
}
