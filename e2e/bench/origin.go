package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"herald/proxy/loop"
)

// answers are what the origin says, by the beginning of the request.
var answers = []struct{ begins, says []byte }{
	{[]byte("GET /64k "), answer(64 << 10)},
	{[]byte("GET /10m "), answer(10 << 20)},
	{nil, answer(1 << 10)},
}

func answer(size int) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size))
}

// originConn answers every request head by its path; it reads no bodies.
type originConn struct {
	loop.Socket
	l    *loop.Loop
	left []byte // to be sent still
}

// Ready is called by the loop.
func (c *originConn) Ready(loop.Event) {
	c.say(nil)
	for c.Open() && c.Can()&loop.Readable != 0 {
		n, errno := c.Recv(c.l.Buffer())
		if errno == syscall.EAGAIN {
			return
		}
		if n == 0 || errno != 0 {
			c.Close()
			return
		}
		asked := c.l.Buffer()[:n]
		for range bytes.Count(asked, []byte("\r\n\r\n")) {
			for _, a := range answers {
				if bytes.HasPrefix(asked, a.begins) {
					c.say(a.says)
					break
				}
			}
		}
	}
}

// say sends what is left, and p after it; a client asks for what needs more
// than one send only when it has the answer before.
func (c *originConn) say(p []byte) {
	if len(c.left) == 0 {
		c.left = p
	}
	for len(c.left) > 0 && c.Can()&loop.Writable != 0 {
		n, errno := c.Send(c.left)
		if errno == syscall.EAGAIN {
			return
		}
		if errno != 0 {
			c.Close()
			return
		}
		c.left = c.left[n:]
	}
}

// originPort accepts for the origin, without limits.
type originPort struct{ l *loop.Loop }

func (p *originPort) Reserve() bool         { return true }
func (p *originPort) Release()              {}
func (p *originPort) Starved(syscall.Errno) {}
func (p *originPort) Accepted(fd int, _ netip.AddrPort) {
	loop.NoDelay(fd)
	c := &originConn{l: p.l}
	if err := p.l.Register(&c.Socket, fd, c); err != nil {
		syscall.Close(fd)
	}
}

// runOrigin serves two ports, which it prints, until it is killed.
func runOrigin(out io.Writer) error {
	l, err := loop.New(loop.Options{})
	if err != nil {
		return err
	}
	for range 2 {
		li, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fd, err := descriptor(li)
		if err != nil {
			return err
		}
		if _, err := l.Listen(fd, &originPort{l}); err != nil {
			return err
		}
		fmt.Fprintln(out, li.Addr())
	}
	return l.Run()
}

// descriptor is a copy of a listener's descriptor, non-blocking.
func descriptor(li net.Listener) (int, error) {
	f, err := li.(*net.TCPListener).File()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return 0, err
	}
	return fd, syscall.SetNonblock(fd, true)
}
