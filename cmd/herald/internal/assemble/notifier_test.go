package assemble

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"herald/cmd/herald/internal/ipc"
	"herald/vrrp/notice"
	"herald/vrrp/settings"
)

// told is a notifier whose parent is the test.
func told(t *testing.T, cfg *settings.Config) (*notifier, *ipc.Role, *ipc.Peer) {
	t.Helper()
	peer, file, err := ipc.Pair()
	if err != nil {
		t.Fatal(err)
	}
	role, err := ipc.Attach(file)
	if err != nil {
		t.Fatal(err)
	}
	n := newNotifier(role, cfg)
	t.Cleanup(func() { n.close(); peer.Close(); role.Close() })
	return n, role, peer
}

// next returns what the parent is told next, in words.
func next(t *testing.T, p *ipc.Peer) string {
	t.Helper()
	r, err := p.Receive()
	if err != nil {
		t.Fatal(err)
	}
	switch m := r.(type) {
	case ipc.Notice:
		words := append([]string{m.Lane + ":", m.Name}, m.Args...)
		if m.Former {
			words = append(words, "(former)")
		}
		return strings.Join(words, " ")
	case ipc.LogLine:
		return "log " + string(m)
	}
	t.Fatalf("told %T", r)
	return ""
}

func TestScriptsAreAskedForByStateThenForAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	reader := settings.Command{Argv: []string{"/bin/reader", "-v"}}
	cfg := &settings.Config{RouterID: "R1", Notification: settings.Notification{Fifos: []settings.Fifo{{Path: path, Script: reader}},
		Mail: settings.Mail{To: []string{"a@x.org"}}}}
	n, _, parent := told(t, cfg)
	n.start(cfg.Notification.Mail, nil)
	n.tell(notice.Event{Name: "VI_1", State: notice.Master, Priority: 100, Mail: true})
	n.tell(notice.Event{Name: "VI_1", State: notice.MasterPriority, Priority: 90})
	n.tell(notice.Event{Name: "VI_1", State: notice.LowerPriority, Priority: 90})
	n.tell(notice.Event{Name: "VI_1", State: notice.Master, Priority: 90, Repeated: true})
	n.tell(notice.Event{Name: "VI_2", State: notice.Fault, Priority: 100, Former: true})
	n.tell(notice.Event{Group: true, Name: "G", State: notice.Stop})
	for _, want := range []string{
		"FIFO " + path + ": fifo_script " + path,
		"log no mail is sent: notification_email is given and no smtp_server",
		`INSTANCE "VI_1": notify_master`, `INSTANCE "VI_1": notify INSTANCE VI_1 MASTER 100`,
		`INSTANCE "VI_1": notify_master_rx_lower_pri`,
		`INSTANCE "VI_2": notify_fault (former)`, `INSTANCE "VI_2": notify INSTANCE VI_2 FAULT 100 (former)`,
		`GROUP "G": notify_stop`, `GROUP "G": notify GROUP G STOP 0`,
	} {
		if got := next(t, parent); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	buf := make([]byte, 4096)
	k, _ := f.Read(buf)
	want := "INSTANCE \"VI_1\" MASTER 100\nINSTANCE \"VI_1\" MASTER_PRIORITY 90\nINSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 90\n" +
		"INSTANCE \"VI_1\" MASTER 90\nINSTANCE \"VI_2\" FAULT 100\nGROUP \"G\" STOP 0\n"
	if got := string(buf[:k]); got != want {
		t.Errorf("the FIFO has\n%swant\n%s", got, want)
	}
}

func TestScriptsOfInstancesGroupsAndFifosAreDeclared(t *testing.T) {
	run := settings.Command{Argv: []string{"/bin/role"}, User: "web"}
	cfg := &settings.Config{ScriptUser: "root",
		Instances: []settings.Instance{{Name: "VI_1", Notify: settings.Notify{Stop: run, All: settings.Command{Argv: []string{"/bin/all"}}}}},
		Groups:    []settings.Group{{Name: "G", Notify: settings.Notify{Master: run}}},
	}
	n, _, _ := told(t, cfg)
	got := map[string]string{}
	for _, s := range n.scripts(cfg) {
		got[s.Lane+" "+s.Name] = s.User
		if s.Lasting || s.Timeout != 0 {
			t.Errorf("%s: lasting %t, timeout %v", s.Name, s.Lasting, s.Timeout)
		}
	}
	if len(got) != 3 || got[`INSTANCE "VI_1" notify_stop`] != "web" || got[`INSTANCE "VI_1" notify`] != "root" || got[`GROUP "G" notify_master`] != "web" {
		t.Errorf("declared %v", got)
	}
}
