package proxy

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"herald/proxy/admin"
	"herald/proxy/settings"
)

// holder is servers that keep their requests until they are told to answer.
type holder struct {
	t    *testing.T
	addr []string
	mu   sync.Mutex
	cond *sync.Cond
	held map[string]held // by path
}

type held struct {
	server int
	conn   net.Conn
}

func hold(t *testing.T, n int) *holder {
	h := &holder{t: t, held: map[string]held{}}
	h.cond = sync.NewCond(&h.mu)
	for i := range n {
		h.addr = append(h.addr, script(t, func(c net.Conn) {
			for {
				var head strings.Builder
				one := make([]byte, 1)
				for !strings.HasSuffix(head.String(), "\r\n\r\n") {
					if _, err := c.Read(one); err != nil {
						return
					}
					head.WriteByte(one[0])
				}
				h.mu.Lock()
				h.held[strings.Fields(head.String())[1]] = held{i, c}
				h.cond.Broadcast()
				h.mu.Unlock()
			}
		}))
	}
	return h
}

// at waits until a server has the request, and answers which.
func (h *holder) at(path string) int {
	h.t.Helper()
	waitFor(h.t, func() bool { h.mu.Lock(); defer h.mu.Unlock(); _, ok := h.held[path]; return ok })
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held[path].server
}

// none fails when a server has the request.
func (h *holder) none(path string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if e, ok := h.held[path]; ok {
		h.t.Errorf("%s: at server %d, want it in a queue", path, e.server)
	}
}

// answer lets a request end.
func (h *holder) answer(path string) {
	h.t.Helper()
	h.at(path)
	h.mu.Lock()
	defer h.mu.Unlock()
	io.WriteString(h.held[path].conn, five)
	delete(h.held, path)
}

// request sends a request, and waits until it waits or is at a server.
func (r *rig) request(path string) net.Conn {
	c := r.dial()
	b := r.backends[0]
	before := b.sessions.now.Load()
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)
	waitFor(r.t, func() bool {
		n := b.line.n.now.Load()
		for _, t := range b.targets {
			n += t.sessions.now.Load() + t.line.n.now.Load()
		}
		return b.sessions.now.Load() > before && n == b.sessions.now.Load() || b.sessions.now.Load() <= before && b.tallies[0].errConn.Load() > 0
	})
	return c
}

// balancedSection is two servers of one session each.
func balancedSection(h *holder, balance string, change func(*settings.Server)) *settings.Proxy {
	p := section(h.addr...)
	p.Balance = balance
	for i := range p.Servers {
		p.Servers[i].MaxConn = 1
		if change != nil {
			change(&p.Servers[i])
		}
	}
	return p
}

// The numbers of the tests below were seen on HAProxy 2.6.12 with the same
// configuration and the same requests.

func TestTheBackendsQueueServesWhomAnyServerWillDo(t *testing.T) {
	h := hold(t, 2)
	r := serve(t, 1, balancedSection(h, "roundrobin", nil))
	for i := 1; i <= 5; i++ {
		r.request(fmt.Sprint("/", i))
	}
	if row := r.Snapshot().Proxies[0].Rows[3]; row.QueueCur != 3 || row.LBTotal != 2 {
		t.Errorf("backend: queue %d, balanced %d, want 3 and 2", row.QueueCur, row.LBTotal)
	}
	for i := 1; i <= 5; i++ {
		if got, want := h.at(fmt.Sprint("/", i)), (i-1)%2; got != want {
			t.Errorf("/%d: at %d, want %d", i, got, want)
		}
		h.answer(fmt.Sprint("/", i))
		r.log.wait(t, fmt.Sprintf(` 0/%d "GET /%d `, max(i-2, 0), i))
	}
}

// On "balance uri" of two equal servers, odd numbers lead to the second and
// even ones to the first.
func TestARequestThatHashesToAFullServerWaitsForThatOne(t *testing.T) {
	h := hold(t, 2)
	r := serve(t, 1, balancedSection(h, "uri", nil))
	r.request("/1")
	r.request("/3")
	r.request("/5")
	first := h.at("/1")
	row := r.Snapshot().Proxies[0].Rows[1+first]
	if row.QueueCur != 2 || row.QueueMax != 2 || row.LBTotal != 3 || row.SessTotal != 1 {
		t.Errorf("server: queue %d, most %d, balanced %d, sessions %d, want 2, 2, 3, 1", row.QueueCur, row.QueueMax, row.LBTotal, row.SessTotal)
	}
	r.request("/2")
	if got := h.at("/2"); got == first {
		t.Errorf("/2 is at %d, too", got)
	}
	h.none("/3")
	for i, path := range []string{"/1", "/3", "/5"} {
		if got := h.at(path); got != first {
			t.Errorf("%s: at %d, want %d", path, got, first)
		}
		h.answer(path)
		r.log.wait(t, fmt.Sprintf(` %d/0 "GET %s `, i, path))
	}
}

func TestAServersFullQueueTurnsAway(t *testing.T) {
	h := hold(t, 2)
	r := serve(t, 1, balancedSection(h, "uri", func(s *settings.Server) { s.MaxQueue = 1 }))
	r.request("/1")
	r.request("/3")
	if got := r.exchange("GET /5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q, want 503", got)
	}
	server := r.backends[0].targets[h.at("/1")].cfg.Name
	r.log.wait(t, `web/`+server+` 0/-1/-1/-1/\d+ 503 \d+ - - SQ-- `)
	if n := r.Snapshot().Proxies[0].Rows[1+h.at("/1")].ErrConn; n != 1 {
		t.Errorf("connection errors: got %d, want 1", n)
	}
	h.answer("/1")
	h.answer("/3")
}

func TestLeastConnFillsTheServersQueuesUpToMaxqueue(t *testing.T) {
	h := hold(t, 2)
	r := serve(t, 1, balancedSection(h, "leastconn", func(s *settings.Server) { s.MaxQueue = 1 }))
	for i := 1; i <= 7; i++ {
		r.request(fmt.Sprint("/", i))
	}
	rows := r.Snapshot().Proxies[0].Rows
	if rows[1].QueueCur != 1 || rows[2].QueueCur != 1 || rows[3].QueueCur != 3 || rows[3].LBTotal != 4 {
		t.Errorf("queues %d, %d, %d, balanced %d: want 1, 1, 3, 4", rows[1].QueueCur, rows[2].QueueCur, rows[3].QueueCur, rows[3].LBTotal)
	}
	want := []string{"0/0", "0/0", "1/0", "1/0", "0/1", "0/2", "0/3"}
	for i := 1; i <= 7; i++ {
		h.answer(fmt.Sprint("/", i))
		r.log.wait(t, fmt.Sprintf(` %s "GET /%d `, want[i-1], i))
	}
}

func TestThoseWhoWaitForAServerThatGoesDownChooseAnewWithRedispatch(t *testing.T) {
	for _, redispatch := range []bool{true, false} {
		h := hold(t, 2)
		p := balancedSection(h, "uri", nil)
		p.Redispatch = redispatch
		r := serve(t, 1, p)
		r.request("/1")
		r.request("/3")
		r.request("/5")
		a := h.at("/1")
		name := r.backends[0].targets[a].cfg.Name
		if err := r.SetServerState("web", name, admin.StateMaint); err != nil {
			t.Fatal(err)
		}
		if !redispatch {
			r.log.wait(t, "maintenance. 1 active and 0 backup servers left. 1 sessions active, 0 requeued, 2 remaining in queue.")
			h.none("/3")
			h.answer("/1")
			if got := h.at("/3"); got != a {
				t.Errorf("/3: at %d, want the server it waited for", got)
			}
			h.answer("/3")
			h.answer("/5")
			continue
		}
		r.log.wait(t, "maintenance. 1 active and 0 backup servers left. 1 sessions active, 2 requeued, 0 remaining in queue.")
		if got := h.at("/3"); got == a {
			t.Error("/3 went to the server that is down")
		}
		h.answer("/3")
		h.answer("/5")
		r.log.wait(t, ` \+0 1/0 "GET /3 |/\+0 1/0 "GET /3 `)
		r.log.wait(t, `/\+0 2/0 "GET /5 `)
		if n := r.Snapshot().Proxies[0].Rows[1+a].Redispatches; n != 2 {
			t.Errorf("redispatches: got %d, want 2", n)
		}
		h.answer("/1")
	}
}

func TestTheQueueTimeoutEndsTheWaitForAServer(t *testing.T) {
	h := hold(t, 2)
	p := balancedSection(h, "uri", nil)
	p.Timeouts.Queue = 50 * time.Millisecond
	r := serve(t, 1, p)
	r.request("/1")
	c := r.request("/3")
	if !readHeadOf(c) {
		t.Error("no answer")
	}
	r.log.wait(t, `web/s\d 0/\d+/-1/-1/\d+ 503 \d+ - - sQ-- 2/2/1/1/0 1/0 `)
	if n := r.Snapshot().Proxies[0].Rows[1+h.at("/1")].ErrConn; n != 1 {
		t.Errorf("connection errors of the server: got %d, want 1", n)
	}
	h.answer("/1")
}

func TestMinconnRisesWithTheBackendsLoad(t *testing.T) {
	p := section("127.0.0.1:1")
	p.FullConn = 10
	p.Servers[0].MinConn, p.Servers[0].MaxConn = 2, 20
	r := serve(t, 1, p)
	x := r.backends[0].targets[0]
	for _, row := range []struct{ load, warm, want int64 }{{0, 0, 2}, {1, 0, 2}, {2, 0, 4}, {5, 0, 10}, {9, 0, 18}, {10, 0, 20}, {50, 0, 20}, {50, 26, 5}, {0, 1, 1}} {
		x.be.sessions.now.Store(row.load)
		x.warm.Store(row.warm)
		if got := x.limit(); got != row.want {
			t.Errorf("%d sessions, %d%% warm: got %d, want %d", row.load, row.warm, got, row.want)
		}
	}
	x.be.sessions.now.Store(0)
}

func TestNobodyIsForgottenInAQueue(t *testing.T) {
	for _, balance := range []string{"roundrobin", "static-rr", "leastconn", "first", "random", "uri"} {
		t.Run(balance, func(t *testing.T) {
			p := section(script(t, says(five)), script(t, says(five)), script(t, says(five)))
			p.Balance = balance
			for i := range p.Servers {
				p.Servers[i].MaxConn = 1 + i
			}
			r := serve(t, 4, p)
			var wg sync.WaitGroup
			for k := range 40 {
				wg.Go(func() {
					c, err := net.Dial("tcp", r.addr)
					if err != nil {
						t.Error(err)
						return
					}
					defer c.Close()
					c.SetDeadline(time.Now().Add(10 * time.Second))
					body := make([]byte, 5)
					for n := range 50 {
						fmt.Fprintf(c, "GET /%d/%d HTTP/1.1\r\nHost: a\r\n\r\n", k, n)
						if !readHeadOf(c) {
							t.Errorf("client %d, request %d: no answer", k, n)
							return
						}
						if _, err := io.ReadFull(c, body); err != nil || string(body) != "hello" {
							t.Errorf("client %d, request %d: got %q, %v", k, n, body, err)
							return
						}
					}
				})
			}
			wg.Wait()
			for _, x := range r.backends[0].targets {
				waitFor(t, func() bool { return x.sessions.now.Load() == 0 })
				if most := x.sessions.most.Load(); most > x.maxConn.Load() {
					t.Errorf("%s: %d sessions at once, want %d at most", x.cfg.Name, most, x.maxConn.Load())
				}
			}
		})
	}
}
