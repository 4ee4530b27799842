package loop

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// turning starts a loop and stops it with the test.
func turning(t *testing.T) *Loop {
	t.Helper()
	l, err := New(Options{AcceptBudget: 2})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run() }()
	t.Cleanup(func() {
		l.Stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return l
}

// on runs f on the loop and waits for it.
func on(l *Loop, f func()) {
	done := make(chan struct{})
	l.Post(func() { f(); close(done) })
	<-done
}

// echo sends back what it receives.
type echo struct {
	Socket
	l      *Loop
	closed chan struct{}
}

func (e *echo) Ready(Event) {
	for e.Open() && e.Can()&Readable != 0 {
		n, errno := e.Recv(e.l.Buffer())
		if errno == syscall.EAGAIN {
			return
		}
		if n == 0 || errno != 0 {
			e.Close()
			e.closed <- struct{}{}
			return
		}
		e.Send(e.l.Buffer()[:n])
	}
}

type echoPort struct {
	l       *Loop
	room    int
	li      *Listener
	starved chan syscall.Errno
	closed  chan struct{}
	peers   chan netip.AddrPort
}

func (p *echoPort) Reserve() bool {
	if p.room == 0 {
		p.li.Pause()
		return false
	}
	p.room--
	return true
}
func (p *echoPort) Release() { p.room++ }
func (p *echoPort) Starved(e syscall.Errno) {
	select {
	case p.starved <- e:
	default:
	}
}
func (p *echoPort) Accepted(fd int, peer netip.AddrPort) {
	NoDelay(fd)
	KeepAlive(fd, 3, 10, 5)
	e := &echo{l: p.l, closed: p.closed}
	if err := p.l.Register(&e.Socket, fd, e); err != nil {
		unix.Close(fd)
	}
	p.peers <- peer
}

func listening(t *testing.T, l *Loop, room int) (*echoPort, string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	unix.Listen(fd, 64)
	addr := LocalAddr(fd).String()
	p := &echoPort{l: l, room: room, starved: make(chan syscall.Errno, 1), closed: make(chan struct{}, 64), peers: make(chan netip.AddrPort, 64)}
	on(l, func() {
		if p.li, err = l.Listen(fd, p); err != nil {
			t.Error(err)
		}
	})
	return p, addr
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(5 * time.Second))
	t.Cleanup(func() { c.Close() })
	return c
}

func TestBytesComeBackAndTheEndIsSeen(t *testing.T) {
	l := turning(t)
	p, addr := listening(t, l, 8)
	c := dial(t, addr)
	c.Write([]byte("ping"))
	var b [4]byte
	if _, err := c.Read(b[:]); err != nil || string(b[:]) != "ping" {
		t.Fatalf("got %q, %v; want ping", b, err)
	}
	if got, want := (<-p.peers).String(), c.LocalAddr().String(); got != want {
		t.Errorf("peer: got %s, want %s", got, want)
	}
	c.Close()
	<-p.closed
}

func TestAListenerWithoutRoomWaitsUntilItIsResumed(t *testing.T) {
	l := turning(t)
	p, addr := listening(t, l, 1)
	dial(t, addr)
	<-p.peers
	dial(t, addr) // accepted by the system only
	on(l, func() {})
	select {
	case <-p.peers:
		t.Fatal("a second connection was accepted without room")
	default:
	}
	on(l, func() { p.room = 1; p.li.Resume() })
	<-p.peers
}

func TestPostedFunctionsRunInOrderAndNotAfterStop(t *testing.T) {
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run() }()
	var got []int
	for i := range 100 {
		l.Post(func() { got = append(got, i) })
	}
	on(l, func() {})
	for i, v := range got {
		if v != i {
			t.Fatalf("position %d: got %d", i, v)
		}
	}
	l.Stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if l.Post(func() { t.Error("ran after Stop") }) {
		t.Error("Post took a function after Stop")
	}
}

func TestADialTellsSuccessAndRefusal(t *testing.T) {
	l := turning(t)
	p, addr := listening(t, l, 8)
	_ = p
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := gone.Addr().String()
	gone.Close()
	for _, tc := range []struct {
		addr string
		want syscall.Errno
	}{{addr, 0}, {refusing, unix.ECONNREFUSED}} {
		to := TCP(netip.MustParseAddrPort(tc.addr))
		d := &dialing{result: make(chan syscall.Errno, 1)}
		l.Post(func() {
			if errno := l.Dial(&d.Socket, &to, d); errno != 0 {
				d.result <- errno
			}
		})
		if got := <-d.result; got != tc.want {
			t.Errorf("dial %s: got %v, want %v", tc.addr, got, tc.want)
		}
	}
}

type dialing struct {
	Socket
	result chan syscall.Errno
}

func (d *dialing) Ready(ev Event) {
	if ev&Writable != 0 && d.Open() {
		d.result <- d.Err()
		d.Reset()
	}
}

func TestAUnixPathLongerThanTheSystemTakesIsRefused(t *testing.T) {
	if _, err := Unix(string(make([]byte, 108))); err == nil {
		t.Error("got no error")
	}
	path := t.TempDir() + "/s"
	li, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer li.Close()
	to, err := Unix(path)
	if err != nil {
		t.Fatal(err)
	}
	l := turning(t)
	d := &dialing{result: make(chan syscall.Errno, 1)}
	l.Post(func() {
		if errno := l.Dial(&d.Socket, &to, d); errno != 0 {
			d.result <- errno
		}
	})
	if got := <-d.result; got != 0 {
		t.Errorf("dial: %v", got)
	}
}

// closer closes another socket of the same batch of events.
type closer struct {
	Socket
	other *closer
	after func()
	calls int
}

func (c *closer) Ready(ev Event) {
	if ev&Readable == 0 || !c.Open() {
		return
	}
	c.calls++
	c.other.Close()
	c.after()
}

func TestAnEventForAClosedSocketReachesNeitherItNorItsSuccessor(t *testing.T) {
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	var pairs [3][2]int
	for i := range pairs {
		if pairs[i], err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(pairs[i][1])
	}
	a, b, successor := &closer{}, &closer{}, &closer{}
	a.other, b.other, successor.other = b, a, successor
	reached := make(chan struct{})
	take := func() { // the freed slot goes to the successor, inside the batch
		if err := l.Register(&successor.Socket, pairs[2][0], successor); err != nil {
			t.Error(err)
		}
		l.Again(again{reached})
	}
	a.after, b.after, successor.after = take, take, func() {}
	unix.Write(pairs[0][1], []byte("x"))
	unix.Write(pairs[1][1], []byte("x"))
	for i, c := range []*closer{a, b} {
		if err := l.Register(&c.Socket, pairs[i][0], c); err != nil {
			t.Fatal(err)
		}
	}
	go func() { done <- l.Run() }()
	<-reached
	l.Stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := a.calls + b.calls; got != 1 {
		t.Errorf("handlers called: got %d, want 1: the other was closed by it", got)
	}
	if successor.calls != 0 {
		t.Error("the successor got the event of the closed socket")
	}
}

type again struct{ reached chan struct{} }

func (a again) Ready(Event) { close(a.reached) }

func TestRunningOutOfDescriptorsRestsTheListenerAndRecovers(t *testing.T) {
	l := turning(t)
	p, addr := listening(t, l, 8)
	c := dial(t, addr)
	<-p.peers
	var old unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &old)
	c2, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(c2)
	free, err := unix.Dup(c2)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(free)
	limit := old
	limit.Cur = uint64(free) // below it none is free
	unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	at := netip.MustParseAddrPort(addr)
	err = unix.Connect(c2, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()})
	errno := <-p.starved
	unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
	if err != nil || errno != unix.EMFILE {
		t.Errorf("connect %v, starved %v; want nil and EMFILE", err, errno)
	}
	<-p.peers // accepted after the rest
	c.Close()
}

func TestTimersExpireInOrderAtTheirLastDeadline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &Loop{}
		timers := make([]Timer, 8)
		when := make([]int64, 8)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			i := rapid.IntRange(0, 7).Draw(t, "timer")
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				l.Disarm(&timers[i])
				when[i] = 0
			case 1:
				l.Drop(&timers[i])
				when[i] = 0
			default:
				when[i] = rapid.Int64Range(1, 100).Draw(t, "when")
				l.Arm(&timers[i], when[i], nil)
			}
		}
		now := rapid.Int64Range(0, 100).Draw(t, "now")
		for {
			got := l.timers.due(now)
			if got == nil {
				break
			}
			found := false
			for i := range timers {
				if got == &timers[i] {
					if found = when[i] != 0 && when[i] <= now; !found {
						t.Fatalf("timer %d expired at %d, its deadline is %d", i, now, when[i])
					}
					when[i] = 0
				}
			}
		}
		for i, w := range when {
			if w != 0 && w <= now {
				t.Fatalf("timer %d with deadline %d did not expire at %d", i, w, now)
			}
			if armed := timers[i].Armed(); armed != (w != 0) {
				t.Fatalf("timer %d: armed %v, want %v", i, armed, w != 0)
			}
		}
	})
}

type expiry struct{ ch chan int64 }

func (e *expiry) Expired(*Timer) { e.ch <- 1 }

func TestALoopWithoutEventsWakesForItsTimers(t *testing.T) {
	l := turning(t)
	e := &expiry{make(chan int64, 1)}
	var tm Timer
	start := time.Now()
	l.Post(func() { l.Arm(&tm, l.Now()+int64(20*time.Millisecond), e) })
	<-e.ch
	if took := time.Since(start); took < 20*time.Millisecond {
		t.Errorf("expired after %v, before its time", took)
	}
}

func TestTheHeartbeatGoesOnWithoutTraffic(t *testing.T) {
	l := turning(t)
	on(l, func() {})
	first := l.Beat()
	var ticks atomic.Int64
	e := &expiry{make(chan int64, 1)}
	var tm Timer
	l.Post(func() { l.Arm(&tm, l.Now()+int64(time.Millisecond), e) })
	<-e.ch
	on(l, func() { ticks.Add(1) })
	if l.Beat() <= first {
		t.Errorf("beat stayed at %d", first)
	}
	if late := l.Clock() - l.Beat(); late > int64(time.Second) {
		t.Errorf("beat is %v old", time.Duration(late))
	}
}
