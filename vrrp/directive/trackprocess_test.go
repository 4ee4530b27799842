package directive

import (
	"fmt"
	"strings"
	"testing"
)

func process(lines string) string {
	return "vrrp_track_process p {\nprocess web\n" + lines + "\n}\n" + in("track_process {\np\n}")
}

// What keepalived 2.2.7 made of the same lines was read from its dump.
func TestTrackedProcesses(t *testing.T) {
	for name, c := range map[string]struct{ text, findings, want string }{
		"defaults":      {process(""), "", "web [] match \"\" full false weight 0 false quorum 1..-1 delays 0s 0s"},
		"parameters":    {process("process \"/tmp/a b\" x \"y z\""), "", "/tmp/a b [x y z] match \"exact\" full true"},
		"match alone":   {process("param_match"), "", "web [] match \"exact\" full true"},
		"match partial": {process("param_match partial"), "", "match \"partial\" full true"},
		"match wrong":   {process("process web 1\nparam_match full"), "k:4: warning: param_match: \"full\" is not initial or partial; the line is ignored\n", "web [1] match \"exact\" full true"},
		"full":          {process("full_command"), "", "match \"\" full true"},
		"weights":       {process("weight -20 reverse\nquorum 2\nquorum_max 3"), "", "weight -20 true quorum 2..3"},
		"none may":      {process("quorum_max 0"), "", "quorum 0..0"},
		"bounds crossed": {process("quorum 3\nquorum_max 2"), "k:4: warning: vrrp_track_process p: quorum_max 2 is less than quorum 3 and is ignored\n",
			"quorum 3..-1"},
		"delays":        {process("delay 2\nfork_delay 0.5"), "", "delays 500ms 2s"},
		"delay too far": {process("delay 7200"), "k:3: warning: delay: 7200 is outside 1µs to 1h0m0s; 0s is taken\n", "delays 0s 0s"},
		"quorum wrong":  {process("quorum -1"), "k:3: warning: quorum: -1 is outside 1 to 65535; 1 is taken\n", "quorum 1..-1"},
		"long name": {process("process averylongnameindeed"),
			"k:1: warning: vrrp_track_process p: the kernel keeps 15 bytes of a name: every process named averylongnamein is taken for averylongnameindeed; full_command compares all of it\n", "averylongnameindeed []"},
		"no process": {"vrrp_track_process q {\nquorum 2\n}\n" + process(""), "k:1: error: vrrp_track_process q is left out: it has no process\n", "web []"},
		"haproxy":    {process("process /usr/sbin/haproxy\nfull_command"), "k:1: notice: vrrp_track_process p: no process \"/usr/sbin/haproxy\" is counted: whether herald's own proxy is serving answers, at once\n", "/usr/sbin/haproxy"},
		"twice":      {process("") + "vrrp_track_process p {\nprocess other\n}\n", "k:15: error: vrrp_track_process p is left out: the name is taken\n", "web []"},
	} {
		cfg, ds := built("k", c.text)
		if got := findings(ds); got != c.findings {
			t.Errorf("%s: findings of\n%s\nwant\n%sgot\n%s", name, c.text, c.findings, got)
		}
		p := cfg.Processes[0]
		if got := fmt.Sprintf("%s %v match %q full %v weight %d %v quorum %d..%d delays %v %v", p.Path, p.Params, p.Match, p.FullCommand, p.Weight, p.Reverse,
			p.Quorum, p.QuorumMax, p.ForkDelay, p.TerminateDelay); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestInstancesAndGroupsTrackProcesses(t *testing.T) {
	check(t, map[string]result{
		"by the block's weight":  {process("weight 7"), "", "watch 3 p min 0 weight 7 reverse false"},
		"by a weight of its own": {"vrrp_track_process p {\nprocess web\nweight 7\n}\n" + in("track_process {\np weight -5 reverse\n}"), "", "watch 3 p min 0 weight -5 reverse true"},
		"on one line":            {"vrrp_track_process p { process web }\n" + in("track_process { p weight 5 }"), "", "watch 3 p min 0 weight 5"},
		"there is none":          {in("track_process {\nq\n}"), "k:8: warning: vrrp_instance A: track_process q: there is no such vrrp_track_process; it is ignored\n", "not watch"},
		"for a group":            {"vrrp_track_process p { process web }\n" + in("") + "vrrp_sync_group G {\ngroup { A }\ntrack_process { p }\n}\n", "k:10: notice: vrrp_sync_group G has fewer than two members: there is nothing to keep together\n", "watch 3 p"},
		"for an owner":           {"vrrp_track_process p { process web }\n" + in("priority 255\ntrack_process { p weight 5 }"), "k:9: warning: vrrp_instance A: tracking p is ignored: a weight cannot change priority 255\n", "not watch"},
	})
}
