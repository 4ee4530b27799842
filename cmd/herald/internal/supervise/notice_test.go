package supervise

import (
	"context"
	"fmt"
	"testing"

	"herald/cmd/herald/internal/ipc"
)

// noticing is a VRRP role with scripts in a lane.
func noticing(more ...ipc.Script) func(*actor) string {
	return func(a *actor) string {
		if a.name != ipc.VRRP {
			return wellBehaved(a)
		}
		_, err := a.DeclareScripts(context.Background(), append([]ipc.Script{{Name: "notify", Lane: "VI_1"}, {Name: "fault", Lane: "VI_1"}}, more...))
		a.say("declared %v", err)
		return wellBehaved(a)
	}
}

func TestNoticesOfALaneRunInOrderWithTheirArguments(t *testing.T) {
	h := newHost(t, func(h *host, _ *Options) { h.behave = noticing() })
	h.wait("vrrp 1 fact true")
	v := h.actor("vrrp 1")
	var want []string
	for i := range 20 {
		v.Notice(ipc.Notice{Lane: "VI_1", Name: "fault"})
		v.Notice(ipc.Notice{Lane: "VI_1", Name: "notify", Args: []string{"INSTANCE", "VI_1", "FAULT", fmt.Sprint(i)}})
		want = append(want, "run fault", fmt.Sprintf("run notify INSTANCE VI_1 FAULT %d", i))
	}
	h.wait(want...)
	v.Notice(ipc.Notice{Lane: "VI_2", Name: "notify"})
	h.actor("proxy 1").Notice(ipc.Notice{Lane: "VI_1", Name: "notify", Args: []string{"from the proxy"}})
	if r, err := v.RunScript(within(t), 0); err != nil || r.Error == "" {
		t.Errorf("a notice is run as a tracking script: %+v, %v", r, err)
	}
	h.stop()
	h.finish()
	h.never("run notify from the proxy")
}

func TestALastingScriptEndsWithItsRoleAndTheNextGoesOn(t *testing.T) {
	h := newHost(t, func(h *host, _ *Options) { h.behave = noticing(ipc.Script{Name: "slow", Lane: "FIFO", Lasting: true}) })
	h.wait("vrrp 1 fact true")
	h.actor("vrrp 1").Notice(ipc.Notice{Lane: "FIFO", Name: "slow", Args: []string{"/run/1"}})
	h.wait("run slow /run/1")
	if r := h.s.Reload(within(t)); r.Failed != "" {
		t.Fatal(r.Failed)
	}
	h.wait("vrrp 2 go")
	h.actor("vrrp 2").Notice(ipc.Notice{Lane: "FIFO", Name: "slow", Args: []string{"/run/2"}})
	h.wait("run slow /run/2")
	// The scripts of the role before stay known, for what is gone.
	h.actor("vrrp 2").Notice(ipc.Notice{Lane: "VI_1", Name: "notify", Args: []string{"DELETED"}, Former: true})
	h.wait("run notify DELETED")
	h.stop()
	h.finish()
}
