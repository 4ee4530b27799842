package directive

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"herald/config"
	"herald/config/line"
	"herald/proxy/expr"
	rules "herald/proxy/rule"
	"herald/proxy/settings"
)

var ruleRows = []config.Row[keyword]{
	{Name: "acl", Syntax: "NAME FETCH[(ARGUMENT,...)] [-i] [-m METHOD] [-f FILE] [-M] [-n] [-u ID] [--] [PATTERN ...]", Example: "acl api path_beg /api/",
		Doc: "Names a criterion for conditions; several of one name are alternatives.",
		Do:  keyword{in: inProxy, min: 2, max: many, read: readACL}},
	{Name: "tcp-request", Syntax: "inspect-delay TIME | connection|session|content accept|reject [if|unless CONDITION]",
		Example: "tcp-request content accept if { req.ssl_hello_type 1 }",
		Doc:     "Lets connections pass or closes them: before anything is received, when a PROXY header and TLS are done, or by what has been received within inspect-delay.",
		Do:      keyword{in: inProxy, min: 2, max: many, strict: true, read: readTCPRequest}},
	{Name: "tcp-response", Syntax: "inspect-delay TIME | content accept|reject|close [if|unless CONDITION]",
		Example: "tcp-response content reject if { res.payload(0,4) -m bin 5353482d }",
		Doc:     "Lets what a server sends pass, refuses it or ends the server's connection, by what it has sent within inspect-delay.",
		Do:      keyword{in: inBackend, min: 2, max: many, strict: true, read: readTCPResponse}},
	{Name: "use-server", Syntax: "NAME if|unless CONDITION", Example: "use-server %[req.hdr(x-server)] if { req.hdr(x-server) -m found }",
		Doc: "Server for what the condition holds for, unless it is down; the first that holds counts, and the algorithm's choice when none does. The name may have %[EXPRESSION] in it.",
		Do:  keyword{in: inBackend, min: 1, max: many, strict: true, read: readUseServer}},
	{Name: "use_backend", Syntax: "NAME [if|unless CONDITION]", Example: "use_backend servers if { path_beg /api/ }",
		Doc: "Backend for what the condition holds for; the first that holds counts, and default_backend when none does. The name may have %[EXPRESSION] in it.",
		Do:  keyword{in: inFrontend, min: 1, max: many, strict: true, read: readUseBackend}},
}

func readACL(c *call) {
	name := c.arg(0)
	if strings.EqualFold(name, "or") {
		c.reject(0, "an ACL named %q never matches: the word joins two conditions", name)
		return
	}
	if i := strings.IndexFunc(name, illegalInName); i >= 0 {
		c.reject(0, "character %q is not permitted in ACL name %q", name[i:i+1], name)
		return
	}
	c.px.acls.Loader = c.loader()
	if err := c.px.acls.Add(name, c.texts(1)); err != nil {
		c.refuseCondition(1, err)
		return
	}
	if cond, _ := c.px.acls.Condition([]string{name}); cond.Empty() != "" {
		c.warnEmpty(1, cond.Empty())
	}
}

// refuseCondition reports what is wrong with a criterion that begins at
// argument i.
func (c *call) refuseCondition(i int, err error) { c.reject(i, "%v", err) }

// Places of expressions: what there is to look at.
const (
	atSession = expr.Session
	atContent = atSession | expr.Request | expr.Head
	atServer  = atContent | expr.Inside
	atAnswer  = atSession | expr.Inside | expr.Server | expr.Response | expr.Answer
)

// loader reads what expressions ask of the system.
func (b *builder) loader() expr.Loader {
	read := func(name string) ([]byte, error) {
		f, err := b.readFile(name)
		return f.Bytes, err
	}
	return expr.Loader{Read: read, Env: b.opt.LookupEnv, Made: b.made}
}

// reference is a proxy or server that an expression of the section names.
type reference struct {
	expr.Reference
	at   line.Word
	what string
}

// expression compiles an expression that is evaluated at a place.
func (c *call) expression(text string, there expr.Place) (*expr.Fetch, error) {
	f, err := c.loader().Parse(text)
	if err != nil {
		return nil, err
	}
	if f.Lacks(there) {
		return nil, fmt.Errorf("%s looks at what is not there yet", f.Name)
	}
	c.refer(&f)
	return &f, nil
}

// refer notes what a fetch refers to, to be looked for once all is read.
func (c *call) refer(f *expr.Fetch) {
	for _, r := range f.Refers {
		c.px.refers = append(c.px.refers, reference{r, c.at, f.Name})
	}
}

// condition reads what follows argument i: nothing, "if" or "unless" and a
// condition.
func (c *call) condition(i int) (rules.Condition, bool) {
	word := c.arg(i)
	if word == "" {
		return rules.Condition{}, true
	}
	if word != "if" && word != "unless" {
		c.reject(i, "expected \"if\" or \"unless\" and a condition, not %q", word)
		return rules.Condition{}, false
	}
	c.px.acls.Loader = c.loader()
	cond, err := c.px.acls.Condition(c.texts(i + 1))
	if err != nil {
		c.refuseCondition(i+1, err)
		return cond, false
	}
	for _, f := range cond.Uses() {
		c.refer(f)
	}
	if name := cond.Empty(); name != "" && c.arg(i+1) == "{" {
		c.warnEmpty(i+1, name)
	}
	if word == "unless" {
		cond = cond.Unless()
	}
	return cond, true
}

// choice reads NAME [if|unless CONDITION], where NAME may have expressions in
// it.
func (c *call) choice(there expr.Place) (rules.Choice, bool) {
	r := rules.Choice{Name: c.arg(0)}
	if strings.Contains(r.Name, "%") {
		f, err := c.loader().ParseFormat(r.Name)
		if err != nil {
			c.reject(0, "%v", err)
			return r, false
		}
		for _, e := range f.Fetches() {
			if e.Lacks(there) {
				c.reject(0, "%s looks at what is not there yet", e.Name)
				return r, false
			}
			c.refer(e)
		}
		r.Format = f
	}
	var ok bool
	if r.If, ok = c.condition(1); ok {
		c.warnLacking(1, &r.If, there)
	}
	return r, ok
}

func readUseBackend(c *call) {
	if r, ok := c.choice(atContent); ok {
		c.px.p.Rules.Backends = append(c.px.p.Rules.Backends, r)
		c.px.choices = append(c.px.choices, c.args[0].Pos)
	}
}

func readUseServer(c *call) {
	if len(c.args) == 1 {
		c.reject(0, "expected \"if\" or \"unless\" and a condition behind the name")
		return
	}
	if r, ok := c.choice(atServer); ok {
		c.px.p.Rules.Servers = append(c.px.p.Rules.Servers, r)
		c.px.wanted = append(c.px.wanted, c.args[0].Pos)
	}
}

func readTCPRequest(c *call) {
	to := &c.px.p.Rules
	kind := c.arg(0)
	var gates *rules.Gates
	there := atSession
	switch kind {
	case "inspect-delay":
		if d, ok := c.duration(1, time.Millisecond); ok {
			to.InspectDelay = d
		}
		return
	case "connection":
		gates, there = &to.Connection, 0
	case "session":
		gates = &to.Session
	case "content":
		if gates, there = &to.Content, atContent; c.px.kind == "backend" {
			there = atServer
		}
	default:
		c.unknownValue(0, "kind of rule", []string{"connection", "content", "inspect-delay", "session"})
		return
	}
	if c.px.kind == "backend" && kind != "content" {
		c.reject(0, "%q is not allowed in backend %q, which has no frontend capability", "tcp-request "+kind, c.px.p.Name)
		return
	}
	c.gate(gates, there, "accept", "reject")
}

func readTCPResponse(c *call) {
	to := &c.px.p.Rules
	switch c.arg(0) {
	case "inspect-delay":
		if d, ok := c.duration(1, time.Millisecond); ok {
			to.AnswerDelay = d
		}
	case "content":
		c.gate(&to.Answer, atAnswer, "accept", "reject", "close")
	default:
		c.unknownValue(0, "kind of rule", []string{"content", "inspect-delay"})
	}
}

// gate reads ACTION [if|unless CONDITION] behind the first argument.
func (c *call) gate(gates *rules.Gates, there expr.Place, actions ...string) {
	action := c.arg(1)
	if !slices.Contains(actions, action) {
		c.diags.Unsupported(c.args[1].Pos, config.Error, "action", action, "HAProxy")
		return
	}
	cond, ok := c.condition(2)
	if !ok {
		return
	}
	c.warnLacking(2, &cond, there)
	*gates = append(*gates, rules.Gate{Reject: action == "reject", Close: action == "close", If: cond})
}

// warnEmpty tells of a fetch without patterns.
func (c *call) warnEmpty(i int, fetch string) {
	c.warn(i, "there is nothing to compare %s with, it never matches; -m found asks whether it is there", fetch)
}

// warnLacking tells of a condition on what is not there at a place. Whether
// there are heads is known once all is read, when the mode is.
func (c *call) warnLacking(i int, cond *rules.Condition, there expr.Place) {
	if name := cond.Lacks(there); name != "" {
		c.warn(i, "%s looks at what is not there, the condition never holds here", name)
	} else if name := cond.Lacks(^(expr.Head | expr.Answer)); name != "" {
		c.px.headed = append(c.px.headed, reference{at: c.args[min(i, len(c.args)-1)], what: name})
	}
}

// checkReferences looks for the proxies and servers that expressions name.
func (b *builder) checkReferences(d *draft) {
	for _, r := range d.headed {
		if d.p.Mode == settings.TCP {
			b.cross(r.at.Pos, config.Warning, r.what, "%s looks at HTTP, in mode tcp the condition never holds", r.what)
		}
	}
	for _, r := range d.refers {
		if why := b.unresolved(d, r.Reference); why != "" {
			b.cross(r.at.Pos, config.Error, r.what, "%s: %s", r.what, why)
		}
	}
}

// unresolved says why a reference leads nowhere.
func (b *builder) unresolved(d *draft, r expr.Reference) string {
	if d.kind == "defaults" {
		return ""
	}
	of := d
	if r.Name != "" {
		of = nil
		for _, e := range b.proxies {
			if e.p.Name == r.Name && (e.p.Frontend && r.Kind == "frontend" || e.p.Backend && r.Kind != "frontend") {
				of = e
			}
		}
	}
	switch {
	case of == nil:
		kind := r.Kind
		if kind == "server" {
			kind = "backend"
		}
		return fmt.Sprintf("no such %s: %q", kind, r.Name)
	case r.Kind == "frontend" && !of.p.Frontend, r.Kind != "frontend" && !of.p.Backend:
		return fmt.Sprintf("%q is no %s: write the name of one", of.p.Name, r.Kind)
	case r.Kind == "server" && !slices.ContainsFunc(of.p.Servers, func(s settings.Server) bool { return s.Name == r.Of }):
		return fmt.Sprintf("%q has no server %q", of.p.Name, r.Of)
	}
	return ""
}

func serverNames(p *settings.Proxy) (names []string) {
	for i := range p.Servers {
		names = append(names, p.Servers[i].Name)
	}
	return names
}
