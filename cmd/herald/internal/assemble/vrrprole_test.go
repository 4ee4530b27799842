package assemble

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/config"
	"herald/stats"
	"herald/vrrp"
	"herald/vrrp/kernel"
	"herald/vrrp/poll"
	"herald/vrrp/settings"
)

// begun is a VRRP role without instances, and so without a right it needs,
// whose parent is the test.
func begun(t *testing.T, text string) (parent *ipc.Peer, ended chan error) {
	t.Helper()
	var diags config.Diagnostics
	cfg := loadVRRP(Options{Keepalived: write(t, "k.conf", text)}, &diags)
	others, role, parent := told(t, cfg)
	k, err := kernel.Open()
	if err != nil {
		t.Skipf("needs netlink: %v", err)
	}
	poller, err := poll.Open()
	if err != nil {
		t.Fatal(err)
	}
	server, err := vrrp.New(cfg, vrrp.Ports{Alarm: poller, Kernel: k, Announcer: newAnnouncer(), Log: roleLog(role),
		OnChange: func(list []stats.Instance) { publish(role, list) }, OnHeld: func(list []settings.Address) { role.Held(addresses(list, "")) }})
	if err != nil {
		t.Fatal(err)
	}
	others.start(cfg.Notification.Mail, nil)
	ended = make(chan error, 1)
	over := make(chan struct{})
	go func() {
		defer close(over)
		ended <- serveVRRP(t.Context(), role, server, cfg, others, 50*time.Millisecond)
	}()
	t.Cleanup(func() { <-over; poller.Close(); k.Close() })
	return parent, ended
}

func TestAVRRPRoleAnswersAndStops(t *testing.T) {
	parent, ended := begun(t, "global_defs {\n router_id R9\n}\nvrrp_track_file f {\n file /no/such\n}\nvrrp_track_process p {\n process x\n}\n")
	parent.Rest(true)
	parent.Fact(ipc.ProxyFact{})
	parent.Fact(ipc.ProxyFact{Known: true, Serving: true, Reason: "r"})
	parent.Parts(ipc.Parts{Frontends: map[string]bool{"web": true}, Backends: map[string]int{"b": 2}})
	parent.Files(ipc.Files{"f": 7})
	parent.Counts(ipc.Counts{"p": 3})
	for seq, tt := range []struct{ file, want string }{
		{"data", "Router ID = R9"}, {"parent", ""}, {"json", "["}, {"stats", ""}, {"stats_clear", ""},
	} {
		parent.AskDump(uint64(seq), tt.file)
		reply := await[ipc.StatusReply](t, parent)
		var text string
		if err := json.Unmarshal(reply.Raw, &text); err != nil || reply.Seq != uint64(seq) || !strings.Contains(text, tt.want) {
			t.Errorf("%s: got %d, %.300q, %v, want %q in it", tt.file, reply.Seq, text, err, tt.want)
		}
	}
	parent.AskStatus(99)
	var list []stats.Instance
	if reply := await[ipc.StatusReply](t, parent); reply.Seq != 99 || json.Unmarshal(reply.Raw, &list) != nil || len(list) != 0 {
		t.Errorf("the status is %s, want no instance", reply.Raw)
	}
	await[ipc.Health](t, parent) // the heartbeat
	parent.Stop()
	if got := await[ipc.Notice](t, parent); got.Name != shutdownScript {
		t.Errorf("at the end: %+v", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
}

func TestAVRRPRoleHandsOver(t *testing.T) {
	parent, ended := begun(t, "")
	parent.Handover()
	left := unpack(await[ipc.Handed](t, parent))
	if err := <-ended; err != nil || !json.Valid(left.VRRP) || len(left.VRRP) == 0 {
		t.Errorf("left %s, and it ends with %v", left.VRRP, err)
	}
}

// Nobody starts a role again whose parent was killed: it resigns.
func TestAVRRPRoleWithoutAParentResigns(t *testing.T) {
	parent, ended := begun(t, "")
	parent.Close()
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
}
