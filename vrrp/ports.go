package vrrp

import (
	"log/slog"
	"net/netip"
	"time"

	"herald/stats"
	"herald/vrrp/notice"
	"herald/vrrp/settings"
	"herald/vrrp/vip"
	"herald/vrrp/wire"
)

// Link is the VRRP socket of one Place. Receive and Send never block.
type Link interface {
	// Receive reads one waiting packet, whose payload is valid until the next
	// call; false means none waits.
	Receive() (wire.Packet, bool, error)
	// Send sends a packet. The payload is used until it returns.
	Send(p wire.Packet) error
	Close() error
}

// Place says where a Link listens.
type Place struct {
	Device string
	Index  int
	Group  netip.Addr // its family is that of the socket
	Join   bool       // whether to join the group
	AH     bool       // packets with an authentication header
	Under  int        // the interface below a virtual MAC one; 0 when Device is none
	From   [6]byte    // only packets from that hardware address; zero is all
	Buffer int        // receive buffer in bytes; 0 is the usual size
}

// Alarm is how the loop waits.
type Alarm interface {
	// Wait returns at a moment (never, when zero) or after Ring, whatever is
	// first; a Ring while nobody waits ends the next Wait.
	Wait(until time.Time)
	// Rest returns after d, whatever happens meanwhile: it is told by the next
	// Wait.
	Rest(d time.Duration)
	// Ring may be called from any goroutine, and by Wait itself. It never
	// blocks.
	Ring()
}

// Kernel is what the loop needs of the host's interfaces. Add of a present
// address and Delete of an absent one are no errors. The loop calls Snapshot,
// Add and Delete from one goroutine at a time.
type Kernel interface {
	Snapshot() (vip.Snapshot, error)
	Add(settings.Address) error
	Delete(settings.Address) error
	// Renew puts addresses on their devices with a lifetime after which the
	// kernel takes them away, or gives present ones that lifetime anew; 0 is
	// forever.
	Renew(list []settings.Address, lifetime time.Duration) error
	// Watch calls changed, which never blocks, after any change of an
	// interface or address.
	Watch(changed func()) (stop func(), err error)
}

// Routing is what the loop needs of the host's routes and rules; AddX of what
// is present and DeleteX of what is absent are no errors. It is called as
// Kernel is.
type Routing interface {
	// Routing returns what is there of the prefixes, and of the kinds, wanted.
	Routing(wanted settings.Routing) (settings.Routing, error)
	AddRoute(settings.Route) error
	DeleteRoute(settings.Route) error
	AddRule(settings.Rule) error
	DeleteRule(settings.Rule) error
	// WatchRouting calls changed, which never blocks, after a route or rule
	// was deleted.
	WatchRouting(changed func()) (stop func(), err error)
}

// Sysctls sets values of interfaces, and returns each one before; an interface
// that does not exist is no error. It is called as Kernel is.
type Sysctls interface {
	SetSysctl(settings.Sysctl) (before string, err error)
}

// Firewall drops the packets to and from exactly these addresses, and what the
// kernel says of itself from exactly these interfaces. It is called as Kernel
// is.
type Firewall interface {
	Silence([]settings.Address) error
	Mute([]settings.VirtualMAC) error
}

// VirtualMACs makes interfaces with hardware addresses of their own; one that
// is there, or gone, already is no error. It is called as Kernel is.
type VirtualMACs interface {
	MakeVirtualMAC(settings.VirtualMAC) error
	RemoveVirtualMAC(settings.VirtualMAC) error
	// LowerReversePath moves the host's reverse path filter to its interfaces,
	// except those named, and returns what it changed, as it was.
	LowerReversePath(except []string) (before []settings.Sysctl, err error)
}

// Announcer sends one gratuitous ARP, or in IPv6 one unsolicited neighbour
// advertisement. It is called from the loop only.
type Announcer interface {
	Announce(device string, index int, hardware [6]byte, addr netip.Addr) error
	// AnnounceReply sends one gratuitous ARP in the form of a reply.
	AnnounceReply(device string, index int, hardware [6]byte, addr netip.Addr) error
}

// ScriptRunner starts a tracking script. It must not block; the result comes
// with Server.ScriptDone, later.
type ScriptRunner interface {
	// Start runs Config.Scripts[script].
	Start(script int)
}

// Ports is the world as the loop sees it.
type Ports struct {
	// Open opens the socket of a place. ready must be called when packets
	// wait after Receive reported that none does: by Alarm.Wait, or from any
	// goroutine.
	Open      func(p Place, ready func()) (Link, error)
	Alarm     Alarm // nil waits for ready, and by a timer of the runtime
	Kernel    Kernel
	Routing   Routing     // nil when no route or rule is to be held
	Sysctls   Sysctls     // nil when none is to be set
	Firewall  Firewall    // nil when the system has none
	Virtual   VirtualMACs // nil when no virtual MAC interface is to be made
	Announcer Announcer
	Prober    Prober       // nil when nobody is to be asked
	Scripts   ScriptRunner // nil when no script is to be run
	Log       *slog.Logger // nil discards

	// The functions below may be nil. They are called from the loop and must
	// not block.

	// OnChange is told every instance after a change of any.
	OnChange func([]stats.Instance)
	// OnHeld is told the addresses on the interfaces that are ours, after
	// every change.
	OnHeld func([]settings.Address)
	// OnBelongings is told what else is in the kernel because of us, after
	// every change.
	OnBelongings func(settings.Belongings)
	// OnEvent is told what scripts, FIFOs and mails tell others.
	OnEvent func(notice.Event)
	// OnState is told what Resume needs to go on after a crash, after every
	// change.
	OnState func(blob []byte)
}
