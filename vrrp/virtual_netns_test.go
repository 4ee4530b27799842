package vrrp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"herald/stats"
	"herald/vrrp/kernel"
	"herald/vrrp/settings"
)

// inside does in a namespace what writes below /proc/sys, which is that of the
// thread's: the loop's jobs run on any.
type inside struct {
	*kernel.Kernel
	ns string
}

func (i inside) SetSysctl(v settings.Sysctl) (before string, err error) {
	failed := in(i.ns, func() { before, err = i.Kernel.SetSysctl(v) })
	return before, errors.Join(failed, err)
}

func (i inside) MakeVirtualMAC(v settings.VirtualMAC) (err error) {
	failed := in(i.ns, func() { err = i.Kernel.MakeVirtualMAC(v) })
	return errors.Join(failed, err)
}

func (i inside) LowerReversePath(except []string) (before []settings.Sysctl, err error) {
	failed := in(i.ns, func() { before, err = i.Kernel.LowerReversePath(except) })
	return before, errors.Join(failed, err)
}

// frame is an Ethernet frame as it was on the wire.
type frame []byte

func (f frame) from() string { return net.HardwareAddr(f[6:12]).String() }

func (f frame) kind() uint16 { return binary.BigEndian.Uint16(f[12:]) }

// protocol is the IP protocol, 0 of others.
func (f frame) protocol() byte {
	switch {
	case f.kind() == unix.ETH_P_IP && len(f) > 34:
		return f[23]
	case f.kind() == unix.ETH_P_IPV6 && len(f) > 54:
		return f[20]
	}
	return 0
}

// listen captures what an interface receives until the returned function is
// called.
func listen(t *testing.T, ns, device string) (stop func() []frame) {
	t.Helper()
	fd, failed := -1, error(nil)
	if err := in(ns, func() {
		if fd, failed = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0x0300); failed != nil { // ETH_P_ALL, big endian
			return
		}
		link, err := net.InterfaceByName(device)
		if failed = err; err == nil {
			failed = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: 0x0300, Ifindex: link.Index})
		}
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 50000}); err != nil {
		t.Fatal(err)
	}
	quit, all := make(chan struct{}), make(chan []frame, 1)
	go func() {
		defer unix.Close(fd)
		var list []frame
		buf := make([]byte, 2048)
		for {
			n, from, err := unix.Recvfrom(fd, buf, 0)
			if ll, ok := from.(*unix.SockaddrLinklayer); err == nil && ok && ll.Pkttype != unix.PACKET_OUTGOING && n > 14 {
				list = append(list, bytes.Clone(buf[:n]))
			}
			select {
			case <-quit:
				all <- list
				return
			default:
			}
		}
	}()
	stopped := false
	stop = func() []frame {
		if stopped {
			return nil
		}
		stopped = true
		close(quit)
		return <-all
	}
	t.Cleanup(func() { stop() })
	return stop
}

// has reports whether a namespace has an address, on whichever interface.
func has(t *testing.T, ns, address string) bool {
	t.Helper()
	return strings.Contains(run(t, "ip", "-n", ns, "addr"), " "+address+"/")
}

func virtualInstance(priority int, lines, address string) string {
	return fmt.Sprintf("vrrp_instance 1 {\nvirtual_router_id 51\npriority %d\ninterface eth0\n%s\nvirtual_ipaddress {\n%s\n}\n}\n", priority, lines, address)
}

// TestVirtualMACBesideKeepalived runs use_vmac on one side and on both, with
// the packaged keepalived as the other node: each follows the other, and no
// frame of a backup has the virtual router's hardware address.
func TestVirtualMACBesideKeepalived(t *testing.T) {
	const ten, six = "10.1.1.10/24", "fe80::10/64\n2001:db8::10/64"
	for _, c := range []struct {
		name, ours, theirs, address, hardware string
	}{
		{"version 2, ours", "use_vmac", "", ten, "00:00:5e:00:01:33"},
		{"version 2, theirs", "", "use_vmac", ten, ""},
		{"version 2, both", "use_vmac", "use_vmac", ten, "00:00:5e:00:01:33"},
		{"version 3, ours", "version 3\nuse_vmac", "version 3", ten, "00:00:5e:00:01:33"},
		{"version 3, theirs", "version 3", "version 3\nuse_vmac", ten, ""},
		{"version 3, both", "version 3\nuse_vmac", "version 3\nuse_vmac", ten, "00:00:5e:00:01:33"},
		{"IPv6, ours", "use_vmac", "", six, "00:00:5e:00:02:33"},
		{"IPv6, theirs", "", "use_vmac", six, ""},
		{"IPv6, both", "use_vmac", "use_vmac", six, "00:00:5e:00:02:33"},
		{"from below, both", "use_vmac\nvmac_xmit_base", "use_vmac\nvmac_xmit_base", ten, ""},
		{"unicast, both", "use_vmac\nvmac_xmit_base\nunicast_peer {\n10.1.1.21\n}", "use_vmac\nvmac_xmit_base\nunicast_peer {\n10.1.1.20\n}", ten, ""},
		{"given address, both", "use_vmac vm0 02:00:5e:10:00", "use_vmac vm0 02:00:5e:10:00", ten, "02:00:5e:10:00:33"},
		{"from below, ours", "use_vmac\nvmac_xmit_base", "use_vmac", ten, ""},
		{"from below, IPv6", "use_vmac\nvmac_xmit_base", "use_vmac", six, ""},
		{"AH, both", "use_vmac\nauthentication {\nauth_type AH\nauth_pass secret12\n}", "use_vmac\nauthentication {\nauth_type AH\nauth_pass secret12\n}", ten, "00:00:5e:00:01:33"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newNetwork(t)
			for i, ns := range []string{p.a, p.b} {
				run(t, "ip", "-n", ns, "addr", "add", fmt.Sprintf("2001:db8::%d/64", 20+i), "dev", "eth0", "nodad")
			}
			ipv6 := c.address == six
			if ipv6 { // keepalived cannot send before
				eventually(t, "link-local addresses that are ready", func() bool {
					return !strings.Contains(run(t, "ip", "-n", p.a, "addr")+run(t, "ip", "-n", p.b, "addr"), "tentative")
				})
			}
			address, _, _ := strings.Cut(c.address[strings.LastIndex(c.address, "\n")+1:], "/")
			log, stop := startKeepalivedWith(t, p.b, virtualInstance(100, c.theirs, c.address))

			fromUs := listen(t, p.client, "port0")
			better := startNode(t, p.a, load(t, virtualInstance(101, c.ours, c.address)), nil)
			better.until(t, "MASTER with priority 101", state("MASTER"))
			eventually(t, "the address here only", func() bool { return has(t, p.a, address) && !has(t, p.b, address) })
			fromThem := listen(t, p.client, "port1") // a backup from here on
			ping(t, p.client, address)
			eventually(t, "some advertisements", func() bool { return better.Status()[0].Counters.AdvertiseSent > 3 })
			checkFrames(t, fromUs(), c.hardware, address)
			for _, f := range fromThem() {
				if strings.HasPrefix(f.from(), "00:00:5e:00:") {
					t.Errorf("keepalived as backup sent %x", []byte(f))
				}
			}
			if all := better.Status(); all[0].Counters.RejectedPkts != 0 {
				t.Errorf("keepalived's advertisements were refused: %+v", all[0].Counters)
			}
			better.stop(t)
			eventually(t, "keepalived MASTER after our resignation", func() bool { return has(t, p.b, address) && !has(t, p.a, address) })
			if left := run(t, "ip", "-n", p.a, "-br", "link"); strings.Contains(left, "vrrp") {
				t.Errorf("after the stop there is\n%s", left)
			}

			fromUs = listen(t, p.client, "port0")
			lesser := startNode(t, p.a, load(t, virtualInstance(99, c.ours, c.address)), nil)
			lesser.until(t, "BACKUP of keepalived", func(i stats.Instance) bool { return i.State == "BACKUP" && i.MasterPriority == 100 })
			ping(t, p.client, address)
			for _, f := range fromUs() {
				if strings.HasPrefix(f.from(), "00:00:5e:00:") {
					t.Errorf("as backup we sent %x", []byte(f))
				}
			}
			if all := lesser.Status(); all[0].Counters.RejectedPkts != 0 || all[0].Counters.AddressListErrors != 0 {
				t.Errorf("keepalived's advertisements were refused: %+v", all[0].Counters)
			}
			stop()
			lesser.until(t, "MASTER after keepalived resigned", state("MASTER"))
			eventually(t, "the address here again", func() bool { return has(t, p.a, address) && !has(t, p.b, address) })
			ping(t, p.client, address)
			lesser.stop(t)
			said, _ := os.ReadFile(log)
			noComplaint(t, said)
		})
	}
}

// checkFrames finds the hardware address, unless it is "", as the source of
// every advertisement, announcement and answer of a master.
func checkFrames(t *testing.T, frames []frame, hardware, address string) {
	t.Helper()
	if hardware == "" {
		return
	}
	wanted := net.ParseIP(address)
	adverts, answers := 0, 0
	for _, f := range frames {
		switch {
		case f.protocol() == 112 || f.protocol() == 51:
			adverts++
			if f.from() != hardware {
				t.Errorf("an advertisement from %s, want %s: %x", f.from(), hardware, []byte(f))
			}
			if group := net.HardwareAddr(f[:6]).String(); group != "01:00:5e:00:00:12" && group != "33:33:00:00:00:12" {
				t.Errorf("an advertisement to %s, want the group's address: %x", group, []byte(f))
			}
		case f.kind() == unix.ETH_P_ARP && len(f) >= 42 && net.IP(f[28:32]).Equal(wanted):
			answers++
			if want := announcement(hardware); f[0] == 0xff && f[21] == 1 && fmt.Sprintf("%x", f[:42]) != want {
				t.Errorf("got the announcement %x, want keepalived's %s", f[:42], want)
			}
			if f.from() != hardware || net.HardwareAddr(f[22:28]).String() != hardware {
				t.Errorf("ARP of the address from %s, want %s: %x", f.from(), hardware, []byte(f))
			}
		case f.protocol() == 58 && len(f) >= 78 && f[54] == 136 && net.IP(f[62:78]).Equal(wanted):
			answers++
			if f.from() != hardware {
				t.Errorf("neighbour advertisement of the address from %s, want %s: %x", f.from(), hardware, []byte(f))
			}
		case f.protocol() == 2 && f.from() == hardware:
			t.Errorf("a group report from the virtual MAC address: %x", []byte(f))
		}
	}
	if adverts == 0 || answers == 0 {
		t.Errorf("saw %d advertisements and %d frames that say where the address is", adverts, answers)
	}
}

// ping asks an address for an echo, from a namespace that has forgotten where
// it is.
func ping(t *testing.T, ns, address string) {
	t.Helper()
	run(t, "ip", "-n", ns, "neigh", "flush", "all")
	network, any, request := "ip4:icmp", "0.0.0.0", echo(1)
	if strings.Contains(address, ":") { // the client needs a network; the kernel fills in the checksum
		exec.Command("ip", "-n", ns, "addr", "add", "2001:db8::1/64", "dev", "br0", "nodad").Run()
		network, any, request = "ip6:ipv6-icmp", "::", []byte{128, 0, 0, 0, 0, 0, 0, 1}
	}
	var conn net.PacketConn
	var err error
	if nsErr := in(ns, func() { conn, err = net.ListenPacket(network, any) }); nsErr != nil || err != nil {
		t.Fatal(nsErr, err)
	}
	defer conn.Close()
	to := &net.IPAddr{IP: net.ParseIP(address)}
	buf := make([]byte, 200)
	eventually(t, "an answer of "+address, func() bool {
		conn.WriteTo(request, to)
		for conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); ; {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return false
			}
			if n > 0 && (buf[0] == 0 || buf[0] == 129) && from.(*net.IPAddr).IP.Equal(to.IP) {
				return true
			}
		}
	})
}

// announcement is keepalived 2.2.7's gratuitous ARP of 10.1.1.10, as captured
// with use_vmac.
func announcement(hardware string) string {
	own := strings.ReplaceAll(hardware, ":", "")
	return "ffffffffffff" + own + "0806" + "0001080006040001" + own + "0a01010a" + "ffffffffffff" + "0a01010a"
}

// TestAPlannedMoveOfAVirtualMACAddressLosesNoProbe moves two instances of a
// sync group with nopreempt between two nodes: neighbours have nothing to
// learn.
func TestAPlannedMoveOfAVirtualMACAddressLosesNoProbe(t *testing.T) {
	p := newNetwork(t)
	file := func(priority int) string {
		return "vrrp_sync_group G {\ngroup {\n1\n2\n}\n}\n" + virtualInstance(priority, "nopreempt\nuse_vmac", "10.1.1.10/24") +
			strings.NewReplacer("vrrp_instance 1", "vrrp_instance 2", "id 51", "id 52").Replace(virtualInstance(priority, "nopreempt\nuse_vmac\nversion 3", "10.1.1.11/32"))
	}
	first := startNode(t, p.a, load(t, file(100)), nil)
	first.until(t, "MASTER", state("MASTER"))
	second := startNode(t, p.b, load(t, file(200)), nil)
	eventually(t, "both addresses on the first node and the second following", func() bool {
		in := second.Status()
		return has(t, p.a, "10.1.1.10") && has(t, p.a, "10.1.1.11") && in[0].State == "BACKUP" && in[0].MasterPriority == 100 && in[1].MasterPriority == 100
	})
	hardware := func() string { return run(t, "ip", "-n", p.client, "neigh", "show", "10.1.1.10") }
	stop := probe(t, p.client)
	eventually(t, "the neighbour known", func() bool { return strings.Contains(hardware(), "00:00:5e:00:01:33") })
	first.stop(t)
	eventually(t, "both addresses on the second node only", func() bool {
		return has(t, p.b, "10.1.1.10") && has(t, p.b, "10.1.1.11") && !has(t, p.a, "10.1.1.10") && !has(t, p.a, "10.1.1.11")
	})
	sent, lost := stop()
	t.Logf("%d of %d probes lost", lost, sent)
	if lost > 20 {
		t.Errorf("%d of %d probes lost, want none (20 on a busy machine)", lost, sent)
	}
	if got := hardware(); !strings.Contains(got, "00:00:5e:00:01:33") {
		t.Errorf("the neighbour learned %s", got)
	}
}

func TestASilentVirtualMACAddressIsFoundAndDoesNotAnswer(t *testing.T) {
	p := newNetwork(t)
	n := startNode(t, p.a, load(t, virtualInstance(100, "use_vmac\nno_accept", "10.1.1.10/24")), nil)
	n.until(t, "MASTER", state("MASTER"))
	eventually(t, "the address", func() bool { return has(t, p.a, "10.1.1.10") })
	stop := probe(t, p.client)
	eventually(t, "the virtual MAC address found", func() bool {
		return strings.Contains(run(t, "ip", "-n", p.client, "neigh", "show", "10.1.1.10"), "00:00:5e:00:01:33")
	})
	if sent, lost := stop(); lost != sent {
		t.Errorf("%d of %d probes were answered", sent-lost, sent)
	}
}
