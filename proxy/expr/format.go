package expr

import (
	"fmt"
	"strings"
)

// Format is a text with expressions in it: app-%[req.hdr(host),lower].
type Format struct {
	Text  string // as written
	parts []piece
}

// piece is text, and an expression behind it.
type piece struct {
	text  string
	fetch *Fetch // nil: there is none
}

// ParseFormat reads a text with expressions in %[...]; %% is a percent sign.
// The other variables of log-format are those of a log and mean nothing here.
func (files Loader) ParseFormat(text string) (*Format, error) {
	f := &Format{Text: text}
	rest := text
	literal := ""
	for {
		before, behind, more := strings.Cut(rest, "%")
		literal += before
		switch {
		case !more:
			f.parts = append(f.parts, piece{text: literal})
			return f, nil
		case strings.HasPrefix(behind, "%"):
			literal, rest = literal+"%", behind[1:]
			continue
		case !strings.HasPrefix(behind, "["):
			return nil, fmt.Errorf("%q: expected %%[EXPRESSION], or %%%% for a percent sign", "%"+behind)
		}
		end := closing(behind)
		if end < 0 {
			return nil, fmt.Errorf("%q: expected \"]\" at the end of the expression", "%"+behind)
		}
		e, err := files.Parse(behind[1:end])
		if err != nil {
			return nil, err
		}
		f.parts = append(f.parts, piece{literal, &e})
		literal, rest = "", behind[end+1:]
	}
}

// Bracketed is the length of the expression that text begins with, its brackets
// included; 0 when it does not end.
func Bracketed(text string) int { return closing(text) + 1 }

// closing is where the bracket that text begins with closes: outside quotes
// and arguments.
func closing(text string) int {
	var quote byte
	depth := 0
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == '\\' && quote == '"' {
				i++
			} else if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && depth > 0:
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth = max(depth-1, 0)
		case c == ']' && depth == 0:
			return i
		}
	}
	return -1
}

// Fetches are the expressions in it.
func (f *Format) Fetches() (list []*Fetch) {
	for _, p := range f.parts {
		if p.fetch != nil {
			list = append(list, p.fetch)
		}
	}
	return list
}

// Make writes the text; what is not found is empty.
func (f *Format) Make(in *Input) []byte {
	var b []byte
	for _, p := range f.parts {
		b = append(b, p.text...)
		if p.fetch != nil {
			if v, out := p.fetch.As(in, Str); out == Found {
				b = append(b, v.Str...)
			}
		}
	}
	return b
}
