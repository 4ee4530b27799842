package directive

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"herald/config"
	"herald/vrrp/settings"
)

// acceptance is a list of keywords the templates people use are made of: a
// file of testdata/acceptance. Its lines are
//
//	keyword | lines of a configuration, parted by ; | what comes of them | a test
//
// and what comes of them is one or more, parted by "; ", of
//
//	PATH = VALUE   a value of settings.Config, which is another without the lines
//	silent         no finding and no other configuration than without them
//	says TEXT      findings that have the text, and no other; a keyword that
//	               is supported by now may have none
//
// The test is named by its directory and shows what the running program makes
// of the value. A value nobody but the directives and the settings reads has
// no effect and fails.
type acceptance struct {
	file  string
	head  string // the configuration; %s stands for the lines
	known []string
	// supported are those of known that are acted on or built in.
	supported []string
}

// others are instances that show the defaults of global_defs.
const others = "vrrp_instance B {\nvirtual_router_id 52\nvirtual_ipaddress {\n192.0.2.20 dev eth1\n}\n%s}\n" +
	"vrrp_instance C {\ninterface eth0\nvirtual_router_id 53\nvirtual_ipaddress {\nfe80::10/64\n}\n}\n"

const (
	someScript  = "vrrp_script chk {\nscript /usr/bin/chk\n}\n"
	someFile    = "track_file down {\nfile /etc/down\n}\n"
	someProcess = "vrrp_track_process web {\nprocess web\n}\n"
)

func acceptances() []acceptance {
	list := []acceptance{
		{file: "toplevel", head: "%s\n" + in("")},
		{file: "global_defs", head: "global_defs {\n%s\n}\n" + in("") + strings.ReplaceAll(others, "%s", "interface eth1\n") +
			"vrrp_instance D {\ninterface eth1\nvirtual_router_id 54\nvirtual_ipaddress {\n192.0.2.40\n}\nuse_vmac\n}\n"},
		{file: "vrrp_script", head: "vrrp_script chk {\nscript /usr/bin/chk\n%s\n}\n" + in("track_script {\nchk\n}")},
		{file: "vrrp_track_process", head: "vrrp_track_process web {\nprocess web\n%s\n}\n" + in("track_process {\nweb\n}")},
		{file: "vrrp_instance", head: someScript + someFile + someProcess + in("%s")},
		{file: "vrrp_sync_group", head: someScript + someFile + someProcess + in("") + strings.ReplaceAll(others, "%s", "interface eth1\ntrack_interface {\neth3 weight 7\n}\n") +
			"vrrp_sync_group G {\ngroup {\nA\nB\n}\n%s\n}\n"},
		{file: "virtual_ipaddress", head: "vrrp_instance A {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n192.0.2.30/24 %s\n}\n}\n"},
	}
	for i := range list {
		a := &list[i]
		for _, s := range sections() {
			if s.name == a.file || s.name == topLevel && a.file == "toplevel" {
				for _, r := range s.rows {
					a.known = append(a.known, r.name)
					if r.status != "not yet" {
						a.supported = append(a.supported, r.name)
					}
				}
			}
		}
	}
	return list
}

func TestEveryKeywordOfTheTemplatesDoesWhatItSays(t *testing.T) {
	readers := fieldsRead(t)
	for _, a := range acceptances() {
		text, err := os.ReadFile(filepath.Join("testdata", "acceptance", a.file+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(text), "\n") {
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			t.Run(fmt.Sprintf("%s.txt:%d", a.file, n+1), func(t *testing.T) {
				column := strings.Split(line+" ", " | ")
				if len(column) != 4 {
					t.Fatalf("%d columns, want 4: %s", len(column), line)
				}
				for i := range column {
					column[i] = strings.TrimSpace(column[i])
				}
				a.accept(t, column[0], strings.ReplaceAll(column[1], ";", "\n"), column[2], readers)
				shownBy(t, column[3])
			})
		}
	}
}

// accept checks one line of a list.
func (a acceptance) accept(t *testing.T, name, lines, outcomes string, readers map[string]bool) {
	if a.file != "virtual_ipaddress" && !slices.Contains(a.known, name) {
		t.Fatalf("%s is in no registry", name)
	}
	if name == "default_interface" { // it needs an instance without one
		a.head = strings.ReplaceAll(a.head, "interface eth1\nvirtual_router_id 54", "virtual_router_id 54")
	}
	place := func(lines string) (*settings.Config, *config.Diagnostics) {
		return built("k", strings.Replace(a.head, "%s", lines, 1))
	}
	before, unsaid := place("")
	cfg, ds := place(lines)
	said := ""
	for outcome := range strings.SplitSeq(outcomes, "; ") {
		path, want, isValue := strings.Cut(outcome, " = ")
		says, isSaid := strings.CutPrefix(outcome, "says ")
		switch {
		case isValue:
			a.value(t, path, want, before, cfg, readers)
		case isSaid:
			said = says
		case outcome == "silent":
			if got, want := plain(cfg), plain(before); got != want {
				t.Errorf("%s changes the configuration:\n%s\nwas\n%s", lines, got, want)
			}
		default:
			t.Errorf("%q is no outcome", outcome)
		}
	}
	a.heard(t, name, said, unsaid, ds)
}

// heard checks what was said.
func (a acceptance) heard(t *testing.T, name, want string, unsaid, ds *config.Diagnostics) {
	list := slices.DeleteFunc(slices.Clone(ds.List()), func(d config.Diagnostic) bool {
		without := slices.ContainsFunc(unsaid.List(), func(u config.Diagnostic) bool { return u.Message == d.Message })
		return without || d.Severity == config.Notice && strings.Contains(d.Message, "answered in-process")
	})
	other := func(d config.Diagnostic) bool { return !strings.Contains(d.String(), want) }
	switch {
	case want == "" && len(list) > 0:
		t.Errorf("findings: got %v, want none", list)
	case want == "":
	case len(list) == 0 && slices.Contains(a.supported, name):
	case len(list) == 0 || slices.ContainsFunc(list, other):
		t.Errorf("findings: got %v, want some with %q only", list, want)
	}
}

// value checks one value: it is there, the lines made it, and somebody reads
// it.
func (a acceptance) value(t *testing.T, path, want string, before, after *settings.Config, readers map[string]bool) {
	got, err := at(after, path)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("%s: got %s, want %s", path, got, want)
	}
	if was, err := at(before, path); err == nil && was == want {
		t.Errorf("%s is %s without the lines too: they prove nothing", path, want)
	}
	field := path[strings.LastIndexByte(path, '.')+1:]
	if field, _, _ = strings.Cut(field, "["); !readers[field] {
		t.Errorf("nobody reads %s: it has no effect", path)
	}
}

var step = regexp.MustCompile(`^(\w+)(?:\[(\d+)\])?$`)

// at finds a value by its path: "Instances[0].Garp.Delay".
func at(cfg *settings.Config, path string) (string, error) {
	v := reflect.ValueOf(cfg).Elem()
	for part := range strings.SplitSeq(path, ".") {
		m := step.FindStringSubmatch(part)
		if m == nil {
			return "", fmt.Errorf("%s: %q is no field", path, part)
		}
		if v = v.FieldByName(m[1]); !v.IsValid() {
			return "", fmt.Errorf("%s: there is no field %s", path, m[1])
		}
		if m[2] == "" {
			continue
		}
		i, _ := strconv.Atoi(m[2])
		if i >= v.Len() {
			return "", fmt.Errorf("%s: %s has %d elements", path, m[1], v.Len())
		}
		v = v.Index(i)
	}
	return fmt.Sprint(v.Interface()), nil
}

var positions = regexp.MustCompile(`k:\d+(:\d+)?`)

// plain prints a whole configuration without positions.
func plain(c *settings.Config) string {
	return positions.ReplaceAllString(fmt.Sprintf("%+v", *c), "k")
}

// fieldsRead lists the names selected anywhere in the program but where
// settings are made and printed.
func fieldsRead(t *testing.T) map[string]bool {
	t.Helper()
	read := map[string]bool{}
	for _, root := range []string{"../../vrrp", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() && (d.Name() == "directive" || d.Name() == "dump" || d.Name() == "testdata") {
				return orSkip(err)
			}
			if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					read[s.Sel.Name] = true
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return read
}

func orSkip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}

// shownBy checks that the test named "DIRECTORY NAME" exists.
func shownBy(t *testing.T, named string) {
	if named == "" {
		return
	}
	dir, name, _ := strings.Cut(named, " ")
	files, _ := filepath.Glob(filepath.Join("../..", dir, "*_test.go"))
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err == nil && name != "" && strings.Contains(string(text), "\nfunc "+name+"(") {
			return
		}
	}
	t.Errorf("there is no test %q in %s", name, dir)
}

// Every value a running program could depend on is in a list with a test, so
// that a list cannot be emptied unnoticed.
func TestTheListsAreWhole(t *testing.T) {
	for _, a := range acceptances() {
		text, err := os.ReadFile(filepath.Join("testdata", "acceptance", a.file+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		lines := map[string]bool{}
		for line := range strings.Lines(string(text)) {
			name, _, _ := strings.Cut(line, " | ")
			lines[name] = true
		}
		least := map[string]int{"toplevel": 21, "global_defs": 70, "vrrp_script": 8, "vrrp_sync_group": 15, "vrrp_track_process": 9, "vrrp_instance": 58, "virtual_ipaddress": 8}[a.file]
		if len(lines) < least {
			t.Errorf("%s.txt has %d keywords, want %d", a.file, len(lines), least)
		}
	}
}
