package block

import (
	"os"
	"path/filepath"
	"testing"

	"herald/config"
)

// FuzzParse checks that no text panics or runs for ever, that every statement
// has a word and a place, and that reading twice gives the same.
func FuzzParse(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.conf")
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, s := range []string{
		"include k", "include *", "include {k,[", "~SEQ(I,1,99999) ~SEQ(J,1,99999) x", "$A=$B ${B}\n$B=$A ${A}\n$A",
		"$A=${A}${A}\n${A}", "~LST({a,b},{1,2}) $a ${b}", "a \"\\", "“”‘’'\"", "}{}{", "@ @^ @h", "\\#\\", "$A= \\",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var ds, again config.Diagnostics
		src := texts{"k": text}
		st := parse(src, Options{Path: "k", ConfigID: "h"}, &ds, 1<<18)
		checkStatements(t, st)
		if second := parse(src, Options{Path: "k", ConfigID: "h"}, &again, 1<<18); show(second) != show(st) {
			t.Errorf("a second reading of %q differs", text)
		}
		if findings(&ds) != findings(&again) {
			t.Errorf("the findings of a second reading of %q differ", text)
		}
	})
}

func checkStatements(t *testing.T, statements []Statement) {
	for _, st := range statements {
		if len(st.Words) == 0 || st.Pos.Line == 0 {
			t.Fatalf("statement without words or place: %+v", st)
		}
		if !st.Block && len(st.Children) > 0 {
			t.Fatalf("statement %q has children and no block", st.Keyword())
		}
		Command(st.Words)
		checkStatements(t, st.Children)
	}
}
