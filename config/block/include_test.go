package block

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"herald/config"
)

func TestInclude(t *testing.T) {
	files := texts{
		"/k/d/a.conf":     "a",
		"/k/d/b.conf":     "b\ninclude sub/c.conf",
		"/k/d/sub/c.conf": "c ${_PWD}",
		"/k/self.conf":    "x\ninclude self.conf\ny",
		"/k/ring1":        "include ring2",
		"/k/ring2":        "r\ninclude ring1",
		"/k/open":         "o {",
		"/k/checks":       "include_check",
	}
	for name, tt := range map[string]struct{ text, tree, diags string }{
		"absolute":              {"include /k/d/a.conf", "a\n", ""},
		"relative to the file":  {"include d/b.conf\nz ${_PWD}", "b\nc /k/d/sub\nz /k\n", ""},
		"quoted":                {"include \"d/a.conf\"", "a\n", ""},
		"typographic":           {"include “d/a.conf”", "a\n", ""},
		"wildcard":              {"include d/*.conf", "a\nb\nc /k/d/sub\n", ""},
		"braces":                {"include d/{b,a,nope}.conf", "b\nc /k/d/sub\na\n", ""},
		"wildcard, none":        {"include d/*.txt\nz", "z\n", ""},
		"inside a block":        {"x {\ninclude d/a.conf\n}", "x {}\n  a\n", ""},
		"block across files":    {"include open\nb\n}", "o {}\n  b\n", ""},
		"name from a macro":     {"$F=a\ninclude d/${F}.conf", "a\n", ""},
		"under a condition":     {"@no include d/b.conf\n@here include d/a.conf", "a\n", ""},
		"missing":               {"include nope\nz", "z\n", "/k/k.conf:1: warning: include: read /k/nope: no such file\n"},
		"missing, must be read": {"includer nope\nz", "z\n", "/k/k.conf:1: error: include: read /k/nope: no such file\n"},
		"no match, must":        {"includem *.x", "", "/k/k.conf:1: error: include *.x: no file matches\n"},
		"wildcard must match":   {"includew *.x", "", "/k/k.conf:1: error: include /k/*.x: no file matches\n"},
		"brace must match":      {"includeb d/{a,x}.conf", "a\n", "/k/k.conf:1: error: include /k/d/x.conf: no file matches\n"},
		"all checks": {"includea *.x", "",
			"/k/k.conf:1: error: include /k/*.x: no file matches\n/k/k.conf:1: error: include *.x: no file matches\n"},
		"check for all":        {"include_check\ninclude nope", "", "/k/k.conf:2: error: include: read /k/nope: no such file\n"},
		"check set":            {"include_check match\ninclude nope", "", "/k/k.conf:2: warning: include: read /k/nope: no such file\n"},
		"check added, removed": {"include_check -readable +match\ninclude *.x", "", "/k/k.conf:2: error: include *.x: no file matches\n"},
		"check of an inner file": {"include checks\ninclude nope", "",
			"/k/k.conf:2: warning: include: read /k/nope: no such file\n"},
		"check unknown": {"include_check readble", "",
			"/k/k.conf:1: warning: unknown include_check option \"readble\": did you mean \"readable\"?\n"},
		"itself":        {"include self.conf", "x\ny\n", "/k/self.conf:2: error: include /k/self.conf: the file includes itself\n"},
		"ring":          {"include ring1", "r\n", "/k/ring2:2: error: include /k/ring1: the file includes itself\n"},
		"no name":       {"include", "", "/k/k.conf:1: warning: include needs one file name or pattern\n"},
		"bad pattern":   {"include d/[", "", "/k/k.conf:1: warning: include /k/d/[: bad pattern\n"},
		"not a keyword": {"x include d/a.conf\nincludes a", "x include d/a.conf\nincludes a\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var ds config.Diagnostics
			files["/k/k.conf"] = tt.text
			st := Parse(files, Options{Path: "/k/k.conf", ConfigID: "here"}, &ds)
			if got := show(st); got != tt.tree {
				t.Errorf("want\n%sgot\n%s", tt.tree, got)
			}
			if got := findings(&ds); got != tt.diags {
				t.Errorf("findings: want\n%sgot\n%s", tt.diags, got)
			}
		})
	}
}

func TestIncludeDepthIsBounded(t *testing.T) {
	files := texts{}
	for i := range 50 {
		files[fmt.Sprintf("/k/%d", i)] = fmt.Sprintf("x%d\ninclude %d", i, i+1)
	}
	var ds config.Diagnostics
	st := Parse(files, Options{Path: "/k/0"}, &ds)
	want := "/k/32:2: error: include /k/33: more than 32 files within each other\n"
	if got := findings(&ds); got != want || len(st) != 33 {
		t.Errorf("want 33 statements and %q, got %d and %q", want, len(st), got)
	}
}

func TestBracesExpand(t *testing.T) {
	for pattern, want := range map[string][]string{
		"a":                  {"a"},
		"a{b,c}d":            {"abd", "acd"},
		"{foo/{,cat,dog},b}": {"foo/", "foo/cat", "foo/dog", "b"},
		"{a,b}{1,2}":         {"a1", "a2", "b1", "b2"},
		"a{b":                {"a{b"},
		"a{b{c,d}":           {"a{bc", "a{bd"},
		"a}b":                {"a}b"},
	} {
		if got := braces(pattern, 100); !slices.Equal(got, want) {
			t.Errorf("braces(%q): want %q, got %q", pattern, want, got)
		}
	}
	if got := braces(strings.Repeat("{a,b}", 20), 7); len(got) > 7 {
		t.Errorf("limit of 7: got %d", len(got))
	}
}
