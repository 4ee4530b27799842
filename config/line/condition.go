package line

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Condition evaluates the expression of .if, .elif and "-cc" (manual 2.4).
// The whole text is parsed even where its outcome is known early. lookup is
// asked by defined(); nil means Env.Lookup.
func Condition(text string, env Env, lookup func(string) (string, bool)) (bool, error) {
	if lookup == nil {
		lookup = newVariables(env.Lookup).get
	}
	if env.Version == "" {
		env.Version = defaultVersion
	}
	c := condition{rest: text, env: env, lookup: lookup}
	c.blanks()
	if c.rest == "" {
		return false, nil
	}
	value, err := c.or(0)
	if err != nil {
		return false, err
	}
	if c.blanks(); c.rest != "" {
		return false, fmt.Errorf("unexpected %q at the end of the condition", c.rest)
	}
	return value, nil
}

type condition struct {
	rest   string
	env    Env
	lookup func(string) (string, bool)
}

// deepest bounds the nesting of parentheses and negations.
const deepest = 200

func (c *condition) blanks() { c.rest = strings.TrimLeft(c.rest, " \t") }

// took consumes token after blanks when it is next.
func (c *condition) took(token string) bool {
	c.blanks()
	rest, ok := strings.CutPrefix(c.rest, token)
	c.rest = rest
	return ok
}

func (c *condition) or(depth int) (bool, error) {
	value, err := c.and(depth)
	for err == nil && c.took("||") {
		var next bool
		next, err = c.and(depth)
		value = value || next
	}
	return value, err
}

func (c *condition) and(depth int) (bool, error) {
	value, err := c.term(depth)
	for err == nil && c.took("&&") {
		var next bool
		next, err = c.term(depth)
		value = value && next
	}
	return value, err
}

func (c *condition) term(depth int) (bool, error) {
	if depth > deepest {
		return false, errors.New("condition is nested too deeply")
	}
	if c.took("!") {
		value, err := c.term(depth + 1)
		return !value, err
	}
	if c.took("(") {
		value, err := c.or(depth + 1)
		if err == nil && !c.took(")") {
			err = fmt.Errorf("expected \")\" before %q", c.rest)
		}
		return value, err
	}
	if c.rest == "" {
		return false, errors.New("condition ends where a predicate is expected")
	}
	if strings.IndexByte("+-0123456789", c.rest[0]) >= 0 {
		return c.number()
	}
	return c.predicate()
}

// number reads an integer in C's notation; anything but zero is true, and one
// too large to hold is true as well.
func (c *condition) number() (bool, error) {
	n := 1
	for n < len(c.rest) && strings.IndexByte("xX0123456789abcdefABCDEF", c.rest[n]) >= 0 {
		n++
	}
	text := c.rest[:n]
	v, err := strconv.ParseInt(text, 0, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return false, fmt.Errorf("%q is not a number", text)
	}
	c.rest = c.rest[n:]
	return v != 0, nil
}

// predicate evaluates NAME(ARGUMENTS).
func (c *condition) predicate() (bool, error) {
	name, _, ok := strings.Cut(c.rest, "(")
	i := slices.IndexFunc(predicates, func(p predicate) bool { return p.name == name })
	if !ok || i < 0 {
		return false, fmt.Errorf("%q is not a condition, expected a number or one of %s", c.rest, predicateNames())
	}
	p := predicates[i]
	c.rest = c.rest[len(name)+1:]
	args, err := c.arguments()
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	if len(args) > p.args || len(args) < p.args && p.args > 1 {
		return false, fmt.Errorf("%s: got %d arguments, expected %d", name, len(args), p.args)
	}
	for len(args) < p.args {
		args = append(args, "")
	}
	return p.holds(c, args), nil
}

// arguments reads comma-separated arguments up to the closing parenthesis.
// They have their own level of quotes and escapes (manual 2.2).
func (c *condition) arguments() ([]string, error) {
	var args []string
	var word strings.Builder
	quote := byte(0)
	for i := 0; i < len(c.rest); i++ {
		b := c.rest[i]
		switch {
		case b == '\\' && quote != '\'' && i+1 < len(c.rest):
			i++
			word.WriteString(argumentEscape(c.rest[i]))
		case quote != 0 && b == quote:
			quote = 0
		case quote == 0 && (b == '"' || b == '\''):
			quote = b
		case quote == 0 && b == ',':
			args = append(args, word.String())
			word.Reset()
		case quote == 0 && b == ')':
			if len(args) > 0 || word.Len() > 0 {
				args = append(args, word.String())
			}
			c.rest = c.rest[i+1:]
			return args, nil
		default:
			word.WriteByte(b)
		}
	}
	return nil, errors.New("expected \")\" after the arguments")
}

// argumentEscape is what a backslash and c stand for inside parentheses.
func argumentEscape(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case ' ', '\\', '\'', '"', ',', '(', ')':
		return string(rune(c))
	}
	return "\\" + string([]byte{c})
}

// predicate is one function a condition may call.
type predicate struct {
	name  string
	args  int
	holds func(c *condition, args []string) bool
}

var predicates = []predicate{
	{"defined", 1, func(c *condition, a []string) bool { _, ok := c.lookup(a[0]); return ok }},
	{"feature", 1, func(c *condition, a []string) bool { return slices.Contains(c.env.Features, a[0]) }},
	{"enabled", 1, func(c *condition, a []string) bool { return slices.Contains(c.env.Enabled, a[0]) }},
	{"streq", 2, func(c *condition, a []string) bool { return a[0] == a[1] }},
	{"strneq", 2, func(c *condition, a []string) bool { return a[0] != a[1] }},
	{"strstr", 2, func(c *condition, a []string) bool { return strings.Contains(a[0], a[1]) }},
	{"version_atleast", 1, func(c *condition, a []string) bool { return compareVersions(c.env.Version, a[0]) >= 0 }},
	{"version_before", 1, func(c *condition, a []string) bool { return compareVersions(c.env.Version, a[0]) < 0 }},
	{"openssl_version_atleast", 1, func(c *condition, a []string) bool {
		return c.env.OpenSSL != "" && compareVersions(c.env.OpenSSL, a[0]) >= 0
	}},
	{"openssl_version_before", 1, func(c *condition, a []string) bool {
		return c.env.OpenSSL != "" && compareVersions(c.env.OpenSSL, a[0]) < 0
	}},
	{"ssllib_name_startswith", 1, func(c *condition, a []string) bool {
		return c.env.SSLLibrary != "" && strings.HasPrefix(c.env.SSLLibrary, a[0])
	}},
}

func predicateNames() string {
	names := make([]string, 0, len(predicates))
	for _, p := range predicates {
		names = append(names, p.name+"()")
	}
	return strings.Join(names, ", ")
}
