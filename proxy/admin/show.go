package admin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"herald/config"
	"herald/stats"
	"herald/stats/render"
)

// showRows are the commands that only look.
var showRows = []config.Row[command]{
	{Name: "show info", Syntax: "show info [desc|json|typed|float]*", Doc: "report information about the running process", Example: "show info typed", Do: command{User, showInfo}},
	{Name: "show stat", Syntax: "show stat [<px> <type> <id>] [desc|json|no-maint|typed|up]*", Doc: "report counters for each proxy and server", Example: "show stat -1 4 -1 up", Do: command{User, showStat}},
	{Name: "show schema json", Syntax: "show schema json", Doc: "report schema used for stats", Example: "show schema json", Do: command{User, func(x *session, _ []string) { x.print(render.Schema) }}},
	{Name: "show backend", Syntax: "show backend", Doc: "list backends in the current running config", Example: "show backend", Do: command{User, showBackend}},
	{Name: "show servers state", Syntax: "show servers state [<backend>]", Doc: "dump volatile server information (all or for a single backend)", Example: "show servers state", Do: command{User, showServersState}},
	{Name: "show servers conn", Syntax: "show servers conn [<backend>]", Doc: "dump server connections status (all or for a single backend)", Example: "show servers conn", Do: command{User, showServersConn}},
	{Name: "show sess", Syntax: "show sess [id]", Doc: "report the list of current sessions or one session", Example: "show sess", Do: command{Operator, showSess}},
	{Name: "show errors", Syntax: "show errors [<px>] [request|response]", Doc: "report invalid requests and responses kept, none so far", Example: "show errors", Do: command{Operator, showErrors}},
	{Name: "show env", Syntax: "show env [var]", Doc: "dump environment variables known to the process", Example: "show env", Do: command{Operator, showEnv}},
	{Name: "show version", Syntax: "show version", Doc: "show version of the current process", Example: "show version",
		Do: command{User, func(x *session, _ []string) { x.info(x.snapshot().Info.Version) }}},
	{Name: "show pools", Syntax: "show pools", Doc: "report the memory of the process in total", Example: "show pools", Do: command{User, showPools}},
	{Name: "show activity", Syntax: "show activity", Doc: "report the activity of the process in total", Example: "show activity", Do: command{Operator, showActivity}},
	{Name: "show vrrp", Syntax: "show vrrp", Doc: "report the VRRP instances of this node, one a line", Example: "show vrrp", Do: command{User, showVRRP}},
	{Name: "get weight", Syntax: "get weight <bk>/<srv>", Doc: "report a server's current weight", Example: "get weight be/srv", Do: command{User, getWeight}},
}

func (x *session) snapshot() stats.Snapshot { return x.server.proxy.Snapshot() }

func showInfo(x *session, args []string) {
	info := x.snapshot().Info
	desc := slices.Contains(args, "desc")
	switch {
	case slices.Contains(args, "json"):
		x.out = render.AppendInfoJSON(x.out, &info)
	case slices.Contains(args, "typed"):
		x.out = render.AppendInfoTyped(x.out, &info, desc)
	default:
		x.out = render.AppendInfo(x.out, &info, desc)
	}
}

func showStat(x *session, args []string) {
	s := x.snapshot()
	var f render.Filter
	if args, ok := triple(args); ok {
		f.Proxy, _ = strconv.Atoi(args[0])
		if _, err := strconv.Atoi(args[0]); err != nil {
			p := proxyNamed(&s, args[0])
			if p == nil {
				x.err("No such proxy.")
				return
			}
			f.Proxy = p.ID
		}
		types, _ := strconv.Atoi(args[1])
		f.Types = stats.Rows(types) & stats.AllRows
		f.Server, _ = strconv.Atoi(args[2])
	}
	f.UpOnly, f.NoMaint = slices.Contains(args, "up"), slices.Contains(args, "no-maint")
	switch {
	case slices.Contains(args, "json"):
		x.out = render.AppendJSON(x.out, &s, f)
	case slices.Contains(args, "typed"):
		x.out = render.AppendTyped(x.out, &s, f, slices.Contains(args, "desc"))
	default:
		x.out = render.AppendCSV(x.out, &s, f)
	}
}

// triple answers the proxy, types and server of `show stat`, when the arguments
// begin with them.
func triple(args []string) ([]string, bool) {
	if len(args) < 3 {
		return nil, false
	}
	for _, a := range args[1:3] {
		if _, err := strconv.Atoi(a); err != nil {
			return nil, false
		}
	}
	return args[:3], true
}

// proxyNamed finds a proxy by name or "#id".
func proxyNamed(s *stats.Snapshot, name string) *stats.Proxy {
	for i := range s.Proxies {
		if p := &s.Proxies[i]; p.Name == name || name == "#"+strconv.Itoa(p.ID) {
			return p
		}
	}
	return nil
}

func showBackend(x *session, _ []string) {
	x.print("# name\n")
	s := x.snapshot()
	for _, p := range s.Proxies {
		if p.BackendCap {
			x.print(p.Name, "\n")
		}
	}
}

// servers calls do for the servers of the backend the arguments name, or of
// all; false when there is no such backend.
func (x *session) servers(args []string, do func(p *stats.Proxy, r *stats.Row)) bool {
	s := x.snapshot()
	var only *stats.Proxy
	if len(args) > 0 {
		if only = proxyNamed(&s, args[0]); only == nil || !only.BackendCap {
			x.err("Can't find backend.")
			return false
		}
	}
	for i := range s.Proxies {
		p := &s.Proxies[i]
		if only != nil && p != only {
			continue
		}
		for j := range p.Rows {
			if p.Rows[j].Type == stats.ServerRow {
				do(p, &p.Rows[j])
			}
		}
	}
	return true
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func showServersState(x *session, args []string) {
	var b strings.Builder
	b.WriteString("1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change " +
		"srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port " +
		"srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n")
	if x.servers(args, func(p *stats.Proxy, r *stats.Row) {
		v := &r.Server
		fmt.Fprintf(&b, "%d %s %d %s %s %d %d %d %d %d %d %d %d %d %d %d %d %s %d %s 0 %d %s %s %d\n",
			p.ID, p.Name, r.ID, r.Name, dash(v.Host), v.OpState, v.AdminState, r.UserWeight, r.FirstWeight, r.LastChange,
			v.CheckStatus, v.CheckResult, r.CheckHealth, v.CheckState, v.AgentState, bit(v.ForcedBackendID), bit(v.ForcedID), dash(v.FQDN), v.Port, dash(v.SRV), v.CheckPort, dash(v.CheckAddr),
			dash(v.AgentAddr), v.AgentPort)
	}) {
		x.print(b.String())
	}
}

func bit(on bool) int {
	if on {
		return 1
	}
	return 0
}

func showServersConn(x *session, args []string) {
	var b strings.Builder
	b.WriteString("# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[1]\n")
	if x.servers(args, func(p *stats.Proxy, r *stats.Row) {
		fmt.Fprintf(&b, "%s/%s %d/%d %s %d - 5000 %d %d %d %d %d -1 %d %d\n", p.Name, r.Name, p.ID, r.ID, dash(r.Server.Host), r.Server.Port,
			r.UsedConns, r.SessMax, r.NeedConns, r.UnsafeIdle, r.SafeIdle, r.IdleConns, r.IdleConns)
	}) {
		x.print(b.String())
	}
}

func showSess(x *session, args []string) {
	id, one := uint64(0), false
	if len(args) > 0 && args[0] != "all" {
		var err error
		if id, err = sessionID(args[0]); err != nil {
			x.print("Session not found.\n")
			return
		}
		one = true
	}
	found := false
	for _, e := range x.server.proxy.Sessions() {
		if one && e.ID != id {
			continue
		}
		found = true
		be, srv, exp := e.Backend, e.Server, ""
		if be == "" {
			be = "<NONE>"
		}
		if srv == "" {
			srv = "<none>"
		}
		if e.Expires > 0 {
			exp = short(e.Expires)
		}
		x.out = fmt.Appendf(x.out, "0x%x: proto=%s src=%s fe=%s be=%s srv=%s ts=00 epoch=0 age=%s calls=%d rate=0 cpu=0 lat=0 exp=%s\n",
			e.ID, e.Proto, e.Source, e.Frontend, be, srv, short(e.Age), e.Calls, exp)
	}
	if one && !found {
		x.print("Session not found.\n")
	}
}

// short is a duration as `show sess` has it: "4s", "1m15s".
func short(d time.Duration) string {
	d = d.Truncate(time.Second)
	if d < time.Minute {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	if d < time.Hour {
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	}
	if d < 24*time.Hour {
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// sessionID reads "0x1f" as `show sess` prints it.
func sessionID(text string) (uint64, error) {
	return strconv.ParseUint(strings.TrimPrefix(strings.ToLower(text), "0x"), 16, 64)
}

func showErrors(x *session, _ []string) {
	x.print("Total events captured on [", x.snapshot().At.Format("02/Jan/2006:15:04:05.000"), "] : 0\n")
}

func showEnv(x *session, args []string) {
	for _, v := range x.server.options.Env {
		name, _, _ := strings.Cut(v, "=")
		if len(args) == 0 || name == args[0] {
			x.print(oneLine(v), "\n")
			if len(args) > 0 {
				return
			}
		}
	}
	if len(args) > 0 {
		x.err("Variable not found")
	}
}

func showPools(x *session, _ []string) {
	i := x.snapshot().Info
	x.print(fmt.Sprintf("Dumping pools usage.\nTotal: 0 pools, %d bytes allocated, %d used.\n", i.PoolBytes, i.PoolUsed))
}

func showActivity(x *session, _ []string) {
	s := x.snapshot()
	x.print(fmt.Sprintf("thread_id: 1 (1..%d)\ndate_now: %d.%06d\naccepted: %d\n", s.Info.Threads, s.At.Unix(), s.At.Nanosecond()/1000, s.Info.CumConns))
}

func showVRRP(x *session, _ []string) {
	s := x.snapshot()
	x.print("# name interface vrid state priority base_priority master master_priority seconds addresses\n")
	for _, v := range s.Instances {
		since := int64(0)
		if !v.Since.IsZero() {
			since = int64(s.At.Sub(v.Since) / time.Second)
		}
		x.print(fmt.Sprintf("%s %s %d %s %d %d %s %d %d %s\n", word(v.Name), word(v.Interface), v.VRID, v.State, v.Priority, v.BasePriority,
			dash(v.Master), v.MasterPriority, since, word(strings.Join(v.Addresses, ","))))
	}
}

// word keeps a value in its column.
func word(s string) string { return dash(strings.ReplaceAll(oneLine(s), " ", "_")) }

func getWeight(x *session, args []string) {
	if r := x.find(args); r != nil {
		x.info(fmt.Sprintf("%d (initial %d)", r.UserWeight, r.FirstWeight))
	}
}
