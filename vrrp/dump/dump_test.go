package dump

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"herald/stats"
	"herald/vrrp/settings"
)

// world is the configuration and state the files below were captured with,
// from keepalived 2.2.7.
func world() World {
	address := settings.Address{Prefix: netip.MustParsePrefix("10.1.1.10/32"), Device: "e0"}
	return World{
		Config: &settings.Config{RouterID: "me", Groups: []settings.Group{{Name: "G", Members: []string{"VI_1"}}},
			Notification: settings.Notification{Fifos: []settings.Fifo{{Path: "/run/fifo"}},
				Mail: settings.Mail{To: []string{"a@x.org"}, From: "root@me", Server: "127.0.0.1:2525", Helo: "me", Timeout: 30 * time.Second}},
			Scripts: []settings.Script{{Name: "chk", Argv: []string{"/usr/bin/true"}, Interval: time.Second, Weight: 2, Rise: 1, Fall: 1}},
			Instances: []settings.Instance{{Name: "VI_1", Interface: "e0", VRID: 51, Version: 2, Priority: 100, AdvertInt: time.Second,
				Auth: settings.Auth{Type: settings.AuthPass, Pass: "1111"}, Addresses: []settings.Address{address},
				Tracks: []settings.Track{{Source: "chk", Weight: 2}},
				Garp:   settings.Garp{Delay: 5 * time.Second, Repeat: 5, RefreshRepeat: 1, LowerPrioDelay: 5 * time.Second, LowerPrioRepeat: 5}}}},
		Instances: []stats.Instance{{Name: "VI_1", Interface: "e0", VRID: 51, State: "MASTER", Priority: 102, BasePriority: 100,
			Master: "10.1.1.20", Group: "G", Since: time.UnixMicro(1795367167203202).UTC(), Counters: stats.VRRPCounters{AdvertiseSent: 3, BecomeMaster: 1}}},
		Scripts: []Script{{Known: true, Good: true}},
		Interfaces: []Interface{{Name: "e0", Index: 3, Hardware: "02:00:00:00:00:01", MTU: 1500, Up: true, Running: true,
			Addresses: []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("fe80::1"), netip.MustParseAddr("10.1.1.20")}}},
	}
}

const wantStats = `VRRP Instance: VI_1
  Advertisements:
    Received: 0
    Sent: 3
  Became master: 1
  Released master: 0
  Packet Errors:
    Length: 0
    TTL: 0
    Invalid Type: 0
    Advertisement Interval: 0
    Address List: 0
  Authentication Errors:
    Invalid Type: 0
    Type Mismatch: 0
    Failure: 0
  Priority Zero:
    Received: 0
    Sent: 0
`

const wantJSON = `[{"data":{"iname":"VI_1","dont_track_primary":0,"skip_check_adv_addr":0,"strict_mode":0,"vmac_ifname":"","ifp_ifname":"e0","master_priority":0,"last_transition":1795367167.203202,"garp_delay":5,"garp_refresh":0,"garp_rep":5,"garp_refresh_rep":1,"garp_lower_prio_delay":5,"garp_lower_prio_rep":5,"lower_prio_no_advert":0,"higher_prio_send_advert":0,"vrid":51,"base_priority":100,"effective_priority":102,"vipset":true,"promote_secondaries":false,"adver_int":1,"master_adver_int":1,"accept":1,"nopreempt":false,"preempt_delay":0,"state":2,"wantstate":2,"version":2,"smtp_alert":false,"notify_deleted":false,"vips":["10.1.1.10 dev e0 scope global set"],"track_script":["'/usr/bin/true'"],"auth_type":1,"auth_data":"1111"},"stats":{"advert_rcvd":0,"advert_sent":3,"become_master":1,"release_master":0,"packet_len_err":0,"advert_interval_err":0,"ip_ttl_err":0,"invalid_type_rcvd":0,"addr_list_err":0,"invalid_authtype":0,"authtype_mismatch":0,"auth_failure":0,"pri_zero_rcvd":0,"pri_zero_sent":0}}]`

func TestStatsAndJSONAreKeepaliveds(t *testing.T) {
	w := world()
	if got := string(w.Stats()); got != wantStats {
		t.Errorf("got\n%s\nwant\n%s", got, wantStats)
	}
	got, err := w.JSON()
	if err != nil || string(got) != wantJSON {
		t.Errorf("got\n%s, %v\nwant\n%s", got, err, wantJSON)
	}
}

func TestDataHasTheLinesOthersLookFor(t *testing.T) {
	got := string(world().Data())
	for _, want := range []string{
		"------< VRRP Topology >------\n VRRP Instance = VI_1\n   VRRP Version = 2\n   Sync group = G\n   State = MASTER\n",
		"   Wantstate = MASTER\n", "   Last transition = 1795367167.203202 (Sun Nov 22 17:06:07.203202 2026)\n", "   Interface = e0\n",
		"   Using src_ip = 10.1.1.20\n", "   Gratuitous ARP delay = 5\n", "   Virtual Router ID = 51\n", "   Priority = 100\n",
		"   Effective priority = 102\n", "   Advert interval = 1 sec\n", "   Preempt = enabled\n",
		"   Virtual IP (1):\n     10.1.1.10 dev e0 scope global set\n", "   Tracked scripts :\n     chk weight 2\n",
		"------< VRRP Scripts >------\n VRRP Script = chk\n   Command = '/usr/bin/true'\n   Interval = 1 sec\n",
		"   Status = GOOD\n", "   State = idle\n",
		"------< VRRP Sync groups >------\n VRRP Sync Group = G, MASTER\n   VRRP member instances :\n     VI_1\n",
		"------< Interfaces >------\n Name = e0\n   index = 3\n   IPv4 address = 10.1.1.20\n   IPv6 address = fe80::1\n   MAC = 02:00:00:00:00:01\n" +
			"   State = UP, RUNNING\n   MTU = 1500\n   HW Type = ETHERNET\n   Tracking VRRP instances :\n     VI_1, weight 0\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
}

func TestTheParentsFileHasTheGlobals(t *testing.T) {
	want := `------< Global definitions >------
 Router ID = me
 Smtp server = 127.0.0.1
 Smtp server port = 2525
 Smtp HELO name = me
 Smtp server connection timeout = 30
 Email notification from = root@me
 Email notification to:
   a@x.org
 Dynamic interfaces = true
 VRRP notify fifo = /run/fifo
 FIFO write vrrp states on reload = false
 Script security disabled
`
	if got := string(world().Parent()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := string(world().Data()); !strings.HasPrefix(got, want) {
		t.Errorf("keepalived.data begins otherwise:\n%s", got)
	}
}

func TestAGroupIsMasterOnlyWithAllMembers(t *testing.T) {
	w := world()
	g := settings.Group{Members: []string{"a", "b", "c"}}
	for _, c := range []struct{ a, b, c, want string }{
		{"MASTER", "MASTER", "MASTER", "MASTER"}, {"MASTER", "BACKUP", "MASTER", "BACKUP"}, {"BACKUP", "FAULT", "MASTER", "FAULT"},
	} {
		w.Instances = []stats.Instance{{Name: "a", State: c.a}, {Name: "b", State: c.b}, {Name: "c", State: c.c}, {Name: "other", State: "INIT"}}
		if got := w.groupState(g); got != c.want {
			t.Errorf("%v: got %s", c, got)
		}
	}
}

func TestABackupShowsItsMaster(t *testing.T) {
	w := world()
	in := &w.Instances[0]
	in.State, in.Master, in.MasterPriority, in.Counters.BecomeMaster = "BACKUP", "10.1.1.21", 103, 2
	if got := string(w.Data()); !strings.Contains(got, "   Master router = 10.1.1.21\n   Master priority = 103\n") || strings.Contains(got, " set\n") {
		t.Errorf("got %s", got)
	}
	if got := string(w.Stats()); !strings.Contains(got, "Released master: 2\n") {
		t.Errorf("got %s", got)
	}
	raw, err := w.JSON()
	var back []record
	if err == nil {
		err = json.Unmarshal(raw, &back)
	}
	if err != nil || back[0].Data.MasterPriority != 103 || back[0].Data.State != 1 || back[0].Data.Set {
		t.Errorf("got %s, %v", raw, err)
	}
}

func TestAVirtualMACInterfaceIsNamed(t *testing.T) {
	w := world()
	in := &w.Config.Instances[0]
	in.Sender = "vrrp.1"
	in.VirtualMACs = []settings.VirtualMAC{{Name: "vrrp.1", Parent: in.Interface, IPv6: in.IPv6}}
	if raw, err := w.JSON(); err != nil || !strings.Contains(string(raw), `"vmac_ifname":"vrrp.1","ifp_ifname":"vrrp.1"`) {
		t.Errorf("got %s, %v", raw, err)
	}
	if got := string(w.Data()); !strings.Contains(got, "   Interface = vrrp.1, vmac on "+in.Interface+"\n") {
		t.Errorf("got\n%s", got)
	}
}
