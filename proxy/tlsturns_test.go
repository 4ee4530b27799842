package proxy

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// settled returns when the loop has done what its sockets had told of.
func (r *rig) settled(clients int64) {
	r.t.Helper()
	waitFor(r.t, func() bool { return r.conns.now.Load() == clients })
	for range 2 { // what the first turn fetches may be read in the second
		done := make(chan struct{})
		r.workers[0].l.Post(func() { close(done) })
		<-done
	}
}

// hold takes the only turn.
func (q *turns) hold(t *testing.T) {
	waitFor(t, func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.free == 0 {
			return false
		}
		q.free--
		return true
	})
}

func (q *turns) unused() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.free
}

func (q *silence) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n
}

func TestAHelloWhoseTurnHasNotComeCostsNoGoroutine(t *testing.T) {
	const clients, leave = 40, 10
	p := encrypted(section("127.0.0.1:1"))
	p.MaxConn = 2 * clients
	p.Timeouts.Client = time.Minute
	r := serve(t, 1, p)
	r.turns.hold(t)
	before := runtime.NumGoroutine()
	hello := firstMessage()
	var all []*net.TCPConn
	for range clients {
		c := r.dial()
		c.Write(hello)
		all = append(all, c)
	}
	r.settled(clients)
	if n := runtime.NumGoroutine() - before; n > 0 {
		t.Errorf("%d goroutines for %d hellos in line", n, clients)
	}
	for _, c := range all[:leave] {
		c.SetLinger(0)
		c.Close()
	}
	waitFor(t, func() bool { return r.conns.now.Load() == clients-leave })
	r.turns.give()
	waitFor(t, func() bool { return r.workers[0].silent.count() == clients-leave && r.turns.unused() == 1 })
}

func TestWhoIsInTheMiddleOfAHandshakeGoesOnBeforeAnotherBegins(t *testing.T) {
	var q turns
	fresh, middle := &handshake{}, &handshake{ready: make(chan struct{}, 1)}
	q.begin(fresh)
	went := make(chan struct{})
	go func() {
		q.take(middle)
		close(went)
	}()
	waitFor(t, func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.again.first == middle
	})
	middle.poke() // its client said more: that is no turn
	waitFor(t, func() bool { return len(middle.ready) == 0 })
	select {
	case <-went:
		t.Error("it went on without a turn")
	default:
	}
	q.give()
	<-went
	if q.fresh.first != fresh || q.free != 0 {
		t.Errorf("the one that had not begun was taken out, or %d turns are left", q.free)
	}
}

func TestTheLongestSilentAreGivenUpWhenThereAreMany(t *testing.T) {
	const most, longest = 4, 10
	percent := debug.SetGCPercent(70)
	defer debug.SetGCPercent(percent)
	thrifty := func() bool {
		p := debug.SetGCPercent(100)
		debug.SetGCPercent(p)
		return p == thriftyGC
	}
	q := silence{thrift: &thrift{}, most: most, longest: longest}
	var all []*handshake
	for i, step := range []struct {
		now   int64
		given int // of the handshakes so far, the first so many are out
	}{
		{0, 0},
		{1, 0},
		{2, 0},
		{50, 0}, // as long as they like while they are few
		{50, 1}, // one goes for one that comes
		{51, 2},
		{52, 3},
		{53, 3}, // five may be silent for 8, the next has been for 3
		{54, 3},
		{55, 3}, // seven for 40/7, it has been for 5
		{56, 5}, // eight for 5; then six may for 40/6, the next has been for 5
		{100, 8},
	} {
		h := &handshake{}
		all = append(all, h)
		q.add(h, step.now)
		for j, h := range all {
			if h.listed != (j >= step.given) {
				t.Errorf("%d: the one of number %d is listed: %v", i, j, h.listed)
			}
		}
	}
	if !thrifty() {
		t.Error("the collector does not save memory")
	}
	for _, h := range all {
		q.remove(h)
		q.remove(h)
	}
	if q.n != 0 || q.first != nil || q.last != nil {
		t.Errorf("%d are left", q.n)
	}
	if p := debug.SetGCPercent(70); p != 70 {
		t.Errorf("GOGC is %d afterwards, want 70", p)
	}
}

func TestSilentClientsMakeRoomForOthers(t *testing.T) {
	const most = 3
	p := encrypted(section(origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, "hello") })))
	p.Timeouts.Client = time.Minute
	r := serve(t, 1, p)
	q := &r.workers[0].silent
	q.mu.Lock()
	q.most, q.longest = most, 0
	q.mu.Unlock()
	hello := firstMessage()
	var silent []*net.TCPConn
	for n := range most + 1 {
		c := r.dial()
		c.Write(hello)
		silent = append(silent, c)
		waitFor(t, func() bool { return q.count() == min(n+1, most) && r.conns.now.Load() == int64(min(n+1, most)) })
	}
	if _, err := io.ReadAll(silent[0]); err != nil {
		t.Errorf("the longest silent is not closed: %v", err)
	}
	r.log.wait(t, lateInHandshake)
	c := r.secure(trusting())
	io.WriteString(c, get)
	if _, err := io.ReadFull(c, make([]byte, 12)); err != nil {
		t.Errorf("an honest client: %v", err)
	}
}
