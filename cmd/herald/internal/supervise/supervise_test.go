package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/cmd/herald/internal/ipc"
)

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestBothRolesBeginAndStopInOrder(t *testing.T) {
	before := descriptors(t)
	h := newHost(t, nil)
	h.wait("proxy 1 go", "vrrp 1 go", "notify READY=1", "vrrp 1 fact true well")
	h.stop()
	h.wait("notify STOPPING=1", "vrrp 1 stop", "vrrp 1 ends", "proxy 1 drain", "proxy 1 ends")
	if slices.Index(h.seen, "vrrp 1 ends") > slices.Index(h.seen, "proxy 1 drain") {
		t.Errorf("the proxy drains while addresses are here: %q", h.seen)
	}
	if code := h.finish(); code != 0 {
		t.Errorf("want exit code 0, got %d", code)
	}
	h.never("withdraw")
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestAProxyThatDiesIsStartedAgainAndTheOtherRoleKnowsAtOnce(t *testing.T) {
	h := newHost(t, nil)
	h.wait("vrrp 1 fact true well")
	killed := time.Now()
	h.actor("proxy 1").Kill()
	// The role may find only the newest of two facts, when the proxy is back
	// before it looks.
	h.wait("log the proxy is not serving (the proxy process died: signal: killed)", "proxy 2 go", "vrrp 1 fact true well")
	if took := time.Since(killed); took > 500*time.Millisecond {
		t.Errorf("want another proxy within 500 ms, got %v", took)
	}
	h.never("vrrp 1 ends")
	status, err := h.s.Status(within(t))
	if err != nil || !strings.Contains(status.Roles[1].Note, "restarted 1 times, last after: signal: killed") {
		t.Errorf("want the restart noted, got %+v, %v", status.Roles, err)
	}
}

func TestAVRRPRoleThatDiesGoesOnFromItsLastState(t *testing.T) {
	h := newHost(t, nil)
	h.wait("proxy 1 instances [\"i1\"]", "vrrp 1 fact true")
	h.actor("vrrp 1").Kill()
	h.wait("vrrp 2 go state=s1 crashed=true leftover=1 proxy=true/true")
	h.wait("proxy 1 instances [\"i2\"]")
	h.never("withdraw")
}

func TestAVRRPRoleThatCannotComeBackLosesItsAddresses(t *testing.T) {
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			if a.name == ipc.VRRP && a.number > 1 && a.number < 6 {
				a.Failed(errors.New("no memory"))
				return "exit status 1"
			}
			return wellBehaved(a)
		}
	})
	h.wait("proxy 1 instances [\"i1\"]")
	h.actor("vrrp 1").Kill()
	h.wait("log the VRRP role died 3 times within 10s: withdrawing 10.1.1.10/32 dev eth0", "withdraw 10.1.1.10/32",
		`clear {"routing":1}`)
	h.wait("vrrp 6 go state= crashed=false leftover=0")
}

func TestAReloadPassesStateSocketsAndConnections(t *testing.T) {
	web := ipc.Socket{Network: "tcp", Address: "127.0.0.1:80", Count: 2}
	old := ipc.Socket{Network: "tcp", Address: "127.0.0.1:81"}
	also := ipc.Socket{Network: "tcp", Address: "10.0.0.1:80"}
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			if a.name == ipc.VRRP {
				return wellBehaved(a)
			}
			want := []ipc.Socket{web, old}
			if a.number > 1 {
				want = []ipc.Socket{web, also}
				want[0].Count = 1
			}
			lent, err := a.Listen(context.Background(), want)
			if err != nil {
				a.Failed(err)
				return "exit status 1"
			}
			a.say("lent %d", len(lent[web.Name()]))
			return wellBehaved(a)
		}
	})
	h.wait("open tcp|127.0.0.1:80|", "open tcp|127.0.0.1:81|", "proxy 1 lent 2", "proxy 1 instances")
	if r := h.s.Reload(within(t)); r.Failed != "" {
		t.Fatalf("reload: %s", r.Failed)
	}
	// Two sockets stay although one is asked for: each has connections waiting.
	h.wait("notify RELOADING=1", "open tcp|10.0.0.1:80| shared=true", "proxy 2 lent 2", "proxy 2 go", "proxy 1 drain", "close tcp|127.0.0.1:81|")
	h.wait("vrrp 2 go state=handed by vrrp 1 crashed=false")
	h.never("close tcp|127.0.0.1:80|")
	h.stop()
	h.wait("close tcp|127.0.0.1:80|", "close tcp|10.0.0.1:80|")
}

func TestAReloadWithAnErrorChangesNothingAndSaysWhy(t *testing.T) {
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			a.Diagnostics([]ipc.Finding{{Severity: "warning", Text: fmt.Sprintf("x:1: warning: of %s", a)}})
			if a.name == ipc.Proxy && a.number == 2 {
				a.Listen(context.Background(), []ipc.Socket{{Network: "tcp", Address: "127.0.0.1:99"}})
				a.Diagnostics([]ipc.Finding{{Severity: "error", Text: "x:2: error: bad"}})
				a.Failed(errors.New("the configuration has errors"))
				return "exit status 1"
			}
			return wellBehaved(a)
		}
	})
	h.wait("vrrp 1 fact true")
	r := h.s.Reload(within(t))
	if !strings.Contains(r.Failed, "the configuration has errors") || !slices.ContainsFunc(r.Findings, func(f ipc.Finding) bool { return f.Text == "x:2: error: bad" }) {
		t.Errorf("want the reason and the findings, got %+v", r)
	}
	h.wait("close tcp|127.0.0.1:99|")
	h.never("proxy 1 drain")
	h.never("vrrp 1 ends")
	if r := h.s.Reload(within(t)); r.Failed != "" {
		t.Errorf("the next reload fails: %s", r.Failed)
	}
	h.wait("proxy 3 go", "proxy 1 drain")
}

func TestOneReloadAtATime(t *testing.T) {
	begin := make(chan struct{})
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			if a.number == 2 {
				<-begin
			}
			return wellBehaved(a)
		}
	})
	h.wait("vrrp 1 fact true")
	first := make(chan Result, 1)
	go func() { first <- h.s.Reload(context.Background()) }()
	h.wait("proxy 2 starts", "vrrp 2 starts")
	if r := h.s.Reload(within(t)); !strings.Contains(r.Failed, "under way") {
		t.Errorf("want a refusal, got %+v", r)
	}
	close(begin)
	if r := <-first; r.Failed != "" {
		t.Errorf("want the first to succeed, got %+v", r)
	}
}

func TestAStartThatFailsEndsWithOne(t *testing.T) {
	h := newHost(t, func(h *host, _ *Options) {
		h.listen = errors.New("bind :80: address already in use")
		h.behave = listening
	})
	if code := h.finish(); code != 1 {
		t.Errorf("want exit code 1, got %d", code)
	}
	h.wait("log start failed: role proxy: bind :80: address already in use")
	h.never("notify READY=1")
	h.never("vrrp 1 go")
}

// listening is a role that needs a socket.
func listening(a *actor) string {
	if a.name == ipc.Proxy {
		if _, err := a.Listen(context.Background(), []ipc.Socket{{Network: "tcp", Address: ":80"}}); err != nil {
			a.Failed(err)
			return "exit status 1"
		}
	}
	return wellBehaved(a)
}

func TestAProcessThatCannotBeStartedIsAFailedStart(t *testing.T) {
	h := &host{t: t}
	s := New(Options{Roles: []ipc.Name{ipc.VRRP}, Log: h.event}, System{
		Start:    func(ipc.Name) (Process, error) { return nil, errors.New("out of processes") },
		Notify:   func(string) {},
		Withdraw: func([]ipc.Address) error { return nil },
	})
	if code := s.Run(context.Background()); code != 1 {
		t.Errorf("want exit code 1, got %d", code)
	}
	if r := s.Reload(context.Background()); r.Failed == "" {
		t.Error("a parent that ended reloads")
	}
	if _, err := s.Status(context.Background()); err == nil {
		t.Error("a parent that ended has a status")
	}
}

func TestScriptsAreDeclaredOnceAndRunAsDeclared(t *testing.T) {
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			if a.name != ipc.VRRP {
				return wellBehaved(a)
			}
			refused, err := a.DeclareScripts(context.Background(), []ipc.Script{{Name: "ok"}, {Name: "no", User: "nobody-here"}, {Name: "slow"}})
			a.say("refused %q %v", refused, err)
			if !a.begin(ipc.Prepared{}) {
				return "exit status 1"
			}
			refused, _ = a.DeclareScripts(context.Background(), []ipc.Script{{Name: "evil"}})
			a.say("late %q", refused)
			go func() {
				r, _ := a.RunScript(context.Background(), 2)
				a.say("slow %+v", r.Signal)
			}()
			return a.obey()
		}
	})
	h.wait(`vrrp 1 refused ["" "user nobody-here does not exist" ""] <nil>`, `vrrp 1 late ["scripts are declared once`, "run slow")
	v := h.actor("vrrp 1")
	for i, want := range []string{"", "not declared", "still running", "not declared"} {
		r, err := v.RunScript(within(t), i)
		if err != nil || want == "" && r.Exit != 3 || want != "" && !strings.Contains(r.Error, want) {
			t.Errorf("script %d: want %q, got %+v, %v", i, want, r, err)
		}
	}
	if r, err := v.RunScript(within(t), -1); err != nil || r.Error == "" {
		t.Errorf("script -1: got %+v, %v", r, err)
	}
	if r, err := h.actor("proxy 1").RunScript(within(t), 0); err != nil || r.Error == "" {
		t.Errorf("the proxy has a script run: %+v, %v", r, err)
	}
	h.stop() // ends the slow one too
	h.finish()
}

func TestAProxyHasTheCommandsOfItsChecksRun(t *testing.T) {
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			if a.name == ipc.Proxy {
				refused, err := a.DeclareScripts(context.Background(), []ipc.Script{{Name: "ok"}, {Name: "ok", Lane: "VI_1"}})
				a.say("refused %q %v", refused, err)
			}
			return wellBehaved(a)
		}
	})
	h.wait(`proxy 1 refused ["" "only the VRRP role notifies"] <nil>`, "proxy 1 go")
	p := h.actor("proxy 1")
	if r, err := p.RunScript(within(t), 0); err != nil || r.Exit != 3 {
		t.Errorf("a declared command: got %+v, %v", r, err)
	}
	if r, err := p.RunScript(within(t), 1); err != nil || r.Error == "" {
		t.Errorf("a refused one: got %+v, %v", r, err)
	}
	h.stop()
	h.finish()
}

func TestAProxyCannotClaimAddresses(t *testing.T) {
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			if a.name == ipc.Proxy {
				a.Held([]ipc.Address{{Prefix: "192.0.2.1/32"}})
				a.State([]byte("mine"))
			}
			return wellBehaved(a)
		}
	})
	h.wait("vrrp 1 go state= crashed=false leftover=0", "proxy 1 instances")
	status, err := h.s.Status(within(t))
	if err != nil || len(status.Held) != 1 || status.Held[0].Prefix != "10.1.1.10/32" {
		t.Errorf("want only the VRRP role's address, got %+v, %v", status.Held, err)
	}
}

func TestASilentProxyIsNotServing(t *testing.T) {
	h := newHost(t, func(_ *host, o *Options) {
		o.Tick = 10 * time.Millisecond
		o.Times.SilentVRRP, o.Times.DeadProxy = 1<<30, 20
	})
	h.wait("vrrp 1 fact true well", "vrrp 1 fact false no heartbeat for 3 s", "proxy 1 ends", "proxy 2 go")
}

func TestAVRRPRoleThatDoesNotResignIsKilledAndItsAddressesTaken(t *testing.T) {
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			if a.name == ipc.VRRP && a.begin(ipc.Prepared{}) {
				<-a.Done() // deaf
				return ""
			}
			return wellBehaved(a)
		}
	})
	h.wait("proxy 1 instances")
	h.stop()
	h.wait("log role vrrp (pid 1001) is killed: it does not go", "withdraw 10.1.1.10/32", "proxy 1 drain")
	if code := h.finish(); code != 0 {
		t.Errorf("want exit code 0, got %d", code)
	}
}

func TestASecondStopDoesNotWait(t *testing.T) {
	h := newHost(t, func(h *host, o *Options) {
		o.Times.Resign, o.Times.StopDrain = time.Hour, time.Hour
		h.behave = func(a *actor) string {
			a.begin(ipc.Prepared{})
			<-a.Done()
			return ""
		}
	})
	h.wait("proxy 1 go", "vrrp 1 go")
	h.stop()
	h.wait("notify STOPPING=1")
	h.s.Kill()
	h.finish()
}

func TestTheStatusIsOfBothRolesAndNamesWhoDoesNotAnswer(t *testing.T) {
	deaf := make(chan struct{})
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			if a.name == ipc.Proxy && a.begin(ipc.Prepared{PidFile: "/run/haproxy.pid", Note: "no chroot", Confined: "seccomp"}) {
				close(deaf)
				<-a.Done()
				return ""
			}
			return wellBehaved(a)
		}
	})
	h.wait("vrrp 1 fact true", "pid /run/haproxy.pid", "log role proxy: no chroot")
	<-deaf
	s, err := h.s.Status(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if string(s.VRRP) != `"vrrp 1"` || s.Proxy != nil || len(s.Roles) != 2 || s.Roles[0].State != "ready" || s.Roles[0].Confined != "seccomp" || !s.Serving.Serving {
		t.Errorf("want the VRRP role's part alone, got %+v", s)
	}
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "proxy does not answer") {
		t.Errorf("want the proxy named, got %q", s.Warnings)
	}
	h.stop()
	h.wait("unpid /run/haproxy.pid")
}

func TestAStatusDoesNotWaitForARoleThatDies(t *testing.T) {
	asked := make(chan *actor, 1)
	h := newHost(t, func(h *host, o *Options) {
		o.Roles = []ipc.Name{ipc.VRRP}
		h.behave = func(a *actor) string {
			if a.number > 1 {
				<-a.Done()
				return ""
			}
			a.begin(ipc.Prepared{})
			for c := range a.Commands() {
				if _, is := c.(*ipc.StatusRequest); is {
					asked <- a
				}
			}
			return ""
		}
	})
	h.wait("notify READY=1")
	go func() { (<-asked).Kill() }()
	began := time.Now()
	s, err := h.s.Status(within(t))
	if err != nil || s.VRRP != nil || time.Since(began) > statusTimeout {
		t.Errorf("want an answer without it at once, got %+v, %v after %v", s, err, time.Since(began))
	}
}

func TestAProxysMemoryGoesToTheNextOneAndADrainingOneIsNotHeard(t *testing.T) {
	spoken := make(chan struct{})
	h := newHost(t, func(h *host, _ *Options) {
		h.behave = func(a *actor) string {
			if a.name == ipc.VRRP || !a.begin(ipc.Prepared{}) {
				return wellBehaved(a)
			}
			a.State([]byte(fmt.Sprintf("m%d", a.number)))
			a.Log(fmt.Sprintf("told %d", a.number))
			for c := range a.Commands() {
				switch c.(type) {
				case ipc.Drain:
					<-spoken
					a.State([]byte("late"))
					a.Log("told late")
				case ipc.Stop:
					return "exit status 0"
				}
			}
			return "exit status 1"
		}
	})
	h.wait("proxy 1 go state= ", "log proxy: told 1")
	if r := h.s.Reload(within(t)); r.Failed != "" {
		t.Fatalf("reload: %s", r.Failed)
	}
	h.wait("proxy 2 go state=m1 ", "log proxy: told 2")
	close(spoken)
	h.wait("log proxy: told late")
	h.actor("proxy 2").Kill()
	h.wait("proxy 3 go state=m2 ")
}
