// Package herald_test holds the rules of the house that no compiler checks:
// who may import whom, and what a core may not touch.
package herald_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kind sorts packages as docs/architecture.md does.
type kind string

const (
	core  kind = "core"  // values in, values out
	edge  kind = "edge"  // one facility of the system, decides nothing
	shell kind = "shell" // loops, timers, queues
	join  kind = "join"  // the places that may see everything below them
)

// rooms is the whole house: every package with its kind and the packages of
// ours it may import. "tree/..." allows a tree.
var rooms = map[string]struct {
	kind kind
	may  []string
}{
	"config":       {core, nil},
	"config/block": {core, []string{"config"}},
	"config/line":  {core, []string{"config"}},

	"config/block/disk": {edge, nil},

	"stats":        {core, nil},
	"stats/render": {core, []string{"stats"}},

	"garp":        {core, nil},
	"garp/arp":    {edge, []string{"garp/device"}},
	"garp/ndp":    {edge, []string{"garp/device"}},
	"garp/device": {edge, nil},

	"vrrp":           {shell, []string{"config", "stats", "garp", "vrrp/settings", "vrrp/wire", "vrrp/fsm", "vrrp/group", "vrrp/notice", "vrrp/syncgroup", "vrrp/vip"}},
	"vrrp/settings":  {core, []string{"config"}},
	"vrrp/wire":      {core, nil},
	"vrrp/fsm":       {core, []string{"vrrp/wire"}},
	"vrrp/group":     {core, []string{"vrrp/settings"}},
	"vrrp/syncgroup": {core, []string{"vrrp/fsm", "vrrp/group"}},
	"vrrp/vip":       {core, []string{"vrrp/settings"}},
	"vrrp/notice":    {core, nil},
	"vrrp/directive": {core, []string{"config", "config/block", "vrrp/settings"}},
	"vrrp/dump":      {core, []string{"stats", "vrrp/settings"}},
	"vrrp/poll":      {edge, nil},
	"vrrp/rawip":     {edge, []string{"vrrp/poll", "vrrp/wire"}},
	"vrrp/firewall":  {edge, []string{"vrrp/settings"}},
	"vrrp/kernel":    {edge, []string{"vrrp/vip", "vrrp/settings"}},

	"proxy":           {shell, []string{"config", "stats", "stats/render", "proxy/..."}},
	"proxy/settings":  {core, []string{"config", "proxy/check/script", "proxy/expr", "proxy/rule"}},
	"proxy/loop":      {edge, nil},
	"proxy/h1":        {core, []string{"proxy/msg"}},
	"proxy/h2":        {core, []string{"proxy/h1"}},
	"proxy/msg":       {core, nil},
	"proxy/lb":        {core, []string{"config", "proxy/h1"}},
	"proxy/check":     {core, []string{"config", "stats"}},
	"proxy/logline":   {core, []string{"config"}},
	"proxy/errorpage": {core, []string{"proxy/h1"}},
	"proxy/syslog":    {edge, nil},
	"proxy/tlsconf":   {core, []string{"proxy/settings"}},
	"proxy/tlsconn":   {edge, []string{"proxy/loop"}},
	"proxy/testcert":  {edge, nil},
	"proxy/reference": {edge, nil},
	"proxy/admin":     {shell, []string{"config", "stats", "stats/render"}},
	"proxy/directive": {core, []string{"config", "config/line", "proxy/settings", "proxy/check", "proxy/check/script", "proxy/logline", "proxy/errorpage", "proxy/lb", "proxy/tlsconf", "proxy/expr", "proxy/rule"}},

	"proxy/check/script": {core, []string{"config", "proxy/check", "proxy/arith"}},
	"proxy/check/probe":  {edge, []string{"proxy/check", "proxy/check/script", "proxy/loop"}},
	"proxy/proxyproto":   {core, nil},
	"proxy/expr":         {core, []string{"config", "proxy/h1", "proxy/lb", "proxy/arith"}},
	"proxy/arith":        {core, nil},
	"proxy/rule":         {core, []string{"config", "proxy/expr"}},
	"proxy/dns":          {core, nil},
	"proxy/dns/exchange": {edge, nil},

	"cmd/herald": {join, []string{"cmd/herald/internal/...", "e2e/lab", "config"}},
}

// outside names what a kind may not import from the standard library and
// beyond. A core has no sockets, files, goroutines, locks, logging or chance;
// the clock is caught by calls, below.
var outside = map[kind][]string{
	core: {"net", "net/http", "os", "os/exec", "syscall", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "sync",
		"golang.org/x/sys/unix", "golang.org/x/net/ipv4", "github.com/vishvananda/netlink", "github.com/mdlayher/packet", "github.com/google/nftables"},
	shell: {"github.com/vishvananda/netlink", "github.com/mdlayher/packet", "golang.org/x/net/ipv4"},
}

// siblings never import one another, whatever else a row allows.
var siblings = []string{"vrrp", "garp", "proxy"}

// exceptions are read with their reason.
var exceptions = map[string][]string{
	// The loops of one backend take turns from one order: a mutex beside its
	// fields, held for tens of nanoseconds, makes the turn exact across loops.
	"proxy/lb": {"sync"},
	// The announcement schedule is a core both siblings' joiner and the VRRP
	// loop drive: the loop asks it when, the edge sends. Nothing of garp
	// knows VRRP.
	"vrrp": {"garp"},
}

func TestPackagesImportOnlyWhatTheirRoomAllows(t *testing.T) {
	for dir, files := range packages(t) {
		room, known := rooms[dir]
		if !known && !strings.HasPrefix(dir, "cmd/herald/internal") && !strings.HasPrefix(dir, "e2e") {
			t.Errorf("package %s has no room in this test: add it with its kind", dir)
			continue
		}
		for name, file := range files {
			for _, imp := range file.Imports {
				target, _ := strconv.Unquote(imp.Path.Value)
				if ours, ok := strings.CutPrefix(target, "herald/"); ok {
					if known && !allowed(ours, room.may) {
						t.Errorf("%s imports %s: %s (%s) may import %v of ours", name, target, dir, room.kind, room.may)
					}
					if a, b := sibling(dir), sibling(ours); a != "" && b != "" && a != b && !slices.Contains(exceptions[dir], ours) {
						t.Errorf("%s imports %s: siblings never import one another", name, target)
					}
				} else if known && slices.Contains(outside[room.kind], target) && !slices.Contains(exceptions[dir], target) {
					t.Errorf("%s imports %s: a %s may not", name, target, room.kind)
				}
			}
		}
	}
}

// TestCoresTakeTimeAsAnArgument finds calls of the clock and statements that
// start goroutines in cores.
func TestCoresTakeTimeAsAnArgument(t *testing.T) {
	for dir, files := range packages(t) {
		if rooms[dir].kind != core {
			continue
		}
		for name, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					t.Errorf("%s starts a goroutine in a core", name)
				case *ast.SelectorExpr:
					pkg, ok := n.X.(*ast.Ident)
					if ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "Sleep", "NewTimer", "Tick", "AfterFunc"}, n.Sel.Name) {
						t.Errorf("%s calls time.%s in a core: time arrives as an argument", name, n.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// TestTestsDoNotSleepToSynchronise keeps the rule that made flaky tests rare
// elsewhere.
func TestTestsDoNotSleepToSynchronise(t *testing.T) {
	walk(t, func(name string) bool { return strings.HasSuffix(name, "_test.go") }, func(name string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && !usesSynctest(file) {
					t.Errorf("%s sleeps: wait for the event", name)
				}
			}
			return true
		})
	})
}

// TestEachMistakeOfOthersHasItsTest reads docs/design/mistakes.md.
func TestEachMistakeOfOthersHasItsTest(t *testing.T) {
	text, err := os.ReadFile("docs/design/mistakes.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	walk(t, func(name string) bool { return strings.HasSuffix(name, "_test.go") }, func(name string, file *ast.File) {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				there[path.Dir(filepath.ToSlash(name))+" "+f.Name.Name] = true
			}
		}
	})
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || !strings.HasPrefix(cells[2], "Test") {
			continue
		}
		rows++
		if want := cells[1] + " " + strings.TrimSuffix(strings.TrimSpace(cells[2]), " |"); !there[want] {
			t.Errorf("%s has no test: there is no %s", strings.TrimPrefix(cells[0], "| "), want)
		}
	}
	if rows < 40 {
		t.Errorf("%d mistakes are listed, want all of them", rows)
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for dir, files := range packages(t) {
		documented := false
		for _, f := range files {
			documented = documented || f.Doc != nil
		}
		if !documented {
			t.Errorf("package %s has no package comment", dir)
		}
	}
}

func usesSynctest(f *ast.File) bool {
	return slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing/synctest"` })
}

func sibling(dir string) string {
	top, _, _ := strings.Cut(dir, "/")
	if slices.Contains(siblings, top) {
		return top
	}
	return ""
}

func allowed(target string, may []string) bool {
	return slices.ContainsFunc(may, func(m string) bool {
		if tree, ok := strings.CutSuffix(m, "/..."); ok {
			return target == tree || strings.HasPrefix(target, tree+"/")
		}
		return m == target
	})
}

// packages returns the non-test files of every package by directory.
func packages(t *testing.T) map[string]map[string]*ast.File {
	t.Helper()
	all := map[string]map[string]*ast.File{}
	walk(t, func(name string) bool { return !strings.HasSuffix(name, "_test.go") }, func(name string, f *ast.File) {
		dir := path.Dir(name)
		if all[dir] == nil {
			all[dir] = map[string]*ast.File{}
		}
		all[dir][name] = f
	})
	return all
}

func walk(t *testing.T, want func(string) bool, visit func(string, *ast.File)) {
	t.Helper()
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") || !want(p) {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(set, p, src, parser.ParseComments)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(p), f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
