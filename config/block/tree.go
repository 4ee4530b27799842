package block

import "herald/config"

// A builder makes statements of lines of tokens. It is owned by one Parse.
type builder struct {
	frames  []frame    // the open blocks, outermost first; never empty
	pending *Statement // awaits its opening brace or the next statement
	last    config.Pos
	diags   *config.Diagnostics
}

// A frame collects the statements of one open block. An opening brace that
// belongs to no statement has a nil owner; its content joins the block around.
type frame struct {
	owner      *Statement
	open       config.Pos
	statements []Statement
}

func newBuilder(diags *config.Diagnostics) *builder {
	return &builder{frames: make([]frame, 1), diags: diags}
}

func (b *builder) top() *frame { return &b.frames[len(b.frames)-1] }

// line adds the tokens of one line.
func (b *builder) line(tokens []token) {
	for i := 0; i < len(tokens); i++ {
		b.last = tokens[i].word.Pos
		switch tokens[i].brace {
		case '{':
			b.open(b.last)
		case '}':
			b.close(b.last)
		default:
			end := i
			for end < len(tokens) && tokens[end].brace == 0 {
				end++
			}
			b.begin(tokens[i:end], shares(tokens, i, end))
			i = end - 1
		}
	}
}

// shares reports whether the words tokens[i:end] stand on one line with a
// brace other than the one that opens their own body.
func shares(tokens []token, i, end int) bool {
	return i > 0 || end < len(tokens) && tokens[end].brace == '}'
}

// begin starts a statement; what was pending turns out to have no body.
func (b *builder) begin(words []token, inline bool) {
	b.flush()
	st := &Statement{Pos: words[0].word.Pos, Inline: inline, Words: make([]Word, len(words))}
	for i, t := range words {
		st.Words[i] = t.word
	}
	b.pending = st
}

func (b *builder) flush() {
	if b.pending != nil {
		b.top().statements = append(b.top().statements, *b.pending)
		b.pending = nil
	}
}

func (b *builder) open(pos config.Pos) {
	if b.pending == nil {
		b.diags.Warnf(pos, "{", "this { belongs to no keyword and is ignored")
	}
	b.frames = append(b.frames, frame{owner: b.pending, open: pos})
	b.pending = nil
}

func (b *builder) close(pos config.Pos) {
	b.flush()
	if len(b.frames) == 1 {
		b.diags.Warnf(pos, "}", "this } closes nothing and is ignored")
		return
	}
	done := *b.top()
	b.frames = b.frames[:len(b.frames)-1]
	if done.owner == nil {
		b.top().statements = append(b.top().statements, done.statements...)
		return
	}
	done.owner.Block = true
	done.owner.Children = done.statements
	b.top().statements = append(b.top().statements, *done.owner)
}

// finish closes what is left open and returns the outermost statements.
func (b *builder) finish() []Statement {
	b.flush()
	for len(b.frames) > 1 {
		f := b.top()
		what := "{"
		if f.owner != nil {
			what = f.owner.Keyword()
		}
		b.diags.Warnf(f.open, what, "the { of %q is never closed; it ends with the file here", what)
		b.close(b.last)
	}
	return b.frames[0].statements
}
