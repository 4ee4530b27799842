package kernel

import (
	"testing"

	"herald/vrrp/settings"
)

func TestASysctlIsSetAndTheOneBeforeIsTold(t *testing.T) {
	k, _ := isolated(t)
	want := settings.Sysctl{Device: "eth0", Name: settings.PromoteSecondaries, Value: "1"}
	for i, before := range []string{"0", "1"} {
		got, err := k.SetSysctl(want)
		if err != nil || got != before {
			t.Errorf("time %d: got %q, %v, want %q", i+1, got, err, before)
		}
	}
	want.Device = "none0"
	if got, err := k.SetSysctl(want); got != "" || err != nil {
		t.Errorf("an interface that is not there: got %q, %v", got, err)
	}
	want.Device = "../all"
	if _, err := k.SetSysctl(want); err == nil {
		t.Error("a path is taken for an interface")
	}
}
