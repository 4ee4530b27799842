package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"herald/proxy/settings"
)

// elsewhere makes sockets that a server can tell: they come from 127.0.0.9.
type elsewhere struct {
	t     *testing.T
	hold  chan struct{} // not nil: an answer waits for one
	mu    sync.Mutex
	fails error
	made  atomic.Int64
}

func (e *elsewhere) sockets(ctx context.Context, namespace string, ipv6 bool, n int) (fds []int, err error) {
	if e.hold != nil && e.made.Load() > 0 {
		select {
		case <-e.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fails != nil {
		return nil, e.fails
	}
	if namespace != "red" || ipv6 {
		return nil, errors.New("unexpected " + namespace)
	}
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 9}})
		}
		if err != nil {
			e.t.Error(err)
		}
		fds = append(fds, fd)
	}
	e.made.Add(int64(n))
	return fds, nil
}

// inRed serves p, whose servers are in the namespace red.
func inRed(t *testing.T, e *elsewhere, p *settings.Proxy) *rig {
	t.Helper()
	e.t = t
	for i := range p.Servers {
		p.Servers[i].Namespace = "red"
	}
	return startWith(t, nil, 1, &settings.Config{Proxies: []*settings.Proxy{p}}, func(s *Server) {
		if err := s.SetSockets(t.Context(), e.sockets); err != nil {
			t.Fatal(err)
		}
	})
}

func TestConnectionsBeginFromSocketsOfTheServersNamespace(t *testing.T) {
	e := &elsewhere{}
	p := section(seen(t))
	p.Connection = settings.ServerClose
	r := inRed(t, e, p)
	for range 5 * fewestSockets { // more than were made in advance
		v := r.visitor()
		if got := v.ask(t); !strings.HasPrefix(got, "127.0.0.9:") {
			t.Fatalf("the server saw %q, want 127.0.0.9", got)
		}
		v.Close()
	}
	r.Close()
	o := r.outlets[0]
	if n := len(o.families[0].stock); n != 0 {
		t.Errorf("%d sockets are left behind", n)
	}
}

func TestARequestWaitsForASocketOfTheNamespace(t *testing.T) {
	e := &elsewhere{hold: make(chan struct{})}
	p := section(script(t, mute), seen(t))
	p.Servers[0].Backup = true
	p.Reuse = settings.ReuseNever
	r := inRed(t, e, p)
	for range fewestSockets {
		r.visitor().ask(t)
	}
	var late []visitor
	for range 3 {
		v := r.visitor()
		io.WriteString(v, get)
		late = append(late, v)
	}
	waitFor(t, func() bool { return r.backends[0].targets[1].sessions.now.Load() == 3 })
	close(e.hold)
	for _, v := range late {
		if !readHeadOf(v) {
			t.Error("a request that waited was not served")
		}
	}
	if n := r.backends[0].tallies[0].retries.Load(); n != 0 {
		t.Errorf("%d retries are counted, want none", n)
	}
}

func TestWithoutSocketsTheServerCannotBeConnectedTo(t *testing.T) {
	e := &elsewhere{}
	p := section(seen(t))
	p.Retries, p.Reuse = 0, settings.ReuseNever
	r := inRed(t, e, p)
	e.mu.Lock()
	e.fails = errors.New("no such namespace")
	e.mu.Unlock()
	for n := 0; ; n++ {
		if n > fewestSockets {
			t.Fatal("more were served than there were sockets")
		}
		if got := r.exchange("GET / HTTP/1.0\r\n\r\n"); strings.HasPrefix(got, "HTTP/1.1 503") || strings.HasPrefix(got, "HTTP/1.0 503") {
			break
		}
	}
	r.told.wait(t, `namespace red: no such namespace`)
	r.log.wait(t, ` web/s1 .* SC-- `)
}

func TestHealthChecksBeginInTheServersNamespace(t *testing.T) {
	for name, change := range map[string]func(*settings.Proxy){
		"check": func(p *settings.Proxy) {},
		"agent": func(p *settings.Proxy) {
			p.Servers[0].Agent = settings.Agent{Enabled: true, Port: p.Servers[0].Port, Inter: p.Servers[0].Inter}
			p.Servers[0].Check = false
		},
	} {
		t.Run(name, func(t *testing.T) {
			from := make(chan string, 64)
			p := section(script(t, func(c net.Conn) { from <- c.RemoteAddr().String(); io.WriteString(c, "up\n"); io.Copy(io.Discard, c) }))
			p.Servers[0].Check = true
			change(p)
			inRed(t, &elsewhere{}, p)
			if got := <-from; !strings.HasPrefix(got, "127.0.0.9:") {
				t.Errorf("the server saw %q, want 127.0.0.9", got)
			}
		})
	}
}

func TestANamespaceThatIsNotThereKeepsTheEngineFromServing(t *testing.T) {
	p := section("127.0.0.1:1")
	p.Servers[0].Namespace = "red"
	s, err := New(&settings.Config{Proxies: []*settings.Proxy{p}}, Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	e := &elsewhere{t: t, fails: errors.New("no such namespace")}
	if err := s.SetSockets(t.Context(), e.sockets); err == nil || !strings.Contains(err.Error(), "no such namespace") {
		t.Errorf("got %v, want why there are no sockets", err)
	}
}
