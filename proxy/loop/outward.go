package loop

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Sockets makes the sockets that connections begin from, in place of the
// system: in another network namespace. Any goroutine may call it. They are
// non-blocking stream sockets of a family (AF_INET or AF_INET6), and the
// caller's.
type Sockets interface {
	// Take answers one at once; EAGAIN says that one will be there soon.
	Take(family int) (fd int, errno syscall.Errno)
	// Await is Take that waits.
	Await(family int) (fd int, err error)
}

// socket makes the socket of a dial.
func (how *How) socket(family int) (int, syscall.Errno) {
	if how != nil && how.Sockets != nil && family != unix.AF_UNIX {
		return how.Sockets.Take(family)
	}
	fd, _, errno := syscall.RawSyscall(unix.SYS_SOCKET, uintptr(family), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return int(fd), errno
}

// replace puts a socket of how's in the place of fd, which nothing waits on yet.
func (how *How) replace(fd, family int) error {
	if how.Sockets == nil {
		return nil
	}
	made, err := how.Sockets.Await(family)
	if err != nil {
		return err
	}
	defer unix.Close(made)
	return unix.Dup3(made, fd, unix.O_CLOEXEC)
}
