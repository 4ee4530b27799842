package vrrp

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"herald/vrrp/settings"
)

// reach prints everything an instance makes of its settings before it runs:
// the state machine's configuration, what it expects of others, its
// announcements, its place and its first packets.
func reach(t *testing.T, change func(*settings.Instance)) string {
	t.Helper()
	cfg := seed()
	cfg.Instances[0].Peers = []settings.Peer{{Address: netip.MustParseAddr("10.1.1.30")}}
	change(&cfg.Instances[0])
	in := newInstance(0, cfg)
	in.source = netip.MustParseAddr("10.1.1.20")
	packets, err := in.packets(in.cfg.Priority, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v\n%+v\n%+v\n%+v\n%+v\n%v", in.fsm, in.expect, in.plan(), in.place(), packets, in.desired())
}

// A value that vrrp/directive reads from the file and nobody carries on would
// be a keyword without effect.
func TestEverySettingReachesTheInstance(t *testing.T) {
	plain := reach(t, func(*settings.Instance) {})
	for name, change := range map[string]func(*settings.Instance){
		"advert_int":                 func(in *settings.Instance) { in.AdvertInt = 3 * time.Second },
		"virtual_router_id":          func(in *settings.Instance) { in.VRID = 99 },
		"version":                    func(in *settings.Instance) { in.Version = 3 },
		"priority":                   func(in *settings.Instance) { in.Priority = 17 },
		"interface":                  func(in *settings.Instance) { in.Interface = "eth9" },
		"nopreempt":                  func(in *settings.Instance) { in.NoPreempt = true },
		"preempt_delay":              func(in *settings.Instance) { in.PreemptDelay = time.Minute },
		"down_timer_adverts":         func(in *settings.Instance) { in.DownAdverts = 5 },
		"lower_prio_no_advert":       func(in *settings.Instance) { in.LowerPrioNoAdvert = true },
		"higher_prio_send_advert":    func(in *settings.Instance) { in.HigherPrioSendAdvert = true },
		"auth_type PASS":             func(in *settings.Instance) { in.Auth = settings.Auth{Type: settings.AuthPass, Pass: "other"} },
		"auth_type AH":               func(in *settings.Instance) { in.Auth = settings.Auth{Type: settings.AuthAH, Pass: "other"} },
		"virtual_ipaddress":          func(in *settings.Instance) { in.Addresses = []settings.Address{address("10.1.1.77/32", "eth0")} },
		"virtual_ipaddress_excluded": func(in *settings.Instance) { in.Excluded = []settings.Address{address("10.1.1.78/32", "eth0")} },
		"unicast_peer":               func(in *settings.Instance) { in.Unicast = true },
		"unicast_ttl":                func(in *settings.Instance) { in.Unicast, in.UnicastTTL = true, 64 },
		"check_unicast_src":          func(in *settings.Instance) { in.OnlyPeers = true },
		"mcast_dst_ip":               func(in *settings.Instance) { in.Group = netip.MustParseAddr("224.0.0.99") },
		"garp_master_repeat":         func(in *settings.Instance) { in.Garp.Repeat = 9 },
		"garp_master_delay":          func(in *settings.Instance) { in.Garp.Delay = time.Hour },
		"garp_master_refresh":        func(in *settings.Instance) { in.Garp.Refresh = time.Hour },
		"garp_master_refresh_repeat": func(in *settings.Instance) { in.Garp.RefreshRepeat = 9 },
		"garp_lower_prio_delay":      func(in *settings.Instance) { in.Garp.LowerPrioDelay = time.Hour },
		"garp_lower_prio_repeat":     func(in *settings.Instance) { in.Garp.LowerPrioRepeat = 9 },
		"garp_interval":              func(in *settings.Instance) { in.Garp.Interval = time.Hour },
		"gna_interval":               func(in *settings.Instance) { in.Garp.NAInterval = time.Hour },
		"garp_extra_if":              func(in *settings.Instance) { in.Garp.Extra, in.Garp.ExtraAll = time.Hour, true },
	} {
		if reach(t, change) == plain {
			t.Errorf("%s changes nothing of an instance", name)
		}
	}
}

func TestTheLargestReceiveBufferOfASocketCounts(t *testing.T) {
	h := newHost()
	cfg := seed()
	cfg.Instances = append(cfg.Instances, cfg.Instances[0], cfg.Instances[0])
	for i, size := range []int{0, 65536, 4096} {
		in := &cfg.Instances[i]
		in.Name, in.VRID, in.ReceiveBuffer = fmt.Sprint(i), uint8(i+1), size
	}
	var asked []int
	ports := h.ports()
	open := ports.Open
	ports.Open = func(p Place, ready func()) (Link, error) {
		asked = append(asked, p.Buffer)
		return open(p, ready)
	}
	s, err := New(cfg, ports)
	if err != nil {
		t.Fatal(err)
	}
	s.closeLinks()
	if len(asked) != 1 || asked[0] != 65536 {
		t.Errorf("asked for %v, want once for 65536", asked)
	}
}
