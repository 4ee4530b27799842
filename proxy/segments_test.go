package proxy

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"herald/proxy/settings"
)

// atHand is one receive that does not wait.
func atHand(t *testing.T, c *net.TCPConn) (n int, err error) {
	t.Helper()
	raw, failed := c.SyscallConn()
	if failed == nil {
		failed = raw.Control(func(fd uintptr) {
			n, _, err = syscall.Recvfrom(int(fd), make([]byte, 4096), syscall.MSG_DONTWAIT)
		})
	}
	if failed != nil {
		t.Fatal(failed)
	}
	return n, err
}

// waitReadable returns when something lies in the connection's buffer.
func waitReadable(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Read(func(fd uintptr) bool {
			_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_DONTWAIT|syscall.MSG_PEEK)
			return !errors.Is(err, syscall.EAGAIN)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheEndOfAConnectionComesWithTheAnswer(t *testing.T) {
	for name, setup := range map[string]func(*settings.Proxy){
		"the client's wish": func(*settings.Proxy) {},
		"option httpclose":  func(p *settings.Proxy) { p.Connection = settings.Close },
	} {
		t.Run(name, func(t *testing.T) {
			p := section(script(t, says(five)))
			setup(p)
			r := serve(t, 1, p)
			c := r.dial()
			defer c.Close()
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			waitReadable(t, c)
			if n, err := atHand(t, c); n == 0 || err != nil {
				t.Fatalf("the answer: %d bytes, %v", n, err)
			}
			if n, err := atHand(t, c); n != 0 || err != nil {
				t.Errorf("right behind the answer: %d bytes, %v; want the end", n, err)
			}
		})
	}
}

func TestARequestComesWithTheEndOfTheHandshake(t *testing.T) {
	seen := make(chan error, 1)
	addr := script(t, func(c net.Conn) {
		n, err := atHand(t, c.(*net.TCPConn))
		if n == 0 && err == nil {
			err = io.EOF
		}
		seen <- err
		io.WriteString(c, five)
	})
	r := serve(t, 1, section(addr))
	c := r.dial()
	defer c.Close()
	io.WriteString(c, get)
	if err := <-seen; err != nil {
		t.Errorf("when the server accepts the connection: %v, want the request", err)
	}
}
