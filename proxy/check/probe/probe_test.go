package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"herald/proxy/check"
	"herald/proxy/check/script"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer serves one connection.
func peer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err == nil {
			serve(c)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func to(p Place) Options {
	p.Network = "tcp"
	return Options{Inter: 5 * time.Second, Locate: func(script.Want) (Place, error) { return p, nil }}
}

func outcome(s *script.Script, o Options) check.Result {
	return Run(context.Background(), script.Start(s, &script.World{}, 16384), o)
}

func TestAProxyHeaderComesFirst(t *testing.T) {
	got := make(chan string, 1)
	addr := peer(t, func(c net.Conn) {
		b := make([]byte, 200)
		n, _ := io.ReadAtLeast(c, b, 16+len("*1\r\n$4\r\nPING\r\n"))
		got <- string(b[:n])
		io.WriteString(c, "+PONG\r\n")
		io.Copy(io.Discard, c)
	})
	if r := outcome(script.Redis(), to(Place{Address: addr, Header: 2})); r.Status != check.L7OK {
		t.Errorf("got %+v, want L7OK", r)
	}
	if want, said := "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00*1\r\n$4\r\nPING\r\n", <-got; said != want {
		t.Errorf("the server got %q, want %q", said, want)
	}
	tcp := func(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }
	for _, tt := range []struct {
		from, to net.Addr
		want     string
	}{
		{tcp("10.0.0.1:5"), tcp("10.0.0.2:80"), "PROXY TCP4 10.0.0.1 10.0.0.2 5 80\r\n"},
		{tcp("[::1]:5"), tcp("[::2]:80"), "PROXY TCP6 ::1 ::2 5 80\r\n"},
		{&net.UnixAddr{}, &net.UnixAddr{}, "PROXY UNKNOWN\r\n"},
	} {
		if got := string(proxyHeader(1, tt.from, tt.to)); got != tt.want {
			t.Errorf("%v to %v: got %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestAServerHearsAResetUnlessTheScriptLingers(t *testing.T) {
	for _, tt := range []struct {
		linger bool
		want   error
	}{{false, syscall.ECONNRESET}, {true, io.EOF}} {
		ended := make(chan error, 1)
		addr := peer(t, func(c net.Conn) {
			c.Read(make([]byte, 1))
			_, err := c.Read(make([]byte, 1))
			ended <- err
		})
		s := &script.Script{Kind: script.TCP, Steps: []script.Step{{Action: script.ActConnect, Connect: &script.Connect{Linger: tt.linger}},
			{Action: script.ActSend, Send: &script.Send{Data: script.Literal("x")}}}}
		outcome(s, to(Place{Address: addr}))
		if err := <-ended; !errors.Is(err, tt.want) {
			t.Errorf("linger %v: the server hears %v, want %v", tt.linger, err, tt.want)
		}
	}
}

func TestTheTimeOfACheckIsTheLongerOfConnectingAndAnswering(t *testing.T) {
	for _, tt := range []struct {
		o          Options
		after, not time.Duration
	}{
		{Options{Inter: 60 * time.Millisecond}, 60 * time.Millisecond, 2 * time.Second},
		{Options{Inter: 60 * time.Millisecond, Connect: time.Hour, Timeout: 200 * time.Millisecond}, 200 * time.Millisecond, 2 * time.Second},
		{Options{Inter: time.Hour, Connect: 80 * time.Millisecond, Timeout: 10 * time.Millisecond}, 80 * time.Millisecond, 2 * time.Second},
	} {
		addr := peer(t, func(c net.Conn) { io.Copy(io.Discard, c) })
		tt.o.Locate = func(script.Want) (Place, error) { return Place{Network: "tcp", Address: addr}, nil }
		r := outcome(script.Redis(), tt.o)
		if r.Status != check.L7TOUT || r.Duration < tt.after || r.Duration > tt.not {
			t.Errorf("%+v: got %v after %v, want a timeout after %v", tt.o, r.Status, r.Duration, tt.after)
		}
	}
}

func TestWhatGoesWrongBelowTheProtocol(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	if r := outcome(script.Redis(), to(Place{Address: closed.Addr().String()})); r.Status != check.L4CON || r.Info != "Connection refused" {
		t.Errorf("nobody listens: got %+v", r)
	}
	o := Options{Inter: time.Second, Locate: func(script.Want) (Place, error) { return Place{}, errors.New("No port") }}
	if r := outcome(script.Redis(), o); r.Status != check.SOCKERR || r.Info != "No port" {
		t.Errorf("no place: got %+v", r)
	}
	o = Options{Inter: time.Second, Locate: func(script.Want) (Place, error) {
		return Place{Network: "unix", Address: "/no/such/socket"}, nil
	}}
	if r := outcome(script.Redis(), o); r.Status != check.SOCKERR || r.Info != "General socket error (No such file or directory)" {
		t.Errorf("no unix socket: got %+v", r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := Run(ctx, script.Start(script.Redis(), &script.World{}, 100), to(Place{Address: "127.0.0.1:9"})); r.Status.Passed() {
		t.Errorf("a context that has ended: got %+v", r)
	}
	if timedOut(os.ErrClosed) {
		t.Error("a closed connection counts as a timeout")
	}
}
