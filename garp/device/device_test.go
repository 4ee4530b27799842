package device

import (
	"net"
	"os"
	"runtime"
	"testing"

	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func TestOnlyAnEthernetInterfaceHasASocket(t *testing.T) {
	var s Set
	if err := s.Write(Ethernet{Name: "lo", Index: 1}, make([]byte, 60), broadcast); err == nil || s.Len() != 0 {
		t.Errorf("got %v and %d sockets, want an error and none", err, s.Len())
	}
}

func TestAnInterfaceThatCameBackHasAnotherSocket(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for a network namespace")
	}
	runtime.LockOSThread() // the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	appear := func() (netlink.Link, Ethernet) {
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "d0"}, PeerName: "d1"}); err != nil {
			t.Fatal(err)
		}
		l, err := netlink.LinkByName("d0")
		if err == nil {
			err = netlink.LinkSetUp(l)
		}
		if err != nil {
			t.Fatal(err)
		}
		return l, Ethernet{Name: "d0", Index: l.Attrs().Index, Hardware: [6]byte(l.Attrs().HardwareAddr)}
	}
	opened := 0
	s := Set{Opened: func(string, *packet.Conn) { opened++ }}
	defer s.Close()
	link, d0 := appear()
	for range 2 {
		if err := s.Write(d0, make([]byte, 60), broadcast); err != nil {
			t.Fatal(err)
		}
	}
	if opened != 1 {
		t.Errorf("%d sockets for one interface", opened)
	}
	if err := netlink.LinkDel(link); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(d0, make([]byte, 60), broadcast); err == nil || s.Len() != 0 {
		t.Errorf("deleted: got %v and %d sockets, want an error and none", err, s.Len())
	}
	if _, d0 = appear(); s.Write(d0, make([]byte, 60), broadcast) != nil || opened != 2 || s.Len() != 1 {
		t.Errorf("back: %d sockets opened and %d open, want 2 and 1", opened, s.Len())
	}
}
