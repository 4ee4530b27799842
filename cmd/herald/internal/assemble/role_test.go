package assemble

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/mail"
	"herald/cmd/herald/internal/personality"
	"herald/config"
	"herald/proxy"
	proxysettings "herald/proxy/settings"
	"herald/stats"
	"herald/vrrp/settings"
)

// apprentice is a role whose parent is the test.
func apprentice(t *testing.T) (*ipc.Role, *ipc.Peer) {
	_, role, parent := told(t, &settings.Config{})
	return role, parent
}

// report receives the next report of a kind, passing over others.
func await[T ipc.Report](t *testing.T, p *ipc.Peer) T {
	t.Helper()
	for {
		r, err := p.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := r.(T); ok {
			return v
		}
	}
}

const script = "vrrp_script s {\n script /bin/true\n}\n"

// The codes are those of keepalived 2.2.7's -t.
func TestKeepalivedsTestEndsWithItsCodes(t *testing.T) {
	instance := "vrrp_instance a {\n virtual_router_id 7\n interface lo9\n virtual_ipaddress {\n 192.0.2.1/32\n }\n%s}\n"
	for _, tt := range []struct {
		name, text string
		code       int
		says       string
	}{
		{"nothing to say", "global_defs {\n router_id r\n}\n" + fmt.Sprintf(instance, ""), 0, ""},
		{"an unknown word", fmt.Sprintf(instance, " nonsense 1\n"), 5, "nonsense"},
		{"scripts of anybody", "global_defs {\n script_user root\n}\n" + script + fmt.Sprintf(instance, ""), 6, "enable_script_security is not set"},
		{"a notify script", fmt.Sprintf(instance, " notify_master /bin/true\n"), 6, "enable_script_security is not set"},
		{"security", "global_defs {\n script_user root\n enable_script_security\n}\n" + script + fmt.Sprintf(instance, ""), 0, ""},
	} {
		var out bytes.Buffer
		code := Test(Options{Keepalived: write(t, "k.conf", tt.text)}, &out)
		if code != tt.code || !strings.Contains(out.String(), tt.says) || tt.code == 0 && strings.Contains(out.String(), "error") {
			t.Errorf("%s: got %d, %s, want %d and %q", tt.name, code, &out, tt.code, tt.says)
		}
	}
	var out bytes.Buffer
	if code := Test(Options{Keepalived: "/no/such/file"}, &out); code != 0 || out.String() != "Config files missing '/no/such/file'.\n" {
		t.Errorf("no file: got %d, %q", code, &out)
	}
	place := write(t, "k.conf", "net_namespace blue\ninstance one\nuse_pid_dir\n")
	if got, want := Place(Options{Keepalived: place}), (personality.Place{NetNamespace: "blue", Instance: "one", UsePidDir: true}); got != want {
		t.Errorf("the place is %+v, want %+v", got, want)
	}
}

func TestWhatIsLeftToASuccessorIsReadAgain(t *testing.T) {
	left := legacy{VRRP: json.RawMessage(`{"a":1}`), Mail: []mail.Message{{Subject: "s"}}}
	if got := unpack(left.pack()); !reflect.DeepEqual(got, left) {
		t.Errorf("got %+v, want %+v", got, left)
	}
	if got := (legacy{VRRP: json.RawMessage("no JSON")}).pack(); got != nil {
		t.Errorf("what is no JSON: got %q, want nothing", got)
	}
	for _, raw := range []string{"", "{", `{"mail":7}`} {
		if got := unpack([]byte(raw)); !reflect.DeepEqual(got, legacy{}) {
			t.Errorf("%q: got %+v, want nothing", raw, got)
		}
	}
	b := settings.Belongings{NetNamespace: "blue", Muted: true}
	role, parent := apprentice(t)
	belongings(role, b)
	raw := json.RawMessage(await[ipc.Belongings](t, parent))
	if got, ok := inherited(raw, "blue"); !ok || !reflect.DeepEqual(got, b) {
		t.Errorf("got %+v, %v, want %+v", got, ok, b)
	}
	for name, tt := range map[string]struct{ raw, place string }{"elsewhere": {string(raw), ""}, "nothing": {"", ""}, "nonsense": {`{"muted":7}`, ""}} {
		if got, ok := inherited(json.RawMessage(tt.raw), tt.place); ok {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestLinesOfARole(t *testing.T) {
	role, parent := apprentice(t)
	log := roleLog(role)
	log.Debug("nobody sees this")
	log.Info("began", "a", 1)
	log.With("device", "eth0").WithGroup("g").Warn("lost", "why", "two words")
	log.Log(t.Context(), slog.LevelError, "broken")
	for _, want := range []string{"began a=1", "warn: lost device=eth0 why=two words", "error: broken"} {
		if got := string(await[ipc.LogLine](t, parent)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	var diags config.Diagnostics
	diags.Errorf(config.Pos{File: "b", Line: 2}, "w", "second")
	diags.Warnf(config.Pos{File: "b", Line: 1}, "w", "first")
	report(role, &diags)
	got := await[ipc.Findings](t, parent)
	if len(got) != 2 || got[0].Severity != "warning" || !strings.Contains(got[0].Text, "first") || got[1].Severity != "error" || !strings.Contains(got[1].Text, "second") {
		t.Errorf("got %+v, want both in the order of the file", got)
	}
	if got := sentence("", "a", "", "b"); got != "a; b" {
		t.Errorf("got %q", got)
	}
}

func TestScriptsRunInTheParent(t *testing.T) {
	role, parent := apprentice(t)
	cfg := &settings.Config{ScriptUser: "nobody", ScriptGroup: "nogroup", Scripts: []settings.Script{
		{Name: "own", Argv: []string{"/bin/own"}, User: "u", Group: "g", Timeout: time.Second}, {Name: "haproxy", InProcess: true}, {Name: "other", Argv: []string{"/bin/other"}}}}
	r := &scriptRunner{ctx: t.Context(), role: role, startup: -1}
	notices := []ipc.Script{{Name: "notify", Lane: "VI_1"}, {Name: startupScript}}
	declared := make(chan error, 1)
	go func() { declared <- r.declare(t.Context(), cfg, notices, "blue") }()
	q := await[*ipc.ScriptsRequest](t, parent)
	want := []ipc.Script{{Name: "own", Argv: []string{"/bin/own"}, User: "u", Group: "g", Timeout: time.Second, NetNamespace: "blue"}, {Name: "other", Argv: []string{"/bin/other"}, User: "nobody", Group: "nogroup", NetNamespace: "blue"},
		{Name: "notify", Lane: "VI_1", NetNamespace: "blue"}, {Name: startupScript, NetNamespace: "blue"}}
	if !reflect.DeepEqual(q.Scripts, want) {
		t.Errorf("declared %+v, want %+v", q.Scripts, want)
	}
	parent.Refuse(q, []string{"", "not there", "not absolute", ""})
	if err := <-declared; err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"vrrp_script other is not run and counts as failing: not there", "VI_1: notify is not run: not absolute"} {
		if got := string(await[ipc.LogLine](t, parent)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	type outcome struct {
		script int
		ok     bool
	}
	told := make(chan outcome, 4)
	r.done = func(script int, ok bool) { told <- outcome{script, ok} }
	for _, tt := range []struct {
		script, index int
		result        ipc.ScriptResult
		want          bool
	}{{0, 0, ipc.ScriptResult{}, true}, {2, 1, ipc.ScriptResult{Exit: 1}, false}} {
		r.Start(tt.script)
		q := await[*ipc.RunRequest](t, parent)
		parent.Result(q, tt.result)
		if got := <-told; q.Index != tt.index || got != (outcome{tt.script, tt.want}) {
			t.Errorf("script %d: the parent runs %d, told %+v", tt.script, q.Index, got)
		}
	}
	r.run(1) // of this process: nobody is asked
	r.startUp(t.Context(), ipc.Go{})
	began := make(chan struct{})
	go func() { defer close(began); r.startUp(t.Context(), ipc.Go{First: true}) }()
	run := await[*ipc.RunRequest](t, parent)
	parent.Result(run, ipc.ScriptResult{Exit: 3})
	<-began
	if got := string(await[ipc.LogLine](t, parent)); run.Index != 3 || !strings.HasPrefix(got, startupScript+" failed: exit status 3") {
		t.Errorf("the script of the start is %d, %q", run.Index, got)
	}
	shutDown(role)
	if got := await[ipc.Notice](t, parent); got.Name != shutdownScript || got.Lane != daemonLane {
		t.Errorf("at the end: %+v", got)
	}
	none := &scriptRunner{ctx: t.Context(), role: role, startup: -1}
	if err := none.declare(t.Context(), &settings.Config{}, nil, ""); err != nil {
		t.Errorf("no scripts: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := none.declare(over, cfg, nil, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

func TestFilesAndProcessesAreTheParents(t *testing.T) {
	role, parent := apprentice(t)
	cfg := &settings.Config{Files: []settings.File{{Name: "f", Path: "/f", Init: true, Value: 3}},
		Processes: []settings.TrackedProcess{{Name: "haproxy", InProcess: true}, {Name: "p", Path: "p", FullCommand: true}, {Name: "gone", Path: "g"}}}
	for name, none := range map[string]func() (int, error){
		"files": func() (int, error) { m, err := watchedFiles(t.Context(), role, &settings.Config{}); return len(m), err },
		"processes": func() (int, error) {
			m, err := countedProcesses(t.Context(), role, &settings.Config{})
			return len(m), err
		},
	} {
		if n, err := none(); n != 0 || err != nil {
			t.Errorf("no %s: got %d, %v", name, n, err)
		}
	}
	files := make(chan ipc.Files, 1)
	go func() { m, _ := watchedFiles(t.Context(), role, cfg); files <- m }()
	w := await[*ipc.WatchRequest](t, parent)
	if want := []ipc.File{{Name: "f", Path: "/f", Init: true, Value: 3}}; !reflect.DeepEqual(w.Files, want) {
		t.Errorf("got %+v, want %+v", w.Files, want)
	}
	parent.Watched(w, ipc.Files{"f": 3})
	if got := <-files; got["f"] != 3 {
		t.Errorf("got %v", got)
	}
	for _, answer := range []ipc.Counts{{"p": 2}, nil} { // one the parent could not count is told as none
		counts := make(chan ipc.Counts, 1)
		go func() { m, _ := countedProcesses(t.Context(), role, cfg); counts <- m }()
		c := await[*ipc.CountRequest](t, parent)
		if len(c.Programs) != 2 || c.Programs[0].Name != "p" || !c.Programs[0].Full || c.Programs[1].Name != "gone" {
			t.Errorf("got %+v", c.Programs)
		}
		parent.Counted(c, answer)
		if got, want := <-counts, (ipc.Counts{"p": answer["p"], "gone": 0}); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestSmallQuestions(t *testing.T) {
	if got := (Options{}).patience(); got != resignTimeout {
		t.Errorf("patience: got %v", got)
	}
	if got := (Options{FastStop: true}).patience(); got != 0 {
		t.Errorf("patience of a fast stop: got %v", got)
	}
	if a, b := beatsBetween(1), beatsBetween(240); a != 1 || b != 11 {
		t.Errorf("beats: got %d and %d", a, b)
	}
	cfg := &proxysettings.Config{}
	if got := descriptors(cfg); got != 0 {
		t.Errorf("descriptors without maxconn: got %d", got)
	}
	if cfg.Global.MaxConn = 500; descriptors(cfg) != 2000 {
		t.Errorf("descriptors: got %d, want 2000", descriptors(cfg))
	}
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "d"), 0o700), os.WriteFile(filepath.Join(dir, "b"), nil, 0o600), os.WriteFile(filepath.Join(dir, "a"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if names, err := fileNames(dir); err != nil || !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("names: got %v, %v", names, err)
	}
	if _, err := fileNames(filepath.Join(dir, "none")); err == nil {
		t.Error("a directory that is not there has names")
	}
	if n, err := groupNumber("root"); n != 0 || err != nil {
		t.Errorf("root is group %d, %v", n, err)
	}
	if n, err := groupNumber("no-such-group"); n != -1 || err == nil {
		t.Errorf("a group nobody has is %d, %v", n, err)
	}
	if uid, gid, err := owner("root", "root"); uid != 0 || gid != 0 || err != nil {
		t.Errorf("root: %d, %d, %v", uid, gid, err)
	}
	if uid, gid, err := owner("", ""); uid != -1 || gid != -1 || err != nil {
		t.Errorf("nobody: %d, %d, %v", uid, gid, err)
	}
	for _, who := range [][2]string{{"no-such-user", ""}, {"", "no-such-group"}} {
		if _, _, err := owner(who[0], who[1]); err == nil || !strings.HasPrefix(err.Error(), "FIFO ") {
			t.Errorf("%v: got %v", who, err)
		}
	}
	got := addresses([]settings.Address{{Prefix: netip.MustParsePrefix("192.0.2.1/24"), Device: "eth0", Label: "eth0:1"}}, "blue")
	if want := []ipc.Address{{Prefix: "192.0.2.1/24", Interface: "eth0", Label: "eth0:1", NetNamespace: "blue"}}; !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	found := false
	for _, i := range interfaces() {
		found = found || i.Name == "lo" && i.Loopback && i.Index > 0
	}
	if !found {
		t.Errorf("no loopback among %+v", interfaces())
	}
	if got := lookupHost("localhost"); !slices.ContainsFunc(got, netip.Addr.IsLoopback) {
		t.Errorf("localhost is %v", got)
	}
}

// A proxy role from its file to its end, but for the rights it gives up, which
// would be this process's.
func TestAProxyRoleServesAndObeys(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address, path := l.Addr().String(), filepath.Join(dir, "admin")
	file := write(t, "h.cfg", "global\n stats socket "+path+" level operator\n"+"defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\nlisten web\n bind "+address+"\n monitor-uri /\n")
	var diags config.Diagnostics
	cfg := loadProxy(Options{HAProxy: []string{file}}, &diags)
	if diags.HasErrors() {
		t.Fatal(diags.List())
	}
	role, parent := apprentice(t)
	changed := make(chan struct{}, 1)
	engine, err := proxy.New(cfg, proxy.Options{Node: "n", OpenLog: openLog, Notice: role.Log, Changed: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	if err := declareCommands(t.Context(), role, engine, cfg); err != nil { // there are none
		t.Fatal(err)
	}
	asked := sockets(engine.Needs())
	lent := map[string][]int{}
	for _, s := range asked {
		switch s.Network {
		case "tcp":
			f, err := l.(*net.TCPListener).File()
			if err != nil {
				t.Fatal(err)
			}
			fd, _ := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
			unix.SetNonblock(fd, true)
			f.Close()
			lent[s.Name()] = []int{fd}
			if s.Address != address || s.Owner != nil {
				t.Errorf("asked for %+v, want %s of nobody in particular", s, address)
			}
		case "unix":
			u, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
			if err != nil {
				t.Fatal(err)
			}
			u.SetUnlinkOnClose(false)
			f, err := u.File()
			if err != nil {
				t.Fatal(err)
			}
			fd, _ := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
			f.Close()
			u.Close()
			lent[s.Name()] = []int{fd}
		}
	}
	l.Close()
	if len(lent) != 2 {
		t.Fatalf("asked for %+v, want a port and a path", asked)
	}
	c, err := openConsole(engine, engine.Needs(), lent, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.levels) != 1 || int(c.levels[0]) != int(cfg.Global.StatsSockets[0].Level) || len(lent) != 1 {
		t.Errorf("levels %v, lent still %v; want that of the file and the port alone", c.levels, lent)
	}
	if err := engine.Serve(lent); err != nil {
		t.Fatal(err)
	}
	closeLent(lent)
	c.serve()
	ended := make(chan error, 1)
	go func() { ended <- serveProxy(context.Background(), role, engine, c, changed) }()
	if got := await[ipc.Health](t, parent); !got.Serving {
		t.Errorf("the health is %+v", got)
	}
	if got := await[ipc.Parts](t, parent); !got.Frontends["web"] {
		t.Errorf("the parts are %+v", got)
	}
	if got := await[ipc.Tally](t, parent); got.Draining || string(got.Counted) != "{}" {
		t.Errorf("counted at first: %+v, want nothing", got)
	}
	ask := func(network, address, text string) string {
		t.Helper()
		c, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, text)
		b, _ := io.ReadAll(c)
		return string(b)
	}
	if got := ask("tcp", address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") || !strings.Contains(got, "ready") {
		t.Errorf("got %q", got)
	}
	if got := ask("unix", path, "show info\n"); !strings.Contains(got, "node: n\n") {
		t.Errorf("the console says %q", got)
	}
	if got := ask("unix", path, "set server web/x state maint\n"); !strings.Contains(got, "Permission denied") && !strings.Contains(got, "No such") {
		t.Errorf("the console of an operator says %q", got)
	}
	parent.Instances(json.RawMessage(`[{"name":"VI_1","state":"MASTER"}]`))
	parent.Instances(json.RawMessage(`7`))
	parent.Contents(ipc.Contents{"/no/cert": nil})
	parent.Tally(ipc.OtherTally{Generation: 3, Counted: []byte(`{"frontend web":[0,0,6]}`)})
	parent.Tally(ipc.OtherTally{Generation: 4, Counted: []byte(`nonsense`)})
	parent.AskStatus(9)
	reply := await[ipc.StatusReply](t, parent)
	var shown stats.Snapshot
	if err := json.Unmarshal(reply.Raw, &shown); err != nil || shown.Proxies[0].Name != "web" || shown.Info.CumReq != 7 {
		t.Errorf("the status has %d requests (%v), want one and six of another process: %.200s", shown.Info.CumReq, err, reply.Raw)
	}
	parent.Drain()
	parent.Drain() // again is nothing
	for {
		got := await[ipc.Tally](t, parent)
		if !got.Draining {
			continue
		}
		if !bytes.Contains(got.Counted, []byte(`"frontend web":[1,1,1,`)) {
			t.Errorf("counted in the end: %s, want one connection and request", got.Counted)
		}
		break
	}
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
	c.close()
	engine.Close()
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("the port is still served")
	}
	bad := map[string][]int{}
	for _, s := range asked {
		fd, _ := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		bad[s.Name()] = []int{fd}
	}
	if c, err := openConsole(engine, engine.Needs(), bad, cfg); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("what is no socket: got %v, %v", c, err)
	}
	closeLent(bad)
}

// The parent runs them as the user the proxy will be; what it refuses is said
// once for each reason.
func TestCommandsOfChecksAreDeclared(t *testing.T) {
	file := write(t, "h.cfg", "global\n external-check\n uid 65534\n gid 65533\ndefaults\n mode tcp\n timeout connect 1s\n timeout client 1s\n timeout server 1s\nlisten web\n bind 127.0.0.1:0\n option external-check\n external-check command /bin/check\n server a 192.0.2.1:80 check inter 1500ms\n server b 192.0.2.2:80 check\n")
	var diags config.Diagnostics
	cfg := loadProxy(Options{HAProxy: []string{file}}, &diags)
	role, parent := apprentice(t)
	engine, err := proxy.New(cfg, proxy.Options{OpenLog: openLog, Notice: role.Log})
	if err != nil {
		t.Fatal(err, diags.List())
	}
	defer engine.Close()
	declared := make(chan error, 1)
	go func() { declared <- declareCommands(t.Context(), role, engine, cfg) }()
	q := await[*ipc.ScriptsRequest](t, parent)
	if len(q.Scripts) != 2 {
		t.Fatalf("declared %+v, want one for each server", q.Scripts)
	}
	for _, s := range q.Scripts {
		if s.User != "65534" || s.Group != "65533" || s.Argv[0] != "/bin/check" || s.Lane != "" || len(s.Env) == 0 {
			t.Errorf("declared %+v", s)
		}
	}
	parent.Refuse(q, []string{"not there", "not there"})
	if err := <-declared; err != nil {
		t.Fatal(err)
	}
	role.Log("behind")
	for _, want := range []string{"external-check of " + q.Scripts[0].Name + " is not run: not there", "behind"} {
		if got := string(await[ipc.LogLine](t, parent)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := declareCommands(over, role, engine, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

// Mail that has not gone is a successor's, or is said to be lost.
func TestMailThatWaits(t *testing.T) {
	for _, handed := range []bool{true, false} {
		cfg := &settings.Config{RouterID: "R1"}
		n, _, parent := told(t, cfg)
		if got := n.waiting(); got != nil {
			t.Errorf("without a mailer %v waits", got)
		}
		n.finish(time.Now()) // nothing
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // nobody accepts: no mail goes
		n.start(settings.Mail{To: []string{"a@x.org"}, Server: l.Addr().String(), Helo: "h", From: "b@x.org", Timeout: 10 * time.Second}, []mail.Message{{Subject: "old"}})
		if handed {
			if left := n.waiting(); len(left) != 1 || left[0].Subject != "old" {
				t.Errorf("handed over: %v, want the old one", left)
			}
			continue
		}
		n.finish(time.Now())
		if got, want := string(await[ipc.LogLine](t, parent)), `mail "old" is dropped: the daemon stops`; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
