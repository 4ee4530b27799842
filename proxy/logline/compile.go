package logline

import (
	"errors"
	"fmt"
	"strings"
)

// ErrExpression is wrapped by Compile's error for a sample expression, which
// HAProxy knows and herald does not act on yet: all but those of option
// httpslog.
var ErrExpression = errors.New("sample expressions are not supported yet")

// Expressions tells the length of the expression that a text begins with, its
// brackets "[" and "]" included, or why it is none.
type Expressions func(text string) (int, error)

// CompileWith is Compile for a text that may have any expressions in it. Their
// values are the Values of the Record, in the order of the text.
func CompileWith(text string, read Expressions) (*Format, error) {
	return compile(compiler{rest: text, read: read})
}

// Compile compiles log-format text (manual 8.2.6): literal text, spaces,
// "%%", "%name" and "%{+Q,-X}name"; "%{...}o" changes the flags of what
// follows. As in HAProxy, unknown flags are ignored. Its errors name the
// offending variable or expression; errors.Is(err, ErrExpression) tells the
// known from the wrong.
func Compile(text string) (*Format, error) {
	return compile(compiler{rest: text})
}

func compile(c compiler) (*Format, error) {
	for c.rest != "" {
		switch c.rest[0] {
		case '%':
			if err := c.percent(); err != nil {
				return nil, err
			}
		case ' ':
			c.rest = strings.TrimLeft(c.rest, " ")
			c.items = append(c.items, item{space: true})
		default:
			end := strings.IndexAny(c.rest, "% ")
			if end < 0 {
				end = len(c.rest)
			}
			c.literal(c.rest[:end])
			c.rest = c.rest[end:]
		}
	}
	return &Format{items: c.items}, nil
}

type compiler struct {
	rest  string
	items []item
	flags flags // set by "%{...}o" for all that follow
	read  Expressions
	found int // expressions so far
}

// literal adds text, joining it to text in front.
func (c *compiler) literal(text string) {
	if n := len(c.items) - 1; n >= 0 && c.items[n].variable == nil && !c.items[n].space {
		c.items[n].text += text
		return
	}
	c.items = append(c.items, item{text: text})
}

// percent compiles what begins with a percent sign.
func (c *compiler) percent() error {
	body := c.rest[1:]
	with, modified := c.flags, false
	if strings.HasPrefix(body, "{") {
		inside, behind, closed := strings.Cut(body[1:], "}")
		if !closed {
			return fmt.Errorf("missing '}' after %q", inside)
		}
		with, modified, body = modify(with, inside), true, behind
	}
	name := body[:nameLen(body)]
	switch {
	case name != "":
		c.rest = body[len(name):]
		return c.variable(name, with)
	case strings.HasPrefix(body, "[") && c.read != nil:
		n, err := c.read(body)
		if err != nil {
			return err
		}
		i := c.found
		c.found++
		c.items = append(c.items, item{variable: &variable{name: body[:n], write: func(w *writer) { w.value(i) }}, flags: with})
		c.rest = body[n:]
		return nil
	case strings.HasPrefix(body, "["):
		expr, behind, closed := strings.Cut(body[1:], "]")
		if !closed {
			return fmt.Errorf("missing ']' after %q", expr)
		}
		for i := range expressions {
			if v := &expressions[i]; v.name == "["+expr+"]" {
				c.items = append(c.items, item{variable: v, flags: with})
				c.rest = behind
				return nil
			}
		}
		return fmt.Errorf("%%[%s]: %w", expr, ErrExpression)
	case modified:
		return fmt.Errorf("flags without a variable name near %q", c.rest[:len(c.rest)-len(body)])
	case body == "":
		return errors.New("text ends after '%': write '%%' for a percent sign")
	case body[0] == ' ':
		return errors.New("space after '%': write '%%' for a percent sign")
	}
	// "%%", and what HAProxy takes for text: the sign goes, the byte stays.
	c.literal(body[:1])
	c.rest = body[1:]
	return nil
}

func (c *compiler) variable(name string, with flags) error {
	if name == "o" {
		c.flags = with
		return nil
	}
	v := find(name)
	if v == nil {
		return fmt.Errorf("no such variable '%%%s': write '%%%%' for a percent sign", name)
	}
	c.items = append(c.items, item{variable: v, flags: with})
	return nil
}

// modify applies "+Q,-X" to f.
func modify(f flags, inside string) flags {
	for flag := range strings.SplitSeq(inside, ",") {
		var bit flags
		switch strings.TrimLeft(flag, "+-") {
		case "Q":
			bit = quoted
		case "X":
			bit = hex
		case "E":
			bit = escaped
		}
		switch {
		case strings.HasPrefix(flag, "+"):
			f |= bit
		case strings.HasPrefix(flag, "-"):
			f &^= bit
		}
	}
	return f
}

// nameLen counts the letters and digits s begins with.
func nameLen(s string) int {
	for i, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
			return i
		}
	}
	return len(s)
}
