package directive

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// text1 is a Source of one file.
type text1 string

func (t text1) Read(string) ([]byte, error)   { return []byte(t), nil }
func (t text1) Glob(string) ([]string, error) { return nil, errors.New("no other files") }

// accounts is what the tests' host knows.
var accounts = map[string]bool{"root": true, "nobody": true, "keepalived_script": true}

func built(file, text string) (*settings.Config, *config.Diagnostics) {
	var ds config.Diagnostics
	tree := block.Parse(text1(text), block.Options{Path: file, ConfigID: "high", Instance: "node1"}, &ds)
	known := func(name string) bool { return accounts[name] }
	cfg := Build(tree, Options{HostName: "host1", LookupUser: known, LookupGroup: known}, &ds)
	ds.Sort()
	return cfg, &ds
}

func findings(ds *config.Diagnostics) string {
	var b strings.Builder
	for _, d := range ds.List() {
		fmt.Fprintln(&b, d)
	}
	return b.String()
}

// show prints a configuration for the golden files.
func show(c *settings.Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "router %q startup delay %v script user %q group %q security %v\n", c.RouterID, c.StartupDelay, c.ScriptUser, c.ScriptGroup, c.ScriptSecurity)
	for _, s := range c.Scripts {
		fmt.Fprintf(&b, "script %s %q interval %v timeout %v weight %d reverse %v rise %d fall %d init fail %v user %q group %q in-process %v\n",
			s.Name, s.Argv, s.Interval, s.Timeout, s.Weight, s.Reverse, s.Rise, s.Fall, s.InitFail, s.User, s.Group, s.InProcess)
	}
	showAddresses(&b, "static", c.StaticAddresses)
	showRouting(&b, c.StaticRouting)
	for _, in := range c.Instances {
		fmt.Fprintf(&b, "instance %s on %s vrid %d version %d priority %d master %v every %v nopreempt %v delay %v auth %d %q source %v primary untracked %v\n",
			in.Name, in.Interface, in.VRID, in.Version, in.Priority, in.StartMaster, in.AdvertInt, in.NoPreempt, in.PreemptDelay,
			in.Auth.Type, in.Auth.Pass, in.Source, in.DontTrackPrimary)
		showWay(&b, in)
		showAddresses(&b, "address", in.Addresses)
		showAddresses(&b, "excluded", in.Excluded)
		showRouting(&b, in.Routing)
		for _, t := range in.Tracks {
			fmt.Fprintf(&b, "  track %s weight %d reverse %v\n", t.Source, t.Weight, t.Reverse)
		}
		for _, t := range in.TrackInterfaces {
			fmt.Fprintf(&b, "  track interface %s weight %d reverse %v\n", t.Name, t.Weight, t.Reverse)
		}
		for _, w := range in.Watched {
			fmt.Fprintf(&b, "  watch %d %s min %d weight %d reverse %v\n", w.Kind, w.Name, w.MinServers, w.Weight, w.Reverse)
		}
		g := in.Garp
		fmt.Fprintf(&b, "  garp %d, again after %v; refresh %v %d; lower priority %d after %v; pace %v\n",
			g.Repeat, g.Delay, g.Refresh, g.RefreshRepeat, g.LowerPrioRepeat, g.LowerPrioDelay, g.Interval)
	}
	for _, g := range c.Groups {
		fmt.Fprintf(&b, "group %s %v\n", g.Name, g.Members)
	}
	return b.String()
}

// showRouting prints what is set and not what is usual.
func showRouting(b *strings.Builder, r settings.Routing) {
	usual := regexp.MustCompile(` (\w+:(0|false|-1|\[\]|invalid IP|invalid Prefix|\[0 0\])?)( |})`)
	plain := func(v any) string {
		text := fmt.Sprintf("%+v", v)
		for shorter := ""; shorter != text; {
			shorter, text = text, usual.ReplaceAllString(text, "$3")
		}
		return text
	}
	for _, v := range r.Routes {
		fields := v
		fields.Pos = config.Pos{}
		type bare settings.Route
		fmt.Fprintf(b, "  route %v = %s\n", v, plain(bare(fields)))
	}
	for _, v := range r.Rules {
		fields := v
		fields.Pos = config.Pos{}
		type bare settings.Rule
		fmt.Fprintf(b, "  %v = %s\n", v, plain(bare(fields)))
	}
}

// showWay shows what most instances leave as it is.
func showWay(b *strings.Builder, in settings.Instance) {
	if in.IPv6 || in.Group.IsValid() || in.Unicast || in.UnicastTTL != 0 || in.OnlyPeers || in.PlainChecksum {
		fmt.Fprintf(b, "  ipv6 %v group %v unicast %v peers %v ttl %d only peers %v plain checksum %v\n",
			in.IPv6, in.Group, in.Unicast, unnamed(in.Peers), in.UnicastTTL, in.OnlyPeers, in.PlainChecksum)
	}
	if in.DownAdverts != 0 || in.LowerPrioNoAdvert || in.HigherPrioSendAdvert {
		fmt.Fprintf(b, "  down after %d lower priority unanswered %v higher answered %v\n", in.DownAdverts, in.LowerPrioNoAdvert, in.HigherPrioSendAdvert)
	}
}

// unnamed leaves out what peers are called.
func unnamed(list []settings.Peer) (shown []struct {
	Address        netip.Addr
	MinTTL, MaxTTL uint8
}) {
	for _, p := range list {
		shown = append(shown, struct {
			Address        netip.Addr
			MinTTL, MaxTTL uint8
		}{p.Address, p.MinTTL, p.MaxTTL})
	}
	return shown
}

func showAddresses(b *strings.Builder, what string, list []settings.Address) {
	for _, a := range list {
		fmt.Fprintf(b, "  %s %v dev %s label %q scope %d brd %v", what, a.Prefix, a.Device, a.Label, a.Scope, a.Broadcast)
		plain := settings.Address{Prefix: a.Prefix, Device: a.Device, Label: a.Label, Scope: a.Scope, Broadcast: a.Broadcast}
		if a != plain {
			fmt.Fprintf(b, " peer %v dad %v home %v mngtmp %v noprefixroute %v autojoin %v deprecated %v preferred %v untracked %v",
				a.Peer, a.DAD, a.Home, a.ManageTemp, a.NoPrefixRoute, a.AutoJoin, a.Deprecated, a.PreferredLft, a.NoTrack)
		}
		b.WriteByte('\n')
	}
}

// TestTemplates builds configurations of the families of templates in use,
// one golden result each.
func TestTemplates(t *testing.T) {
	names, err := filepath.Glob("../../config/block/testdata/*.conf")
	if err != nil || len(names) < 10 {
		t.Fatalf("testdata: %d files, %v", len(names), err)
	}
	for _, name := range names {
		base := strings.TrimSuffix(filepath.Base(name), ".conf")
		t.Run(base, func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			cfg, ds := built(base+".conf", string(text))
			got := show(cfg) + "---\n" + findings(ds)
			golden := filepath.Join("testdata", base+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s builds differently (-update rewrites the golden file)\nwant\n%s\ngot\n%s", name, want, got)
			}
		})
	}
}

func TestPublishedFileRunsAsItStands(t *testing.T) {
	text, err := os.ReadFile("../../config/block/testdata/seed.conf")
	if err != nil {
		t.Fatal(err)
	}
	cfg, ds := built("k.conf", string(text))
	if worst, _ := ds.Worst(); worst != config.Warning {
		t.Errorf("worst finding: want a warning, got %v:\n%s", worst, findings(ds))
	}
	if got := findings(ds); strings.Count(got, "\n") != 2 || !strings.Contains(got, "typographic quotes") || !strings.Contains(got, "in-process") {
		t.Errorf("want two findings, quotes and in-process, got\n%s", got)
	}
	if len(cfg.Instances) != 2 || len(cfg.Scripts) != 1 || !cfg.Scripts[0].InProcess || cfg.RouterID != "controller-0" {
		t.Fatalf("want two instances and the script in-process, got\n%s", show(cfg))
	}
	for i, want := range []struct{ iface, prefix string }{{"eth0", "10.1.1.10/32"}, {"eth1", "192.168.243.10/32"}} {
		in := cfg.Instances[i]
		if in.Interface != want.iface || in.Addresses[0].Prefix.String() != want.prefix || in.Addresses[0].Device != want.iface ||
			in.Priority != 100 || !in.StartMaster || in.VRID != uint8(i+1) || len(in.Tracks) != 1 || in.Tracks[0].Weight != 2 {
			t.Errorf("instance %d: want %v, got\n%s", i, want, show(cfg))
		}
	}
}

// TestEveryKeywordIsDocumentedAndItsExampleParses walks the registries.
func TestEveryKeywordIsDocumentedAndItsExampleParses(t *testing.T) {
	count := 0
	for _, s := range sections() {
		for _, r := range s.rows {
			count++
			t.Run(s.name+"/"+r.name, func(t *testing.T) {
				if r.doc == "" || !strings.HasSuffix(r.doc, ".") {
					t.Errorf("the doc %q is not a sentence", r.doc)
				}
				if r.example != r.name && !strings.HasPrefix(r.example, r.name+" ") {
					t.Errorf("the example %q does not show %s", r.example, r.name)
				}
				_, ds := built("k", strings.Replace(s.head, "%s", "\n"+r.example+"\n", 1))
				for _, d := range ds.List() {
					known := d.Severity == config.Notice || d.Kind == config.Unsupported && r.status == "not yet"
					if strings.Contains(d.Message, "no virtual") || !known {
						t.Errorf("the example %q is not accepted: %v", r.example, d)
					}
				}
				if r.status == "not yet" && len(ds.List()) == 0 {
					t.Errorf("%s is not supported, and the example %q says nothing", r.name, r.example)
				}
			})
		}
	}
	if count < 350 {
		t.Errorf("want the vocabulary of keepalived 2.2.7, got %d words", count)
	}
}

func TestReferenceIsFresh(t *testing.T) {
	const file = "../../docs/keywords-keepalived.md"
	if *update {
		if err := os.WriteFile(file, []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != Reference() {
		t.Errorf("%s is stale: go test ./vrrp/directive -update", file)
	}
}
