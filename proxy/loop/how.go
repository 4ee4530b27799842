package loop

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// How is the way a connection leaves this machine; the zero value is the
// system's. It is immutable while dials use it.
type How struct {
	// From is the source address, of any port when its own is 0; the zero value
	// leaves it to the system.
	From netip.AddrPort
	// LastPort is the end of a range of ports that begins with From's; 0 is no
	// range.
	LastPort uint16
	// Foreign says that From is not an address of this machine: the socket is
	// transparent, which needs CAP_NET_RAW or CAP_NET_ADMIN.
	Foreign     bool
	Interface   string
	FastOpen    bool
	UserTimeout int // milliseconds; 0 means the system's
	Buffers
	Sockets Sockets // nil: the system's
	// AsksOnce says that one send follows as soon as the connection stands, and
	// then an answer is awaited: the end of the handshake goes with it (DelayAck).
	// Who sends more needs NoDelay first, and who gets only part of the answer
	// says AckNow.
	AsksOnce bool
}

// Buffers are what the system holds for a socket in bytes, of which it makes
// twice as much (SO_RCVBUF, SO_SNDBUF); 0 leaves it to the system, which else
// follows what the connection needs.
type Buffers struct {
	Receive, Send int
}

// Apply sets the buffers of a socket.
func (b *Buffers) Apply(fd int) {
	if b.Receive > 0 {
		setInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, int32(b.Receive))
	}
	if b.Send > 0 {
		setInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, int32(b.Send))
	}
}

// Prepare sets up a socket that others connect, of this family (AF_INET or
// AF_INET6).
func (how *How) Prepare(fd, family int) error {
	if errno := how.prepare(fd, family, rand.IntN(portTries*1024), 0); errno != 0 {
		return errno
	}
	return nil
}

// prepare sets up an unconnected socket; start and try choose its port.
func (how *How) prepare(fd, family, start, try int) syscall.Errno {
	if how.Interface != "" {
		name := append([]byte(how.Interface), 0)
		if errno := set(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, unsafe.Pointer(&name[0]), uintptr(len(name))); errno != 0 {
			return errno
		}
	}
	if how.FastOpen {
		setInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT, 1) // without it data follows the handshake
	}
	if how.UserTimeout > 0 {
		setInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int32(how.UserTimeout))
	}
	how.Buffers.Apply(fd)
	if !how.From.Addr().IsValid() {
		return 0
	}
	if how.Foreign {
		level, option := unix.SOL_IP, unix.IP_TRANSPARENT
		if family == unix.AF_INET6 {
			level, option = unix.SOL_IPV6, unix.IPV6_TRANSPARENT
		}
		one := int32(1)
		if errno := set(fd, level, option, unsafe.Pointer(&one), unsafe.Sizeof(one)); errno != 0 {
			return errno
		}
	}
	return how.bind(fd, start, try)
}

// portTries is how many ports of a range are tried for one connection.
const portTries = 16

// tries is how many sockets a dial may take.
func (how *How) tries() int {
	if how == nil || how.LastPort <= how.From.Port() {
		return 1
	}
	return min(int(how.LastPort-how.From.Port())+1, portTries)
}

// bind binds to the port of a range that is try places behind start.
func (how *How) bind(fd, start, try int) syscall.Errno {
	first := how.From.Port()
	if first == 0 { // the port is chosen when the other end is known: more connections than ports
		setInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		return bind(fd, how.From)
	}
	setInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	port := first
	if how.LastPort > first {
		port += uint16((start + try) % (int(how.LastPort-first) + 1))
	}
	return bind(fd, netip.AddrPortFrom(how.From.Addr(), port))
}

func bind(fd int, to netip.AddrPort) syscall.Errno {
	a := TCP(to)
	_, _, errno := syscall.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)), uintptr(a.len))
	return errno
}

func set(fd, level, option int, value unsafe.Pointer, size uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option), uintptr(value), size, 0)
	return errno
}

// Abstract is the address of an abstract unix socket, its name padded with
// zeros to the whole length as HAProxy does (unix(7)).
func Abstract(name string) (Addr, bool) {
	var a Addr
	const most = len(a.raw) - 2 - 1
	if len(name) > most-1 {
		return Addr{}, false
	}
	a.family = unix.AF_UNIX
	a.len = uint32(len(a.raw))
	binary.NativeEndian.PutUint16(a.raw[0:], unix.AF_UNIX)
	copy(a.raw[3:], name)
	return a, true
}

// Control is Prepare for a net.Dialer.
func (how *How) Control(network, _ string, c syscall.RawConn) error {
	family := unix.AF_INET
	if network == "tcp6" {
		family = unix.AF_INET6
	}
	var err error
	if failed := c.Control(func(fd uintptr) {
		if err = how.replace(int(fd), family); err == nil {
			err = how.Prepare(int(fd), family)
		}
	}); failed != nil {
		return failed
	}
	return err
}
