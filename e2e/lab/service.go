package lab

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ProbeService starts probing the HTTP service on an address from the client:
// each ten milliseconds a connection of its own, a request, and the first
// bytes of the answer, which must say 200.
func (l *Lab) ProbeService(addr string, port int) (*Probe, error) {
	ip := net.ParseIP(addr).To4()
	if ip == nil {
		return nil, fmt.Errorf("probe %s: not an IPv4 address", addr)
	}
	p := &Probe{addr: addr, fd: -1, late: lateService, end: make(chan struct{})}
	p.done.Add(1)
	go p.visitService(l.Client(), &unix.SockaddrInet4{Addr: [4]byte(ip), Port: port})
	return p, nil
}

// visitService stays on one thread in the client's network, where the sockets
// are made; each is then followed by a goroutine of its own.
func (p *Probe) visitService(client *Node, to *unix.SockaddrInet4) {
	defer p.done.Done()
	client.InNetwork(func() error {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			p.mu.Lock()
			i := uint64(len(p.echoes)) + p.forgotten
			p.echoes = append(p.echoes, echo{sent: time.Now()})
			p.mu.Unlock()
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return os.NewSyscallError("socket", err)
			}
			if err := unix.Connect(fd, to); err == nil || err == unix.EINPROGRESS {
				p.done.Add(1)
				go p.request(fd, i)
			} else {
				unix.Close(fd)
			}
			select {
			case <-p.end:
				return nil
			case <-tick.C:
			}
		}
	})
}

// request sends one request once the connection stands and notes an answer
// that begins with 200.
func (p *Probe) request(fd int, i uint64) {
	defer p.done.Done()
	f := os.NewFile(uintptr(fd), "probe")
	defer f.Close()
	f.SetDeadline(time.Now().Add(p.late))
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	// Writable means connected, or failed, which the next call tells.
	err = raw.Write(func(fd uintptr) bool {
		k, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, 0)
		return k > 0 || err != nil && err != unix.EINTR
	})
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		if e, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR); err == nil && e == int(unix.ECONNREFUSED) {
			p.mu.Lock()
			p.refused++
			p.mu.Unlock()
		}
	})
	if _, err := f.WriteString("GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"); err != nil {
		return
	}
	buf := make([]byte, 512)
	k, err := f.Read(buf)
	if err == nil && strings.HasPrefix(string(buf[:k]), "HTTP/1.1 200 ") {
		p.answered(i, time.Now())
	}
}
