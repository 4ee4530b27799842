package lab

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Reexec()
	os.Exit(m.Run())
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for namespaces")
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func up(t *testing.T, s Spec) *Lab {
	t.Helper()
	needRoot(t)
	l, err := Up(within(t, 20*time.Second), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestControllersHaveThePublishedAddresses(t *testing.T) {
	l := up(t, Spec{Controllers: 3, Servers: 1})
	for i, want := range [][2]string{{"10.1.1.20/24", "192.168.243.11/24"}, {"10.1.1.21/24", "192.168.243.12/24"}, {"10.1.1.22/24", "192.168.243.13/24"}} {
		for k, iface := range []string{"eth0", "eth1"} {
			got, err := l.Controller(i).Addrs(iface)
			if err != nil || !slices.Equal(got, []string{want[k]}) {
				t.Errorf("controller %d %s: got %v, %v, want %s", i, iface, got, err, want[k])
			}
		}
	}
	out, err := l.Controller(0).Exec("ip", "-4", "-o", "addr")
	t.Logf("%s %v", out, err)
}
