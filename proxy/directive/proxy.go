package directive

import (
	"herald/config"
	"herald/proxy/settings"
)

var proxyRows = []config.Row[keyword]{
	{Name: "backlog", Syntax: "N", Example: "backlog 10000",
		Doc: "Length of the kernel's queue of connections not yet accepted; maxconn when unset.",
		Do: keyword{in: frontSide, min: 1, max: 1, read: func(c *call) {
			if n, ok := c.number(0, 0, maxCount); ok {
				c.px.p.Backlog = n
			}
		}}},
	{Name: "default_backend", Syntax: "NAME", Example: "default_backend servers",
		Doc: "Backend that serves a frontend's requests.",
		Do:  keyword{in: frontSide, min: 1, max: 1, read: func(c *call) { c.px.p.DefaultBackend = c.arg(0) }}},
	{Name: "description", Syntax: "TEXT", Example: "description public web site",
		Doc: "A text for the reader.",
		Do:  keyword{in: inProxy, min: 1, max: many, read: func(*call) {}}},
	{Name: "disabled", Example: "disabled",
		Doc: "Leaves the proxy out.",
		Do:  keyword{in: anyProxy, read: func(c *call) { c.px.p.Disabled = true }}},
	{Name: "enabled", Example: "enabled",
		Doc: "Takes back a \"disabled\" of the defaults.",
		Do:  keyword{in: anyProxy, read: func(c *call) { c.px.p.Disabled = false }}},
	{Name: "fullconn", Syntax: "N", Example: "fullconn 1000",
		Doc: "Number of connections at which a backend counts as full.",
		Do: keyword{in: backSide, min: 1, max: 1, read: func(c *call) {
			if n, ok := c.number(0, 0, maxCount); ok {
				c.px.p.FullConn = n
			}
		}}},
	{Name: "id", Syntax: "N", Example: "id 100",
		Doc: "Number of the proxy in the statistics.",
		Do: keyword{in: inProxy, min: 1, max: 1, read: func(c *call) {
			if n, ok := c.number(0, 1, maxCount); ok {
				c.px.p.ID, c.px.forcedID, c.px.p.ForcedID = n, true, true
			}
		}}},
	{Name: "maxconn", Syntax: "N", Example: "maxconn 2000",
		Doc: "Highest number of connections at a time; the kernel queues more. 0 or unset means the global limit.",
		Do: keyword{in: frontSide, min: 1, max: 1, read: func(c *call) {
			if n, ok := c.number(0, 0, maxCount); ok {
				c.px.p.MaxConn = n
			}
		}}},
	{Name: "max-session-srv-conns", Syntax: "N", Example: "max-session-srv-conns 2",
		Doc: "Highest number of idle connections to servers kept for one client alone, 5 when unset.",
		Do: keyword{in: frontSide, min: 1, max: 1, read: func(c *call) {
			if n, ok := c.number(0, 0, maxCount); ok {
				c.px.p.SessionServerConns = n + 1
			}
		}}},
	{Name: "mode", Syntax: "tcp | http", Example: "mode http",
		Doc: "Protocol the proxy understands; tcp unless said otherwise.",
		Do:  keyword{in: anyProxy, min: 1, max: 1, read: readProxyMode}},
	{Name: "monitor", Syntax: "fail if|unless CONDITION", Example: "monitor fail if { nbsrv(servers) lt 1 }",
		Doc: "Answers monitor-uri with 503 while the condition holds; may be repeated.",
		Do:  keyword{in: inFrontend, min: 0, max: many, read: readMonitorFail}},
	{Name: "monitor-uri", Syntax: "URI", Example: "monitor-uri /healthz",
		Doc: "Answers requests for exactly this URI, or this path where it begins with a slash, with 200 without asking a server and without logging.",
		Do:  keyword{in: frontSide, min: 1, max: 1, read: func(c *call) { c.px.p.MonitorURI = c.arg(0) }}},
	{Name: "rate-limit", Syntax: "sessions N", Example: "rate-limit sessions 100",
		Doc: "Highest number of sessions begun in a second; more wait in the kernel's queue. 0 is no limit.",
		Do: keyword{in: frontSide, min: 2, max: 2, read: func(c *call) {
			if c.arg(0) != "sessions" {
				c.unknownValue(0, "keyword", []string{"sessions"})
				return
			}
			if n, ok := c.number(1, 0, maxCount); ok {
				c.px.p.MaxSessRate = n
			}
		}}},
	{Name: "retries", Syntax: "N", Example: "retries 3",
		Doc: "How often a failed connection to a server is tried again.",
		Do: keyword{in: backSide, min: 1, max: 1, read: func(c *call) {
			if n, ok := c.number(0, 0, maxCount); ok {
				c.px.p.Retries = n
			}
		}}},
}

func readMonitorFail(c *call) {
	if c.arg(0) != "fail" {
		c.unknownValue(0, "keyword", []string{"fail"})
		return
	}
	if len(c.args) < 3 {
		c.reject(1, "requires \"if\" or \"unless\" and a condition")
		return
	}
	if cond, ok := c.condition(1); ok {
		c.px.p.MonitorFail = append(c.px.p.MonitorFail, cond)
	}
}

func readProxyMode(c *call) {
	switch c.arg(0) {
	case "tcp":
		c.px.p.Mode = settings.TCP
	case "http":
		c.px.p.Mode = settings.HTTP
	case "health":
		c.diags.Obsolete(c.line.Pos, "mode health", "http-request return status 200")
		c.diags.Unsupported(c.line.Pos, config.Error, "keyword", "http-request", "HAProxy")
	default:
		c.diags.Unknown(c.args[0].Pos, config.Error, "mode", c.arg(0), []string{"http", "tcp"})
	}
}
