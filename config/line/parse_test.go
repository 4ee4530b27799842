package line

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"herald/config"
)

// parse returns the sections of text and its diagnostics, one string each.
func parse(text string) ([]Section, []string) {
	var diags config.Diagnostics
	s := Parse([]Text{{Name: "t.cfg", Bytes: []byte(text)}}, Env{Lookup: lookup, Features: []string{"OPENSSL"}}, &diags)
	var list []string
	for _, d := range diags.List() {
		list = append(list, d.String())
	}
	return s, list
}

// shape writes sections as "kind name<from: keyword keyword".
func shape(sections []Section) string {
	var b strings.Builder
	for _, s := range sections {
		b.WriteString(s.Kind)
		if s.Name != "" {
			b.WriteString(" " + s.Name)
		}
		if s.From.Text != "" {
			b.WriteString("<" + s.From.Text)
		}
		for i, l := range s.Lines {
			if i == 0 {
				b.WriteString(":")
			}
			b.WriteString(" ")
			if l.Negated {
				b.WriteString("!")
			}
			if l.Defaulted {
				b.WriteString("~")
			}
			b.WriteString(l.Keyword())
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestLinesAreSortedUnderTheirSections(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"two globals", "global\n daemon\nglobal\n maxconn 3\n", "global: daemon\nglobal: maxconn\n"},
		{"named and anonymous defaults", "defaults\ndefaults d1\ndefaults d2 from d1\ndefaults from d2\n", "defaults\ndefaults d1\ndefaults d2<d1\ndefaults<d2\n"},
		{"a defaults section called from", "defaults from\ndefaults from from x\n", "defaults from\ndefaults from<x\n"},
		{"from", "frontend f from d\nbackend b from d\nlisten l from d\nbackend from d\n", "frontend f<d\nbackend b<d\nlisten l<d\nbackend from\n"},
		{"indented header", "listen a\n mode http\n\tlisten b\n", "listen a: mode\nlisten b\n"},
		{"no and default", "defaults\n no option a\n default option b\n no log\n", "defaults: !option ~option !log\n"},
		{"header with an address", "listen l 10.0.0.1:80\n mode tcp\n", "listen l: mode\n"},
		{"every kind", "userlist u\nresolvers r\npeers p\nmailers m\ncache c\nhttp-errors h\nring x\nlog-forward l\nprogram q\nfcgi-app f\n",
			"userlist u\nresolvers r\npeers p\nmailers m\ncache c\nhttp-errors h\nring x\nlog-forward l\nprogram q\nfcgi-app f\n"},
		{"CRLF", "global\r\n  maxconn 10\r\nlisten a\r\n mode tcp\r\n", "global: maxconn\nlisten a: mode\n"},
		{"false block", ".if 0\nglobal\n daemon\n.endif\nlisten a\n", "listen a\n"},
	}
	for _, tt := range tests {
		s, diags := parse(tt.text)
		if got := shape(s); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if len(diags) > 0 {
			t.Errorf("%s: unexpected %v", tt.name, diags)
		}
	}
}

func TestOddTextsAreReported(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"misspelled section", "globl\n", `t.cfg:1: error: unknown section "globl": did you mean "global"?`},
		{"keyword outside", "maxconn 3\n", `t.cfg:1: error: keyword "maxconn" stands outside of any section`},
		{"missing LF", "global\n daemon", "t.cfg:2: warning: missing LF on the last line, the file might have been truncated (HAProxy refuses it)"},
		{"byte order mark", "\xef\xbb\xbfglobal\n", "t.cfg:1: warning: byte order mark skipped"},
		{"lone no", "global\n no\n", `t.cfg:2: error: "no" needs a keyword after it`},
		{"no section", "no listen a\n", `t.cfg:1: error: "no" does not go with a section`},
		{"empty keyword", "global\n\"\" a\n", "t.cfg:2: warning: line begins with an empty word and is ignored"},
		{"lone else", ".else\n", `t.cfg:1: error: ".else" without ".if"`},
		{"lone endif", ".endif\n", `t.cfg:1: error: ".endif" without ".if"`},
		{"lone elif", ".elif 1\n", `t.cfg:1: error: ".elif" without ".if"`},
		{"open if", ".if 1\n", `t.cfg:1: error: ".if" without ".endif"`},
		{"else twice", ".if 1\n.else\n.else\n.endif\n", `t.cfg:3: error: ".else" after ".else"`},
		{"elif after else", ".if 1\n.else\n.elif 1\n.endif\n", `t.cfg:3: error: ".elif" after ".else"`},
		{"directive unknown", ".fi\n", `t.cfg:1: error: unknown directive ".fi": did you mean ".if"?`},
		{"directive unknown, not active", ".if 0\n.fi\n.endif\n", ""},
		{"quote in a false block", ".if 0\na \"b\n.endif\n", "t.cfg:2: error: unmatched quote \""},
		{"condition in a false block", ".if 0\n.if foo(\n.endif\n.endif\n", ""},
		{"elif after a taken block", ".if 1\n.elif foo(\n.endif\n", ""},
		{"bad condition", ".if foo\n.endif\n", `t.cfg:1: error: .if: "foo" is not a condition, expected a number or one of ` + predicateNames()},
		{"message with blanks", ".notice a b\n", `t.cfg:1: error: unexpected argument "b" after ".notice" (quote a message that has blanks)`},
		{"endif with argument", ".if 1\n.endif\n.if 1\n.endif x\n.endif\n", `t.cfg:4: error: unexpected argument "x" after ".endif"` + " (quote a message that has blanks)"},
		{"notice", ".notice hello\n", "t.cfg:1: notice: hello"},
		{"warning", ".warning \"a b\"\n", "t.cfg:1: warning: a b"},
		{"alert", ".alert a\n", "t.cfg:1: error: a"},
		{"diag", ".diag a\n", ""},
		{"message not active", ".if 0\n.alert a\n.endif\n", ""},
		{"empty message", ".notice\n", "t.cfg:1: notice: "},
	}
	for _, tt := range tests {
		_, diags := parse(tt.text)
		if got := strings.Join(diags, "\n"); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestDiagMessagesNeedDiagnose(t *testing.T) {
	var diags config.Diagnostics
	Parse([]Text{{Name: "t", Bytes: []byte(".diag seen\n")}}, Env{Diagnose: true}, &diags)
	if l := diags.List(); len(l) != 1 || l[0].Message != "seen" || l[0].Severity != config.Notice {
		t.Errorf("got %v, want the notice \"seen\"", l)
	}
}

func TestBranchesOfABlock(t *testing.T) {
	tests := map[string]string{
		".if 1\n.notice a\n.else\n.notice b\n.endif\n":                                               "a",
		".if 0\n.notice a\n.else\n.notice b\n.endif\n":                                               "b",
		".if 0\n.notice a\n.elif 1\n.notice b\n.elif 1\n.notice c\n.else\n.notice d\n.endif\n":       "b",
		".if 0\n.notice a\n.elif 0\n.notice b\n.else\n.notice d\n.endif\n":                           "d",
		".if 1\n.if 0\n.notice a\n.else\n.notice b\n.endif\n.endif\n":                                "b",
		".if 0\n.if 1\n.notice a\n.else\n.notice b\n.endif\n.elif 1\n.notice c\n.endif\n.notice e\n": "c e",
		".if 1 # comment\n.notice a\n.endif # x\n":                                                   "a",
		".if\n.notice a\n.else\n.notice b\n.endif\n":                                                 "b",
		".if \"$NO\"\n.notice a\n.else\n.notice b\n.endif\n":                                         "b",
		".if streq(\"$A\",1)\n.notice a\n.endif\n":                                                   "a",
	}
	for text, want := range tests {
		var diags config.Diagnostics
		Parse([]Text{{Name: "t", Bytes: []byte(text)}}, Env{Lookup: lookup}, &diags)
		var got []string
		for _, d := range diags.List() {
			got = append(got, d.Message)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestEnvironmentKeywordsActOnLaterLines(t *testing.T) {
	tests := map[string]string{
		"global\nsetenv X 1\n.notice \"$X\"\n":                                   "1",
		"global\nsetenv X 1\npresetenv X 2\npresetenv Y 3\n.notice \"$X$Y\"\n":   "13",
		"global\nsetenv X 1\nunsetenv X A\n.notice \"[$X$A]\"\n":                 "[]",
		"global\nsetenv X 1\nsetenv A 5\nresetenv A\n.notice \"[$X$A$SP]\"\n":    "[5]",
		"global\nresetenv\n.notice \"[$A]\"\n":                                   "[]",
		"defaults\nsetenv X 1\n.notice \"[$X]\"\n":                               "[]",
		"global\nno setenv X 1\n.notice \"[$X]\"\n":                              "[]",
		"global\nsetenv X\nsetenv X 1 2\nsetenv X \"\"\n.notice \"[$X]\"\n":      "[]",
		".if 0\nglobal\nsetenv X 1\n.endif\n.notice \"[$X]\"\n":                  "[]",
		".notice \"$HAPROXY_CFGFILES $HAPROXY_STARTUP_VERSION [${.SECTION}]\"\n": "t.cfg 2.6.12 []",
		"listen foo\n.notice \"${.SECTION}\"\n":                                  "foo",
	}
	for text, want := range tests {
		_, diags := parse(text)
		got := ""
		if len(diags) > 0 {
			_, got, _ = strings.Cut(diags[len(diags)-1], "notice: ")
		}
		if got != want {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestEveryFileBeginsOutsideASection(t *testing.T) {
	var diags config.Diagnostics
	s := Parse([]Text{
		{Name: "a.cfg", Bytes: []byte("global\nsetenv X 7\n.if 1\n")},
		{Name: "b.cfg", Bytes: []byte("daemon\nlisten l\n bind \":$X\"\n")},
	}, Env{}, &diags)
	if got, want := shape(s), "global: setenv\nlisten l: bind\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := s[1].Lines[0].Arg(1); got != ":7" {
		t.Errorf("variable set in the first file: got %q, want \":7\"", got)
	}
	if s[1].Lines[0].Arg(9) != "" {
		t.Error("Arg beyond the end is not empty")
	}
	if l := diags.List(); len(l) != 2 || l[0].Pos.File != "a.cfg" || l[1].Pos.File != "b.cfg" {
		t.Errorf("got %v, want the open .if of a.cfg and the keyword of b.cfg", l)
	}
}

func TestRealConfigurationsParse(t *testing.T) {
	files, err := filepath.Glob("testdata/realworld/*.cfg")
	if err != nil || len(files) < 20 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var diags config.Diagnostics
		sections := Parse([]Text{{Name: name, Bytes: content}}, Env{}, &diags)
		if len(sections) == 0 {
			t.Errorf("%s: no sections", name)
		}
		for _, d := range diags.List() {
			if d.Severity == config.Error || d.Kind == config.Unknown {
				t.Errorf("unexpected %v", d)
			}
		}
	}
}

func TestKindsIsACopy(t *testing.T) {
	Kinds()[0] = "changed"
	if !slices.Contains(Kinds(), "global") {
		t.Error("Kinds gave its own slice away")
	}
}

func TestVariablesAreAnsweredAsTheyAreAtTheEnd(t *testing.T) {
	var diags config.Diagnostics
	env := Env{Lookup: func(name string) (string, bool) { return "outside", name == "A" || name == "B" }}
	sections, get := ParseAll([]Text{{Name: "f", Bytes: []byte("global\nsetenv C inside\nunsetenv B\nsetenv D 1\nsetenv D 2\n")}}, env, &diags)
	if len(sections) != 1 {
		t.Fatalf("%d sections", len(sections))
	}
	for name, want := range map[string]string{"A": "outside", "B": "", "C": "inside", "D": "2"} {
		if got, there := get(name); got != want || there != (want != "") {
			t.Errorf("%s is %q, %v, want %q", name, got, there, want)
		}
	}
}
