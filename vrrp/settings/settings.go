// Package settings holds a VRRP configuration as plain values: what
// vrrp/directive makes of a keepalived.conf and what the VRRP loop runs.
//
// It parses nothing and decides nothing, so every package of vrrp may read
// it. A Config is immutable once built.
package settings

import (
	"net/netip"
	"time"

	"herald/config"
)

// Config is one whole keepalived configuration.
type Config struct {
	RouterID  string // global_defs router_id; the host name when empty
	Scripts   []Script
	Instances []Instance
	Groups    []Group
	// StartupDelay is vrrp_startup_delay: instances stay BACKUP so long.
	StartupDelay time.Duration
	// ScriptUser and ScriptGroup run scripts that name no user; empty means
	// keepalived_script when that account exists, else root.
	ScriptUser, ScriptGroup string
	// ScriptSecurity is enable_script_security: refuse scripts run as root
	// from paths others can write.
	ScriptSecurity bool
}

// Instance is one vrrp_instance (RFC 3768's virtual router on one interface).
type Instance struct {
	Pos       config.Pos
	Name      string
	Interface string
	VRID      uint8 // 1..255
	Version   int   // 2 until VRRPv3 is built
	Priority  uint8 // base priority, 1..255; 255 is the address owner
	// StartMaster is `state MASTER`: a hint for the log, as in keepalived.
	StartMaster     bool
	AdvertInt       time.Duration // 1 s by default
	NoPreempt       bool
	PreemptDelay    time.Duration
	Auth            Auth
	Addresses       []Address  // in the packet, in configuration order
	Excluded        []Address  // held but not advertised
	Source          netip.Addr // mcast_src_ip; invalid means the interface's primary address
	Tracks          []Track
	TrackInterfaces []TrackInterface
	// DontTrackPrimary keeps the instance running when Interface is down.
	DontTrackPrimary bool
	Garp             Garp
}

// AuthType is the v2 authentication type field (RFC 2338 section 5.3.6).
type AuthType uint8

// Authentication types.
const (
	AuthNone AuthType = 0
	AuthPass AuthType = 1
)

// Auth is the authentication of a v2 instance; Pass holds at most 8 bytes.
type Auth struct {
	Type AuthType
	Pass string
}

// Address is one virtual address.
type Address struct {
	Prefix    netip.Prefix // /32 when the file gives no length
	Device    string       // the instance's interface when the file names none
	Label     string
	Scope     int        // RT_SCOPE_*; 0 is global
	Broadcast netip.Addr // invalid means none, as keepalived sets none
	Peer      netip.Addr // the other end of a point-to-point address; Prefix has its length
	// DAD runs duplicate address detection (IPv6); without it an address is
	// usable at once.
	DAD           bool
	Home          bool // a Mobile IPv6 home address
	ManageTemp    bool // template of temporary addresses (mngtmpaddr)
	NoPrefixRoute bool
	AutoJoin      bool // multicast addresses are joined on the interface
	// Deprecated is preferred_lft 0: never chosen as a source.
	Deprecated bool
	// PreferredLft bounds the time it is chosen as a source; 0 is forever.
	PreferredLft time.Duration
	// NoTrack leaves it alone when somebody else removes it.
	NoTrack bool
}

// Garp is the announcement schedule of an instance (keepalived.conf(5)
// garp_master_*).
type Garp struct {
	Repeat          int           // announcements per burst, 5
	Delay           time.Duration // until the second burst, 5 s; 0 means none
	Refresh         time.Duration // repeat while MASTER; 0 means never
	RefreshRepeat   int           // announcements per refresh, 1
	LowerPrioDelay  time.Duration // second burst after a lower-priority advertisement
	LowerPrioRepeat int
	Interval        time.Duration // least time between two announcements on one interface
}

// Track connects an instance to a tracked source.
type Track struct {
	Source string // Script.Name
	// Weight is added to the priority while the source is good (positive) or
	// taken while it is bad (negative); 0 means FAULT while bad.
	Weight  int
	Reverse bool
}

// TrackInterface is one line of track_interface.
type TrackInterface struct {
	Name    string
	Weight  int
	Reverse bool
}

// Script is one vrrp_script.
type Script struct {
	Pos         config.Pos
	Name        string
	Argv        []string      // program and arguments, split as keepalived splits them
	Text        string        // as written, for messages
	Interval    time.Duration // 1 s by default
	Timeout     time.Duration // the interval by default
	Weight      int
	Reverse     bool
	Rise        int // consecutive successes that make it good, 1
	Fall        int // consecutive failures that make it bad, 1
	InitFail    bool
	User, Group string
	// InProcess is set when the command asks whether the proxy runs
	// (`killall -0 haproxy` and its family): it is answered from the health of
	// herald's own proxy and never executed.
	InProcess bool
}
