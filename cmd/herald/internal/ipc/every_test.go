package ipc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestEveryCommandArrivesAsItself(t *testing.T) {
	p, r := connected(t)
	for _, tt := range []struct {
		say  func()
		want Command
	}{
		{p.Drain, Drain{}}, {p.Stop, Stop{}}, {p.Handover, Handover{}},
		{func() { p.Rest(true) }, Rest(true)}, {func() { p.Rest(false) }, Rest(false)},
		{func() { p.Fact(ProxyFact{Known: true, Reason: "x"}) }, ProxyFact{Known: true, Reason: "x"}},
		{func() { p.Instances(json.RawMessage(`[1]`)) }, Instances{JSON: json.RawMessage(`[1]`)}},
		{func() { p.Files(Files{"a": 1}) }, Files{"a": 1}},
		{func() { p.Counts(Counts{"b": 2}) }, Counts{"b": 2}},
		{func() { p.Parts(Parts{Backends: map[string]int{"c": 3}}) }, Parts{Backends: map[string]int{"c": 3}}},
		{func() { p.Contents(Contents{"/f": []byte("\x00\xff"), "/gone": nil}) }, Contents{"/f": []byte("\x00\xff"), "/gone": nil}},
		{func() { p.Tally(OtherTally{Generation: 4, Counted: []byte("{}\n")}) }, OtherTally{Generation: 4, Counted: []byte("{}\n")}},
	} {
		tt.say()
		if got := <-r.Commands(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("got %#v, want %#v", got, tt.want)
		}
	}
	p.AskDump(7, "data")
	q, ok := (<-r.Commands()).(*StatusRequest)
	if !ok || q.Dump != "data" {
		t.Fatalf("got %#v, want a request for the data", q)
	}
	q.Answer(json.RawMessage(`"text"`))
	if got := receive[StatusReply](t, p); got.Seq != 7 || string(got.Raw) != `"text"` {
		t.Errorf("got %+v, want the text for 7", got)
	}
}

func TestWhatARoleReportsBesideItsStateArrives(t *testing.T) {
	p, r := connected(t)
	r.Follow(Follow{"/cert": []byte("sum"), "/none": {}})
	r.Belongings(json.RawMessage(`{"muted":true}`))
	r.Tally(Tally{Draining: true, Counted: []byte("{}\n")})
	r.Notice(Notice{Lane: "VI_1", Name: "notify", Args: []string{"MASTER"}, Former: true})
	if got, want := receive[Follow](t, p), (Follow{"/cert": []byte("sum"), "/none": {}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := receive[Belongings](t, p); string(got) != `{"muted":true}` {
		t.Errorf("got %s", got)
	}
	if got, want := receive[Tally](t, p), (Tally{Draining: true, Counted: []byte("{}\n")}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := receive[Notice](t, p), (Notice{Lane: "VI_1", Name: "notify", Args: []string{"MASTER"}, Former: true}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// A parent of another version may answer what this one does not understand:
// every question ends with an error then, and what came beside the answer is
// closed.
func TestAnswersThatAreNoneEndTheQuestion(t *testing.T) {
	p, r := connected(t)
	ctx := within(t)
	open := func() int { fds, _ := os.ReadDir("/proc/self/fd"); return len(fds) }
	for name, ask := range map[string]func() error{
		"listen":          func() error { _, err := r.Listen(ctx, []Socket{{Network: "tcp"}}); return err },
		"declare scripts": func() error { _, err := r.DeclareScripts(ctx, nil); return err },
		"run script":      func() error { _, err := r.RunScript(ctx, 0); return err },
		"watch files":     func() error { _, err := r.Watch(ctx, nil); return err },
		"count processes": func() error { _, err := r.Count(ctx, nil); return err },
		"sockets of namespace blue": func() error {
			_, err := r.Outward(ctx, Outward{NetNamespace: "blue", Count: 1})
			return err
		},
		"go": func() error { _, err := r.Ready(ctx, Prepared{}); return err },
	} {
		before := open()
		failed := make(chan error, 1)
		go func() { failed <- ask() }()
		m, err := p.conn.receive()
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Dup(2)
		if err != nil {
			t.Fatal(err)
		}
		var answer any = "nonsense"
		if name == "sockets of namespace blue" {
			answer = 7
		}
		p.conn.post(message{Kind: kindReply, Seq: m.Seq + 1000, Body: body(answer)}) // of nobody's question
		p.conn.post(message{Kind: kindReply, Seq: m.Seq, Body: body(answer), fds: []int{fd}, owned: true})
		if err := <-failed; err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: got %v", name, err)
		}
		if name != "listen" && name != "sockets of namespace blue" {
			continue // where no descriptors are awaited, none come
		}
		for limit := time.Now().Add(10 * time.Second); open() > before; runtime.Gosched() { // the parent closes its own behind the answer
			if time.Now().After(limit) {
				t.Fatalf("%s: %d descriptors are open, before %d", name, open(), before)
			}
		}
	}
	// More descriptors are announced than came.
	failed := make(chan error, 1)
	go func() { _, err := r.Listen(ctx, []Socket{{Network: "tcp"}}); failed <- err }()
	m, err := p.conn.receive()
	if err != nil {
		t.Fatal(err)
	}
	p.conn.post(message{Kind: kindReply, Seq: m.Seq, Body: body(listenAnswer{Counts: []int{2}})})
	if err := <-failed; err == nil || err.Error() != "listen: 0 descriptors for 1 sockets" {
		t.Errorf("got %v", err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.Watch(over, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a question given up: got %v", err)
	}
}

// A descriptor that was closed meanwhile cannot be lent.
func TestASocketThatIsGoneCannotBeLent(t *testing.T) {
	p, r := connected(t)
	failed := make(chan error, 1)
	go func() { _, err := r.Listen(within(t), []Socket{{Network: "tcp"}}); failed <- err }()
	q := receive[*ListenRequest](t, p)
	p.Lend(q, [][]int{{listener(t), -1}, {listener(t)}}, nil)
	if err := <-failed; err == nil || err.Error() != unix.EBADF.Error() {
		t.Errorf("got %v, want %v", err, unix.EBADF)
	}
}

// What is longer than any message may be ends the connection of who sends it.
func TestAMessageThatIsTooLongEndsTheConnection(t *testing.T) {
	p, r := connected(t)
	r.State(make([]byte, maxMessage+1))
	if got, err := p.Receive(); err != io.EOF {
		t.Errorf("got %.40v, %v, want the end", got, err)
	}
}

func TestADescriptorThatIsNoSocketIsNoRole(t *testing.T) {
	for name, f := range map[string]func() (*os.File, error){
		"a file": func() (*os.File, error) { return os.Open(os.Args[0]) },
		"TCP": func() (*os.File, error) {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			return os.NewFile(uintptr(fd), "tcp"), err
		},
	} {
		file, err := f()
		if err != nil {
			t.Fatal(err)
		}
		if r, err := Attach(file); err == nil || !strings.Contains(err.Error(), "role socket") {
			t.Errorf("%s: got %v, %v", name, r, err)
		}
		file.Close()
	}
	var old unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &old)
	unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max})
	_, _, err := Pair()
	unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("no descriptors: got %v, want %v", err, unix.EMFILE)
	}
}

func TestASocketIsNamedByWhereItListens(t *testing.T) {
	for want, s := range map[string]Socket{
		"tcp|:80|":          {Network: "tcp", Address: ":80", Count: 3},
		"tcp|:80|eth0":      {Network: "tcp", Address: ":80", Interface: "eth0"},
		"tcp|:80|eth0|blue": {Network: "tcp", Address: ":80", Interface: "eth0", NetNamespace: "blue"},
		"key":               {Network: "tcp", Address: ":80", Key: "key"},
	} {
		if got := s.Name(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOfFilesAndPartsOnlyTheNewestWait(t *testing.T) {
	var q []Command
	for i := range 3 {
		q = enqueue(enqueue(enqueue(q, Files{"a": i}), Parts{Backends: map[string]int{"b": i}}), Drain{})
	}
	want := []Command{Files{"a": 2}, Parts{Backends: map[string]int{"b": 2}}, Drain{}, Drain{}, Drain{}}
	if !reflect.DeepEqual(q, want) {
		t.Errorf("got %v, want %v", q, want)
	}
}

func TestOfTalliesTheNewestOfEachGenerationWaits(t *testing.T) {
	var q []Command
	k := &conn{wake: make(chan struct{}, 1)} // without a writer
	p := &Peer{conn: k}
	for i := range 3 {
		for generation := range 2 {
			tally := OtherTally{Generation: generation, Counted: []byte{'0' + byte(i)}}
			q = enqueue(q, tally)
			p.Tally(tally)
		}
	}
	want := []Command{OtherTally{Generation: 0, Counted: []byte("2")}, OtherTally{Generation: 1, Counted: []byte("2")}}
	if !reflect.DeepEqual(q, want) {
		t.Errorf("in the role: got %v, want %v", q, want)
	}
	var sent []Command
	for _, m := range k.outbox {
		sent = append(sent, (&Role{}).command(m))
	}
	if !reflect.DeepEqual(sent, want) {
		t.Errorf("in the parent: got %v, want %v", sent, want)
	}
}
