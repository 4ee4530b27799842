package config

import "testing"

func TestDiagnosticIsOneLineWithPlaceSeverityAndFix(t *testing.T) {
	at := Pos{File: "a.cfg", Line: 3, Column: 5}
	tests := []struct {
		d    Diagnostic
		want string
	}{
		{Diagnostic{Pos: at, Severity: Error, Message: "broken"}, "a.cfg:3: error: broken"},
		{Diagnostic{Pos: at, Severity: Warning, Message: "odd", Fix: "write x"}, "a.cfg:3: warning: odd: write x"},
		{Diagnostic{Pos: Pos{File: "a.cfg"}, Message: "hello"}, "a.cfg: notice: hello"},
		{Diagnostic{Severity: Error, Message: "broken"}, "error: broken"},
	}
	for _, tt := range tests {
		if got := tt.d.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestCollectedFindingsCarryTheirKind(t *testing.T) {
	var ds Diagnostics
	p := Pos{File: "f", Line: 1}
	ds.Errorf(p, "w", "bad %d", 1)
	ds.Warnf(p, "w", "odd %d", 2)
	ds.Noticef(p, "w", "seen %d", 3)
	ds.Unknown(p, Error, "keyword", "maxcon", []string{"bind", "maxconn"})
	ds.Unknown(p, Warning, "keyword", "zzzzzz", []string{"bind", "maxconn"})
	ds.Unsupported(p, Warning, "option", "splice", "HAProxy")
	ds.Obsolete(p, "contimeout", "timeout connect 5s")
	want := []Diagnostic{
		{p, Error, Other, "w", "bad 1", ""},
		{p, Warning, Other, "w", "odd 2", ""},
		{p, Notice, Other, "w", "seen 3", ""},
		{p, Error, Unknown, "maxcon", `unknown keyword "maxcon"`, `did you mean "maxconn"?`},
		{p, Warning, Unknown, "zzzzzz", `unknown keyword "zzzzzz"`, ""},
		{p, Warning, Unsupported, "splice", `option "splice" is known to HAProxy but not supported yet`, ""},
		{p, Warning, Obsolete, "contimeout", `"contimeout" is an old form, accepted here; write`, "timeout connect 5s"},
	}
	for i, d := range ds.List() {
		if d != want[i] {
			t.Errorf("got  %+v\nwant %+v", d, want[i])
		}
	}
	if len(ds.List()) != len(want) {
		t.Errorf("got %d findings, want %d", len(ds.List()), len(want))
	}
}

func TestSortKeepsTheOrderAtOnePlace(t *testing.T) {
	var ds, other Diagnostics
	add := func(file string, line, column int, message string) {
		other.Add(Diagnostic{Pos: Pos{File: file, Line: line, Column: column}, Message: message})
	}
	add("b", 1, 1, "6")
	add("a", 2, 9, "4")
	add("a", 2, 3, "2")
	add("a", 2, 3, "3")
	add("a", 10, 1, "5")
	add("a", 1, 5, "1")
	ds.Append(&other)
	ds.Sort()
	got := ""
	for _, d := range ds.List() {
		got += d.Message
	}
	if got != "123456" {
		t.Errorf("got order %s, want 123456", got)
	}
}

func TestWorstIsTheHighestSeverity(t *testing.T) {
	var ds Diagnostics
	if _, ok := ds.Worst(); ok || ds.HasErrors() {
		t.Error("an empty list has a worst finding")
	}
	ds.Noticef(Pos{}, "", "x")
	if s, ok := ds.Worst(); !ok || s != Notice {
		t.Errorf("got %v, %v, want notice", s, ok)
	}
	ds.Errorf(Pos{}, "", "x")
	ds.Warnf(Pos{}, "", "x")
	if s, _ := ds.Worst(); s != Error || !ds.HasErrors() {
		t.Errorf("got %v, want error", s)
	}
	if Warning.String() != "warning" {
		t.Errorf("got %q, want warning", Warning)
	}
}

func TestRegistryFindsRowsByName(t *testing.T) {
	r := NewRegistry(Row[int]{Name: "b", Do: 2}, Row[int]{Name: "a", Do: 1})
	if row, ok := r.Lookup("a"); !ok || row.Do != 1 {
		t.Errorf("got %+v, %v", row, ok)
	}
	if _, ok := r.Lookup("c"); ok {
		t.Error("found a row that is not there")
	}
	if r.Rows()[0].Name != "b" || r.Names()[0] != "a" || len(r.Names()) != 2 {
		t.Errorf("got rows %v, names %v; want rows in order, names sorted", r.Rows(), r.Names())
	}
	defer func() {
		if recover() == nil {
			t.Error("a name given twice does not panic")
		}
	}()
	NewRegistry(Row[int]{Name: "a"}, Row[int]{Name: "a"})
}

func TestNearestFindsLikelySlips(t *testing.T) {
	known := []string{"maxconn", "mode", "timeout", "bind", "fullconn", "no"}
	for word, want := range map[string]string{
		"maxcon": "maxconn", "mxaconn": "maxconn", "maxxconn": "maxconn", "mdoe": "mode", "bnid": "bind", "timeuot": "timeout",
		"naxcomm": "", "xyzzy": "", "": "", "m": "", "maxconn": "maxconn", "of": "", "mo": "no",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}
