package directive

import (
	"fmt"
	"testing"
)

func TestLinkDelays(t *testing.T) {
	const where = "interface_up_down_delays: "
	for name, c := range map[string]struct{ lines, findings, want string }{
		"both":           {"eth1 1.5 0.7", "", "[{eth1 1.5s 700ms}]"},
		"up as down":     {"eth1 3", "", "[{eth1 3s 3s}]"},
		"twice":          {"eth1 1\neth1 2", "k:3: warning: " + where + "eth1 has delays already; the line is ignored\n", "[{eth1 1s 1s}]"},
		"too long":       {"eth1 300", "k:2: warning: eth1: 300 is outside 0s to 4m15s; 0s is taken\n", "[{eth1 0s 0s}]"},
		"no delay":       {"eth1", "k:2: warning: " + where + "eth1 needs INTERFACE DOWN [UP]; the line is ignored\n", "[]"},
		"no interface":   {"a/b 1", "k:2: warning: " + where + "\"a/b\" is not the name of an interface: it has a colon, slash or blank; the line is ignored\n", "[]"},
		"within limits":  {"eth0 1.9", "", "[{eth0 1.9s 1.9s}]"},
		"the others win": {"eth0 1 2", "k:2: warning: " + where + "eth0: the others would take over from vrrp_instance A before it is FAULT; at most 1.999s is taken\n", "[{eth0 1s 1.999s}]"},
	} {
		cfg, ds := built("k", "interface_up_down_delays {\n"+c.lines+"\n}\n"+in(""))
		if got := findings(ds); got != c.findings {
			t.Errorf("%s: findings: want\n%sgot\n%s", name, c.findings, got)
		}
		if got := fmt.Sprint(cfg.LinkDelays); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	cfg, ds := built("k", "interface_up_down_delays { eth1 1 2 eth2 3 }\n"+in(""))
	if got := fmt.Sprint(cfg.LinkDelays); got != "[{eth1 1s 2s} {eth2 3s 3s}]" || findings(ds) != "" {
		t.Errorf("on one line: got %s\n%s", got, findings(ds))
	}
}
