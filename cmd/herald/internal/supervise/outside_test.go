package supervise

import (
	"context"
	"sync/atomic"
	"testing"

	"herald/cmd/herald/internal/ipc"
)

func TestFilesAndPartsReachTheVRRPRole(t *testing.T) {
	var stopped atomic.Int32
	change := make(chan func(ipc.Files), 4)
	h := newHost(t, func(h *host, _ *Options) {
		h.watch = func(_ []ipc.File, changed func(ipc.Files)) (ipc.Files, func(), error) {
			change <- changed
			return ipc.Files{"m": 1}, func() { stopped.Add(1) }, nil
		}
		h.behave = func(a *actor) string {
			if a.name == ipc.VRRP {
				now, err := a.Watch(context.Background(), []ipc.File{{Name: "m"}})
				a.say("has %d %v", now["m"], err)
				if more, _ := a.Watch(context.Background(), []ipc.File{{Name: "n"}}); more != nil {
					a.say("was given more")
				}
			}
			if !a.begin(ipc.Prepared{}) {
				return "exit status 1"
			}
			if a.name == ipc.Proxy {
				a.Parts(ipc.Parts{Backends: map[string]int{"app": a.number}})
			}
			return a.obey()
		}
	})
	h.wait("vrrp 1 has 1 <nil>", "vrrp 1 parts 1", "log ready")
	(<-change)(ipc.Files{"m": 2})
	h.wait("vrrp 1 files 2")
	h.s.Reload(context.Background())
	h.wait("vrrp 2 parts 2")
	h.never("vrrp 1 was given more")
	h.stop()
	h.finish()
	if n := stopped.Load(); n != 2 {
		t.Errorf("%d watches ended, want 2", n)
	}
}
