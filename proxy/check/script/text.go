package script

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Text is a log-format string of a check: literal text, expressions in %[...],
// and the variables of the log that mean something outside a request.
type Text struct {
	parts []part
}

type part struct {
	text string
	expr *Expr
	name func(e *env) string
}

// Literal makes a Text of bytes that are sent as they are.
func Literal(s string) *Text { return &Text{parts: []part{{text: s}}} }

// Constant answers the text when nothing in it varies.
func (t *Text) Constant() (string, bool) {
	if t == nil {
		return "", true
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.expr != nil || p.name != nil {
			return "", false
		}
		b.WriteString(p.text)
	}
	return b.String(), true
}

// Variables are the %-names a check's text may have.
var variables = map[string]func(e *env) string{
	"H":   func(e *env) string { return e.Host },
	"pid": func(e *env) string { return strconv.Itoa(e.Pid) },
	"b":   func(e *env) string { return e.Backend },
	"s":   func(e *env) string { return e.Server },
	"f":   func(*env) string { return "CHECKS-FE" },
	"si":  func(e *env) string { return e.Addr },
	"sp":  func(e *env) string { return e.Port },
	"t":   func(e *env) string { return e.Now.Format("02/Jan/2006:15:04:05.000") },
	"T":   func(e *env) string { return e.Now.UTC().Format("02/Jan/2006:15:04:05 +0000") },
	"Tl":  func(e *env) string { return e.Now.Format("02/Jan/2006:15:04:05 -0700") },
	"Ts":  func(e *env) string { return strconv.FormatInt(e.Now.Unix(), 10) },
	"ms":  func(e *env) string { return strconv.Itoa(e.Now.Nanosecond() / 1e6) },
}

// CompileText reads a log-format string. Http says that it belongs to an
// http-check.
func CompileText(text string, http bool) (*Text, error) {
	t := &Text{}
	for rest := text; rest != ""; {
		at := strings.IndexByte(rest, '%')
		if at < 0 {
			t.literal(rest)
			break
		}
		t.literal(rest[:at])
		after, err := t.percent(rest[at+1:], http)
		if err != nil {
			return nil, err
		}
		rest = after
	}
	return t, nil
}

func (t *Text) literal(s string) {
	if s != "" {
		t.parts = append(t.parts, part{text: s})
	}
}

// percent reads what follows a percent sign and answers the rest.
func (t *Text) percent(body string, http bool) (string, error) {
	quoted := false
	if strings.HasPrefix(body, "{") {
		flags, after, closed := strings.Cut(body[1:], "}")
		if !closed {
			return "", fmt.Errorf("missing '}' after %q", body)
		}
		for f := range strings.SplitSeq(flags, ",") {
			switch f {
			case "+Q":
				quoted = true
			case "-Q", "-X", "-E", "+E", "":
			default:
				return "", fmt.Errorf("flag %q means nothing in a health check", f)
			}
		}
		body = after
	}
	quote := func() {
		if quoted {
			t.literal(`"`)
		}
	}
	switch {
	case strings.HasPrefix(body, "%"):
		t.literal("%")
		return body[1:], nil
	case strings.HasPrefix(body, "["):
		inside, after, closed := strings.Cut(body[1:], "]")
		if !closed {
			return "", fmt.Errorf("missing ']' after %q", body)
		}
		x, err := CompileExpr(inside, http)
		if err != nil {
			return "", err
		}
		quote()
		t.parts = append(t.parts, part{expr: x})
		quote()
		return after, nil
	}
	n := 0
	for n < len(body) && (body[n] >= 'a' && body[n] <= 'z' || body[n] >= 'A' && body[n] <= 'Z') {
		n++
	}
	name := body[:n]
	if name == "o" {
		return body[n:], nil
	}
	if name == "" {
		return "", errors.New("a percent sign is written %%")
	}
	f, ok := variables[name]
	if !ok {
		return "", fmt.Errorf("variable %%%s means nothing in a health check; write %%%% for a percent sign", name)
	}
	quote()
	t.parts = append(t.parts, part{name: f})
	quote()
	return body[n:], nil
}

// append evaluates the text.
func (t *Text) append(dst []byte, e *env) []byte {
	if t == nil {
		return dst
	}
	for _, p := range t.parts {
		switch {
		case p.expr != nil:
			v, _ := p.expr.eval(e)
			dst = append(dst, v...)
		case p.name != nil:
			dst = append(dst, p.name(e)...)
		default:
			dst = append(dst, p.text...)
		}
	}
	return dst
}
