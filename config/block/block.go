// Package block reads the keepalived dialect: text to a tree of statements.
//
// It resolves comments, quotes, includes, macros, sequences, lists and
// conditional lines, and pairs braces. It knows no keyword beyond the
// language's own (include and include_check) and those before a password,
// gives no value a meaning, and opens no file itself: a Source does. What keepalived 2.2.7 accepts is
// accepted; a few things it refuses are too (several statements on one line
// of a block, typographic quotes, single quotes around any word).
//
//	files := map[string]string{"k.conf": "global_defs { router_id a }"}
//	var diags config.Diagnostics
//	tree := block.Parse(source(files), block.Options{Path: "k.conf"}, &diags)
//	for _, st := range tree {
//		fmt.Println(st.Pos, st.Keyword(), st.Arg(1))
//		for _, child := range st.Children {
//			fmt.Println(child.Pos, child.Keyword())
//		}
//	}
package block

import "herald/config"

// Word is one token with its quotes removed.
type Word struct {
	// Text is the word. Inside double quotes \" is a double quote; every
	// other backslash stays, because only scripts have escapes: Command
	// resolves those.
	Text   string
	Pos    config.Pos
	Quoted bool // any part of it stood in quotes
	// Quote is the quotation mark that opens the word, '"' or '\'', or 0.
	// keepalived takes '\'' for a quote in scripts only.
	Quote byte
	// Raw is Text before \" was resolved, for Command.
	Raw string
}

// Statement is a keyword with its arguments and, when braces follow, its
// body. `virtual_ipaddress { 10.1.1.10 dev eth0 }` is a statement with one
// child whose keyword is the address.
type Statement struct {
	Pos   config.Pos
	Words []Word // never empty
	Block bool   // braces followed, even when nothing stood between them
	// Inline tells that the statement shares its line with a brace that is
	// not its own, as both pairs in `authentication { auth_type PASS auth_pass
	// x }` do. Such a line may hold several statements; only who knows the
	// keywords can part them.
	Inline   bool
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
