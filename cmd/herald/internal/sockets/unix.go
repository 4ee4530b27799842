package sockets

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openUnix binds under a temporary name, gives it mode and owner, listens,
// and only then takes the real name: nobody finds a path that refuses, a
// stale one of a crashed predecessor is replaced, and there is no moment at
// which the wrong users may connect.
func (g *Group) openUnix() error {
	path := g.Spec.Address
	temporary := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	if len(temporary) > 107 {
		return fmt.Errorf("listen on %s: the path is longer than %d bytes", path, 107-len(temporary)+len(path))
	}
	if err := replaceable(path); err != nil {
		return fmt.Errorf("listen on %s: %w", path, err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("listen on %s: socket: %w", path, err)
	}
	unix.Unlink(temporary)
	if err := g.place(fd, temporary); err != nil {
		unix.Close(fd)
		unix.Unlink(temporary)
		return fmt.Errorf("listen on %s: %w", path, err)
	}
	g.FDs = []int{fd}
	return nil
}

// place makes fd listen at g's path.
func (g *Group) place(fd int, temporary string) error {
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: temporary}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if g.Spec.Mode != 0 {
		if err := unix.Chmod(temporary, g.Spec.Mode); err != nil {
			return fmt.Errorf("set mode %#o: %w", g.Spec.Mode, err)
		}
	}
	if g.Spec.Owner != nil || g.Spec.Group != nil {
		if err := unix.Lchown(temporary, id(g.Spec.Owner), id(g.Spec.Group)); err != nil {
			return fmt.Errorf("set owner: %w", err)
		}
	}
	if err := unix.Listen(fd, backlog(g.Spec)); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err := unix.Rename(temporary, g.Spec.Address); err != nil {
		return fmt.Errorf("rename: %w", err)
	}
	if err := unix.Lstat(g.Spec.Address, &g.file); err != nil {
		return fmt.Errorf("stat: %w", err)
	}
	return nil
}

// replaceable refuses a path where something stands that is no socket.
func replaceable(path string) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return fmt.Errorf("something that is not a socket is there")
	}
	return nil
}

// id is what chown takes for "as it is".
func id(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}
