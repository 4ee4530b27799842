package dump

import (
	"encoding/json"
	"slices"

	"herald/stats"
	"herald/vrrp/settings"
)

// record is one element of keepalived.json. The types of the values are
// keepalived's, numbers for some of what is true or false.
type record struct {
	Data  data     `json:"data"`
	Stats counters `json:"stats"`
}

type data struct {
	Name             string      `json:"iname"`
	DontTrackPrimary int         `json:"dont_track_primary"`
	SkipCheckAdvAddr int         `json:"skip_check_adv_addr"`
	Strict           int         `json:"strict_mode"`
	VMAC             string      `json:"vmac_ifname"`
	Interface        string      `json:"ifp_ifname"`
	MasterPriority   uint8       `json:"master_priority"`
	LastTransition   json.Number `json:"last_transition"`
	GarpDelay        json.Number `json:"garp_delay"`
	GarpRefresh      json.Number `json:"garp_refresh"`
	GarpRep          int         `json:"garp_rep"`
	GarpRefreshRep   int         `json:"garp_refresh_rep"`
	GarpLowerDelay   json.Number `json:"garp_lower_prio_delay"`
	GarpLowerRep     int         `json:"garp_lower_prio_rep"`
	LowerNoAdvert    int         `json:"lower_prio_no_advert"`
	HigherSendAdvert int         `json:"higher_prio_send_advert"`
	VRID             uint8       `json:"vrid"`
	Base             uint8       `json:"base_priority"`
	Effective        uint8       `json:"effective_priority"`
	Set              bool        `json:"vipset"`
	Promote          bool        `json:"promote_secondaries"`
	Interval         json.Number `json:"adver_int"`
	MasterInterval   json.Number `json:"master_adver_int"`
	Accept           int         `json:"accept"`
	NoPreempt        bool        `json:"nopreempt"`
	PreemptDelay     json.Number `json:"preempt_delay"`
	State            int         `json:"state"`
	Want             int         `json:"wantstate"`
	Version          int         `json:"version"`
	Mail             bool        `json:"smtp_alert"`
	NotifyDeleted    bool        `json:"notify_deleted"`
	Addresses        []string    `json:"vips,omitempty"`
	Excluded         []string    `json:"evips,omitempty"`
	Scripts          []string    `json:"track_script,omitempty"`
	AuthType         int         `json:"auth_type,omitempty"`
	AuthData         string      `json:"auth_data,omitempty"`
}

type counters struct {
	Received     uint64 `json:"advert_rcvd"`
	Sent         uint64 `json:"advert_sent"`
	Become       uint64 `json:"become_master"`
	Release      uint64 `json:"release_master"`
	Length       uint64 `json:"packet_len_err"`
	Interval     uint64 `json:"advert_interval_err"`
	TTL          uint64 `json:"ip_ttl_err"`
	Type         uint64 `json:"invalid_type_rcvd"`
	Addresses    uint64 `json:"addr_list_err"`
	AuthType     uint64 `json:"invalid_authtype"`
	AuthMismatch uint64 `json:"authtype_mismatch"`
	AuthFailure  uint64 `json:"auth_failure"`
	ZeroReceived uint64 `json:"pri_zero_rcvd"`
	ZeroSent     uint64 `json:"pri_zero_sent"`
}

// numbers of the states.
var numbers = map[string]int{"INIT": 0, "BACKUP": 1, "MASTER": 2, "FAULT": 3}

// JSON is keepalived.json (SIGRTMIN+2).
func (w World) JSON() ([]byte, error) {
	list := make([]record, 0, len(w.Instances))
	for i := range w.Instances {
		in := &w.Instances[i]
		list = append(list, record{w.data(in, w.config(in)), count(in)})
	}
	return json.Marshal(list)
}

func (w World) data(in *stats.Instance, c *settings.Instance) data {
	g := c.Garp
	d := data{Name: in.Name, DontTrackPrimary: number(c.DontTrackPrimary), Interface: in.Interface,
		LastTransition: json.Number(unix(in.Since)),
		GarpDelay:      json.Number(seconds(g.Delay)), GarpRefresh: json.Number(seconds(g.Refresh)), GarpRep: g.Repeat,
		GarpRefreshRep: g.RefreshRepeat, GarpLowerDelay: json.Number(seconds(g.LowerPrioDelay)), GarpLowerRep: g.LowerPrioRepeat,
		VRID: in.VRID, Base: in.BasePriority, Effective: in.Priority, Set: in.State == "MASTER",
		Interval: json.Number(seconds(c.AdvertInt)), MasterInterval: json.Number(seconds(c.AdvertInt)), Accept: 1,
		LowerNoAdvert: number(c.LowerPrioNoAdvert), HigherSendAdvert: number(c.HigherPrioSendAdvert),
		Mail: c.Notify.Mail, NotifyDeleted: c.Notify.TellDeleted,
		NoPreempt: c.NoPreempt, PreemptDelay: json.Number(seconds(c.PreemptDelay)),
		State: numbers[in.State], Want: numbers[want(in.State)], Version: c.Version,
		AuthType: int(c.Auth.Type), AuthData: c.Auth.Pass}
	if v, own := c.Own(); own {
		d.VMAC, d.Interface = v.Name, v.Name
	}
	if in.State != "MASTER" {
		d.MasterPriority = in.MasterPriority
	}
	for _, a := range c.Addresses {
		d.Addresses = append(d.Addresses, addressLine(a, d.Set))
	}
	for _, a := range c.Excluded {
		d.Excluded = append(d.Excluded, addressLine(a, d.Set))
	}
	for _, t := range c.Tracks {
		if i := slices.IndexFunc(w.Config.Scripts, func(s settings.Script) bool { return s.Name == t.Source }); i >= 0 {
			d.Scripts = append(d.Scripts, command(w.Config.Scripts[i].Argv))
		}
	}
	return d
}

func count(in *stats.Instance) counters {
	c := &in.Counters
	return counters{Received: c.AdvertiseRcvd, Sent: c.AdvertiseSent, Become: c.BecomeMaster, Release: released(in),
		Length: c.PacketLengthErrors, Interval: c.AdvertiseIntervalErrors, TTL: c.IPTTLErrors, Type: c.InvalidTypePktsRcvd,
		Addresses: c.AddressListErrors, AuthType: c.InvalidAuthType, AuthMismatch: c.AuthTypeMismatch, AuthFailure: c.AuthFailures,
		ZeroReceived: c.PriorityZeroPktsRcvd, ZeroSent: c.PriorityZeroPktsSent}
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
