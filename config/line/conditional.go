package line

import (
	"strings"

	"herald/config"
)

// block is one open .if.
type block struct {
	pos      config.Pos
	branch   branch
	elseSeen bool
}

// branch says which lines of a block are taken.
type branch int

const (
	taken   branch = iota // the present lines
	waiting               // none so far; a later .elif or .else may be
	passed                // an earlier branch was taken
	dead                  // none: the block itself stands in lines not taken
)

// active reports whether the present lines are taken.
func (p *parser) active() bool {
	return len(p.blocks) == 0 || p.blocks[len(p.blocks)-1].branch == taken
}

// directive acts on a line whose first word begins with a dot (manual 2.4).
func (p *parser) directive(words []Word) {
	name := words[0]
	if name.Text != ".if" && name.Text != ".elif" && len(words) > p.arity(name.Text) {
		extra := words[p.arity(name.Text)]
		p.diags.Errorf(extra.Pos, extra.Text, "unexpected argument %q after %q (quote a message that has blanks)", extra.Text, name.Text)
		return
	}
	switch name.Text {
	case ".if":
		p.beginIf(words)
	case ".elif", ".else", ".endif":
		p.switchBranch(words)
	case ".diag", ".notice", ".warning", ".alert":
		p.message(words)
	default:
		if p.active() {
			p.diags.Unknown(name.Pos, config.Error, "directive", name.Text,
				[]string{".if", ".elif", ".else", ".endif", ".diag", ".notice", ".warning", ".alert"})
		}
	}
}

// arity is the highest number of words of a directive other than .if, .elif.
func (p *parser) arity(name string) int {
	switch name {
	case ".else", ".endif":
		return 1
	case ".diag", ".notice", ".warning", ".alert":
		return 2
	}
	return 1 << 16
}

func (p *parser) beginIf(words []Word) {
	b := block{pos: words[0].Pos, branch: dead}
	if p.active() {
		b.branch = p.evaluate(words)
	}
	p.blocks = append(p.blocks, b)
}

// evaluate returns taken or waiting; what cannot be parsed is reported and
// not taken.
func (p *parser) evaluate(words []Word) branch {
	texts := make([]string, 0, len(words))
	for _, w := range words[1:] {
		texts = append(texts, w.Text)
	}
	text := strings.Join(texts, " ")
	yes, err := Condition(text, p.env, p.vars.get)
	if err != nil {
		p.diags.Errorf(words[0].Pos, text, "%s: %v", words[0].Text, err)
		return passed
	}
	if yes {
		return taken
	}
	return waiting
}

func (p *parser) switchBranch(words []Word) {
	name := words[0]
	if len(p.blocks) == 0 {
		p.diags.Errorf(name.Pos, name.Text, "%q without \".if\"", name.Text)
		return
	}
	b := &p.blocks[len(p.blocks)-1]
	if name.Text == ".endif" {
		p.blocks = p.blocks[:len(p.blocks)-1]
		return
	}
	if b.elseSeen {
		p.diags.Errorf(name.Pos, name.Text, "%q after \".else\"", name.Text)
		return
	}
	b.elseSeen = name.Text == ".else"
	switch {
	case b.branch == taken:
		b.branch = passed
	case b.branch == waiting && b.elseSeen:
		b.branch = taken
	case b.branch == waiting:
		b.branch = p.evaluate(words)
	}
}

func (p *parser) message(words []Word) {
	if !p.active() {
		return
	}
	text := ""
	if len(words) > 1 {
		text = words[1].Text
	}
	name := words[0]
	switch name.Text {
	case ".notice":
		p.diags.Noticef(name.Pos, name.Text, "%s", text)
	case ".warning":
		p.diags.Warnf(name.Pos, name.Text, "%s", text)
	case ".alert":
		p.diags.Errorf(name.Pos, name.Text, "%s", text)
	case ".diag":
		if p.env.Diagnose {
			p.diags.Noticef(name.Pos, name.Text, "%s", text)
		}
	}
}
