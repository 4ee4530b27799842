package ipc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be a role process that says one line and
// waits for its parent to go.
func TestMain(m *testing.M) {
	if os.Getenv("IPC_TEST_ROLE") != "" {
		os.Exit(roleProcess())
	}
	goleak.VerifyTestMain(m)
}

func roleProcess() int {
	r, err := Inherit()
	if err != nil {
		return 3
	}
	r.Log("here")
	select {
	case <-r.Done():
		os.Stdout.WriteString("parent gone\n")
		return 0
	case <-time.After(20 * time.Second):
		return 4
	}
}

// connected returns both ends in this process.
func connected(t *testing.T) (*Peer, *Role) {
	t.Helper()
	p, f, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	r, err := Attach(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(); r.Close() })
	return p, r
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// receive returns the next report, which must be a T.
func receive[T Report](t *testing.T, p *Peer) T {
	t.Helper()
	r, err := p.Receive()
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	v, ok := r.(T)
	if !ok {
		t.Fatalf("want a %T, got %T %v", v, r, r)
	}
	return v
}

func listener(t *testing.T) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// TestALentSocketStaysNonBlockingOnBothSides guards against os.File.Fd and
// ExtraFiles, which clear O_NONBLOCK on the open file both processes share.
func TestALentSocketStaysNonBlockingOnBothSides(t *testing.T) {
	p, r := connected(t)
	fd := listener(t)
	go func() {
		if req, err := p.Receive(); err == nil {
			p.Lend(req.(*ListenRequest), [][]int{{fd, fd}}, nil)
		}
	}()
	lent, err := r.Listen(within(t), []Socket{{Key: "web", Network: "tcp", Address: ":80", Count: 2}})
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(lent["web"])
	if len(lent["web"]) != 2 {
		t.Fatalf("want 2 descriptors for web, got %v", lent)
	}
	for _, d := range append(slices.Clone(lent["web"]), fd) {
		status, err := unix.FcntlInt(uintptr(d), unix.F_GETFL, 0)
		if err != nil || status&unix.O_NONBLOCK == 0 {
			t.Errorf("descriptor %d: flags %#x (%v), want O_NONBLOCK", d, status, err)
		}
		if own, _ := unix.FcntlInt(uintptr(d), unix.F_GETFD, 0); own&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d is not close-on-exec", d)
		}
	}
}

func TestMoreDescriptorsThanOnePacketCarriesArriveInOrder(t *testing.T) {
	p, r := connected(t)
	var fds [][]int
	var sockets []Socket
	for i := range 2*chunkFDs + 3 {
		fds = append(fds, []int{listener(t)})
		sockets = append(sockets, Socket{Key: string(rune('a'+i%26)) + strings.Repeat("x", i)})
	}
	go func() {
		if req, err := p.Receive(); err == nil {
			p.Lend(req.(*ListenRequest), fds, nil)
		}
	}()
	lent, err := r.Listen(within(t), sockets)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range sockets {
		var want, got unix.Stat_t
		unix.Fstat(fds[i][0], &want)
		if err := unix.Fstat(lent[s.Key][0], &got); err != nil || got.Ino != want.Ino {
			t.Fatalf("socket %d: want inode %d, got %d (%v)", i, want.Ino, got.Ino, err)
		}
		closeAll(lent[s.Key])
	}
}

func TestAnAddressThatCannotBeBoundFailsListen(t *testing.T) {
	p, r := connected(t)
	go func() {
		if req, err := p.Receive(); err == nil {
			p.Lend(req.(*ListenRequest), nil, errors.New("bind 192.0.2.1:80: address already in use"))
		}
	}()
	if _, err := r.Listen(within(t), []Socket{{}}); err == nil || !strings.Contains(err.Error(), "192.0.2.1:80") {
		t.Errorf("want the parent's reason, got %v", err)
	}
}

func TestALargeStatusArrivesWhole(t *testing.T) {
	p, r := connected(t)
	raw, _ := json.Marshal(strings.Repeat("s", 3<<20))
	p.AskStatus(9)
	go func() {
		for c := range r.Commands() {
			c.(*StatusRequest).Answer(raw)
		}
	}()
	if got := receive[StatusReply](t, p); got.Seq != 9 || !bytes.Equal(got.Raw, raw) {
		t.Errorf("want status 9 with %d bytes, got %d with %d", len(raw), got.Seq, len(got.Raw))
	}
}

func TestReadyWaitsForGo(t *testing.T) {
	p, r := connected(t)
	type answer struct {
		g   Go
		err error
	}
	got := make(chan answer, 1)
	go func() {
		g, err := r.Ready(within(t), Prepared{PidFile: "/run/x.pid", Note: "no real-time"})
		got <- answer{g, err}
	}()
	req := receive[*ReadyRequest](t, p)
	if req.Prepared.PidFile != "/run/x.pid" || req.Prepared.Note != "no real-time" {
		t.Errorf("want what was prepared, got %+v", req.Prepared)
	}
	select {
	case a := <-got:
		t.Fatalf("ready returned before go: %+v", a)
	default:
	}
	p.Go(req, Go{Generation: 3, State: []byte{0, 255}, Proxy: ProxyFact{Known: true, Serving: true}})
	if a := <-got; a.err != nil || a.g.Generation != 3 || !bytes.Equal(a.g.State, []byte{0, 255}) || !a.g.Proxy.Serving {
		t.Errorf("want generation 3 with its state, got %+v", a)
	}
}

func TestScriptsAreDeclaredAndRun(t *testing.T) {
	p, r := connected(t)
	go func() {
		for {
			switch req := must(p.Receive()).(type) {
			case *ScriptsRequest:
				p.Refuse(req, []string{"", "no such user"})
			case *RunRequest:
				p.Result(req, ScriptResult{Exit: req.Index})
			default:
				return
			}
		}
	}()
	refused, err := r.DeclareScripts(within(t), []Script{{Name: "a"}, {Name: "b"}})
	if err != nil || !slices.Equal(refused, []string{"", "no such user"}) {
		t.Errorf("want the second refused, got %q, %v", refused, err)
	}
	for i, ok := range []bool{true, false} {
		if res, err := r.RunScript(within(t), i); err != nil || res.OK() != ok {
			t.Errorf("script %d: want ok %t, got %+v, %v", i, ok, res, err)
		}
	}
	r.Log("end")
}

// must turns an error into a nil report, which ends the caller's loop.
func must(r Report, err error) Report {
	if err != nil {
		return nil
	}
	return r
}

func TestEveryReportArrivesAsItself(t *testing.T) {
	p, r := connected(t)
	r.Diagnostics([]Finding{{"warning", "f:1: warning: x"}})
	r.Held([]Address{{Prefix: "10.1.1.10/32", Interface: "eth0"}})
	r.State([]byte("s\n\x00{"))
	r.HandOver([]byte("h"))
	r.Instances(json.RawMessage(`[1]`))
	r.Health(true, "2 loops")
	r.Log("line")
	r.Failed(errors.New("boom"))
	want := []string{"f:1", "10.1.1.10/32", "s\n\x00{", "h", "[1]", "2 loops", "line", "boom"}
	for _, w := range want {
		rep, err := p.Receive()
		if err != nil {
			t.Fatal(err)
		}
		var text string
		switch v := rep.(type) {
		case Findings:
			text = v[0].Text
		case Held:
			text = v[0].Prefix
		case State:
			text = string(v)
		case Handed:
			text = string(v)
		case InstancesReport:
			text = string(v)
		case Health:
			text = v.Reason
		case LogLine:
			text = string(v)
		case Failed:
			text = string(v)
		}
		if !strings.Contains(text, w) {
			t.Errorf("want %q, got %T %q", w, rep, text)
		}
	}
}

func TestCommandsArriveInOrderAndOnlyTheNewestFactsWait(t *testing.T) {
	p, r := connected(t)
	p.Drain()
	for i := range 50 {
		p.Fact(ProxyFact{Known: true, Serving: i == 49})
		p.Instances(json.RawMessage(`[` + strings.Repeat("1,", i) + `0]`))
	}
	p.Stop()
	var kinds []string
	var last ProxyFact
	for c := range r.Commands() {
		switch c := c.(type) {
		case Drain:
			kinds = append(kinds, "drain")
		case ProxyFact:
			last = c
		case Stop:
			kinds = append(kinds, "stop")
			p.Close()
		}
	}
	if !slices.Equal(kinds, []string{"drain", "stop"}) || !last.Serving {
		t.Errorf("want drain, stop and the last fact, got %v and %+v", kinds, last)
	}
}

func TestQueuedFactsAreReplaced(t *testing.T) {
	var q []Command
	for _, c := range []Command{ProxyFact{Reason: "old"}, Drain{}, Instances{JSON: []byte("1")}, ProxyFact{Reason: "new"}, Instances{JSON: []byte("2")}} {
		q = enqueue(q, c)
	}
	if len(q) != 3 || q[0].(ProxyFact).Reason != "new" || string(q[2].(Instances).JSON) != "2" {
		t.Errorf("want the newest fact, drain, the newest instances; got %v", q)
	}
}

func TestTheEndOfTheParentEndsEveryWait(t *testing.T) {
	p, r := connected(t)
	failed := make(chan error, 1)
	go func() {
		_, err := r.Ready(context.Background(), Prepared{})
		failed <- err
	}()
	receive[*ReadyRequest](t, p)
	p.Close()
	if err := <-failed; !errors.Is(err, ErrParentGone) {
		t.Errorf("want ErrParentGone, got %v", err)
	}
	<-r.Done()
	if _, open := <-r.Commands(); open {
		t.Error("a command came from a parent that is gone")
	}
	if _, err := r.RunScript(context.Background(), 0); !errors.Is(err, ErrParentGone) {
		t.Errorf("want ErrParentGone from a later call, got %v", err)
	}
}

// TestTheLastWordsOfARoleAreHeard sends a command the role never reads: the
// kernel then reports a reset before what the role sent last.
func TestTheLastWordsOfARoleAreHeard(t *testing.T) {
	p, f, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	fd := int(f.Fd())
	p.Stop()
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(poll, 10000); n != 1 || err != nil {
		t.Fatalf("the command does not arrive: %v", err)
	}
	text := []byte(`{"kind":"failed","body":"why"}`)
	packet := append([]byte{0, 0, 0, 0, byte(len(text))}, text...)
	if err := unix.Send(fd, packet, 0); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if got := receive[Failed](t, p); got != "why" {
		t.Errorf("want why, got %q", got)
	}
	if _, err := p.Receive(); err != io.EOF {
		t.Errorf("want io.EOF, got %v", err)
	}
}

func TestNonsenseIsAnErrorNotAPanic(t *testing.T) {
	for name, packet := range map[string]string{
		"short":        "\x00\x00",
		"not JSON":     "\x00\x00\x00\x00\x02{!",
		"oversized":    "\x01\xff\xff\xff\xffx",
		"too long":     "\x00\x00\x00\x00\x01{}",
		"too short":    "\x00\x00\x00\x00\x09{}",
		"unknown kind": "\x00\x00\x00\x00\x0c{\"kind\":\"?\"}",
		"wrong body":   "\x00\x00\x00\x00\x1a{\"kind\":\"held\",\"body\":\"x\"}",
	} {
		p, f, err := Pair()
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Send(int(f.Fd()), []byte(packet), 0); err != nil {
			t.Fatal(err)
		}
		if r, err := p.Receive(); err == nil || err == io.EOF {
			t.Errorf("%s: want an error, got %v, %v", name, r, err)
		}
		f.Close()
		p.Close()
	}
}

func TestARoleCannotFillItsParentWithDescriptors(t *testing.T) {
	p, f, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	defer f.Close()
	files := func() int { all, _ := os.ReadDir("/proc/self/fd"); return len(all) }
	before := files()
	more := []byte("\x01\x00\x00\x00\x02") // of which more follows
	if err := unix.Sendmsg(int(f.Fd()), more, unix.UnixRights(0, 1, 2), nil, 0); err != nil {
		t.Fatal(err)
	}
	if r, err := p.Receive(); err == nil || err == io.EOF {
		t.Errorf("want an error, got %v, %v", r, err)
	}
	if n := files(); n != before {
		t.Errorf("%d descriptors are open, before %d", n, before)
	}
}

func TestAPeerThatDoesNotReadBlocksNobody(t *testing.T) {
	p, f, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 3 * maxOutbox {
		p.Drain()
	}
	ended := make(chan struct{})
	go func() { p.Close(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(5 * lastWords):
		t.Error("closing waits for a peer that does not read")
	}
}

func TestALogNobodyReadsIsCutNotTheConnection(t *testing.T) {
	p, r := connected(t)
	for range 3 * maxOutbox {
		r.Log(strings.Repeat("l", 100))
	}
	r.Held(nil) // what matters still fits
	for n := 0; ; n++ {
		rep, err := p.Receive()
		if err != nil {
			t.Fatalf("the connection ended: %v", err)
		}
		if _, ok := rep.(Held); ok {
			if n == 3*maxOutbox {
				t.Error("no line was dropped")
			}
			return
		}
	}
}

func TestAKilledParentIsNoticedByARealProcess(t *testing.T) {
	p, f, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "IPC_TEST_ROLE=1", Variable)
	cmd.ExtraFiles = []*os.File{f}
	out := &bytes.Buffer{}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if line := receive[LogLine](t, p); line != "here" {
		t.Errorf("want here, got %q", line)
	}
	p.Close() // what the kernel does when the parent is killed
	if err := cmd.Wait(); err != nil || out.String() != "parent gone\n" {
		t.Errorf("want an orderly end, got %v, %q", err, out)
	}
}

func TestAProcessNotStartedAsARoleIsTold(t *testing.T) {
	if _, err := Inherit(); err == nil {
		t.Error("a process without a parent became a role")
	}
}

func TestSocketsOfANamespaceArriveOrTheReason(t *testing.T) {
	p, r := connected(t)
	go func() {
		for i := range 2 {
			req, err := p.Receive()
			if err != nil {
				return
			}
			o := req.(*OutwardRequest)
			if i == 1 {
				p.Give(o, nil, errors.New("no "+o.Outward.NetNamespace))
				continue
			}
			var fds []int
			for range o.Outward.Count {
				fd, _ := unix.Dup(listener(t))
				fds = append(fds, fd)
			}
			p.Give(o, fds, nil)
		}
	}()
	fds, err := r.Outward(within(t), Outward{NetNamespace: "red", Count: chunkFDs + 1})
	if err != nil || len(fds) != chunkFDs+1 {
		t.Fatalf("got %d descriptors, %v, want %d", len(fds), err, chunkFDs+1)
	}
	if status, _ := unix.FcntlInt(uintptr(fds[chunkFDs]), unix.F_GETFL, 0); status&unix.O_NONBLOCK == 0 {
		t.Errorf("flags %#x, want O_NONBLOCK", status)
	}
	closeAll(fds)
	if _, err := r.Outward(within(t), Outward{NetNamespace: "blue", Count: 1}); err == nil || err.Error() != "no blue" {
		t.Errorf("got %v, want the parent's reason", err)
	}
}
