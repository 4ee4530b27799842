package directive

import (
	"reflect"
	"testing"
	"time"

	"herald/vrrp/settings"
)

func TestExtraAnnouncements(t *testing.T) {
	for name, tt := range map[string]struct {
		global, own, findings string
		every, pace6          time.Duration
		all                   bool
	}{
		"none": {},
		"own": {own: "garp_extra_if 100", every: 100 * time.Second,
			findings: "k:4: warning: vrrp_instance A: garp_extra_if has no effect without use_vmac: say garp_extra_if all SECONDS\n"},
		"virtual MAC":     {own: "use_vmac\ngarp_extra_if 100", every: 100 * time.Second},
		"on all":          {own: "garp_extra_if all 2.5", every: 2500 * time.Millisecond, all: true},
		"old name":        {own: "vmac_garp_intvl all 7", every: 7 * time.Second, all: true},
		"global":          {global: "vrrp_garp_extra_if all 9\nvrrp_gna_interval 0.01", every: 9 * time.Second, all: true, pace6: 10 * time.Millisecond},
		"own over global": {global: "vrrp_vmac_garp_intvl all 9", own: "garp_extra_if 0\ngna_interval 0.5", pace6: 500 * time.Millisecond},
		"no time":         {own: "garp_extra_if all", findings: "k:10: warning: garp_extra_if needs [all] SECONDS; the line is ignored\n"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, ds := built("k", "global_defs {\n"+tt.global+"\n}\n"+in(tt.own))
			g := cfg.Instances[0].Garp
			if findings(ds) != tt.findings || g.Extra != tt.every || g.ExtraAll != tt.all || g.NAInterval != tt.pace6 {
				t.Errorf("got %+v\n%s", g, findings(ds))
			}
		})
	}
}

func TestGarpGroupsPaceInterfacesTogether(t *testing.T) {
	cfg, ds := built("k", "global_defs {\nvrrp_garp_interval 0.2\n}\ngarp_group {\ngna_interval 0.1\ninterfaces {\neth0\neth1 eth2\n}\n}\n"+
		"garp_group {\ngarp_interval 0\ninterface eth3\ninterface eth1\n}\n")
	want := []settings.GarpGroup{
		{ARP: 200 * time.Millisecond, NA: 100 * time.Millisecond, Interfaces: []string{"eth0", "eth1", "eth2"}},
		{Interfaces: []string{"eth3"}},
	}
	if !reflect.DeepEqual(cfg.GarpGroups, want) {
		t.Errorf("got %+v, want %+v", cfg.GarpGroups, want)
	}
	if got := findings(ds); got != "k:11: warning: garp_group: eth1 is in another garp_group already; that one counts\n" {
		t.Errorf("got %s", got)
	}
}
