package sockets

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
)

func TestABindLineTunesItsSocket(t *testing.T) {
	g := open(t, ipc.Socket{Network: "tcp", Address: free(t, "tcp4", "127.0.0.1"), FastOpen: true, DeferAccept: true, MSS: -60, UserTimeout: 3000}, Exclusive)
	fd := g.FDs[0]
	if v := option(t, fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN); v == 0 {
		t.Error("TCP_FASTOPEN is not set")
	}
	if v := option(t, fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT); v == 0 {
		t.Error("TCP_DEFER_ACCEPT is not set")
	}
	if v := option(t, fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); v != 3000 {
		t.Errorf("TCP_USER_TIMEOUT is %d", v)
	}
	// What TCP_MAXSEG was set to shows in the segments of a connection alone.
	c, err := net.Dial("tcp", g.Spec.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if mss := option(t, int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG); mss > 1400 {
			t.Errorf("the client's segments are %d bytes long", mss)
		}
	})
}

func TestAnAbstractSocketIsPaddedAsHAProxyDoes(t *testing.T) {
	name := fmt.Sprintf("herald-test-%d", unix.Getpid())
	g := open(t, ipc.Socket{Network: "abns", Address: name, UserTimeout: 1}, Exclusive)
	if len(g.FDs) != 1 || g.Grow(4) != nil || len(g.FDs) != 1 {
		t.Errorf("sockets: %v", g.FDs)
	}
	var bound unix.RawSockaddrUnix
	size := uint32(unsafe.Sizeof(bound))
	unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(g.FDs[0]), uintptr(unsafe.Pointer(&bound)), uintptr(unsafe.Pointer(&size)))
	if size != 110 || bound.Path[0] != 0 || byte(bound.Path[1]) != name[0] {
		t.Errorf("bound to %d bytes: %v", size, bound.Path)
	}
	if c, err := net.Dial("unix", "@"+name); err == nil {
		c.Close()
		t.Error("the bare name answers too")
	}
	if _, err := Open(ipc.Socket{Network: "abns", Address: strings.Repeat("x", 108)}, Exclusive); err == nil {
		t.Error("a name too long was taken")
	}
	if _, err := Open(ipc.Socket{Network: "abns", Address: name}, Exclusive); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("the same name twice: %v", err)
	}
}

func TestAnInheritedSocketIsTakenOver(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g := open(t, ipc.Socket{Network: "fd", Address: fmt.Sprint(f.Fd())}, Exclusive)
	if fl, _ := unix.FcntlInt(uintptr(g.FDs[0]), unix.F_GETFL, 0); fl&unix.O_NONBLOCK == 0 {
		t.Error("the socket blocks")
	}
	g.Close()
	again := open(t, ipc.Socket{Network: "fd", Address: fmt.Sprint(f.Fd())}, Exclusive) // as after a reload
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(again.FDs[0]), Events: unix.POLLIN}}, 5000); n != 1 {
		t.Errorf("nothing to accept: %v", err)
	}
	for address, want := range map[string]string{"997": "was started with", "x": "not a descriptor", "1": "listening socket"} {
		if _, err := Open(ipc.Socket{Network: "fd", Address: address}, Exclusive); err == nil || !strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "not a socket") {
			t.Errorf("fd@%s: %v", address, err)
		}
	}
}
