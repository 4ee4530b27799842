package arp

import (
	"bytes"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// captured is a gratuitous ARP of keepalived 2.2.7.
const captured = "ffffffffffff 12622342381b 0806 0001 0800 06 04 0001 12622342381b 0a01010a ffffffffffff 0a01010a"

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFramesAreKeepalivedsBytes(t *testing.T) {
	got, err := Frame(net.HardwareAddr{0x12, 0x62, 0x23, 0x42, 0x38, 0x1b}, netip.MustParseAddr("10.1.1.10"))
	if want := unhex(t, captured); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
}

func TestAReplyNamesTheSenderTwice(t *testing.T) {
	got, err := ReplyFrame(net.HardwareAddr{2, 0, 0, 0, 0, 1}, netip.MustParseAddr("10.1.1.10"))
	want := unhex(t, "ffffffffffff 020000000001 0806 0001 0800 06 04 0002 020000000001 0a01010a 020000000001 0a01010a")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
	if _, err := ReplyFrame(net.HardwareAddr{2, 0, 0, 0, 0, 1}, netip.MustParseAddr("fe80::1")); err == nil {
		t.Error("IPv6: got no error")
	}
}

func TestOnlyIPv4OnEthernetCanBeAnnounced(t *testing.T) {
	if _, err := Frame(net.HardwareAddr{1, 2, 3, 4, 5, 6}, netip.MustParseAddr("fe80::1")); err == nil {
		t.Error("IPv6: got no error")
	}
	if _, err := Frame(net.HardwareAddr{1, 2}, netip.MustParseAddr("10.1.1.10")); err == nil {
		t.Error("short hardware address: got no error")
	}
	s := NewSender()
	defer s.Close()
	if err := s.Announce("lo", 1, [6]byte{}, netip.MustParseAddr("10.1.1.10")); err == nil || !strings.Contains(err.Error(), "announce 10.1.1.10 on lo") {
		t.Errorf("loopback: got %v, want an error naming address and interface", err)
	}
}

// isolated moves this test's thread into a network namespace of its own, with
// two interfaces wired to one another. The thread ends with the test.
func isolated(t *testing.T) (a, b netlink.Link) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for a network namespace")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "wire0"}); err != nil {
		t.Fatal(err)
	}
	up := func(name string) netlink.Link {
		l, err := netlink.LinkByName(name)
		if err == nil {
			err = netlink.LinkSetUp(l)
		}
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	a, b = up("eth0"), up("wire0")
	return operational(t, a), operational(t, b)
}

// operational waits for the kernel to let packets through: it does so a moment
// after the carrier, and drops them silently before.
func operational(t *testing.T, l netlink.Link) netlink.Link {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 5000 {
		now, err := netlink.LinkByIndex(l.Attrs().Index)
		if err != nil {
			t.Fatal(err)
		}
		if now.Attrs().OperState == netlink.OperUp {
			return now
		}
		<-tick.C
	}
	t.Fatalf("%s did not come up", l.Attrs().Name)
	return nil
}

func TestAnnouncementsReachTheWireWithoutAnIPv4AddressOnTheInterface(t *testing.T) {
	eth, wire := isolated(t)
	peer, err := packet.Listen(&net.Interface{Name: "wire0", Index: wire.Attrs().Index, HardwareAddr: wire.Attrs().HardwareAddr}, packet.Raw, unix.ETH_P_ARP, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	s := NewSender()
	defer s.Close()
	mac := [6]byte(eth.Attrs().HardwareAddr)
	for range 2 { // opens a socket, then uses it again
		if err := s.Announce("eth0", eth.Attrs().Index, mac, netip.MustParseAddr("10.1.1.10")); err != nil {
			t.Fatal(err)
		}
		peer.SetReadDeadline(time.Now().Add(5 * time.Second))
		buf := make([]byte, 100)
		n, _, err := peer.ReadFrom(buf)
		want, _ := Frame(mac[:], netip.MustParseAddr("10.1.1.10"))
		if err != nil || !bytes.Equal(buf[:n], want) {
			t.Fatalf("on the wire: %x, %v, want %x", buf[:n], err, want)
		}
	}
	if err := s.AnnounceReply("eth0", eth.Attrs().Index, mac, netip.MustParseAddr("10.1.1.10")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, _, err := peer.ReadFrom(buf)
	if want, _ := ReplyFrame(mac[:], netip.MustParseAddr("10.1.1.10")); err != nil || !bytes.Equal(buf[:n], want) {
		t.Fatalf("on the wire: %x, %v, want %x", buf[:n], err, want)
	}
	// The interface goes away: an error, and a new socket afterwards.
	if err := netlink.LinkDel(eth); err != nil {
		t.Fatal(err)
	}
	if err := s.Announce("eth0", eth.Attrs().Index, mac, netip.MustParseAddr("10.1.1.10")); err == nil {
		t.Error("deleted interface: got no error")
	}
	if s.out.Len() != 0 {
		t.Errorf("%d sockets left open", s.out.Len())
	}
}
