// Package arp sends gratuitous ARP frames. It decides nothing: package garp
// says when.
//
// The frame is keepalived's: an ARP request, Ethernet broadcast, the address
// as sender and target, and ff:ff:ff:ff:ff:ff as target hardware address. It
// is 42 bytes long, without padding: the driver pads what it has to. The form
// of a reply is for devices that learn from replies alone.
//
//	s := arp.NewSender()
//	defer s.Close()
//	err := s.Announce("eth0", index, hardware, netip.MustParseAddr("10.1.1.10"))
package arp

import (
	"fmt"
	"net"
	"net/netip"

	mdarp "github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"

	"herald/garp/device"
)

// Sender announces addresses. It keeps one socket per interface and belongs
// to one goroutine.
type Sender struct{ out device.Set }

// NewSender returns a Sender without any socket yet. Announce needs
// CAP_NET_RAW.
func NewSender() *Sender { return &Sender{} }

// Announce broadcasts one gratuitous ARP request for addr from the interface
// with that name, index and Ethernet address.
func (s *Sender) Announce(name string, index int, hardware [6]byte, addr netip.Addr) error {
	frame, err := Frame(hardware[:], addr)
	if err == nil {
		err = s.out.Write(device.Ethernet{Name: name, Index: index, Hardware: hardware}, frame, ethernet.Broadcast)
	}
	if err != nil {
		return fmt.Errorf("announce %v on %s: %w", addr, name, err)
	}
	return nil
}

// AnnounceReply broadcasts one gratuitous ARP reply, as `arping -A` does.
func (s *Sender) AnnounceReply(name string, index int, hardware [6]byte, addr netip.Addr) error {
	frame, err := ReplyFrame(hardware[:], addr)
	if err == nil {
		err = s.out.Write(device.Ethernet{Name: name, Index: index, Hardware: hardware}, frame, ethernet.Broadcast)
	}
	if err != nil {
		return fmt.Errorf("announce %v on %s by a reply: %w", addr, name, err)
	}
	return nil
}

// Close closes every socket.
func (s *Sender) Close() error {
	s.out.Close()
	return nil
}

// Frame returns the Ethernet frame that announces addr as being at hardware.
func Frame(hardware net.HardwareAddr, addr netip.Addr) ([]byte, error) {
	p, err := mdarp.NewPacket(mdarp.OperationRequest, hardware, addr, ethernet.Broadcast, addr)
	if err != nil {
		return nil, err
	}
	return onEthernet(hardware, p)
}

// ReplyFrame returns the Ethernet frame that announces it in the form of a
// reply: who asked is we, for the same address (RFC 5944 section 4.6).
func ReplyFrame(hardware net.HardwareAddr, addr netip.Addr) ([]byte, error) {
	p, err := mdarp.NewPacket(mdarp.OperationReply, hardware, addr, hardware, addr)
	if err != nil {
		return nil, err
	}
	return onEthernet(hardware, p)
}

// onEthernet is a broadcast frame from hardware. ethernet.Frame would pad it
// to 60 bytes; keepalived does not.
func onEthernet(hardware net.HardwareAddr, p *mdarp.Packet) ([]byte, error) {
	body, err := p.MarshalBinary()
	if err != nil {
		return nil, err
	}
	frame := make([]byte, 0, 14+len(body))
	frame = append(frame, ethernet.Broadcast...)
	frame = append(frame, hardware...)
	frame = append(frame, 0x08, 0x06)
	return append(frame, body...), nil
}
