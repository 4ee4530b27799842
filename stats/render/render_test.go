package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"herald/stats"
)

var at = time.Date(2026, 11, 22, 15, 44, 0, 0, time.UTC)

// sample is the state 2.6.12 was in when it wrote testdata/haproxy.csv.
func sample() *stats.Snapshot {
	ok := [6]uint64{1: 2}
	server := func(id int, status string, weight int) stats.Row {
		return stats.Row{Type: stats.ServerRow, Proxy: "be", Name: "s" + strconv.Itoa(id), ProxyID: 5, ID: id, Mode: "http", Status: status, Weight: weight, UserWeight: weight,
			Active: 1, LastChange: 3, LastSession: -1, CheckDuration: 0, Checked: true, CheckRise: 2, CheckFall: 3, Addr: "127.0.0.1:900" + strconv.Itoa(id)}
	}
	s1 := server(1, "UP", 10)
	s1.SessMax, s1.SessLimit, s1.SessTotal, s1.BytesIn, s1.BytesOut, s1.LBTotal, s1.SessRate, s1.SessRateMax = 1, 30, 2, 162, 152, 2, 2, 2
	s1.Resp, s1.ReqTotal, s1.LastSession, s1.Connects, s1.IdleConns, s1.UnsafeIdle, s1.NeedConns = ok, 2, 0, 2, 1, 1, 1
	s1.CheckStatus, s1.CheckDesc, s1.CheckHealth = "L4OK", "Layer4 check passed", 4
	s2 := server(2, "DOWN", 1)
	s2.CheckFails, s2.CheckDowns, s2.Downtime, s2.NeedConns = 1, 1, 3, 1
	s2.CheckStatus, s2.CheckDesc, s2.LastCheck = "L4CON", "Layer4 connection problem", "Connection refused"
	s5 := s2
	s5.Name, s5.ID, s5.Addr, s5.Active, s5.Backup, s5.IsBackup, s5.Cookie = "s5", 5, "127.0.0.1:9005", 0, 1, true, "abc"
	s4 := server(4, "MAINT", 1)
	s4.Checked, s4.CheckPaused = false, true
	be := stats.Row{Type: stats.BackendRow, Proxy: "be", Name: "BACKEND", ProxyID: 5, Mode: "http", Algo: "roundrobin", Status: "UP", SessMax: 1, SessLimit: 10, SessTotal: 2, BytesIn: 162, BytesOut: 152,
		Weight: 11, UserWeight: 11, Active: 2, LastChange: 3, LBTotal: 2, SessRate: 2, SessRateMax: 2, Resp: ok, ReqTotal: 2, Connects: 2,
		H1OpenConns: 1, H1Conns: 2, H1Streams: 2, H1BytesIn: 138, H1BytesOut: 156}
	fe := stats.Row{Type: stats.FrontendRow, Proxy: "fe", Name: "FRONTEND", ProxyID: 4, Mode: "http", Status: "OPEN", SessMax: 1, SessLimit: 100, SessTotal: 2, BytesIn: 162, BytesOut: 152,
		SessRate: 2, SessRateMax: 2, Resp: ok, ReqRate: 2, ReqRateMax: 2, ReqTotal: 2, ConnRate: 2, ConnRateMax: 2, ConnTotal: 2, H1Conns: 2, H1Streams: 2, H1BytesIn: 156, H1BytesOut: 138}
	sock := stats.Row{Type: stats.ListenerRow, Proxy: "fe", Name: "sock-1", ProxyID: 4, ID: 1, Mode: "http", Status: "OPEN", SessMax: 1, SessTotal: 2, BytesIn: 162, BytesOut: 152, Addr: "127.0.0.1:8182"}
	page := stats.Row{Type: stats.BackendRow, Proxy: "stats", Name: "BACKEND", ProxyID: 2, Mode: "http", Algo: "roundrobin", Status: "UP", SessLimit: 400, LastChange: 3, LastSession: -1, NoServers: true}
	tcpFE := stats.Row{Type: stats.FrontendRow, Proxy: "tcpx", Name: "FRONTEND", ProxyID: 6, Mode: "tcp", Status: "OPEN", SessLimit: 4000}
	tcpBE := stats.Row{Type: stats.BackendRow, Proxy: "tcpx", Name: "BACKEND", ProxyID: 6, Mode: "tcp", Algo: "roundrobin", Status: "UP", SessLimit: 400, Weight: 1, UserWeight: 1, Active: 1, LastChange: 3, LastSession: -1}
	return &stats.Snapshot{
		At: at,
		Info: stats.Info{Name: "HAProxy", Version: "0.1.0", ReleaseDate: "2026/11/22", Pid: 42, Threads: 2, UptimeSec: 75, MaxConn: 4000, UlimitN: 8036, MaxSock: 8036,
			BytesOutRate: 125000, IdlePct: 97, Node: "n1"},
		Instances: []stats.Instance{
			{Name: "1", Interface: "eth0", VRID: 1, State: "MASTER", Priority: 102, BasePriority: 100, Master: "10.1.1.20", MasterPriority: 102, Since: at.Add(-65 * time.Second),
				Why: "master down timer expired", Addresses: []string{"10.1.1.10/32 dev eth0"}, History: []stats.Transition{{At: at.Add(-70 * time.Second), From: "INIT", To: "BACKUP", Why: "started"}},
				Counters: stats.VRRPCounters{AdvertiseSent: 65, IPTTLErrors: 2, AuthFailures: 1, LastRejected: "TTL 1 from 10.1.1.66"}},
			{Name: "2", Interface: "eth1", VRID: 2, State: "FAULT", Priority: 100, BasePriority: 100},
		},
		Proxies: []stats.Proxy{
			{Name: "stats", ID: 2, Mode: "http", BackendCap: true, Rows: []stats.Row{page}},
			{Name: "fe", ID: 4, Mode: "http", FrontendCap: true, Rows: []stats.Row{fe, sock}},
			{Name: "be", ID: 5, Mode: "http", BackendCap: true, Rows: []stats.Row{s1, s2, s4, s5, be}},
			{Name: "tcpx", ID: 6, Mode: "tcp", FrontendCap: true, BackendCap: true, Rows: []stats.Row{tcpFE, tcpBE}},
		},
	}
}

func TestTheCSVIsHAProxysByteForByte(t *testing.T) {
	want, err := os.ReadFile("testdata/haproxy.csv")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(string(AppendCSV(nil, sample(), Filter{})), "\n")
	for i, line := range strings.Split(string(want), "\n") {
		if i >= len(got) || got[i] != line {
			t.Errorf("line %d:\nwant %s\ngot  %s", i, line, append(got, make([]string, i+1)...)[i])
		}
	}
}

func TestTheCSVQuotesWhatWouldBreakIt(t *testing.T) {
	s := sample()
	s.Proxies[2].Rows[1].LastCheck = "bad \"x\", or\nworse"
	r := csv.NewReader(bytes.NewReader(AppendCSV(nil, s, Filter{})))
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := slices.Index(records[0], "last_chk")
	if got := records[5][column]; got != "bad \"x\", or\nworse" {
		t.Errorf("got %q", got)
	}
}

func TestFiltersChooseRows(t *testing.T) {
	names := func(f Filter) (rows []string) {
		f.each(sample(), func(r *stats.Row) { rows = append(rows, r.Proxy+"/"+r.Name) })
		return rows
	}
	for name, row := range map[string]struct {
		f    Filter
		want []string
	}{
		"up only":     {Filter{Proxy: 5, UpOnly: true}, []string{"be/s1", "be/BACKEND"}},
		"no maint":    {Filter{Proxy: 5, NoMaint: true}, []string{"be/s1", "be/s2", "be/s5", "be/BACKEND"}},
		"server":      {Filter{Proxy: 5, Types: stats.Servers, Server: 4}, []string{"be/s4"}},
		"scope":       {Filter{Scope: "CP"}, []string{"tcpx/FRONTEND", "tcpx/BACKEND"}},
		"only":        {Filter{Only: []string{"fe", "x"}}, []string{"fe/FRONTEND", "fe/sock-1"}},
		"frontends":   {Filter{Types: stats.Frontends}, []string{"fe/FRONTEND", "tcpx/FRONTEND"}},
		"no such one": {Filter{Proxy: 99}, nil},
	} {
		if got := names(row.f); !slices.Equal(got, row.want) {
			t.Errorf("%s: want %q, got %q", name, row.want, got)
		}
	}
}

func TestTheJSONHasTheShapeOfItsSchema(t *testing.T) {
	if !json.Valid([]byte(Schema)) {
		t.Error("the schema is not JSON")
	}
	var rows [][]statItem
	if err := json.Unmarshal(AppendJSON(nil, sample(), Filter{}), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 10 || rows[3][0].Value.Value != "be" || rows[3][0].ObjType != "Server" || rows[3][2].Field.Name != "qcur" {
		t.Errorf("%d rows, fourth %+v", len(rows), rows[3][:3])
	}
	var info []infoItem
	if err := json.Unmarshal(AppendInfoJSON(nil, &sample().Info), &info); err != nil {
		t.Fatal(err)
	}
	if info[1].Field.Name != "Version" || info[1].Value.Value != "0.1.0" || info[1].Tags.Origin != "Product" {
		t.Errorf("got %+v", info[1])
	}
	if got := string(AppendJSON(nil, &stats.Snapshot{}, Filter{})); got != "[]\n" {
		t.Errorf("nothing: want an empty array, got %s", got)
	}
}

func TestTypedOutputIsHAProxys(t *testing.T) {
	got := string(AppendTyped(nil, sample(), Filter{Proxy: 5, Types: stats.Servers, Server: 2}, false))
	for _, want := range []string{"S.5.2.0.pxname.1:KNS:str:be\n", "S.5.2.17.status.1:SGP:str:DOWN\n", "S.5.2.55.lastsess.1:MAP:s32:-1\n", "S.5.2.73.addr.1:CGS:str:127.0.0.1:9002\n", "S.5.2.103.ssl_sess.1:MCP:u64:0\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %s in\n%s", want, got)
		}
	}
	info := string(AppendInfoTyped(nil, &sample().Info, true))
	if want := `14.Maxsock.1:CLP:u32:8036:"limit of sockets"` + "\n"; !strings.Contains(info, want) {
		t.Errorf("want %s in\n%s", want, info)
	}
	if got := string(AppendInfo(nil, &sample().Info, false)); !strings.Contains(got, "\nUptime: 0d 0h01m15s\nUptime_sec: 75\n") || strings.Contains(got, "description") {
		t.Errorf("got\n%s", got)
	}
}

func TestStatusIsATableAnOperatorCanRead(t *testing.T) {
	r := &Report{At: at, Node: "n1", Version: "0.1.0", Pid: 7, Since: at.Add(-3 * time.Hour), VRRP: sample().Instances, Proxy: sample(),
		Roles:    []Role{{Name: "vrrp", State: "ready", Pid: 8, Since: at.Add(-time.Minute), Confined: "no_new_privs, seccomp"}, {Name: "proxy", State: "dead", Note: "exit status 1\x1b[2J"}},
		Warnings: []string{"proxy is down\nreally"}}
	var b bytes.Buffer
	if err := Status(&b, r); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{
		"herald 0.1.0 on n1, pid 7, up 3h0m\n! proxy is down?really\n",
		"ROLE   STATE  PID  FOR   CONFINED BY            NOTE\nvrrp   ready  8    1m0s  no_new_privs, seccomp  -\nproxy  dead   -    -     -                      exit status 1?[2J\n",
		"1     eth0       1     MASTER  102/100        10.1.1.20 (102)  1m5s  10.1.1.10/32 dev eth0  master down timer expired\n",
		"2     eth1       2     FAULT   100/100",
		"fe     FRONTEND  OPEN    -",
		"L4CON Connection refused\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	b.Reset()
	if err := Status(&b, &Report{At: at, Version: "0.1.0"}); err != nil || strings.Count(b.String(), "\n") != 1 {
		t.Errorf("an empty report: %q, %v", b.String(), err)
	}
}

func TestMetricsCarryHAProxysNames(t *testing.T) {
	got := string(AppendMetrics(nil, sample()))
	for _, want := range []string{
		"# TYPE haproxy_process_uptime_seconds gauge\nhaproxy_process_uptime_seconds 75\n",
		"# TYPE haproxy_frontend_sessions_total counter\nhaproxy_frontend_sessions_total{proxy=\"fe\"} 2\n",
		`haproxy_frontend_status{proxy="fe",state="UP"} 1`,
		`haproxy_server_status{proxy="be",server="s4",state="MAINT"} 1`,
		`haproxy_server_status{proxy="be",server="s2",state="UP"} 0`,
		`haproxy_server_check_status{proxy="be",server="s2",state="L4CON"} 1`,
		`haproxy_server_check_duration_seconds{proxy="be",server="s1"} 0.000000`,
		`haproxy_server_http_responses_total{proxy="be",server="s1",code="2xx"} 2`,
		`haproxy_backend_agg_server_status{proxy="be",state="DOWN"} 2`,
		`haproxy_backend_active_servers{proxy="be"} 2`,
		`haproxy_listener_current_sessions{proxy="fe",listener="sock-1"} 0`,
		`herald_vrrp_master{instance="1",interface="eth0",vrid="1"} 1`,
		`herald_vrrp_ttl_errors_total{instance="1",interface="eth0",vrid="1"} 2`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %s", want)
		}
	}
	seen := map[string]bool{}
	for line := range strings.Lines(got) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			if seen[name] {
				t.Errorf("family begun twice: %s", name)
			}
			seen[name] = true
		}
	}
}

// testdata/metrics.txt lists the families of 2.6.12's exporter for a small
// configuration, with their types.
func TestEveryFamilyOfHAProxysExporterThatAppliesIsThere(t *testing.T) {
	raw, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	got := string(AppendMetrics(nil, sample()))
	// HAProxy writes NaN for these where there is no value; nothing is written.
	absent := []string{"haproxy_process_current_zlib_memory", "haproxy_process_max_zlib_memory", "haproxy_server_queue_limit",
		"haproxy_server_current_throttle", "haproxy_server_check_code", "haproxy_server_idle_connections_limit"}
	missing := []string{}
	for line := range strings.Lines(string(raw)) {
		if !slices.Contains(absent, strings.Fields(line)[0]) && !strings.Contains(got, "# TYPE "+line) {
			missing = append(missing, strings.TrimSpace(line))
		}
	}
	if len(missing) > 0 {
		t.Errorf("missing: %s", strings.Join(missing, ", "))
	}
}
