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
	open     map[string]*device
	readers  sync.WaitGroup
}

// NewProber returns a Prober without any socket yet. Probe needs CAP_NET_RAW.
func NewProber(answered func(device string, addr netip.Addr, hardware [6]byte)) *Prober {
	return &Prober{answered: answered, open: map[string]*device{}}
}

// Probe broadcasts one ARP probe for addr. A socket that fails is closed, so
// that the next call opens another.
func (p *Prober) Probe(name string, index int, hardware [6]byte, addr netip.Addr) error {
	frame, err := ProbeFrame(hardware[:], addr)
	if err != nil {
		return fmt.Errorf("probe %v on %s: %w", addr, name, err)
	}
	d, err := p.device(name, index, hardware)
	if err != nil {
		return fmt.Errorf("probe %v on %s: %w", addr, name, err)
	}
	if _, err := d.conn.WriteTo(frame, &packet.Addr{HardwareAddr: ethernet.Broadcast}); err != nil {
		p.forget(name)
		return fmt.Errorf("probe %v on %s: %w", addr, name, err)
	}
	return nil
}

func (p *Prober) device(name string, index int, hardware [6]byte) (*device, error) {
	if d := p.open[name]; d != nil && d.index == index && d.hardware == hardware {
		return d, nil
	}
	p.forget(name)
	filter, err := bpf.Assemble(replies)
	if err != nil {
		return nil, err
	}
	conn, err := packet.Listen(&net.Interface{Name: name, Index: index, HardwareAddr: hardware[:]}, packet.Raw, etherTypeARP, &packet.Config{Filter: filter})
	if err != nil {
		return nil, err
	}
	d := &device{index: index, hardware: hardware, conn: conn}
	p.open[name] = d
	p.readers.Go(func() { p.read(name, conn) })
	return d, nil
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
	for name := range p.open {
		p.forget(name)
	}
	p.readers.Wait()
	return nil
}

func (p *Prober) forget(name string) {
	if d := p.open[name]; d != nil {
		d.conn.Close()
		delete(p.open, name)
	}
}

// ProbeFrame returns the Ethernet frame that asks who has addr: an ARP request
// whose sender address is empty, so that it changes no neighbour table.
func ProbeFrame(hardware net.HardwareAddr, addr netip.Addr) ([]byte, error) {
	p, err := mdarp.NewPacket(mdarp.OperationRequest, hardware, netip.IPv4Unspecified(), make(net.HardwareAddr, 6), addr)
	if err != nil {
		return nil, err
	}
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
