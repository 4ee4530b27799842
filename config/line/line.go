// Package line reads the HAProxy dialect: text to sections of lines.
//
// It resolves quoting, escapes, environment variables and conditional blocks,
// and sorts lines under their sections. It knows the section names and the
// four keywords that change the environment, and no other keyword; it merges
// nothing, and opens no file itself: Load is given the functions to do so.
//
//	var diags config.Diagnostics
//	files := line.Files{ReadFile: os.ReadFile, Stat: os.Stat, ReadDir: os.ReadDir}
//	texts := line.Load(files, []string{"/etc/haproxy/haproxy.cfg", "/etc/haproxy/conf.d"}, &diags)
//	for _, s := range line.Parse(texts, line.Env{Lookup: os.LookupEnv}, &diags) {
//		fmt.Println(s.Kind, s.Name)
//		for _, l := range s.Lines {
//			fmt.Println(l.Pos, l.Keyword(), l.Arg(1))
//		}
//	}
package line

import "herald/config"

// Word is one argument after quotes, escapes and variables are resolved.
type Word struct {
	Text   string
	Pos    config.Pos
	Quoted bool // any part of it stood in quotes
}

// Line is one configuration line below a section header. Words is never
// empty; a "no" or "default" prefix is taken off and told by Negated and
// Defaulted.
type Line struct {
	Pos       config.Pos
	Words     []Word
	Negated   bool // "no KEYWORD"
	Defaulted bool // "default KEYWORD"
}

// Keyword returns the text of the first word.
func (l Line) Keyword() string { return l.Words[0].Text }

// Arg returns the text of word i, or "" when there is none.
func (l Line) Arg(i int) string {
	if i < len(l.Words) {
		return l.Words[i].Text
	}
	return ""
}

// Section is a header line with the lines below it. Lines that stand before
// any header have no section; Parse reports them.
type Section struct {
	Pos    config.Pos
	Kind   string // "global", "defaults", "frontend", "backend", "listen", "userlist", ...
	Name   string // empty where none was given
	Header []Word // the whole header line: `listen NAME ADDR:PORT` keeps its address here
	From   Word   // the defaults section named by "from"; empty Text when none
	Lines  []Line
}
