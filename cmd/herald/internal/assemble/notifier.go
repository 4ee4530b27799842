package assemble

import (
	"context"
	"fmt"
	"os/user"
	"strconv"
	"time"

	"herald/cmd/herald/internal/fifo"
	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/mail"
	"herald/vrrp/notice"
	"herald/vrrp/settings"
)

// Names of the scripts of a lane.
const (
	notifyAll   = "notify"
	notifyLower = "notify_master_rx_lower_pri"
	fifoReader  = "fifo_script"
)

// notifyScripts are the scripts of the states.
var notifyScripts = map[notice.State]string{
	notice.Master: "notify_master", notice.Backup: "notify_backup", notice.Fault: "notify_fault",
	notice.Stop: "notify_stop", notice.Deleted: "notify_deleted", notice.LowerPriority: notifyLower,
}

// notifier tells others what the VRRP loop says: scripts by way of the parent,
// FIFOs and mail itself. tell never waits.
type notifier struct {
	role     *ipc.Role
	routerID string
	noFaults bool
	fifos    []*fifo.Writer
	readers  []ipc.Notice
	mailer   *mail.Mailer
}

// newNotifier prepares what needs privileges: it opens the FIFOs. A FIFO that
// cannot be opened is reported and left out.
func newNotifier(role *ipc.Role, cfg *settings.Config) *notifier {
	n := &notifier{role: role, routerID: cfg.RouterID, noFaults: cfg.Notification.Mail.NoFaults}
	for _, f := range cfg.Notification.Fifos {
		uid, gid, err := owner(first(f.User, cfg.ScriptUser), first(f.Group, cfg.ScriptGroup))
		if err == nil {
			var w *fifo.Writer
			if w, err = fifo.Open(f.Path, uid, gid); err == nil {
				n.fifos = append(n.fifos, w)
			}
		}
		if err != nil {
			role.Log(err.Error())
		}
		if len(f.Script.Argv) > 0 {
			n.readers = append(n.readers, ipc.Notice{Lane: "FIFO " + f.Path, Name: fifoReader, Args: []string{f.Path}})
		}
	}
	return n
}

// scripts are what the parent has to know before READY.
func (n *notifier) scripts(cfg *settings.Config) []ipc.Script {
	var list []ipc.Script
	add := func(lane, name string, c settings.Command, lasting bool) {
		if len(c.Argv) > 0 {
			list = append(list, ipc.Script{Lane: lane, Name: name, Argv: c.Argv, Lasting: lasting,
				User: first(c.User, cfg.ScriptUser), Group: first(c.Group, cfg.ScriptGroup)})
		}
	}
	told := func(lane string, t settings.Notify) {
		for state, c := range map[notice.State]settings.Command{notice.Master: t.Master, notice.Backup: t.Backup, notice.Fault: t.Fault,
			notice.Stop: t.Stop, notice.Deleted: t.Deleted, notice.LowerPriority: t.LowerPriority} {
			add(lane, notifyScripts[state], c, false)
		}
		add(lane, notifyAll, t.All, false)
	}
	for _, in := range cfg.Instances {
		told(notice.Event{Name: in.Name}.Owner(), in.Notify)
	}
	for _, g := range cfg.Groups {
		told(notice.Event{Group: true, Name: g.Name}.Owner(), g.Notify)
	}
	for _, f := range cfg.Notification.Fifos {
		add("FIFO "+f.Path, fifoReader, f.Script, true)
	}
	return append(list, lifeScripts(cfg)...)
}

// start begins: after READY, when privileges are dropped. waiting is the mail
// of the process before.
func (n *notifier) start(m settings.Mail, waiting []mail.Message) {
	for _, r := range n.readers {
		n.role.Notice(r)
	}
	wanted := len(m.To) > 0
	if wanted && m.Server == "" {
		n.role.Log("no mail is sent: notification_email is given and no smtp_server")
	} else if wanted {
		n.mailer = mail.Start(mail.Options{Server: m.Server, Helo: m.Helo, From: m.From, To: m.To, Connect: m.Timeout, First: waiting,
			Failed: func(err error) { n.role.Log(err.Error()) }})
	}
	if n.mailer == nil {
		n.dropped(waiting, "no mail is sent any more")
	}
}

func (n *notifier) dropped(list []mail.Message, why string) {
	for _, msg := range list {
		n.role.Log(fmt.Sprintf("mail %q is dropped: %s", msg.Subject, why))
	}
}

// waiting ends the mailer and returns what it did not send, for a successor.
func (n *notifier) waiting() []mail.Message {
	if n.mailer == nil {
		return nil
	}
	return n.mailer.Take()
}

// finish sends the mail that waits, until deadline. Nothing is told any more.
func (n *notifier) finish(deadline time.Time) {
	if n.mailer == nil {
		return
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	n.dropped(n.mailer.Finish(ctx), "the daemon stops")
}

// tell passes one event on; it is vrrp.Ports.OnEvent.
func (n *notifier) tell(e notice.Event) {
	for _, f := range n.fifos {
		if err := f.Write(e.Line()); err != nil {
			n.role.Log(err.Error())
		}
	}
	if e.Repeated {
		return
	}
	if script, ok := notifyScripts[e.State]; ok {
		n.role.Notice(ipc.Notice{Lane: e.Owner(), Name: script, Former: e.Former})
	}
	if e.Change() {
		n.role.Notice(ipc.Notice{Lane: e.Owner(), Name: notifyAll, Args: e.Args(), Former: e.Former})
	}
	if n.mailer != nil && e.Mailed() && !(n.noFaults && e.State == notice.Fault) {
		n.mailer.Send("["+n.routerID+"] "+e.Subject(), e.Body())
	}
}

// close ends what runs in this process.
func (n *notifier) close() {
	if n.mailer != nil {
		n.mailer.Take()
	}
	for _, f := range n.fifos {
		f.Close()
	}
}

// owner resolves the account a FIFO belongs to; empty means this process's.
func owner(name, group string) (uid, gid int, err error) {
	uid, gid = -1, -1 // left as they are (chown(2))
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			return 0, 0, fmt.Errorf("FIFO owner: %w", err)
		}
		uid, _ = strconv.Atoi(u.Uid)
		gid, _ = strconv.Atoi(u.Gid)
	}
	if group != "" {
		if gid, err = groupNumber(group); err != nil {
			return 0, 0, fmt.Errorf("FIFO group: %w", err)
		}
	}
	return uid, gid, nil
}
