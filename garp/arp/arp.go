// Package arp sends gratuitous ARP frames. It decides nothing: package garp
// says when.
//
// The frame is keepalived's: an ARP request, Ethernet broadcast, the address
// as sender and target, and ff:ff:ff:ff:ff:ff as target hardware address. It
// is 42 bytes long, without padding: the driver pads what it has to.
//
//	s := arp.NewSender()
//	defer s.Close()
//	err := s.Announce("eth0", index, hardware, netip.MustParseAddr("10.1.1.10"))
package arp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	mdarp "github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/packet"
)

// Sender announces addresses. It keeps one socket per interface and belongs
// to one goroutine.
type Sender struct {
	open map[string]*device
}

// device is an open packet socket of one interface, valid for the interface's
// index: one that was deleted and made again needs another socket.
type device struct {
	index    int
	hardware [6]byte
	conn     *packet.Conn
}

// NewSender returns a Sender without any socket yet. Announce needs
// CAP_NET_RAW.
func NewSender() *Sender { return &Sender{open: map[string]*device{}} }

// Announce broadcasts one gratuitous ARP request for addr from the interface
// with that name, index and Ethernet address. A socket that fails is closed,
// so that the next call opens another.
func (s *Sender) Announce(name string, index int, hardware [6]byte, addr netip.Addr) error {
	d, err := s.device(name, index, hardware)
	if err != nil {
		return fmt.Errorf("announce %v on %s: %w", addr, name, err)
	}
	frame, err := Frame(hardware[:], addr)
	if err != nil {
		return fmt.Errorf("announce %v on %s: %w", addr, name, err)
	}
	if _, err := d.conn.WriteTo(frame, &packet.Addr{HardwareAddr: ethernet.Broadcast}); err != nil {
		s.forget(name)
		return fmt.Errorf("announce %v on %s: %w", addr, name, err)
	}
	return nil
}

// device returns the open socket of an interface. It only sends: protocol 0
// receives nothing, so no frames pile up that nobody reads (packet(7)).
func (s *Sender) device(name string, index int, hardware [6]byte) (*device, error) {
	if d := s.open[name]; d != nil && d.index == index && d.hardware == hardware {
		return d, nil
	}
	s.forget(name)
	if hardware == [6]byte{} {
		return nil, errors.New("not an Ethernet interface")
	}
	ifi := &net.Interface{Name: name, Index: index, HardwareAddr: hardware[:]}
	conn, err := packet.Listen(ifi, packet.Raw, 0, nil)
	if err != nil {
		return nil, err
	}
	d := &device{index: index, hardware: hardware, conn: conn}
	s.open[name] = d
	return d, nil
}

// Close closes every socket.
func (s *Sender) Close() error {
	for name := range s.open {
		s.forget(name)
	}
	return nil
}

func (s *Sender) forget(name string) {
	if d := s.open[name]; d != nil {
		d.conn.Close()
		delete(s.open, name)
	}
}

// Frame returns the Ethernet frame that announces addr as being at hardware.
func Frame(hardware net.HardwareAddr, addr netip.Addr) ([]byte, error) {
	p, err := mdarp.NewPacket(mdarp.OperationRequest, hardware, addr, ethernet.Broadcast, addr)
	if err != nil {
		return nil, err
	}
	body, err := p.MarshalBinary()
	if err != nil {
		return nil, err
	}
	// ethernet.Frame would pad to 60 bytes; keepalived does not.
	frame := make([]byte, 0, 14+len(body))
	frame = append(frame, ethernet.Broadcast...)
	frame = append(frame, hardware...)
	frame = append(frame, 0x08, 0x06)
	return append(frame, body...), nil
}
