package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// watchBuffer is the receive buffer of a watch in bytes. When it overflows the
// kernel says ENOBUFS, which is one more change.
const watchBuffer = 1 << 20

// Watch calls changed, from a goroutine of its own, after any change of an
// interface or an address. Changes that come together are one call. The
// returned function ends the watch and waits until changed is not running; it
// must not be called from changed.
func (k *Kernel) Watch(changed func()) (stop func(), err error) {
	return listen(1<<(unix.RTNLGRP_LINK-1)|1<<(unix.RTNLGRP_IPV4_IFADDR-1)|1<<(unix.RTNLGRP_IPV6_IFADDR-1), filter, news, changed)
}

// news reports whether a datagram tells more than that addresses live longer.
func news(b []byte) bool {
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return true // cut: it may have been more
	}
	for _, m := range messages {
		if m.Header.Type != unix.RTM_NEWADDR || !renewed(m) {
			return true
		}
	}
	return false
}

// renewed reports whether an address is older than its last change
// (IFA_CACHEINFO: preferred, valid, created, changed).
func renewed(m syscall.NetlinkMessage) bool {
	attrs, err := syscall.ParseNetlinkRouteAttr(&m)
	if err != nil {
		return false
	}
	for _, a := range attrs {
		if a.Attr.Type == unix.IFA_CACHEINFO && len(a.Value) >= 16 {
			return binary.NativeEndian.Uint32(a.Value[8:]) != binary.NativeEndian.Uint32(a.Value[12:])
		}
	}
	return false
}

// WatchRouting calls changed as Watch does after any route or routing rule was
// deleted. A router's other news, which may be thousands, wake nobody.
func (k *Kernel) WatchRouting(changed func()) (stop func(), err error) {
	return listen(1<<(unix.RTNLGRP_IPV4_ROUTE-1)|1<<(unix.RTNLGRP_IPV6_ROUTE-1)|1<<(unix.RTNLGRP_IPV4_RULE-1)|1<<(unix.RTNLGRP_IPV6_RULE-1),
		nil, deletion, changed)
}

// deletion reports whether a datagram tells of a route or rule that went.
func deletion(b []byte) bool {
	for len(b) >= unix.SizeofNlMsghdr {
		size := int(binary.NativeEndian.Uint32(b))
		if kind := binary.NativeEndian.Uint16(b[4:]); kind == unix.RTM_DELROUTE || kind == unix.RTM_DELRULE {
			return true
		}
		if size = (size + 3) &^ 3; size < unix.SizeofNlMsghdr || size > len(b) {
			return true // cut: it may have been one
		}
		b = b[size:]
	}
	return false
}

// listen joins groups and calls changed after a datagram that counts; nil
// counts every one. spare, which may be nil, has the kernel drop some that do
// not; where it cannot, they are dropped here.
func listen(groups uint32, spare func(fd int) error, counts func([]byte) bool, changed func()) (stop func(), err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("watch interfaces: %w", err)
	}
	if spare != nil {
		_ = spare(fd)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("watch interfaces: %w", err)
	}
	// More buffer is welcome, none is no reason to fail.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, watchBuffer)
	file := os.NewFile(uintptr(fd), "rtnetlink")
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("watch interfaces: %w", err)
	}
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		watch(raw, counts, changed)
	}()
	return func() {
		file.Close()
		done.Wait()
	}, nil
}

// watch reads notifications until the socket is closed.
func watch(raw syscall.RawConn, counts func([]byte) bool, changed func()) {
	buf := make([]byte, 64<<10)
	for {
		err := raw.Read(func(fd uintptr) bool { return drain(int(fd), buf, counts) })
		if err != nil {
			return
		}
		changed()
	}
}

// drain reads everything that waits and reports whether there was anything
// that counts. A message longer than buf is cut, which does not matter here.
func drain(fd int, buf []byte, counts func([]byte) bool) bool {
	any := false
	for {
		n, _, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return any
		case errors.Is(err, unix.EINTR):
		case err != nil && !errors.Is(err, unix.ENOBUFS):
			return true
		default:
			any = any || err != nil || counts == nil || counts(buf[:n])
		}
	}
}
