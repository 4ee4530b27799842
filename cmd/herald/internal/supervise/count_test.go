package supervise

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"herald/cmd/herald/internal/ipc"
)

func TestCountsReachTheVRRPRole(t *testing.T) {
	var stopped atomic.Int32
	change := make(chan func(ipc.Counts), 4)
	h := newHost(t, func(h *host, _ *Options) {
		h.count = func(_ []ipc.Program, changed func(ipc.Counts)) (ipc.Counts, func(), error) {
			change <- changed
			return ipc.Counts{"web": 1}, func() { stopped.Add(1) }, nil
		}
		h.behave = func(a *actor) string {
			if a.name == ipc.VRRP {
				now, err := a.Count(context.Background(), []ipc.Program{{Name: "web"}})
				a.say("counts %d %v", now["web"], err)
				if more, _ := a.Count(context.Background(), []ipc.Program{{Name: "db"}}); more != nil {
					a.say("was given more")
				}
			}
			if !a.begin(ipc.Prepared{}) {
				return "exit status 1"
			}
			return a.obey()
		}
	})
	h.wait("vrrp 1 counts 1 <nil>", "log ready")
	(<-change)(ipc.Counts{"web": 2})
	h.wait("vrrp 1 counts 2")
	h.never("vrrp 1 was given more")
	h.stop()
	h.finish()
	if n := stopped.Load(); n != 1 {
		t.Errorf("%d counts ended, want 1", n)
	}
}

func TestWhoCannotCountSaysSo(t *testing.T) {
	h := newHost(t, func(h *host, _ *Options) {
		h.count = func([]ipc.Program, func(ipc.Counts)) (ipc.Counts, func(), error) {
			return nil, nil, errors.New("no descriptors")
		}
		h.behave = func(a *actor) string {
			if a.name == ipc.VRRP {
				now, err := a.Count(context.Background(), []ipc.Program{{Name: "web"}})
				a.say("counts %v %v", now, err)
			}
			if !a.begin(ipc.Prepared{}) {
				return "exit status 1"
			}
			return a.obey()
		}
	})
	h.wait("log role vrrp: no descriptors", "vrrp 1 counts map[] <nil>", "log ready")
	h.stop()
	h.finish()
}
