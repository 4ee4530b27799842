// Package rule decides by conditions: which rule of a list applies
// (Configuration manual 7.2). A condition is compiled when the configuration
// is read; evaluating one looks nothing up by name and allocates nothing.
//
// It knows no connection and carries nothing out.
//
//	var acls rule.Names
//	err := acls.Add("api", []string{"path_beg", "/api/"})
//	cond, err := acls.Condition([]string{"api", "!{", "src", "10.0.0.0/8", "}"})
//	cond.Holds(&in) // expr.Found, expr.Missing, or expr.Wait
package rule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"herald/config"
	"herald/proxy/expr"
)

// ACL is one named criterion, or several of the same name: one is enough.
type ACL []*expr.Matcher

func (a ACL) holds(in *expr.Input) expr.Outcome {
	out := expr.Missing
	for _, m := range a {
		switch m.Match(in) {
		case expr.Found:
			return expr.Found
		case expr.Wait:
			out = expr.Wait
		}
	}
	return out
}

// Names are the ACLs of a section, by name. The zero value is ready.
type Names struct {
	// Loader reads the files that patterns come from.
	Loader expr.Loader
	acls   map[string]ACL
}

// Clone copies n: what is added to the copy is not in n.
func (n *Names) Clone() Names { return Names{n.Loader, maps.Clone(n.acls)} }

// predefined are the ACLs everybody has (Configuration manual 7.4).
var predefined = map[string][]string{
	"FALSE":          {"always_false"},
	"TRUE":           {"always_true"},
	"HTTP":           {"req.proto_http"},
	"HTTP_1.0":       {"req.ver", "1.0"},
	"HTTP_1.1":       {"req.ver", "1.1"},
	"HTTP_2.0":       {"req.ver", "2.0"},
	"HTTP_CONTENT":   {"req.hdr_val(content-length)", "gt", "0"},
	"HTTP_URL_ABS":   {"url_reg", "^[^/:]*://"},
	"HTTP_URL_SLASH": {"url_beg", "/"},
	"HTTP_URL_STAR":  {"url", "*"},
	"LOCALHOST":      {"src", "127.0.0.1/8", "::1"},
	"METH_CONNECT":   {"method", "CONNECT"},
	"METH_DELETE":    {"method", "DELETE"},
	"METH_GET":       {"method", "GET", "HEAD"},
	"METH_HEAD":      {"method", "HEAD"},
	"METH_OPTIONS":   {"method", "OPTIONS"},
	"METH_POST":      {"method", "POST"},
	"METH_PUT":       {"method", "PUT"},
	"METH_TRACE":     {"method", "TRACE"},
	"REQ_CONTENT":    {"req.len", "gt", "0"},
	"WAIT_END":       {"wait_end"},
}

// Add compiles a criterion and adds it to the ACL called name.
func (n *Names) Add(name string, words []string) error {
	m, err := n.criterion(words)
	if err != nil {
		return err
	}
	if n.acls == nil {
		n.acls = map[string]ACL{}
	}
	n.acls[name] = append(n.acls[name], m)
	return nil
}

// criterion compiles FETCH [FLAG...] [PATTERN...].
func (n *Names) criterion(words []string) (*expr.Matcher, error) {
	if len(words) == 0 {
		return nil, errors.New("a criterion is missing")
	}
	name, method := expr.CutSuffix(words[0])
	f, err := n.Loader.Parse(name)
	if err != nil {
		return nil, err
	}
	var lists []expr.List
	var fold, columns bool
	i := 1
	argument := func() (string, error) {
		if i++; i >= len(words) {
			return "", fmt.Errorf("%s expects a word behind it", words[i-1])
		}
		return words[i], nil
	}
flags:
	for ; i < len(words) && strings.HasPrefix(words[i], "-") && len(words[i]) > 1; i++ {
		switch flag := words[i]; flag {
		case "-i":
			fold = true
		case "-n": // addresses are never looked up
		case "-M":
			columns = true
		case "-m":
			if method, err = argument(); err != nil {
				return nil, errors.New("-m expects a method")
			}
		case "-f":
			l := expr.List{Fold: fold, Map: columns}
			if l.File, err = argument(); err != nil {
				return nil, err
			}
			lists = append(lists, l)
		case "-u":
			if _, err = argument(); err != nil {
				return nil, err
			}
		case "--":
			i++
			break flags
		default:
			return nil, fmt.Errorf("unknown flag %q, expected -f, -i, -m, -M, -n, -u or -- before what begins with \"-\"", flag)
		}
	}
	if i < len(words) {
		lists = append(lists, expr.List{Words: words[i:], Fold: fold})
	}
	return n.Loader.Compile(f, method, lists)
}

// term is one ACL of a condition, or its opposite.
type term struct {
	acl ACL
	not bool
}

// Condition is alternatives of terms that all have to hold. The zero value
// always holds.
type Condition struct {
	either [][]term
	lone   *expr.Matcher // all there is to it, the opposite of it with unless
	unless bool
	never  string // a fetch without patterns
	uses   []*expr.Fetch
}

// Uses are the fetches it looks at.
func (c *Condition) Uses() []*expr.Fetch { return c.uses }

// Empty names a fetch that there are no patterns for, so that it never
// matches; "" when there is none.
func (c *Condition) Empty() string { return c.never }

// Lacks names a fetch that needs more than there is at a place, so that it
// never finds anything; "" when there is none.
func (c *Condition) Lacks(there expr.Place) string {
	for _, f := range c.uses {
		if f.Lacks(there) {
			return f.Name
		}
	}
	return ""
}

// Condition compiles what follows "if": ACL names and anonymous ones in
// braces, "!" before either, and "or" or "||" between alternatives.
func (n *Names) Condition(words []string) (Condition, error) {
	var c Condition
	var all []term
	if len(words) == 0 {
		return c, errors.New("a condition is missing")
	}
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == "or" || w == "||" {
			if len(all) == 0 {
				return c, fmt.Errorf("nothing stands before %q", w)
			}
			c.either, all = append(c.either, all), nil
			continue
		}
		var t term
		for strings.HasPrefix(w, "!") {
			t.not, w = !t.not, w[1:]
			if w == "" && i+1 < len(words) {
				i++
				w = words[i]
			}
		}
		if w == "{" {
			end := slices.Index(words[i:], "}")
			if end < 0 {
				return c, errors.New("\"{\" has no \"}\"")
			}
			m, err := n.criterion(words[i+1 : i+end])
			if err != nil {
				return c, err
			}
			t.acl, i = ACL{m}, i+end
		} else {
			acl, err := n.named(w)
			if err != nil {
				return c, err
			}
			t.acl = acl
		}
		for _, m := range t.acl {
			c.uses = append(c.uses, m.Fetch())
			if m.Empty() {
				c.never = m.Fetch().Name
			}
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		return c, fmt.Errorf("nothing stands behind %q", words[len(words)-1])
	}
	c.either = append(c.either, all)
	if first := all[0]; len(c.either) == 1 && len(all) == 1 && len(first.acl) == 1 && !first.not {
		c.lone = first.acl[0]
	}
	return c, nil
}

// named finds an ACL.
func (n *Names) named(name string) (ACL, error) {
	if acl, ok := n.acls[name]; ok {
		return acl, nil
	}
	if words, ok := predefined[name]; ok {
		m, err := n.criterion(words)
		return ACL{m}, err
	}
	var known []string
	for k := range n.acls {
		known = append(known, k)
	}
	for k := range predefined {
		known = append(known, k)
	}
	slices.Sort(known)
	text := fmt.Sprintf("unknown ACL %q", name)
	if near := config.Nearest(name, known); near != "" {
		text += fmt.Sprintf(", did you mean %q?", near)
	}
	return nil, errors.New(text)
}

// Unless turns the condition around.
func (c Condition) Unless() Condition {
	c.unless = true
	return c
}

// Holds evaluates the condition. A term that has to wait makes its
// alternative wait, unless another term of it fails already.
func (c *Condition) Holds(in *expr.Input) expr.Outcome {
	var out expr.Outcome
	switch {
	case len(c.either) == 0:
		return expr.Found
	case c.lone != nil:
		out = c.lone.Match(in)
	default:
		out = c.evaluate(in)
	}
	switch {
	case out == expr.Wait:
		return expr.Wait
	case (out == expr.Found) != c.unless:
		return expr.Found
	}
	return expr.Missing
}

func (c *Condition) evaluate(in *expr.Input) expr.Outcome {
	out := expr.Missing
	for _, all := range c.either {
		switch together(all, in) {
		case expr.Found:
			return expr.Found
		case expr.Wait:
			out = expr.Wait
		}
	}
	return out
}

func together(all []term, in *expr.Input) expr.Outcome {
	out := expr.Found
	for i := range all {
		switch h := all[i].acl.holds(in); {
		case h == expr.Wait:
			out = expr.Wait
		case (h == expr.Found) == all[i].not:
			return expr.Missing
		}
	}
	return out
}

// Verdict is what a list of rules decides.
type Verdict uint8

// Verdicts.
const (
	Accept Verdict = iota
	Reject
	Pending // more has to come
	Close   // Accept what there is, and nothing behind it
)

// Gate is one rule that accepts or rejects.
type Gate struct {
	Reject bool
	Close  bool // accept, and end the server's connection (tcp-response content close)
	If     Condition
}

// Gates are tried in turn: the first whose condition holds decides; without
// one everything passes. A rule that has to wait makes the list wait.
type Gates []Gate

// Decide evaluates the list.
func (g Gates) Decide(in *expr.Input) Verdict {
	for i := range g {
		switch g[i].If.Holds(in) {
		case expr.Found:
			switch {
			case g[i].Reject:
				return Reject
			case g[i].Close:
				return Close
			}
			return Accept
		case expr.Wait:
			return Pending
		}
	}
	return Accept
}

// Choice is one use_backend or use-server.
type Choice struct {
	Name   string       // of the backend or server
	Format *expr.Format // makes the name, when it is not nil
	If     Condition
}

// Choose answers the index of the first choice whose condition holds, or -1.
func Choose(list []Choice, in *expr.Input) int {
	for i := range list {
		if list[i].If.Holds(in) == expr.Found {
			return i
		}
	}
	return -1
}
