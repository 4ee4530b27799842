// Package block reads the keepalived dialect: text to a tree of statements.
//
// It resolves comments, quotes, includes, macros, sequences and conditional
// lines, and pairs braces. It knows no keyword beyond the language's own
// (include), and opens no file itself: the caller gives a reader of files.
package block

import "herald/config"

// Word is one token with its quotes removed.
type Word struct {
	Text   string
	Pos    config.Pos
	Quoted bool
}

// Statement is a keyword with its arguments and, when braces follow, its
// body. `virtual_ipaddress { 10.1.1.10 dev eth0 }` is a statement with one
// child whose keyword is the address.
type Statement struct {
	Pos      config.Pos
	Words    []Word // never empty
	Block    bool   // braces followed, even when nothing stood between them
	Children []Statement
}

// Keyword returns the text of the first word.
func (s Statement) Keyword() string { return s.Words[0].Text }

// Arg returns the text of word i, or "" when there is none.
func (s Statement) Arg(i int) string {
	if i < len(s.Words) {
		return s.Words[i].Text
	}
	return ""
}
