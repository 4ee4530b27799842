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
	Process   Process
	Files     []File
	Processes []TrackedProcess
	// LastingAddresses leaves out the lifetime that addresses have otherwise and
	// advertisements renew.
	LastingAddresses bool
	// StartupDelay is vrrp_startup_delay: instances stay BACKUP so long.
	StartupDelay time.Duration
	// ScriptUser and ScriptGroup run scripts that name no user; empty means
	// keepalived_script when that account exists, else root.
	ScriptUser, ScriptGroup string
	// ScriptSecurity is enable_script_security: refuse scripts run as root
	// from paths others can write.
	ScriptSecurity bool
	// Static is held all the time: static_ipaddress, _routes and _rules.
	StaticAddresses []Address
	StaticRouting   Routing
	Notification    Notification
	GarpGroups      []GarpGroup
	LinkDelays      []LinkDelay // an interface has one at most
	// NoLocalIGMP is disable_local_igmp.
	NoLocalIGMP bool
}

// Process is where a daemon that runs as keepalived is, and what its files
// are called.
type Process struct {
	NetNamespace string // net_namespace: the one to run in
	// NamespacePos is where the file says so.
	NamespacePos config.Pos
	// Startup runs once before VRRP begins, Shutdown once after it has ended.
	Startup, Shutdown LifeScript
	Instance          string // instance: part of the names of pid files
	UsePidDir         bool   // use_pid_dir: pid files are in /run/keepalived
}

// Instance is one vrrp_instance (RFC 3768's virtual router on one interface).
type Instance struct {
	Pos       config.Pos
	Name      string
	Interface string
	VRID      uint8 // 1..255
	Version   int   // 2 or 3
	Priority  uint8 // base priority, 1..255; 255 is the address owner
	// StartMaster is `state MASTER`: a hint for the log, as in keepalived.
	StartMaster  bool
	AdvertInt    time.Duration // 1 s by default
	NoPreempt    bool
	PreemptDelay time.Duration
	Auth         Auth
	Addresses    []Address // in the packet, in configuration order
	Excluded     []Address // held but not advertised
	// Second are the listed addresses of the other family, which are among
	// Excluded; a version 3 router of that family advertises them, to
	// SecondGroup, or 224.0.0.18 or ff02::12 when that is invalid.
	Second      []netip.Addr
	SecondGroup netip.Addr
	Source      netip.Addr // mcast_src_ip, unicast_src_ip; invalid means the interface's primary address, link-local in IPv6
	// IPv6 says that the virtual router is one of IPv6.
	IPv6 bool
	// Group is the multicast group; invalid means 224.0.0.18 or ff02::12.
	Group netip.Addr
	// Unicast says that advertisements go to Peers instead of the group.
	Unicast    bool
	Peers      []Peer
	UnicastTTL uint8 // of packets to Peers; 0 is 255
	OnlyPeers  bool  // check_unicast_src
	// ReceiveBuffer is that of the socket in bytes; 0 is the usual size.
	ReceiveBuffer int
	// PlainChecksum leaves the pseudo-header out of the checksum of version 3
	// over IPv4 (v3_checksum_as_v2, RFC 9568 section 5.2.8).
	PlainChecksum bool
	// DownAdverts is how many advertisements may be missing; 0 is 3.
	DownAdverts int
	// LowerPrioNoAdvert leaves a lesser master unanswered, and
	// HigherPrioSendAdvert answers a better one before giving way.
	LowerPrioNoAdvert, HigherPrioSendAdvert bool
	Tracks                                  []Track
	TrackInterfaces                         []TrackInterface
	Watched                                 []Watched
	// TrackSource makes a FAULT while Source is not on Interface (track_src_ip).
	TrackSource bool
	// DontTrackPrimary keeps the instance running when Interface is down.
	DontTrackPrimary bool
	Routing          Routing // virtual_routes and virtual_rules
	Sysctls          []Sysctl
	// NoAccept drops packets to and from the addresses (RFC 9568's Accept_Mode
	// false); never of an owner.
	NoAccept bool
	// VirtualMACs are the interfaces of its own it has.
	VirtualMACs []VirtualMAC
	// HMAC is the authentication extension; nil without it.
	HMAC *HMAC
	// Sender is the one of them that advertises; "" is Interface.
	Sender string
	Garp   Garp
	Notify Notify
}

// AuthType is the v2 authentication type field (RFC 2338 section 5.3.6).
type AuthType uint8

// Authentication types.
const (
	AuthNone AuthType = 0
	AuthPass AuthType = 1
	AuthAH   AuthType = 2 // HMAC-MD5-96 in an authentication header
)

// Auth is the authentication of a v2 instance; Pass holds at most 8 bytes.
type Auth struct {
	Type AuthType
	Pass string
}

// Peer is one line of unicast_peer.
type Peer struct {
	Address        netip.Addr // invalid while Name has none
	Name           string     // as written; empty of a peer written as an address
	MinTTL, MaxTTL uint8      // of its packets; MaxTTL 0 is no limit
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
	Form            GarpForm
	Interval        time.Duration // least time between two gratuitous ARPs on one interface
	NAInterval      time.Duration // the same of unsolicited neighbour advertisements
	// Extra is the period of one announcement on every interface of the
	// instance, or, without ExtraAll, on its virtual MAC interfaces; 0 is never.
	Extra    time.Duration
	ExtraAll bool
}

// GarpForm is which ARP messages announce an IPv4 address.
type GarpForm uint8

// Forms. A request is what keepalived sends.
const (
	GarpRequest GarpForm = iota
	GarpReply
	GarpBoth // a request, and a reply right behind it
)

// GarpGroup is one garp_group: interfaces whose announcements are paced
// together.
type GarpGroup struct {
	ARP, NA    time.Duration
	Interfaces []string
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
