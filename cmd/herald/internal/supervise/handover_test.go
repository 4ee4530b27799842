package supervise

import (
	"strings"
	"testing"

	"herald/cmd/herald/internal/ipc"
)

func TestAStatusBetweenTwoVRRPProcessesHasTheInstancesToldLast(t *testing.T) {
	asked, answered := make(chan struct{}), make(chan struct{})
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			if a.name != ipc.VRRP || a.number > 1 {
				return wellBehaved(a)
			}
			if !a.begin(ipc.Prepared{}) {
				return "exit status 1"
			}
			for c := range a.Commands() {
				if _, handover := c.(ipc.Handover); handover {
					close(asked)
					<-answered
					a.HandOver([]byte("handed"))
					return "exit status 0"
				}
			}
			return "exit status 1"
		}
	})
	h.wait("proxy 1 instances [\"i1\"]")
	reloaded := make(chan string, 1)
	go func() { reloaded <- h.s.Reload(within(t)).Failed }()
	<-asked
	st, err := h.s.Status(within(t))
	close(answered)
	if err != nil || string(st.VRRP) != `["i1"]` || !strings.Contains(strings.Join(st.Warnings, "\n"), "VRRP is being handed over") {
		t.Errorf("got VRRP %s, warnings %q, %v, want what was told last and a word of it", st.VRRP, st.Warnings, err)
	}
	if failed := <-reloaded; failed != "" {
		t.Errorf("reload: %s", failed)
	}
}
