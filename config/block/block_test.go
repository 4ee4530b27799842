package block

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// texts is a Source of files held in memory.
type texts map[string]string

func (t texts) Read(name string) ([]byte, error) {
	text, ok := t[name]
	if !ok {
		return nil, fmt.Errorf("read %s: no such file", name)
	}
	return []byte(text), nil
}

func (t texts) Glob(pattern string) ([]string, error) {
	var names []string
	for name := range t {
		ok, err := path.Match(pattern, name)
		if err != nil {
			return nil, errors.New("bad pattern")
		}
		if ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// show prints statements one per line, indented by depth, words quoted where
// the file quoted them.
func show(statements []Statement) string {
	var b strings.Builder
	showAt(&b, statements, 0)
	return b.String()
}

func showAt(b *strings.Builder, statements []Statement, depth int) {
	for _, st := range statements {
		b.WriteString(strings.Repeat("  ", depth))
		for i, w := range st.Words {
			if i > 0 {
				b.WriteByte(' ')
			}
			if w.Quoted {
				fmt.Fprintf(b, "%q", w.Text)
			} else {
				b.WriteString(w.Text)
			}
		}
		if st.Block {
			b.WriteString(" {}")
		}
		if st.Inline {
			b.WriteString(" ~")
		}
		b.WriteByte('\n')
		showAt(b, st.Children, depth+1)
	}
}

func findings(diags *config.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags.List() {
		fmt.Fprintln(&b, d)
	}
	return b.String()
}

// parsed reads text as "k.conf" on host "here".
func parsed(t *testing.T, text string) (tree, diags string) {
	t.Helper()
	var ds config.Diagnostics
	o := Options{Path: "/etc/k.conf", ConfigID: "here", Instance: "inst",
		Env: func(name string) (string, bool) { return "env-" + name, name != "NONE" }}
	st := Parse(texts{"/etc/k.conf": text}, o, &ds)
	return show(st), findings(&ds)
}

func TestTreeOfStatements(t *testing.T) {
	for name, tt := range map[string]struct{ text, tree, diags string }{
		"brace on the line":             {"a b {\nc d\n}", "a b {}\n  c d\n", ""},
		"brace on the next line":        {"a\n\n{\nc\n}", "a {}\n  c\n", ""},
		"brace glued to the word":       {"a{\nc}", "a {}\n  c ~\n", ""},
		"block on one line":             {"a { b c }\nd", "a {}\n  b c ~\nd\n", ""},
		"empty block":                   {"a { }\na {\n}", "a {}\na {}\n", ""},
		"blocks in one line":            {"a { b { c } d { e } }", "a {}\n  b {} ~\n    c ~\n  d {} ~\n    e ~\n", ""},
		"statement after a brace":       {"a {\nb {\nc\n} d e\n}", "a {}\n  b {}\n    c\n  d e ~\n", ""},
		"braces split words":            {"a x{y}z", "a x {}\n  y ~\nz ~\n", ""},
		"carriage returns, tabs, mark":  {"\ufeffa\tb {\r\n\tc\r\n}\r\n", "a b {}\n  c\n", ""},
		"comments":                      {"a b#c\n! d\nc \"x # y\" ! z", "a b\nc \"x # y\"\n", ""},
		"escaped comment signs":         {`a \#b \!c # d`, "a #b !c\n", ""},
		"apostrophe in word or comment": {"a it's b # don't\nc", "a it's b\nc\n", ""},
		"single quotes":                 {`a 'b c'`, "a \"b c\"\n", ""},
		"quotes touch":                  {`a x"b c"y`, "a \"xb cy\"\n", ""},
		"quote within quotes":           {`a "b \"c\" 'd'" 'e "f'`, "a \"b \\\"c\\\" 'd'\" \"e \\\"f\"\n", ""},
		"backslash stays":               {`a "b\tc\\d" e\f`, "a \"b\\\\tc\\\\\\\\d\" e\\f\n", ""},
		"braces in quotes":              {`a "{b}"`, "a \"{b}\"\n", ""},
		"line continues":                {"a b \\\n  c\nd", "a b c\nd\n", ""},
		"backslash at the end of word":  {"a b\\\nc", "a b\\\nc\n", ""},
		"last brace missing": {"a {\nb\n", "a {}\n  b\n",
			"/etc/k.conf:1: warning: the { of \"a\" is never closed; it ends with the file here\n"},
		"one brace too many": {"a {\nb\n}\n}\nc", "a {}\n  b\nc\n",
			"/etc/k.conf:4: warning: this } closes nothing and is ignored\n"},
		"brace without keyword": {"a {\n{\nb\n}\nc\n}", "a {}\n  b\n  c\n",
			"/etc/k.conf:2: warning: this { belongs to no keyword and is ignored\n"},
		"lone brace never closed": {"{\nb", "b\n", "/etc/k.conf:1: warning: this { belongs to no keyword and is ignored\n" +
			"/etc/k.conf:1: warning: the { of \"{\" is never closed; it ends with the file here\n"},
		"open quote": {"a \"b c", "a \"b c\"\n",
			"/etc/k.conf:1: warning: the quotation mark before \"b c\" is not closed on this line\n"},
		"typographic quotes": {"script “killall -0 haproxy”", "script \"killall -0 haproxy\"\n",
			"/etc/k.conf:1: warning: typographic quotes “ ” are read as plain ones; write: \"killall -0 haproxy\"\n"},
		"typographic quotes hide comments": {"a ‘b # c’ # d", "a \"b # c\"\n",
			"/etc/k.conf:1: warning: typographic quotes ‘ ’ are read as plain ones; write: 'b # c'\n"},
		"typographic opening only": {`a “b c" d`, "a \"b c\" d\n",
			"/etc/k.conf:1: warning: typographic quotes “ \" are read as plain ones; write: \"b c\"\n"},
		"typographic closing only": {`a "b c” d`, "a \"b c\" d\n",
			"/etc/k.conf:1: warning: typographic quotes \" ” are read as plain ones; write: \"b c\"\n"},
		"typographic quote alone": {"a “b it’s", "a “b it’s\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tree, diags := parsed(t, tt.text)
			if tree != tt.tree {
				t.Errorf("statements of\n%s\nwant\n%sgot\n%s", tt.text, tt.tree, tree)
			}
			if diags != tt.diags {
				t.Errorf("findings: want\n%sgot\n%s", tt.diags, diags)
			}
		})
	}
}

func TestMacros(t *testing.T) {
	for name, tt := range map[string]struct{ text, tree, diags string }{
		"braces, blank and end":      {"$A=1\nx $A ${A}2 $A", "x 1 12 1\n", ""},
		"no blank, no macro":         {"$A=1\nx $A\" \"$Ab $B ${B}", "x \"$A $Ab\" $B ${B}\n", ""},
		"evaluated when used":        {"$A=${B}.1\n$B=0\nx ${A}\n$B=7\nx ${A}", "x 0.1\nx 7.1\n", ""},
		"value with blanks":          {"$A=b   c\nx $A d", "x b c d\n", ""},
		"value in quotes":            {"$A=\"b c\"\nx $A", "x \"b c\"\n", ""},
		"empty value":                {"$A=\nx ${A}y", "x y\n", ""},
		"brace from a macro":         {"$O={\nx $O\ny\n}", "x {}\n  y\n", ""},
		"blank before = is no macro": {"$A = 1\n", "$A = 1\n", ""},
		"condition on a definition":  {"@here $A=1\n@there $A=2\nx $A", "x 1\n", ""},
		"condition from a macro":     {"$C=@there\n$C x\n$C=@here\n$C y", "y\n", ""},
		"defined by a macro":         {"$D= \\\n $A=1 \\\n x $A \\\n $A=2 \\\n x $A\n$D\nx $A", "x 1\nx 2\nx 2\n", ""},
		"lines around a macro":       {"$M= \\\n b \\\n c\nx $M y", "x b\nc y\n", ""},
		"predefined": {"x ${_PWD} ${_INSTANCE} ${_HASH} ${_BANG} ${_RANDOM 4 9} ${_RANDOM} ${_ENV HOME} $_HASH",
			"x /etc inst # ! 4 0 env-HOME #\n", ""},
		"predefined, wrong arguments": {"x \"${_PWD x}\" \"${_RANDOM a}\" \"${_RANDOM 1 2 3}\" \"${_ENV NONE}\" \"${_ENV}\"",
			"x \"${_PWD x}\" \"${_RANDOM a}\" \"${_RANDOM 1 2 3}\" \"${_ENV NONE}\" \"${_ENV}\"\n", ""},
		"unfinished reference": {"$A=1\nx ${A $ $", "x $ {}\n  A $ $ ~\n",
			"/etc/k.conf:2: warning: the { of \"x\" is never closed; it ends with the file here\n"},
		"refers to itself": {"$A=${A}\nx ${A}\ny", "",
			"/etc/k.conf:2: error: a macro refers to itself; the rest is not read\n"},
		"grows for ever": {"$A= \\\n x \\\n $A\n$A", strings.Repeat("x\n", 200),
			"/etc/k.conf:4: error: macros refer to each other more than 200 deep; the rest is not read\n"},
	} {
		t.Run(name, func(t *testing.T) {
			tree, diags := parsed(t, tt.text)
			if tree != tt.tree {
				t.Errorf("statements of\n%s\nwant\n%sgot\n%s", tt.text, tt.tree, tree)
			}
			if diags != tt.diags {
				t.Errorf("findings: want\n%sgot\n%s", tt.diags, diags)
			}
		})
	}
}

func TestSequencesAndConditions(t *testing.T) {
	for name, tt := range map[string]struct{ text, tree, diags string }{
		"start and end":          {"~SEQ(I, 0, 3) x$I", "x0\nx1\nx2\nx3\n", ""},
		"end alone":              {"~SEQ(I,2) x$I\n~SEQ(I,-2) x$I", "x1\nx2\nx-1\nx-2\n", ""},
		"downwards":              {"~SEQ(I,3,1) x$I\n~SEQ(I,9,-4,1) x$I", "x3\nx2\nx1\nx9\nx5\nx1\n", ""},
		"hexadecimal":            {"~SEQx(I,144,16,192) x$I\n~SEQx(I,0x0a,0x0b) x$I", "x90\nxa0\nxb0\nxc0\nxa\nxb\n", ""},
		"decimal despite a zero": {"~SEQ(I,010,011) x$I", "x10\nx11\n", ""},
		"nested":                 {"~SEQ(I,1,2) ~SEQ(J,3,4) x${I}${J}", "x13\nx14\nx23\nx24\n", ""},
		"bounds from macros":     {"$N=2\n~SEQ(I,1,$N) x$I", "x1\nx2\n", ""},
		"a block per round":      {"$B= \\\n b $I { \\\n c \\\n }\n~SEQ(I,1,2) $B", "b 1 {}\n  c\nb 2 {}\n  c\n", ""},
		"name restored":          {"$I=a\n~SEQ(I,1,1) x$I\nx$I", "x1\nxa\n", ""},
		"list":                   {"~LST(I, 1, 7,9) x$I", "x1\nx7\nx9\n", ""},
		"list of tuples":         {"~LST({A, B}, {1,2}, {3 , 4}) x${A}y${B}", "x1y2\nx3y4\n", ""},
		"list of one in braces":  {"~LST({A}, {1}, {3}) x${A}", "x1\nx3\n", ""},
		"never ends": {"~SEQ(I,1,-1,3) x", "",
			"/etc/k.conf:1: warning: ~SEQ(I,1,-1,3): counting from 1 by -1 never reaches 3; the line is ignored\n"},
		"no step": {"~SEQ(I,1,0,3) x", "",
			"/etc/k.conf:1: warning: ~SEQ(I,1,0,3): counting from 1 by 0 never reaches 3; the line is ignored\n"},
		"not a number": {"~SEQ(I,a,3) x", "",
			"/etc/k.conf:1: warning: ~SEQ(I,a,3): \"a\" is not a number; the line is ignored\n"},
		"no name": {"~SEQ(1,3) x", "",
			"/etc/k.conf:1: warning: ~SEQ(1,3): \"1\" is not the name of a macro; the line is ignored\n"},
		"too many": {"~SEQ(I,1,1000000) x", "",
			"/etc/k.conf:1: warning: ~SEQ(I,1,1000000): more than 131072 repetitions; the line is ignored\n"},
		"wrong count": {"~SEQ(I) x", "",
			"/etc/k.conf:1: warning: ~SEQ(I): expected (var, [start, [step,]] end); the line is ignored\n"},
		"not closed": {"~SEQ(I,1,2 x", "",
			"/etc/k.conf:1: warning: \"~SEQ(I,1,2 x\" has no closing parenthesis; the line is ignored\n"},
		"list without values": {"~LST(I) x", "",
			"/etc/k.conf:1: warning: ~LST(I): expected at least one value; the line is ignored\n"},
		"list without a name": {"~LST(,1) x", "",
			"/etc/k.conf:1: warning: ~LST(,1): \"\" is not the name of a macro; the line is ignored\n"},
		"tuple too short": {"~LST({A,B},{1}) x", "",
			"/etc/k.conf:1: warning: ~LST({A,B},{1}): \"{1}\" has 1 values for 2 names; the line is ignored\n"},
		"conditions":            {"@here a\n@^here b\n@there c\n@^there d\n@here\n", "a\nd\n", ""},
		"condition, then tilde": {"@here ~SEQ(I,1,2) x$I", "x1\nx2\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tree, diags := parsed(t, tt.text)
			if tree != tt.tree {
				t.Errorf("statements of\n%s\nwant\n%sgot\n%s", tt.text, tt.tree, tree)
			}
			if diags != tt.diags {
				t.Errorf("findings: want\n%sgot\n%s", tt.diags, diags)
			}
		})
	}
}

func TestPositionsPointAtTheWord(t *testing.T) {
	var ds config.Diagnostics
	st := Parse(texts{"k": "a {\n\tb \"c\" d\n}\n@here   e f\n"}, Options{Path: "k", ConfigID: "here"}, &ds)
	for _, tt := range []struct {
		word Word
		want config.Pos
	}{
		{st[0].Words[0], config.Pos{File: "k", Line: 1, Column: 1}},
		{st[0].Children[0].Words[0], config.Pos{File: "k", Line: 2, Column: 2}},
		{st[0].Children[0].Words[1], config.Pos{File: "k", Line: 2, Column: 4}},
		{st[0].Children[0].Words[2], config.Pos{File: "k", Line: 2, Column: 8}},
		{st[1].Words[0], config.Pos{File: "k", Line: 4, Column: 9}},
	} {
		if tt.word.Pos != tt.want {
			t.Errorf("position of %q: want %+v, got %+v", tt.word.Text, tt.want, tt.word.Pos)
		}
	}
	if got := st[0].Arg(9); got != "" {
		t.Errorf("missing argument: want none, got %q", got)
	}
}

func TestFirstFileMissingIsAnError(t *testing.T) {
	var ds config.Diagnostics
	st := Parse(texts{}, Options{}, &ds)
	want := "/etc/keepalived/keepalived.conf: error: read /etc/keepalived/keepalived.conf: no such file\n"
	if got := findings(&ds); got != want || st != nil {
		t.Errorf("want %q and nothing, got %q and %v", want, got, st)
	}
}

func TestExpansionIsBounded(t *testing.T) {
	var ds config.Diagnostics
	text := "$A=0123456789\n$B=$A$A$A$A$A$A$A$A\n~SEQ(I,1,100000) x ${A}${A}\ny\n"
	st := parse(texts{"k": text}, Options{Path: "k"}, &ds, 10000)
	if len(st) == 0 || len(st) > 1000 {
		t.Errorf("want some hundred statements of a budget of 10000 bytes, got %d", len(st))
	}
	want := "k:3: error: macros and sequences write too much text; the rest is not read\n"
	if got := findings(&ds); got != want {
		t.Errorf("want %q, got %q", want, got)
	}
}

func TestHostileTextEndsSoon(t *testing.T) {
	const n = 1 << 16
	for name, text := range map[string]string{
		"references":         strings.Repeat("${", n) + "}",
		"escaped signs":      strings.Repeat(`\#`, n),
		"quotes":             strings.Repeat(" '", n) + strings.Repeat(" “ ", n/8),
		"open braces":        strings.Repeat("{", n),
		"blocks":             strings.Repeat("a{", n),
		"closing braces":     strings.Repeat("}", 1000),
		"doubling":           "$A=aa\n$B=$A $A $A $A\n$C=$B $B $B $B\n$D=$C $C $C $C\n" + strings.Repeat("$D $D\n", 1000),
		"sequences":          strings.Repeat("~SEQ(I,1,99999) ", 100) + "x",
		"one very long line": strings.Repeat("a ", n*4),
		"continued lines":    strings.Repeat("\\\n", n),
	} {
		t.Run(name, func(t *testing.T) {
			var ds config.Diagnostics
			begin := time.Now()
			parse(texts{"k": text}, Options{Path: "k"}, &ds, 1<<20)
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestTemplates reads configurations of the families of templates in use, one
// golden tree each.
func TestTemplates(t *testing.T) {
	names, err := filepath.Glob("testdata/*.conf")
	if err != nil || len(names) < 10 {
		t.Fatalf("testdata: %v files, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var ds config.Diagnostics
			file := "/etc/keepalived/" + filepath.Base(name)
			o := Options{Path: file, ConfigID: "high", Instance: "node1"}
			got := show(Parse(texts{file: string(text)}, o, &ds)) + "---\n" + findings(&ds)
			golden := strings.TrimSuffix(name, ".conf") + ".tree"
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
				t.Errorf("tree of %s differs (-update rewrites it)\nwant\n%s\ngot\n%s", name, want, got)
			}
		})
	}
}
