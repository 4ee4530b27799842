package directive

import (
	"strings"
	"testing"

	"herald/vrrp/settings"
)

func TestTheFormOfAnnouncementsIsTheInstancesElseTheGlobalOne(t *testing.T) {
	for _, c := range []struct {
		global, own string
		want        settings.GarpForm
		warning     string
	}{
		{"", "", settings.GarpRequest, ""},
		{"", "garp_form both", settings.GarpBoth, ""},
		{"vrrp_garp_form reply", "", settings.GarpReply, ""},
		{"vrrp_garp_form reply", "garp_form request", settings.GarpRequest, ""},
		{"", "garp_form answer", settings.GarpRequest, "garp_form is one of request, reply, both"},
	} {
		text := "global_defs {\n " + c.global + "\n}\nvrrp_instance A {\n interface eth0\n virtual_router_id 7\n " + c.own + "\n virtual_ipaddress {\n 10.1.1.10\n }\n}\n"
		cfg, diags := built("k", text)
		if got := cfg.Instances[0].Garp.Form; got != c.want {
			t.Errorf("%q %q: got %d, want %d", c.global, c.own, got, c.want)
		}
		said := ""
		for _, d := range diags.List() {
			said += d.String()
		}
		if c.warning != "" && !strings.Contains(said, c.warning) || c.warning == "" && said != "" {
			t.Errorf("%q: said %q, want %q", c.own, said, c.warning)
		}
	}
}
