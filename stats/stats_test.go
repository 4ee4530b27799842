package stats

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func lines(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	for s := bufio.NewScanner(f); s.Scan(); {
		out = append(out, s.Text())
	}
	return out
}

func TestTheColumnsMakeHAProxysHeaderExactly(t *testing.T) {
	var b strings.Builder
	b.WriteString("# ")
	for i, c := range Columns {
		if i == FirstModule {
			b.WriteString("-,")
		}
		b.WriteString(c.Name + ",")
	}
	if want := lines(t, "testdata/header.csv")[0]; b.String() != want {
		t.Errorf("want\n%s\ngot\n%s", want, b.String())
	}
}

// testdata/typed.txt and info.txt are taken from `show stat typed` and `show
// info typed` of 2.6.12: position, name, row types seen, tags, kind.
func TestColumnsStandWhereHAProxysTypedOutputHasThem(t *testing.T) {
	letters := map[rune]RowType{'F': FrontendRow, 'B': BackendRow, 'S': ServerRow, 'L': ListenerRow}
	for _, line := range lines(t, "testdata/typed.txt") {
		var pos int
		var name, rows, tags, kind string
		if _, err := fmt.Sscan(line, &pos, &name, &rows, &tags, &kind); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		c := Columns[pos]
		if c.Name != name || string(c.Tags) != tags || string(c.Kind) != kind {
			t.Errorf("position %d: want %s %s %s, got %s %s %s", pos, name, tags, kind, c.Name, c.Tags, c.Kind)
		}
		for _, r := range rows {
			if !c.Rows.Has(letters[r]) {
				t.Errorf("%s: missing in rows of type %c", name, r)
			}
		}
	}
}

func TestInfoColumnsStandWhereHAProxysTypedOutputHasThem(t *testing.T) {
	for _, line := range lines(t, "testdata/info.txt") {
		var pos int
		var tags, kind, name string
		if _, err := fmt.Sscan(line, &pos, &tags, &kind, &name); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		name = strings.SplitN(line, " ", 4)[3]
		c := InfoColumns[pos]
		if c.Name != name || string(c.Tags) != tags || string(c.Kind) != kind {
			t.Errorf("position %d: want %s %s %s, got %s %s %s", pos, name, tags, kind, c.Name, c.Tags, c.Kind)
		}
	}
}

func TestEveryColumnIsDocumentedAndItsTagsHaveWords(t *testing.T) {
	seen := map[string]bool{}
	check := func(name, help string, tags Tags) {
		if help == "" || strings.HasSuffix(help, ".") || seen[name] {
			t.Errorf("%s: help %q, or named twice", name, help)
		}
		seen[name] = true
		if o, n, s := tags.Words(); o == "" || n == "" || s == "" {
			t.Errorf("%s: tags %q have no words", name, tags)
		}
	}
	for _, c := range Columns {
		check(c.Name, c.Help, c.Tags)
	}
	for _, c := range InfoColumns {
		check("info "+c.Name, c.Help, c.Tags)
	}
}

// A field that no column and no other output shows would be counted for
// nothing; a column that reads the wrong field shows here too.
func TestEveryNumberOfARowIsPublished(t *testing.T) {
	exempt := map[string]bool{"FirstWeight": true, "Type": true} // get weight; the getter of "type" sees it
	typ := reflect.TypeFor[Row]()
	for i := range typ.NumField() {
		field := typ.Field(i)
		if exempt[field.Name] {
			continue
		}
		if k := field.Type.Kind(); k != reflect.Uint64 && k != reflect.Int && k != reflect.Int64 {
			continue
		}
		found := false
		for _, rt := range []RowType{FrontendRow, BackendRow, ServerRow, ListenerRow} {
			row := Row{Type: rt, Mode: "http", Checked: true, Observed: true, AgentChecked: true, AgentCoded: true}
			v := reflect.ValueOf(&row).Elem().Field(i)
			if v.CanUint() {
				v.SetUint(7654321)
			} else {
				v.SetInt(7654321)
			}
			for j := range Columns {
				found = found || Columns[j].Of(&row).Number == 7654321
			}
		}
		if !found {
			t.Errorf("Row.%s is in no column", field.Name)
		}
	}
}

func TestValuesAreLeftOutWhereHAProxyLeavesThemOut(t *testing.T) {
	server := Row{Type: ServerRow, Mode: "http", Checked: true, CheckDuration: 0, CheckStatus: "L4OK"}
	of := func(name string, r Row) Value {
		for i := range Columns {
			if Columns[i].Name == name {
				return Columns[i].Of(&r)
			}
		}
		t.Fatalf("no column %s", name)
		return Value{}
	}
	with := func(change func(*Row)) Row {
		r := server
		change(&r)
		return r
	}
	for _, row := range []struct {
		column string
		row    Row
		want   bool
	}{
		{"slim", server, false},
		{"slim", Row{Type: FrontendRow}, true},
		{"check_status", server, true},
		{"check_status", with(func(r *Row) { r.CheckPaused = true }), false},
		{"check_status", with(func(r *Row) { r.Checked = false }), false},
		{"check_duration", server, true},
		{"check_duration", with(func(r *Row) { r.CheckDuration = -1 }), false},
		{"check_code", server, false},
		{"check_code", with(func(r *Row) { r.CheckCode = 200 }), true},
		{"chkdown", with(func(r *Row) { r.Checked = false }), false},
		{"chkdown", with(func(r *Row) { r.CheckPaused = true }), true},
		{"chkdown", Row{Type: BackendRow}, true},
		{"downtime", Row{Type: BackendRow}, true},
		{"downtime", Row{Type: BackendRow, NoServers: true}, false},
		{"hrsp_2xx", with(func(r *Row) { r.Mode = "tcp" }), false},
		{"req_tot", with(func(r *Row) { r.Mode = "tcp" }), false},
		{"req_tot", Row{Type: FrontendRow, Mode: "tcp"}, true},
		{"intercepted", Row{Type: FrontendRow, Mode: "tcp"}, false},
		{"qlimit", server, false},
		{"throttle", with(func(r *Row) { r.Throttle = 50 }), true},
		{"ereq", server, false},
		{"lastsess", Row{Type: ListenerRow}, false},
	} {
		if got := of(row.column, row.row).Present(); got != row.want {
			t.Errorf("%s of %+v: want present %v, got %v", row.column, row.row, row.want, got)
		}
	}
	running := with(func(r *Row) { r.CheckRunning = true })
	if got := of("check_status", running).Text; got != "* L4OK" {
		t.Errorf("a check under way: want * L4OK, got %q", got)
	}
}

func TestASnapshotSurvivesTheJourneyBetweenProcesses(t *testing.T) {
	want := Snapshot{
		At:        time.Date(2026, 11, 22, 15, 0, 0, 5, time.UTC),
		Info:      Info{Name: "HAProxy", Pid: 7, MaxConn: 4000, Stopping: true},
		Instances: []Instance{{Name: "1", Interface: "eth0", VRID: 1, State: "MASTER", Since: time.Unix(1, 0).UTC(), History: []Transition{{From: "BACKUP", To: "MASTER"}}, Counters: VRRPCounters{AdvertiseSent: 9}}},
		Proxies: []Proxy{{Name: "web", ID: 2, Mode: "http", Rows: []Row{{Type: ServerRow, Name: "s1", QueueTime: 3, TotalTimeMax: 9,
			Resp: [6]uint64{0, 5}, CheckDuration: -1, Server: ServerState{OpState: 2, Host: "10.0.0.1"}}}}},
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Snapshot
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("want %+v\ngot  %+v", want, got)
	}
}

func TestUptimeIsWrittenInHAProxysForm(t *testing.T) {
	for s, want := range map[int64]string{0: "0d 0h00m00s", 44: "0d 0h00m44s", 90061: "1d 1h01m01s", 86399: "0d 23h59m59s"} {
		if got := Uptime(s); got != want {
			t.Errorf("%d s: want %s, got %s", s, want, got)
		}
	}
}

func TestEveryNumberOfTheProcessIsPublished(t *testing.T) {
	typ := reflect.TypeFor[Info]()
	for i := range typ.NumField() {
		info := Info{}
		v := reflect.ValueOf(&info).Elem().Field(i)
		switch {
		case v.CanUint():
			v.SetUint(7 << 20)
		case v.CanInt():
			v.SetInt(7 << 20)
		case v.Kind() == reflect.Bool:
			v.SetBool(true)
		default:
			v.SetString("x")
		}
		found := false
		for j := range InfoColumns {
			c := &InfoColumns[j]
			base := c.Of(&Info{})
			found = found || c.Of(&info) != base
		}
		if !found {
			t.Errorf("Info.%s is in no column", typ.Field(i).Name)
		}
	}
}

func TestEveryColumnReadsItsOwnValueOfEveryRow(t *testing.T) {
	for i := range Columns {
		c := &Columns[i]
		for _, rt := range []RowType{FrontendRow, BackendRow, ServerRow, ListenerRow} {
			row := Row{Type: rt, Mode: "http", Checked: true, Observed: true, AgentChecked: true, AgentCoded: true, AgentStatus: "m", AgentDesc: "n", LastAgent: "o", CheckCode: 1, QueueLimit: 1, Throttle: 1, SessLimit: 1, Name: "n", Proxy: "p", Algo: "a", Addr: "d",
				Cookie: "c", Status: "s", CheckStatus: "k", CheckDesc: "e", LastCheck: "l", Tracked: "t"}
			v := c.Of(&row)
			if v.Present() && (v.Kind != c.Kind || (v.Kind == Text) != (v.Text != "")) {
				t.Errorf("%s of row type %d: %+v", c.Name, rt, v)
			}
			if v.Present() != (c.Rows.Has(rt) && c.Name != "src_ilim") {
				t.Errorf("%s of row type %d: present is %v", c.Name, rt, v.Present())
			}
		}
	}
}
