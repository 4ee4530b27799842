package assemble

import (
	"net/netip"

	"herald/garp/arp"
	"herald/garp/ndp"
)

// announcer tells the neighbours where an address is, in its family's way. It
// implements vrrp.Announcer.
type announcer struct {
	arp *arp.Sender
	ndp *ndp.Sender
}

func newAnnouncer() announcer { return announcer{arp: arp.NewSender(), ndp: ndp.NewSender()} }

// Announce sends one gratuitous ARP or unsolicited neighbour advertisement.
func (a announcer) Announce(device string, index int, hardware [6]byte, addr netip.Addr) error {
	if addr.Is6() {
		return a.ndp.Announce(device, index, hardware, addr)
	}
	return a.arp.Announce(device, index, hardware, addr)
}

// AnnounceReply sends one gratuitous ARP reply.
func (a announcer) AnnounceReply(device string, index int, hardware [6]byte, addr netip.Addr) error {
	return a.arp.AnnounceReply(device, index, hardware, addr)
}

func (a announcer) close() {
	a.arp.Close()
	a.ndp.Close()
}
