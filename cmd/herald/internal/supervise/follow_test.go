package supervise

import (
	"fmt"
	"sync/atomic"
	"testing"

	"herald/cmd/herald/internal/ipc"
)

func TestCertificatesReachTheProxyRole(t *testing.T) {
	var stopped atomic.Int32
	change := make(chan func(ipc.Contents), 4)
	h := newHost(t, func(h *host, _ *Options) {
		h.follow = func(files ipc.Follow, changed func(ipc.Contents)) (func(), error) {
			h.event(fmt.Sprintf("follows %d", len(files)))
			change <- changed
			return func() { stopped.Add(1) }, nil
		}
		h.behave = func(a *actor) string {
			a.Follow(ipc.Follow{"/a.pem": nil})
			a.Follow(ipc.Follow{"/a.pem": nil, "/etc/shadow": nil})
			if !a.begin(ipc.Prepared{}) {
				return "exit status 1"
			}
			a.Follow(ipc.Follow{"/etc/shadow": nil})
			return a.obey()
		}
	})
	h.wait("follows 1", "log ready")
	(<-change)(ipc.Contents{"/a.pem": []byte("new")})
	h.wait("proxy 1 contents /a.pem new")
	h.never("follows 2")
	h.stop()
	h.finish()
	if n := stopped.Load(); n != 1 {
		t.Errorf("%d watches ended, want 1", n)
	}
}
