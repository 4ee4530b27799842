package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/supervise"
)

// said runs a command line with p and returns the exit code and both outputs.
func said(t *testing.T, p Program, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	if p.Getenv == nil {
		p.Getenv = func(string) string { return "" }
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	code = Main(ctx, p, args, &out, &err)
	return code, out.String(), err.String()
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHelpTeachesAndNonsenseIsRefused(t *testing.T) {
	for _, c := range []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{nil, Usage, "", "herald check"},
		{[]string{"--help"}, Done, "herald status --watch", ""},
		{[]string{"help"}, Done, "herald lab demo", ""},
		{[]string{"help", "run"}, Done, "SIGHUP reloads", ""},
		{[]string{"run", "--help"}, Done, "herald run --haproxy ./haproxy.cfg", ""},
		{[]string{"check", "-h"}, Done, "Exit code: 0", ""},
		{[]string{"status", "--help"}, Done, "jq", ""},
		{[]string{"reload", "--help"}, Done, "no address moves", ""},
		{[]string{"version"}, Done, "herald v1.2", ""},
		{[]string{"--version"}, Done, "herald v1.2", ""},
		{[]string{"rnu"}, Usage, "", `no command "rnu"`},
		{[]string{"run", "--bogus"}, Usage, "", "herald run --help tells more"},
		{[]string{"run", "extra"}, Usage, "", `what is "extra"`},
		{[]string{"status", "--json", "--watch"}, Usage, "", "do not go together"},
		{[]string{"reload", "--bogus"}, Usage, "", "bogus"},
		{[]string{"check", "--haproxy", "/no/such/file"}, Usage, "", "/no/such/file"},
		{[]string{"check", "--keepalived", "x", "--help"}, Usage, "", "--help comes first"},
		{[]string{"role"}, Usage, "", "started by `herald run`"},
		{[]string{"role", "vrrp", "--keepalived", os.Args[0]}, Usage, "", "not by hand"},
	} {
		code, out, err := said(t, Program{Version: "v1.2"}, c.args...)
		if code != c.code || !strings.Contains(out, c.stdout) || !strings.Contains(err, c.stderr) || c.stdout == "" && out != "" || c.stderr == "" && err != "" {
			t.Errorf("%q: want %d, %q, %q; got %d, %q, %q", c.args, c.code, c.stdout, c.stderr, code, out, err)
		}
	}
}

func TestEveryVisibleCommandIsInTheOverviewWithHelp(t *testing.T) {
	for _, c := range commands() {
		if c.brief != "" && !strings.Contains(overview(), "  "+c.name) {
			t.Errorf("%s is not in the overview", c.name)
		}
		if c.brief != "" && c.help == "" && c.name != "lab" {
			t.Errorf("%s has no help", c.name)
		}
	}
}

func TestTheLabGetsItsArguments(t *testing.T) {
	var got []string
	p := Program{Lab: func(_ context.Context, args []string, _, _ io.Writer) int { got = args; return 5 }}
	if code, _, _ := said(t, p, "lab", "--help", "x"); code != 5 || len(got) != 2 {
		t.Errorf("want the lab's own answer to its arguments, got %d, %q", code, got)
	}
}

func TestFilesAreChosen(t *testing.T) {
	dir := t.TempDir()
	k := write(t, filepath.Join(dir, "keepalived.conf"), "")
	h := write(t, filepath.Join(dir, "haproxy.cfg"), "")
	none := filepath.Join(dir, "none")
	both := Options{Keepalived: k, HAProxy: []string{h}, RunDir: dir}
	for _, c := range []struct {
		name     string
		defaults Options
		args     []string
		want     string
		roles    int
	}{
		{"the defaults", both, nil, k + " [" + h + "]", 2},
		{"only one default exists", Options{Keepalived: none, HAProxy: []string{h}, RunDir: dir}, nil, " [" + h + "]", 1},
		{"only the other exists", Options{Keepalived: k, HAProxy: []string{none}, RunDir: dir}, nil, k + " []", 1},
		{"naming one leaves the other out", both, []string{"--haproxy", h}, " [" + h + "]", 1},
		{"several, and a directory", both, []string{"--haproxy", h, "--haproxy", dir, "--keepalived", k}, k + " [" + h + " " + dir + "]", 2},
	} {
		o, err := files(Program{Defaults: c.defaults}, "run", c.args, nil)
		if got := fmt.Sprint(o.Keepalived, " ", o.HAProxy); err != nil || got != c.want || len(o.Roles()) != c.roles {
			t.Errorf("%s: want %s for %d roles, got %s for %v, %v", c.name, c.want, c.roles, got, o.Roles(), err)
		}
	}
	_, err := files(Program{Defaults: Options{Keepalived: none, HAProxy: []string{none}, RunDir: dir}}, "run", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "there is no configuration") || !strings.Contains(err.Error(), none) {
		t.Errorf("want a clear word that nothing is there, got %v", err)
	}
	if o, err := files(Program{}, "run", nil, nil); err == nil && o.RunDir != "/run/herald" {
		t.Errorf("want the system's defaults, got %+v", o)
	}
}

func TestARolesArgumentsSayTheSameAgain(t *testing.T) {
	o := Options{Keepalived: os.Args[0], HAProxy: []string{os.Args[0], os.TempDir()}, RunDir: "/x"}
	again, err := files(Program{}, "role", o.Args(), nil)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(o) {
		t.Errorf("want %v, got %v, %v", o, again, err)
	}
}

func TestRelativeFilesAreFoundFromElsewhere(t *testing.T) {
	o := Options{HAProxy: []string{"a.cfg"}, RunDir: "run"}.absolute()
	if !filepath.IsAbs(o.HAProxy[0]) || !filepath.IsAbs(o.RunDir) || o.Keepalived != "" {
		t.Errorf("got %+v", o)
	}
}

// gate is a writer that lets nothing pass until it is opened.
type gate struct {
	open chan struct{}
	text bytes.Buffer
}

func (g *gate) Write(b []byte) (int, error) { <-g.open; return g.text.Write(b) }

func TestALogNobodyReadsStopsNothingAndTheLossIsCounted(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	j := newJournal(g, false)
	for i := range journalLines + 100 {
		j.log(fmt.Sprint("line ", i))
	}
	close(g.open)
	for end := time.Now().Add(5 * time.Second); len(j.lines) > 0 && time.Now().Before(end); {
		<-time.After(time.Millisecond)
	}
	j.log("after")
	j.close(5 * time.Second)
	j.log("too late")
	j.close(time.Second)
	text := g.text.String()
	if !strings.Contains(text, "lines of the log were dropped") || !strings.HasSuffix(text, "after\n") {
		t.Errorf("want the loss and what came after, got ...%q", text[max(0, len(text)-200):])
	}
}

func TestAStuckLogDoesNotKeepTheDaemonFromEnding(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	j := newJournal(g, true)
	j.log("x")
	j.close(10 * time.Millisecond)
	close(g.open)
	<-j.ended
	if !strings.Contains(g.text.String(), "T") {
		t.Errorf("want a time, got %q", g.text.String())
	}
}

// reloads is a daemon whose reloads end when told.
type reloads struct {
	begun  chan struct{}
	finish chan struct{}
	killed chan struct{}
}

func (r *reloads) Reload(context.Context) supervise.Result {
	r.begun <- struct{}{}
	<-r.finish
	return supervise.Result{}
}
func (r *reloads) Kill() { r.killed <- struct{}{} }

func TestSignalsDuringAReloadMeanOneMore(t *testing.T) {
	r := &reloads{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	signals := make(chan os.Signal)
	over := make(chan struct{})
	stopped := make(chan struct{})
	ended := make(chan struct{})
	go func() { obey(signals, over, func() { close(stopped) }, r); close(ended) }()
	signals <- syscall.SIGHUP
	<-r.begun
	for range 3 {
		signals <- syscall.SIGHUP
	}
	r.finish <- struct{}{}
	<-r.begun // one more, not three
	r.finish <- struct{}{}
	signals <- syscall.SIGTERM
	<-stopped
	signals <- syscall.SIGTERM
	<-r.killed
	signals <- syscall.SIGHUP
	<-r.begun
	close(over)
	r.finish <- struct{}{}
	<-ended
}

func TestARoleThatOutlivesItsParentIsEnded(t *testing.T) {
	peer, file, err := ipc.Pair()
	if err != nil {
		t.Fatal(err)
	}
	role, err := ipc.Attach(file)
	if err != nil {
		t.Fatal(err)
	}
	stuck := make(chan struct{})
	p := Program{Role: func(context.Context, ipc.Name, *ipc.Role, Options) error { <-stuck; return nil }}
	peer.Close()
	if code := liveRole(context.Background(), p, ipc.VRRP, role, Options{}, 20*time.Millisecond); code != Failed {
		t.Errorf("want %d, got %d", Failed, code)
	}
	close(stuck)
	role.Close()
}
