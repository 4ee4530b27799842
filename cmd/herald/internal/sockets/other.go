package sockets

import (
	"fmt"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// abstractLength is the length of an abstract name: HAProxy pads it with
// zeros to the whole of sun_path, and its peers do the same (unix(7)).
const abstractLength = 108

// openAbstract listens on an abstract unix socket: it has no file, and goes
// with its last descriptor.
func (g *Group) openAbstract() error {
	name := g.Spec.Address
	if len(name) >= abstractLength {
		return fmt.Errorf("listen on abns@%s: the name is longer than %d bytes", name, abstractLength-1)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("listen on abns@%s: socket: %w", name, err)
	}
	if err = bindAbstract(fd, name); err == nil {
		err = unix.Listen(fd, backlog(g.Spec))
	}
	if err != nil {
		unix.Close(fd)
		return fmt.Errorf("listen on abns@%s: %w%s", name, err, advice(err))
	}
	g.FDs = []int{fd}
	return nil
}

// bindAbstract binds to all of sun_path; the library's address is one byte
// short.
func bindAbstract(fd int, name string) error {
	a := unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	for i := range len(name) {
		a.Path[1+i] = int8(name[i])
	}
	if _, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&a)), unsafe.Sizeof(a)); errno != 0 {
		return errno
	}
	return nil
}

// adopt takes over a listening socket this process was started with, a copy
// of it: the number stays good for the next reload.
func (g *Group) adopt() error {
	n, err := strconv.Atoi(g.Spec.Address)
	if err != nil || n < 0 {
		return fmt.Errorf("listen on fd@%s: not a descriptor's number", g.Spec.Address)
	}
	listening, err := unix.GetsockoptInt(n, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	switch {
	case err != nil:
		return fmt.Errorf("listen on fd@%d: not a socket this process was started with: %w", n, err)
	case listening == 0:
		return fmt.Errorf("listen on fd@%d: it is not a listening socket", n)
	}
	fd, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return fmt.Errorf("listen on fd@%d: copy it: %w", n, err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return fmt.Errorf("listen on fd@%d: %w", n, err)
	}
	g.FDs = []int{fd}
	return nil
}
