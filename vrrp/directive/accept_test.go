package directive

import "testing"

func TestAcceptMode(t *testing.T) {
	const strict = "k:1: warning: vrrp_instance A: strict_mode drops all packets to the addresses, as keepalived does; say accept to have them answered\n"
	for name, tt := range map[string]struct {
		lines, findings string
		silent          bool
	}{
		"by default":        {"", "", false},
		"no_accept":         {"no_accept", "", true},
		"the last counts":   {"no_accept\naccept", "", false},
		"strict":            {"strict_mode", strict, true},
		"strict and accept": {"strict_mode\naccept", "", false},
		"an owner":          {"priority 255\nno_accept", "k:8: warning: vrrp_instance A: no_accept has no effect with priority 255\n", false},
		"a strict owner":    {"priority 255\nstrict_mode", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, ds := built("k", in(tt.lines))
			if got := cfg.Instances[0].NoAccept; got != tt.silent || findings(ds) != tt.findings {
				t.Errorf("got %t\n%swant %t\n%s", got, findings(ds), tt.silent, tt.findings)
			}
		})
	}
}
