package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"herald/stats"
)

// sections are the row types in the order of HAProxy's exporter.
var sections = [...]struct {
	name string
	row  stats.RowType
}{{"frontend", stats.FrontendRow}, {"listener", stats.ListenerRow}, {"backend", stats.BackendRow}, {"server", stats.ServerRow}}

// states are the values of the "state" label by row type.
var states = map[stats.RowType][]string{
	stats.FrontendRow: {"DOWN", "UP"},
	stats.ListenerRow: {"WAITING", "OPEN", "FULL"},
	stats.BackendRow:  {"DOWN", "UP"},
	stats.ServerRow:   {"DOWN", "UP", "MAINT", "DRAIN", "NOLB"},
}

// checkStates are those of a server's check.
var checkStates = []string{"HANA", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP", "L7TOUT", "L7RSP", "L7OK", "L7OKC",
	"L7STS", "PROCERR", "PROCTOUT", "PROCOK"}

// AppendMetrics appends the snapshot in the Prometheus text format, under the
// names of HAProxy's exporter and, for VRRP, those of keepalived's exporters
// and names that begin with "herald_vrrp_".
func AppendMetrics(b []byte, s *stats.Snapshot) []byte {
	m := &metrics{b: b}
	m.process(&s.Info)
	for _, sec := range sections {
		m.section(sec.name, sec.row, s)
	}
	return AppendVRRPMetrics(m.b, s.Instances)
}

// AppendVRRPMetrics appends the instances alone.
func AppendVRRPMetrics(b []byte, all []stats.Instance) []byte {
	m := &metrics{b: b}
	m.vrrp(all)
	m.keepalived(all)
	return m.b
}

type metrics struct{ b []byte }

func (m *metrics) family(name, help string, counter bool) {
	kind := "gauge"
	if counter {
		kind = "counter"
	}
	m.b = fmt.Appendf(m.b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// sample writes one value; labels are name, value, name, value.
func (m *metrics) sample(name string, v string, labels ...string) {
	m.b = append(m.b, name...)
	for i := 0; i < len(labels); i += 2 {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		m.b = append(m.b, sep)
		m.b = append(m.b, labels[i]...)
		m.b = append(m.b, `="`...)
		m.b = append(m.b, escapeLabel(labels[i+1])...)
		m.b = append(m.b, '"')
	}
	if len(labels) > 0 {
		m.b = append(m.b, '}')
	}
	m.b = append(m.b, ' ')
	m.b = append(append(m.b, v...), '\n')
}

func escapeLabel(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(s, "?"))
}

func (m *metrics) process(info *stats.Info) {
	for i := range stats.InfoColumns {
		c := &stats.InfoColumns[i]
		v := c.Of(info)
		if c.Metric == "" || !v.Present() || v.Kind == stats.Text {
			continue
		}
		name := "haproxy_process_" + c.Metric
		m.family(name, c.Help, strings.HasSuffix(c.Metric, "_total") || c.Metric == "failed_resolutions")
		m.sample(name, strconv.FormatInt(v.Number, 10))
	}
	m.family("haproxy_process_build_info", "version as built", false)
	m.sample("haproxy_process_build_info", "1", "version", info.Version)
}

// section writes every column of one row type.
func (m *metrics) section(prefix string, row stats.RowType, s *stats.Snapshot) {
	last := ""
	for i := range stats.Columns {
		c := &stats.Columns[i]
		if c.Metric == "" || !c.Rows.Has(row) || row == stats.ServerRow && (c.Metric == "active_servers" || c.Metric == "backup_servers") ||
			row == stats.ServerRow && c.Metric == "http_requests_total" {
			continue
		}
		name := "haproxy_" + prefix + "_" + c.Metric
		begun := name == last
		(&Filter{Types: 1 << row}).each(s, func(r *stats.Row) {
			v := c.Of(r)
			if !v.Present() {
				return
			}
			if !begun {
				m.family(name, c.Help, c.Counter())
				begun, last = true, name
			}
			m.value(name, c, r, v, s)
		})
	}
}

// value writes one column of one row in the form of its kind.
func (m *metrics) value(name string, c *stats.Column, r *stats.Row, v stats.Value, s *stats.Snapshot) {
	labels := []string{"proxy", r.Proxy}
	switch r.Type {
	case stats.ServerRow:
		labels = append(labels, "server", r.Name)
	case stats.ListenerRow:
		labels = append(labels, "listener", r.Name)
	}
	choice := func(all []string, now string) {
		for _, state := range all {
			n := "0"
			if state == now {
				n = "1"
			}
			m.sample(name, n, slices.Concat(labels, []string{"state", state})...)
		}
	}
	switch {
	case c.Name == "status":
		choice(states[r.Type], stateOf(r))
	case c.Name == "check_status":
		choice(checkStates, r.CheckStatus)
	case c.Name == "agg_server_status", c.Name == "agg_server_check_status":
		for _, state := range states[stats.ServerRow] {
			n := servers(s, r.ProxyID, func(r *stats.Row) bool { return stateOf(r) == state })
			m.sample(name, strconv.Itoa(n), slices.Concat(labels, []string{"state", state})...)
		}
	case c.Name == "agg_check_status":
		for _, state := range checkStates {
			n := servers(s, r.ProxyID, func(r *stats.Row) bool { return r.Checked && !r.CheckPaused && r.CheckStatus == state })
			m.sample(name, strconv.Itoa(n), slices.Concat(labels, []string{"state", state})...)
		}
	case strings.HasPrefix(c.Name, "hrsp_"):
		m.sample(name, strconv.FormatInt(v.Number, 10), slices.Concat(labels, []string{"code", strings.TrimPrefix(c.Name, "hrsp_")})...)
	case strings.HasSuffix(c.Metric, "_seconds") && milliseconds[c.Name]:
		m.sample(name, strconv.FormatFloat(float64(v.Number)/1000, 'f', 6, 64), labels...)
	default:
		m.sample(name, strconv.FormatInt(v.Number, 10), labels...)
	}
}

// milliseconds are the columns whose CSV value is in milliseconds while the
// metric's is in seconds.
var milliseconds = map[string]bool{"qtime": true, "ctime": true, "rtime": true, "ttime": true,
	"qtime_max": true, "ctime_max": true, "rtime_max": true, "ttime_max": true, "check_duration": true}

// stateOf is the label a row's status counts under.
func stateOf(r *stats.Row) string {
	word, _, _ := strings.Cut(r.Status, " ")
	switch {
	case r.Status == "no check":
		return "UP"
	case r.Type == stats.FrontendRow && (word == "OPEN" || word == "FULL"):
		return "UP"
	case r.Type == stats.FrontendRow:
		return "DOWN"
	}
	return word
}

// servers counts the servers of a proxy that are as asked.
func servers(s *stats.Snapshot, proxy int, are func(*stats.Row) bool) int {
	n := 0
	(&Filter{Types: stats.Servers, Proxy: proxy}).each(s, func(r *stats.Row) {
		if are(r) {
			n++
		}
	})
	return n
}

// vrrp writes the instances (objects of RFC 6527 as Prometheus spells them).
func (m *metrics) vrrp(all []stats.Instance) {
	if len(all) == 0 {
		return
	}
	for _, f := range []struct {
		name, help string
		counter    bool
		of         func(*stats.Instance) uint64
	}{
		{"herald_vrrp_master", "1 while the instance is MASTER", false, func(v *stats.Instance) uint64 {
			if v.State == "MASTER" {
				return 1
			}
			return 0
		}},
		{"herald_vrrp_second_holder", "1 while another router holds the addresses too", false, func(v *stats.Instance) uint64 {
			if v.Rival != nil {
				return 1
			}
			return 0
		}},
		{"herald_vrrp_second_holder_signs_total", "signs of a second holder", true, func(v *stats.Instance) uint64 { return v.Counters.SecondHolder }},
		{"herald_vrrp_priority", "priority in force", false, func(v *stats.Instance) uint64 { return uint64(v.Priority) }},
		{"herald_vrrp_become_master_total", "transitions to MASTER", true, func(v *stats.Instance) uint64 { return v.Counters.BecomeMaster }},
		{"herald_vrrp_advertisements_sent_total", "advertisements sent", true, func(v *stats.Instance) uint64 { return v.Counters.AdvertiseSent }},
		{"herald_vrrp_advertisements_received_total", "advertisements accepted", true, func(v *stats.Instance) uint64 { return v.Counters.AdvertiseRcvd }},
		{"herald_vrrp_authentication_failures_total", "advertisements with a wrong password", true, func(v *stats.Instance) uint64 { return v.Counters.AuthFailures }},
		{"herald_vrrp_checksum_errors_total", "advertisements with a wrong checksum", true, func(v *stats.Instance) uint64 { return v.Counters.ChecksumErrors }},
		{"herald_vrrp_ttl_errors_total", "advertisements with a TTL other than 255", true, func(v *stats.Instance) uint64 { return v.Counters.IPTTLErrors }},
	} {
		m.family(f.name, f.help, f.counter)
		for i := range all {
			v := &all[i]
			m.sample(f.name, strconv.FormatUint(f.of(v), 10), "instance", v.Name, "interface", v.Interface, "vrid", strconv.Itoa(int(v.VRID)))
		}
	}
}
