package probe

import (
	"fmt"
	"net"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Abstract is the Network of a Place whose Address is the name of an abstract
// unix socket.
const Abstract = "abns"

// dialAbstract connects to an abstract name padded with zeros to all of
// sun_path, as HAProxy's are; net would leave a byte out. A unix connect does
// not wait for the peer.
func dialAbstract(name string) (net.Conn, error) {
	a := unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	if len(name) >= len(a.Path) {
		return nil, fmt.Errorf("abns@%s: the name is too long", name)
	}
	for i := range len(name) {
		a.Path[1+i] = int8(name[i])
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	if _, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&a)), unsafe.Sizeof(a)); errno != 0 {
		return nil, os.NewSyscallError("connect", errno)
	}
	return net.FileConn(f)
}
