package directive

import (
	"net/netip"
	"slices"

	"herald/config"
	"herald/proxy/settings"
)

// toggle makes the row of an option that is on or off and may be negated.
func toggle(name string, in scope, doc string, field func(p *settings.Proxy) *bool) config.Row[keyword] {
	return config.Row[keyword]{Name: "option " + name, Doc: doc, Example: "option " + name,
		Do: keyword{in: in, negate: true, read: func(c *call) { *field(&c.px.p) = !c.line.Negated && !c.line.Defaulted }}}
}

// connection makes the row of an option that chooses what happens to
// connections after a response. "no" takes back only its own choice.
func connection(name, doc string, mode settings.Connection) config.Row[keyword] {
	return config.Row[keyword]{Name: "option " + name, Doc: doc, Example: "option " + name,
		Do: keyword{in: anyProxy, negate: true, read: func(c *call) {
			switch {
			case !c.line.Negated && !c.line.Defaulted:
				c.px.p.Connection = mode
			case c.px.p.Connection == mode:
				c.px.p.Connection = settings.KeepAlive
			}
		}}}
}

var optionRows = []config.Row[keyword]{
	toggle("abortonclose", backSide, "Drops a queued request whose client has gone.",
		func(p *settings.Proxy) *bool { return &p.AbortOnClose }),
	toggle("allbackups", backSide, "Balances over all backup servers instead of using only the first.",
		func(p *settings.Proxy) *bool { return &p.AllBackups }),
	toggle("clitcpka", frontSide, "TCP keep-alive towards clients.",
		func(p *settings.Proxy) *bool { return &p.TCPKeepAliveClient }),
	toggle("dontlog-normal", frontSide, "Logs only what went wrong.",
		func(p *settings.Proxy) *bool { return &p.DontLogNormal }),
	toggle("dontlognull", frontSide, "Does not log connections on which nothing was sent.",
		func(p *settings.Proxy) *bool { return &p.DontLogNull }),
	{Name: "option forwardfor", Syntax: "[except NETWORK] [header NAME] [if-none]", Example: "option forwardfor except 127.0.0.0/8 if-none",
		Doc: "Tells the server the client's address in X-Forwarded-For.",
		Do:  keyword{in: anyProxy, max: many, read: readForwardFor}},
	connection("http-keep-alive", "Keeps connections open on both sides after a response; this is the default.", settings.KeepAlive),
	connection("http-server-close", "Closes the server's connection after each response.", settings.ServerClose),
	connection("httpclose", "Closes both connections after each response.", settings.Close),
	{Name: "option httplog", Syntax: "[clf]", Example: "option httplog",
		Doc: "Logs HTTP requests in HAProxy's HTTP format, or in the common log format.",
		Do:  keyword{in: anyProxy, max: 1, read: readHTTPLog}},
	{Name: "option httpslog", Example: "option httpslog",
		Doc: "Logs HTTP requests in HAProxy's HTTPS format, which is the HTTP format and what TLS has to say.",
		Do: keyword{in: anyProxy, read: func(c *call) {
			if c.frontLog() {
				c.px.p.LogFormat = settings.LogHTTPS
			}
		}}},
	toggle("log-health-checks", backSide, "Logs every change of a health check's result.",
		func(p *settings.Proxy) *bool { return &p.LogHealthChecks }),
	toggle("log-separate-errors", frontSide, "Logs what went wrong at level err instead of info.",
		func(p *settings.Proxy) *bool { return &p.LogSeparateErrors }),
	toggle("logasap", frontSide, "Logs when the response begins instead of when it ends.",
		func(p *settings.Proxy) *bool { return &p.LogAsap }),
	{Name: "option redispatch", Syntax: "[INTERVAL]", Example: "option redispatch",
		Doc: "Lets a retry go to another server: the last one, or every INTERVALth.",
		Do:  keyword{in: backSide, max: 1, negate: true, read: readRedispatch}},
	toggle("srvtcpka", backSide, "TCP keep-alive towards servers.",
		func(p *settings.Proxy) *bool { return &p.TCPKeepAliveServer }),
	{Name: "option tcpka", Example: "option tcpka",
		Doc: "TCP keep-alive on both sides.",
		Do: keyword{in: anyProxy, read: func(c *call) {
			c.px.p.TCPKeepAliveClient, c.px.p.TCPKeepAliveServer = true, true
		}}},
	{Name: "option tcplog", Syntax: "", Example: "option tcplog",
		Doc: "Logs connections in HAProxy's TCP format.",
		Do: keyword{in: anyProxy, read: func(c *call) {
			if c.frontLog() {
				c.px.p.LogFormat = settings.LogTCP
			}
		}}},
}

// frontLog reports whether a log format means anything here; HAProxy warns in
// a backend.
func (c *call) frontLog() bool {
	if c.px.kind == "backend" {
		c.warn(len(c.args), "ignored in backend %q", c.px.p.Name)
		return false
	}
	return true
}

func readHTTPLog(c *call) {
	format := settings.LogHTTP
	switch c.arg(0) {
	case "":
	case "clf":
		format = settings.LogCLF
	default:
		c.unknownValue(0, "argument", []string{"clf"})
		return
	}
	if c.frontLog() {
		c.px.p.LogFormat = format
	}
}

func readRedispatch(c *call) {
	c.px.p.Redispatch = !c.line.Negated && !c.line.Defaulted
	c.px.p.RedispatchInterval = 0
	if !c.px.p.Redispatch {
		return
	}
	c.px.p.RedispatchInterval = -1
	if len(c.args) > 0 {
		n, ok := c.number(0, -maxCount, maxCount)
		if !ok {
			return
		}
		c.px.p.Redispatch, c.px.p.RedispatchInterval = n != 0, n
	}
}

func readForwardFor(c *call) {
	f := &settings.ForwardFor{Header: "X-Forwarded-For"}
	if c.forwarded(f, []string{"except", "header", "if-none"}) {
		c.px.p.ForwardFor = f
	}
}

// forwarded reads the arguments of forwardfor and originalto.
func (c *call) forwarded(f *settings.ForwardFor, known []string) bool {
	for i := 0; i < len(c.args); i++ {
		if !slices.Contains(known, c.arg(i)) {
			c.unknownValue(i, "argument", known)
			return false
		}
		switch c.arg(i) {
		case "if-none":
			f.IfNone = true
		case "header":
			i++
			if c.arg(i) == "" {
				c.reject(i, "\"header\" expects a name")
				return false
			}
			f.Header = c.arg(i)
		case "except":
			i++
			network, err := readNetwork(c.arg(i))
			if err != nil {
				c.reject(i, "\"except\" expects ADDRESS[/MASK]: %v", err)
				return false
			}
			f.Except = network
		}
	}
	return true
}

// readNetwork reads ADDRESS, ADDRESS/BITS or ADDRESS/NETMASK and returns an
// address or a network in CIDR form.
func readNetwork(text string) (string, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.String(), nil
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Masked().String(), nil
	}
	return readNetmask(text)
}
