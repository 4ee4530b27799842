package vrrp

import (
	"log/slog"
	"net/netip"

	"herald/stats"
	"herald/vrrp/settings"
	"herald/vrrp/vip"
	"herald/vrrp/wire"
)

// Link is the VRRP socket of one interface. Receive and Send never block.
type Link interface {
	// Receive reads one waiting packet into b; false means none waits.
	Receive(b []byte) (wire.Packet, bool, error)
	// Send sends an advertisement to the group from a source address.
	Send(source netip.Addr, payload []byte) error
	Close() error
}

// Kernel is what the loop needs of the host's interfaces. Add of a present
// address and Delete of an absent one are no errors. The loop calls Snapshot,
// Add and Delete from one goroutine at a time.
type Kernel interface {
	Snapshot() (vip.Snapshot, error)
	Add(settings.Address) error
	Delete(settings.Address) error
	// Watch calls changed, which never blocks, after any change of an
	// interface or address.
	Watch(changed func()) (stop func(), err error)
}

// Announcer sends one gratuitous ARP. It is called from the loop only.
type Announcer interface {
	Announce(device string, index int, hardware [6]byte, addr netip.Addr) error
}

// ScriptRunner starts a tracking script. It must not block; the result comes
// with Server.ScriptDone, later.
type ScriptRunner interface {
	// Start runs Config.Scripts[script].
	Start(script int)
}

// Ports is the world as the loop sees it.
type Ports struct {
	// Open opens the socket of an interface. ready must be called, from any
	// goroutine, when packets wait after Receive reported that none does.
	Open      func(device string, index int, ready func()) (Link, error)
	Kernel    Kernel
	Announcer Announcer
	Scripts   ScriptRunner // nil when no script is to be run
	Log       *slog.Logger // nil discards

	// The functions below may be nil. They are called from the loop and must
	// not block.

	// OnChange is told every instance after a change of any.
	OnChange func([]stats.Instance)
	// OnHeld is told the addresses on the interfaces that are ours, after
	// every change.
	OnHeld func([]settings.Address)
	// OnState is told what Resume needs to go on after a crash, after every
	// change.
	OnState func(blob []byte)
}
