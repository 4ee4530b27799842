package render

import (
	"strings"
	"testing"
	"time"

	"herald/stats"
)

func instances() []stats.Instance {
	at := func(s int) time.Time { return time.Date(2026, 1, 2, 3, 4, s, 0, time.Local) }
	return []stats.Instance{
		{Name: "VI_1", Interface: "eth0", VRID: 51, State: "MASTER", GarpDelay: 5 * time.Second, Addresses: []string{"192.0.2.10/32 dev eth0"}, Counters: stats.VRRPCounters{BecomeMaster: 2, ReleaseMaster: 1},
			Tracked: []stats.Tracked{{Name: "check", State: "good"}},
			History: []stats.Transition{{At: at(1), From: "INIT", To: "BACKUP", Why: "started", Priority: 100},
				{At: at(9), From: "BACKUP", To: "MASTER", Lasted: 3610 * time.Millisecond, Priority: 102, Peers: []stats.Peer{{Address: "10.1.1.21", Priority: 100}}, Why: "no response"}}},
		{Name: "VI_2", Interface: "eth1", VRID: 52, State: "FAULT", Addresses: []string{"192.0.2.11/32 dev eth1"},
			Tracked: []stats.Tracked{{Name: "check", State: "good"}, {Name: "disk", State: "unknown"}},
			History: []stats.Transition{{At: at(5), From: "BACKUP", To: "FAULT", Lasted: 26 * time.Hour, Why: "interface eth1 is down"}}},
	}
}

func TestTheHistoryOfAllInstancesIsOneListByTime(t *testing.T) {
	var b strings.Builder
	if err := History(&b, Entries(instances(), "")); err != nil {
		t.Fatal(err)
	}
	want := `TIME                     VRRP  CHANGE           AFTER  PRIORITY  PEERS            WHY
2026-01-02 03:04:01.000  VI_1  INIT > BACKUP    -      100       -                started
2026-01-02 03:04:05.000  VI_2  BACKUP > FAULT   1d2h   -         -                interface eth1 is down
2026-01-02 03:04:09.000  VI_1  BACKUP > MASTER  3.61s  102       10.1.1.21 (100)  no response
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	if got := Entries(instances(), "VI_2"); len(got) != 1 || got[0].Instance != "VI_2" {
		t.Errorf("of one instance: %+v", got)
	}
	b.Reset()
	if err := History(&b, nil); err != nil || b.String() != "no transition yet\n" {
		t.Errorf("of nothing: %q, %v", b.String(), err)
	}
}

func TestMetricsCarryTheNamesOfKeepalivedsExporters(t *testing.T) {
	got := string(AppendVRRPMetrics(nil, instances()))
	for _, want := range []string{
		"# TYPE keepalived_up gauge\nkeepalived_up 1\n",
		`keepalived_vrrp_state{iname="VI_1",intf="eth0",vrid="51",ip_address="192.0.2.10"} 2`,
		`keepalived_vrrp_state{iname="VI_2",intf="eth1",vrid="52",ip_address="192.0.2.11"} 3`,
		"# TYPE keepalived_become_master_total counter\n" + `keepalived_become_master_total{iname="VI_1",intf="eth0",vrid="51",state="MASTER"} 2`,
		`keepalived_release_master_total{iname="VI_1",intf="eth0",vrid="51",state="MASTER"} 1`,
		`keepalived_vrrp_become_master{name="VI_1",intf="eth0",vrid="51",state="MASTER"} 2`,
		`keepalived_gratuitous_arp_delay_total{iname="VI_1",intf="eth0",vrid="51",state="MASTER"} 5`,
		`keepalived_gratuitous_arp_delay_total{iname="VI_2",intf="eth1",vrid="52",state="FAULT"} 0`,
		`keepalived_script_state{name="check"} 0`,
		`keepalived_script_status{name="check"} 1`,
		`keepalived_script_status{name="disk"} 0`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %s in\n%s", want, got)
		}
	}
	if n := strings.Count(got, `_status{name="check"}`); n != 1 {
		t.Errorf("script check is there %d times", n)
	}
	if got := AppendVRRPMetrics(nil, nil); len(got) != 0 {
		t.Errorf("of nothing: %s", got)
	}
}
