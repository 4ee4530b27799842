package line

import (
	"slices"
	"testing"

	"herald/config"
)

// environ is the environment of the tests below.
var environ = map[string]string{"A": "1", "SP": "x y", "LEAD": " p  q", "TRAIL": "p q ", "E": "", "HASH": "a#b", "QQ": `a"b`}

func lookup(name string) (string, bool) {
	v, ok := environ[name]
	return v, ok
}

// words parses "global" with one line below it and returns the line's words.
func words(t *testing.T, text string) ([]string, []config.Diagnostic) {
	t.Helper()
	var diags config.Diagnostics
	sections := Parse([]Text{{Name: "t.cfg", Bytes: []byte("global\n" + text + "\n")}}, Env{Lookup: lookup}, &diags)
	if len(sections) != 1 {
		t.Fatalf("%q: got %d sections, want 1", text, len(sections))
	}
	var got []string
	for _, l := range sections[0].Lines {
		for _, w := range l.Words {
			got = append(got, w.Text)
		}
	}
	return got, diags.List()
}

// The results were compared with HAProxy 2.6.12: "setenv X WORD" and
// ".notice" print what it makes of a word.
func TestLineIsCutIntoWords(t *testing.T) {
	tests := map[string][]string{
		"":                                    nil,
		" \t # only a comment":                nil,
		"a b\tc":                              {"a", "b", "c"},
		"a  b # c":                            {"a", "b"},
		"a#b":                                 {"a"},
		"a b\r":                               {"a", "b"},
		"a b\rc":                              {"a", "b"},
		`x a\ b\#c\\d\"e\'f\x41\tg`:           {"x", "a b#c\\d\"e'fA\tg"},
		`x a\$b$A\qz`:                         {"x", `a\$b$A\qz`},
		`x "a\$b$A\q\n\'z"`:                   {"x", "a$b1\\q\n'z"},
		`x 'a\$b$A\q\n"#z'`:                   {"x", `a\$b$A\q\n"#z`},
		`x "a\ b\	c\#d"`:                      {"x", "a b\\\tc#d"},
		`x a\`:                                {"x", `a\`},
		"x a\\\tb":                            {"x", `a\`, "b"},
		`x a"b"'c'd#e`:                        {"x", "abcd"},
		`x ""`:                                {"x", ""},
		`x '' y`:                              {"x", "", "y"},
		`x "$A-${A}-$NO-${NO-dfl}-${NO-a b}"`: {"x", "1-1--dfl-a b"},
		`x "${E-dfl}"`:                        {"x", ""},
		`x ${A} $A`:                           {"x", "${A}", "$A"},
		`x '$A'`:                              {"x", "$A"},
		`x "${SP}"`:                           {"x", "x y"},
		`x "${SP[*]}" z`:                      {"x", "x", "y", "z"},
		`a"${SP[*]}"b`:                        {"ax", "yb"},
		`x "${LEAD[*]}"w`:                     {"x", "p", "qw"},
		`x "${TRAIL[*]}"`:                     {"x", "p", "q"},
		`x "${TRAIL[*]}w"`:                    {"x", "p", "q", "w"},
		`x "${NO[*]}"`:                        {"x", ""},
		`x "${NO[*]-u v}"`:                    {"x", "u", "v"},
		`x "${NO-u v[*]}"`:                    {"x", "u v[*]"},
		`x "${SP[*]-u}"`:                      {"x", "x", "y"},
		`x "${HASH} ${QQ}"`:                   {"x", `a#b a"b`},
		`x "${NO-$A}"`:                        {"x", "$A"},
		`x "${NO-a\}b}"`:                      {"x", `a\b}`},
		`x "${NO-a"b}"`:                       {"x", `a"b`},
		`x "${NO-a #'b}"`:                     {"x", "a #'b"},
		`x "$A.B $A-x"`:                       {"x", "1.B 1-x"},
		`x "${.FILE}:${.LINE}:${.SECTION}"`:   {"x", "t.cfg:2:global"},
		`x "$.LINE"`:                          {"x", "2"},
		`x \n\r\t\x20`:                        {"x", "\n\r\t "},
	}
	for text, want := range tests {
		got, diags := words(t, text)
		if !slices.Equal(got, want) {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
		if len(diags) > 0 {
			t.Errorf("%q: unexpected %v", text, diags)
		}
	}
}

// The addresses were compared with "haproxy -c" of 2.6.12.
func TestVariablesInAddressesNeedNoQuotes(t *testing.T) {
	tests := map[string][]string{
		`bind ${A}.2.3.4:8$A`:   {"bind", "1.2.3.4:81"},
		`bind '$A':80 name $A`:  {"bind", "1:80", "name", "$A"},
		`bind ${NO}:80`:         {"bind", ":80"},
		`bind ${A-2}:80`:        {"bind", "1-2}:80"},
		`bind 80$`:              {"bind", "80"},
		`log $A local0`:         {"log", "1", "local0"},
		`source ${A}:1000-2000`: {"source", "1:1000-2000"},
		`server $A ${A}:80 addr $A source ${A} sni $A`:   {"server", "$A", "1:80", "addr", "1", "source", "1", "sni", "$A"},
		`server-template s 3 $A:80`:                      {"server-template", "s", "3", "1:80"},
		`default-server source $A`:                       {"default-server", "source", "1"},
		`nameserver n ${A}:53`:                           {"nameserver", "n", "1:53"},
		`stats socket ${A} level admin`:                  {"stats", "socket", "1", "level", "admin"},
		`tcp-check connect addr $A port 80`:              {"tcp-check", "connect", "addr", "1", "port", "80"},
		"setenv B 2\nbind $B:80\nsetenv B 3\nbind $B:80": {"setenv", "B", "2", "bind", "2:80", "setenv", "B", "3", "bind", "3:80"},
		`server`: {"server"},
	}
	for text, want := range tests {
		if got, problems := words(t, text); !slices.Equal(got, want) || len(problems) > 0 {
			t.Errorf("%q: got %q, %v, want %q", text, got, problems, want)
		}
	}
}

func TestMalformedWordIsAnErrorAtItsColumn(t *testing.T) {
	tests := []struct {
		text    string
		column  int
		message string
	}{
		{`x "a`, 3, `unmatched quote "`},
		{`x 'a`, 3, `unmatched quote '`},
		{`x a"b c`, 4, `unmatched quote "`},
		{`x a\xZZ`, 4, `invalid hexadecimal sequence "\\xZZ", expected \xNN`},
		{`x a\x4`, 4, `truncated hexadecimal sequence "\\x4", expected \xNN`},
		{`x "${A"`, 4, `unmatched brace in environment variable "A"`},
		{`x "${A-b"`, 4, `unmatched brace in environment variable "A"`},
		{`x "${A:x}"`, 4, `unmatched brace in environment variable "A"`},
		{`x "${A[*}"`, 4, `truncated word expansion after "A", expected [*]`},
		{`x "${1A}"`, 4, `"$1A" does not begin the name of an environment variable`},
		{`x "$1A"`, 4, `"$1A" does not begin the name of an environment variable`},
		{`x "a$ b"`, 5, `"$" does not begin the name of an environment variable`},
		{`x "a$"`, 5, `"$" does not begin the name of an environment variable`},
		{`x "${}"`, 4, `"$" does not begin the name of an environment variable`},
		{`x "${-x}"`, 4, `"$" does not begin the name of an environment variable`},
		{`x "${.NOPE-d}"`, 4, `"$.NOPE" does not begin the name of an environment variable`},
		{"x a\x00b", 4, "NUL byte in a configuration line"},
	}
	for _, tt := range tests {
		got, diags := words(t, tt.text)
		if len(got) > 0 || len(diags) != 1 {
			t.Errorf("%q: got words %q and %v, want one error", tt.text, got, diags)
			continue
		}
		d := diags[0]
		if d.Message != tt.message || d.Pos != (config.Pos{File: "t.cfg", Line: 2, Column: tt.column}) || d.Severity != config.Error {
			t.Errorf("%q:\n got %+v\nwant %q at column %d", tt.text, d, tt.message, tt.column)
		}
	}
}

func TestNULInAWordCutsIt(t *testing.T) {
	got, diags := words(t, `x a\x00b c`)
	if want := []string{"x", "a", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(diags) != 1 || diags[0].Severity != config.Warning {
		t.Errorf("got %v, want one warning", diags)
	}
}

func TestTypographicQuotesAreReadAsQuotes(t *testing.T) {
	tests := []struct {
		text     string
		want     []string
		warnings int
	}{
		{"x “a b” c", []string{"x", "a b", "c"}, 1},
		{"x „a $A”", []string{"x", "a 1"}, 1},
		{"x “a\" b", []string{"x", "a", "b"}, 1},
		{"x ‘a $A’", []string{"x", "a $A"}, 1},
		{"x “a” “b”", []string{"x", "a", "b"}, 1},
		{"x a=“b c”", []string{"x", "a=b c"}, 1},
		// Within plain quotes, and without a partner, they are text.
		{"x \"say “a b” c\"", []string{"x", "say “a b” c"}, 0},
		{"x Bob’s site’s", []string{"x", "Bob’s", "site’s"}, 0},
		{"x “a", []string{"x", "“a"}, 0},
	}
	for _, tt := range tests {
		got, diags := words(t, tt.text)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q:\n got %q\nwant %q", tt.text, got, tt.want)
		}
		if len(diags) != tt.warnings {
			t.Errorf("%q: got %v, want %d warnings", tt.text, diags, tt.warnings)
		}
		for _, d := range diags {
			if d.Severity != config.Warning || d.Pos.Line != 2 || d.Pos.Column == 0 || d.Fix == "" {
				t.Errorf("%q: got %+v, want a warning with place and fix", tt.text, d)
			}
		}
	}
}

func TestWordsKnowTheirColumn(t *testing.T) {
	var diags config.Diagnostics
	text := "global\n\tsetenv  X \"${SP[*]}\"z # c\n"
	s := Parse([]Text{{Name: "t", Bytes: []byte(text)}}, Env{Lookup: lookup}, &diags)
	var got []int
	for _, w := range s[0].Lines[0].Words {
		got = append(got, w.Pos.Column)
	}
	if want := []int{2, 10, 12, 13}; !slices.Equal(got, want) {
		t.Errorf("got columns %v, want %v", got, want)
	}
	if !s[0].Lines[0].Words[2].Quoted || s[0].Lines[0].Words[1].Quoted {
		t.Errorf("Quoted: got %+v", s[0].Lines[0].Words)
	}
}
