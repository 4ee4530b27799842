package stats

import (
	"fmt"
	"strings"
	"time"
)

// Instance is what one VRRP instance looks like from outside: the record the
// VRRP role reports and every renderer shows.
type Instance struct {
	Name      string `json:"name"`
	Interface string `json:"interface"`
	VRID      uint8  `json:"vrid"`
	// State is "INIT", "BACKUP", "MASTER" or "FAULT" (RFC 5798 section 6.4;
	// FAULT is keepalived's word for an instance that cannot take part).
	State        string `json:"state"`
	Priority     uint8  `json:"priority"`      // in force, with tracking applied
	BasePriority uint8  `json:"base_priority"` // as configured
	// Group is the sync group it belongs to, empty when to none.
	Group string `json:"group,omitempty"`
	// Master is the address of the last master heard, our own while MASTER;
	// empty when none was.
	Master         string    `json:"master,omitempty"`
	MasterPriority uint8     `json:"master_priority,omitempty"`
	Since          time.Time `json:"since"` // when State was entered
	Why            string    `json:"why,omitempty"`
	Addresses      []string  `json:"addresses,omitempty"` // "10.1.1.10/32 dev eth0"
	Peers          []Peer    `json:"peers,omitempty"`     // by address
	Rival          *Rival    `json:"second_holder,omitempty"`
	Tracked        []Tracked `json:"tracked,omitempty"` // scripts, in configuration order
	// GarpDelay is the time until announcements are repeated, as configured.
	GarpDelay time.Duration `json:"garp_delay_ns,omitempty"`
	History   []Transition  `json:"history,omitempty"` // oldest first
	Counters  VRRPCounters  `json:"counters"`
}

// Transition is one change of state of an instance.
type Transition struct {
	At   time.Time `json:"at"`
	From string    `json:"from"`
	To   string    `json:"to"`
	Why  string    `json:"why,omitempty"`
	// Lasted is how long From had lasted; Priority is ours.
	Lasted   time.Duration `json:"lasted_ns,omitempty"`
	Priority uint8         `json:"priority,omitempty"`
	// Peers are the routers heard a short while before.
	Peers []Peer `json:"peers,omitempty"`
}

// Peer is another router whose advertisements were accepted.
type Peer struct {
	Address  string    `json:"address"`
	Priority uint8     `json:"priority"` // last advertised; 0 when it resigned
	Last     time.Time `json:"last"`
}

// Rival is another router that holds our addresses while we are MASTER. It is
// seen by its advertisements, by its answers to ARP probes, or by both.
type Rival struct {
	Address  string    `json:"address,omitempty"` // of its advertisements
	Priority uint8     `json:"priority,omitempty"`
	Hardware string    `json:"hardware,omitempty"` // its Ethernet address
	Held     string    `json:"held,omitempty"`     // the address it answers for
	Since    time.Time `json:"since"`
	Last     time.Time `json:"last"`
}

// Text says it in words.
func (r *Rival) Text() string {
	var parts []string
	if r.Hardware != "" {
		parts = append(parts, r.Hardware+" answers for "+r.Held)
	}
	if r.Address != "" {
		parts = append(parts, fmt.Sprintf("%s advertises as master with priority %d", r.Address, r.Priority))
	}
	return strings.Join(parts, ", ")
}

// Tracked is one tracked script.
type Tracked struct {
	Name  string `json:"name"`
	State string `json:"state"` // "good", "bad" or "unknown"
	// Running says that it is being run.
	Running bool `json:"running,omitempty"`
}

// VRRPCounters are the counters of one instance, named after the objects of
// RFC 2787 and RFC 6527 (vrrpRouterStats, vrrpv3StatisticsTable). Those of a
// whole router (checksum, version, VRID) are counted on the instance whose
// interface received the packet.
type VRRPCounters struct {
	BecomeMaster            uint64 `json:"become_master"`
	ReleaseMaster           uint64 `json:"release_master"` // not in the MIB
	SecondHolder            uint64 `json:"second_holder"`  // signs of one; not in the MIB
	AdvertiseSent           uint64 `json:"advertise_sent"`
	AdvertiseRcvd           uint64 `json:"advertise_rcvd"`
	AdvertiseIntervalErrors uint64 `json:"advertise_interval_errors"`
	IPTTLErrors             uint64 `json:"ip_ttl_errors"`
	PriorityZeroPktsRcvd    uint64 `json:"priority_zero_pkts_rcvd"`
	PriorityZeroPktsSent    uint64 `json:"priority_zero_pkts_sent"`
	InvalidTypePktsRcvd     uint64 `json:"invalid_type_pkts_rcvd"`
	AddressListErrors       uint64 `json:"address_list_errors"`
	InvalidAuthType         uint64 `json:"invalid_auth_type"`
	AuthTypeMismatch        uint64 `json:"auth_type_mismatch"`
	AuthFailures            uint64 `json:"auth_failures"`
	PacketLengthErrors      uint64 `json:"packet_length_errors"`
	ChecksumErrors          uint64 `json:"checksum_errors"`
	VersionErrors           uint64 `json:"version_errors"`
	VRIDErrors              uint64 `json:"vrid_errors"`
	// GratuitousSent counts announcements (not in the MIB).
	GratuitousSent uint64 `json:"gratuitous_sent"`
	// RejectedPkts counts every packet refused, for whatever reason.
	RejectedPkts uint64 `json:"rejected_pkts"`
	// LastRejected is the reason and source of the last packet refused.
	LastRejected string `json:"last_rejected,omitempty"`
}
