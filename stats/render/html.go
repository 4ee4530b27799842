package render

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"

	"herald/stats"
)

// policy forbids everything but this page's one style sheet, by its digest, and
// its own forms. There is no script.
var policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}()

// doc is a page being written. Literal text goes through raw, everything else
// through methods that escape.
type doc struct{ b []byte }

func (d *doc) raw(parts ...string) {
	for _, p := range parts {
		d.b = append(d.b, p...)
	}
}

// text writes s as text, harmless in an element and in a quoted attribute.
func (d *doc) text(s string) { d.raw(html.EscapeString(oneLine(s))) }

func (d *doc) number(n int64) { d.b = strconv.AppendInt(d.b, n, 10) }

// grouped writes n with a gap between groups of three digits, made by the
// style, so that the digits can still be copied as a number.
func (d *doc) grouped(n uint64) {
	s := strconv.FormatUint(n, 10)
	for i := range len(s) {
		if left := len(s) - 1 - i; left > 0 && left%3 == 0 {
			d.raw(`<span class="rls">`, s[i:i+1], `</span>`)
			continue
		}
		d.raw(s[i : i+1])
	}
}

// fragment writes a name as part of an anchor.
func (d *doc) fragment(parts ...string) {
	for i, p := range parts {
		if i > 0 {
			d.raw("/")
		}
		d.raw(html.EscapeString(url.PathEscape(p)))
	}
}

// appendHTML appends the whole page.
func appendHTML(b []byte, p *Page, v *view, s *stats.Snapshot) []byte {
	d := &doc{b: b}
	d.head(p, &s.Info)
	d.general(p, v, &s.Info)
	if text, known := outcomes[v.outcome]; known {
		d.raw(`<p><div class="`, map[bool]string{true: "active_up", false: "active_down"}[v.outcome == allDone], `"><a class=lfsb href="`)
		d.text(p.URI)
		d.raw(`" title="Remove this message">[X]</a> `, text, "</div>\n")
	}
	d.instances(s)
	for i := range s.Proxies {
		if v.filter.proxy(&s.Proxies[i]) {
			d.proxy(p, &v.filter, &s.Proxies[i])
		}
	}
	d.raw("</body></html>\n")
	return d.b
}

func (d *doc) head(p *Page, info *stats.Info) {
	d.raw("<!DOCTYPE html>\n<html><head><title>Statistics Report for herald")
	if p.Node != "" {
		d.raw(" on ")
		d.text(p.Node)
	}
	d.raw("</title>\n<link rel=\"icon\" href=\"data:,\">\n<meta charset=\"utf-8\">\n<style>", style, "</style></head>\n<body><h1>herald")
	if !p.HideVersion && info.Version != "" {
		d.raw(" version ")
		d.text(info.Version)
		if info.ReleaseDate != "" {
			d.raw(", released ")
			d.text(info.ReleaseDate)
		}
	}
	d.raw("</h1>\n<h2>Statistics Report for pid ")
	d.number(int64(info.Pid))
	if p.Node != "" {
		d.raw(" on ")
		d.text(p.Node)
	}
	if p.Desc != "" {
		d.raw(": ")
		d.text(p.Desc)
	}
	d.raw("</h2>\n<hr class=\"hr\">\n")
}

// general is the block about the process, the legend and the options.
func (d *doc) general(p *Page, v *view, info *stats.Info) {
	memory := "unlimited"
	if info.MemMaxBytes > 0 {
		memory = fmt.Sprintf("%d MB", info.MemMaxBytes>>20)
	}
	d.raw("<h3>&gt; General process information</h3>\n<table class=\"gen\"><tr><td class=\"left\"><p>")
	d.raw(fmt.Sprintf("<b>pid = </b> %d (process #1, nbproc = 1, nbthread = %d)<br>\n", info.Pid, info.Threads))
	d.raw("<b>uptime = </b> ", stats.Uptime(info.UptimeSec), "<br>\n")
	d.raw(fmt.Sprintf("<b>system limits:</b> memmax = %s; ulimit-n = %d<br>\n", memory, info.UlimitN))
	d.raw(fmt.Sprintf("<b>maxsock = </b> %d; <b>maxconn = </b> %d; <b>maxpipes = </b> %d<br>\n", info.MaxSock, info.MaxConn, info.MaxPipes))
	d.raw(fmt.Sprintf("current conns = %d; current pipes = %d/%d; conn rate = %d/sec; bit rate = %s<br>\n",
		info.CurrConns, info.PipesUsed, info.PipesUsed+info.PipesFree, info.ConnRate, bitRate(info.BytesOutRate)))
	d.raw(fmt.Sprintf("Running tasks: %d/%d; idle = %d %%<br>\n", info.RunQueue, info.Tasks, info.IdlePct))
	d.raw("</td><td class=\"mid\">", legend, "</td>\n<td class=\"left\">")
	d.options(p, v)
	d.raw("</td></tr></table>\n")
}

// bitRate is the bit rate in the unit that suits it.
func bitRate(bytes uint64) string {
	bits := float64(bytes) * 8
	for _, unit := range []string{"kbps", "Mbps"} {
		if bits /= 1000; bits < 1000 {
			return fmt.Sprintf("%.3f %s", bits, unit)
		}
	}
	return fmt.Sprintf("%.3f Gbps", bits/1000)
}

const legend = `<table class="lgd"><tr>
<td class="active_up">&nbsp;</td><td class="noborder">active UP </td><td class="backup_up">&nbsp;</td><td class="noborder">backup UP </td></tr><tr>
<td class="active_going_down"></td><td class="noborder">active UP, going down </td><td class="backup_going_down"></td><td class="noborder">backup UP, going down </td></tr><tr>
<td class="active_going_up"></td><td class="noborder">active DOWN, going up </td><td class="backup_going_up"></td><td class="noborder">backup DOWN, going up </td></tr><tr>
<td class="active_down"></td><td class="noborder">active or backup DOWN &nbsp;</td><td class="active_no_check"></td><td class="noborder">not checked </td></tr><tr>
<td class="maintain"></td><td class="noborder" colspan="3">active or backup DOWN for maintenance (MAINT) &nbsp;</td></tr><tr>
<td class="active_draining"></td><td class="noborder" colspan="3">active or backup SOFT STOPPED for maintenance &nbsp;</td></tr></table>
Note: "NOLB"/"DRAIN" = UP with load-balancing disabled.`

// link is the page's URI with this view's options, one of them toggled or
// added.
func (d *doc) link(p *Page, v *view, up, noMaint, noRefresh bool, extra string) {
	d.raw(`<a href="`)
	d.text(p.URI)
	for _, o := range []struct {
		on   bool
		text string
	}{{up, ";up"}, {noMaint, ";no-maint"}, {extra != "", extra}, {noRefresh, ";norefresh"}} {
		if o.on {
			d.raw(o.text)
		}
	}
	if v.scope != "" {
		mark := "?"
		if strings.Contains(p.URI, "?") {
			mark = "&"
		}
		d.text(mark + "scope=" + url.QueryEscape(v.scope))
	}
	d.raw(`">`)
}

func (d *doc) options(p *Page, v *view) {
	up, nm, nr := v.filter.UpOnly, v.filter.NoMaint, v.noRefresh
	d.raw(`<b>Display option:</b><ul><li><form method="GET">Scope : <input value="`)
	d.text(v.scope)
	d.raw(`" name="scope" size="8" maxlength="20" tabindex="1"></form>` + "\n")
	item := func(label string, up, nm, nr bool, extra string) {
		d.raw("<li>")
		d.link(p, v, up, nm, nr, extra)
		d.raw(label, "</a><br>\n")
	}
	item(map[bool]string{false: "Hide 'DOWN' servers", true: "Show all servers"}[up], !up, nm, nr, "")
	item(map[bool]string{false: "Hide 'MAINT' servers", true: "Show 'MAINT' servers"}[nm], up, !nm, nr, "")
	if p.Refresh > 0 {
		item(map[bool]string{false: "Disable refresh", true: "Enable refresh"}[nr], up, nm, !nr, "")
	}
	item("Refresh now", up, nm, nr, "")
	item("CSV export", up, nm, true, ";csv")
	item("JSON export", up, nm, true, ";json")
	d.raw("</ul>")
}
