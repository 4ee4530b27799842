package supervise

import (
	"runtime"
	"testing"

	"herald/cmd/herald/internal/ipc"
)

// counting is a host with proxies that tell and end when the test says so.
func counting(t *testing.T) *host {
	return newHost(t, func(h *host, o *Options) {
		o.Roles = []ipc.Name{ipc.Proxy}
		h.behave = func(a *actor) string {
			if !a.begin(ipc.Prepared{}) {
				return "exit status 1"
			}
			for c := range a.Commands() {
				switch c := c.(type) {
				case ipc.Stop:
					return "exit status 0"
				case ipc.Drain:
					a.say("drain")
				case ipc.OtherTally:
					a.say("tally %d %s", c.Generation, c.Counted)
				}
			}
			return "exit status 0"
		}
	})
}

func (a *actor) counts(draining bool, what string) {
	a.Tally(ipc.Tally{Draining: draining, Counted: []byte(what)})
}

func (h *host) reload() {
	h.t.Helper()
	if r := h.s.Reload(within(h.t)); r.Failed != "" {
		h.t.Fatal(r.Failed)
	}
}

// remain waits until the supervisor knows of n processes.
func (h *host) remain(n int) {
	h.t.Helper()
	for ctx, left := within(h.t), make(chan int); ; runtime.Gosched() {
		h.s.call(func() { left <- len(h.s.roles) })
		got := <-left
		if got == n {
			return
		}
		if ctx.Err() != nil {
			h.t.Fatalf("%d processes are left, want %d", got, n)
		}
	}
}

func TestAProxyBeginsWithAndHearsOfWhatOthersCount(t *testing.T) {
	h := counting(t)
	h.wait("proxy 1 go")
	one := h.actor("proxy 1")
	one.counts(false, "a")
	h.reload()
	h.wait("proxy 1 drain")
	h.never("proxy 2 go")
	one.counts(true, "b")
	h.wait("proxy 2 begins with 1 b ended=false", "proxy 2 go")
	one.counts(true, "c")
	h.wait("proxy 2 tally 1 c")

	h.reload()
	h.wait("proxy 2 drain")
	two := h.actor("proxy 2")
	two.counts(true, "d")
	h.wait("proxy 3 begins with 1 c ended=false", "proxy 3 begins with 2 d ended=false", "proxy 3 go")
	two.counts(true, "e")
	one.counts(true, "f")
	h.wait("proxy 3 tally 2 e", "proxy 3 tally 1 f")
	h.never("proxy 2 tally 1 f")

	one.Close()
	h.remain(2)
	h.reload()
	h.wait("proxy 3 drain")
	h.actor("proxy 3").Kill() // without a word
	h.wait("proxy 4 begins with 1 f ended=true", "proxy 4 begins with 2 e ended=false", "proxy 4 go")
	h.never("proxy 4 begins with 3")
}

func TestASilentProxyHoldsItsSuccessorUpForAMoment(t *testing.T) {
	h := counting(t)
	h.wait("proxy 1 go")
	h.reload()
	h.wait("proxy 1 drain", "proxy 2 go")
}

func TestCountsAreKeptUntilASuccessorTellsThemAsItsOwn(t *testing.T) {
	h := counting(t)
	h.wait("proxy 1 go")
	one := h.actor("proxy 1")
	one.counts(false, "a")
	one.Close() // a crash
	h.wait("proxy 2 begins with 1 a ended=true", "proxy 2 go")
	h.actor("proxy 2").Close() // before it told anything
	h.wait("proxy 3 begins with 1 a ended=true", "proxy 3 go")
	three := h.actor("proxy 3")
	three.counts(false, "a and b")
	three.Close()
	h.wait("proxy 4 begins with 3 a and b ended=true", "proxy 4 go")
	h.never("proxy 4 begins with 1")
}
