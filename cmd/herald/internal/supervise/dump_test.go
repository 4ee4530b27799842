package supervise

import (
	"testing"

	"herald/cmd/herald/internal/ipc"
)

func TestADumpIsTheVRRPRoles(t *testing.T) {
	pids := make(chan int, 2)
	h := newHost(t, func(_ *host, o *Options) {
		o.Began = func(name ipc.Name, pid int) {
			if name == ipc.VRRP {
				pids <- pid
			}
		}
	})
	h.wait("vrrp 1 fact true")
	if got, err := h.s.Dump(within(t), " stats"); err != nil || string(got) != "vrrp 1 stats" {
		t.Errorf("got %q, %v", got, err)
	}
	if pid := <-pids; pid != h.actor("vrrp 1").Pid() {
		t.Errorf("told of pid %d, want %d", pid, h.actor("vrrp 1").Pid())
	}
	if _, err := h.s.Status(within(t)); err != nil {
		t.Errorf("a status after a dump: %v", err)
	}
}
