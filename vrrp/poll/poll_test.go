package poll

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func open(t *testing.T) *Poller {
	t.Helper()
	p, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// line is a pair of connected datagram sockets.
func line(t *testing.T) (near, far int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(pair[0]); unix.Close(pair[1]) })
	return pair[0], pair[1]
}

func say(t *testing.T, fd int) {
	t.Helper()
	if _, err := unix.Write(fd, []byte("x")); err != nil {
		t.Fatal(err)
	}
}

func TestWaitEndsNotBeforeItsMoment(t *testing.T) {
	p := open(t)
	for _, d := range []time.Duration{-time.Second, 0, time.Microsecond, 3 * time.Millisecond} {
		until := time.Now().Add(d)
		p.Wait(until)
		if early := time.Until(until); early > 0 {
			t.Errorf("%v: %v too early", d, early)
		}
	}
}

// The clock is left where an earlier wait has put it.
func TestAMomentThatWasPutOffIsWaitedFor(t *testing.T) {
	p := open(t)
	near, far := line(t)
	if err := p.Add(near, func() {}); err != nil {
		t.Fatal(err)
	}
	say(t, far)
	p.Wait(time.Now().Add(2 * time.Millisecond)) // ends by what was said
	until := time.Now().Add(20 * time.Millisecond)
	p.Wait(until)
	if early := time.Until(until); early > 0 {
		t.Errorf("%v too early", early)
	}
}

func TestAMomentThatWasBroughtForwardIsWaitedFor(t *testing.T) {
	p := open(t)
	p.Ring()
	p.Wait(time.Now().Add(time.Hour))
	until := time.Now().Add(time.Millisecond)
	p.Wait(until)
	if early := time.Until(until); early > 0 {
		t.Errorf("%v too early", early)
	}
}

func TestWhatArrivedIsToldEachTime(t *testing.T) {
	p := open(t)
	near, far := line(t)
	told := 0
	if err := p.Add(near, func() { told++ }); err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // nothing is read: each arrival is an edge
		say(t, far)
		p.Wait(time.Time{})
		if told != i+1 {
			t.Fatalf("told %d times after %d arrivals", told, i+1)
		}
	}
	p.Remove(near)
	say(t, far)
	p.Wait(time.Now())
	if told != 3 {
		t.Error("told after Remove")
	}
}

func TestMoreDescriptorsThanABatchAreAllTold(t *testing.T) {
	p := open(t)
	told := map[int]bool{}
	for i := range 3 * batch {
		near, far := line(t)
		if err := p.Add(near, func() { told[i] = true }); err != nil {
			t.Fatal(err)
		}
		say(t, far)
	}
	for len(told) < 3*batch {
		before := len(told)
		p.Wait(time.Now().Add(5 * time.Second))
		if len(told) == before {
			t.Fatalf("only %d of %d told", len(told), 3*batch)
		}
	}
}

func TestARingWhileNobodyWaitsEndsTheNextWait(t *testing.T) {
	p := open(t)
	p.Ring()
	p.Ring()
	p.Wait(time.Time{})
	until := time.Now().Add(time.Millisecond)
	p.Wait(until) // both were one
	if early := time.Until(until); early > 0 {
		t.Errorf("rung for twice: %v too early", early)
	}
}

// Each ring is answered by one wait at least: a lost one would stop the test.
func TestNoRingIsLost(t *testing.T) {
	p := open(t)
	const rings = 20000
	answered := make(chan struct{})
	var ringer sync.WaitGroup
	ringer.Go(func() {
		for range rings {
			p.Ring()
			<-answered
		}
	})
	for range rings {
		p.Wait(time.Time{})
		answered <- struct{}{}
	}
	ringer.Wait()
}

func TestAfterCloseNobodyIsRungFor(t *testing.T) {
	p := open(t)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p.asleep.Store(true)
	p.Ring()
	if err := p.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

// Each of the descriptors may be the one too many; those before it are closed.
func TestAPollerWithoutDescriptorsIsToldAndLeavesNone(t *testing.T) {
	highest := func() (n int) { // descriptors below it are taken, or count as such
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
		return fd
	}
	free := highest()
	var old unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &old)
	for more, call := range []string{"epoll_create1", "timerfd_create", "eventfd"} {
		unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(free + more), Max: old.Max})
		p, err := Open()
		unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
		if p != nil || !errors.Is(err, unix.EMFILE) || !strings.Contains(err.Error(), "open a poller: "+call) {
			t.Errorf("%d descriptors: got %v, %v, want %s: %v", more, p, err, call, unix.EMFILE)
		}
		if now := highest(); now != free {
			t.Errorf("after %s failed descriptor %d is the next, before %d", call, now, free)
		}
	}
}

func TestADescriptorThatCannotBeWatchedIsRefused(t *testing.T) {
	p := open(t)
	if err := p.Add(-1, func() {}); !errors.Is(err, unix.EBADF) {
		t.Errorf("no descriptor: got %v, want %v", err, unix.EBADF)
	}
	f, err := os.Open(os.Args[0]) // a regular file is always ready: epoll takes none
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := p.Add(int(f.Fd()), func() {}); !errors.Is(err, unix.EPERM) {
		t.Errorf("a regular file: got %v, want %v", err, unix.EPERM)
	}
	near, far := line(t)
	told := 0
	if err := p.Add(near, func() { told++ }); err != nil {
		t.Fatal(err)
	}
	p.Remove(near)
	p.Remove(near) // again is nothing
	say(t, far)
	p.Ring()
	p.Wait(time.Time{})
	if told != 0 {
		t.Errorf("a descriptor that was taken out is told %d times", told)
	}
}

func TestARestEnds(t *testing.T) {
	p := open(t)
	for _, d := range []time.Duration{-time.Second, 0, 2 * time.Millisecond} {
		begun := time.Now()
		p.Rest(d)
		if took := time.Since(begun); took > max(d, 0)+time.Second {
			t.Errorf("a rest of %v took %v", d, took)
		}
	}
	p.Close()
	p.Wait(time.Time{}) // closed: it does not wait
}
