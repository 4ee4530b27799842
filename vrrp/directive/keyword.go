package directive

import (
	"strings"

	"herald/config"
	"herald/config/block"
)

// A keyword is what herald does about a word in a block whose values gather
// in T.
type keyword[T any] struct {
	// act reads the statement into t; nil when herald does not act on it.
	act func(b *build, t *T, st block.Statement)
	// always marks what herald does without being told, or has no need of:
	// such a word is accepted in silence.
	always bool
	// inside holds the words known in the body of a block that is not acted
	// on, so that misspelt ones are found there too. Nil means a list.
	inside *config.Registry[keyword[nothing]]
	// reported replaces the usual warning of a block that is not acted on.
	reported func(b *build, st block.Statement)
}

// nothing gathers no values: the blocks herald only checks for known words.
type nothing struct{}

// A registry holds the words of one block.
type registry[T any] = *config.Registry[keyword[T]]

// A row is one word.
type row[T any] = config.Row[keyword[T]]

// status says in one word what herald does about a keyword.
func (k keyword[T]) status() string {
	switch {
	case k.act != nil:
		return "supported"
	case k.always:
		return "built in"
	default:
		return "not yet"
	}
}

// arity reads the manual's notation of arguments: how many there are at least
// and at most (-1 is any number), and whether a block follows.
func arity(syntax string) (least, most int, braces bool) {
	depth := 0
	for _, field := range strings.Fields(syntax) {
		if field == "{" {
			return least, most, true
		}
		if depth == 0 && !strings.HasPrefix(field, "[") {
			least++
		}
		if most >= 0 {
			most++
		}
		depth += strings.Count(field, "[") - strings.Count(field, "]")
		if strings.Contains(field, "...") {
			most = -1
		}
	}
	return least, most, false
}

// apply reads the statements of one block into t.
func apply[T any](b *build, where string, words registry[T], t *T, statements []block.Statement) {
	for _, st := range statements {
		for _, one := range split(st, words) {
			found, ok := words.Lookup(one.Keyword())
			if !ok {
				b.unknown(where, one, words.Names())
				continue
			}
			act(b, found, t, one)
		}
	}
}

// act does what a row says about one statement.
func act[T any](b *build, found row[T], t *T, st block.Statement) {
	least, most, braces := arity(found.Syntax)
	switch {
	case found.Do.always:
		return
	case found.Do.reported != nil:
		found.Do.reported(b, st)
		return
	case found.Do.act == nil:
		b.unsupported(st)
		if found.Do.inside != nil {
			know(b, found.Name, found.Do.inside, st.Children)
		}
		return
	case len(st.Words)-1 < least:
		b.diags.Warnf(st.Pos, found.Name, "%s needs %s; the line is ignored", found.Name, found.Syntax)
		return
	case braces && !st.Block:
		b.diags.Warnf(st.Pos, found.Name, "%s needs a block: { ... }; the line is ignored", found.Name)
		return
	case st.Block && !braces:
		b.diags.Warnf(st.Pos, found.Name, "%s takes no block; what stands between its braces is ignored", found.Name)
	}
	if most >= 0 && len(st.Words)-1 > most {
		b.surplus(st, st.Words[most+1])
		st.Words = st.Words[:most+1]
	}
	found.Do.act(b, t, st)
}

// surplus reports the first word a keyword does not take; after a password it
// may be more of it.
func (b *build) surplus(st block.Statement, word block.Word) {
	shown := word.Text
	if block.IsSecret(st.Keyword()) {
		shown = "more words"
	}
	b.diags.Warnf(word.Pos, shown, "%s takes no %q: a line holds one keyword; the rest of it is ignored", st.Keyword(), shown)
}

// know reports the unknown words of a block that is not acted on.
func know(b *build, where string, words registry[nothing], statements []block.Statement) {
	for _, st := range statements {
		for _, one := range split(st, words) {
			found, ok := words.Lookup(one.Keyword())
			if !ok {
				b.unknown(where, one, words.Names())
			} else if found.Do.inside != nil {
				know(b, found.Name, found.Do.inside, one.Children)
			}
		}
	}
}

// split parts a line that holds several statements because it shares the line
// of a brace: `{ auth_type PASS auth_pass x }`. A new one begins at each known
// word, once the one before has its arguments.
func split[T any](st block.Statement, words registry[T]) []block.Statement {
	least, takesBlock := 0, false
	if found, ok := words.Lookup(st.Keyword()); ok {
		least, _, takesBlock = arity(found.Syntax)
	}
	if !st.Inline && (!st.Block || takesBlock) {
		return []block.Statement{st}
	}
	var parts []block.Statement
	from := 0
	for i := 1; i < len(st.Words); i++ {
		found, ok := words.Lookup(st.Words[i].Text)
		if !ok || st.Words[i].Quoted || i-from-1 < least {
			continue
		}
		parts = append(parts, piece(st, from, i))
		from = i
		least, _, _ = arity(found.Syntax)
	}
	last := piece(st, from, len(st.Words))
	last.Block, last.Children = st.Block, st.Children
	return append(parts, last)
}

func piece(st block.Statement, from, to int) block.Statement {
	return block.Statement{Pos: st.Words[from].Pos, Words: st.Words[from:to], Inline: st.Inline}
}

// items returns the entries of a list block, one per line; where several
// share the line of a brace, begins tells the words that start a new one.
func items(st block.Statement, begins func(words []block.Word, i int) bool) []block.Statement {
	var out []block.Statement
	for _, child := range st.Children {
		from := 0
		for i := 1; i < len(child.Words); i++ {
			if child.Inline && begins(child.Words, i) {
				out = append(out, piece(child, from, i))
				from = i
			}
		}
		out = append(out, piece(child, from, len(child.Words)))
	}
	return out
}

// plan makes rows of words that are known and not acted on. A line of the
// table is "name arguments | what it does | arguments of an example".
func plan[T any](table string) []row[T] {
	var rows []row[T]
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		column := strings.Split(line+" ", " | ")
		if len(column) != 3 {
			panic("directive: malformed row " + line)
		}
		name, syntax, _ := strings.Cut(strings.TrimSpace(column[0]), " ")
		example := strings.TrimSpace(name + " " + strings.TrimSpace(column[2]))
		rows = append(rows, row[T]{Name: name, Syntax: syntax, Doc: strings.TrimSpace(column[1]), Example: example})
	}
	return rows
}

// nest gives planned blocks the words known inside them.
func nest[T any](rows []row[T], inside map[string]registry[nothing]) []row[T] {
	for i := range rows {
		if words, ok := inside[rows[i].Name]; ok {
			rows[i].Do.inside = words
		}
	}
	return rows
}

// builtIn marks rows as done without being told.
func builtIn[T any](rows []row[T]) []row[T] {
	for i := range rows {
		rows[i].Do.always = true
	}
	return rows
}
