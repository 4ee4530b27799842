package directive

import (
	"fmt"
	"strings"
	"testing"
)

func TestWhoIsToldOfAnInstance(t *testing.T) {
	cfg, ds := built("k", `global_defs {
smtp_alert
vrrp_notify_priority_changes on
}
`+in(`notify_master "/bin/role 'a b' c" root root
notify_backup /bin/role
notify_fault /bin/role ghost
notify_stop "/bin/role stop"
notify_deleted
notify_master_rx_lower_pri /bin/role
notify "/bin/role any"
notify_priority_changes off`))
	if got, want := findings(ds), "k:13: error: notify_fault: user \"ghost\" does not exist\n"; got != want {
		t.Errorf("findings %q, want %q", got, want)
	}
	n := cfg.Instances[0].Notify
	got := fmt.Sprintf("%q %s %s|%q|%q|%q|%q|%q|%q|deleted %t|changes %t|mail %t", n.Master.Argv, n.Master.User, n.Master.Group, n.Backup.Argv, n.Fault.Argv,
		n.Stop.Argv, n.Deleted.Argv, n.LowerPriority.Argv, n.All.Argv, n.TellDeleted, n.PriorityChanges, n.Mail)
	want := `["/bin/role" "a b" "c"] root root|["/bin/role"]|[]|["/bin/role" "stop"]|[]|["/bin/role"]|["/bin/role" "any"]|deleted true|changes false|mail true`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWhatGlobalDefsSayAboutTellingOthers(t *testing.T) {
	cfg, ds := built("k", `global_defs {
notification_email {
a@x.org
b@x.org
}
smtp_server 2001:db8::25 2525
smtp_connect_timeout 5
no_email_faults
notify_fifo run/relative
vrrp_notify_fifo /run/notify root
vrrp_notify_fifo_script "/bin/reader -v" root
fifo_write_vrrp_states_on_reload
}
`+in(""))
	if got, want := findings(ds), "k:9: warning: notify_fifo: \"run/relative\" is not an absolute path; the line is ignored\n"; got != want {
		t.Errorf("findings %q, want %q", got, want)
	}
	n := cfg.Notification
	if got, want := fmt.Sprintf("%v %s %s %s %v %t", n.Mail.To, n.Mail.From, n.Mail.Server, n.Mail.Helo, n.Mail.Timeout, n.Mail.NoFaults),
		"[a@x.org b@x.org] root@host1 [2001:db8::25]:2525 host1 5s true"; got != want {
		t.Errorf("mail %s, want %s", got, want)
	}
	if len(n.Fifos) != 1 || n.Fifos[0].Path != "/run/notify" || strings.Join(n.Fifos[0].Script.Argv, " ") != "/bin/reader -v" || !n.StatesOnReload {
		t.Errorf("FIFOs %+v", n)
	}
}
