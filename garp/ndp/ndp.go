// Package ndp sends unsolicited neighbour advertisements, which are to IPv6
// what gratuitous ARP is to IPv4. It decides nothing: package garp says when.
//
// The frame is keepalived's: from the address itself to all nodes (ff02::1),
// override set, router set where the interface forwards, and the Ethernet
// address as option (RFC 4861 sections 4.4 and 7.2.6).
//
//	s := ndp.NewSender()
//	defer s.Close()
//	err := s.Announce("eth0", index, hardware, netip.MustParseAddr("2001:db8::10"))
package ndp

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/mdlayher/ndp"

	"herald/garp/device"
)

// allNodes is ff02::1, and the Ethernet address it has (RFC 2464 section 7).
var (
	allNodes      = netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 15: 0x01})
	allNodesFrame = net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1}
)

// Sender announces addresses. It keeps one socket per interface and belongs
// to one goroutine.
type Sender struct{ out device.Set }

// NewSender returns a Sender without any socket yet. Announce needs
// CAP_NET_RAW.
func NewSender() *Sender { return &Sender{} }

// Announce multicasts one neighbour advertisement for addr from the interface
// with that name, index and Ethernet address.
func (s *Sender) Announce(name string, index int, hardware [6]byte, addr netip.Addr) error {
	frame, err := Frame(hardware[:], addr, forwards(name))
	if err == nil {
		err = s.out.Write(device.Ethernet{Name: name, Index: index, Hardware: hardware}, frame, allNodesFrame)
	}
	if err != nil {
		return fmt.Errorf("announce %v on %s: %w", addr, name, err)
	}
	return nil
}

// forwards reports whether the host is a router on an interface, which
// neighbours remember of it.
func forwards(name string) bool {
	b, err := os.ReadFile("/proc/sys/net/ipv6/conf/" + name + "/forwarding")
	return err == nil && strings.TrimSpace(string(b)) == "1"
}

// Close closes every socket.
func (s *Sender) Close() error {
	s.out.Close()
	return nil
}

// Frame returns the Ethernet frame that announces addr as being at hardware.
func Frame(hardware net.HardwareAddr, addr netip.Addr, router bool) ([]byte, error) {
	if !addr.Is6() {
		return nil, fmt.Errorf("%v is not an IPv6 address", addr)
	}
	message, err := ndp.MarshalMessageChecksum(&ndp.NeighborAdvertisement{Router: router, Override: true, TargetAddress: addr,
		Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Target, Addr: hardware}}}, addr, allNodes)
	if err != nil {
		return nil, err
	}
	frame := make([]byte, 0, 14+40+len(message))
	frame = append(frame, allNodesFrame...)
	frame = append(frame, hardware...)
	frame = append(frame, 0x86, 0xdd)
	frame = append(frame, 0x60, 0, 0, 0) // version 6 (RFC 8200 section 3)
	frame = binary.BigEndian.AppendUint16(frame, uint16(len(message)))
	frame = append(frame, 58, 255) // ICMPv6, hop limit (RFC 4861 section 4.4)
	frame = append(frame, addr.AsSlice()...)
	frame = append(frame, allNodes.AsSlice()...)
	return append(frame, message...), nil
}
