package directive

import (
	"strings"

	"herald/config"
	"herald/proxy/settings"
)

var httpRows = []config.Row[keyword]{
	toggle("accept-invalid-http-request", frontSide, "Lets requests pass whose header names or target have forbidden characters; what could be framed in two ways stays refused.",
		func(p *settings.Proxy) *bool { return &p.HTTP.AcceptInvalidRequest }),
	toggle("accept-invalid-http-response", backSide, "Lets responses pass whose header names have forbidden characters; what could be framed in two ways stays refused.",
		func(p *settings.Proxy) *bool { return &p.HTTP.AcceptInvalidResponse }),
	toggle("checkcache", backSide, "Blocks responses that set a cookie and that caches may keep.",
		func(p *settings.Proxy) *bool { return &p.HTTP.CheckCache }),
	toggle("h1-case-adjust-bogus-client", frontSide, "Writes header names to clients in the case that h1-case-adjust gives.",
		func(p *settings.Proxy) *bool { return &p.HTTP.AdjustClient }),
	toggle("h1-case-adjust-bogus-server", backSide, "Writes header names to servers in the case that h1-case-adjust gives.",
		func(p *settings.Proxy) *bool { return &p.HTTP.AdjustServer }),
	toggle("http-buffer-request", anyProxy, "Waits for the body of a request, or a full buffer of it, before a server is chosen.",
		func(p *settings.Proxy) *bool { return &p.HTTP.BufferRequest }),
	toggle("http-ignore-probes", frontSide, "Neither logs, counts nor answers connections that end without a byte.",
		func(p *settings.Proxy) *bool { return &p.HTTP.IgnoreProbes }),
	always("http-no-delay", anyProxy, "Accepted: nothing waits for a segment to fill."),
	toggle("http-pretend-keepalive", backSide, "Does not tell the server that its connection will be closed after the response.",
		func(p *settings.Proxy) *bool { return &p.HTTP.PretendKeepAlive }),
	{Name: "option http-restrict-req-hdr-names", Syntax: "preserve|delete|reject", Example: "option http-restrict-req-hdr-names reject",
		Doc: "What becomes of request headers whose names have other characters than letters, digits and hyphens.",
		Do:  keyword{in: anyProxy, min: 1, max: 1, read: readHeaderNames}},
	{Name: "http-send-name-header", Syntax: "HEADER", Example: "http-send-name-header X-Server",
		Doc: "Tells the server its name in this header; \"no\" takes it back.",
		Do:  keyword{in: backSide, max: 1, negate: true, read: readSendName}},
	toggle("http-use-proxy-header", frontSide, "Asks for passwords as a proxy does, with 407, where the target is neither a path nor \"*\".",
		func(p *settings.Proxy) *bool { return &p.HTTP.UseProxyHeader }),
	always("idle-close-on-response", frontSide, "Accepted: a proxy that drains always answers one more request of an idle connection before it closes it."),
	toggle("independent-streams", anyProxy, "What is sent to the other side of a connection does not put off the time it has to send something.",
		func(p *settings.Proxy) *bool { return &p.IndependentStreams }),
	toggle("nolinger", anyProxy, "Closes connections with a reset, so that nothing of them stays in the system.",
		func(p *settings.Proxy) *bool { return &p.HTTP.NoLinger }),
	{Name: "option originalto", Syntax: "[except NETWORK] [header NAME]", Example: "option originalto",
		Doc: "Tells the server the address the client connected to in X-Original-To.",
		Do:  keyword{in: anyProxy, max: many, read: readOriginalTo}},
	always("splice-auto", anyProxy, "Accepted: bulk passes within the system wherever nothing has to look at it; see nosplice."),
	always("splice-request", anyProxy, "Accepted, as splice-auto."),
	always("splice-response", anyProxy, "Accepted, as splice-auto."),
	always("tcp-smart-accept", frontSide, "Accepted: in mode http a request is acknowledged by its answer in any case."),
	always("tcp-smart-connect", backSide, "Accepted: in mode http the request ends the handshake in any case."),
}

// always makes the row of an option that asks for what is done anyway.
func always(name string, in scope, doc string) config.Row[keyword] {
	return config.Row[keyword]{Name: "option " + name, Doc: doc, Example: "option " + name,
		Do: keyword{in: in, negate: true, read: func(*call) {}}}
}

var headerCaseRows = []config.Row[keyword]{
	{Name: "nosplice", Example: "nosplice",
		Doc: "Copies bulk instead of letting it pass within the system by splice(2).",
		Do:  keyword{in: inGlobal, read: func(c *call) { c.cfg.Global.NoSplice = true }}},
	{Name: "h1-accept-payload-with-any-method", Example: "h1-accept-payload-with-any-method",
		Doc: "Takes a body with GET, HEAD and DELETE in HTTP/1.0, which is refused with 413 otherwise, as servers may take it for another request.",
		Do:  keyword{in: inGlobal, read: func(c *call) { c.cfg.Global.BodyWithAnyMethod = true }}},
	{Name: "h1-case-adjust", Syntax: "FROM TO", Example: "h1-case-adjust content-length Content-Length",
		Doc: "How a header name is written where option h1-case-adjust-bogus-client or -server is on.",
		Do:  keyword{in: inGlobal, min: 2, max: 2, read: func(c *call) { c.headerCase(0, c.arg(0), c.arg(1)) }}},
	{Name: "h1-case-adjust-file", Syntax: "FILE", Example: "h1-case-adjust-file /etc/haproxy/headers.map",
		Doc: "A file of lines FROM TO for h1-case-adjust.",
		Do:  keyword{in: inGlobal, min: 1, max: 1, read: readHeaderCaseFile}},
}

// headerCase notes one name; argument at is to blame.
func (c *call) headerCase(at int, from, to string) {
	lower := strings.ToLower(from)
	switch {
	case strings.ToLower(to) != lower:
		c.reject(at, "%q and %q differ in more than case", from, to)
	case c.cfg.Global.HeaderCase[lower] != "" && c.cfg.Global.HeaderCase[lower] != to:
		c.reject(at, "%q is already written %q", from, c.cfg.Global.HeaderCase[lower])
	default:
		if c.cfg.Global.HeaderCase == nil {
			c.cfg.Global.HeaderCase = map[string]string{}
		}
		c.cfg.Global.HeaderCase[lower] = to
	}
}

func readHeaderCaseFile(c *call) {
	file, err := c.readFile(c.arg(0))
	if err != nil {
		c.reject(0, "%v", err)
		return
	}
	for i, text := range strings.Split(string(file.Bytes), "\n") {
		text, _, _ = strings.Cut(text, "#")
		switch words := strings.Fields(text); len(words) {
		case 0:
		case 2:
			c.headerCase(0, words[0], words[1])
		default:
			c.reject(0, "%s:%d: not FROM TO", c.arg(0), i+1)
		}
	}
}

func readHeaderNames(c *call) {
	switch c.arg(0) {
	case "preserve":
		c.px.p.HTTP.Names = settings.NamesPreserve
	case "delete":
		c.px.p.HTTP.Names = settings.NamesDelete
	case "reject":
		c.px.p.HTTP.Names = settings.NamesReject
	default:
		c.unknownValue(0, "policy", []string{"preserve", "delete", "reject"})
	}
}

func readSendName(c *call) {
	name := strings.ToLower(c.arg(0))
	switch {
	case c.line.Negated || c.line.Defaulted:
		name = ""
	case name == "":
		c.reject(0, "a header is missing")
		return
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) }):
		c.reject(0, "%q is not a header name", c.arg(0))
		return
	}
	c.px.p.HTTP.SendName = name
}

func readOriginalTo(c *call) {
	f := &settings.ForwardFor{Header: "X-Original-To"}
	if c.forwarded(f, []string{"except", "header"}) {
		c.px.p.OriginalTo = f
	}
}
