package supervise

import (
	"context"
	"strings"
	"testing"

	"herald/cmd/herald/internal/ipc"
)

func TestAReloadIntoAnotherNetworkNamespaceIsRefused(t *testing.T) {
	places := []string{"red", "blue", "red"}
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			p := ipc.Prepared{}
			if a.name == ipc.VRRP {
				p.NetNamespace = places[a.number-1]
			}
			if !a.begin(p) {
				return "exit status 1"
			}
			return a.obey()
		}
	})
	h.wait("vrrp 1 go", "log ready")
	if r := h.s.Reload(context.Background()); !strings.Contains(r.Failed, "net_namespace was red and is blue now: that takes a restart") {
		t.Errorf("the reload into another namespace: %+v", r)
	}
	if r := h.s.Reload(context.Background()); r.Failed != "" {
		t.Errorf("the reload in the same namespace: %+v", r)
	}
	h.wait("vrrp 1 is the first", "vrrp 3 go")
	h.never("vrrp 2 go")
	h.never("vrrp 3 is the first")
	h.never("proxy 1 is the first")
}
