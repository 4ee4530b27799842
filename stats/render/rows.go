package render

import (
	"fmt"
	"strings"

	"herald/stats"
)

// table is one proxy's table being written.
type table struct {
	*doc
	legends, http, admin bool
}

func (t *table) row(r *stats.Row) {
	class := map[stats.RowType]string{stats.FrontendRow: "frontend", stats.BackendRow: "backend", stats.ListenerRow: "socket"}[r.Type]
	if r.Type == stats.ServerRow {
		class = serverClass(r)
	}
	t.raw(`<tr class="`, class, `">`)
	if t.admin {
		t.raw("<td>")
		if r.Type == stats.ServerRow {
			t.raw(`<input type="checkbox" name="s" value="`)
			t.text(r.Name)
			t.raw(`">`)
		}
		t.raw("</td>")
	}
	t.name(r)
	switch r.Type {
	case stats.FrontendRow:
		t.frontend(r)
	case stats.ListenerRow:
		t.listener(r)
	default:
		t.server(r)
	}
	t.raw("</tr>\n")
}

// name is the first cell; with legends its tip tells the address.
func (t *table) name(r *stats.Row) {
	shown, anchor := r.Name, r.Name
	switch r.Type {
	case stats.FrontendRow:
		shown, anchor = "Frontend", "Frontend"
	case stats.BackendRow:
		shown, anchor = "Backend", "Backend"
	case stats.ListenerRow:
		anchor = "+" + r.Name
	}
	t.raw(`<td class=ac><a id="`)
	t.fragment(r.Proxy, anchor)
	t.raw(`"></a>`)
	tip := t.nameTip(r)
	if tip != "" {
		t.raw("<u>")
	}
	t.raw(`<a class=lfsb href="#`)
	t.fragment(r.Proxy, anchor)
	t.raw(`">`)
	t.text(shown)
	t.raw("</a>")
	if tip != "" {
		t.raw("<div class=tips>")
		t.text(tip)
		t.raw("</div></u>")
	}
	t.raw("</td>")
}

func (t *table) nameTip(r *stats.Row) string {
	if !t.legends {
		return ""
	}
	switch r.Type {
	case stats.FrontendRow:
		return ""
	case stats.BackendRow:
		tip := "balancing: " + r.Algo
		if r.Cookie != "" {
			tip += ", cookie: '" + r.Cookie + "'"
		}
		return tip
	}
	family := "IPv4: "
	switch {
	case strings.HasPrefix(r.Addr, "["):
		family = "IPv6: "
	case strings.HasPrefix(r.Addr, "/"), strings.HasPrefix(r.Addr, "unix"):
		family = "unix: "
	}
	tip := fmt.Sprintf("%s%s, id: %d", family, r.Addr, r.ID)
	if r.Cookie != "" {
		tip += ", cookie: '" + r.Cookie + "'"
	}
	return tip
}

// cell is a number; limit is one that may be missing.
func (t *table) cell(n uint64) {
	t.raw("<td>")
	t.grouped(n)
	t.raw("</td>")
}

func (t *table) limit(n uint64) {
	if n == 0 {
		t.raw("<td>-</td>")
		return
	}
	t.cell(n)
}

func (t *table) empty(n int) { t.raw(strings.Repeat("<td></td>", n)) }

// tip is a number with lines under the pointer.
func (t *table) tip(n uint64, lines func()) {
	t.raw("<td><u>")
	t.grouped(n)
	t.raw("<div class=tips><table class=det>")
	lines()
	t.raw("</table></div></u></td>")
}

func (t *table) frontend(r *stats.Row) {
	t.raw("<td colspan=3></td>")
	rates := func(when string, conn, sess, req uint64) func() {
		return func() {
			t.line(when+" connection rate", conn, "/s")
			t.line(when+" session rate", sess, "/s")
			if t.http {
				t.line(when+" request rate", req, "/s")
			}
		}
	}
	t.tip(r.SessRate, rates("Current", r.ConnRate, r.SessRate, r.ReqRate))
	t.tip(r.SessRateMax, rates("Max", r.ConnRateMax, r.SessRateMax, r.ReqRateMax))
	t.limit(r.SessRateLimit)
	t.cell(r.SessCur)
	t.cell(r.SessMax)
	t.cell(r.SessLimit)
	t.tip(r.SessTotal, func() {
		t.line("Cum. connections", r.ConnTotal)
		t.line("Cum. sessions", r.SessTotal)
		if t.http {
			t.responses(r)
			t.line("Intercepted requests", r.Intercepted)
		}
		t.line("Failed hdr rewrites", r.RewriteFailed)
		t.line("Internal errors", r.ErrInternal)
	})
	t.empty(2)
	t.cell(r.BytesIn)
	t.cell(r.BytesOut)
	t.cell(r.DeniedReq)
	t.cell(r.DeniedResp)
	t.cell(r.ErrReq)
	t.empty(4)
	t.raw("<td class=ac>")
	t.text(r.Status)
	t.raw("</td><td class=ac colspan=8></td>")
}

func (t *table) listener(r *stats.Row) {
	t.raw("<td colspan=3></td><td colspan=3>&nbsp;</td>")
	t.cell(r.SessCur)
	t.cell(r.SessMax)
	t.cell(r.SessLimit)
	t.cell(r.SessTotal)
	t.empty(2)
	t.cell(r.BytesIn)
	t.cell(r.BytesOut)
	t.cell(r.DeniedReq)
	t.cell(r.DeniedResp)
	t.cell(r.ErrReq)
	t.empty(4)
	t.raw("<td class=ac>")
	t.text(r.Status)
	t.raw("</td><td class=ac colspan=8></td>")
}

// responses are the lines of an HTTP total.
func (t *table) responses(r *stats.Row) {
	t.line("Cum. HTTP requests", r.ReqTotal)
	var sum uint64
	for _, n := range r.Resp {
		sum += n
	}
	for i, n := range r.Resp {
		name := fmt.Sprintf("- HTTP %dxx responses", i+1)
		if i == 5 {
			name = "- other responses"
		}
		t.line(name, n, percent(n, sum))
	}
}

func percent(part, whole uint64) string {
	if whole == 0 {
		return "(0%)"
	}
	return fmt.Sprintf("(%d%%)", part*100/whole)
}

// server is a row of a server or a backend.
func (t *table) server(r *stats.Row) {
	one := r.Type == stats.ServerRow
	t.cell(r.QueueCur)
	t.cell(r.QueueMax)
	if one {
		t.limit(r.QueueLimit)
	} else {
		t.empty(1)
	}
	t.cell(r.SessRate)
	t.cell(r.SessRateMax)
	t.empty(1)
	if one {
		t.tip(r.SessCur, func() { t.connections(r) })
	} else {
		t.cell(r.SessCur)
	}
	t.cell(r.SessMax)
	t.limit(r.SessLimit)
	t.tip(r.SessTotal, func() { t.totals(r) })
	t.cell(r.LBTotal)
	t.raw("<td>", span(r.LastSession), "</td>")
	t.cell(r.BytesIn)
	t.cell(r.BytesOut)
	if one {
		t.empty(1)
	} else {
		t.cell(r.DeniedReq)
	}
	t.cell(r.DeniedResp)
	t.empty(1)
	t.cell(r.ErrConn)
	t.raw("<td><u>")
	t.grouped(r.ErrResp)
	t.raw(fmt.Sprintf("<div class=tips>Connection resets during transfers: %d client, %d server</div></u></td>", r.ClientAborts, r.ServerAborts))
	t.cell(r.Retries)
	t.cell(r.Redispatches)
	t.state(r)
}

func (t *table) connections(r *stats.Row) {
	t.line("Current active connections", r.SessCur)
	t.line("Current used connections", r.UsedConns)
	t.line("Current idle connections", r.UnsafeIdle+r.SafeIdle)
	t.line("- unsafe", r.UnsafeIdle)
	t.line("- safe", r.SafeIdle)
	t.line("Estimated need of connections", r.NeedConns)
}

func (t *table) totals(r *stats.Row) {
	t.line("Cum. sessions", r.SessTotal)
	t.line("New connections", r.Connects)
	t.line("Reused connections", r.Reuses, percent(r.Reuses, r.Connects+r.Reuses))
	if t.http {
		t.responses(r)
	}
	t.line("Failed hdr rewrites", r.RewriteFailed)
	t.line("Internal errors", r.ErrInternal)
	t.raw("<tr><th colspan=3>Max / Avg over last 1024 success. conn.</th></tr>")
	times := func(name string, most, mean uint64) {
		t.raw(fmt.Sprintf("<tr><th>- %s time:</th><td>%d / %d</td><td>ms</td></tr>", name, most, mean))
	}
	times("Queue", r.QueueTimeMax, r.QueueTime)
	times("Connect", r.ConnectTimeMax, r.ConnectTime)
	if t.http {
		times("Responses", r.ResponseTimeMax, r.ResponseTime)
	}
	times("Total", r.TotalTimeMax, r.TotalTime)
}

// state is the nine cells under "Server".
func (t *table) state(r *stats.Row) {
	one := r.Type == stats.ServerRow
	t.raw("<td class=ac>")
	if r.Status == "no check" {
		t.raw("<i>no check</i>")
	} else {
		t.raw(span(max(r.LastChange, 0)), " ")
		t.text(r.Status)
	}
	t.raw("</td><td class=ac>")
	if one && r.Checked && !r.CheckPaused {
		t.lastCheck(r)
	}
	t.raw(fmt.Sprintf("</td><td class=ac>%d/%d</td>", r.Weight, r.UserWeight))
	if !one {
		t.raw(fmt.Sprintf("<td class=ac>%d</td><td class=ac>%d</td><td></td>", r.Active, r.Backup))
		t.cell(r.CheckDowns)
		t.raw("<td>")
		if !r.NoServers {
			t.raw(span(r.Downtime))
		}
		t.raw("</td><td></td>")
		return
	}
	t.raw("<td class=ac>", yes(r.Active > 0), "</td><td class=ac>", yes(r.Backup > 0), "</td>")
	if r.Checked {
		t.raw("<td><u>")
		t.grouped(r.CheckFails)
		t.raw("<div class=tips>Failed Health Checks</div></u></td>")
		t.cell(r.CheckDowns)
		t.raw("<td>", span(r.Downtime), "</td>")
	} else {
		t.raw("<td colspan=3></td>")
	}
	if r.Throttle > 0 {
		t.raw(fmt.Sprintf("<td class=ac>%d %%</td>", r.Throttle))
	} else {
		t.raw("<td class=ac>-</td>")
	}
}

// lastCheck is "L4CON in 0ms" with the words under the pointer.
func (t *table) lastCheck(r *stats.Row) {
	t.raw("<u> ")
	if r.CheckRunning {
		t.raw("* ")
	}
	t.text(r.CheckStatus)
	if r.CheckCode > 0 {
		t.raw(fmt.Sprintf("/%d", r.CheckCode))
	}
	if r.CheckDuration >= 0 {
		t.raw(fmt.Sprintf(" in %dms", r.CheckDuration))
	}
	t.raw("<div class=tips>")
	t.text(r.CheckDesc)
	if r.LastCheck != "" {
		t.raw(": ")
		t.text(r.LastCheck)
	}
	t.raw("</div></u>")
}

func yes(b bool) string {
	if b {
		return "Y"
	}
	return "-"
}
