package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestTheReportSaysWhetherTheMedianRoundMeetsTheGoal(t *testing.T) {
	three := func(a, b, c float64) []sample { return []sample{{figure: a}, {figure: b}, {figure: c}} }
	cases := []struct {
		o    outcome
		want string
	}{
		{outcome{row: row{name: "good", goal: 0.8}, big: [2][]sample{three(10, 20, 30), three(7, 30, 21)}}, "yes"}, // 0.7, 1.5, 0.7
		{outcome{row: row{name: "bad", goal: 0.8}, big: [2][]sample{three(10, 20, 30), three(9, 14, 27)}}, "NO"},   // 0.9, 0.7, 0.9
		{outcome{row: row{name: "alone", goal: 1, of: own}, big: [2][]sample{nil, three(0, 2, 1)}}, "yes"},         // 1
		{outcome{row: row{name: "grown", goal: 1.3, of: growth}, big: [2][]sample{three(1, 1, 1), three(15, 15, 15)}, // 1.5
			small: [2][]sample{three(1, 1, 1), three(10, 10, 10)}}, "NO"},
		{outcome{row: row{name: "missing", goal: 1}, err: fmt.Errorf("%w: herald: unknown word", errRefused)}, "not yet"},
		{outcome{row: row{name: "broken", goal: 1}, err: errors.New("wrk: Socket errors")}, "failed"},
	}
	for _, c := range cases {
		var out strings.Builder
		if err := report(&out, []outcome{c.o}); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); !strings.Contains(got, c.want) {
			t.Errorf("%s: want %q in:\n%s", c.o.row.name, c.want, got)
		}
	}
}

func TestAConfigurationOfManyLinesHasThem(t *testing.T) {
	got := shape{bind: "http", lines: 20000}.configuration(place{port: 80, log: 514, origins: [2]string{"127.0.0.1:1", "127.0.0.1:2"}})
	if n := strings.Count(got, "\n"); n < 20000 || n > 20100 {
		t.Errorf("%d lines, want 20,000", n)
	}
}

func TestCollectionsAreToldFromOtherLines(t *testing.T) {
	var p process
	for _, part := range []string{"herald: ready\ngc 1 @0.0", "15s 2%: 0.01+1\nmagic gc 2 @\n", "gc 12 @3s 0%: 1\n"} {
		p.Write([]byte(part))
	}
	if n := p.collections.Load(); n != 2 {
		t.Errorf("%d collections, want 2", n)
	}
	if got, want := p.said(), "herald: ready\nmagic gc 2 @\n"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}
