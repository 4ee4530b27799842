package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"herald/stats"
)

// Report is what `herald status` shows; --json prints it as it stands.
type Report struct {
	At       time.Time        `json:"at"`
	Node     string           `json:"node"`
	Version  string           `json:"version"`
	Pid      int              `json:"pid"` // of the parent
	Since    time.Time        `json:"since"`
	Roles    []Role           `json:"roles"`
	VRRP     []stats.Instance `json:"vrrp,omitempty"`
	Proxy    *stats.Snapshot  `json:"proxy,omitempty"`
	Warnings []string         `json:"warnings,omitempty"` // what an operator should know first
}

// Role is one of the parent's children.
type Role struct {
	Name  string    `json:"name"`  // "vrrp" or "proxy"
	State string    `json:"state"` // "ready", "starting", "draining", "dead"
	Pid   int       `json:"pid,omitempty"`
	Since time.Time `json:"since"`
	// Confined is what holds in the process beside its user and capabilities.
	Confined string `json:"confined,omitempty"`
	Note     string `json:"note,omitempty"` // "restarted 2 times"
}

// Status writes the report as text for a terminal: control characters in names
// are shown as question marks.
func Status(w io.Writer, r *Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "herald %s on %s, pid %d, up %s\n", oneLine(r.Version), oneLine(r.Node), r.Pid, ago(r.Since, r.At))
	for _, line := range r.Warnings {
		fmt.Fprintf(&b, "! %s\n", oneLine(line))
	}
	for i := range r.VRRP {
		if rival := r.VRRP[i].Rival; rival != nil {
			fmt.Fprintf(&b, "! second holder of %s: %s, for %s\n", oneLine(r.VRRP[i].Name), oneLine(rival.Text()), ago(rival.Since, r.At))
		}
	}
	statusRoles(&b, r)
	statusVRRP(&b, r)
	if r.Proxy != nil {
		statusProxies(&b, r.Proxy)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// grid writes rows in columns under a heading.
func grid(b *strings.Builder, heading string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	b.WriteByte('\n')
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, heading)
	for _, row := range rows {
		for i, cell := range row {
			if cell == "" {
				cell = "-"
			}
			if i > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, oneLine(cell))
		}
		fmt.Fprintln(t)
	}
	t.Flush() // a strings.Builder takes everything
}

func statusRoles(b *strings.Builder, r *Report) {
	var rows [][]string
	for _, role := range r.Roles {
		pid := ""
		if role.Pid > 0 {
			pid = strconv.Itoa(role.Pid)
		}
		rows = append(rows, []string{role.Name, role.State, pid, ago(role.Since, r.At), role.Confined, role.Note})
	}
	grid(b, "ROLE\tSTATE\tPID\tFOR\tCONFINED BY\tNOTE", rows)
}

func statusVRRP(b *strings.Builder, r *Report) {
	var rows [][]string
	for i := range r.VRRP {
		v := &r.VRRP[i]
		master := ""
		if v.Master != "" {
			master = fmt.Sprintf("%s (%d)", v.Master, v.MasterPriority)
		}
		rows = append(rows, []string{v.Name, v.Interface, strconv.Itoa(int(v.VRID)), v.State, fmt.Sprintf("%d/%d", v.Priority, v.BasePriority),
			master, ago(v.Since, r.At), strings.Join(v.Addresses, ", "), v.Why})
	}
	grid(b, "VRRP\tINTERFACE\tVRID\tSTATE\tPRIORITY/BASE\tMASTER SEEN\tFOR\tADDRESSES\tWHY", rows)
}

func statusProxies(b *strings.Builder, s *stats.Snapshot) {
	var rows [][]string
	for i := range s.Proxies {
		for j := range s.Proxies[i].Rows {
			row := &s.Proxies[i].Rows[j]
			limit, weight, check := "", "", ""
			if row.SessLimit > 0 {
				limit = strconv.FormatUint(row.SessLimit, 10)
			}
			if row.Type == stats.ServerRow {
				weight = strconv.Itoa(row.Weight)
			}
			if row.Type == stats.ServerRow && row.Checked && !row.CheckPaused {
				check = strings.TrimSpace(row.CheckStatus + " " + row.LastCheck)
			}
			rows = append(rows, []string{row.Proxy, row.Name, row.Status, span(row.LastChange),
				strconv.FormatUint(row.SessCur, 10), limit, strconv.FormatUint(row.SessTotal, 10), strconv.FormatUint(row.QueueCur, 10),
				weight, row.Addr, check})
			if row.Type == stats.FrontendRow || row.Type == stats.ListenerRow {
				rows[len(rows)-1][3] = ""
			}
		}
	}
	grid(b, "PROXY\tNAME\tSTATUS\tFOR\tSESSIONS\tLIMIT\tTOTAL\tQUEUE\tWEIGHT\tADDRESS\tCHECK", rows)
}

// ago is how long t was before now.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return span(max(int64(now.Sub(t)/time.Second), 0))
}
