package directive

import (
	"strings"
	"time"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// notifyDraft gathers who is told about an instance or a group; nil is not
// given.
type notifyDraft struct {
	settings.Notify
	priorities, mail *bool
}

// notifyActs are the rows of vrrp_instance and vrrp_sync_group.
func notifyActs[T any](field func(*T) *notifyDraft) []row[T] {
	script := func(name, doc string, of func(*notifyDraft) *settings.Command) row[T] {
		return row[T]{Name: name, Syntax: "SCRIPT [USER [GROUP]]", Doc: doc, Example: name + ` "/usr/local/bin/role now" root`,
			Do: keyword[T]{act: func(b *build, t *T, st block.Statement) { b.command(st, of(field(t))) }}}
	}
	return []row[T]{
		script("notify_master", "Runs at each change to MASTER. The scripts of an instance run one after the other.", func(n *notifyDraft) *settings.Command { return &n.Master }),
		script("notify_backup", "Runs at each change to BACKUP, also the first.", func(n *notifyDraft) *settings.Command { return &n.Backup }),
		script("notify_fault", "Runs at each change to FAULT.", func(n *notifyDraft) *settings.Command { return &n.Fault }),
		script("notify_stop", "Runs when herald stops.", func(n *notifyDraft) *settings.Command { return &n.Stop }),
		script("notify", "Runs after the one of the state, with four more arguments: INSTANCE or GROUP, the name, MASTER, BACKUP, FAULT, STOP or DELETED, the priority.",
			func(n *notifyDraft) *settings.Command { return &n.All }),
		{Name: "notify_deleted", Syntax: "[SCRIPT [USER [GROUP]]]", Doc: "A reload without the instance is told as DELETED instead of FAULT, and to this script.",
			Example: "notify_deleted", Do: keyword[T]{act: func(b *build, t *T, st block.Statement) {
				if field(t).TellDeleted = true; len(st.Words) > 1 {
					b.command(st, &field(t).Deleted)
				}
			}}},
		{Name: "notify_priority_changes", Syntax: "[BOOL]", Doc: "Writes MASTER_PRIORITY or BACKUP_PRIORITY to the FIFOs when the priority changes.",
			Example: "notify_priority_changes on", Do: keyword[T]{act: func(b *build, t *T, st block.Statement) { on := b.flag(st); field(t).priorities = &on }}},
		{Name: "smtp_alert", Syntax: "[BOOL]", Doc: "Sends mail at each change to MASTER, BACKUP or FAULT.",
			Example: "smtp_alert", Do: keyword[T]{act: func(b *build, t *T, st block.Statement) { on := b.flag(st); field(t).mail = &on }}},
	}
}

// instanceNotifyActs are the rows of vrrp_instance.
var instanceNotifyActs = append(notifyActs(func(d *draft) *notifyDraft { return &d.notify }),
	row[draft]{Name: "notify_master_rx_lower_pri", Syntax: "SCRIPT [USER [GROUP]]", Doc: "Runs when a master hears one of lower priority, to take back what that one moved elsewhere.",
		Example: `notify_master_rx_lower_pri "/usr/local/bin/role again"`, Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			b.command(st, &d.notify.LowerPriority)
		}}})

// command reads a script that is told of something.
func (b *build) command(st block.Statement, into *settings.Command) {
	user, group := st.Arg(2), st.Arg(3)
	if !b.user(st, user, group) {
		return
	}
	c := settings.Command{Argv: block.Command(st.Words[1:2]), Text: st.Arg(1), User: user, Group: group}
	if len(c.Argv) == 0 {
		b.diags.Warnf(st.Words[1].Pos, st.Arg(1), "%s: there is no command; the line is ignored", st.Keyword())
		return
	}
	*into = c
}

// notified completes who is told, with the defaults of global_defs.
func (b *build) notified(d notifyDraft) settings.Notify {
	n := d.Notify
	n.PriorityChanges = pick(d.priorities, &b.global.notify.priorities, false)
	n.Mail = pick(d.mail, pickMail(b.global.notify), false)
	return n
}

func pickMail(g globalNotify) *bool {
	if g.mailVRRP != nil {
		return g.mailVRRP
	}
	return g.mail
}

// globalNotify gathers what global_defs says about telling others.
type globalNotify struct {
	to                    []string
	from, server, helo    string
	timeout               time.Duration
	noFaults              bool
	mail, mailVRRP        *bool
	priorities            bool
	fifo, vrrpFifo        settings.Fifo
	fifoScript, vrrpReads settings.Command
	statesOnReload        bool
}

var globalNotifyActs = []row[globals]{
	{Name: "notification_email", Syntax: "{ ADDRESS... }", Doc: "Who gets mail at a transition.", Example: "notification_email { admin@example.com }",
		Do: globalKeyword{act: func(_ *build, g *globals, st block.Statement) {
			for _, line := range st.Children {
				for _, w := range line.Words {
					g.notify.to = append(g.notify.to, w.Text)
				}
			}
		}}},
	{Name: "notification_email_from", Syntax: "ADDRESS", Doc: "Who the mail is from; root@ the host name otherwise, as keepalived has it.", Example: "notification_email_from keepalived@example.com",
		Do: globalKeyword{act: func(_ *build, g *globals, st block.Statement) { g.notify.from = st.Arg(1) }}},
	{Name: "smtp_server", Syntax: "HOST [PORT]", Doc: "The server that takes the mail, port 25.", Example: "smtp_server 127.0.0.1 25",
		Do: globalKeyword{act: smtpServer}},
	{Name: "smtp_helo_name", Syntax: "NAME", Doc: "The name in the greeting to the mail server, the host name otherwise.", Example: "smtp_helo_name node1.example.com",
		Do: globalKeyword{act: func(_ *build, g *globals, st block.Statement) { g.notify.helo = st.Arg(1) }}},
	{Name: "smtp_connect_timeout", Syntax: "SECONDS", Doc: "How long to wait for the mail server, 30 s.", Example: "smtp_connect_timeout 30",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) {
			g.notify.timeout = b.seconds(st, 1, time.Second, time.Hour, 30*time.Second)
		}}},
	{Name: "smtp_alert", Syntax: "[BOOL]", Doc: "Default of smtp_alert of instances and groups.", Example: "smtp_alert on",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { on := b.flag(st); g.notify.mail = &on }}},
	{Name: "smtp_alert_vrrp", Syntax: "[BOOL]", Doc: "The same, before smtp_alert.", Example: "smtp_alert_vrrp on",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { on := b.flag(st); g.notify.mailVRRP = &on }}},
	{Name: "no_email_faults", Doc: "Sends no mail about faults.", Example: "no_email_faults",
		Do: globalKeyword{act: func(_ *build, g *globals, _ block.Statement) { g.notify.noFaults = true }}},
	{Name: "vrrp_notify_priority_changes", Syntax: "[BOOL]", Doc: "Default of notify_priority_changes.", Example: "vrrp_notify_priority_changes on",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { g.notify.priorities = b.flag(st) }}},
	{Name: "notify_fifo", Syntax: "FILE [USER [GROUP]]", Doc: "Writes a line at every transition to a FIFO, which is made when it is missing and stays.", Example: "notify_fifo /run/notify",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { b.fifo(st, &g.notify.fifo) }}},
	{Name: "notify_fifo_script", Syntax: "SCRIPT [USER [GROUP]]", Doc: "Runs a script that reads that FIFO; its path is the last argument.", Example: "notify_fifo_script /usr/local/bin/notify",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { b.command(st, &g.notify.fifoScript) }}},
	{Name: "vrrp_notify_fifo", Syntax: "FILE [USER [GROUP]]", Doc: "The same for VRRP alone.", Example: "vrrp_notify_fifo /run/notify",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { b.fifo(st, &g.notify.vrrpFifo) }}},
	{Name: "vrrp_notify_fifo_script", Syntax: "SCRIPT [USER [GROUP]]", Doc: "Runs a script that reads that FIFO; its path is the last argument.", Example: "vrrp_notify_fifo_script /usr/local/bin/notify",
		Do: globalKeyword{act: func(b *build, g *globals, st block.Statement) { b.command(st, &g.notify.vrrpReads) }}},
	{Name: "fifo_write_vrrp_states_on_reload", Doc: "Writes all states to the FIFOs after a reload.", Example: "fifo_write_vrrp_states_on_reload",
		Do: globalKeyword{act: func(_ *build, g *globals, _ block.Statement) { g.notify.statesOnReload = true }}},
}

func smtpServer(b *build, g *globals, st block.Statement) {
	port := "25"
	if len(st.Words) > 2 {
		if _, err := config.Int(st.Arg(2), 1, 65535); err != nil {
			b.diags.Warnf(st.Words[2].Pos, st.Arg(2), "smtp_server: port: %v; 25 is taken", err)
		} else {
			port = st.Arg(2)
		}
	}
	host := st.Arg(1)
	if strings.Contains(host, ":") {
		host = "[" + host + "]" // IPv6
	}
	g.notify.server = host + ":" + port
}

func (b *build) fifo(st block.Statement, into *settings.Fifo) {
	if !strings.HasPrefix(st.Arg(1), "/") {
		b.diags.Warnf(st.Words[1].Pos, st.Arg(1), "%s: %q is not an absolute path; the line is ignored", st.Keyword(), st.Arg(1))
		return
	}
	if b.user(st, st.Arg(2), st.Arg(3)) {
		*into = settings.Fifo{Path: st.Arg(1), User: st.Arg(2), Group: st.Arg(3)}
	}
}

// notification completes what global_defs says.
func (b *build) notification() settings.Notification {
	g := b.global.notify
	n := settings.Notification{StatesOnReload: g.statesOnReload, Mail: settings.Mail{To: g.to, From: g.from, Server: g.server, Helo: g.helo,
		Timeout: g.timeout, NoFaults: g.noFaults}}
	if n.Mail.From == "" {
		n.Mail.From = "root@" + b.o.HostName
	}
	if n.Mail.Helo == "" {
		n.Mail.Helo = b.o.HostName
	}
	if n.Mail.Timeout == 0 {
		n.Mail.Timeout = 30 * time.Second
	}
	g.fifo.Script, g.vrrpFifo.Script = g.fifoScript, g.vrrpReads
	for _, f := range []settings.Fifo{g.fifo, g.vrrpFifo} {
		if f.Path != "" {
			n.Fifos = append(n.Fifos, f)
		}
	}
	return n
}
