package settings

import (
	"fmt"
	"net/netip"
	"strings"

	"herald/config"
)

// Routing are the routes and rules that go with an instance or, static, with
// the daemon.
type Routing struct {
	Routes []Route `json:",omitempty"`
	Rules  []Rule  `json:",omitempty"`
}

// Empty reports whether there is neither.
func (r Routing) Empty() bool { return len(r.Routes)+len(r.Rules) == 0 }

// Belongings is what a VRRP process has put into the kernel beside addresses:
// all that has to go when nobody answers for it any more.
type Belongings struct {
	Routing Routing  `json:"routing,omitzero"`
	Sysctls []Sysctl `json:"sysctls,omitempty"` // as they were
	// Filtered says that packets to addresses are dropped.
	Filtered bool `json:"filtered,omitempty"`
	// VirtualMACs are interfaces; Muted says that packets from them are
	// dropped.
	VirtualMACs []VirtualMAC `json:"virtual_macs,omitempty"`
	Muted       bool         `json:"muted,omitempty"`
	// NetNamespace is where all that is, by name; empty is the namespace of
	// whoever reads it.
	NetNamespace string `json:"net_namespace,omitempty"`
}

// RouteProtocol is who set a route or rule, where the file does not say:
// keepalived's number in rtnetlink.h (RTPROT_KEEPALIVED).
const RouteProtocol = 18

// Route is one route, in the words of ip-route(8).
type Route struct {
	Pos      config.Pos   `json:"-"`
	Prefix   netip.Prefix // 0.0.0.0/0 or ::/0 for default
	Type     int          // RTN_*; 1 is unicast
	Table    int          // 254 is main
	Metric   int          // 0 is the kernel's
	TOS      int          `json:",omitempty"`
	Protocol int          // RTPROT_*
	Scope    int          // RT_SCOPE_*; IPv4 only
	Source   netip.Addr   // preferred source of packets; invalid is none
	Via      netip.Addr   // gateway; invalid is none
	Device   string       `json:",omitempty"`
	OnLink   bool         `json:",omitempty"`
	Realm    int          `json:",omitempty"` // from<<16 | to
	NextHops []NextHop    `json:",omitempty"` // instead of Via and Device
	Metrics  Metrics
	// NoTrack leaves it alone when somebody else removes it.
	NoTrack bool `json:",omitempty"`
}

// NextHop is one way of a multipath route.
type NextHop struct {
	Via    netip.Addr
	Device string `json:",omitempty"`
	Weight int    // 1..256
	OnLink bool   `json:",omitempty"`
}

// Metrics are the values a route gives connections; 0 is unset.
type Metrics struct {
	MTU, Window, RTT, RTTVar, SSThresh, Cwnd, AdvMSS, Reordering, HopLimit int    `json:",omitempty"`
	InitCwnd, InitRwnd, RTOMin, QuickACK, Features, FastOpenNoCookie       int    `json:",omitempty"`
	MTULock, RTOMinLock                                                    bool   `json:",omitempty"`
	CongestionControl                                                      string `json:",omitempty"`
}

// String names a route as ip-route(8) shows it.
func (r Route) String() string {
	var b strings.Builder
	b.WriteString(r.Prefix.String())
	if r.Via.IsValid() {
		fmt.Fprintf(&b, " via %v", r.Via)
	}
	if r.Device != "" {
		b.WriteString(" dev " + r.Device)
	}
	for _, n := range r.NextHops {
		fmt.Fprintf(&b, " nexthop via %v dev %s", n.Via, n.Device)
	}
	if r.Table != 0 && r.Table != 254 {
		fmt.Fprintf(&b, " table %d", r.Table)
	}
	if r.Metric != 0 {
		fmt.Fprintf(&b, " metric %d", r.Metric)
	}
	return b.String()
}

// Rule is one rule of the routing policy, in the words of ip-rule(8).
type Rule struct {
	Pos      config.Pos `json:"-"`
	IPv6     bool       `json:",omitempty"`
	Priority int
	Action   int          // FR_ACT_*: 1 table, 2 goto, 3 nop, 6 blackhole, 7 unreachable, 8 prohibit
	Table    int          `json:",omitempty"`
	Goto     int          `json:",omitempty"`
	Not      bool         `json:",omitempty"`
	From, To netip.Prefix // invalid is all
	In, Out  string       `json:",omitempty"` // interfaces
	TOS      int          `json:",omitempty"`
	// Mark and Mask are fwmark; a Mask of 0 with a Mark is all bits.
	Mark, Mask uint32 `json:",omitempty"`
	HasMark    bool   `json:",omitempty"`
	Realms     int    `json:",omitempty"` // from<<16 | to
	IPProto    int    `json:",omitempty"`
	Protocol   int
	// Ranges of ports and users, both ends included.
	Sport, Dport [2]uint16 `json:",omitzero"`
	UIDs         [2]uint32 `json:",omitzero"`
	HasUIDs      bool      `json:",omitempty"`
	// SuppressLength and SuppressGroup are -1 when they are not set.
	SuppressLength, SuppressGroup int
	// NoTrack leaves it alone when somebody else removes it.
	NoTrack bool `json:",omitempty"`
}

// String names a rule as ip-rule(8) shows it.
func (r Rule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rule %d:", r.Priority)
	if r.Not {
		b.WriteString(" not")
	}
	from := "all"
	if r.From.IsValid() {
		from = r.From.String()
	}
	b.WriteString(" from " + from)
	if r.To.IsValid() {
		b.WriteString(" to " + r.To.String())
	}
	if r.In != "" {
		b.WriteString(" iif " + r.In)
	}
	switch r.Action {
	case 1:
		fmt.Fprintf(&b, " table %d", r.Table)
	case 2:
		fmt.Fprintf(&b, " goto %d", r.Goto)
	}
	return b.String()
}
