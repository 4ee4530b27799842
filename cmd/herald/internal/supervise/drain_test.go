package supervise

import (
	"strings"
	"testing"

	"herald/cmd/herald/internal/ipc"
)

func TestADrainWaitsUntilNothingIsHeldAndOutlivesTheRole(t *testing.T) {
	h := newHost(t, nil)
	h.wait("proxy 1 instances [\"i1\"]", "vrrp 1 fact true")
	if err := h.s.Drain(within(t)); err != nil {
		t.Fatal(err)
	}
	h.wait("vrrp 1 rest true")
	status, err := h.s.Status(within(t))
	if err != nil || len(status.Held) != 0 || !strings.Contains(strings.Join(status.Warnings, ""), "herald undrain") {
		t.Errorf("want nothing held and a word about the drain, got %+v, %v", status, err)
	}
	h.mu.Lock()
	h.behave = func(a *actor) string {
		g, err := a.Ready(t.Context(), ipc.Prepared{})
		if err != nil {
			return "exit status 1"
		}
		a.say("rests %t", g.Rest)
		return a.obey()
	}
	h.mu.Unlock()
	h.actor("vrrp 1").Kill()
	h.wait("vrrp 2 rests true")
	if err := h.s.Undrain(within(t)); err != nil {
		t.Fatal(err)
	}
	h.wait("vrrp 2 rest false")
}

func TestWithoutVRRPThereIsNothingToDrain(t *testing.T) {
	h := newHost(t, func(_ *host, o *Options) { o.Roles = []ipc.Name{ipc.Proxy} })
	if err := h.s.Drain(within(t)); err == nil || !strings.Contains(err.Error(), "no VRRP") {
		t.Errorf("want it refused, got %v", err)
	}
}
