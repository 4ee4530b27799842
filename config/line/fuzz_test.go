package line

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"herald/config"
)

// FuzzParse asks that no text makes the parser panic, and that what comes out
// keeps the promises of the types.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/realworld/*.cfg")
	for _, name := range files {
		if content, err := os.ReadFile(name); err == nil {
			f.Add(content)
		}
	}
	for _, seed := range []string{
		"", "\n", "global", "global\r\n\r\n", "\xef\xbb\xbfglobal\n", "listen a \"${A[*]-x}\"\n", ".if !(1 && defined(A))\n.else\n.endif\n",
		"global\n setenv A \"\\x41$A\"\n no option 'b\n", "defaults from from x\n“a” ‘b’\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var diags config.Diagnostics
		lines := bytes.Count(text, []byte("\n")) + 1
		for _, s := range Parse([]Text{{Name: "f", Bytes: text}}, Env{Lookup: lookup}, &diags) {
			if !slices.Contains(kinds, s.Kind) || len(s.Header) == 0 || s.Pos.Line < 1 || s.Pos.Line > lines {
				t.Fatalf("section %+v", s)
			}
			for _, l := range s.Lines {
				checkLine(t, l, lines)
			}
		}
		for _, d := range diags.List() {
			if d.Pos.Line < 1 || d.Pos.Line > lines {
				t.Fatalf("diagnostic %+v", d)
			}
		}
	})
}

func checkLine(t *testing.T, l Line, lines int) {
	t.Helper()
	if len(l.Words) == 0 || l.Pos.Line < 1 || l.Pos.Line > lines || l.Negated && l.Defaulted {
		t.Fatalf("line %+v", l)
	}
	column := 0
	for _, w := range l.Words {
		if w.Pos.Line != l.Pos.Line || w.Pos.Column < column {
			t.Fatalf("word %+v stands before column %d of line %+v", w, column, l)
		}
		column = w.Pos.Column
	}
}
