package checks_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"herald/config"
	"herald/config/line"
	"herald/proxy"
	"herald/proxy/directive"
	"herald/proxy/settings"
	"herald/stats/render"
)

// text writes a file for haproxy and herald alike: a backend for each scenario.
func text(dir, log, option string, list []scenario, at map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "global\n log %s local0\n stats socket %s/s level admin\n node here\ndefaults\n mode tcp\n log global\n %s\n"+
		" timeout connect 1s\n timeout client 1s\n timeout server 1s\nfrontend f\n bind unix@%s/f\n", log, dir, option, dir)
	for _, s := range list {
		fmt.Fprintf(&b, "backend %s\n", s.name)
		for line := range strings.SplitSeq(s.rules, "\n") {
			b.WriteString(" " + line + "\n")
		}
		check := "check inter 1500ms"
		if strings.Contains(s.server, "agent-check") {
			check = ""
		}
		fmt.Fprintf(&b, " server s %s %s %s\n", at[s.name], check, strings.ReplaceAll(s.server, "$PORT", at[s.name][strings.LastIndex(at[s.name], ":")+1:]))
	}
	return b.String()
}

// heard is the first line of each server's check.
type heard struct {
	mu    sync.Mutex
	lines map[string]string
	want  int
	all   chan struct{}
	// columns are those of each server's row in the CSV that tell of checks.
	columns map[string]string
}

// told are the columns of the CSV that are compared.
var told = []string{"check_status", "check_code", "last_chk", "check_desc", "check_rise", "check_fall", "agent_status", "agent_code", "last_agt", "agent_desc", "agent_rise", "agent_fall", "agent_health"}

// read takes the rows of servers from a CSV.
func (h *heard) read(text string) {
	h.columns = map[string]string{}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(strings.TrimSpace(text), "# "))).ReadAll()
	if err != nil || len(rows) == 0 {
		return
	}
	for _, r := range rows[1:] {
		if r[1] != "s" {
			continue
		}
		var parts []string
		for _, name := range told {
			// A check under way has an asterisk.
			parts = append(parts, name+"="+strings.TrimPrefix(r[slices.Index(rows[0], name)], "* "))
		}
		h.columns[r[0]] = strings.Join(parts, " ")
	}
}

var result = regexp.MustCompile(`(?:Health|Agent) check for server ([^/ ]*)/s (.*)|Server ([^/ ]*)/s (.*)`)

func newHeard(n int) *heard {
	return &heard{lines: map[string]string{}, want: n, all: make(chan struct{})}
}

// Send takes a log line.
func (h *heard) Send(p []byte) bool {
	m := result.FindStringSubmatch(string(p))
	if m == nil {
		return true
	}
	name, what := m[1], m[2]
	if name == "" {
		name, what = m[3], m[4]
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, again := h.lines[name]; !again {
		h.lines[name] = strings.TrimSpace(what)
		if len(h.lines) == h.want {
			close(h.all)
		}
	}
	return true
}

// got answers the line of a scenario without its duration.
func (h *heard) got(name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return regexp.MustCompile(`check duration: \d+ms`).ReplaceAllString(h.lines[name], "check duration: -")
}

func (h *heard) wait(limit time.Duration) {
	select {
	case <-h.all:
	case <-time.After(limit):
	}
}

// haproxy runs the packaged HAProxy on text until every server has been heard
// of.
func haproxy(t *testing.T, option string, list []scenario, at map[string]string) *heard {
	sock, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text(dir, sock.LocalAddr().String(), option, list, at)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("haproxy", "-c", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("haproxy refuses the file: %v\n%s", err, out)
	}
	cmd := exec.Command("haproxy", "-db", "-f", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := newHeard(len(list))
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 65536)
		for {
			n, _, err := sock.ReadFrom(buf)
			if err != nil {
				return
			}
			h.Send(buf[:n])
		}
	}()
	h.wait(8 * time.Second)
	h.read(ask(dir + "/s"))
	cmd.Process.Kill()
	cmd.Wait()
	sock.Close()
	<-done
	return h
}

// herald runs the engine on the same text.
func herald(t *testing.T, option string, list []scenario, at map[string]string) *heard {
	h := newHeard(len(list))
	s := engine(t, text(t.TempDir(), "127.0.0.1:514", option, list, at), h)
	h.wait(8 * time.Second)
	snap := s.Snapshot()
	h.read(string(render.AppendCSV(nil, &snap, render.Filter{})))
	s.Close()
	return h
}

// ask answers what HAProxy's socket says to "show stat".
func ask(socket string) string {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return ""
	}
	defer c.Close()
	io.WriteString(c, "show stat\n")
	b, _ := io.ReadAll(c)
	return string(b)
}

// engine starts the proxy of a configuration; its log lines go to sink.
func engine(t *testing.T, text string, sink proxy.Sink) *proxy.Server {
	t.Helper()
	var diags config.Diagnostics
	sections := line.Parse([]line.Text{{Name: "t", Bytes: []byte(text)}}, line.Env{}, &diags)
	cfg := directive.Build(sections, directive.Options{}, &diags)
	if diags.HasErrors() {
		t.Fatalf("herald refuses the file:\n%v", diags.List())
	}
	for _, p := range cfg.Proxies {
		p.Binds, p.Frontend = nil, p.Frontend && p.Backend
	}
	s, err := proxy.New(cfg, proxy.Options{Loops: 1, Node: "here", OpenLog: func(settings.LogTarget) (proxy.Sink, error) { return sink, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// logAll is the option under which every change of a check is logged.
const logAll = "option log-health-checks"

// Without the option a server that goes down says why.
func TestALineOfAServerSaysWhatItsCheckFound(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed")
	}
	at := map[string]string{}
	var list []scenario
	for _, s := range scenarios {
		switch s.name {
		case "http-503", "http-string-no", "http-refused", "http-quotes", "tcp-connect-refused", "tcp-banner-min", "tcp-plain-refused", "mysql-blocked", "pgsql-error",
			"ldap-bad", "tls-text", "smtp-554", "agent-fail", "tcp-closes", "http-step-status", "tcp-silent":
			list = append(list, s)
			at[s.name] = listen(t, s.peer)
		}
	}
	theirs, ours := haproxy(t, "no option log-health-checks", list, at), herald(t, "no option log-health-checks", list, at)
	for _, s := range list {
		if got, want := ours.got(s.name), theirs.got(s.name); got != want || !strings.HasPrefix(got, "is DOWN, reason: ") {
			t.Errorf("%s:\n got  %s\n want %s", s.name, got, want)
		}
	}
}

func TestEveryOutcomeOfACheckReadsAsHAProxysDoes(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed")
	}
	at := map[string]string{}
	for _, s := range scenarios {
		at[s.name] = listen(t, s.peer)
	}
	theirs, ours := haproxy(t, logAll, scenarios, at), herald(t, logAll, scenarios, at)
	for _, s := range scenarios {
		want, got := theirs.got(s.name), ours.got(s.name)
		if s.ours != "" {
			if want == s.ours {
				t.Errorf("%s: HAProxy says the same as we do, %q: the exception is not one", s.name, want)
			}
			want = s.ours
		}
		if got != want {
			t.Errorf("%s:\n got  %s\n want %s", s.name, got, want)
		}
		got, want = ours.columns[s.name], theirs.columns[s.name]
		if strings.Contains(want, "last_chk= check_desc") { // lost on the way for some protocols, though the log has it
			got = regexp.MustCompile("last_chk=.* check_desc").ReplaceAllString(got, "last_chk= check_desc")
		}
		if s.ours == "" && got != want {
			t.Errorf("%s, the CSV:\n got  %s\n want %s", s.name, got, want)
		}
	}
}
