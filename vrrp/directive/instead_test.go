package directive

import (
	"strings"
	"testing"
)

// whole writes a block with every word its registry knows, blocks within it
// too.
func whole(words registry[nothing], indent string) string {
	var b strings.Builder
	for _, r := range words.Rows() {
		head, _, _ := strings.Cut(r.Example, "{")
		b.WriteString(indent + strings.TrimSpace(head))
		switch {
		case r.Do.inside != nil:
			b.WriteString(" {\n" + whole(r.Do.inside, indent+" ") + indent + "}")
		case strings.Contains(r.Example, "{"):
			b.WriteString(strings.TrimPrefix(r.Example, strings.TrimSuffix(head, " ")))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestABlockHeraldDoesNothingWithGivesOneFinding writes every word keepalived
// 2.2.7 knows inside such a block, and then a misspelt one.
func TestABlockHeraldDoesNothingWithGivesOneFinding(t *testing.T) {
	group := "192.0.2.1 80\n192.0.2.2-10 80\nfwmark 7\n"
	for head, tt := range map[string]struct{ body, says string }{
		"bfd_instance b":              {whole(insideTop["bfd_instance"], " "), "herald runs no BFD session"},
		"SSL":                         {whole(insideTop["SSL"], " "), "herald programs no LVS"},
		"virtual_server_group g":      {group, "herald does not program LVS"},
		"virtual_server 192.0.2.1 80": {whole(virtualServerWords, " "), "herald does not program LVS"},
		"virtual_server fwmark 7":     {whole(virtualServerWords, " "), "herald does not program LVS"},
		"virtual_server group g":      {whole(virtualServerWords, " "), "herald does not program LVS"},
	} {
		t.Run(head, func(t *testing.T) {
			text := head + " {\n" + tt.body + "}\n"
			_, ds := built("k", text)
			list := ds.List()
			if len(list) != 1 || list[0].Pos.Line != 1 || !strings.Contains(list[0].String(), tt.says) {
				t.Errorf("want one finding that says %q, got\n%sof\n%s", tt.says, findings(ds), text)
			}
			if head == "virtual_server_group g" {
				return // its lines are addresses
			}
			_, ds = built("k", head+" {\n"+tt.body+"nonsense\n}\n")
			if got := findings(ds); len(ds.List()) != 2 || !strings.Contains(got, `unknown keyword "nonsense"`) {
				t.Errorf("a misspelt word: got\n%s", got)
			}
		})
	}
}

func TestEveryCheckerIsInAVirtualServer(t *testing.T) {
	text := whole(virtualServerWords, "")
	for kind, words := range checkers {
		for _, r := range words.Rows() {
			if _, after, found := strings.Cut(text, kind+" {"); !found || !strings.Contains(after, r.Name) {
				t.Errorf("%s: %s is not in\n%s", kind, r.Name, text)
			}
		}
	}
}

func TestWhatIsNotActedOnSaysWhatToDo(t *testing.T) {
	for word, says := range map[string]string{
		"enable_snmp_vrrp": "herald metrics", "enable_snmp_keepalived": "herald metrics", "enable_snmp_checker": "herald metrics", "enable_snmp_rfc": "herald metrics",
		"enable_snmp_rfcv2": "herald metrics", "enable_snmp_rfcv3": "herald metrics", "enable_traps": "herald metrics", "snmp_socket unix:/var/agentx/master": "herald metrics",
		"enable_dbus": "not on D-Bus", "dbus_service_name org.example.Vrrp": "not on D-Bus", "lvs_flush": "programs no LVS", "checker_log_all_failures on": "programs no LVS",
		"bfd_rt_priority 50": "runs no BFD session",
	} {
		_, ds := built("k", "global_defs {\n"+word+"\n}\n")
		if got := findings(ds); len(ds.List()) != 1 || !strings.Contains(got, "known to keepalived but not supported yet: ") || !strings.Contains(got, says) {
			t.Errorf("%s: got %s, want one finding that says %s", word, got, says)
		}
	}
	for lines, says := range map[string]string{"track_bfd {\nb weight 5\n}": "runs no BFD session", "use_ipvlan": "stay on the interface itself"} {
		_, ds := built("k", in(lines))
		if got := findings(ds); len(ds.List()) != 1 || !strings.Contains(got, says) {
			t.Errorf("%s: got %s, want one finding that says %s", lines, got, says)
		}
	}
}
