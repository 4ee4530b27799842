package lab

import (
	"context"
	"os/exec"
	"testing"
	"time"
)

func needPackaged(t *testing.T) {
	t.Helper()
	for _, p := range []string{"keepalived", "haproxy"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs the packaged %s", p)
		}
	}
}

func TestBaseline(t *testing.T) {
	needPackaged(t)
	for _, f := range Failures {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			l := up(t, Spec{Servers: 2})
			c := NewCluster(l, Packaged, Setup{Services: true, Priorities: []int{102, 101, 100}})
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			start := time.Now()
			if err := c.Start(ctx); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if t.Failed() {
					for _, n := range l.Controllers() {
						for _, p := range n.procs {
							t.Log(n.name, p.Name, p.Output())
						}
						for _, x := range n.Log() {
							t.Log(n.name, x.Text)
						}
					}
				}
			}()
			if err := c.Settle(ctx); err != nil {
				t.Fatal(err)
			}
			t.Log("settled", time.Since(start), c.Holder(InsideVirtual), c.Holder(OutsideVirtual))
			o, err := c.Failover(ctx, c.Holder(InsideVirtual), f)
			t.Log(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range o.Probes {
				t.Logf("%+v", r)
			}
		})
	}
}
