// Package notice says what others are told about a transition: the line of a
// FIFO, the arguments of a script, the words of a mail (keepalived.conf(5),
// notify_fifo, notify, smtp_alert). The forms are those of keepalived 2.2.7.
//
// It tells nobody itself.
//
//	e := notice.Event{Name: "VI_1", State: notice.Master, Priority: 100}
//	fifo.Write(e.Line())             // INSTANCE "VI_1" MASTER 100
//	run(script, e.Args()...)         // INSTANCE VI_1 MASTER 100
package notice

import (
	"fmt"
	"strconv"
)

// State is what is told, in the words of scripts and FIFOs.
type State string

// States. The last three are no transitions.
const (
	Master  State = "MASTER"
	Backup  State = "BACKUP"
	Fault   State = "FAULT"
	Stop    State = "STOP"
	Deleted State = "DELETED" // taken away by a reload

	LowerPriority  State = "MASTER_RX_LOWER_PRI" // a master heard a lesser one
	MasterPriority State = "MASTER_PRIORITY"
	BackupPriority State = "BACKUP_PRIORITY"
)

// Event is one thing to tell.
type Event struct {
	Group    bool // Name is a vrrp_sync_group
	Name     string
	State    State
	Priority uint8 // 0 for groups
	// Repeated says that nothing changed: only FIFOs get it.
	Repeated bool
	// Former says that the configuration does not have it any more.
	Former bool
	// Mail says that the owner wants mail (smtp_alert).
	Mail bool
}

func (e Event) kind() string {
	if e.Group {
		return "GROUP"
	}
	return "INSTANCE"
}

// Owner names what the event is about: `INSTANCE "VI_1"`.
func (e Event) Owner() string { return e.kind() + ` "` + e.Name + `"` }

// Line is what a FIFO gets, with the newline.
func (e Event) Line() string { return fmt.Sprintf("%s %s %d\n", e.Owner(), e.State, e.Priority) }

// Args are the arguments a notify script gets after its own.
func (e Event) Args() []string {
	return []string{e.kind(), e.Name, string(e.State), strconv.Itoa(int(e.Priority))}
}

// Change reports whether the event is a transition, which notify scripts are
// told of; the rest is for FIFOs and scripts that ask for it by name.
func (e Event) Change() bool {
	switch e.State {
	case Master, Backup, Fault, Stop, Deleted:
		return !e.Repeated
	}
	return false
}

// Mailed reports whether mail is sent about the event.
func (e Event) Mailed() bool { return e.Mail && e.Change() && e.State != Stop }

// Subject is the subject of the mail, after the router's name.
func (e Event) Subject() string {
	what := "VRRP Instance "
	if e.Group {
		what = "VRRP Group "
	}
	if e.State == Deleted {
		return what + e.Name + " - Deleted"
	}
	return what + e.Name + " - Entering " + string(e.State) + " state"
}

// Body is the text of the mail.
func (e Event) Body() string {
	switch {
	case e.State == Deleted:
		return "=> VRRP Deleted at reload <="
	case e.Group:
		return "=> All VRRP group instances are now in " + string(e.State) + " state <="
	case e.State == Master:
		return "=> VRRP Instance is now owning VRRP VIPs <="
	}
	return "=> VRRP Instance is no longer owning VRRP VIPs <="
}
