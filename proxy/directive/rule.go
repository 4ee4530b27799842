package directive

import (
	"errors"
	"slices"
	"strings"
	"time"

	"herald/config"
	rules "herald/proxy/rule"
	"herald/proxy/settings"
)

var ruleRows = []config.Row[keyword]{
	{Name: "acl", Syntax: "NAME FETCH[(ARGUMENT,...)] [-i] [-m METHOD] [-n] [--] [PATTERN ...]", Example: "acl api path_beg /api/",
		Doc: "Names a criterion for conditions; several of one name are alternatives.",
		Do:  keyword{in: inProxy, min: 2, max: many, read: readACL}},
	{Name: "tcp-request", Syntax: "inspect-delay TIME | connection|session|content accept|reject [if|unless CONDITION]",
		Example: "tcp-request content accept if { req.ssl_hello_type 1 }",
		Doc:     "Lets connections pass or closes them: before anything is received, when a PROXY header and TLS are done, or by what has been received within inspect-delay.",
		Do:      keyword{in: inFrontend, min: 2, max: many, strict: true, read: readTCPRequest}},
	{Name: "use_backend", Syntax: "NAME [if|unless CONDITION]", Example: "use_backend servers if { path_beg /api/ }",
		Doc: "Backend for what the condition holds for; the first that holds counts, and default_backend when none does.",
		Do:  keyword{in: inFrontend, min: 1, max: many, strict: true, read: readUseBackend}},
}

func readACL(c *call) {
	name := c.arg(0)
	if i := strings.IndexFunc(name, illegalInName); i >= 0 {
		c.reject(0, "character %q is not permitted in ACL name %q", name[i:i+1], name)
		return
	}
	if c.px.acls == nil {
		c.px.acls = rules.Names{}
	}
	if err := c.px.acls.Add(name, c.texts(1)); err != nil {
		c.refuseCondition(1, err)
	}
}

// refuseCondition reports what is wrong with a criterion that begins at
// argument i.
func (c *call) refuseCondition(i int, err error) {
	var later rules.Unbuilt
	if errors.As(err, &later) {
		at := i + max(slices.Index(c.texts(i), later.Flag), 0)
		c.diags.Unsupported(c.args[at].Pos, config.Error, "flag", later.Flag, "HAProxy")
		return
	}
	c.reject(i, "%v", err)
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
	cond, err := c.px.acls.Condition(c.texts(i + 1))
	if err != nil {
		c.refuseCondition(i+1, err)
		return cond, false
	}
	if word == "unless" {
		cond = cond.Unless()
	}
	return cond, true
}

func readUseBackend(c *call) {
	name := c.arg(0)
	if strings.Contains(name, "%") {
		c.diags.Unsupported(c.args[0].Pos, config.Error, "name made by a format", name, "HAProxy")
		return
	}
	if cond, ok := c.condition(1); ok {
		c.px.p.Rules.Backends = append(c.px.p.Rules.Backends, rules.Choice{Backend: name, If: cond})
		c.px.choices = append(c.px.choices, c.args[0].Pos)
	}
}

func readTCPRequest(c *call) {
	to := &c.px.p.Rules
	var gates *rules.Gates
	switch c.arg(0) {
	case "inspect-delay":
		if d, ok := c.duration(1, time.Millisecond); ok {
			to.InspectDelay = d
		}
		return
	case "connection":
		gates = &to.Connection
	case "session":
		gates = &to.Session
	case "content":
		gates = &to.Content
	default:
		c.unknownValue(0, "kind of rule", []string{"connection", "content", "inspect-delay", "session"})
		return
	}
	action := c.arg(1)
	if action != "accept" && action != "reject" {
		c.diags.Unsupported(c.args[1].Pos, config.Error, "action", action, "HAProxy")
		return
	}
	cond, ok := c.condition(2)
	if !ok {
		return
	}
	if cond.HTTP() && (c.arg(0) != "content" || c.px.p.Mode == settings.TCP) {
		c.warn(2, "the condition looks at an HTTP request and never holds here")
	}
	*gates = append(*gates, rules.Gate{Reject: action == "reject", If: cond})
}
