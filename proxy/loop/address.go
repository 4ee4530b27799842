package loop

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawAddr is a socket address as the system writes it: AF_UNIX is the
// longest.
type rawAddr [110]byte

// Addr is an address to connect to, in the system's form. It is immutable.
type Addr struct {
	raw    rawAddr
	len    uint32
	family int
}

// TCP is the address of a TCP port.
func TCP(ap netip.AddrPort) Addr {
	var a Addr
	binary.BigEndian.PutUint16(a.raw[2:], ap.Port())
	ip := ap.Addr().Unmap()
	if ip.Is4() {
		a.family, a.len = unix.AF_INET, unix.SizeofSockaddrInet4
		b := ip.As4()
		copy(a.raw[4:], b[:])
	} else {
		a.family, a.len = unix.AF_INET6, unix.SizeofSockaddrInet6
		b := ip.As16()
		copy(a.raw[8:], b[:])
	}
	binary.NativeEndian.PutUint16(a.raw[0:], uint16(a.family))
	return a
}

// Unix is the address of a unix stream socket. The path is at most 107 bytes
// (unix(7)).
func Unix(path string) (Addr, error) {
	if len(path) > 107 {
		return Addr{}, fmt.Errorf("unix socket path %q: longer than 107 bytes", path)
	}
	var a Addr
	a.family = unix.AF_UNIX
	a.len = uint32(2 + len(path) + 1)
	binary.NativeEndian.PutUint16(a.raw[0:], unix.AF_UNIX)
	copy(a.raw[2:], path)
	return a, nil
}

// decode reads an address the system wrote; the zero value for AF_UNIX.
func (r *rawAddr) decode() netip.AddrPort {
	port := binary.BigEndian.Uint16(r[2:])
	switch binary.NativeEndian.Uint16(r[0:]) {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(r[4:8])), port)
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(r[8:24])).Unmap(), port)
	}
	return netip.AddrPort{}
}

// LocalAddr is the address of our end of the connection fd; the zero value
// for a unix socket.
func LocalAddr(fd int) netip.AddrPort {
	var r rawAddr
	n := uint32(len(r))
	_, _, errno := syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&r)), uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return netip.AddrPort{}
	}
	return r.decode()
}

// Dial starts to connect s to an address. Writable tells the end of it;
// with Failed, Err says why. An answer other than 0 is immediate, and s is
// closed.
func (l *Loop) Dial(s *Socket, to *Addr, h Handler) syscall.Errno { return l.DialBy(s, to, nil, h) }

// DialBy is Dial by a way of its own; nil is the system's.
func (l *Loop) DialBy(s *Socket, to *Addr, how *How, h Handler) syscall.Errno {
	tries, start := how.tries(), 0
	if tries > 1 {
		start = rand.IntN(1 << 16)
	}
	for try := range tries {
		fd, errno := l.connect(to, how, start, try)
		switch errno {
		case 0:
			if err := l.Register(s, fd, h); err != nil {
				syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
				return unix.ENOMEM
			}
			return 0
		case unix.EADDRINUSE, unix.EADDRNOTAVAIL: // the next port of a range may be free
			if try+1 < tries {
				continue
			}
		}
		return errno
	}
	return unix.EADDRNOTAVAIL
}

// connect makes a socket and begins to connect it.
func (l *Loop) connect(to *Addr, how *How, start, try int) (int, syscall.Errno) {
	fd, errno := how.socket(to.family)
	if errno != 0 {
		return -1, errno
	}
	if to.family != unix.AF_UNIX {
		if how != nil && how.AsksOnce {
			DelayAck(fd)
		} else {
			NoDelay(fd)
		}
		if how != nil {
			errno = how.prepare(fd, to.family, start, try)
		}
	}
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len))
	}
	if errno != 0 && errno != unix.EINPROGRESS {
		syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
		return -1, errno
	}
	return fd, 0
}

// TCPInfo is what the system knows of a TCP connection (tcp(7), TCP_INFO).
func TCPInfo(fd int) (*unix.TCPInfo, bool) {
	i, err := unix.GetsockoptTCPInfo(fd, unix.SOL_TCP, unix.TCP_INFO)
	return i, err == nil
}
