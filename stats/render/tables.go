package render

import (
	"fmt"
	"strings"
	"time"

	"herald/stats"
)

// span is a duration in its two largest units: "1m15s", "2d4h"; "?" before the
// first time.
func span(seconds int64) string {
	switch {
	case seconds < 0:
		return "?"
	case seconds >= 86400:
		return fmt.Sprintf("%dd%dh", seconds/86400, seconds/3600%24)
	case seconds >= 3600:
		return fmt.Sprintf("%dh%dm", seconds/3600, seconds/60%60)
	case seconds >= 60:
		return fmt.Sprintf("%dm%ds", seconds/60, seconds%60)
	}
	return fmt.Sprintf("%ds", seconds)
}

// instanceClass is the colour of a VRRP state.
func instanceClass(state string) string {
	switch state {
	case "MASTER":
		return "active_up"
	case "BACKUP":
		return "backup_up"
	case "FAULT":
		return "active_down"
	}
	return "active_no_check"
}

// instances is the table of the VRRP instances, on top of the proxies.
func (d *doc) instances(s *stats.Snapshot) {
	if len(s.Instances) == 0 {
		return
	}
	d.raw(`<table class="tbl"><tr class="titre"><th class="pxname"><a class=px id="vrrp" href="#vrrp">VRRP</a></th><th class="empty"></th></tr></table>` + "\n")
	d.raw(`<table class="tbl"><tr class="titre"><th>Instance</th><th>Interface</th><th>VRID</th><th>State</th><th>Priority</th>` +
		`<th>Master seen</th><th>Since</th><th>Why</th><th>Addresses</th><th>Adv sent</th><th>Adv rcvd</th><th>Rejected</th></tr>` + "\n")
	for i := range s.Instances {
		d.instance(&s.Instances[i], s.At)
	}
	d.raw("</table><p>\n")
}

func (d *doc) instance(v *stats.Instance, now time.Time) {
	d.raw(`<tr class="`, instanceClass(v.State), `"><td class=ac><a id="vrrp/`)
	d.fragment(v.Name)
	d.raw(`"></a>`)
	d.text(v.Name)
	d.raw("</td><td class=ac>")
	d.text(v.Interface)
	d.raw(fmt.Sprintf("</td><td class=ac>%d</td><td class=ac>", v.VRID))
	d.text(v.State)
	d.raw(fmt.Sprintf("</td><td class=ac><u>%d<div class=tips>base priority %d</div></u></td><td class=ac>", v.Priority, v.BasePriority))
	if v.Master == "" {
		d.raw("-")
	} else {
		d.text(v.Master)
		d.raw(fmt.Sprintf(" (%d)", v.MasterPriority))
	}
	d.raw("</td><td class=ac>")
	d.since(v, now)
	d.raw("</td><td class=al>")
	d.text(v.Why)
	d.raw("</td><td class=al>")
	for i, a := range v.Addresses {
		if i > 0 {
			d.raw("<br>")
		}
		d.text(a)
	}
	d.raw("</td><td>")
	d.grouped(v.Counters.AdvertiseSent)
	d.raw("</td><td>")
	d.grouped(v.Counters.AdvertiseRcvd)
	d.raw("</td><td>")
	d.rejected(&v.Counters)
	d.raw("</td></tr>\n")
}

// since is how long the state lasts, with the changes before it.
func (d *doc) since(v *stats.Instance, now time.Time) {
	if v.Since.IsZero() {
		d.raw("?")
		return
	}
	d.raw("<u>", span(max(int64(now.Sub(v.Since)/time.Second), 0)), `<div class=tips><table class=det>`)
	for _, t := range v.History {
		d.raw("<tr><th>", t.At.Format("2006-01-02 15:04:05.000"), "</th><td>")
		d.text(t.From + " -> " + t.To)
		d.raw("</td><td>")
		d.text(t.Why)
		d.raw("</td></tr>")
	}
	d.raw("<tr><th>", v.Since.Format("2006-01-02 15:04:05.000"), "</th><td>")
	d.text(v.State)
	d.raw("</td></tr></table></div></u>")
}

// rejected is the number of packets refused, by reason in the tip.
func (d *doc) rejected(c *stats.VRRPCounters) {
	reasons := []struct {
		name string
		n    uint64
	}{
		{"TTL", c.IPTTLErrors}, {"checksum", c.ChecksumErrors}, {"version", c.VersionErrors}, {"VRID", c.VRIDErrors},
		{"type", c.InvalidTypePktsRcvd}, {"length", c.PacketLengthErrors}, {"interval", c.AdvertiseIntervalErrors},
		{"address list", c.AddressListErrors}, {"authentication type", c.InvalidAuthType + c.AuthTypeMismatch}, {"authentication", c.AuthFailures},
	}
	var sum uint64
	for _, r := range reasons {
		sum += r.n
	}
	d.raw("<u>")
	d.grouped(sum)
	d.raw("<div class=tips><table class=det>")
	for _, r := range reasons {
		d.line(r.name, r.n)
	}
	if c.LastRejected != "" {
		d.raw("<tr><th>last:</th><td>")
		d.text(c.LastRejected)
		d.raw("</td></tr>")
	}
	d.raw("</table></div></u>")
}

// line is one line of a tip.
func (d *doc) line(name string, n uint64, after ...string) {
	d.raw("<tr><th>", name, ":</th><td>")
	d.grouped(n)
	d.raw("</td>")
	for _, a := range after {
		d.raw("<td>", a, "</td>")
	}
	d.raw("</tr>")
}

// heads are the two lines of headings of a proxy's table.
const heads = `<th rowspan=2></th><th colspan=3>Queue</th><th colspan=3>Session rate</th><th colspan=6>Sessions</th><th colspan=2>Bytes</th>` +
	`<th colspan=2>Denied</th><th colspan=3>Errors</th><th colspan=2>Warnings</th><th colspan=9>Server</th></tr>` + "\n" +
	`<tr class="titre"><th>Cur</th><th>Max</th><th>Limit</th><th>Cur</th><th>Max</th><th>Limit</th><th>Cur</th><th>Max</th><th>Limit</th>` +
	`<th>Total</th><th>LbTot</th><th>Last</th><th>In</th><th>Out</th><th>Req</th><th>Resp</th><th>Req</th><th>Conn</th><th>Resp</th>` +
	`<th>Retr</th><th>Redis</th><th>Status</th><th>LastChk</th><th>Wght</th><th>Act</th><th>Bck</th><th>Chk</th><th>Dwn</th><th>Dwntme</th><th>Thrtle</th></tr>` + "\n"

// proxy is one section's table, in a form when its servers may be changed.
func (d *doc) proxy(p *Page, f *Filter, px *stats.Proxy) {
	t := table{doc: d, legends: p.Legends, http: px.Mode == "http"}
	for i := range px.Rows {
		t.admin = t.admin || p.Admin && px.Rows[i].Type == stats.ServerRow
	}
	if t.admin {
		d.raw(`<form method="post">`)
	}
	d.raw(`<table class="tbl"><tr class="titre"><th class="pxname"><a id="`)
	d.fragment(px.Name)
	d.raw(`"></a>`)
	if p.Legends {
		d.raw("<u>")
	}
	d.raw(`<a class=px href="#`)
	d.fragment(px.Name)
	d.raw(`">`)
	d.text(px.Name)
	d.raw("</a>")
	if p.Legends {
		d.raw("<div class=tips>cap: ", capability(px), ", mode: ")
		d.text(px.Mode)
		d.raw(fmt.Sprintf(", id: %d</div></u>", px.ID))
	}
	d.raw(`</th><th class="empty"></th></tr></table>` + "\n" + `<table class="tbl"><tr class="titre">`)
	if t.admin {
		d.raw("<th rowspan=2></th>")
	}
	d.raw(heads)
	for i := range px.Rows {
		if f.row(&px.Rows[i]) {
			t.row(&px.Rows[i])
		}
	}
	d.raw("</table>")
	if t.admin {
		d.adminForm(px)
	}
	d.raw("<p>\n")
}

func capability(px *stats.Proxy) string {
	switch {
	case px.FrontendCap && px.BackendCap:
		return "proxy"
	case px.FrontendCap:
		return "frontend"
	}
	return "backend"
}

// adminForm ends the form with the choice of what to do.
func (d *doc) adminForm(px *stats.Proxy) {
	d.raw(`Choose the action to perform on the checked servers : <select name="action"><option value=""></option>`)
	for _, a := range actions {
		d.raw(`<option value="`, a.verb, `">`, a.label, "</option>")
	}
	d.raw(fmt.Sprintf(`</select><input type="hidden" name="b" value="#%d">&nbsp;<input type="submit" value="Apply"></form>`, px.ID))
}

// serverClass is the colour of a server's row by its status word.
func serverClass(r *stats.Row) string {
	kind := "active_"
	if r.IsBackup {
		kind = "backup_"
	}
	word, part, _ := strings.Cut(r.Status, " ")
	switch {
	case word == "MAINT":
		return "maintain"
	case r.Status == "no check":
		return kind + "no_check"
	case word == "DRAIN":
		return kind + "draining"
	case word == "NOLB":
		return kind + "nolb"
	case word == "UP" && part != "":
		return kind + "going_down"
	case word == "UP":
		return kind + "up"
	case part != "" && part[0] >= '0' && part[0] <= '9':
		return kind + "going_up"
	}
	return kind + "down"
}
