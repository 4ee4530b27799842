package admin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/stats"
)

// fake is an engine with one frontend and two backends that records what it is
// told.
type fake struct {
	calls    []string
	sessions []Session
	err      error
}

func (f *fake) note(format string, args ...any) error {
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fake) Snapshot() stats.Snapshot {
	server := func(name string, id int) stats.Row {
		return stats.Row{Type: stats.ServerRow, Proxy: "be", ProxyID: 5, Name: name, ID: id, Mode: "http", Status: "UP", Active: 1, Weight: 5, UserWeight: 5, FirstWeight: 10,
			LastChange: 7, CheckHealth: 4, SessMax: 1, NeedConns: 1,
			Server: stats.ServerState{OpState: 2, CheckStatus: 6, CheckResult: 3, CheckState: 6, Host: "127.0.0.1", Port: 9000 + id}}
	}
	down := server("s2", 2)
	down.Status = "DOWN"
	return stats.Snapshot{
		At:   time.Date(2026, 11, 22, 15, 44, 37, 954e6, time.UTC),
		Info: stats.Info{Name: "HAProxy", Version: "0.1.0", HardMaxConn: 4000, Threads: 2, CumConns: 9, PoolBytes: 80, PoolUsed: 70},
		Instances: []stats.Instance{{Name: "1", Interface: "eth0", VRID: 1, State: "MASTER", Priority: 102, BasePriority: 100, Master: "10.1.1.20",
			MasterPriority: 102, Since: time.Date(2026, 11, 22, 15, 44, 0, 0, time.UTC), Addresses: []string{"10.1.1.10/32 dev eth0"}}},
		Proxies: []stats.Proxy{
			{Name: "fe", ID: 4, Mode: "http", FrontendCap: true, Rows: []stats.Row{{Type: stats.FrontendRow, Proxy: "fe", ProxyID: 4, Name: "FRONTEND", Mode: "http", Status: "OPEN"}}},
			{Name: "off", ID: 6, Mode: "tcp", FrontendCap: true, Rows: []stats.Row{{Type: stats.FrontendRow, Proxy: "off", ProxyID: 6, Name: "FRONTEND", Mode: "tcp", Status: "PAUSED"}}},
			{Name: "be", ID: 5, Mode: "http", BackendCap: true, Rows: []stats.Row{server("s1", 1), down,
				{Type: stats.BackendRow, Proxy: "be", ProxyID: 5, Name: "BACKEND", Mode: "http", Status: "UP"}}},
		},
	}
}

func (f *fake) SetServerState(b, s string, st ServerState) error {
	return f.note("state %s/%s %d", b, s, st)
}
func (f *fake) SetServerHealth(b, s string, h ServerHealth) error {
	return f.note("health %s/%s %d", b, s, h)
}
func (f *fake) SetServerAgentCheck(b, s string, on bool) error {
	return f.note("agent check %s/%s %v", b, s, on)
}
func (f *fake) SetServerAgent(b, s string, up bool) error { return f.note("agent %s/%s %v", b, s, up) }
func (f *fake) SetServerCheckAddr(b, s, host string, port int) error {
	return f.note("check at %s/%s %s %d", b, s, host, port)
}
func (f *fake) SetServerAgentAddr(b, s, host string, port int) error {
	return f.note("agent at %s/%s %s %d", b, s, host, port)
}
func (f *fake) SetServerAgentSend(b, s, text string) error {
	return f.note("agent send %s/%s %s", b, s, text)
}
func (f *fake) SetServerCheck(b, s string, on bool) error { return f.note("check %s/%s %v", b, s, on) }
func (f *fake) SetServerWeight(b, s string, w int) error  { return f.note("weight %s/%s %d", b, s, w) }
func (f *fake) SetServerName(b, s, name string) (string, error) {
	if s != "s1" || name == "nowhere" || name == "x" {
		return "", NoResolution
	}
	return "old.test", nil
}
func (f *fake) Resolvers() []Resolvers {
	return []Resolvers{{Name: "dns", Nameservers: []Nameserver{{Name: "n1", Counts: [15]uint64{0: 7, 14: 2}}}}}
}
func (f *fake) SetServerAddr(b, s, host string, port int) error {
	return f.note("addr %s/%s %s %d", b, s, host, port)
}
func (f *fake) SetServerMaxConn(b, s string, n int) error   { return f.note("maxconn %s/%s %d", b, s, n) }
func (f *fake) SetFrontendMaxConn(name string, n int) error { return f.note("maxconn %s %d", name, n) }
func (f *fake) SetMaxConn(n int) error                      { return f.note("maxconn %d", n) }
func (f *fake) SetMaxRate(of Rate, n int) error             { return f.note("rate %d %d", of, n) }
func (f *fake) SetFrontend(name string, on bool) error      { return f.note("frontend %s %v", name, on) }
func (f *fake) ShutdownServerSessions(b, s string) error    { return f.note("shutdown %s/%s", b, s) }
func (f *fake) ShutdownSession(id uint64) bool              { return f.note("shutdown %d", id) == nil && id == 31 }
func (f *fake) Sessions() []Session                         { return f.sessions }
func (f *fake) ClearCounters(all bool)                      { f.note("clear %v", all) }

func server(f *fake) *Server {
	return New(f, Options{Env: []string{"A=1", "B=x\ny"}, Sockets: []Socket{{"unix@/run/a", Admin}, {"unix@/run/u", User}}})
}

// The answers are those of 2.6.12 to the same lines.
func TestAnswersAreHAProxys(t *testing.T) {
	const usage = "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | check-port | fqdn | health | ssl | state | weight\n\n"
	for line, want := range map[string]string{
		"show version":                                "0.1.0\n\n",
		"show   version  x":                           "0.1.0\n\n",
		"show version;show cli level":                 "0.1.0\n\nadmin\n\n",
		"operator;show cli level;user;show cli level": "\noperator\n\n\nuser\n\n",
		"user;set weight be/s1 10":                    "\nPermission denied\n\n",
		"operator;clear counters;clear counters all":  "\n\nPermission denied\n\n",
		"quit;show version":                           "",
		"prompt;show version":                         "\n> 0.1.0\n\n> ",
		"show cli sockets":                            "# socket lvl processes\nunix@/run/a admin all\nunix@/run/u user all\n\n",
		"show backend":                                "# name\nbe\n\n",
		"show errors":                                 "Total events captured on [22/Nov/2026:15:44:37.954] : 0\n\n",
		"show env":                                    "A=1\nB=x y\n\n",
		"show env A":                                  "A=1\n\n",
		"show env Z":                                  "Variable not found\n\n",
		"show servers state nope":                     "Can't find backend.\n\n",
		"show servers state fe":                       "Can't find backend.\n\n",
		"show sess":                                   "\n",
		"show sess 0x1":                               "Session not found.\n\n",
		"show sess zz":                                "Session not found.\n\n",
		"show stat nope 2 -1":                         "No such proxy.\n\n",
		"get weight be/s1":                            "5 (initial 10)\n\n",
		"get weight #5/#1":                            "5 (initial 10)\n\n",
		"get weight be/zz":                            "No such server.\n\n",
		"get weight bb/zz":                            "No such backend.\n\n",
		"get weight fe/s1":                            "No such backend.\n\n",
		"get weight be":                               "Require 'backend/server'.\n\n",
		"get weight":                                  "Require 'backend/server'.\n\n",
		"set weight be/s1":                            "Require <weight> or <weight%>.\n\n",
		"set weight be/s1 abc":                        "Empty weight string empty or preceded by garbage\n\n",
		"set weight be/s1 10%x":                       "Trailing garbage in weight string\n\n",
		"set weight be/s1 -5%":                        "Relative weight must be positive.\n\n",
		"set weight be/s1 300":                        "Absolute weight can only be between 0 and 256 inclusive.\n\n",
		"set weight be/s1 -1":                         "Absolute weight can only be between 0 and 256 inclusive.\n\n",
		"set weight be/s1 99999999999999999999":       "Absolute weight can only be between 0 and 256 inclusive.\n\n",
		"set weight be/s1 -99999999999999999999%":     "Relative weight must be positive.\n\n",
		"set server":                                  "Require 'backend/server'.\n\n",
		"set server be state maint":                   "Require 'backend/server'.\n\n",
		"set server be/s1":                            usage,
		"set server be/s1 bogus":                      usage,
		"set server be/nope state maint":              "No such server.\n\n",
		"set server nope/s1 state maint":              "No such backend.\n\n",
		"set server be/s1 state":                      "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n\n",
		"set server be/s1 state bogus":                "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n\n",
		"set server be/s1 health":                     "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n\n",
		"set server be/s1 addr":                       "set server <b>/<s> addr requires an address and optionally a port.\n\n",
		"set server be/s1 addr 127.0.0.1":             "no need to change the addr by 'stats socket command'\n\n",
		"set server be/s1 addr foo.invalid.":          "Invalid addr 'foo.invalid.' by 'stats socket command'\n\n",
		"set server be/s1 addr 127.0.0.1 port abc":    "no need to change the addr, problem converting port 'abc' to an int by 'stats socket command'\n\n",
		"set server be/s1 addr 127.0.0.1 port 9001":   "no need to change the addr, no need to change the port by 'stats socket command'\n\n",
		"set server be/s1 addr 127.0.0.5 port 9001":   "IP changed from '127.0.0.1' to '127.0.0.5', no need to change the port by 'stats socket command'\n\n",
		"set server be/s1 addr ::1 port 9002":         "IP changed from '127.0.0.1' to '::1', port changed from '9001' to '9002' by 'stats socket command'\n\n",
		"set server be/s1 agent up":                   "agent checks are not enabled on this server.\n\n",
		"set server be/s1 fqdn x":                     "set server <b>/<s> fqdn failed because no resolution is configured.\n\n",
		"enable server":                               "Require 'backend/server'.\n\n",
		"disable server be/zz":                        "No such server.\n\n",
		"enable frontend":                             "A frontend name is expected.\n\n",
		"enable frontend be":                          "No such frontend.\n\n",
		"enable frontend fe":                          "All sockets are already enabled.\n\n",
		"disable frontend off":                        "All sockets are already disabled.\n\n",
		"set maxconn frontend":                        "A frontend name is expected.\n\n",
		"set maxconn frontend fe":                     "Integer value expected.\n\n",
		"set maxconn frontend zz 100":                 "No such frontend.\n\n",
		"set maxconn server be/s1":                    "Require <maxconn>.\n\n",
		"set maxconn server be/s1 abc":                "maxconn string empty or preceded by garbage\n\n",
		"set maxconn global":                          "Expects an integer value.\n\n",
		"set maxconn global 300000":                   "Value out of range.\n\n",
		"set rate-limit":                              rateSettings + "\n\n",
		"set rate-limit sessions":                     rateSettings + "\n\n",
		"set rate-limit sessions web 3":               rateSettings + "\n\n",
		"set rate-limit sessions global":              "Expects an integer value.\n\n",
		"set rate-limit http-compression global 3":    "Nothing is compressed, so there is no rate to limit.\n\n",
		"shutdown session":                            "Session pointer expected (use 'show sess').\n\n",
		"shutdown session 0xdead":                     "No such session (use 'show sess').\n\n",
		"shutdown session zz":                         "No such session (use 'show sess').\n\n",
		"set timeout":                                 "'set timeout' only supports 'cli'.\n\n",
		"set timeout cli":                             "Expects an integer value.\n\n",
		"set timeout cli 0":                           "Invalid timeout value.\n\n",
		"set timeout cli 5":                           "\n",
		"set severity-output":                         "one of 'none', 'number', 'string' is a required argument\n\n",
		"set severity-output number;show version;get weight be/zz;set server be/s1 addr 127.0.0.1": "\n[6]: 0.1.0\n\n[3]: No such server.\n\n[4]: no need to change the addr by 'stats socket command'\n\n",
		"set severity-output string;get weight be/zz":                                              "\n[err]: No such server.\n\n",
		"expert-mode":    "expert-mode is OFF\n\n",
		"expert-mode on": "\n",
		"show table":     "'show table' is not supported yet.\n\n",
		"add map a b c":  "'add map' is not supported yet.\n\n",
		"show pools":     "Dumping pools usage.\nTotal: 0 pools, 80 bytes allocated, 70 used.\n\n",
		"show vrrp":      "# name interface vrid state priority base_priority master master_priority seconds addresses\n1 eth0 1 MASTER 102 100 10.1.1.20 102 37 10.1.1.10/32_dev_eth0\n\n",
	} {
		if got := server(&fake{}).Do(line, Admin); got != want {
			t.Errorf("%q:\nwant %q\ngot  %q", line, want, got)
		}
	}
}

func TestCommandsReachTheEngine(t *testing.T) {
	for line, want := range map[string]string{
		"set server be/s1 state maint":           "state be/s1 2",
		"set server be/s1 state drain":           "state be/s1 1",
		"set server #5/#2 state ready":           "state be/s2 0",
		"enable server be/s1":                    "state be/s1 0",
		"disable server be/s1":                   "state be/s1 2",
		"set server be/s1 health up":             "health be/s1 0",
		"set server be/s1 health stopping":       "health be/s1 1",
		"set server be/s1 health down":           "health be/s1 2",
		"enable health be/s1":                    "check be/s1 true",
		"disable health be/s1":                   "check be/s1 false",
		"set server be/s1 weight 20":             "weight be/s1 20",
		"set server be/s1 weight 50%":            "weight be/s1 5",
		"set weight be/s1 300%":                  "weight be/s1 30",
		"set weight be/s1 1000000%":              "weight be/s1 256",
		"set weight be/s1 99999999999999999999%": "weight be/s1 256",
		"set weight be/s1 0":                     "weight be/s1 0",
		"set server be/s1 addr 10.0.0.9":         "addr be/s1 10.0.0.9 0",
		"set server be/s1 addr ::1 port 81":      "addr be/s1 ::1 81",
		"set maxconn server be/s1 30":            "maxconn be/s1 30",
		"set maxconn frontend fe 100":            "maxconn fe 100",
		"set maxconn global 3000":                "maxconn 3000",
		"set maxconn global 0":                   "maxconn 0",
		"set rate-limit connections global 3":    "rate 0 3",
		"set rate-limit sessions global 4":       "rate 1 4",
		"set rate-limit ssl-sessions global 0":   "rate 2 0",
		"disable frontend fe":                    "frontend fe false",
		"enable frontend off":                    "frontend off true",
		"shutdown sessions server be/s1":         "shutdown be/s1",
		"shutdown session 0x1f":                  "shutdown 31",
		"clear counters":                         "clear false",
		"clear counters all":                     "clear true",
	} {
		f := &fake{}
		server(f).Do(line, Admin)
		if !slices.Equal(f.calls, []string{want}) {
			t.Errorf("%s: want %s, got %q", line, want, f.calls)
		}
		f = &fake{}
		if got := server(f).Do(line, User); got != "Permission denied\n\n" || len(f.calls) != 0 {
			t.Errorf("%s as a user: got %q, calls %q", line, got, f.calls)
		}
	}
}

func TestAnErrorOfTheEngineIsOneLine(t *testing.T) {
	f := &fake{err: errors.New("Refused,\n\nreally.")}
	if got := server(f).Do("disable server be/s1", Admin); got != "Refused,  really.\n\n" {
		t.Errorf("got %q", got)
	}
}

func TestServersStateIsHAProxysTable(t *testing.T) {
	got := server(&fake{}).Do("show servers state be", User)
	want := "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n" +
		"5 be 1 s1 127.0.0.1 2 0 5 10 7 6 3 4 6 0 0 0 - 9001 - 0 0 - - 0\n" +
		"5 be 2 s2 127.0.0.1 2 0 5 10 7 6 3 4 6 0 0 0 - 9002 - 0 0 - - 0\n\n"
	if got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
	if got := server(&fake{}).Do("show servers conn", User); !strings.Contains(got, "\nbe/s1 5/1 127.0.0.1 9001 - 5000 0 1 1 0 0 -1 0 0\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestShowStatChoosesRowsAndForms(t *testing.T) {
	first := func(line string) (rows []string) {
		text := server(&fake{}).Do(line, User)
		if !strings.HasSuffix(text, "\n\n") {
			t.Errorf("%s: the answer does not end with an empty line: %q", line, text)
		}
		for l := range strings.Lines(text) {
			if f := strings.Split(l, ","); len(f) > 2 && !strings.HasPrefix(l, "#") {
				rows = append(rows, f[0]+"/"+f[1])
			}
		}
		return rows
	}
	all := []string{"fe/FRONTEND", "off/FRONTEND", "be/s1", "be/s2", "be/BACKEND"}
	for line, want := range map[string][]string{
		"show stat":            all,
		"show stat bogus":      all,
		"show stat 5":          all,
		"show stat -1 -1 -1":   all,
		"show stat up":         {"fe/FRONTEND", "off/FRONTEND", "be/s1", "be/BACKEND"},
		"show stat 5 -1 -1":    {"be/s1", "be/s2", "be/BACKEND"},
		"show stat be 4 2":     {"be/s2"},
		"show stat -1 4 -1 up": {"be/s1"},
		"show stat -1 6 -1":    {"be/s1", "be/s2", "be/BACKEND"},
		"show stat #4 1 -1":    {"fe/FRONTEND"},
		"show stat 99 -1 -1":   nil,
	} {
		if got := first(line); !slices.Equal(got, want) {
			t.Errorf("%s: want %q, got %q", line, want, got)
		}
	}
	for line, want := range map[string]string{
		"show stat 5 4 1 typed":      "S.5.1.0.pxname.1:KNS:str:be\n",
		"show stat 5 4 1 typed desc": `S.5.1.0.pxname.1:KNS:str:be:"`,
		"show stat 5 4 1 json":       `[[{"objType":"Server","proxyId":5,"id":1,"field":{"pos":0,"name":"pxname"},"processNum":1,"tags":{"origin":"Key","nature":"Name","scope":"Service"},"value":{"type":"str","value":"be"}}`,
		"show info":                  "Name: HAProxy\nVersion: 0.1.0\n",
		"show info typed":            "0.Name.1:POS:str:HAProxy\n",
		"show info desc":             `Name: HAProxy:"`,
		"show info json":             `[{"field":{"pos":0,"name":"Name"},"processNum":1,`,
		"show schema json":           `{"$schema":`,
		"show activity":              "thread_id: 1 (1..2)\n",
	} {
		if got := server(&fake{}).Do(line, Admin); !strings.HasPrefix(got, want) {
			t.Errorf("%s: want it to begin with %s, got %.200s", line, want, got)
		}
	}
}

func TestSessionsAreListedInHAProxysForm(t *testing.T) {
	f := &fake{sessions: []Session{
		{ID: 31, Proto: "tcpv4", Source: "10.0.0.9:40522", Frontend: "fe", Backend: "be", Server: "s1", Age: 75 * time.Second, Calls: 3, Expires: 4500 * time.Millisecond},
		{ID: 32, Proto: "tcpv6", Source: "[::1]:1", Frontend: "fe", Age: 26 * time.Hour},
	}}
	want := "0x1f: proto=tcpv4 src=10.0.0.9:40522 fe=fe be=be srv=s1 ts=00 epoch=0 age=1m15s calls=3 rate=0 cpu=0 lat=0 exp=4s\n"
	second := "0x20: proto=tcpv6 src=[::1]:1 fe=fe be=<NONE> srv=<none> ts=00 epoch=0 age=1d2h calls=0 rate=0 cpu=0 lat=0 exp=\n"
	if got := server(f).Do("show sess", Admin); got != want+second+"\n" {
		t.Errorf("got %s", got)
	}
	if got := server(f).Do("show sess 0x1f", Admin); got != want+"\n" {
		t.Errorf("got %s", got)
	}
	if got := short(3*time.Hour + 5*time.Minute); got != "3h5m" {
		t.Errorf("want 3h5m, got %s", got)
	}
}

func TestAnUnknownCommandNamesThoseThatMayBeMeant(t *testing.T) {
	const better = "Unknown command, but maybe one of the following ones is a better match:\n"
	const always = "  help [<command>]                        : list matching or all commands\n" +
		"  prompt                                  : toggle interactive mode with prompt\n" +
		"  quit                                    : disconnect\n\n"
	for line, inside := range map[string]string{
		"show":         "  show version                            : show version of the current process\n",
		"show bogus":   "  show version ",
		"set maxconn":  "  set maxconn global <value>              : change the per-process maxconn setting\n",
		"shwo info":    "  show info ",
		"SHOW version": "  show version ",
		"enable":       "  enable frontend <frontend>              : re-enable specific frontend\n",
		"xyzzy plugh":  "",
	} {
		got := server(&fake{}).Do(line, Admin)
		if !strings.HasPrefix(got, better) || !strings.HasSuffix(got, always) || !strings.Contains(got, inside) {
			t.Errorf("%s: got %s", line, got)
		}
	}
	if got := server(&fake{}).Do("set maxconn", Admin); strings.Contains(got, "set server") {
		t.Errorf("want only what goes on from set maxconn, got %s", got)
	}
	got := server(&fake{}).Do("", Admin)
	if !strings.HasPrefix(got, "Unknown command. Please enter one of the following commands only:\n") || !strings.Contains(got, "  show stat ") {
		t.Errorf("an empty line: got %s", got)
	}
	if got := server(&fake{}).Do("help", User); !strings.HasPrefix(got, "The following commands are valid at this level:\n  help") {
		t.Errorf("help: got %s", got)
	}
	if got := server(&fake{}).Do("help show env", User); !strings.Contains(got, "show env [var]") || strings.Contains(got, "set server") {
		t.Errorf("help show env: got %s", got)
	}
}

func TestEveryCommandIsDocumentedAndItsExampleRuns(t *testing.T) {
	for _, row := range Commands.Rows() {
		if row.Doc == "" || row.Syntax == "" || !strings.HasPrefix(row.Example, row.Name) {
			t.Errorf("%s: doc %q, syntax %q, example %q", row.Name, row.Doc, row.Syntax, row.Example)
		}
		if n := len(strings.Fields(row.Name)); n > longest {
			t.Errorf("%s: %d words, lookup looks at %d", row.Name, n, longest)
		}
		if got := server(&fake{}).Do(row.Example, Admin); strings.Contains(got, "Unknown command") || strings.Contains(got, "Permission") {
			t.Errorf("%s: got %s", row.Example, got)
		}
		if unbuiltName(strings.Fields(row.Name)) != "" {
			t.Errorf("%s is both built and not", row.Name)
		}
	}
}

func TestLinesAreSplitAtBlanksAndSemicolons(t *testing.T) {
	for line, want := range map[string][][]string{
		"":               nil,
		" ; ;\t":         nil,
		"a b\tc":         {{"a", "b", "c"}},
		"a;b":            {{"a"}, {"b"}},
		"a ; b c;":       {{"a"}, {"b", "c"}},
		`a\;b c\ d e\\f`: {{"a;b", "c d", `e\f`}},
		`a\`:             {{`a\`}},
		"a\r":            {{"a"}},
	} {
		if got := split(line); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: want %q, got %q", line, want, got)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, row := range Commands.Rows() {
		f.Add(row.Example)
	}
	for _, line := range []string{"", ";;", `\`, "set server be/s1 weight %", "show stat #5 -1 -1", "get weight /", "set server be/s1 addr :: port 70000", "prompt;quit;x", "<<"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		line, _, _ = strings.Cut(line, "\n") // a session never hands over more
		if strings.Contains(line, "prompt") {
			return
		}
		if got := server(&fake{}).Do(line, Admin); got != "" && !strings.HasSuffix(got, "\n") {
			t.Errorf("%q: the answer %q does not end with an empty line", line, got)
		}
		f := &fake{}
		server(f).Do(line, User)
		if len(f.calls) > 0 {
			t.Errorf("%q: a user's line reached the engine: %q", line, f.calls)
		}
	})
}
