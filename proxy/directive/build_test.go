package directive

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

var update = flag.Bool("update", false, "write golden files instead of comparing")

// world is the system the tests run on: two files, one user, one name.
var world = Options{
	Hostname: "testhost",
	ReadFile: func(name string) ([]byte, error) {
		switch {
		case name == "/etc/haproxy/headers.map":
			return []byte("# names\ncontent-length Content-LENGTH\n\netag ETag # entity\n"), nil
		case strings.HasPrefix(name, "/errors/") || strings.HasPrefix(name, "/etc/haproxy/errors/"):
			return []byte("HTTP/1.0 500 E\r\n\r\n" + name), nil
		case name == "/big":
			return make([]byte, 20000), nil
		}
		if content, ok := tlsFiles()[name]; ok {
			return content, nil
		}
		return nil, fmt.Errorf("open %s: no such file or directory", name)
	},
	LookupUser: func(name string) (int, error) {
		if slices.Contains([]string{"haproxy", "www-data"}, name) {
			return 106, nil
		}
		return 0, errors.New("no such user")
	},
	LookupGroup: func(name string) (int, error) { return 107, nil },
	LookupHost: func(name string) ([]string, error) {
		if name == "localhost" {
			return []string{"fe80::1%lo", "127.0.0.1", "::1"}, nil
		}
		return nil, errors.New("no such host")
	},
}

func build(text string, opt Options) (*settings.Config, []config.Diagnostic) {
	var diags config.Diagnostics
	sections := line.Parse([]line.Text{{Name: "t", Bytes: []byte(text)}}, line.Env{}, &diags)
	cfg := Build(sections, opt, &diags)
	diags.Sort()
	return cfg, diags.List()
}

// quiet is a listen section without findings; a test's lines go below it.
const quiet = "defaults\n timeout client 1s\n timeout connect 1s\n timeout server 1s\nlisten l\n mode http\n bind :80\n"

func TestPublishedThreeControllerFileBuildsWithFourWarnings(t *testing.T) {
	text, err := os.ReadFile("testdata/three-controllers.cfg")
	if err != nil {
		t.Fatal(err)
	}
	cfg, diags := build(string(text), world)
	var obsolete []string
	for _, d := range diags {
		if d.Kind != config.Obsolete || d.Severity != config.Warning {
			t.Errorf("unexpected %v", d)
		}
		obsolete = append(obsolete, fmt.Sprintf("%d %s", d.Pos.Line, d.Fix))
	}
	want := []string{"15 timeout connect 5000", "16 timeout client 50000", "17 timeout server 50000",
		"25 listen stats, and below it: bind 192.168.243.11:80"}
	if !slices.Equal(obsolete, want) {
		t.Errorf("got %q, want %q", obsolete, want)
	}
	p := cfg.Proxies[0]
	if len(cfg.Proxies) != 1 || p.Name != "stats" || !p.Frontend || !p.Backend || p.Mode != settings.HTTP || p.ID != 2 {
		t.Fatalf("got %+v", p)
	}
	if b := p.Binds[0]; b.Host != "192.168.243.11" || b.Port != 80 || b.Network != "tcp" {
		t.Errorf("bind: got %+v", b)
	}
	s := p.Stats
	if s.URI != "/stats" || s.Realm != "HAProxy Statistics" || len(s.Users) != 1 || s.Users[0] != (settings.StatsUser{Name: "admin", Password: "openstack"}) {
		t.Errorf("stats: got %+v", s)
	}
	if len(p.Logs) != 2 || p.Logs[1].MaxLevel != 5 || p.LogFormat != settings.LogHTTP || !p.DontLogNull || len(p.ErrorFiles) != 7 {
		t.Errorf("got %+v", p)
	}
	g := cfg.Global
	if g.User != "haproxy" || g.UID != 106 || g.GID != 107 || g.Chroot != "/var/lib/haproxy" || g.MaxConn != 4000 || !g.Daemon ||
		len(g.StatsSockets) != 1 || g.StatsSockets[0].Bind.Path != "/var/lib/haproxy/status" {
		t.Errorf("global: got %+v", g)
	}
}

func TestMissingErrorFileIsAWarningAndLeavesTheBuiltInPage(t *testing.T) {
	text, _ := os.ReadFile("testdata/three-controllers.cfg")
	cfg, diags := build(string(text), Options{LookupUser: world.LookupUser, LookupGroup: world.LookupGroup})
	warned := 0
	for _, d := range diags {
		if d.Severity == config.Error {
			t.Errorf("unexpected %v", d)
		}
		if strings.Contains(d.Message, "built-in") {
			warned++
		}
	}
	if warned != 7 || len(cfg.Proxies[0].ErrorFiles) != 0 {
		t.Errorf("got %d warnings and %d files, want 7 and none", warned, len(cfg.Proxies[0].ErrorFiles))
	}
}

// TestRealConfigurationsKeepTheirVerdict holds what is said about public
// files. HAProxy 2.6.12 was run over the same files (-c): it reports nothing
// as unknown that is reported as supported or unsupported here.
func TestRealConfigurationsKeepTheirVerdict(t *testing.T) {
	files, err := filepath.Glob("../../config/line/testdata/realworld/*.cfg")
	if err != nil || len(files) < 20 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	var b strings.Builder
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var diags config.Diagnostics
		base := filepath.Base(name)
		Build(line.Parse([]line.Text{{Name: base, Bytes: content}}, line.Env{}, &diags), world, &diags)
		diags.Sort()
		verdict := "serves"
		if diags.HasErrors() {
			verdict = "refused"
		}
		fmt.Fprintf(&b, "%s: %s\n", base, verdict)
		for _, d := range diags.List() {
			fmt.Fprintf(&b, "  %s\n", strings.TrimPrefix(d.String(), base))
			if d.Kind == config.Unknown {
				t.Errorf("%v", d)
			}
		}
	}
	golden(t, "testdata/realworld.golden", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range min(len(g), len(w)) {
			if g[i] != w[i] {
				t.Fatalf("%s line %d (run with -update and read the diff):\n got %s\nwant %s", name, i+1, g[i], w[i])
			}
		}
		t.Fatalf("%s: got %d lines, want %d", name, len(g), len(w))
	}
}

func TestKeywordReferenceIsFresh(t *testing.T) {
	golden(t, "../../docs/keywords-haproxy.md", Reference())
}

func TestEveryRowIsDocumentedAndItsExampleParses(t *testing.T) {
	check := func(name, doc, example, text string) {
		t.Helper()
		if doc == "" || !strings.HasSuffix(doc, ".") {
			t.Errorf("%s: doc %q is not a sentence", name, doc)
		}
		if !strings.Contains(example, strings.TrimPrefix(name, "no-")) {
			t.Errorf("%s: example %q does not show it", name, example)
		}
		_, diags := build(text, world)
		for _, d := range diags {
			if d.Severity == config.Error {
				t.Errorf("%s: example %q: %v", name, example, d)
			}
		}
	}
	for _, r := range globalKeywords.Rows() {
		check(r.Name, r.Doc, r.Example, "global\n "+r.Example+"\nlisten l\n bind :1\n")
	}
	for _, r := range proxyKeywords.Rows() {
		head := "http-errors site\n errorfile 503 /errors/x\n errorfile 504 /errors/x\nbackend servers\n mode http\nfrontend f\n bind :2\nlisten l\n bind :1\n mode http\n "
		check(r.Name, r.Doc, r.Example, head+r.Example+"\n")
	}
	for _, r := range bindOptions.Rows() {
		text := "listen l\n mode http\n " + r.Example
		if strings.HasPrefix(r.Example, "stats") {
			text = "global\n " + r.Example
		}
		check(r.Name, r.Doc, r.Example, text+"\n")
	}
	for _, r := range resolverKeywords.Rows() {
		check(r.Name, r.Doc, r.Example, "resolvers r\n "+r.Example+"\nlisten l\n bind :1\n")
	}
	for _, r := range serverOptions.Rows() {
		check(r.Name, r.Doc, r.Example, "listen l\n mode http\n bind :1\n "+r.Example+"\n")
	}
}

// TestEveryWordOfHAProxyIsKnown reads the names HAProxy 2.6 prints itself
// (-dKcfg) and those of the manual's keyword lists.
func TestEveryWordOfHAProxyIsKnown(t *testing.T) {
	text, err := os.ReadFile("testdata/haproxy-2.6-words.txt")
	if err != nil {
		t.Fatal(err)
	}
	for entry := range strings.Lines(string(text)) {
		where, word, _ := strings.Cut(strings.TrimSpace(entry), " ")
		probe := map[string]string{
			"global": "global\n " + word, "proxy": "listen l\n " + word,
			"bind": "listen l\n bind :1 " + word, "server": "listen l\n server s 127.0.0.1:1 " + word,
		}[where]
		_, diags := build(probe+"\n", world)
		for _, d := range diags {
			if d.Kind == config.Unknown || strings.Contains(d.Message, "belongs in") || strings.Contains(d.Message, "needs a keyword") {
				t.Errorf("%s: %v", strings.TrimSpace(entry), d)
			}
		}
	}
}

// TestIgnoredWordsSayWhatHappensInstead: who reads a warning wants to know
// what it costs.
func TestIgnoredWordsSayWhatHappensInstead(t *testing.T) {
	newer := strings.Fields("cc client-sigalgs default-crt guid guid-prefix hash-key idle-ping init-state label log-bufsize ocsp-update " +
		"pool-conn-name quic-socket set-proxy-v2-tlv-fmt sigalgs acme crt-store log-profile traces")
	for where, words := range map[string]map[string]config.Severity{"global": knownGlobal, "proxy": knownProxy, "section": unbuiltSections,
		"bind": optionSeverities(knownBind), "server": optionSeverities(knownServer)} {
		for w, sev := range words {
			if sev != config.Error && !isOld(newerGlobal, w) && !isOld(newerProxy, w) && !slices.Contains(newer, w) && instead[where+" "+w] == "" {
				t.Errorf("%s %s: nothing says what happens instead", where, w)
			}
		}
	}
	for key := range instead {
		where, w, _ := strings.Cut(key, " ")
		known := map[string]map[string]config.Severity{"global": knownGlobal, "proxy": knownProxy, "section": unbuiltSections,
			"bind": optionSeverities(knownBind), "server": optionSeverities(knownServer)}[where]
		if _, is := known[w]; !is {
			t.Errorf("%q is no word that is left out", key)
		}
	}
}
