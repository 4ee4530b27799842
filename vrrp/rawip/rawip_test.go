package rawip

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"herald/vrrp/poll"
	"herald/vrrp/wire"
)

// isolated moves this test's thread into a network namespace of its own with
// eth0 (10.1.1.20/24) and wire0 (10.1.1.21/24) wired to one another, both
// taking packets from addresses of this host. The thread ends with the test.
func isolated(t *testing.T) (eth, peer netlink.Link) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for a network namespace")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "wire0"}))
	up := func(name, addr string) netlink.Link {
		l, err := netlink.LinkByName(name)
		must(err)
		a, err := netlink.ParseAddr(addr)
		must(err)
		must(netlink.AddrAdd(l, a))
		for _, option := range []string{"accept_local", "rp_filter"} {
			value := map[string]string{"accept_local": "1", "rp_filter": "0"}[option]
			for _, dev := range []string{name, "all"} {
				must(os.WriteFile("/proc/sys/net/ipv4/conf/"+dev+"/"+option, []byte(value), 0o644))
			}
		}
		must(netlink.LinkSetUp(l))
		return l
	}
	eth, peer = up("eth0", "10.1.1.20/24"), up("wire0", "10.1.1.21/24")
	return operational(t, eth), operational(t, peer)
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

// ear tells when a socket is readable.
type ear struct {
	*poll.Poller
	told int
}

func newEar(t *testing.T) *ear {
	t.Helper()
	p, err := poll.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return &ear{Poller: p}
}

func (e *ear) ready() { e.told++ }

// wait returns when the socket has been told readable since the last wait.
func (e *ear) wait(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); e.told == 0; e.Wait(end) {
		if time.Now().After(end) {
			t.Fatal("not told of a packet within 5 s")
		}
	}
	e.told = 0
}

// look reports whether the socket has been told readable, without waiting.
func (e *ear) look() bool {
	e.Wait(time.Now())
	return e.told > 0
}

func open(t *testing.T, l netlink.Link) (*Socket, *ear) {
	t.Helper()
	e := newEar(t)
	s, err := Open(Place{Device: l.Attrs().Name, Index: l.Attrs().Index, Group: wire.Group, Join: true}, e.Poller, e.ready)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, e
}

func multicast(from netip.Addr, payload []byte) wire.Packet {
	return wire.Packet{Source: from, Destination: wire.Group, TTL: 255, Payload: payload}
}

var eth0 = netip.MustParseAddr("10.1.1.20")

func TestPacketsArriveWithTheirHeadersAndTheGroupsDestination(t *testing.T) {
	eth, peer := isolated(t)
	from, own := open(t, eth)
	to, ready := open(t, peer)
	want := [][]byte{[]byte("first packet"), []byte("second packet")}
	for round := range 3 { // told again after everything was read
		for _, p := range want {
			if err := from.Send(multicast(eth0, p)); err != nil {
				t.Fatal(err)
			}
		}
		var got [][]byte
		for len(got) < len(want) {
			ready.wait(t)
			for {
				p, ok, err := to.Receive()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				if p.Source != eth0 || p.Destination != wire.Group || p.TTL != 255 {
					t.Errorf("header: got %+v, want from %v to %v with TTL 255", p, eth0, wire.Group)
				}
				got = append(got, bytes.Clone(p.Payload))
			}
		}
		if !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) {
			t.Errorf("round %d: got %q, want %q", round, got, want)
		}
	}
	if own.look() {
		t.Error("our own packets came back")
	}
}

func TestManyPacketsAreReadToTheLast(t *testing.T) {
	eth, peer := isolated(t)
	from, _ := open(t, eth)
	to, ready := open(t, peer)
	for _, many := range []int{atOnce - 1, atOnce, atOnce + 1, 3 * atOnce} {
		for i := range many {
			if err := from.Send(multicast(eth0, []byte{byte(i)})); err != nil {
				t.Fatal(err)
			}
		}
		got := 0
		for got < many {
			ready.wait(t)
			for {
				p, ok, err := to.Receive()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				if len(p.Payload) != 1 || int(p.Payload[0]) != got {
					t.Fatalf("packet %d of %d: got %v", got, many, p.Payload)
				}
				got++
			}
		}
	}
}

func TestASocketHearsOnlyItsInterface(t *testing.T) {
	eth, peer := isolated(t)
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "other0"}, PeerName: "other1"}); err != nil {
		t.Fatal(err)
	}
	other, _ := netlink.LinkByName("other0")
	if err := netlink.LinkSetUp(other); err != nil {
		t.Fatal(err)
	}
	from, _ := open(t, eth)
	to, ready := open(t, peer)
	_, elsewhere := open(t, other)
	if err := from.Send(multicast(eth0, []byte("x"))); err != nil {
		t.Fatal(err)
	}
	ready.wait(t)
	if elsewhere.look() {
		t.Error("a packet was heard on another interface")
	}
	to.Close()
	if _, _, err := to.Receive(); err == nil {
		t.Error("after Close: got no error")
	}
}

func TestSendingSaysWhatFailed(t *testing.T) {
	eth, _ := isolated(t)
	s, _ := open(t, eth)
	if err := s.Send(multicast(netip.MustParseAddr("10.9.9.9"), []byte("x"))); err == nil || !strings.Contains(err.Error(), "send on eth0 from 10.9.9.9") {
		t.Errorf("foreign source: got %v", err)
	}
	if err := s.Send(multicast(netip.MustParseAddr("fe80::1"), []byte("x"))); err == nil {
		t.Error("IPv6 source: got no error")
	}
	if err := netlink.LinkSetDown(eth); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(multicast(eth0, []byte("x"))); err == nil {
		t.Error("link down: got no error")
	}
	// It works again when the link does.
	if err := netlink.LinkSetUp(eth); err != nil {
		t.Fatal(err)
	}
	operational(t, eth)
	if err := s.Send(multicast(eth0, []byte("x"))); err != nil {
		t.Errorf("link up again: %v", err)
	}
}

func TestOpeningNamesTheInterface(t *testing.T) {
	isolated(t)
	if _, err := Open(Place{Device: "eth9", Index: 99, Group: wire.Group}, newEar(t).Poller, func() {}); err == nil || !strings.Contains(err.Error(), "eth9") {
		t.Errorf("got %v, want an error naming eth9", err)
	}
}

func TestOnlyWholeIPv4PacketsAreTakenApart(t *testing.T) {
	good := append([]byte{0x45, 0xc0, 0, 22, 0, 1, 0, 0, 255, 112, 0, 0, 10, 1, 1, 20, 224, 0, 0, 18}, 7, 8)
	options := append([]byte{0x46, 0xc0, 0, 25, 0, 1, 0, 0, 255, 112, 0, 0, 10, 1, 1, 20, 224, 0, 0, 18, 0, 0, 0, 0}, 9)
	change := func(at int, v byte) []byte { b := bytes.Clone(good); b[at] = v; return b }
	for _, c := range []struct {
		name    string
		b       []byte
		payload string
		ok      bool
	}{
		{"plain", good, "\x07\x08", true},
		{"with options", options, "\x09", true},
		{"padded", append(bytes.Clone(good), 0, 0, 0), "\x07\x08", true},
		{"empty", nil, "", false},
		{"19 bytes", good[:19], "", false},
		{"IPv6", change(0, 0x65), "", false},
		{"header of 16", change(0, 0x44), "", false},
		{"header longer than the packet", change(0, 0x4f), "", false},
		{"total longer than the packet", change(3, 23), "", false},
		{"total shorter than the header", change(3, 19), "", false},
	} {
		p, ok := split(c.b)
		if ok != c.ok || string(p.Payload) != c.payload {
			t.Errorf("%s: got %q, %t, want %q, %t", c.name, p.Payload, ok, c.payload, c.ok)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte{0x45, 0xc0, 0, 22, 0, 1, 0, 0, 255, 112, 0, 0, 10, 1, 1, 20, 224, 0, 0, 18, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := split(b); ok && len(p.Payload) > len(b)-20 {
			t.Fatalf("payload of %d bytes out of %d", len(p.Payload), len(b))
		}
	})
}

// TestUnicastCarriesItsTimeToLive, over a veth pair in IPv4.
func TestTheReceiveBufferHasTheSizeAskedFor(t *testing.T) {
	eth, _ := isolated(t)
	for asked, want := range map[int]int{0: receiveBuffer, 65536: 65536} {
		s, err := Open(Place{Device: eth.Attrs().Name, Index: eth.Attrs().Index, Group: wire.Group, Buffer: asked}, newEar(t).Poller, func() {})
		if err != nil {
			t.Fatal(err)
		}
		// The kernel doubles it for its own needs, socket(7).
		if got, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF); err != nil || got != 2*want {
			t.Errorf("asked for %d: got %d, %v, want %d", asked, got, err, 2*want)
		}
		s.Close()
	}
}

func TestUnicastCarriesItsTimeToLive(t *testing.T) {
	eth, peer := isolated(t)
	from, _ := open(t, eth)
	to, ready := open(t, peer)
	for _, ttl := range []uint8{64, 255, 3} {
		// The kernel would deliver to an address of this host by the loopback.
		want := wire.Packet{Source: eth0, Destination: netip.MustParseAddr("10.1.1.21"), TTL: ttl, Payload: []byte("unicast")}
		if err := from.setTTL(want); err != nil {
			t.Error(err)
		}
		got, err := unix.GetsockoptInt(from.fd, unix.IPPROTO_IP, unix.IP_TTL)
		if err != nil || got != int(ttl) {
			t.Errorf("IP_TTL: got %d, %v, want %d", got, err, ttl)
		}
	}
	// To the group it is 255 whatever unicast has.
	if err := from.Send(multicast(eth0, []byte("x"))); err != nil {
		t.Fatal(err)
	}
	ready.wait(t)
	if p, ok, err := to.Receive(); err != nil || !ok || p.TTL != 255 {
		t.Errorf("to the group: got %+v, %t, %v, want TTL 255", p, ok, err)
	}
}

func TestIPv6PacketsArriveWithHopLimitAndDestination(t *testing.T) {
	eth, peer := isolated(t)
	ready := newEar(t)
	place := func(l netlink.Link) Place {
		return Place{Device: l.Attrs().Name, Index: l.Attrs().Index, Group: wire.Group6, Join: true}
	}
	from, err := Open(place(eth), newEar(t).Poller, func() {})
	if err != nil {
		t.Skipf("needs IPv6: %v", err)
	}
	defer from.Close()
	to, err := Open(place(peer), ready.Poller, ready.ready)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	own := netip.MustParseAddr("fe80::20")
	a := &netlink.Addr{IPNet: &net.IPNet{IP: own.AsSlice(), Mask: net.CIDRMask(64, 128)}, Flags: unix.IFA_F_NODAD}
	if err := netlink.AddrAdd(eth, a); err != nil {
		t.Fatal(err)
	}
	if err := from.Send(wire.Packet{Source: own, Destination: wire.Group6, TTL: 255, Payload: []byte("six")}); err != nil {
		t.Fatal(err)
	}
	ready.wait(t)
	p, ok, err := to.Receive()
	if err != nil || !ok || p.Source != own || p.Destination != wire.Group6 || p.TTL != 255 || string(p.Payload) != "six" {
		t.Errorf("got %+v, %t, %v", p, ok, err)
	}
	if err := from.Send(multicast(eth0, []byte("x"))); err == nil || !strings.Contains(err.Error(), "not of one family") {
		t.Errorf("IPv4 on an IPv6 socket: got %v", err)
	}
}

func TestAnAuthenticationHeaderArrivesWithItsIPHeader(t *testing.T) {
	eth, peer := isolated(t)
	ready := newEar(t)
	place := func(l netlink.Link) Place {
		return Place{Device: l.Attrs().Name, Index: l.Attrs().Index, Group: wire.Group, Join: true, AH: true}
	}
	from, err := Open(place(eth), newEar(t).Poller, func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := Open(place(peer), ready.Poller, ready.ready)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	want := wire.SealAH([]byte("message"), eth0, wire.Group, 255, 7, [8]byte{'k'})
	if err := from.Send(want); err != nil {
		t.Fatal(err)
	}
	ready.wait(t)
	p, ok, err := to.Receive()
	if err != nil || !ok || !bytes.Equal(p.Payload, want.Payload) || p.TTL != 255 {
		t.Fatalf("got %+v, %t, %v", p, ok, err)
	}
	p.Header[10], p.Header[11] = 0, 0 // the kernel fills the checksum in
	if !bytes.Equal(p.Header, want.Header) {
		t.Errorf("header: got %x, want %x", p.Header, want.Header)
	}
}
