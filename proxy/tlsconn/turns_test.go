package tlsconn

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"unsafe"

	"herald/proxy/testcert"
)

func (q *silence) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n
}

func TestAHelloWhoseTurnHasNotComeCostsNoGoroutine(t *testing.T) {
	const clients, leave = 40, 10
	e := begin(t)
	e.shared.turns.free.Store(0) // another has the only turn
	before := runtime.NumGoroutine()
	hello := testcert.ClientHello()
	var all []*net.TCPConn
	for range clients {
		c := e.dial()
		c.Write(hello)
		all = append(all, c)
	}
	e.settled(clients)
	if n := runtime.NumGoroutine() - before; n > 0 {
		t.Errorf("%d goroutines for %d hellos in line", n, clients)
	}
	if !e.shared.Computing() {
		t.Error("a turn that is taken is not told of")
	}
	for _, c := range all[:leave] {
		c.SetLinger(0)
		c.Close()
	}
	e.settled(clients - leave)
	e.shared.turns.give()
	e.until("all to be answered", func() bool { return e.tls.silent.count() == clients-leave && !e.shared.Computing() })
}

func TestHalfAClientHelloStartsNothing(t *testing.T) {
	const clients = 50
	e := begin(t)
	hello := testcert.ClientHello()
	half := hello[:len(hello)/2]
	before := runtime.NumGoroutine()
	for i := range clients {
		e.dial().Write(testcert.Records(half[recordHeader:], 1+i*20))
	}
	e.settled(clients)
	if n := runtime.NumGoroutine() - before; n > 0 {
		t.Errorf("%d goroutines for %d halves", n, clients)
	}
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
	until(t, func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.again.first == middle
	})
	middle.poke() // its client said more: that is no turn
	until(t, func() bool { return len(middle.ready) == 0 })
	select {
	case <-went:
		t.Error("it went on without a turn")
	default:
	}
	q.give()
	<-went
	if q.fresh.first != fresh || q.free.Load() != 0 {
		t.Errorf("the one that had not begun was taken out, or %d turns are left", q.free.Load())
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
	e := begin(t)
	q := &e.tls.silent
	q.mu.Lock()
	q.most, q.longest = most, 0
	q.mu.Unlock()
	hello := testcert.ClientHello()
	var silent []*net.TCPConn
	for n := range most + 1 {
		c := e.dial()
		c.Write(hello)
		silent = append(silent, c)
		e.until("the next to wait", func() bool { return q.count() == min(n+1, most) && e.conns.Load() == int64(min(n+1, most)) })
	}
	if _, err := io.ReadAll(silent[0]); err != nil {
		t.Errorf("the longest silent is not closed: %v", err)
	}
	if err := <-e.lost; err != ErrSilent {
		t.Errorf("it ended with %v", err)
	}
	c := e.client()
	if _, err := io.WriteString(c, "honest"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 6)); err != nil {
		t.Errorf("an honest client: %v", err)
	}
}

func TestAClientHelloIsWholeWithItsLastByte(t *testing.T) {
	message := testcert.ClientHello()[recordHeader:]
	for _, size := range []int{1, 2, 3, 4, 5, 100, len(message) - 1, len(message)} {
		all := testcert.Records(message, size)
		for _, step := range []int{1, 7, len(all)} {
			var c coming
			for n := step; ; n += step {
				n = min(n, len(all))
				if got, want := c.whole(all[:n]), n == len(all); got != want {
					t.Fatalf("records of %d bytes, %d of %d bytes: whole is %v", size, n, len(all), got)
				}
				if n == len(all) {
					break
				}
			}
		}
	}
	for name, p := range map[string]string{
		"plain text":               "GET / HTTP/1.1\r\n",
		"an empty record":          "\x16\x03\x01\x00\x00",
		"a record too long":        "\x16\x03\x01\x50\x00",
		"another message":          "\x16\x03\x01\x00\x01\x02",
		"a message too long":       "\x16\x03\x01\x00\x04\x01\x01\x00\x01",
		"half of it, then another": "\x16\x03\x01\x00\x01\x01\x15\x03",
	} {
		if !new(coming).whole([]byte(p)) {
			t.Errorf("%s: crypto/tls is not asked", name)
		}
	}
}

// What is sent comes back, whatever the pieces, and the end behind it.
func TestBytesAndEndsPassBothWays(t *testing.T) {
	e := begin(t)
	for _, size := range []int{1, 2, 1000, 16 << 10, 3 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			c := e.client()
			text := strings.Repeat("0123456789abcdef", size/16+1)[:size]
			go func() {
				io.WriteString(c, text)
				c.CloseWrite()
			}()
			got, err := io.ReadAll(c)
			if err != nil || string(got) != text {
				t.Errorf("%d of %d bytes came back, %v", len(got), size, err)
			}
			e.until("the end", func() bool { return e.conns.Load() == 0 })
		})
	}
}

func TestAHandshakeThatFailsIsTold(t *testing.T) {
	e := begin(t)
	for said, want := range map[string]string{
		"GET / HTTP/1.1\r\n\r\n": "first record does not look like a TLS handshake",
		"":                       "EOF",
	} {
		c := e.dial()
		io.WriteString(c, said)
		c.CloseWrite()
		if err := <-e.lost; !strings.Contains(err.Error(), want) {
			t.Errorf("after %q: %v, want %q", said, err, want)
		}
	}
	e.until("the end", func() bool { return e.conns.Load() == 0 })
}

// What slim reaches into is still there in this version of crypto/tls; if it
// is not, idle connections cost twice as much and nothing else happens.
func TestIdleConnectionsLetGoOfTheirBuffers(t *testing.T) {
	if !strings.HasPrefix(runtime.Version(), "go1.26") {
		t.Skip("not looked at for " + runtime.Version())
	}
	if len(slimmable) != 2 {
		t.Fatal("crypto/tls has changed")
	}
	e := begin(t)
	c := e.client()
	text := bytes.Repeat([]byte("x"), 100<<10)
	for range 3 {
		go c.Write(text)
		if _, err := io.ReadFull(c, make([]byte, len(text))); err != nil {
			t.Fatal(err)
		}
		held := 0
		e.on(func() {
			for _, at := range slimmable {
				held += (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(On(&e.last.Socket).conn), at)).Cap()
			}
		})
		if held > 2*largestIdle {
			t.Errorf("%d bytes are held", held)
		}
	}
}

// until waits for what another goroutine does.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	(&echo{t: t}).until("it", ok)
}
