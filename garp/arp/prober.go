package arp

import (
	"fmt"
	"net"
	"net/netip"
	"sync"

	mdarp "github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"

	"herald/garp/device"
)

// etherTypeARP is the protocol of packet(7).
const etherTypeARP = 0x0806

// replies lets ARP replies through and nothing else: the operation stands at
// byte 20 of the frame.
var replies = []bpf.Instruction{
	bpf.LoadAbsolute{Off: 20, Size: 2},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: 2, SkipFalse: 1},
	bpf.RetConstant{Val: 256},
	bpf.RetConstant{Val: 0},
}

// Prober asks who else has an address (RFC 5227 section 2.1.1) and passes on
// who answers. It keeps one socket and one reader per interface. Probe belongs
// to one goroutine; the function given to NewProber is called from the
// readers' and must not wait.
type Prober struct {
	answered func(device string, addr netip.Addr, hardware [6]byte)
	out      device.Set
	readers  sync.WaitGroup
}

// NewProber returns a Prober without any socket yet. Probe needs CAP_NET_RAW.
func NewProber(answered func(device string, addr netip.Addr, hardware [6]byte)) *Prober {
	filter, err := bpf.Assemble(replies)
	if err != nil {
		panic(err) // the program above is constant
	}
	p := &Prober{answered: answered}
	p.out = device.Set{Protocol: etherTypeARP, Filter: filter,
		Opened: func(name string, conn *packet.Conn) { p.readers.Go(func() { p.read(name, conn) }) }}
	return p
}

// Probe broadcasts one ARP probe for addr.
func (p *Prober) Probe(name string, index int, hardware [6]byte, addr netip.Addr) error {
	frame, err := ProbeFrame(hardware[:], addr)
	if err == nil {
		err = p.out.Write(device.Ethernet{Name: name, Index: index, Hardware: hardware}, frame, ethernet.Broadcast)
	}
	if err != nil {
		return fmt.Errorf("probe %v on %s: %w", addr, name, err)
	}
	return nil
}

// read passes on answers until the socket is closed or fails.
func (p *Prober) read(name string, conn *packet.Conn) {
	buf := make([]byte, 256)
	for {
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if addr, hardware, ok := Answer(buf[:n]); ok {
			p.answered(name, addr, hardware)
		}
	}
}

// Close closes every socket and waits for the readers.
func (p *Prober) Close() error {
	p.out.Close()
	p.readers.Wait()
	return nil
}

// ProbeFrame returns the Ethernet frame that asks who has addr: an ARP request
// whose sender address is empty, so that it changes no neighbour table.
func ProbeFrame(hardware net.HardwareAddr, addr netip.Addr) ([]byte, error) {
	p, err := mdarp.NewPacket(mdarp.OperationRequest, hardware, netip.IPv4Unspecified(), make(net.HardwareAddr, 6), addr)
	if err != nil {
		return nil, err
	}
	return onEthernet(hardware, p)
}

// Answer reads an ARP reply: who has which address. ok is false for anything
// else.
func Answer(frame []byte) (addr netip.Addr, hardware [6]byte, ok bool) {
	if len(frame) < 14 || frame[12] != 0x08 || frame[13] != 0x06 {
		return addr, hardware, false
	}
	var p mdarp.Packet
	if err := p.UnmarshalBinary(frame[14:]); err != nil || p.Operation != mdarp.OperationReply || len(p.SenderHardwareAddr) != len(hardware) {
		return addr, hardware, false
	}
	return p.SenderIP, [6]byte(p.SenderHardwareAddr), true
}
