// Package config holds what every configuration dialect of herald shares:
// positions in files, diagnostics that are collected rather than returned one
// by one, readers for typed arguments, and registries of keywords with their
// documentation.
//
// It opens no file and knows no keyword. The dialects are config/block
// (keepalived) and config/line (HAProxy); the keywords belong to the packages
// that act on them.
//
//	var diags config.Diagnostics
//	d, err := config.Duration("5s", time.Millisecond)
//	if err != nil {
//		diags.Errorf(pos, "5s", "timeout connect: %v", err)
//	}
//	diags.Sort()
//	for _, d := range diags.List() {
//		fmt.Println(d)
//	}
package config

import "strconv"

// Pos is a place in a configuration file. Line and Column count from 1, and
// Column counts bytes; zero means unknown.
type Pos struct {
	File   string
	Line   int
	Column int
}

// String returns "file:line", the form editors and HAProxy's messages use.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Before reports whether p stands before q, ordering by file, line, column.
func (p Pos) Before(q Pos) bool {
	if p.File != q.File {
		return p.File < q.File
	}
	if p.Line != q.Line {
		return p.Line < q.Line
	}
	return p.Column < q.Column
}
