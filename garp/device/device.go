// Package device keeps the packet sockets through which frames leave, one per
// interface. It knows no protocol: frames come whole, and what arrives is for
// whoever gave Set.Opened.
//
//	var out device.Set // sends only
//	defer out.Close()
//	err := out.Write(device.Ethernet{Name: "eth0", Index: 2, Hardware: mac}, frame, broadcast)
package device

import (
	"errors"
	"net"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
)

// Ethernet names an interface as it is now: one that was deleted and made
// again has another index and needs another socket.
type Ethernet struct {
	Name     string
	Index    int
	Hardware [6]byte
}

// Set is the open sockets. The zero value sends only; it belongs to one
// goroutine.
type Set struct {
	// Protocol is the EtherType to receive (packet(7)). With 0 nothing is
	// received, so no frames pile up that nobody reads.
	Protocol int
	// Filter chooses among them; nil takes all.
	Filter []bpf.RawInstruction
	// Opened is told of each new socket, to read from it until it fails; nil
	// when nobody reads.
	Opened func(name string, conn *packet.Conn)

	open map[string]socket
}

type socket struct {
	of   Ethernet
	conn *packet.Conn
}

// Write sends a frame from an interface to an Ethernet address. It needs
// CAP_NET_RAW to open the socket. One that fails is closed, so that the next
// call opens another.
func (s *Set) Write(on Ethernet, frame []byte, to net.HardwareAddr) error {
	conn, err := s.socket(on)
	if err != nil {
		return err
	}
	if _, err := conn.WriteTo(frame, &packet.Addr{HardwareAddr: to}); err != nil {
		s.forget(on.Name)
		return err
	}
	return nil
}

func (s *Set) socket(on Ethernet) (*packet.Conn, error) {
	if have, ok := s.open[on.Name]; ok && have.of == on {
		return have.conn, nil
	}
	s.forget(on.Name)
	if on.Hardware == [6]byte{} {
		return nil, errors.New("not an Ethernet interface")
	}
	var how *packet.Config
	if s.Filter != nil {
		how = &packet.Config{Filter: s.Filter}
	}
	conn, err := packet.Listen(&net.Interface{Name: on.Name, Index: on.Index, HardwareAddr: on.Hardware[:]}, packet.Raw, s.Protocol, how)
	if err != nil {
		return nil, err
	}
	if s.open == nil {
		s.open = map[string]socket{}
	}
	s.open[on.Name] = socket{on, conn}
	if s.Opened != nil {
		s.Opened(on.Name, conn)
	}
	return conn, nil
}

// Len is how many sockets are open.
func (s *Set) Len() int { return len(s.open) }

// Close closes every socket; the set may be used again.
func (s *Set) Close() {
	for name := range s.open {
		s.forget(name)
	}
}

func (s *Set) forget(name string) {
	if have, ok := s.open[name]; ok {
		have.conn.Close()
		delete(s.open, name)
	}
}
