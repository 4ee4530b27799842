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

// response is what the origin says to everything.
var response = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("x", 1024))

// originConn answers every request head with response; it reads no bodies.
type originConn struct {
	loop.Socket
	l *loop.Loop
}

// Ready is called by the loop.
func (c *originConn) Ready(loop.Event) {
	for c.Open() && c.Can()&loop.Readable != 0 {
		n, errno := c.Recv(c.l.Buffer())
		if errno == syscall.EAGAIN {
			return
		}
		if n == 0 || errno != 0 {
			c.Close()
			return
		}
		for range bytes.Count(c.l.Buffer()[:n], []byte("\r\n\r\n")) {
			c.Send(response)
		}
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
