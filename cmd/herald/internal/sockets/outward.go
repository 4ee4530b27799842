package sockets

import (
	"fmt"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/netns"
)

// Outward makes sockets to connect from, in their network namespace. The error
// names it.
func Outward(o ipc.Outward) ([]int, error) {
	family := unix.AF_INET
	if o.IPv6 {
		family = unix.AF_INET6
	}
	var fds []int
	err := netns.Do(o.NetNamespace, func() error {
		for range o.Count {
			fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
			if err != nil {
				return fmt.Errorf("socket in network namespace %s: %w", o.NetNamespace, err)
			}
			fds = append(fds, fd)
		}
		return nil
	})
	if err != nil {
		for _, fd := range fds {
			unix.Close(fd)
		}
		return nil, err
	}
	return fds, nil
}
