package proxy

import (
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"herald/proxy/settings"
)

// TestNothingIsLeftAfterUnrulyPeers lets clients and servers break off in
// every phase, and then counts: every place, connection and stream must have
// been given back.
func TestNothingIsLeftAfterUnrulyPeers(t *testing.T) {
	unruly := func(c net.Conn) {
		for readHeadOf(c) {
			switch rand.IntN(8) {
			case 0:
				return
			case 1:
				c.(*net.TCPConn).SetLinger(0)
				return
			case 2:
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
				return
			case 3:
				io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
			case 4:
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"+strings.Repeat("x", 300000))
			case 5:
				io.WriteString(c, "nonsense\r\n\r\n")
			default:
				io.WriteString(c, five)
			}
		}
	}
	p := section(script(t, unruly), script(t, unruly), "127.0.0.1:1")
	quick(p)
	p.Retries, p.Redispatch = 1, true
	p.Servers[0].MaxConn, p.Servers[1].MaxConn = 3, 2
	q := section(script(t, unruly))
	quick(q)
	q.Name, q.Mode, q.LogFormat = "plain", settings.TCP, settings.LogTCP
	r := serve(t, 2, p, q)
	addrs := []string{r.addr, net.JoinHostPort("127.0.0.1", portOf(q))}
	var wg sync.WaitGroup
	stop := time.Now().Add(1500 * time.Millisecond)
	for range 24 {
		wg.Go(func() {
			for time.Now().Before(stop) {
				misbehave(addrs[rand.IntN(2)])
			}
		})
	}
	wg.Go(func() {
		for time.Now().Before(stop) {
			r.ShutdownServerSessions("web", "s1")
			r.Snapshot()
			r.Sessions()
		}
	})
	wg.Wait()
	waitFor(t, func() bool { return r.conns.now.Load() == 0 })
	r.nothingIsHeld()
	for _, b := range r.backends {
		for _, s := range b.targets {
			if most, limit := s.sessions.most.Load(), s.maxConn.Load(); limit > 0 && most > limit {
				t.Errorf("%s/%s: %d sessions at once, maxconn is %d", b.cfg.Name, s.cfg.Name, most, limit)
			}
		}
	}
}

func portOf(p *settings.Proxy) string {
	_, port, _ := net.SplitHostPort(describe(&p.Binds[0], 1).Address)
	return port
}

// misbehave is one client connection that may break off anywhere.
func misbehave(addr string) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Second))
	post := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n"
	request := []string{get, get + get + get, get[:9], post + strings.Repeat("y", 5000), post + "part", "junk\r\n\r\n",
		"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", ""}[rand.IntN(9)]
	if _, err := io.WriteString(c, request); err != nil {
		return
	}
	switch rand.IntN(5) {
	case 0:
		c.(*net.TCPConn).SetLinger(0)
	case 1:
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
	case 2:
		io.CopyN(io.Discard, c, 50)
	case 3:
	default:
		io.Copy(io.Discard, c)
	}
}
