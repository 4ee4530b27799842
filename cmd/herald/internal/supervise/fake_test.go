package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host is the system of a test: roles are goroutines over real socket pairs,
// sockets are files, and everything that happens is an event.
type host struct {
	t      *testing.T
	s      *Supervisor
	stop   context.CancelFunc
	code   chan int
	events chan string

	mu      sync.Mutex
	seen    []string // events taken off the channel
	used    []bool   // by wait
	started map[ipc.Name]int
	live    map[string]*actor // by "proxy 1"
	// behave says how the n-th process of a role lives; nil is wellBehaved.
	behave  func(a *actor) string
	opened  map[string]*fakeListener
	watch   func([]ipc.File, func(ipc.Files)) (ipc.Files, func(), error)
	follow  func(ipc.Follow, func(ipc.Contents)) (func(), error)
	outward func(ipc.Outward) ([]int, error)
	count   func([]ipc.Program, func(ipc.Counts)) (ipc.Counts, func(), error)
	listen  error // fails Listen when set
}

// actor is a role "process".
type actor struct {
	*ipc.Role
	h      *host
	name   ipc.Name
	number int // from 1 per role
	peer   *ipc.Peer
	ended  chan struct{}
	reason string
	killed bool
}

func (a *actor) String() string  { return fmt.Sprintf("%s %d", a.name, a.number) }
func (a *actor) Pid() int        { return 1000 + a.number }
func (a *actor) Peer() *ipc.Peer { return a.peer }
func (a *actor) Kill() {
	a.h.mu.Lock()
	a.killed = true
	a.h.mu.Unlock()
	go a.Role.Close()
}

func (a *actor) Wait() string {
	<-a.ended
	a.h.mu.Lock()
	defer a.h.mu.Unlock()
	if a.killed {
		return "signal: killed"
	}
	return a.reason
}

// say is an event.
func (a *actor) say(format string, args ...any) {
	a.h.event(a.String() + " " + fmt.Sprintf(format, args...))
}

// times are short where a test waits for them and long where it must not
// matter.
func times() lifecycle.Config {
	c := lifecycle.Defaults
	c.Resign, c.StopDrain, c.Close = 500*time.Millisecond, 200*time.Millisecond, 500*time.Millisecond
	c.PauseFirst, c.PauseMost = time.Millisecond, 5*time.Millisecond
	return c
}

// newHost makes a host that runs both roles, with more said by change.
func newHost(t *testing.T, change func(*host, *Options)) *host {
	t.Helper()
	h := &host{t: t, code: make(chan int, 1), events: make(chan string, 1000), started: map[ipc.Name]int{},
		live: map[string]*actor{}, opened: map[string]*fakeListener{}}
	opt := Options{Roles: []ipc.Name{ipc.Proxy, ipc.VRRP}, Version: "test", Node: "here", Times: times(), Tick: time.Hour,
		Log: func(line string) { h.event("log " + line) }}
	if change != nil {
		change(h, &opt)
	}
	h.s = New(opt, System{
		Start:  h.start,
		Listen: h.open,
		Port: func(s ipc.Socket) uint16 {
			var p uint16
			fmt.Sscanf(s.Address[strings.LastIndexByte(s.Address, ':')+1:], "%d", &p)
			return p
		},
		Prepare:  h.prepare,
		Watch:    h.watch,
		Follow:   h.follow,
		Outward:  h.outward,
		Count:    h.count,
		Clear:    func(b ipc.Belongings) error { h.event("clear " + string(b)); return nil },
		Withdraw: func(list []ipc.Address) error { h.event("withdraw " + list[0].Prefix); return nil },
		Notify:   func(state string) { h.event("notify " + state) },
		WritePid: func(path string) (func(), error) {
			h.event("pid " + path)
			return func() { h.event("unpid " + path) }, nil
		},
	})
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	go func() { h.code <- h.s.Run(ctx) }()
	t.Cleanup(func() { stop(); h.finish() })
	return h
}

// finish waits for the end of Run and returns its exit code; it may be called
// again.
func (h *host) finish() int {
	select {
	case code := <-h.code:
		h.code <- code
		return code
	case <-time.After(10 * time.Second):
		h.t.Error("the supervisor does not end")
		return -1
	}
}

func (h *host) event(e string) {
	select {
	case h.events <- e:
	default: // a test that looks at none of them
	}
}

// wait waits until an event that begins with each of the given texts came, in
// any order, each event counting once in the test.
func (h *host) wait(texts ...string) {
	h.t.Helper()
	limit := time.After(10 * time.Second)
	take := func(i int) {
		for j, text := range texts {
			if !h.used[i] && strings.HasPrefix(h.seen[i], text) {
				h.used[i], texts = true, slices.Delete(slices.Clone(texts), j, j+1)
				return
			}
		}
	}
	for i := range h.seen {
		take(i)
	}
	for len(texts) > 0 {
		select {
		case e := <-h.events:
			h.saw(e)
			take(len(h.seen) - 1)
		case <-limit:
			h.t.Fatalf("never came: %q; what came:\n%s", texts, strings.Join(h.seen, "\n"))
		}
	}
}

func (h *host) saw(e string) { h.seen, h.used = append(h.seen, e), append(h.used, false) }

// never fails when an event so far begins with text.
func (h *host) never(text string) {
	h.t.Helper()
	for len(h.events) > 0 {
		h.saw(<-h.events)
	}
	for _, e := range h.seen {
		if strings.HasPrefix(e, text) {
			h.t.Errorf("came although it must not: %s", e)
		}
	}
}

// actor returns a live process.
func (h *host) actor(name string) *actor {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.live[name] == nil {
		h.t.Fatalf("there is no %s", name)
	}
	return h.live[name]
}

func (h *host) start(name ipc.Name) (Process, error) {
	peer, file, err := ipc.Pair()
	if err != nil {
		return nil, err
	}
	role, err := ipc.Attach(file)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.started[name]++
	a := &actor{Role: role, h: h, name: name, number: h.started[name], peer: peer, ended: make(chan struct{})}
	h.live[a.String()] = a
	behave := h.behave
	h.mu.Unlock()
	if behave == nil {
		behave = wellBehaved
	}
	a.say("starts")
	go func() {
		a.reason = behave(a)
		a.say("ends")
		role.Close()
		close(a.ended)
	}()
	return a, nil
}

// wellBehaved is a role that does what it is told.
func wellBehaved(a *actor) string {
	if !a.begin(ipc.Prepared{}) {
		return "exit status 1"
	}
	return a.obey()
}

// begin says READY and waits for go.
func (a *actor) begin(p ipc.Prepared) bool {
	a.say("ready")
	g, err := a.Ready(context.Background(), p)
	if err != nil {
		return false
	}
	if g.Parts != nil {
		a.say("parts %d", g.Parts.Backends["app"])
	}
	for _, t := range g.Tallies {
		a.say("begins with %d %s ended=%t", t.Generation, t.Counted, t.Ended)
	}
	if g.First {
		a.say("is the first")
	}
	a.say("go state=%s crashed=%t leftover=%d proxy=%t/%t instances=%s", g.State, g.Crashed, len(g.Leftover), g.Proxy.Known, g.Proxy.Serving, g.Instances)
	if a.name == ipc.VRRP {
		a.Held([]ipc.Address{{Prefix: "10.1.1.10/32", Interface: "eth0"}})
		a.Belongings(json.RawMessage(`{"routing":1}`))
		a.State([]byte(fmt.Sprintf("s%d", a.number)))
		a.Instances(json.RawMessage(fmt.Sprintf(`["i%d"]`, a.number)))
	}
	a.Health(true, "well")
	return true
}

// obey follows commands to the end.
func (a *actor) obey() string {
	for c := range a.Commands() {
		switch c := c.(type) {
		case ipc.Stop:
			a.say("stop")
			if a.name == ipc.VRRP {
				a.Held(nil)
			}
			return "exit status 0"
		case ipc.Drain:
			a.say("drain")
			return "exit status 0"
		case ipc.Handover:
			a.HandOver([]byte("handed by " + a.String()))
			return "exit status 0"
		case ipc.Rest:
			a.say("rest %t", c)
			if c {
				a.Held(nil)
			}
		case ipc.ProxyFact:
			a.say("fact %t %s", c.Serving, c.Reason)
		case ipc.Files:
			a.say("files %d", c["m"])
		case ipc.OtherTally:
			a.say("tally %d %s", c.Generation, c.Counted)
		case ipc.Contents:
			for path, b := range c {
				a.say("contents %s %s", path, b)
			}
		case ipc.Counts:
			a.say("counts %d", c["web"])
		case ipc.Parts:
			a.say("parts %d", c.Backends["app"])
		case ipc.Instances:
			a.say("instances %s", c.JSON)
		case *ipc.StatusRequest:
			c.Answer(json.RawMessage(`"` + a.String() + c.Dump + `"`))
		}
	}
	return "exit status 1"
}

// fakeListener is descriptors that are no sockets.
type fakeListener struct {
	h    *host
	name string
	fds  []int
}

func (h *host) open(spec ipc.Socket, shared bool) (Listener, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listen != nil {
		return nil, h.listen
	}
	l := &fakeListener{h: h, name: spec.Name()}
	h.opened[l.name] = l
	h.event(fmt.Sprintf("open %s shared=%t", l.name, shared))
	return l, l.Grow(max(spec.Count, 1))
}

func (l *fakeListener) Descriptors() []int { return l.fds }
func (l *fakeListener) Grow(n int) error {
	for len(l.fds) < n {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		l.fds = append(l.fds, fd)
	}
	return nil
}

func (l *fakeListener) Close() {
	for _, fd := range l.fds {
		unix.Close(fd)
	}
	l.h.event("close " + l.name)
}

// fakeScript runs until it may end.
type fakeScript struct {
	h    *host
	s    ipc.Script
	hold chan struct{}
}

func (h *host) prepare(s ipc.Script) (Script, error) {
	if s.User == "nobody-here" {
		return nil, errors.New("user nobody-here does not exist")
	}
	f := &fakeScript{h: h, s: s}
	if s.Name == "slow" {
		f.hold = make(chan struct{})
	}
	return f, nil
}

func (f *fakeScript) Run(ctx context.Context, more ...string) ipc.ScriptResult {
	f.h.event(strings.Join(append([]string{"run " + f.s.Name}, more...), " "))
	if f.hold != nil {
		<-ctx.Done()
		return ipc.ScriptResult{Exit: -1, Signal: "terminated"}
	}
	return ipc.ScriptResult{Exit: 3}
}

// descriptors counts what this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
