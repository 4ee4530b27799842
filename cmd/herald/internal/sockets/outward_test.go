package sockets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
)

func TestOutwardSocketsAreOfTheirNamespace(t *testing.T) {
	name := fmt.Sprintf("heraldout%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Skipf("needs ip netns: %s, %v", out, err)
	}
	t.Cleanup(func() { exec.Command("ip", "netns", "del", name).Run() })
	for _, ipv6 := range []bool{false, true} {
		fds, err := Outward(ipc.Outward{NetNamespace: name, IPv6: ipv6, Count: 3})
		if err != nil || len(fds) != 3 {
			t.Fatalf("got %v, %v, want three", fds, err)
		}
		for _, fd := range fds {
			// Its network has no route to anywhere, not even to itself.
			var to unix.Sockaddr = &unix.SockaddrInet4{Port: 1, Addr: [4]byte{127, 0, 0, 1}}
			if ipv6 {
				to = &unix.SockaddrInet6{Port: 1, Addr: [16]byte{15: 1}}
			}
			if err := unix.Connect(fd, to); err != unix.ENETUNREACH && err != unix.EADDRNOTAVAIL {
				t.Errorf("connect to lo: got %v, want that the network cannot be reached", err)
			}
			if flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); flags&unix.O_NONBLOCK == 0 {
				t.Errorf("flags %#x, want O_NONBLOCK", flags)
			}
			unix.Close(fd)
		}
	}
	if _, err := Outward(ipc.Outward{NetNamespace: "never-there", Count: 1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that it is not there", err)
	}
}
