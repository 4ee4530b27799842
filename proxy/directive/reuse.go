package directive

import (
	"slices"
	"time"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// reusePolicies are the words of http-reuse, in the manual's order.
var reusePolicies = []struct {
	word   string
	policy settings.Reuse
}{
	{"never", settings.ReuseNever},
	{"safe", settings.ReuseSafe},
	{"aggressive", settings.ReuseAggressive},
	{"always", settings.ReuseAlways},
}

// retryKinds are the words of retry-on.
var retryKinds = []struct {
	word string
	kind settings.RetryOn
}{
	{"none", settings.RetryNone},
	{"conn-failure", settings.RetryConnFailure},
	{"empty-response", settings.RetryEmptyResponse},
	{"junk-response", settings.RetryJunkResponse},
	{"response-timeout", settings.RetryResponseTimeout},
	{"0rtt-rejected", settings.Retry0RTTRejected},
	{"all-retryable-errors", settings.RetryAll},
	{"401", settings.Retry401},
	{"403", settings.Retry403},
	{"404", settings.Retry404},
	{"408", settings.Retry408},
	{"425", settings.Retry425},
	{"500", settings.Retry500},
	{"501", settings.Retry501},
	{"502", settings.Retry502},
	{"503", settings.Retry503},
	{"504", settings.Retry504},
}

var reuseRows = []config.Row[keyword]{
	{Name: "max-keep-alive-queue", Syntax: "N", Example: "max-keep-alive-queue 10",
		Doc: "With option prefer-last-server, how many may wait in front of a client at its server before it is sent to another; -1 is no limit.",
		Do: keyword{in: backSide, min: 1, max: 1, read: func(c *call) {
			if n, ok := c.number(0, -1, maxCount-1); ok {
				c.px.p.KeepAliveQueue = n + 1
			}
		}}},
	toggle("prefer-last-server", backSide, "Keeps a client at the server it has a connection of its own to: with \"http-reuse never\", or after NTLM.",
		func(p *settings.Proxy) *bool { return &p.PreferLast }),
	{Name: "http-reuse", Syntax: "never|safe|aggressive|always", Example: "http-reuse safe",
		Doc: "Which requests may take an idle connection to a server: none but those of the same client, all but a client's first, a first one on connections that were reused before, or all.",
		Do:  keyword{in: backSide, min: 1, max: 1, read: readReuse}},
	{Name: "retry-on", Syntax: "none|KIND ...", Example: "retry-on conn-failure empty-response 503",
		Doc: "After which failures a request is sent again, as often as \"retries\" says, while it is still whole in memory; connection failures alone when unset.",
		Do:  keyword{in: backSide, min: 1, max: many, read: readRetryOn}},
}

func readReuse(c *call) {
	var known []string
	for _, r := range reusePolicies {
		if r.word == c.arg(0) {
			c.px.p.Reuse = r.policy
			return
		}
		known = append(known, r.word)
	}
	c.unknownValue(0, "policy", known)
}

func readRetryOn(c *call) {
	var set settings.RetryOn
	var known []string
	for _, r := range retryKinds {
		known = append(known, r.word)
	}
	for i := range c.args {
		k := slices.Index(known, c.arg(i))
		switch {
		case k < 0:
			c.unknownValue(i, "kind of failure", known)
			return
		case retryKinds[k].kind == settings.RetryNone && len(c.args) > 1:
			c.reject(i, "\"none\" stands alone")
			return
		}
		set |= retryKinds[k].kind
	}
	c.px.p.RetryOn = set
}

// poolOptions are the server options about idle connections.
var poolOptions = []config.Row[serverOption]{
	{Name: "max-reuse", Syntax: "N", Example: "server a 10.1.1.20:80 max-reuse 100",
		Doc: "How often a connection may be used again; -1 means no limit.",
		Do:  word(1, func(s *settings.Server, v line.Word) error { return setMore(&s.Pool.MaxReuse, v) })},
	{Name: "pool-low-conn", Syntax: "N", Example: "server a 10.1.1.20:80 pool-low-conn 4",
		Doc: "Accepted: it bounds what one thread takes from another, and no event loop takes from another here.",
		Do:  word(1, func(_ *settings.Server, v line.Word) error { var n int; return setInt(&n, v, 0, maxCount) })},
	{Name: "pool-max-conn", Syntax: "N", Example: "server a 10.1.1.20:80 pool-max-conn 50",
		Doc: "How many idle connections to the server are kept; 0 keeps none, -1 means no limit.",
		Do:  word(1, func(s *settings.Server, v line.Word) error { return setMore(&s.Pool.MaxConn, v) })},
	{Name: "pool-purge-delay", Syntax: "TIME", Example: "server a 10.1.1.20:80 pool-purge-delay 30s",
		Doc: "How long an unused connection to the server is kept; 5 seconds when unset.",
		Do:  interval(func(s *settings.Server) *time.Duration { return &s.Pool.Purge })},
}

// setMore reads a number from -1 up and stores one more.
func setMore(field *int, v line.Word) error {
	n, err := config.Int(v.Text, -1, maxCount)
	if err == nil {
		*field = n + 1
	}
	return err
}
