package notice

import (
	"strings"
	"testing"
)

// The words of every event are those captured from keepalived 2.2.7.
func TestEventsAreToldInKeepalivedsWords(t *testing.T) {
	for _, c := range []struct {
		e             Event
		line, args    string
		subject, body string // of the mail; empty: none
	}{
		{Event{Name: "VI_1", State: Master, Priority: 100}, `INSTANCE "VI_1" MASTER 100`, "INSTANCE VI_1 MASTER 100",
			"VRRP Instance VI_1 - Entering MASTER state", "=> VRRP Instance is now owning VRRP VIPs <="},
		{Event{Name: "VI_1", State: Backup, Priority: 100}, `INSTANCE "VI_1" BACKUP 100`, "INSTANCE VI_1 BACKUP 100",
			"VRRP Instance VI_1 - Entering BACKUP state", "=> VRRP Instance is no longer owning VRRP VIPs <="},
		{Event{Name: "VI_1", State: Fault, Priority: 100}, `INSTANCE "VI_1" FAULT 100`, "INSTANCE VI_1 FAULT 100",
			"VRRP Instance VI_1 - Entering FAULT state", "=> VRRP Instance is no longer owning VRRP VIPs <="},
		{Event{Name: "VI_2", State: Deleted, Priority: 100}, `INSTANCE "VI_2" DELETED 100`, "INSTANCE VI_2 DELETED 100",
			"VRRP Instance VI_2 - Deleted", "=> VRRP Deleted at reload <="},
		{Event{Group: true, Name: "G1", State: Fault}, `GROUP "G1" FAULT 0`, "GROUP G1 FAULT 0",
			"VRRP Group G1 - Entering FAULT state", "=> All VRRP group instances are now in FAULT state <="},
		{Event{Group: true, Name: "G1", State: Stop}, `GROUP "G1" STOP 0`, "GROUP G1 STOP 0", "", ""},
		{Event{Name: "VI_1", State: LowerPriority, Priority: 100}, `INSTANCE "VI_1" MASTER_RX_LOWER_PRI 100`, "", "", ""},
		{Event{Name: "VI_1", State: BackupPriority, Priority: 90}, `INSTANCE "VI_1" BACKUP_PRIORITY 90`, "", "", ""},
		{Event{Name: "VI_1", State: Master, Priority: 90, Repeated: true}, `INSTANCE "VI_1" MASTER 90`, "", "", ""},
	} {
		c.e.Mail = true
		if got := c.e.Line(); got != c.line+"\n" {
			t.Errorf("line of %v: %q, want %q", c.e, got, c.line+"\n")
		}
		if got := strings.Join(c.e.Args(), " "); c.e.Change() && got != c.args || c.e.Change() != (c.args != "") {
			t.Errorf("arguments of %v: %q (told: %t), want %q", c.e, got, c.e.Change(), c.args)
		}
		if c.e.Mailed() != (c.subject != "") {
			t.Errorf("mail about %v: %t", c.e, c.e.Mailed())
		}
		if c.e.Mailed() && (c.e.Subject() != c.subject || c.e.Body() != c.body) {
			t.Errorf("mail about %v: %q %q, want %q %q", c.e, c.e.Subject(), c.e.Body(), c.subject, c.body)
		}
	}
}
