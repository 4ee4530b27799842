package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Advert is a VRRP packet the client saw on the wire; both networks repeat
// multicast to every port.
type Advert struct {
	At       time.Time // the kernel's receive time
	Iface    string    // of the client: eth0 inside, eth1 outside
	Source   string
	VRID     byte
	Priority byte
	Packet   []byte // from the IP header on
}

// Wiretap collects the VRRP packets of a lab. Its mutex guards adverts.
type Wiretap struct {
	fd   int
	end  chan struct{}
	once sync.Once
	done sync.WaitGroup

	mu      sync.Mutex
	adverts []Advert
}

// Tap starts collecting VRRP packets at the client.
func (l *Lab) Tap() (*Wiretap, error) {
	w := &Wiretap{end: make(chan struct{})}
	names := map[int]string{}
	err := l.Client().InNetwork(func() (err error) {
		for _, p := range l.Client().ports {
			i, err := net.InterfaceByName(p.Iface)
			if err != nil {
				return err
			}
			names[i.Index] = p.Iface
		}
		w.fd, err = packetSocket(unix.ETH_P_IP)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tap: %w", err)
	}
	w.done.Add(1)
	go w.read(names)
	return w, nil
}

// packetSocket opens a socket that receives one Ethernet protocol on every
// interface, without its link header, and gives up waiting now and then.
func packetSocket(proto uint16) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(bigEndian(proto)))
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	wait := unix.NsecToTimeval(int64(20 * time.Millisecond))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("setsockopt", err)
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	return fd, nil
}

// bigEndian is htons(3).
func bigEndian(v uint16) uint16 { return v<<8 | v>>8 }

func (w *Wiretap) read(names map[int]string) {
	defer w.done.Done()
	defer unix.Close(w.fd)
	buf, oob := make([]byte, 2048), make([]byte, 256)
	for {
		select {
		case <-w.end:
			return
		default:
		}
		k, oobn, _, from, err := unix.Recvmsg(w.fd, buf, oob, 0)
		if err != nil {
			continue // the time to look at end
		}
		link, ok := from.(*unix.SockaddrLinklayer)
		head := int(buf[0]&15) * 4
		if !ok || k < head+8 || buf[9] != 112 {
			continue
		}
		a := Advert{At: stamp(oob[:oobn]), Iface: names[link.Ifindex], Source: net.IP(buf[12:16]).String(),
			VRID: buf[head+1], Priority: buf[head+2], Packet: slices.Clone(buf[:k])}
		w.mu.Lock()
		w.adverts = append(w.adverts, a)
		w.mu.Unlock()
	}
}

// Adverts returns the packets seen since a moment.
func (w *Wiretap) Adverts(since time.Time) []Advert {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.adverts), func(a Advert) bool { return a.At.Before(since) })
}

// Stop ends the tap.
func (w *Wiretap) Stop() {
	w.once.Do(func() { close(w.end); w.done.Wait() })
}

// waitAdvert waits for the next packet from a source address on a network and
// returns when the client got it.
func (l *Lab) waitAdvert(ctx context.Context, w *Wiretap, source string) (at time.Time, err error) {
	now := time.Now()
	err = l.WaitFor(ctx, "an advertisement from "+source, func() bool {
		for _, a := range w.Adverts(now) {
			if a.Source == source {
				at = a.At
			}
		}
		return !at.IsZero()
	})
	return at, err
}

// Owners asks the network, as arping does, who has an address, and returns
// every hardware address that answered within a while: more than one when a
// node still answers for what another took.
func (l *Lab) Owners(addr string, while time.Duration) ([]net.HardwareAddr, error) {
	c := l.Client()
	for _, p := range c.ports {
		if net.ParseIP(addr).Mask(net.CIDRMask(prefixBits, 32)).Equal(net.ParseIP(p.Addr).Mask(net.CIDRMask(prefixBits, 32))) {
			return c.arping(p, addr, while)
		}
	}
	return nil, fmt.Errorf("who has %s: on neither network", addr)
}

// arping sends one ARP request (RFC 826) and collects the answers.
func (n *Node) arping(p port, addr string, while time.Duration) ([]net.HardwareAddr, error) {
	var owners []net.HardwareAddr
	err := n.InNetwork(func() error {
		iface, err := net.InterfaceByName(p.Iface)
		if err != nil {
			return err
		}
		fd, err := packetSocket(unix.ETH_P_ARP)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		ask := []byte{0, 1, 8, 0, 6, 4, 0, 1}
		ask = append(append(ask, iface.HardwareAddr...), net.ParseIP(p.Addr).To4()...)
		ask = append(append(ask, make([]byte, 6)...), net.ParseIP(addr).To4()...)
		to := &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ARP), Ifindex: iface.Index, Halen: 6,
			Addr: [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
		if err := unix.Sendto(fd, ask, 0, to); err != nil {
			return os.NewSyscallError("sendto", err)
		}
		buf := make([]byte, 256)
		for end := time.Now().Add(while); time.Now().Before(end); {
			k, _, err := unix.Recvfrom(fd, buf, 0)
			if err != nil || k < 28 || buf[7] != 2 || !net.IP(buf[14:18]).Equal(net.ParseIP(addr)) {
				continue
			}
			mac := net.HardwareAddr(slices.Clone(buf[8:14]))
			if !slices.ContainsFunc(owners, func(m net.HardwareAddr) bool { return slices.Equal(m, mac) }) {
				owners = append(owners, mac)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("who has %s: %w", addr, err)
	}
	return owners, nil
}
